"""Linear and convolutional layers with weights on the path."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import NamedTuple

import torch
from torch import Tensor

from tda_landscape.certificates._enclosure import Enclosure, through
from tda_landscape.certificates._polynomial import Polynomial, mix
from tda_landscape.certificates._rounding import TINY, U, gamma
from tda_landscape.certificates._segments import DRIFT, Segments, Span
from tda_landscape.certificates.rules._products import Product
from tda_landscape.certificates.rules._rule import Known

CUBIC = 2 / (3 * math.sqrt(3)) * (1 + 4 * U)
"""max |x (1 - x^2)| on [-1, 1]."""


class Weights(NamedTuple):
    """What the parameters of one layer are on S segments."""

    middle: Tensor  # Wm
    half: Tensor  # Wd
    reach: Tensor  # |Wm| + |Wd| >= |W(s)|
    bias: Tensor | None  # bm
    norms: Tensor  # Euclidean norm of the largest |W| of each output
    largest_bias: Tensor
    terms: int


@dataclass(frozen=True, slots=True, eq=False)
class Affine:
    """y = W v + b, where W = Wm + x Wd is linear in x = 2s - 1.

    The chord of the products of the end values leaves p(s) (Wm c - Wd dv/2), one product more than at a point,
    and x p(s) Wd c with |x p| <= 0.3849; radii go through |Wm| + |Wd|; W(s) G = Wm G + x Wd G.

    Rounding, all relative to N = |W| |v| + |b|, bounded by Cauchy-Schwarz, with n terms an output: the ends, n+1
    operations; the bend, n+8 for its product and n+9 for sums with the ends; the cubic term and the generators,
    n+2 each; W off the straight line, 6. Together less than γ_{5n+32} N.
    """

    product: Product
    weight: Span
    offset: Span | None

    def value(self, inputs: tuple[Tensor, ...], theta: Tensor) -> Tensor:
        """Apply the layer at S parameter vectors."""
        bias = None if self.offset is None else self.offset.of(theta)
        return self.product.apply(inputs[0], self.weight.of(theta), bias)

    def enclose(self, inputs: tuple[Known, ...], segments: Segments, ends: tuple[Tensor, Tensor]) -> Enclosure:
        """Enclose the product; of a constant it is exactly linear in s."""
        (v,) = inputs
        w = segments.prepared(self, lambda: self._weights(segments))
        start, end = ends
        if isinstance(v, Tensor):
            radius = self._rounding(v.abs(), w).expand_as(start)
            return Enclosure(start, end, torch.zeros_like(start), radius)
        product = self.product
        centre = ((v.start + v.end) * 0.5).add_(v.bend)
        bend = product.apply(centre, w.middle, w.bias).sub_((start + end).mul_(0.5))
        radius = product.apply(v.radius, w.reach)
        radius.add_(product.apply(v.bend, w.half).abs_(), alpha=CUBIC)
        generators = None
        if v.generators is not None:
            generators = through(lambda g: product.apply(g, w.middle), v.generators)
            radius.add_(product.apply(v.spread, w.half.abs()))
        radius.add_(self._rounding(v.size, w)).mul_(1 + gamma(w.terms + 40)).add_(TINY)
        return Enclosure(start, end, bend, radius, generators, v.symbols)

    def expand(self, inputs: tuple[Polynomial, ...], segments: Segments) -> Polynomial:
        """Multiply by the chord of the weights, a polynomial of degree 1: y_i = (k+1-i) Wa v_i + i Wb v_{i-1}."""
        (v,) = inputs
        k = v.degree + 1
        sides = [(self.weight.of(theta), self._bias(theta)) for theta in (segments.start, segments.end)]

        def multiply(part: Tensor, at_start: Tensor, at_end: Tensor) -> Tensor:
            first, last = (self.product.apply(part, w.expand(k, *w.shape[1:])) for w in (at_start, at_end))
            return mix(first, last)

        centre = multiply(v.centre, sides[0][0], sides[1][0])
        radius = multiply(v.radius, sides[0][0].abs(), sides[1][0].abs())
        if self.offset is not None:
            ends = [self.product.spread(bias, centre.ndim).expand(k, *centre.shape[1:]) for _, bias in sides]
            centre = centre + mix(ends[0], ends[1])
        size = (v.centre.abs() + v.radius).amax(0, keepdim=True)
        radius = radius + self._rounding(size, self._weights(segments))
        return Polynomial(centre, radius * (1 + gamma(self._terms + 40)) + TINY)

    @property
    def _terms(self) -> int:
        return math.prod(self.weight.shape[1:])

    def _weights(self, segments: Segments) -> Weights:
        """Middle, half difference and norms of the weights on S segments."""
        a, b = self.weight.of(segments.start), self.weight.of(segments.end)
        middle, half = (a + b) * 0.5, (b - a) * 0.5
        norms = torch.linalg.vector_norm(self.weight.of(segments.largest).flatten(2), dim=2)
        largest = self._bias(segments.largest)
        bias = None if self.offset is None else (self._bias(segments.start) + self._bias(segments.end)) * 0.5
        reach = (middle.abs() + half.abs()) * (1 + 4 * U)
        return Weights(middle, half, reach, bias, norms, largest, self._terms)

    def _bias(self, theta: Tensor) -> Tensor:
        """The biases (S, out), zeros where there are none."""
        return theta.new_zeros(len(theta), self.weight.shape[0]) if self.offset is None else self.offset.of(theta)

    def _rounding(self, size: Tensor, w: Weights) -> Tensor:
        """Bound of all rounding in the rule, and of W off the straight line, for inputs of at most this size."""
        norms = self.product.norms(size)
        error = norms * self.product.spread(w.norms, norms.ndim)
        error = error.add_(self.product.spread(w.largest_bias, norms.ndim))
        return error.mul_(gamma(5 * w.terms + DRIFT + 26) * (1 + 1e-9)).add_(TINY)
