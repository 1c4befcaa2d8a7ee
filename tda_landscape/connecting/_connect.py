"""Growing a landscape graph: plan pairs, search paths, keep everything."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from tda_landscape._errors import InputError, Interrupted, expect, expect_number, expect_whole
from tda_landscape.certificates import certify_merge, check_certifiable
from tda_landscape.connecting._copies import copies
from tda_landscape.connecting._edges import edges_of, numbers
from tda_landscape.connecting._lines import Lines, draw_lines
from tda_landscape.connecting._refine import refine_merges
from tda_landscape.connecting._wells import open_wells
from tda_landscape.connecting.pairs import AtLevel, Known, Pair, Pairs, SpanningTree
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

Progress = Callable[[int], None]


def connect(
    energy: Energy,
    minima: Minima,
    *,
    search: Search | None = None,
    pairs: Pairs | None = None,
    refine: bool = False,
    certify: bool = False,
    budget: float | None = None,
    seed: int = 0,
    progress: Progress | None = None,
) -> LandscapeGraph:
    """Search paths between minima and return the landscape graph.

    Parameters
    ----------
    energy : Energy
    minima : Minima
        Minimum, flat and stationary points become the leaves; points that still descend are left out.
    search : Search, optional
        `Ladder()` by default.
    pairs : Pairs, optional
        Which pairs are searched; `SpanningTree()` by default. `AtLevel(u)` decides the count at one level only:
        pairs that are joined are skipped, and heights are known no better than that takes.
    certify : bool
        Prove an upper bound of every merge of the merge tree, to 5 % of what its path rises above its higher
        end or to a millionth of the energy. Needs an energy made from a model whose layers `certify` knows; takes
        evaluations that the budget does not cover.
    refine : bool
        Attack every merge of the tree until it stops changing: from the top of its path, and from points around it,
        search the saddle of index 1; search the nearest other pair across the cut. Minima found on the way become
        leaves. For energies without kinks.
    budget : float, optional
        Gradient equivalents in total; no batch of pairs is begun that its predecessors show to be too dear.
        Either way the rounds end after four searches a leaf, and four more for each time that a merge was lowered by
        more than a hundredth of its height above the leaf that dies there. So connections grow as the leaves do.
    seed : int
        Each pair has random numbers of its own: up to rounding, its path does not depend on what else is searched.
    progress : callable, optional
        Called with the number of pairs searched so far.

    Returns
    -------
    LandscapeGraph
        Every path found is an edge, at its verified height, with status `refined`. Where its `saddle_index` is 1 the
        height is that of a verified saddle, with its |grad E| in `saddle_gradient`, elsewhere an upper bound;
        `confirmations` counts the searches that ended there. A path that falls below its lower end is descended
        from: a verified minimum where that stops becomes a leaf, with edges to both ends. With a symmetry, paths end
        in the image of their leaf that `transform` names. With `certify=True` the merges have status `certified` and
        their proved bounds in `uppers`. A pair without an edge was not searched. No separation is proved.

    Raises
    ------
    InputError
        No leaf among the minima, or `certify=True` for an energy of which nothing can be proved.
    Interrupted
        On Ctrl-C; `.partial` is the graph found so far.

    Examples
    --------
    >>> import tda_landscape as tl
    >>> energy = tl.zoo.mueller_brown()
    >>> graph = tl.connect(energy, tl.quench(energy, tl.sample(energy, chains=50)))
    >>> tl.persistence(graph)[0].round(2).tolist()
    [[-146.7, inf], [-108.17, -40.66], [-80.77, -72.25]]
    """
    expect(Energy, energy=energy)
    expect(Minima, minima=minima)
    expect(Search | None, search=search)
    expect(Pairs | None, pairs=pairs)
    expect(Callable | None, progress=progress)
    expect_number("[0, inf] or None", budget=budget)
    expect_whole("[0, inf)", seed=seed)
    if certify:
        check_certifiable(energy)
    if refine and energy.kinks:
        raise InputError(f"refine=True needs Hessians, which {', '.join(energy.kinks)} does not have everywhere")
    leaves = minima.leaves
    if len(leaves) == 0:
        raise InputError(
            f"none of {len(minima)} points is a minimum ({', '.join(sorted(set(minima.status)))}); "
            "raise max_steps of quench, or add weight decay where the energy has no minimum"
        )
    graph = _leaf_graph(leaves)
    counted, cost = tally(energy)
    plan = pairs or SpanningTree()
    searches = _Searches(counted, cost, draw_lines(counted, leaves), search or Ladder(), plan.level, seed)
    try:
        for larger in _grow(graph, plan, searches, budget):
            graph = larger
            if progress is not None:
                progress(len(graph.edges))
        graph = _ended(graph, searches.ended)
        graph = graph.with_edges(copies(leaves.symmetry, graph))
        for larger in open_wells(counted, graph, leaves.symmetry):
            graph = larger
            if budget is not None and cost.gradient_equivalents >= budget:
                break
        for larger in refine_merges(counted, graph, leaves.symmetry, searches.search, seed) if refine else ():
            graph = larger
            if budget is not None and cost.gradient_equivalents >= budget:
                break
        return _certified(counted, graph) if certify else graph
    except KeyboardInterrupt:
        raise Interrupted(_ended(graph, "interrupted")) from None


def join(energy: Energy, graph: LandscapeGraph, minima: Minima, left: Callable[[], float], seed: int) -> LandscapeGraph:
    """Search paths by ladder between the parts of a graph of these minima, as long as budget is `left`."""
    counted, cost = tally(energy)
    searches = _Searches(counted, cost, draw_lines(counted, minima), Ladder(), None, seed)
    reason, budget = graph.reason, left()
    for larger in _grow(graph, AtLevel(sys.float_info.max), searches, None if np.isinf(budget) else budget):
        graph = larger
    ended = _ended(graph, "then paths were searched between the minima that no saddle joins").reason
    return replace(graph, reason=f"{reason}; {ended}")


def _ended(graph: LandscapeGraph, how: str) -> LandscapeGraph:
    """The graph that says how its searches ended, and which pairs they left out."""
    n, found = len(graph.births), np.sort(graph.edges, axis=1)
    searched = len(np.unique(found[found[:, 0] < found[:, 1]], axis=0))
    parts = n - len(merge_tree(graph).height)
    loose = "" if parts <= 1 else f"; {parts} parts are left that no path joins, which says nothing of whether one does"
    return replace(graph, reason=f"{how}: {searched} of {n * (n - 1) // 2} pairs have a path{loose}")


@dataclass(slots=True)
class _Searches:
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


def _grow(graph: LandscapeGraph, plan: Pairs, searches: _Searches, budget: float | None) -> Iterator[LandscapeGraph]:
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


def _certified(energy: Energy, graph: LandscapeGraph) -> LandscapeGraph:
    """The graph with a proved upper bound at every merge of its tree that has one."""
    status, uppers = graph.status.astype("<U9"), graph.uppers.copy()
    for edge in merge_tree(graph).edge.tolist():
        certificate = certify_merge(energy, graph.paths[edge])
        if certificate.status == "certified":
            status[edge], uppers[edge] = "certified", max(certificate.upper, graph.heights[edge])
    return replace(graph, status=status, uppers=uppers)


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


def _leaf_graph(leaves: Minima) -> LandscapeGraph:
    """The graph of leaves without any edge."""
    return LandscapeGraph.from_arrays(
        numbers(leaves.energies),
        [],
        [],
        points=numbers(leaves.points),
        leaf_status=np.array(leaves.status),
        hits=leaves.hits.numpy().astype(np.intp),
        order=None if leaves.symmetry is None else leaves.symmetry.order,
    )
