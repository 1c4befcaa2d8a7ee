"""Which end points are the same minimum."""

from __future__ import annotations

import torch
from torch import Tensor

from tda_landscape.energy import Energy, tally
from tda_landscape.energy.symmetry import Symmetry
from tda_landscape.minima._valley import valley_path

RELATIVE = 1e-6
"""Distance, relative to 1 + |x|, within which points coincide apart from what is left of their descents."""

NOISE = 1e-7
"""Difference of energies, relative to 1 + |E|, that descents leave between points of one minimum."""

VALLEY_BUDGET, TRIES = 1000.0, 3
"""Gradient equivalents that a walk along a valley is reckoned at, and the walks that each point pays for."""


def same_minimum(
    energy: Energy, points: Tensor, energies: Tensor, error: Tensor, symmetry: Symmetry | None = None
) -> Tensor:
    """Label points (k, d) by the minimum that they are at, (k,).

    Two points are one when, moved as near to each other as the symmetry can, their distance is explained by how far
    each may still be from its minimum (`error`, |g| / lowest eigenvalue) and their energies agree; never by their
    energies alone.
    """
    labels = torch.full((len(points),), -1)
    reach = error + RELATIVE * (1 + points.norm(dim=1))
    noise = RELATIVE if energy.kinks else NOISE  # at a kink energies grow with the distance, not with its square
    number = 0
    for first in error.argsort(stable=True).tolist():
        if labels[first] >= 0:
            continue
        open_ = torch.nonzero(labels < 0).flatten()
        near = (energies[open_] - energies[first]).abs() <= noise * (1 + energies[first].abs())
        open_ = open_[near]
        others, reference = points[open_], points[first].expand(len(open_), -1)
        if symmetry is not None:
            others, _ = symmetry.align(others, reference)
        distance = energy.displacement(reference, others).norm(dim=1)
        labels[open_[distance <= reach[open_] + reach[first]]] = number
        labels[first] = number
        number += 1
    return labels


def join_valleys(
    energy: Energy, points: Tensor, energies: Tensor, symmetry: Symmetry | None, budget: float = torch.inf
) -> Tensor:
    """Label points (k, d) of flat minima: one label where a verified path joins them at their own level, (k,).

    Each class tries the point nearest to it, until there is none left to try or the budget is used up. A search that
    fails leaves two classes: along a curved valley, at its own level, many do.
    """
    labels = torch.arange(len(points))
    images = [points] * len(points)
    if symmetry is not None:
        images = [symmetry.align(points, point.expand(len(points), -1))[0] for point in points]
    distance = torch.stack([energy.displacement(p, q).norm(dim=1) for p, q in zip(points, images, strict=True)])
    level = torch.maximum(energies[:, None], energies) + NOISE * (1 + energies.abs())
    untried = (energies[:, None] - energies).abs() <= NOISE * (1 + energies.abs())
    spent = 0.0
    counted, cost = tally(energy)
    budget = min(budget, TRIES * VALLEY_BUDGET * len(points))
    while spent < budget:
        pairs = _nearest_pairs(torch.where(untried & (labels[:, None] != labels), distance, torch.inf), labels)
        if not pairs:
            break
        for i, j in pairs:
            untried[i, j] = untried[j, i] = False
            end = points[i] + energy.displacement(points[i], images[i][j])
            before = cost.gradient_equivalents
            path = valley_path(counted, points[i], end, float(level[i, j]), float(energies[[i, j]].max()))
            spent += cost.gradient_equivalents - before
            if path is not None:
                labels[labels == labels[j]] = int(labels[i])
    return labels


def _nearest_pairs(distance: Tensor, labels: Tensor) -> list[tuple[int, int]]:
    """For each class the pair that leads to the nearest point of another class, if any is left to try."""
    pairs = set()
    for label in labels.unique():
        rows = torch.nonzero(labels == label).flatten()
        part = distance[rows]
        if torch.isfinite(part.amin()):
            at = int(part.argmin())
            i, j = int(rows[at // len(distance)]), at % len(distance)
            pairs.add((min(i, j), max(i, j)))
    return sorted(pairs)
