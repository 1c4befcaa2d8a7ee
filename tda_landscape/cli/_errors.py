"""What ends a command early, as the sentence that the user reads."""

from __future__ import annotations

from collections.abc import Iterable
from difflib import get_close_matches

from tda_landscape._errors import shown


class ConfigError(Exception):
    """The configuration, or code that it names, cannot be used."""


class FailedSurvey(Exception):
    """A survey cannot go on; says which network it was and where the results of the others are."""


class WriteError(Exception):
    """A result could not be written."""


class StoppedSurvey(Exception):
    """The user pressed Ctrl-C; says what had been computed and where it is."""


def unknown(what: str, given: str, valid: Iterable[str]) -> ConfigError:
    """Name the nearest valid one, and all of them."""
    names = list(valid)
    if not names:
        return ConfigError(f"{what} {shown(given)} is unknown; there are none here, remove it")
    nearest = get_close_matches(given[:80], names, n=1, cutoff=0.0)[0]
    return ConfigError(f"{what} {shown(given)} is unknown: the nearest is {nearest!r} (valid: {', '.join(names)})")


def first_line(error: BaseException) -> str:
    """What an error of foreign code says, on one line."""
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    text = lines[0] if lines else ""
    return f"{type(error).__name__}: {text[:300]}" if text else type(error).__name__
