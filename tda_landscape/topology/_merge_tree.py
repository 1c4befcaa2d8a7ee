"""Merge trees: which component of {E <= u} dies into which, at what height."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeAlias

import networkx as nx
import numpy as np
from numpy.typing import ArrayLike, NDArray

from tda_landscape._errors import InputError
from tda_landscape.topology._checks import EDGE_STATUSES
from tda_landscape.topology._graph import LandscapeGraph

GraphLike: TypeAlias = LandscapeGraph | tuple[ArrayLike, ArrayLike, ArrayLike] | nx.Graph


@dataclass(frozen=True, slots=True, eq=False)
class MergeTree:
    """The union-find sweep of a landscape graph; a forest is allowed.

    Of two components that meet, the one with the higher minimum dies (elder rule); ties go by (energy, leaf).

    Attributes
    ----------
    births : ndarray (n,)
        Energy of each leaf.
    dying, elder : ndarray of int (k,)
        Leaf whose component ends at each merge, and the lowest leaf of the component that goes on.
    height : ndarray (k,)
        Level of each merge, ascending.
    edge : ndarray of int (k,)
        Edge of the graph that made the merge.
    proved : ndarray of bool (k,)
        Whether the separation below `height` is proved.
    vertices : ndarray of int (n,)
        Where each leaf is in the input: its number in a graph, its flat index in a grid.
    """

    births: NDArray[np.float64]
    dying: NDArray[np.intp]
    elder: NDArray[np.intp]
    height: NDArray[np.float64]
    edge: NDArray[np.intp]
    proved: NDArray[np.bool_]
    vertices: NDArray[np.intp]

    @property
    def deaths(self) -> NDArray[np.float64]:
        """Level at which each leaf's component dies, shape (n,); `inf` for the roots."""
        deaths = np.full(len(self.births), np.inf)
        deaths[self.dying] = self.height
        return deaths

    @property
    def roots(self) -> NDArray[np.intp]:
        """Leaves whose components never die, lowest first."""
        alive = np.flatnonzero(np.isinf(self.deaths))
        order: NDArray[np.intp] = alive[np.argsort(self.births[alive], kind="stable")]
        return order

    def n_components(self, level: ArrayLike) -> NDArray[np.intp]:
        """Count the components at one or many levels: #{birth <= u < death}.

        Examples
        --------
        >>> merge_tree(([0.0, 0.5], [(0, 1)], [1.0])).n_components([-1.0, 0.0, 0.5, 1.0]).tolist()
        [0, 1, 2, 1]
        """
        levels = np.asarray(level, dtype=np.float64)
        born = np.searchsorted(np.sort(self.births), levels, side="right")
        dead = np.searchsorted(self.height, levels, side="right")
        return np.where(np.isnan(levels), 0, born - dead).astype(np.intp)  # NaN is above no birth

    def cut(self, level: float) -> NDArray[np.intp]:
        """Label each leaf by the lowest leaf of its component at `level`; -1 where it is not yet born.

        Examples
        --------
        >>> merge_tree(([0.0, 0.5, 2.0], [(0, 1)], [1.0])).cut(1.0).tolist()
        [0, 0, -1]
        """
        labels = np.arange(len(self.births))
        merged = self.height <= level
        # Backwards, each elder already carries the label of its own fate.
        for dying, elder in zip(self.dying[merged][::-1], self.elder[merged][::-1], strict=True):
            labels[dying] = labels[elder]
        labels[~(self.births <= level)] = -1
        return labels


def merge_tree(graph: GraphLike) -> MergeTree:
    """Sweep a weighted graph upwards and record which component merges into which.

    Parameters
    ----------
    graph : LandscapeGraph, (births, edges, heights), or networkx graph
        Vertices are born at their energy, edges join them at their height; a networkx graph carries them as
        the attributes `energy` and `height`.

    Returns
    -------
    MergeTree
        A forest where the graph is disconnected.

    Raises
    ------
    InputError
        NaN, or an edge below one of its ends.

    Notes
    -----
    H0 of the sublevel filtration by union-find with the elder rule (Edelsbrunner and Harer, Computational
    Topology, 2010, chapter VII). Heights that were found by a path search are upper bounds of the barriers.

    Examples
    --------
    >>> tree = merge_tree(([0.0, 0.5, 0.2], [(0, 1), (1, 2)], [1.0, 0.7]))
    >>> list(zip(tree.dying.tolist(), tree.elder.tolist(), tree.height.tolist()))
    [(1, 2, 0.7), (2, 0, 1.0)]
    """
    landscape = as_graph(graph)
    return sweep(landscape.births, landscape.edges, landscape.heights, landscape.proved)


def tree_of_status(graph: LandscapeGraph, status: str) -> MergeTree:
    """Sweep only the edges known at least as well as `status`; certified edges count at their upper bound."""
    known = EDGE_STATUSES.index(status)
    rank = np.array([EDGE_STATUSES.index(s) for s in graph.status.tolist()], dtype=np.intp)
    keep = rank <= known
    certified = graph.status == "certified"
    heights = np.where(certified, graph.uppers, graph.heights) if known == 0 else graph.heights
    return sweep(graph.births, graph.edges[keep], heights[keep], graph.proved[keep])


def as_graph(graph: GraphLike) -> LandscapeGraph:
    """Accept the three spellings of a weighted graph."""
    if isinstance(graph, LandscapeGraph):
        return graph
    if isinstance(graph, nx.Graph):
        return LandscapeGraph.from_networkx(graph)
    if isinstance(graph, tuple) and len(graph) == 3:
        return LandscapeGraph.from_arrays(*graph)
    raise InputError(
        f"a {type(graph).__name__} is not a weighted graph; "
        "give a LandscapeGraph, (births, edges, heights) or a networkx graph"
    )


def sweep(
    births: NDArray[np.float64],
    edges: NDArray[np.intp],
    heights: NDArray[np.float64],
    proved: NDArray[np.bool_],
    vertices: NDArray[np.intp] | None = None,
) -> MergeTree:
    """Union-find over the edges by ascending height."""
    age = np.empty(len(births), dtype=np.intp)
    age[np.argsort(births, kind="stable")] = np.arange(len(births))
    root = list(range(len(births)))

    def find(v: int) -> int:
        while root[v] != v:
            root[v] = root[root[v]]
            v = root[v]
        return v

    merges: list[tuple[int, int, int]] = []
    order = np.lexsort((~proved, heights))  # of edges at one height, a proved one makes the merge
    for e in order[np.isfinite(heights[order])].tolist():
        a, b = find(int(edges[e, 0])), find(int(edges[e, 1]))
        if a == b:
            continue
        dying, elder = (a, b) if age[a] > age[b] else (b, a)
        root[dying] = elder
        merges.append((dying, elder, e))
    rows = np.array(merges, dtype=np.intp).reshape(-1, 3)
    return MergeTree(
        births=births,
        dying=rows[:, 0],
        elder=rows[:, 1],
        height=heights[rows[:, 2]],
        edge=rows[:, 2],
        proved=proved[rows[:, 2]],
        vertices=np.arange(len(births)) if vertices is None else vertices,
    )
