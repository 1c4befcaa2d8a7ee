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


WIDE = 128
"""From this many inputs on, Cauchy-Schwarz bounds the cubic term: a product costs more there than it gains."""


class Weights(NamedTuple):
    """What the parameters of one layer are on S segments."""

    middle: Tensor  # Wm
    half: Tensor  # Wd
    reach: Tensor  # |Wm| + |Wd| >= |W(s)|, with the rounding of a product with it
    bias: Tensor | None  # bm
    half_norms: Tensor  # Euclidean norm of each row of Wd, times 0.3849, rounded up


class Largest(NamedTuple):
    """Rounding of one layer on a polyline, as a share of inputs of norm 1 and by itself, (1, out)."""

    share: Tensor
    offset: Tensor


@dataclass(frozen=True, slots=True, eq=False)
class Affine:
    """y = W v + b, where W = Wm + x Wd is linear in x = 2s - 1.

    The chord of the products of the end values leaves p(s) (Wm c - Wd dv/2), one product more than at a point, and
    x p(s) Wd c with |x p| <= 0.3849 (wide layers bound |Wd c| by Cauchy-Schwarz); radii go through |Wm| + |Wd|;
    W(s) G = Wm G + x Wd G.

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
        start, end = ends
        if isinstance(v, Tensor):
            radius = self._rounded(torch.zeros_like(start), (v,), segments)
            return Enclosure(start, end, start.new_zeros(()).expand_as(start), radius)
        w = segments.prepared(self, lambda: self._weights(segments))
        product, more = self.product, 1 + gamma(self._terms + 40)  # `more`: rounding of the radius itself
        centre = torch.add(v.bend, v.start, alpha=0.5).add_(v.end, alpha=0.5)
        bend = product.apply(centre, w.middle, w.bias).sub_(start, alpha=0.5).sub_(end, alpha=0.5)
        radius = product.apply(v.radius, w.reach)
        if self._terms < WIDE:
            radius.add_(product.apply(v.bend, w.half).abs_(), alpha=CUBIC * more)
        else:
            norms = product.norms((v.bend,))
            radius.addcmul_(norms, product.spread(w.half_norms, norms.ndim))
        generators = None
        if v.generators is not None:
            generators = through(lambda g: product.apply(g, w.middle), v.generators)
            radius.add_(product.apply(v.spread, w.half.abs()), alpha=more)
        radius = self._rounded(radius, (v.start, v.end, v.bend, v.reach), segments)
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
        radius = self._rounded(radius * (1 + gamma(self._terms + 40)), (size,), segments)
        return Polynomial(centre, radius)

    @property
    def _terms(self) -> int:
        return math.prod(self.weight.shape[1:])

    def _weights(self, segments: Segments) -> Weights:
        """Middle and half difference of the weights on S segments."""
        a, b = self.weight.of(segments.start), self.weight.of(segments.end)
        middle, half = (a + b) * 0.5, (b - a) * 0.5
        bias = None if self.offset is None else (self._bias(segments.start) + self._bias(segments.end)) * 0.5
        reach = (middle.abs() + half.abs()) * (1 + gamma(self._terms + 48))
        norms = torch.linalg.vector_norm(half.flatten(2), dim=2) * (CUBIC * (1 + gamma(self._terms + 40)))
        return Weights(middle, half, reach, bias, norms)

    def _bias(self, theta: Tensor) -> Tensor:
        """The biases (S, out), zeros where there are none."""
        return theta.new_zeros(len(theta), self.weight.shape[0]) if self.offset is None else self.offset.of(theta)

    def _largest(self, largest: Tensor) -> Largest:
        """γ_{5n+32} times the norm of each row of largest weights, and times the largest biases."""
        share = gamma(5 * self._terms + DRIFT + 26) * (1 + 1e-9)
        norms = torch.linalg.vector_norm(self.weight.of(largest).flatten(2), dim=2)
        return Largest(norms * share, self._bias(largest) * share + TINY)

    def _rounded(self, radius: Tensor, parts: tuple[Tensor, ...], segments: Segments) -> Tensor:
        """Add all rounding in the rule, and W off the straight line, for inputs of at most Σ|part|."""
        largest = segments.prepared_whole(self, lambda: self._largest(segments.whole.largest))
        norms = self.product.norms(parts)
        radius.addcmul_(norms, self.product.spread(largest.share, norms.ndim))
        return radius.add_(self.product.spread(largest.offset, norms.ndim))
