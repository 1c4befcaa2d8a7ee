"""ReLU and LeakyReLU."""

from __future__ import annotations

from dataclasses import dataclass, replace

import torch
from torch import Tensor

from tda_landscape.certificates._enclosure import Enclosure
from tda_landscape.certificates._rounding import TINY, U
from tda_landscape.certificates._segments import Segments
from tda_landscape.certificates.rules._kink import tent
from tda_landscape.certificates.rules._rule import Known, enclosed


@dataclass(frozen=True, slots=True)
class Relu:
    """relu(v) passes or is zero where the sign of v is certain; elsewhere kink and slope are enclosed.

    With z the chord of v and e = v - z: relu(z) is its chord plus a tent; relu(z + e) - relu(z) is e + [0, -lo]
    where both ends are at least 0, [0, hi] where both are at most 0, and always e/2 +- |e|/2.
    """

    def value(self, inputs: tuple[Tensor, ...], theta: Tensor) -> Tensor:
        """relu(v), exact in floats."""
        return inputs[0].relu()

    def enclose(self, inputs: tuple[Known, ...], segments: Segments, ends: tuple[Tensor, Tensor]) -> Enclosure:
        """Enclose relu(v); the long formula is computed for the few units whose sign is uncertain."""
        v = enclosed(inputs[0])
        on, off = v.signs()
        open_ = torch.nonzero((on == off).view(-1)).squeeze(1)
        start, end, straight, reach = (_pick(x, open_) for x in (v.start, v.end, v.bend, v.reach))
        part = Enclosure(start, end, straight, reach)
        slope, cut, error = uncertain(part)
        passes = on.to(v.bend.dtype)
        bend = (v.bend * passes).view(-1).index_copy_(0, open_, slope * part.bend + cut).view_as(v.bend)
        own = _pick(v.radius, open_)
        generators = None
        if v.generators is not None:
            slopes = passes.view(-1).index_copy(0, open_, slope).view_as(passes)
            generators = v.generators * slopes.unsqueeze(2)
        radius = passes.mul_(v.radius).view(-1).index_copy_(0, open_, slope * own + error).view_as(v.radius)
        return replace(v, start=ends[0], end=ends[1], bend=bend, radius=radius, generators=generators)


def uncertain(v: Enclosure) -> tuple[Tensor, Tensor, Tensor]:
    """Slope D, cut and error with relu(v) in chord + p(s) (D bend + cut) + D (generators, radius) +- error.

    Here the generators of v are already in its radius.
    """
    low, high = v.hull()
    cut, kink = tent(v.start, v.end)
    size = v.bend.abs() + v.radius
    half = size * (0.5 + U)
    above = (torch.minimum(v.start, v.end) >= 0) & (-low <= half)
    below = (torch.maximum(v.start, v.end) <= 0) & (high <= half) & ~above
    is_above, is_below = above.to(half.dtype), below.to(half.dtype)
    slope = 0.5 + 0.5 * (is_above - is_below)
    error = half - is_above * (half + low.clamp(max=0)) - is_below * (half - high.clamp(min=0))
    rounding = 8 * U * (size - cut) + TINY
    return slope, cut, (error + kink) * (1 + 8 * U) + rounding


@dataclass(frozen=True, slots=True)
class LeakyRelu:
    """a v + (1 - a) relu(v) for 0 <= a <= 1."""

    slope: float

    def value(self, inputs: tuple[Tensor, ...], theta: Tensor) -> Tensor:
        """max(v, a v), rounded once."""
        return torch.maximum(inputs[0], self.slope * inputs[0])

    def enclose(self, inputs: tuple[Known, ...], segments: Segments, ends: tuple[Tensor, Tensor]) -> Enclosure:
        """Add the enclosures of both parts; they share their generators."""
        v = enclosed(inputs[0])
        bent = Relu().enclose((v,), segments, (v.start.relu(), v.end.relu()))
        rest = 1 - self.slope
        bend = self.slope * v.bend + rest * bent.bend
        size = v.start.abs() + v.end.abs() + v.bend.abs() + bent.bend.abs() + v.reach
        radius = (self.slope * v.radius + rest * bent.radius) * (1 + 8 * U) + 8 * U * size + TINY
        generators = None
        if v.generators is not None and bent.generators is not None:
            generators = self.slope * v.generators + rest * bent.generators
        return Enclosure(ends[0], ends[1], bend, radius, generators, v.symbols)


def _pick(tensor: Tensor, index: Tensor) -> Tensor:
    """Some entries of a tensor, as a row."""
    return tensor.reshape(-1).index_select(0, index)
