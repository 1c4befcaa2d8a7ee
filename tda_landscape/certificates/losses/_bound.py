"""From the enclosure of the outputs to the bound of the loss: convexity keeps the rows together."""

from __future__ import annotations

import torch
from torch import Tensor

from tda_landscape.certificates._enclosure import Enclosure
from tda_landscape.certificates._rounding import TINY, U, gamma
from tda_landscape.certificates.losses._loss import ConvexLoss

CELLS = 8
"""Cells J of the grid in s on which the bound is linear; only outputs are evaluated on it."""


def loss_above(loss: ConvexLoss, y: Enclosure, targets: Tensor, cells: int = CELLS) -> Tensor:
    """Sums over rows (S, J + 1) of bounds of the loss at the grid points; linear between them they bound it.

    On a cell the outputs are (1-t) (y_j + x) + t (y_{j+1} + x) with the same x of the box: parabola against
    chord in bend [0, 1/J^2], generators, radius. A convex l lies below the chord of l(y_j + x) and
    l(y_{j+1} + x), and l(y_j + x) <= l + λ x + remainder, λ the slope at y_j. So each row is bounded by numbers
    at the grid points, and the mean of the rows by the means of those numbers. Every row has an x of its own.
    """
    grid = torch.linspace(0, 1, cells + 1, dtype=y.start.dtype).view(-1, 1)
    centre = torch.lerp(y.start.unsqueeze(2), y.end.unsqueeze(2), grid)
    centre.addcmul_(4 * grid * (1 - grid), y.bend.unsqueeze(2))
    t = targets.unsqueeze(1)
    sag = y.bend / cells**2
    # The grid points, as floats, and the parabola at them are off by less than 16u of these numbers.
    own = y.radius + 16 * U * (y.start.abs() + y.end.abs() + y.bend.abs()) + TINY
    reach = (own + y.spread) * (1 + 8 * U)
    up = (sag.clamp(min=0) + reach).unsqueeze(2) * (1 + 4 * U)
    down = (sag.clamp(max=0) - reach).unsqueeze(2) * (1 + 4 * U)
    value, slope = loss.tangent(centre, t)
    steep, size = slope.abs(), torch.maximum(up, -down)
    loose = loss.slope_error(centre.shape[-1]) + gamma(centre.shape[-1] + 16)
    first = torch.matmul(slope, sag.unsqueeze(3)).squeeze(3).clamp(min=0)
    through = own + loose * size.squeeze(2)
    first = first + torch.matmul(steep, through.unsqueeze(3)).squeeze(3) + loose * size.sum(-1)
    if y.generators is not None:
        first = first + torch.einsum("snmq,snjq->snjm", y.generators, slope).abs().sum(-1)
    row = value + first + loss.remainder(centre, t, down, up)
    magnitude = value.abs() + row.abs()
    box = loss.box(centre, t, down, up)
    if box is not None:
        row, magnitude = torch.fmin(row, box), magnitude + box.abs()
    summing = gamma(len(targets) + 72)  # of each row, and of the rows
    error = loss.error(y.size + size.squeeze(2), targets).unsqueeze(2) + summing * magnitude
    return (row + error * (1 + 1e-9) + TINY).sum(1)


def loss_below(loss: ConvexLoss, y: Enclosure, targets: Tensor) -> Tensor:
    """Sums over rows (S,) of lower bounds of the loss at the start of each segment, by convexity l - |λ| radius."""
    reach = (y.reach + y.bend.abs()) * (1 + 4 * U)
    value, slope = loss.tangent(y.start, targets)
    loose = 2 * loss.slope_error(reach.shape[-1]) + gamma(reach.shape[-1] + 16)
    lost = (slope.abs() * reach).sum(-1) + loose * ((1 + slope.abs()) * reach).sum(-1)
    error = loss.error(y.size, targets) + gamma(len(targets) + 72) * (value.abs() + lost)
    return (value - (lost + error) * (1 + 1e-9)).sum(1)
