"""Thirteen atoms, of which no list is complete: how much is found for a cost, and what independent searches share."""

from __future__ import annotations

import statistics
from itertools import combinations

import numpy as np
import torch
from torch import Tensor

import tda_landscape as tl
from benchmarks.minima._runs import Block, Limits, Row, rounds
from tda_landscape.minima._atlas import Atlas

BUDGET = 135_000
SAME_ENERGY, SAME_SHAPE = 1e-6, 1e-4
LOWEST = (25, 50, 100, 200)


def lj13(seed: int, limits: Limits) -> Row:
    """All minima and saddles after the round in which a budget is used up, and how many when it was not yet."""
    limits = Limits(limits.budget or BUDGET, limits.seconds)
    before: Row = {"G": 0.0, "minima": 0, "saddles": 0}
    for chart, cost in rounds(tl.zoo.lennard_jones(13), seed, limits):
        if cost <= limits.budget:
            before = {"G": cost, "minima": len(chart.minima), "saddles": len(chart.saddles)}
    lists = {name: _listed(atlas) for name, atlas in (("minimum", chart.minima), ("saddle", chart.saddles))}
    return {**before, "budget": limits.budget, "G_of_lists": cost, "lists": lists}


def _listed(atlas: Atlas) -> list[list[float]]:
    """Energies with fingerprints, lowest first."""
    order = atlas.energies.argsort()
    rows = torch.cat([atlas.energies[order, None], fingerprints(atlas.points[order])], 1)
    return [[round(x, 8) for x in row] for row in rows.tolist()]


def fingerprints(points: Tensor) -> Tensor:
    """Mean distance of pairs, of its square and its inverse, and the largest, (k, 4): equal for mirror images."""
    atoms = points.view(len(points), -1, 3)
    i, j = torch.triu_indices(atoms.shape[1], atoms.shape[1], 1)
    r = (atoms[:, i] - atoms[:, j]).norm(dim=2)
    return torch.stack([r.mean(1), r.square().mean(1), (1 / r).mean(1), r.amax(1)], 1)


def shared(one: list[list[float]], other: list[list[float]]) -> int:
    """How many of one list another one has, by energy and fingerprint."""
    if not one or not other:
        return 0
    apart = np.abs(np.array(one)[:, None] - np.array(other)[None])
    return int(((apart[:, :, 0] < SAME_ENERGY) & (apart[:, :, 1:] < SAME_SHAPE).all(2)).any(1).sum())


def overlap(rows: list[Row]) -> str:
    """What was found for the budget, and for each two searches how many of the lowest of each both have."""
    minima, saddles = (sorted(row[name] for row in rows) for name in ("minima", "saddles"))
    said = [
        f"{len(rows)} runs of {rows[0]['budget']:g} G: minima {minima}, saddles {saddles}; "
        f"medians {statistics.median(minima):.0f}, {statistics.median(saddles):.0f}"
    ]
    for a, b in combinations(rows, 2):
        for kind in ("minimum", "saddle"):
            lists = a["lists"][kind], b["lists"][kind]
            parts = [
                f"{shared(lists[0][:n], lists[1])}, {shared(lists[1][:n], lists[0])} of {n}"
                for n in LOWEST
                if n <= min(map(len, lists))
            ]
            parts.append(f"{shared(*lists)} of {len(lists[0])} and {len(lists[1])} in all")
            said.append(f"  seeds {a['seed']}, {b['seed']}: {kind} list shares {'; '.join(parts)}")
    return "\n".join(said)


BLOCKS = {"lj13": Block(lj13, overlap, range(3000, 3003)), "lj13_reference": Block(lj13, overlap, range(1, 3))}
