"""The two errors that a user meets.

ValueError
└── InputError      what was given cannot be used, or is not built yet
KeyboardInterrupt
└── Interrupted     the user stopped a survey; carries what had been computed
"""

from __future__ import annotations


class InputError(ValueError):
    """What was given cannot be used; the message says what was wrong, what was given and what to do."""


class Interrupted(KeyboardInterrupt):
    """A survey was stopped by the user; `partial` is the `Survey` of the stages that had ended."""

    def __init__(self, partial: object) -> None:
        super().__init__("interrupted")
        self.partial = partial
