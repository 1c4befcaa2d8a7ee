"""The kink of a maximum of two straight lines, against its chord: a tent, met by the best parabola."""

from __future__ import annotations

import math

import torch
from torch import Tensor

from tda_landscape.certificates._rounding import TINY, U

ROOTS = 2 * (1 + math.sqrt(2))


def tent(first: Tensor, last: Tensor) -> tuple[Tensor, Tensor]:
    """Bend and radius (c, r) with relu(z) in chord + p(s) c + [-r, r] for a line z from `first` to `last`.

    Where the signs differ, chord - relu is a tent of height |dz| q with q = m (1 - m), m the smaller share of
    |dz| on either side of zero. The parabola |dz| β p/4 leaves at most |dz| q (1 - β) above and
    |dz| (β - m)^2 / (4β) below it; both are the same for β = (m + 2 (1 + √2) q) / (1 + 4q) < 1. β is a choice, and
    the floats m, q and β are right to a relative 16u: what that changes is below 32u |dz|.
    """
    below, above = first.abs(), last.abs()
    width = below + above
    m = torch.minimum(below, above) / (width + TINY)
    q = m * (1 - m)
    beta = torch.add(m, q, alpha=ROOTS) / (4 * q + 1)
    crossing = (first * last < 0).to(width.dtype) * width
    return beta * crossing * -0.25, (q * (1 - beta) + 32 * U) * crossing
