"""Which end points are the same minimum."""

from __future__ import annotations

import torch
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components
from torch import Tensor

from tda_landscape.energy import Energy

RELATIVE = 1e-6
"""Distance, relative to 1 + |x|, within which points coincide apart from what is left of their descents."""


def same_minimum(energy: Energy, points: Tensor, energies: Tensor, error: Tensor) -> Tensor:
    """Label points (k, d) by the minimum that they are at, (k,).

    Two points are one when their distance is explained by how far each may still be from its minimum (`error`,
    |g| / lowest eigenvalue) and their energies agree; never by their energies alone.
    """
    reach = error + RELATIVE * (1 + points.norm(dim=1))
    close_energy = 1e-7 * (1 + energies.abs())
    pairs = []
    for i in range(len(points) - 1):
        distance = energy.displacement(points[i], points[i + 1 :]).norm(dim=1)
        near = distance <= reach[i] + reach[i + 1 :]
        near &= (energies[i] - energies[i + 1 :]).abs() <= close_energy[i]
        pairs += [(i, i + 1 + j) for j in torch.nonzero(near).flatten().tolist()]
    rows = torch.tensor(pairs, dtype=torch.int64).reshape(-1, 2).numpy()
    graph = coo_array((torch.ones(len(rows)).numpy(), (rows[:, 0], rows[:, 1])), shape=(len(points),) * 2)
    return torch.as_tensor(connected_components(graph, directed=False)[1], dtype=torch.int64)
