"""Layers without parameters that only move or average numbers: flatten, average pooling, means."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from torch import Tensor

from tda_landscape.certificates._enclosure import Enclosure, through
from tda_landscape.certificates._polynomial import Polynomial
from tda_landscape.certificates._rounding import TINY, gamma
from tda_landscape.certificates._segments import Segments
from tda_landscape.certificates.rules._rule import Known, enclosed

Change = Callable[[Tensor], Tensor]


@dataclass(frozen=True, slots=True, eq=False)
class Rearrange:
    """Another shape for the same numbers; exact."""

    change: Change

    def value(self, inputs: tuple[Tensor, ...], theta: Tensor) -> Tensor:
        """Rearrange (S, n, ...)."""
        return self.change(inputs[0])

    def enclose(self, inputs: tuple[Known, ...], segments: Segments, ends: tuple[Tensor, Tensor]) -> Enclosure:
        """Rearrange every part."""
        return enclosed(inputs[0]).reshaped(self.change).at(ends)

    def expand(self, inputs: tuple[Polynomial, ...], segments: Segments) -> Polynomial:
        """Rearrange the coefficients."""
        return inputs[0].mapped(self.change)


@dataclass(frozen=True, slots=True, eq=False)
class Average:
    """A linear map with weights >= 0 that sum up to `terms` numbers: linear maps commute with the enclosure.

    Each sum is wrong by at most γ_{terms+4} times the same sum of absolute values.
    """

    change: Change
    window: int | None = None  # numbers in a sum; None where every number is in one of them

    def value(self, inputs: tuple[Tensor, ...], theta: Tensor) -> Tensor:
        """Average (S, n, ...)."""
        return self.change(inputs[0])

    def enclose(self, inputs: tuple[Known, ...], segments: Segments, ends: tuple[Tensor, Tensor]) -> Enclosure:
        """Average every part."""
        v = enclosed(inputs[0])
        return average(v, self.change, self._terms(v.start)).at(ends)

    def expand(self, inputs: tuple[Polynomial, ...], segments: Segments) -> Polynomial:
        """Average the coefficients."""
        return inputs[0].mapped(self.change, self._terms(inputs[0].centre))

    def _terms(self, x: Tensor) -> int:
        """How many numbers are summed up."""
        return self.window or x[0].numel() // max(1, self.change(x)[0].numel())


def average(v: Enclosure, change: Change, terms: int) -> Enclosure:
    """The enclosure of averages, and what their sums are rounded by."""
    start, end, bend = change(v.start), change(v.end), change(v.bend)
    size = change(v.start.abs()) + change(v.end.abs()) + change(v.bend.abs() + v.spread)
    radius = change(v.radius) * (1 + gamma(terms + 4)) + gamma(2 * terms + 8) * size + TINY
    generators = None if v.generators is None else through(change, v.generators)
    return Enclosure(start, end, bend, radius, generators, v.symbols)
