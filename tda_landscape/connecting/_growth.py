"""Rounds of searches: a plan proposes pairs, their paths become edges, until plan, changes or budget end."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from tda_landscape.connecting._edges import edges_of
from tda_landscape.connecting._lines import Lines, draw_lines
from tda_landscape.connecting.pairs import AtLevel, Known, Pair, Pairs
from tda_landscape.energy import Energy, Tally, tally
from tda_landscape.minima import Minima
from tda_landscape.paths import Ladder, Path, Search
from tda_landscape.topology import LandscapeGraph, MergeTree, merge_tree

BATCH = 64
"""Pairs that are searched side by side."""

PATIENCE = 4
"""Searches a leaf that lower no merge before the graph counts as unchanging; each merge lowered brings as many more."""

LOWERED = 0.01
"""What a merge must fall by to count as lowered, over its height above the leaf that dies there."""


@dataclass(slots=True)
class Searches:
    """What searching pairs takes, and what it has cost."""

    energy: Energy
    cost: Tally
    lines: Lines
    search: Search
    level: float | None
    seed: int
    spent: float = 0.0
    number: int = 0
    ended: str = ""

    def run(self, batch: list[Pair], attempts: NDArray[np.intp]) -> tuple[list[Path], list[Any]]:
        """Search a batch of pairs, each with a seed made from its own numbers and how often it was searched.

        Returns the paths and the sheets of the images in which they end.
        """
        i, j = torch.tensor(batch).T
        words = [np.random.SeedSequence([self.seed, *pair, int(attempts[pair])]) for pair in batch]
        generators = [torch.Generator().manual_seed(int(w.generate_state(1)[0])) for w in words]
        before = self.cost.gradient_equivalents
        ends, sheets = self.lines.ends(i, j, torch.as_tensor(attempts)[i, j])
        found = self.search.find(self.energy, self.lines.points[i], ends, generators, level=self.level)
        self.spent += self.cost.gradient_equivalents - before
        self.number += len(batch)
        return found, sheets

    def affordable(self, budget: float | None) -> int:
        """How many more fit in the budget, at what one has cost so far; one batch is tried to find out."""
        if budget is None or (self.number == 0 and budget > 0):
            return BATCH
        return max(0, int((budget - self.cost.gradient_equivalents) * self.number / max(self.spent, 1e-300)))


def grow(graph: LandscapeGraph, plan: Pairs, searches: Searches, budget: float | None) -> Iterator[LandscapeGraph]:
    """Yield the graph after every batch of searches, until the plan, the changes or the budget end."""
    lines = searches.lines
    idle = 0  # searches that no lowered merge has paid for; refunds, not resets, or improving pairs would be O(n^2)
    while idle <= PATIENCE * len(graph.births):
        known = Known(graph, lines.heights, lines.distances)
        proposed = plan.propose(known)
        if not proposed:
            searches.ended = "the plan asks for no more pairs"
            return
        before, idle = merge_tree(graph), idle + len(proposed)
        while proposed:
            size = min(BATCH, searches.affordable(budget))
            batch, proposed = proposed[:size], proposed[size:]
            if not batch:
                searches.ended = "the budget was used up"
                return
            graph = graph.with_edges(edges_of(graph, batch, *searches.run(batch, known.attempts)))
            yield graph
        idle = max(0, idle - PATIENCE * _lowered(before, merge_tree(graph)))
    searches.ended = f"{PATIENCE} searches a leaf have passed, and as many more for each merge lowered"


def join(energy: Energy, graph: LandscapeGraph, minima: Minima, left: Callable[[], float], seed: int) -> LandscapeGraph:
    """Search paths by ladder between the parts of a graph of these minima, as long as budget is `left`."""
    counted, cost = tally(energy)
    searches = Searches(counted, cost, draw_lines(counted, minima), Ladder(), None, seed)
    reason, budget = graph.reason, left()
    for larger in grow(graph, AtLevel(sys.float_info.max), searches, None if np.isinf(budget) else budget):
        graph = larger
    graph = ended(graph, "then paths were searched between the minima that no saddle joins")
    return replace(graph, reason=f"{reason}; {graph.reason}")


def ended(graph: LandscapeGraph, how: str) -> LandscapeGraph:
    """The graph that says how its searches ended, and which pairs they left out."""
    n, found = len(graph.births), np.sort(graph.edges, axis=1)
    searched = len(np.unique(found[found[:, 0] < found[:, 1]], axis=0))
    parts = n - len(merge_tree(graph).height)
    loose = "" if parts <= 1 else f"; {parts} parts are left that no path joins, which says nothing of whether one does"
    return replace(graph, reason=f"{how}: {searched} of {n * (n - 1) // 2} pairs have a path{loose}")


def _lowered(before: MergeTree, after: MergeTree) -> int:
    """How many leaves die lower than before by more than a hundredth of their bar."""
    was, now = _deaths(before), _deaths(after)
    bar = np.where(np.isfinite(was), was - before.births, 0.0)
    return int((now < was - LOWERED * bar).sum())


def _deaths(tree: MergeTree) -> NDArray[np.float64]:
    """Where each leaf dies, (n,), `inf` for those that do not."""
    deaths = np.full(len(tree.births), np.inf)
    deaths[tree.dying] = tree.height
    return deaths
