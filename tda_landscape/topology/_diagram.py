"""Persistence diagrams: the H0 view of a merge tree, and what a diagram is a diagram of."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
from numpy.typing import NDArray

from tda_landscape.topology._merge_tree import GraphLike, MergeTree, merge_tree

Diagram = NDArray[np.float64]


class Diagrams(list[Diagram]):
    """A list of float64 (n, 2) arrays, one a dimension; essential deaths are `inf`, empty is (0, 2).

    `source` says in words what was filtered, so that nobody takes H1 of a search graph for H1 of a sublevel set.
    """

    def __init__(self, diagrams: Iterable[Diagram], source: str) -> None:
        super().__init__(diagrams)
        self.source = source


def persistence(graph: GraphLike | MergeTree, *, min_persistence: float = 0.0) -> Diagrams:
    """Return the H0 diagram of the sublevel filtration, read from the merge tree.

    Parameters
    ----------
    graph : LandscapeGraph, (births, edges, heights), networkx graph, or MergeTree
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
    bars = tidy(np.column_stack([tree.births, tree.deaths]), min_persistence)
    return Diagrams([bars], "sublevel sets of the energy, as far as paths were found")


def tidy(bars: Diagram, min_persistence: float = 0.0) -> Diagram:
    """Drop short bars and sort by (birth, -death)."""
    bars = np.asarray(bars, dtype=np.float64).reshape(-1, 2)
    bars = bars[bars[:, 1] - bars[:, 0] > min_persistence]
    return bars[np.lexsort((-bars[:, 1], bars[:, 0]))]
