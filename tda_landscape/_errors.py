"""The two errors that a user meets, and the checks of arguments at the public doors.

ValueError
└── InputError      what was given cannot be used, or is not built yet
KeyboardInterrupt
└── Interrupted     the user stopped a survey; carries what had been computed
"""

from __future__ import annotations

import reprlib
from numbers import Integral, Real
from typing import Any, get_args

HINTS = {
    "Callable": "give a function",
    "Energy": "make one with Energy.from_model(model, loss, (X, y)) or Energy.from_function(function, dim)",
    "Kernel": "give an instance, such as samplers.SGD(lr=0.1)",
    "LandscapeGraph": "make one with connect, explore or LandscapeGraph.from_arrays(births, edges, heights)",
    "Minima": "make them with quench(energy, cloud) or Minima.from_points(energy, points)",
    "Pairs": "give a plan, such as pairs.SpanningTree() or pairs.AtLevel(u)",
    "Path": "find one with find_path(energy, a, b)",
    "Search": "give an instance, such as paths.Ladder()",
}
"""Where each kind of thing comes from."""


class InputError(ValueError):
    """What was given cannot be used; the message says what was wrong, what was given and what to do."""


class Interrupted(KeyboardInterrupt):
    """A survey was stopped by the user; `partial` is the `Survey` of the stages that had ended."""

    def __init__(self, partial: object) -> None:
        super().__init__("interrupted")
        self.partial = partial


def expect(kind: Any, **values: object) -> None:
    """Refuse what is not of a kind, such as `Energy` or `Search | None`, and classes in place of their instances."""
    for name, value in values.items():
        if not isinstance(value, kind) or isinstance(value, (type, str)):  # a string has a method `find`, too
            kinds = [k.__name__.replace("NoneType", "None") for k in get_args(kind) or (kind,)]
            hint = next(HINTS[k] for k in kinds if k in HINTS)
            raise InputError(f"{name} must be of type {' or '.join(kinds)}, got {described(value)}; {hint}")


def expect_number(interval: str, **values: Any) -> None:
    """Refuse what is no number in an interval, such as "(0, inf]" or "[0, 1] or None", NaN above all."""
    _expect_in(interval, Real, "a number", values)


def expect_whole(interval: str, **values: Any) -> None:
    """Refuse what is no whole number in an interval."""
    _expect_in(interval, Integral, "a whole number", values)


def _expect_in(interval: str, kind: type, what: str, values: dict[str, Any]) -> None:
    """Refuse values outside an interval, or of another kind; arrays of no dimension are numbers."""
    ends = interval.removesuffix(" or None")
    low, high = (float(end) for end in ends[1:-1].split(","))
    for name, value in values.items():
        if value is None and ends != interval:
            continue
        number = value.item() if getattr(value, "shape", None) == () else value
        fits = isinstance(number, kind) and not isinstance(number, bool)
        above = fits and (number > low or (number == low and ends[0] == "["))
        below = fits and (number < high or (number == high and ends[-1] == "]"))
        if not (above and below):
            span = "" if ends == "[-inf, inf]" else f" in {ends}"
            raise InputError(f"{name} must be {what}{span}{interval[len(ends) :]}, got {described(number)}")


def described(value: object) -> str:
    """What was given, in a few words."""
    if isinstance(value, type):
        return f"the class {value.__name__}"
    plain = value is None or isinstance(value, (str, Real))
    return shown(value) if plain else f"{'an' if type(value).__name__[0] in 'AEIO' else 'a'} {type(value).__name__}"


def shown(value: object) -> str:
    """A value as it may stand in a sentence: one line, short."""
    short = reprlib.Repr()
    short.maxstring = short.maxother = 60
    text = short.repr(value)
    text = text if text.isprintable() else ascii(text)
    return text if len(text) <= 120 else text[:100] + "..."
