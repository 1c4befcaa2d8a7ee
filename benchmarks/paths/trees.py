"""Merge trees of minima: how many connections they take and how far their levels are from the best known.

The leaves are the frozen ends of the path benchmark. "Truth" is the lowest path that any method has found between any
two of them, over all pairs; heights are upper bounds, so a level is wrong where it is higher than that.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import torch
from numpy.typing import NDArray

import tda_landscape as tl
from benchmarks.paths.problems import energy_of, minima_of
from tda_landscape.connecting.pairs import Known, Pair

PAIR_BUDGETS = {"C": 1200.0, "A": 300.0, "N": 500.0}
CONNECTIONS, LEAVES = 12, 8


@dataclass(frozen=True)
class AtMost:
    """A plan that ends after so many searches."""

    plan: tl.pairs.Pairs
    searches: int
    level: None = None

    def propose(self, known: Known) -> list[Pair]:
        return self.plan.propose(known)[: self.searches - len(known.graph.edges)]


@dataclass(frozen=True)
class Star:
    """Every leaf with the lowest one: what AutoNEB does first."""

    level: None = None

    def propose(self, known: Known) -> list[Pair]:
        return [] if len(known.graph.edges) else [(0, i) for i in range(1, len(known.graph.births))]


def leaves(problem: str, seed: int, count: int = LEAVES) -> tl.Minima:
    """The frozen ends, lowest first, as leaves."""
    energy, points = energy_of(problem), minima_of(problem, seed, count)
    energies, gradients = energy.value_and_grad(points)
    order = energies.argsort()
    unknown = torch.full((count, 2), torch.nan, dtype=points.dtype)
    return tl.Minima(
        points=points[order],
        energies=energies[order],
        gradient_norm=gradients.norm(dim=1)[order],
        eigenvalues=unknown,
        near_kink=unknown[:, 0],
        status=("stationary",) * count,
        hits=torch.ones(count, dtype=torch.int64),
        symmetry=None,
    )


def merge_levels(graph: tl.LandscapeGraph, count: int) -> NDArray[np.float64]:
    """Sorted heights at which the first `count` leaves merge, whatever other leaves the search has found."""
    barriers = tl.merge_tree(graph).barriers()[:count, :count]
    i, j = np.triu_indices(count, 1)
    tree = tl.merge_tree((graph.births[:count], np.stack([i, j], 1), barriers[i, j]))
    return np.sort(tree.height)


def report(problems: Sequence[str], seeds: Sequence[int]) -> None:
    """Print the mean error of the merge levels, in percent of the mean straight-line excess."""
    for problem in problems:
        for seed in seeds:
            _compare(problem, seed)


def _compare(problem: str, seed: int) -> None:
    energy, minima = energy_of(problem), leaves(problem, seed)
    search = tl.paths.Ladder(budget=PAIR_BUDGETS.get(problem, 500.0))
    plans = {
        "star": AtMost(Star(), LEAVES - 1),
        "straight-line tree": AtMost(tl.pairs.SpanningTree(), LEAVES - 1),
        f"and replacements, {CONNECTIONS}": AtMost(tl.pairs.SpanningTree(), CONNECTIONS),
        "to its own end": tl.pairs.SpanningTree(),
    }
    graphs, costs = {}, {}
    for name, plan in plans.items():
        counted, cost = tl.tally(energy)
        graphs[name] = tl.connect(counted, minima, search=search, pairs=plan, seed=seed)
        costs[name] = cost.gradient_equivalents
    graphs["all pairs"] = tl.connect(energy, minima, search=search, pairs=tl.pairs.All(), seed=seed + 1000)
    straight = tl.connect(energy, minima, search=tl.paths.Straight(), pairs=tl.pairs.All())
    ends = straight.births[straight.edges].max(axis=1)
    excess = float((straight.heights - ends).mean())
    truth = np.minimum.reduce([merge_levels(graph, LEAVES) for graph in graphs.values()])
    print(f"{problem} seed {seed}: mean straight-line excess {excess:.4f}, mean level {truth.mean():.5f}", flush=True)
    for name, graph in graphs.items():
        wrong = 100 * float((merge_levels(graph, LEAVES) - truth).mean()) / excess
        cost = f"{costs[name]:.0f} G" if name in costs else ""
        print(f"  {name:24s} {len(graph.edges):3d} connections  error {wrong:.4f} %  {cost}", flush=True)


def growth(problem: str, seed: int, counts: Sequence[int] = (8, 16, 32, 64)) -> None:
    """Print how many connections the default plan makes before it ends by itself, against the number of leaves."""
    energy = energy_of(problem)
    search = tl.paths.Ladder(budget=PAIR_BUDGETS.get(problem, 500.0))
    everything = leaves(problem, seed, max(counts))
    for count in counts:
        chosen = np.sort(np.random.default_rng(seed).permutation(max(counts))[:count])
        some = replace(
            everything,
            **{
                name: getattr(everything, name)[chosen]
                for name in ("points", "energies", "gradient_norm", "eigenvalues", "near_kink", "hits")
            },
            status=("stationary",) * count,
        )
        counted, cost = tl.tally(energy)
        graph = tl.connect(counted, some, search=search, seed=seed)
        made = len(graph.edges)
        print(
            f"  {problem} seed {seed}, {count} leaves: {made} connections ({made / count:.2f} a leaf), "
            f"{cost.gradient_equivalents:.0f} G",
            flush=True,
        )
