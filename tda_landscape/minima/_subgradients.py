"""Points where descents end at kinks: stationary where zero lies in the hull of the gradients around them.

Gradient sampling (J. V. Burke, A. S. Lewis and M. L. Overton, SIAM J. Optim. 15, 751, 2005). The differences of these
gradients span the directions across the kinks; along all others the energy is smooth, and descents go on there.
"""

from __future__ import annotations

import numpy as np
import torch
from numpy.typing import NDArray
from scipy.optimize import nnls
from torch import Tensor

from tda_landscape.energy import Energy
from tda_landscape.energy._batching import Gradients, Meter, Task, drive
from tda_landscape.energy._downhill import Walkers, minimize

AROUND = 1e-7
"""How far around a point gradients are looked at: along each coordinate, relative to 1 + its root mean square."""

FEWEST, MOST = 16, 256
"""Gradients around a point: doubled until their differences span at most a quarter of their number."""

JUMP = 1e-4
"""A direction crosses a kink where the gradient jumps along it by this, relative to the largest jump."""

ROUNDS, STEPS, FIRST = 10, 100, 1e-3
"""Descents between kinks: how many in turn, their steps, and their first radius, relative to 1 + |x|."""


def shortest_gradients(energy: Energy, points: Tensor) -> tuple[Tensor, Tensor, list[Tensor]]:
    """Length (k,) of the shortest vector in the hull of the gradients around each point, its error (k,), and kinks.

    The error is the largest change, over the way to where gradients are looked at, that no kink makes. Kinks are
    given by an orthonormal basis (d, m) of the directions across them; m is 0 where the energy is smooth.
    """
    lengths, across = points.new_full((len(points),), torch.inf), [points.new_zeros(energy.dim, 0)] * len(points)
    error = torch.zeros_like(lengths)
    gradients = energy.value_and_grad(points)[1][:, None]
    generator = torch.Generator().manual_seed(0)  # a probe of its own: a search's random numbers stay as they are
    open_ = torch.nonzero(torch.isfinite(gradients).all(2).all(1)).flatten()
    while len(open_):
        gradients = torch.cat([gradients, _around(energy, points[open_], gradients.shape[1], generator)], dim=1)
        enough = torch.ones(len(open_), dtype=torch.bool)
        for place, row in enumerate(open_.tolist()):
            across[row] = _jumps(gradients[place])
            enough[place] = 4 * across[row].shape[1] <= gradients.shape[1]
            lengths[row] = _shortest(gradients[place].numpy())
            change = gradients[place] - gradients[place].mean(0)
            error[row] = (change - change @ across[row] @ across[row].T).norm(dim=1).max()
        going = ~enough if gradients.shape[1] < MOST else torch.zeros_like(enough)
        open_, gradients = open_[going], gradients[going]
    return lengths, error, across


def descend_along_kinks(energy: Energy, points: Tensor, tolerance: float) -> Tensor:
    """Descend further from points (k, d) that a kink stopped, along the directions that cross none.

    On a kink that bends each descent comes nearer; one that does not end by itself slides along the kink.
    """
    points = points.clone()
    on = torch.ones(len(points), dtype=torch.bool)
    for _ in range(ROUNDS):
        lengths, error, across = shortest_gradients(energy, points)
        energies = energy(points)
        above = on & torch.isfinite(energies) & (lengths > error + tolerance * (1 + energies.abs()))
        rows = [row for row in torch.nonzero(above).flatten().tolist() if 0 < across[row].shape[1] < energy.dim]
        if not rows:
            break
        radii = FIRST * (1 + points.norm(dim=1))
        tasks = [_along(points[row, None], across[row], float(radii[row]), tolerance) for row in rows]
        for row, walkers in zip(rows, drive(energy, tasks), strict=True):
            points[row] = walkers.points[0]
            on[row] = float(walkers.gradients.norm()) <= tolerance * (1 + abs(float(walkers.energies)))
    return points


def _along(point: Tensor, across: Tensor, radius: float, tolerance: float) -> Task[Walkers]:
    """Descend from a point (1, d) by gradients without their components along `across`."""
    task = minimize(point, radius, tolerance / 2, STEPS, Meter())
    request = next(task)
    while True:
        if not isinstance(request, Gradients):
            raise TypeError(f"a descent asks for gradients only, not for {request}")
        energies, gradients = yield request
        try:
            request = task.send((energies, gradients - gradients @ across @ across.T))
        except StopIteration as end:
            walkers: Walkers = end.value
            return walkers


def _around(energy: Energy, points: Tensor, number: int, generator: torch.Generator) -> Tensor:
    """Gradients (k, number or a few more, d) on both sides of each point, in random directions."""
    number = max(FEWEST, number)
    size = AROUND * (1 + points.square().mean(1).sqrt())
    noise = torch.randn(number // 2, energy.dim, generator=generator, dtype=points.dtype)
    there = points[:, None] + size[:, None, None] * torch.cat([noise, -noise])
    gradients = energy.value_and_grad(there.flatten(0, 1))[1].view_as(there)
    return torch.where(torch.isfinite(gradients), gradients, 0.0)


def _jumps(gradients: Tensor) -> Tensor:
    """An orthonormal basis (d, m) of the differences of gradients (n, d)."""
    _, sizes, directions = torch.linalg.svd(gradients - gradients.mean(0), full_matrices=False)
    typical = float(gradients.norm(dim=1).max())
    kept = (sizes > JUMP * sizes[0]) & (sizes > JUMP * typical)
    basis: Tensor = directions[kept].T
    return basis


def _shortest(gradients: NDArray[np.float64]) -> float:
    """Length of the shortest convex combination of gradients (n, d).

    Non-negative weights w that minimise |G^T w|^2 + (sum w - 1)^2 are, but for their sum, those of the shortest one.
    """
    scale = max(float(np.abs(gradients).max()), 1e-300)
    ones = np.ones((1, len(gradients)))
    weights, _ = nnls(np.concatenate([gradients.T / scale, ones]), np.append(np.zeros(gradients.shape[1]), 1.0))
    return float(np.linalg.norm(gradients.T @ (weights / weights.sum())))
