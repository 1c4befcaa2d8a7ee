"""N_u: how many components the sublevel set has, at every level, and how well each count is known."""

from __future__ import annotations

from dataclasses import dataclass

import networkx as nx
import numpy as np
from numpy.typing import ArrayLike, NDArray

from tda_landscape._errors import InputError
from tda_landscape.topology._checks import EDGE_STATUSES, levels_of
from tda_landscape.topology._graph import LandscapeGraph
from tda_landscape.topology._merge_tree import MergeTree
from tda_landscape.topology._raw import raw_bounds
from tda_landscape.topology._sweep import merge_tree, tree_of_status
from tda_landscape.topology._weighted import GraphLike, as_graph
from tda_landscape.topology._words import many, number


@dataclass(frozen=True, slots=True, eq=False)
class NuCurve:
    """Right-continuous steps u -> number of components of {E <= u} that the stored leaves hit.

    Attributes
    ----------
    levels : ndarray (L,)
        Every birth, merge height and change of a raw bound, ascending: the counts are constant between them.
    counts : dict of ndarray (L,)
        For each status, the union-find count that uses only merges known at least that well:
        `certified` >= `refined` >= `sampled` at every level.
    proved : ndarray of int (L,)
        How many of the `counts["sampled"] - 1` separations are proved; the others are unresolved pairs.
    raw : tuple of ndarray of Python ints (L,) or None
        Bounds (lower, upper) of the count before symmetric copies were put together, see `raw_bounds`; None where
        no symmetry was used, so that the counts themselves are raw.
    lower : tuple of ndarray (K,) or None
        Levels and counts of the certified lower curve, #{birth <= u - delta, death > u + delta} <= N_u; None where
        no error bound delta holds on the whole space, as on any graph of samples.

    Examples
    --------
    >>> curve = nu_curve(([0.0, 0.5], [(0, 1)], [1.0]))
    >>> int(curve(0.7)), curve(np.array([0.2, 1.0])).tolist()
    (2, [1, 1])
    """

    levels: NDArray[np.float64]
    counts: dict[str, NDArray[np.intp]]
    proved: NDArray[np.intp]
    raw: tuple[NDArray[np.object_], NDArray[np.object_]] | None = None
    lower: tuple[NDArray[np.float64], NDArray[np.intp]] | None = None

    def __repr__(self) -> str:
        if not len(self.levels):
            return "N_u curve without a leaf, 0 everywhere"
        copies = "no symmetry was used" if self.raw is None else "copies under the symmetry as one"
        steps = many(len(self.levels), "step", "steps")
        counted = f"N_u curve of {steps}, merges {' / '.join(self.counts)}, {copies}"
        highest, last = int(np.argmax(self.counts["sampled"])), len(self.levels) - 1
        return f"{counted}\nhighest: {self._words(highest)}\nlast: {self._words(last)}"

    def _words(self, i: int) -> str:
        """The counts at one of the levels, each status apart, and what is known besides."""
        counts = " / ".join(str(count[i]) for count in self.counts.values())
        apart = many(max(0, int(self.counts["sampled"][i]) - 1), "separation", "separations")
        raw = "" if self.raw is None else f"; raw, copies one by one, {' to '.join(number(b[i]) for b in self.raw)}"
        return f"{counts} from u = {self.levels[i]:.6g} on; {self.proved[i]} of {apart} proved{raw}"

    def __call__(self, level: ArrayLike, status: str = "sampled") -> NDArray[np.intp]:
        """Return the count at one or many levels, none of them NaN, with all verified paths or those of a `status`."""
        if status not in self.counts:
            raise InputError(f"there is no count of status {status!r}; this curve has {', '.join(self.counts)}")
        return _step(self.levels, self.counts[status], level)

    def n_proved(self, level: ArrayLike) -> NDArray[np.intp]:
        """Return how many separations are proved at one or many levels."""
        return _step(self.levels, self.proved, level)

    def n_certain(self, level: ArrayLike) -> NDArray[np.intp]:
        """Return a certified lower bound of N_u at one or many levels; only curves of grids have one.

        Examples
        --------
        >>> from tda_landscape.topology import cubical_merge_tree
        >>> curve = nu_curve(cubical_merge_tree([0.0, 1.0, 2.0, 1.0, 0.5], delta=0.4))
        >>> int(curve(1.5)), int(curve.n_certain(1.5)), int(curve.n_certain(1.6))
        (2, 2, 1)
        """
        if self.lower is None:
            raise InputError("this curve has no certified lower bound; one comes from a grid, cubical_merge_tree")
        return _step(*self.lower, level)


