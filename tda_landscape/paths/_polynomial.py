"""What end energies, end slopes and a few values say of the energy along a segment; t runs from 0 to 1."""

from __future__ import annotations

import torch
from torch import Tensor

EDGE = 2  # grid points at either end that count as the end


def grid(dtype: torch.dtype) -> Tensor:
    """Where polynomials are looked at (31,)."""
    return torch.arange(1, 32, dtype=dtype) / 32


def cubic(energies: tuple[Tensor, Tensor], slopes: tuple[Tensor, Tensor]) -> Tensor:
    """The cubic through the energies and slopes (s,) at both ends, on the grid (s, 31)."""
    (f0, f1), (s0, s1) = ([end[:, None] for end in pair] for pair in (energies, slopes))
    t = grid(f0.dtype)
    low = (2 * t**3 - 3 * t**2 + 1) * f0 + (t**3 - 2 * t**2 + t) * s0
    return low + (3 * t**2 - 2 * t**3) * f1 + (t**3 - t**2) * s1


def worth_a_value(curve: Tensor) -> Tensor:
    """Grid index (s,) where one value says most of a cubic: near its maximum, but not near an end.

    At an end the cubic expects nothing between: its error is then largest in the middle.
    """
    at, last = curve.argmax(1), curve.shape[1] - 1
    inside = (at > EDGE) & (at < last - EDGE)
    return torch.where(inside, at.clamp(last // 4 + 1, 3 * last // 4 + 1), last // 2)


def corrected(curve: Tensor, at: Tensor, wrong: Tensor) -> Tensor:
    """The quartic (s, 31) with the ends of a cubic that is wrong by some amount (s,) at a grid index (s,)."""
    t = grid(curve.dtype)
    bump = (t * (1 - t)).square()
    return curve + wrong[:, None] * bump / bump[at][:, None]


def vertex(left: Tensor, middle: Tensor, right: Tensor) -> Tensor:
    """Where the parabola through values at -1, 0, 1 is highest, within [-2, 2]; 0 where it opens upwards."""
    bend = left - 2 * middle + right
    at = torch.where(bend < 0, (left - right) / (2 * bend), torch.zeros_like(bend))
    return at.nan_to_num(nan=0.0).clamp(-2, 2)
