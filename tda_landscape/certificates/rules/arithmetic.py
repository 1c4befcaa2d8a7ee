"""Sums, products, scalings and squares of enclosures."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

import torch
from torch import Tensor

from tda_landscape.certificates._enclosure import Enclosure
from tda_landscape.certificates._polynomial import Polynomial
from tda_landscape.certificates._rounding import TINY, U
from tda_landscape.certificates._segments import DRIFT, Segments, Span
from tda_landscape.certificates.rules._rule import Known, enclosed

CUBIC = 2 / (3 * math.sqrt(3)) * (1 + 4 * U)
"""max |x (1 - x^2)| on [-1, 1]."""

QUARTIC = 2 * (math.sqrt(2) - 1)
"""p^2 lies in QUARTIC p +- (1 - QUARTIC) for p in [0, 1], the best such pair."""


@dataclass(frozen=True, slots=True)
class Add:
    """The sum of two branches, as in a residual block: radii add; generators add where they are the same."""

    def value(self, inputs: tuple[Tensor, ...], theta: Tensor) -> Tensor:
        """The sum, rounded once."""
        return inputs[0] + inputs[1]

    def enclose(self, inputs: tuple[Known, ...], segments: Segments, ends: tuple[Tensor, Tensor]) -> Enclosure:
        """Enclose the sum."""
        return add(enclosed(inputs[0]), enclosed(inputs[1])).at(ends)

    def expand(self, inputs: tuple[Polynomial, ...], segments: Segments) -> Polynomial:
        """Add the coefficients."""
        return inputs[0] + inputs[1]


@dataclass(frozen=True, slots=True)
class Multiply:
    """The product of two branches, entry by entry."""

    def value(self, inputs: tuple[Tensor, ...], theta: Tensor) -> Tensor:
        """The product, rounded once."""
        return inputs[0] * inputs[-1]

    def enclose(self, inputs: tuple[Known, ...], segments: Segments, ends: tuple[Tensor, Tensor]) -> Enclosure:
        """Enclose the product; with one input, its square."""
        return multiply(enclosed(inputs[0]), enclosed(inputs[-1])).at(ends)

    def expand(self, inputs: tuple[Polynomial, ...], segments: Segments) -> Polynomial:
        """Multiply the polynomials."""
        return inputs[0] * inputs[-1]


@dataclass(frozen=True, slots=True)
class Scale:
    """a v + b with two constants."""

    factor: float
    shift: float = 0.0

    def value(self, inputs: tuple[Tensor, ...], theta: Tensor) -> Tensor:
        """Scale and shift, rounded twice."""
        return inputs[0] * self.factor + self.shift

    def enclose(self, inputs: tuple[Known, ...], segments: Segments, ends: tuple[Tensor, Tensor]) -> Enclosure:
        """Scale every part; the rounding of the ends is at most 4u of what they are made of."""
        v = enclosed(inputs[0])
        factor = abs(self.factor)
        radius = factor * v.radius * (1 + 4 * U) + 4 * U * (factor * v.size + abs(self.shift)) + TINY
        generators = None if v.generators is None else v.generators * self.factor
        return Enclosure(ends[0], ends[1], v.bend * self.factor, radius, generators, v.symbols)

    def expand(self, inputs: tuple[Polynomial, ...], segments: Segments) -> Polynomial:
        """Scale and shift the coefficients."""
        (v,) = inputs
        centre = v.centre * self.factor + self.shift
        size = abs(self.factor) * (v.centre.abs() + v.radius) + abs(self.shift)
        return Polynomial(centre, abs(self.factor) * v.radius * (1 + 4 * U) + 4 * U * size + TINY)


@dataclass(frozen=True, slots=True)
class Parameter:
    """A parameter that is used by itself, such as a learned scale: a straight line."""

    span: Span

    def value(self, inputs: tuple[Tensor, ...], theta: Tensor) -> Tensor:
        """The parameter, with an axis for the rows."""
        return self.span.of(theta)[:, None]

    def enclose(self, inputs: tuple[Known, ...], segments: Segments, ends: tuple[Tensor, Tensor]) -> Enclosure:
        """A chord; the nodes are off the polyline by 6u."""
        return line(self.span, segments, ())

    def expand(self, inputs: tuple[Polynomial, ...], segments: Segments) -> Polynomial:
        """Degree 1."""
        centre = torch.cat([self.value((), segments.start), self.value((), segments.end)])
        return Polynomial(centre, torch.zeros_like(centre))


def line(span: Span, segments: Segments, axes: tuple[int, ...]) -> Enclosure:
    """A parameter on the path as an enclosure (S, 1, *shape, 1, ...), with as many axes of length 1 appended."""
    start, end, largest = (
        part[:, None].view(len(part), 1, *part.shape[1:], *axes)
        for part in (span.of(segments.start), span.of(segments.end), span.of(segments.whole.largest))
    )
    return replace(Enclosure.exact(start, end), radius=((DRIFT * U) * largest + TINY).expand_as(start))


def add(v: Enclosure, w: Enclosure) -> Enclosure:
    """Enclose v + w, whose shapes broadcast."""
    start, end, bend = v.start + w.start, v.end + w.end, v.bend + w.bend
    size = v.start.abs() + w.start.abs() + v.end.abs() + w.end.abs() + bend.abs()
    spreads = (v.generators is not None) + (w.generators is not None)
    radius = (v.radius + w.radius) * (1 + 4 * U) + 4 * U * size + TINY
    if spreads == 0:
        return Enclosure(start, end, bend, radius)
    generators, symbols = _join(v, w, start.shape)
    rounding = 2 * U * (v.spread + w.spread)
    return Enclosure(start, end, bend, radius + rounding, generators, symbols)


def _join(v: Enclosure, w: Enclosure, shape: torch.Size) -> tuple[Tensor, tuple[int, ...]]:
    """Generators of a sum: added where they share their ε_j, side by side where they do not."""
    parts = [x.generators.expand(*shape[:2], -1, *shape[2:]) for x in (v, w) if x.generators is not None]
    if len(parts) == 2 and v.symbols == w.symbols:
        return parts[0] + parts[1], v.symbols
    return torch.cat(parts, dim=2), v.symbols + w.symbols


def multiply(v: Enclosure, w: Enclosure) -> Enclosure:
    """Enclose v w; generators go into the radius first.

    Two chords give a chord and -p dv dw / 4; chord and bend give p times the middle of the chord and a cubic;
    two bends give p^2, which is replaced by its best multiple of p.
    """
    v, w = v.folded(), w.folded()
    start, end = v.start * w.start, v.end * w.end
    dv, dw = v.end - v.start, w.end - w.start
    middle_v, middle_w = (v.start + v.end) * 0.5, (w.start + w.end) * 0.5
    quad = v.bend * w.bend
    bend = middle_v * w.bend + middle_w * v.bend - 0.25 * dv * dw + QUARTIC * quad
    large_v = torch.maximum(v.start.abs(), v.end.abs())
    large_w = torch.maximum(w.start.abs(), w.end.abs())
    radius = CUBIC * 0.5 * (dv * w.bend + dw * v.bend).abs() + (1 - QUARTIC) * quad.abs()
    radius = radius + (large_v + v.bend.abs()) * w.radius + (large_w + w.bend.abs()) * v.radius
    radius = radius + v.radius * w.radius
    size = (large_v + v.bend.abs()) * (large_w + w.bend.abs())
    return Enclosure(start, end, bend, radius * (1 + 32 * U) + 32 * U * size + TINY)
