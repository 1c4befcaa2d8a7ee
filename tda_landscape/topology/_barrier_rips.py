"""The flag complex over a graph, weighted by barrier heights."""

from __future__ import annotations

from math import comb

import gudhi
import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from tda_landscape._errors import InputError
from tda_landscape.topology._diagram import Diagrams, tidy
from tda_landscape.topology._forest_numpy import Ints
from tda_landscape.topology._sweep import persistence
from tda_landscape.topology._weighted import GraphLike, Weighted, as_weighted

BYTES_PER_SIMPLEX = 100
"""Of gudhi's simplex tree with its persistence: 62 to 93 were measured on complexes of 1e5 to 1e6 simplices."""

BLOCK = 256
"""Vertices whose triangles are counted at once."""


def barrier_rips(graph: GraphLike, *, max_dimension: int = 1, max_memory: float = 4e9) -> Diagrams:
    """Return the persistence of the flag complex over the graph: vertices born at E, edges at their height.

    Parameters
    ----------
    graph : LandscapeGraph, (births, edges, heights), networkx graph, or scipy sparse matrix
    max_dimension : int
        Highest homology dimension.
    max_memory : float
        Bytes that the complex may take. They are estimated before it is built.

    Returns
    -------
    Diagrams
        H0 is that of the merge tree. H1 is that of the *search graph*: a pair that was not searched leaves a
        loop that never dies, and says nothing about loops in {E <= u}; `.source` repeats this. Where every pair has
        its true minimax height there is no H1 at all.

    Raises
    ------
    InputError
        NaN, an edge below one of its ends, or a complex larger than `max_memory`.

    Examples
    --------
    >>> cycle = ([0, 0, 0, 0], [(0, 1), (1, 2), (2, 3), (3, 0)], [1, 1, 1, 2])
    >>> diagrams = barrier_rips(cycle)
    >>> diagrams[1].tolist(), "4 of 6 pairs; one that is missing leaves loops" in diagrams.source
    ([[2.0, inf]], True)
    """
    if isinstance(max_dimension, bool) or not isinstance(max_dimension, (int, np.integer)) or max_dimension < 0:
        raise InputError(f"max_dimension must be a non-negative int, got {max_dimension!r}")
    read = as_weighted(graph)
    edges, heights = _cheapest(read)
    n = len(read.births)
    simplices = n_simplices(n, edges, int(max_dimension))
    if simplices * BYTES_PER_SIMPLEX > max_memory:
        raise InputError(
            f"the flag complex of {n} vertices and {len(edges)} edges has up to {simplices:.3g} simplices and takes "
            f"about {simplices * BYTES_PER_SIMPLEX:.2g} bytes, more than max_memory={max_memory:.2g}; take a lower "
            "max_dimension, fewer leaves (tree.simplify), or raise max_memory"
        )
    complex_ = _flag_complex(read.births, edges, heights, int(max_dimension) + 1)
    complex_.compute_persistence(homology_coeff_field=2, persistence_dim_max=complex_.dimension() <= max_dimension)
    higher = [tidy(complex_.persistence_intervals_in_dimension(k)) for k in range(1, max_dimension + 1)]
    every = n * (n - 1) // 2
    missing = "; one that is missing leaves loops that never die" if len(edges) < every else ""
    pairs = f"{len(edges)} of {every} pairs{missing}"
    source = f"flag complex of the search graph ({pairs}): its H1 is not the H1 of the sublevel sets"
    zero = persistence((read.births, edges, heights))
    return Diagrams([*zero, *higher], source)


def _cheapest(read: Weighted) -> tuple[Ints, NDArray[np.float64]]:
    """Each pair once, at its lowest finite height; no loops."""
    kept = np.flatnonzero(np.isfinite(read.heights) & (read.edges[:, 0] != read.edges[:, 1]))
    pairs, heights = np.sort(read.edges[kept], axis=1), read.heights[kept]
    order = np.lexsort((heights, pairs[:, 1], pairs[:, 0]))
    pairs, heights = pairs[order], heights[order]
    first = np.ones(len(pairs), dtype=bool)
    first[1:] = (pairs[1:] != pairs[:-1]).any(axis=1)
    return pairs[first], heights[first]


def n_simplices(n: int, edges: Ints, max_dimension: int) -> float:
    """Vertices, edges, triangles (exact), and at most so many simplices up to dimension max_dimension + 1.

    An edge in t triangles lies in at most comb(t, k - 2) cliques of k vertices, and each of those has comb(k, 2)
    edges: exact for a complete graph.
    """
    ones = np.ones(len(edges), dtype=np.int64)
    half = sparse.csr_array((ones, (edges[:, 0], edges[:, 1])), shape=(n, n))
    both = sparse.csr_array(half + half.T)
    total = float(n + len(edges))
    for start in range(0, n, BLOCK):
        rows = both[start : start + BLOCK]
        triangles = (rows @ both).multiply(rows).tocoo().data  # each edge is met twice
        sizes, counts = np.unique(triangles, return_counts=True)
        for k in range(3, max_dimension + 3):
            found = sum(comb(int(t), k - 2) * int(c) for t, c in zip(sizes, counts, strict=True))
            total += found / (2 * comb(k, 2))
    return total


def _flag_complex(
    births: NDArray[np.float64], edges: Ints, heights: NDArray[np.float64], dimension: int
) -> gudhi.SimplexTree:
    """Gudhi's simplex tree; `reshape`, since of a broadcast row it discards the births without a word."""
    complex_ = gudhi.SimplexTree()
    complex_.insert_batch(np.arange(len(births), dtype=np.int32).reshape(1, -1).copy(), births)
    if len(edges):
        complex_.insert_batch(np.ascontiguousarray(edges.T, dtype=np.int32), heights)
    lost = [v for v in range(len(births)) if complex_.filtration([v]) != births[v]]
    if lost:
        raise RuntimeError(f"gudhi lost the birth of vertex {lost[0]}; please report this with its version")
    complex_.expansion(dimension)
    return complex_
