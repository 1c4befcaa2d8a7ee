"""Straight lines between leaves, forward passes only; on a torus one for each way around it."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import product
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from tda_landscape.energy import Energy
from tda_landscape.energy._batching import finite_or_inf
from tda_landscape.energy.symmetry import Symmetry
from tda_landscape.minima import Minima

PROBES = 9  # values on each line
PARTNERS = 40  # nearest partners of each leaf that lines are drawn to
AXES = 4  # up to this dimension every combination of ways around is probed, above it one axis at a time


@dataclass(frozen=True, slots=True, eq=False)
class Lines:
    """Heights of the straight lines, lowest way around first (ways, n, n), distances (n, n), and those ways.

    With a symmetry each line goes to the image of the other leaf that is nearest.
    """

    energy: Energy
    symmetry: Symmetry | None
    points: Tensor
    heights: NDArray[np.float64]
    distances: NDArray[np.float64]
    order: Tensor

    def ends(self, i: Tensor, j: Tensor, attempts: Tensor) -> tuple[Tensor, list[Any]]:
        """Ends (p, d) of lines from leaves i to leaves j, each by the next lowest way around, and their sheets."""
        images, sheets = images_near(self.symmetry, self.points[j], self.points[i])
        ways = _ways(self.energy, self.points[i], images)
        way = self.order[attempts % len(self.order), i, j]
        numbers = [None if sheet is None else sheet.numpy() for sheet in sheets]
        return self.points[i] + ways[way, torch.arange(len(i))], numbers


def draw_lines(energy: Energy, leaves: Minima) -> Lines:
    """Probe the straight lines from each leaf to its nearest partners."""
    n, points, symmetry = len(leaves), leaves.points, leaves.symmetry
    distances = torch.stack(
        [energy.displacement(p, images_near(symmetry, points, p.expand(n, -1))[0]).norm(dim=1) for p in points]
    )
    near = distances.argsort(dim=1, stable=True)[:, : PARTNERS + 1]
    wanted = torch.zeros(n, n, dtype=torch.bool).scatter(1, near, True)
    i, j = torch.nonzero((wanted | wanted.T).triu(1)).T
    ways = _ways(energy, points[i], images_near(symmetry, points[j], points[i])[0])
    heights = torch.maximum(leaves.energies[i], leaves.energies[j]).expand(len(ways), -1)
    for t in (torch.arange(PROBES) + 1.0) / (PROBES + 1):
        values = energy((points[i] + float(t) * ways).flatten(0, 1)).view(len(ways), -1)
        heights = torch.maximum(heights, finite_or_inf(values))
    sorted_ = torch.full((len(ways), n, n), torch.inf, dtype=points.dtype)
    order = torch.zeros(len(ways), n, n, dtype=torch.int64)
    if len(i):
        order[:, i, j] = heights.argsort(dim=0, stable=True)
        sorted_[:, i, j] = sorted_[:, j, i] = heights.gather(0, order[:, i, j])
    return Lines(
        energy, symmetry, points, sorted_.to(torch.float64).numpy(), distances.to(torch.float64).numpy(), order
    )


def images_near(symmetry: Symmetry | None, points: Tensor, near: Tensor) -> tuple[Tensor, list[Any]]:
    """The images of points nearest to the points of the same rows, and the sheets they were moved by."""
    if symmetry is None:
        return points, [None] * len(points)
    images, sheets = symmetry.align(points, near)
    return images, list(sheets)


def _ways(energy: Energy, a: Tensor, b: Tensor) -> Tensor:
    """Displacements (ways, p, d) from a to b: the shortest first, then those that go around the torus."""
    shortest = energy.displacement(a, b)
    if energy.period is None:
        return shortest[None]
    dim = energy.dim
    flips = list(product((0.0, 1.0), repeat=dim)) if dim <= AXES else [[0.0] * dim, *torch.eye(dim).tolist()]
    # The other way around along an axis: against the sign of the shortest displacement.
    other = energy.period * torch.where(shortest > 0, -1.0, 1.0)
    return shortest + torch.tensor(flips, dtype=a.dtype)[:, None] * other
