"""The sweep: from a weighted graph to its merge tree, in one go or streamed."""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import ArrayLike, NDArray

from tda_landscape.topology._checks import EDGE_STATUSES, check_births, check_edges, column, ends_of, numbers
from tda_landscape.topology._diagram import Diagrams
from tda_landscape.topology._forest import elder_pass, kernels, spanning_forest
from tda_landscape.topology._forest_numpy import Ints
from tda_landscape.topology._graph import LandscapeGraph
from tda_landscape.topology._merge_tree import MergeTree
from tda_landscape.topology._weighted import GraphLike, as_weighted


def merge_tree(
    graph: GraphLike, *, energy: str = "energy", height: str = "height", superlevel: bool = False
) -> MergeTree:
    """Sweep a weighted graph upwards and record which component merges into which.

    Parameters
    ----------
    graph : LandscapeGraph, (births, edges, heights), networkx graph, or scipy sparse matrix
        Vertices are born at their energy, edges join them at their height. A networkx graph carries them as node
        and edge attributes, and its nodes become the labels; a sparse matrix has births on its diagonal (0 where
        nothing is stored) and heights beside it, stored zeros included. Parallel edges, loops, ties and negative
        heights are fine; an edge at `inf` never merges.
    energy, height : str
        Names of the two attributes of a networkx graph.
    superlevel : bool
        Sweep downwards instead: components of {E >= u}, where heights are lowest points along paths, as of peaks
        of a density.

    Returns
    -------
    MergeTree
        A forest where the graph is disconnected.

    Raises
    ------
    InputError
        NaN, or an edge below one of its ends; the sentence names the first one.

    Notes
    -----
    The minimum spanning forest by Boruvka's rounds with an edge filter, then union-find over its n - 1 edges with
    the elder rule (Edelsbrunner and Harer, Computational Topology, 2010, chapter VII); edges of one height go by
    (proved first, position), leaves of one energy by number. All in float64. The extra `fast` (numba) compiles
    both steps, to the same bits; from half a million edges on it is used, and its first call ever compiles for some
    seconds. Heights that were found by a path search are upper bounds of the barriers.

    Examples
    --------
    >>> tree = merge_tree(([0.0, 0.5, 0.2], [(0, 1), (1, 2)], [1.0, 0.7]))
    >>> list(zip(tree.dying.tolist(), tree.elder.tolist(), tree.height.tolist()))
    [(1, 2, 0.7), (2, 0, 1.0)]
    """
    read = as_weighted(graph, energy=energy, height=height, superlevel=superlevel)
    proved = np.zeros(len(read.heights), dtype=bool) if read.proved is None else read.proved
    tree = sweep(read.births, read.edges, read.heights, proved, labels=read.labels, status=read.status)
    if isinstance(graph, LandscapeGraph) and graph.order is not None:
        tree = replace(tree, order=graph.order)
    return replace(tree, births=-tree.births, height=-tree.height, superlevel=True) if superlevel else tree


def merge_tree_of_chunks(births: ArrayLike, chunks: Iterable[tuple[ArrayLike, ArrayLike]]) -> MergeTree:
    """Sweep a graph whose edges come in chunks, in memory for the vertices and one chunk.

    Parameters
    ----------
    births : array_like (n,)
        Energies of the vertices.
    chunks : iterable of (edges (m, 2), heights (m,))
        Read once, in order; a chunk should be some times as long as `births`.

    Returns
    -------
    MergeTree
        That of all edges together, bit for bit; `edge` counts on through the chunks.

    Raises
    ------
    InputError
        NaN, or an edge below one of its ends.

    Notes
    -----
    The minimum spanning forest of a graph is that of its forest so far and the next chunk.

    Examples
    --------
    >>> tree = merge_tree_of_chunks([0.0, 0.5, 0.2], [([(0, 1)], [1.0]), ([(1, 2)], [0.7])])
    >>> tree.height.tolist(), tree.edge.tolist()
    ([0.7, 1.0], [1, 0])
    """
    born = column(births, "births", np.float64)
    check_births(born)
    edges: Ints = np.empty((0, 2), dtype=np.intp)
    heights, position, seen = np.empty(0), np.empty(0, dtype=np.intp), 0
    for more, taller in chunks:
        ends, tall = ends_of(more), numbers(taller, "heights")
        check_edges(born, ends, tall, first=seen)
        chosen = spanning_forest(len(born), ends, tall)
        position = np.concatenate([position, seen + chosen])
        edges, heights = np.concatenate([edges, ends[chosen]]), np.concatenate([heights, tall[chosen]])
        seen += len(tall)
        kept = spanning_forest(len(born), edges, heights)
        edges, heights, position = edges[kept], heights[kept], position[kept]
    return sweep(born, edges, heights, np.zeros(len(heights), dtype=bool), names=position)


def persistence(graph: GraphLike | MergeTree, *, min_persistence: float = 0.0) -> Diagrams:
    """Return the H0 diagram of the sublevel filtration, read from the merge tree.

    Parameters
    ----------
    graph : LandscapeGraph, (births, edges, heights), networkx graph, scipy sparse matrix, or MergeTree
    min_persistence : float
        Only bars strictly longer than this are returned; 0 drops the bars of length zero, -1 keeps them all.

    Returns
    -------
    Diagrams
        One array (n, 2) of (birth, death), sorted by birth and falling death; one death is `inf` for each
        connected component of the graph.

    Examples
    --------
    >>> persistence(([0.0, 0.5], [(0, 1)], [1.0]))[0].tolist()
    [[0.0, inf], [0.5, 1.0]]
    """
    tree = graph if isinstance(graph, MergeTree) else merge_tree(graph)
    return tree.persistence(min_persistence=min_persistence)


def tree_of_status(graph: LandscapeGraph, status: str) -> MergeTree:
    """Sweep only the edges known at least as well as `status`; certified edges count at their upper bound."""
    known = EDGE_STATUSES.index(status)
    keep = np.isin(graph.status, EDGE_STATUSES[: known + 1])
    heights = graph.uppers if known == 0 else graph.heights
    return replace(sweep(graph.births, graph.edges[keep], heights[keep], graph.proved[keep]), order=graph.order)


def sweep(
    births: NDArray[np.float64],
    edges: Ints,
    heights: NDArray[np.float64],
    proved: NDArray[np.bool_],
    *,
    vertices: NDArray[np.intp] | None = None,
    labels: Sequence[Hashable] | None = None,
    status: NDArray[np.str_] | None = None,
    names: NDArray[np.intp] | None = None,
) -> MergeTree:
    """The merge tree of checked arrays; of edges at one height, a proved one makes the merge.

    `names` (m,) are what the merges call their edges, positions by default.
    """
    n = len(births)
    first = np.argsort(~proved, kind="stable") if proved.any() and not proved.all() else None
    if first is not None:
        edges, heights = edges[first], heights[first]
    edge = spanning_forest(n, edges, heights)
    dying, elder, order = elder_pass(births, edges[edge], heights[edge], kernels(len(heights)))
    height, edge = heights[edge[order]], edge[order]
    edge = edge if first is None else first[edge]
    vertices = np.arange(n) if vertices is None else vertices
    return MergeTree(
        births=births,
        dying=dying,
        elder=elder,
        height=height,
        edge=edge if names is None else names[edge],
        proved=proved[edge],
        vertices=vertices,
        labels=(range(n) if labels is None else labels),
        status=None if status is None else status[edge],
    )
