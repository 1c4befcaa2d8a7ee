"""What is known of points where descents ended: their kind, and which are the same."""

from __future__ import annotations

import torch
from torch import Tensor

from tda_landscape.energy import Energy
from tda_landscape.energy.symmetry import Symmetry
from tda_landscape.minima._hessian import FULL_DIM, lowest_eigenvalues
from tda_landscape.minima._identity import join_valleys, same_minimum
from tda_landscape.minima._kinks import near_kink
from tda_landscape.minima._minima import Minima
from tda_landscape.minima._subgradients import shortest_gradients

LANCZOS_COST = 600.0
"""Gradient equivalents of two eigenvalues by Lanczos, about: 320 of a network of 610 parameters, 560 of 3,010."""

KINK_COST = 100.0
"""Gradient equivalents of the last way down to a kink and the look around there, about."""


def hessian_cost(energy: Energy) -> float:
    """What it takes to decide the kind of one stationary point."""
    if energy.kinks:
        return KINK_COST
    return float(energy.dim) if energy.dim <= FULL_DIM else LANCZOS_COST


def settled(energies: Tensor, gradients: Tensor, tolerance: float) -> Tensor:
    """Where the gradient is as small as asked for."""
    small: Tensor = torch.isfinite(energies) & (gradients.norm(dim=1) <= tolerance * (1 + energies.abs()))
    return small


def describe(
    energy: Energy,
    points: Tensor,
    tolerance: float,
    symmetry: Symmetry | None,
    chain: Tensor | None,
    budget: float = torch.inf,
) -> Minima:
    """Decide statuses, put copies together, count the starts, sort by energy."""
    energies, gradients = energy.value_and_grad(points)
    size = gradients.norm(dim=1)
    if energy.kinks:
        status = _kinds_at_kinks(energy, points, energies, size, tolerance, budget)
        eigenvalues, error = points.new_full((len(points), 2), torch.nan), torch.zeros_like(energies)
    else:
        status, eigenvalues, error = _kinds(energy, points, energies, gradients, tolerance, symmetry, budget)
    label = same_minimum(energy, points, energies, error, symmetry)
    label = _join_flat(energy, points, energies, status, label, symmetry, budget)
    starts = torch.arange(len(points)) if chain is None else chain
    chosen = [_best(torch.nonzero(label == k).flatten(), size) for k in label.unique()]
    chosen.sort(key=lambda row: (float(energies[row]), row))
    hits = torch.tensor([len(torch.unique(starts[label == label[row]])) for row in chosen])
    at = torch.tensor(chosen)
    return Minima(
        points=points[at],
        energies=energies[at],
        gradient_norm=size[at],
        eigenvalues=eigenvalues[at],
        near_kink=near_kink(energy, points[at]),
        status=tuple(status[row] for row in chosen),
        hits=hits,
        symmetry=symmetry,
    )


def _kinds(
    energy: Energy,
    points: Tensor,
    energies: Tensor,
    gradients: Tensor,
    tolerance: float,
    symmetry: Symmetry | None,
    budget: float,
) -> tuple[list[str], Tensor, Tensor]:
    """Status of each point, its two lowest eigenvalues (k, 2), and how far it may be from its minimum (k,)."""
    eigenvalues = points.new_full((len(points), 2), torch.nan)
    error = torch.zeros_like(energies)
    status = ["descending" if ok else "nonfinite" for ok in torch.isfinite(energies).tolist()]
    rows = torch.nonzero(settled(energies, gradients, tolerance)).flatten()
    for row in rows.tolist():
        status[row] = "unverified"
    affordable = len(rows) if budget == torch.inf else int(budget / hessian_cost(energy))
    rows = rows[energies[rows].argsort(stable=True)][:affordable]
    if len(rows):
        eigenvalues[rows], bound = lowest_eigenvalues(energy, points[rows], symmetry)
        lowest = eigenvalues[rows, 0]
        for row, value, limit in zip(rows.tolist(), lowest.tolist(), bound.tolist(), strict=True):
            status[row] = "flat" if abs(value) <= limit else "saddle" if value < 0 else "minimum"
        error[rows] = torch.where(lowest > bound, gradients[rows].norm(dim=1) / lowest, torch.zeros_like(lowest))
    return status, eigenvalues, error


def _kinds_at_kinks(
    energy: Energy, points: Tensor, energies: Tensor, size: Tensor, tolerance: float, budget: float
) -> list[str]:
    """Status of each point; its |g| in `size` becomes the shortest gradient around it, lowest points first."""
    finite = torch.isfinite(energies)
    steep = torch.nonzero(finite & (size > tolerance * (1 + energies.abs()))).flatten()
    affordable = len(steep) if budget == torch.inf else int(budget / KINK_COST)
    steep = steep[energies[steep].argsort(stable=True)][:affordable]
    shortest, error, _ = shortest_gradients(energy, points[steep])
    size[steep] = torch.minimum(size[steep], shortest)
    small = size <= tolerance * (1 + energies.abs())
    small[steep] |= shortest <= error
    kinds = torch.where(finite, torch.where(small, 0, 1), 2)
    return [("stationary", "descending", "nonfinite")[kind] for kind in kinds.tolist()]


def _join_flat(
    energy: Energy,
    points: Tensor,
    energies: Tensor,
    status: list[str],
    label: Tensor,
    symmetry: Symmetry | None,
    budget: float,
) -> Tensor:
    """Give one label to flat or stationary points of one valley."""
    first = {int(k): int(torch.nonzero(label == k)[0]) for k in label.unique()}
    flat = [k for k, row in first.items() if status[row] in ("flat", "stationary")]
    if len(flat) < 2:
        return label
    rows = torch.tensor([first[k] for k in flat])
    joined = join_valleys(energy, points[rows], energies[rows], symmetry, budget)
    label = label.clone()
    for k, to in zip(flat, joined.tolist(), strict=True):
        label[label == k] = flat[to]
    return label


def _best(rows: Tensor, size: Tensor) -> int:
    """Of several copies, the one with the smallest gradient."""
    return int(rows[size[rows].argmin()])
