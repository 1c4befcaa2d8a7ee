"""Straight pieces of parameter space, and where each parameter of a layer stands in them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, TypeVar

from torch import Tensor

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Span:
    """One parameter tensor as a part of the flat vector of all parameters."""

    begin: int
    shape: tuple[int, ...]

    def of(self, theta: Tensor) -> Tensor:
        """Cut the parameter (S, *shape) out of vectors (S, d)."""
        size = 1
        for side in self.shape:
            size *= side
        part: Tensor = theta[:, self.begin : self.begin + size].unflatten(1, self.shape or (1,))
        return part


@dataclass(frozen=True, slots=True, eq=False)
class Whole:
    """What is known of a whole polyline: the largest absolute value (1, d) of each parameter at its vertices."""

    largest: Tensor
    prepared: dict[int, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, eq=False)
class Segments:
    """S segments between nodes of a polyline.

    Attributes
    ----------
    start, end : Tensor (S, d)
        The nodes as floats. The exact points of the polyline that they stand for differ by at most
        `DRIFT` u times the largest absolute value of each parameter.
    whole : Whole
        The polyline.
    """

    start: Tensor
    end: Tensor
    whole: Whole
    _prepared: dict[int, Any] = field(default_factory=dict)

    def prepared(self, rule: object, make: Callable[[], T]) -> T:
        """What a rule needs of the parameters, made once for all chunks of rows."""
        return _once(self._prepared, rule, make)

    def prepared_whole(self, rule: object, make: Callable[[], T]) -> T:
        """What a rule needs of the polyline, made once for all segments."""
        return _once(self.whole.prepared, rule, make)


def _once(made: dict[int, Any], rule: object, make: Callable[[], T]) -> T:
    """Make something for a rule unless that was done before."""
    if id(rule) not in made:
        made[id(rule)] = make()
    found: T = made[id(rule)]
    return found


DRIFT = 6
"""A node A + t (B - A) is computed with three roundings: it is off the straight line by at most 6u max(|A|, |B|)."""
