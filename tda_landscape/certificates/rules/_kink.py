"""The kink of a maximum of two straight lines, against its chord: a tent, met by the best parabola."""

from __future__ import annotations

import torch
from torch import Tensor

from tda_landscape.certificates._rounding import TINY, U


def tent(first: Tensor, last: Tensor) -> tuple[Tensor, Tensor]:
    """Bend and radius (c, r) with relu(z) in chord + p(s) c + [-r, r] for a line z from `first` to `last`.

    Where the signs differ, chord - relu is a tent of height |dz| q with q = m (1 - m), m the smaller share of
    |dz| on either side of zero. The parabola |dz| β p/4 leaves at most |dz| q (1 - β) above and
    |dz| (β - m)^2 / (4β) below it; β makes the two equal. β is a choice, m is known to 4u: 32u covers both.
    """
    below, above = first.abs(), last.abs()
    width = below + above
    m = torch.minimum(below, above) / (width + TINY)
    q = m * (1 - m)
    sum_ = 4 * q + 2 * m
    beta = (sum_ + (sum_ * sum_ - 4 * (1 + 4 * q) * m * m).clamp(min=0).sqrt()) / (2 * (1 + 4 * q))
    beta = beta.clamp(max=1)
    left = torch.maximum(q * (1 - beta), (beta - m).clamp(min=0).square() / (4 * beta + TINY))
    crosses = first * last < 0
    zero = torch.zeros_like(width)
    bend = torch.where(crosses, -0.25 * beta * width, zero)
    radius = torch.where(crosses, width * (left + 32 * U), zero)
    return bend, radius
