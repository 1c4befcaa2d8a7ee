"""Which pairs of leaves to search next: pure functions of what is known."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, Protocol, runtime_checkable

import numpy as np
from numpy.typing import NDArray

from tda_landscape._errors import expect_number, expect_whole
from tda_landscape.topology import LandscapeGraph, merge_tree

Pair = tuple[int, int]


@dataclass(frozen=True, slots=True, eq=False)
class Known:
    """What a plan may look at.

    Attributes
    ----------
    graph : LandscapeGraph
        All edges found so far; none at first.
    straight : ndarray (ways, n, n)
        Heights of the straight lines between each two leaves, `inf` where they were not probed. There is one
        line, but on a torus one for each way around it, lowest first; a k-th attempt starts from the k-th.
    distance : ndarray (n, n)
        Distances of the leaves.
    """

    graph: LandscapeGraph
    straight: NDArray[np.float64]
    distance: NDArray[np.float64]

    @property
    def untried(self) -> NDArray[np.bool_]:
        """Pairs i < j that have a straight line which no search has started from, (n, n)."""
        n = len(self.graph.births)
        above: NDArray[np.bool_] = np.triu(np.ones((n, n), dtype=np.bool_), 1)
        above &= self.attempts < len(self.straight)
        return above

    @property
    def next_straight(self) -> NDArray[np.float64]:
        """Height of the line that the next search of each pair starts from, (n, n)."""
        way = np.minimum(self.attempts, len(self.straight) - 1)
        heights: NDArray[np.float64] = np.take_along_axis(self.straight, way[None], axis=0)[0]
        return heights

    @property
    def attempts(self) -> NDArray[np.intp]:
        """How often each pair i < j was searched, (n, n)."""
        n = len(self.graph.births)
        counts = np.zeros((n, n), dtype=np.intp)
        low, high = np.sort(self.graph.edges, axis=1).T
        np.add.at(counts, (low, high), 1)
        return counts

    @property
    def floors(self) -> NDArray[np.float64]:
        """The higher end of each pair, (n, n): no path is lower."""
        births = self.graph.births
        return np.maximum(births[:, None], births[None, :])


@runtime_checkable
class Pairs(Protocol):
    """A plan: a frozen dataclass with this one method, and a level."""

    @property
    def level(self) -> float | None:
        """Where a search may stop, since nothing lower is asked for; None: as low as it gets."""

    def propose(self, known: Known) -> list[Pair]:
        """Return the pairs (i, j) to search next, most promising first; none when the plan has ended."""


@dataclass(frozen=True, slots=True)
class SpanningTree:
    """A spanning tree of straight-line heights first, then replacements for its edges.

    In each later round every merge of the present tree asks for one new pair that could undercut it: across its
    cut, with a line not tried yet, with a floor plus the smallest excess found so far below the merge height, and
    the lowest such line. A merge that none can undercut is searched anew, `attempts` times a line: a search is
    random, and the tree is only as good as its edges. Straight lines cost forward passes only.

    Parameters
    ----------
    attempts : int
        Searches of each line of the pair behind a merge of the tree.

    Examples
    --------
    >>> graph = LandscapeGraph.from_arrays([0.0, 0.1, 0.2], [], [])
    >>> straight = np.array([[np.inf, 3.0, 1.0], [3.0, np.inf, 2.0], [1.0, 2.0, np.inf]])
    >>> SpanningTree().propose(Known(graph, straight[None], straight))
    [(0, 2), (1, 2)]
    """

    attempts: int = 2
    level: ClassVar[None] = None

    def __post_init__(self) -> None:
        expect_whole("[1, inf)", attempts=self.attempts)

    def propose(self, known: Known) -> list[Pair]:
        """Return a spanning tree, or one replacement for each merge that could be undercut."""
        if len(known.graph.edges) == 0:
            return _spanning_tree(known)
        graph, floors, untried = known.graph, known.floors, known.untried
        ends = floors[graph.edges[:, 0], graph.edges[:, 1]]
        finite = np.isfinite(graph.heights)
        least = (graph.heights - ends)[finite].min(initial=np.inf) if finite.any() else 0.0
        tree = merge_tree(graph)
        order = np.argsort(-(tree.height - graph.births[tree.dying]), kind="stable")
        chosen: list[Pair] = []
        for merge in order.tolist():
            side = _one_side(tree.edge, graph.edges, merge, len(graph.births))
            candidates = untried & (side[:, None] != side[None, :]) & (floors + least < tree.height[merge])
            for pair in chosen:
                candidates[pair] = False
            excess = np.where(candidates, known.next_straight - floors, np.inf)
            i, j = np.unravel_index(int(np.argmin(excess)), excess.shape)
            own = tuple(sorted(graph.edges[tree.edge[merge]].tolist()))
            if np.isfinite(excess[i, j]):
                chosen.append((int(i), int(j)))
            elif known.attempts[own] < self.attempts * len(known.straight):
                chosen.append((own[0], own[1]))
        return chosen


@dataclass(frozen=True, slots=True)
class Nearest:
    """Each leaf with its k nearest others.

    Examples
    --------
    >>> graph = LandscapeGraph.from_arrays([0.0, 0.1, 0.2], [], [])
    >>> distance = np.array([[0.0, 3.0, 1.0], [3.0, 0.0, 2.0], [1.0, 2.0, 0.0]])
    >>> Nearest(1).propose(Known(graph, distance[None], distance))
    [(0, 2), (1, 2)]
    """

    k: int = 3
    level: ClassVar[None] = None

    def __post_init__(self) -> None:
        expect_whole("[1, inf)", k=self.k)

    def propose(self, known: Known) -> list[Pair]:
        """Return the pairs of neighbours that have an untried line."""
        n = len(known.distance)
        far = known.distance + np.diag(np.full(n, np.inf))
        near = np.argsort(far, axis=1, kind="stable")[:, : min(self.k, n - 1)]
        wanted = np.zeros((n, n), dtype=np.bool_)
        wanted[np.arange(n)[:, None], near] = True
        return _listed((wanted | wanted.T) & known.untried)


@dataclass(frozen=True, slots=True)
class All:
    """All pairs.

    Examples
    --------
    >>> graph = LandscapeGraph.from_arrays([0.0, 0.1, 0.2], [], [])
    >>> All().propose(Known(graph, np.zeros((1, 3, 3)), np.zeros((3, 3))))
    [(0, 1), (0, 2), (1, 2)]
    """

    level: ClassVar[None] = None

    def propose(self, known: Known) -> list[Pair]:
        """Return every pair that has an untried line."""
        return _listed(known.untried)


@dataclass(frozen=True, slots=True)
class AtLevel:
    """What deciding the count at one level takes: pairs of leaves that no path joins at the level yet.

    Each round every component of the leaves below the level proposes the lowest line to another one that no search
    has started from; pairs that are joined, also through others, are skipped, and so are leaves above the level.
    Searches stop as soon as they are below it.

    Parameters
    ----------
    level : float
        u.
    attempts : int
        Searches of each line.

    Examples
    --------
    >>> graph = LandscapeGraph.from_arrays([0.0, 0.1, 0.2, 9.0], [(0, 1)], [0.5])
    >>> straight = np.array([[9.0, 3, 4, 1], [3, 9, 2, 1], [4, 2, 9, 1], [1, 1, 1, 9]])
    >>> AtLevel(0.6).propose(Known(graph, straight[None], straight))
    [(1, 2)]
    """

    level: float
    attempts: int = 2

    def __post_init__(self) -> None:
        expect_number("(-inf, inf)", level=self.level)
        expect_whole("[1, inf)", attempts=self.attempts)

    def propose(self, known: Known) -> list[Pair]:
        """Return the best untried pair of each component with another; none when all are joined or tried."""
        component = merge_tree(known.graph).cut(self.level)
        below = component >= 0
        apart = np.triu(component[:, None] != component[None, :], 1) & below[:, None] & below[None, :]
        apart &= known.attempts < self.attempts * len(known.straight)
        # Lines that were not probed come last, by their length; every search of a line makes it less promising.
        cost = np.where(np.isfinite(known.next_straight), known.next_straight, known.distance + _top(known))
        order = np.lexsort((cost[apart], known.attempts[apart]))
        chosen: list[Pair] = []
        served: set[int] = set()
        for i, j in np.argwhere(apart)[order].tolist():
            if not {component[i], component[j]} <= served:
                served |= {component[i], component[j]}
                chosen.append((i, j))
        return chosen


PLANS = (SpanningTree, Nearest, All, AtLevel)
"""Every plan; the conformance tests and the configuration files read this list."""


def _spanning_tree(known: Known) -> list[Pair]:
    """The pairs that merge the leaves when every edge is as high as its straight line; else as short."""
    n = len(known.distance)
    i, j = np.triu_indices(n, 1)
    height, floor = known.straight[0, i, j], known.floors[i, j]
    # Lines that are not finite come last, by their length, so that the tree always spans.
    height = np.where(np.isfinite(height), height, _top(known) + known.distance[i, j])
    edges = np.stack([i, j], axis=1)
    tree = merge_tree((known.graph.births, edges, np.maximum(height, floor)))
    return [(int(a), int(b)) for a, b in edges[tree.edge]]


def _top(known: Known) -> float:
    """A height above that of all straight lines."""
    straight = known.straight[np.isfinite(known.straight)]
    return 1 + float(straight.max(initial=known.graph.births.max(initial=0.0)))


def _one_side(tree_edges: NDArray[np.intp], edges: NDArray[np.intp], cut: int, n: int) -> NDArray[np.intp]:
    """Component labels (n,) of the tree without one of its edges."""
    kept = edges[np.delete(tree_edges, cut)]
    births = np.zeros(n)
    return merge_tree((births, kept, np.zeros(len(kept)))).cut(0.0)


def _listed(wanted: NDArray[np.bool_]) -> list[Pair]:
    """The pairs of a boolean matrix as a list."""
    return [(int(i), int(j)) for i, j in np.argwhere(wanted)]