def nu_curve(graph: GraphLike | MergeTree) -> NuCurve:
    """Count the components of the sublevel sets at every level, once for each status of merges.

    Parameters
    ----------
    graph : LandscapeGraph, (births, edges, heights), networkx graph, scipy sparse matrix, or MergeTree
        A `MergeTree` (an exact grid, say) has one count, which then stands for every status if all its
        separations are proved.

    Returns
    -------
    NuCurve
        Exact steps, no grid of levels to choose.

    Notes
    -----
    N_u = #{birth <= u < death}. A failed search is an upper bound, never a separation: where `proved` is less
    than the count minus one, fewer components may be all there is. What no start reached is not counted.

    Examples
    --------
    >>> curve = nu_curve(([0.0, 0.5, 0.6], [(0, 1), (1, 2)], [1.0, 0.7]))
    >>> curve.levels.tolist(), curve.counts["sampled"].tolist()
    ([0.0, 0.5, 0.6, 0.7, 1.0], [1, 2, 3, 2, 1])
    >>> curve.counts["certified"].tolist(), curve.proved.tolist()
    ([1, 2, 3, 3, 3], [0, 0, 0, 0, 0])
    """
    trees = _trees(graph)
    bounds = raw_bounds(graph) if isinstance(graph, LandscapeGraph) and graph.order is not None else None
    changes = [] if bounds is None else [bounds.levels]
    levels = np.unique(np.concatenate([level for t in trees.values() for level in (t.births, t.height)] + changes))
    counts = {status: tree.n_components(levels) for status, tree in trees.items()}
    best = trees["sampled"]
    raw = None if bounds is None else bounds.at(levels)
    return NuCurve(levels=levels, counts=counts, proved=_proved(best, levels), raw=raw, lower=_lower(best))


def _trees(graph: GraphLike | MergeTree) -> dict[str, MergeTree]:
    """One sweep a status; a tree without a graph knows its merges one way only."""
    if isinstance(graph, MergeTree):
        if graph.superlevel:
            raise InputError("an N_u curve counts sublevel sets; ask tree.n_components, or take tree.upwards of -E")
        return dict.fromkeys(EDGE_STATUSES, graph) if graph.proved.all() else {"sampled": graph}
    if not isinstance(graph, (LandscapeGraph, nx.Graph)):  # arrays say nothing of how their heights are known
        tree = merge_tree(graph)
        bare = merge_tree((tree.births, [], []))
        return {"certified": bare, "refined": bare, "sampled": tree}
    landscape: LandscapeGraph = as_graph(graph)
    return {status: tree_of_status(landscape, status) for status in EDGE_STATUSES}


def _proved(tree: MergeTree, levels: NDArray[np.float64]) -> NDArray[np.intp]:
    """Components alive at each level whose merge height is proved."""
    born = np.sort(tree.births[tree.dying[tree.proved]])
    dead = tree.height[tree.proved]
    alive = np.searchsorted(born, levels, side="right") - np.searchsorted(dead, levels, side="right")
    return np.asarray(alive, dtype=np.intp)


def _lower(tree: MergeTree) -> tuple[NDArray[np.float64], NDArray[np.intp]] | None:
    """The certified lower curve of a tree with an error bound: bars are shortened by delta at both ends."""
    if tree.delta is None:
        return None
    bars = np.column_stack([tree.births + tree.delta, tree.deaths - tree.delta])[tree.resolved()]
    levels = np.unique(bars[np.isfinite(bars)])
    return levels, tree.lower_bound(levels)


def _step(levels: NDArray[np.float64], values: NDArray[np.intp], at: ArrayLike) -> NDArray[np.intp]:
    """Evaluate a right-continuous step function that is 0 before its first level."""
    return np.concatenate([[0], values])[np.searchsorted(levels, levels_of(at), side="right")]
