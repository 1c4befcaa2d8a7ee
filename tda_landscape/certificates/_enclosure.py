"""What is known of every unit on a segment: chord, parabola, generators and a radius."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

import torch
from torch import Tensor

from tda_landscape.certificates._rounding import MARGIN, TINY, U, gamma


@dataclass(frozen=True, slots=True, eq=False)
class Enclosure:
    """v(s) in (1-s) start + s end + 4s(1-s) bend + Σ_j ε_j generators_j + [-radius, radius] for all s in [0, 1].

    The |ε_j| <= 1 may depend on s. `start` and `end` are the floats that were computed at the two ends of the
    segment: how far they are from the exact values is part of the radius.

    Attributes
    ----------
    start, end, bend, radius : Tensor (S, n, ...)
        For S segments and n rows of data.
    generators : Tensor (S, n, M, ...) or None
        Errors that units share, so that they may cancel in later layers.
    symbols : tuple of int
        Names of the layers that the generators come from: with the same names, two enclosures share their ε_j.
    """

    start: Tensor
    end: Tensor
    bend: Tensor
    radius: Tensor
    generators: Tensor | None = None
    symbols: tuple[int, ...] = ()

    @classmethod
    def exact(cls, start: Tensor, end: Tensor | None = None) -> Enclosure:
        """A straight line, or a constant, without any error."""
        zero = torch.zeros_like(start)
        return cls(start, start if end is None else end, zero, zero)

    @property
    def spread(self) -> Tensor:
        """Σ_j |generators_j|, rounded up."""
        if self.generators is None:
            return torch.zeros_like(self.radius)
        return self.generators.abs().sum(2) * (1 + gamma(self.generators.shape[2] + 2))

    @property
    def reach(self) -> Tensor:
        """Half the width around chord and parabola, rounded up."""
        return self.radius if self.generators is None else (self.radius + self.spread) * (1 + 4 * U)

    @property
    def size(self) -> Tensor:
        """A bound of |v| over the segment."""
        chord = torch.maximum(self.start.abs(), self.end.abs())
        return (chord + self.bend.abs() + self.reach) * (1 + 4 * U)

    def hull(self) -> tuple[Tensor, Tensor]:
        """Lower and upper bound of v over the segment.

        A parabola lies within its Bernstein coefficients start, (start + end)/2 + 2 bend, end; and it leaves
        its chord by no more than its bend. The slack is the rounding of these few operations.
        """
        low, high = torch.minimum(self.start, self.end), torch.maximum(self.start, self.end)
        middle = (self.start + self.end) * 0.5 + 2 * self.bend
        below = torch.maximum(low + self.bend.clamp(max=0), torch.minimum(low, middle))
        above = torch.minimum(high + self.bend.clamp(min=0), torch.maximum(high, middle))
        reach = self.reach
        slack = 8 * U * (self.start.abs() + self.end.abs() + 2 * self.bend.abs() + reach) + TINY
        return below - reach - slack, above + reach + slack

    def signs(self) -> tuple[Tensor, Tensor]:
        """Where v is surely at least 0, and where surely at most 0: a quick test, `hull` is sharper."""
        reach = self.bend.abs().add_(self.reach).mul_(1 + MARGIN)
        end = torch.minimum(self.start, self.end)
        on = end >= reach
        torch.maximum(self.start, self.end, out=end)
        return on, end <= reach.neg_()

    def at(self, ends: tuple[Tensor, Tensor]) -> Enclosure:
        """The same enclosure with other end values close by, as another order of operations gives them."""
        start, end = ends
        moved = torch.maximum((start - self.start).abs(), (end - self.end).abs())
        return replace(self, start=start, end=end, radius=(self.radius + moved) * (1 + 8 * U))

    def folded(self) -> Enclosure:
        """The same enclosure with its generators in the radius."""
        if self.generators is None:
            return self
        return replace(self, radius=self.reach, generators=None, symbols=())

    def reshaped(self, change: Callable[[Tensor], Tensor]) -> Enclosure:
        """Apply a change of shape that keeps the first two axes and every number."""
        start, end, bend, radius = (change(part) for part in (self.start, self.end, self.bend, self.radius))
        generators = None if self.generators is None else through(change, self.generators)
        return Enclosure(start, end, bend, radius, generators, self.symbols)


def through(change: Callable[[Tensor], Tensor], generators: Tensor) -> Tensor:
    """Apply a map of (S, n, ...) to generators (S, n, M, ...), as if they were more rows."""
    segments, rows, many = generators.shape[:3]
    return change(generators.flatten(1, 2)).unflatten(1, (rows, many)) if many else generators[:segments]
