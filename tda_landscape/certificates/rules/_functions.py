"""Smooth activations: values, first two derivatives, and where those are extreme.

Errors of what is computed here, from at most 4 units in the last place in exp, tanh, erfc and log1p and 8 in the
logistic function: values 32u (1 + |f|), derivatives 64u (1 + |f|). Each formula is a product of at most four
factors of relative error 16u and size below 1.2, or has terms x^k φ(x) and x σ(x) σ(-x) that stay below 2.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn import functional

from tda_landscape.certificates._rounding import U

VALUE_ERROR, SLOPE_ERROR = 32 * U, 64 * U
DIGITS = 1e-8
"""The tabulated places are right to ten digits; this much further off they still count as inside."""


@dataclass(frozen=True, slots=True, eq=False)
class SmoothFunction:
    """f, (f', f''), the zeros of f'' and the zeros of f'''."""

    name: str
    value: Callable[[Tensor], Tensor]
    derivatives: Callable[[Tensor], tuple[Tensor, Tensor]]
    flexes: tuple[float, ...] = ()
    crests: tuple[float, ...] = ()
    floor: float = -math.inf
    jump: tuple[float, float] = (math.inf, 0.0)  # above this place torch's function is lower by up to this much

    def slopes(self, low: Tensor, high: Tensor) -> tuple[tuple[Tensor, Tensor], tuple[Tensor, Tensor]]:
        """Ranges of f' and of f'' over [low, high], widened by what is computed wrongly."""
        first, last = self.derivatives(low), self.derivatives(high)
        places = torch.tensor([*self.flexes, *self.crests], dtype=low.dtype)
        at = self.derivatives(places)
        split = len(self.flexes)
        inner = ((places[:split], at[0][:split]), (places[split:], at[1][split:]))
        ranges = [_range(low, high, first[i], last[i], *inner[i]) for i in (0, 1)]
        return ranges[0], ranges[1]


def _range(
    low: Tensor, high: Tensor, at_low: Tensor, at_high: Tensor, places: Tensor, extremes: Tensor
) -> tuple[Tensor, Tensor]:
    """Range of a function over [low, high] from its ends and the extremes inside."""
    least, most = torch.minimum(at_low, at_high), torch.maximum(at_low, at_high)
    for place, extreme in zip(places.tolist(), extremes.tolist(), strict=True):
        inside = (low <= place + DIGITS) & (high >= place - DIGITS)
        least = torch.where(inside, least.clamp(max=extreme), least)
        most = torch.where(inside, most.clamp(min=extreme), most)
    slack = SLOPE_ERROR * (1 + torch.maximum(least.abs(), most.abs()))
    return least - slack, most + slack


def _tanh(x: Tensor) -> tuple[Tensor, Tensor]:
    t = torch.tanh(x)
    first = 1 - t * t
    return first, -2 * t * first


def _sigmoid(x: Tensor) -> tuple[Tensor, Tensor]:
    s, other = torch.sigmoid(x), torch.sigmoid(-x)
    return s * other, s * other * (other - s)


def _softplus(x: Tensor) -> tuple[Tensor, Tensor]:
    s, other = torch.sigmoid(x), torch.sigmoid(-x)
    return s, s * other


def _silu(x: Tensor) -> tuple[Tensor, Tensor]:
    s, other = torch.sigmoid(x), torch.sigmoid(-x)
    return s * (1 + x * other), s * other * (2 + x * (other - s))


def _density(x: Tensor) -> Tensor:
    return torch.exp(-0.5 * x * x) / math.sqrt(2 * math.pi)


def _gelu(x: Tensor) -> tuple[Tensor, Tensor]:
    density = _density(x)
    return 0.5 * torch.erfc(x * -math.sqrt(0.5)) + x * density, density * (2 - x * x)


def _rsqrt(x: Tensor) -> tuple[Tensor, Tensor]:
    root = 1 / x.sqrt()
    return -0.5 * root / x, 0.75 * root / (x * x)


TANH = SmoothFunction("tanh", torch.tanh, _tanh, (0.0,), (-0.6584789484624084, 0.6584789484624084))
SIGMOID = SmoothFunction("sigmoid", torch.sigmoid, _sigmoid, (0.0,), (-1.3169578969248166, 1.3169578969248166))
SILU = SmoothFunction(
    "silu",
    lambda x: x * torch.sigmoid(x),
    _silu,
    (-2.3993572805154677, 2.3993572805154677),
    (-3.4358409935351107, 0.0, 3.4358409935351107),
)
GELU = SmoothFunction(
    "gelu",
    lambda x: 0.5 * x * torch.erfc(x * -math.sqrt(0.5)),
    _gelu,
    (-math.sqrt(2), math.sqrt(2)),
    (-2.0, 0.0, 2.0),
)


def softplus(threshold: float) -> SmoothFunction:
    """log(1 + e^x); above its threshold torch gives x, which is lower by at most log(1 + e^-threshold)."""
    return SmoothFunction(
        "softplus",
        lambda x: functional.softplus(x, threshold=threshold),
        _softplus,
        crests=(0.0,),
        jump=(threshold, math.log1p(math.exp(-threshold)) * (1 + 1e-9)),
    )


def inverse_root(floor: float) -> SmoothFunction:
    """x^-1/2 for x >= floor > 0."""
    return SmoothFunction("rsqrt", lambda x: 1 / x.sqrt(), _rsqrt, floor=floor * (1 - 4 * U))
