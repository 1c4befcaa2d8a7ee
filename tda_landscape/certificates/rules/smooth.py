"""Smooth activations: tanh, sigmoid, SiLU, GELU, softplus, and the inverse root inside LayerNorm."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from tda_landscape.certificates._enclosure import Enclosure
from tda_landscape.certificates._rounding import TINY, U
from tda_landscape.certificates._segments import Segments
from tda_landscape.certificates.rules._functions import VALUE_ERROR, SmoothFunction
from tda_landscape.certificates.rules._rule import Known, enclosed


@dataclass(frozen=True, slots=True, eq=False)
class Smooth:
    """f(v) with the chord z of v and e = v - z.

    f(z) = chord of f - p(s) dz^2/8 f''(ξ), and f(z + e) - f(z) = f'(ζ) e: mid-points go into the bend, half
    ranges of f'' and f' over the hull of v into the radius.
    """

    function: SmoothFunction

    def value(self, inputs: tuple[Tensor, ...], theta: Tensor) -> Tensor:
        """f(v), to 32u (1 + |f|)."""
        return self.function.value(inputs[0])

    def enclose(self, inputs: tuple[Known, ...], segments: Segments, ends: tuple[Tensor, Tensor]) -> Enclosure:
        """Enclose f(v)."""
        v, f = enclosed(inputs[0]), self.function
        low, high = v.hull()
        low = low.clamp(min=f.floor)
        high = torch.maximum(high, low)
        (d0, d1), (c0, c1) = f.slopes(low, high)
        slope, slope_spread = (d0 + d1) * 0.5, (d1 - d0) * 0.5
        eighth = (v.end - v.start).square() * 0.125
        cut = eighth * (c0 + c1) * -0.5
        cut_error = eighth * (c1 - c0) * 0.5
        straight = v.bend.abs() + v.reach
        radius = slope.abs() * v.radius + cut_error + slope_spread * straight
        rounding = 8 * U * (slope.abs() * straight + cut.abs())
        rounding += VALUE_ERROR * (1 + torch.maximum(ends[0].abs(), ends[1].abs()))
        place, off = f.jump
        radius = radius * (1 + 32 * U) + rounding + TINY + off * (high > place)
        generators = None if v.generators is None else v.generators * slope.unsqueeze(2)
        return Enclosure(ends[0], ends[1], slope * v.bend + cut, radius, generators, v.symbols)
