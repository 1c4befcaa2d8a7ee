"""The spellings of a weighted graph, read into plain arrays without copying what is large."""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias

import networkx as nx
import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy import sparse

from tda_landscape._errors import InputError, described
from tda_landscape.topology._checks import attribute, check_births, check_edges, column, ends_of, numbers
from tda_landscape.topology._forest_numpy import Ints
from tda_landscape.topology._graph import LandscapeGraph

GraphLike: TypeAlias = (
    LandscapeGraph | tuple[ArrayLike, ArrayLike, ArrayLike] | nx.Graph | sparse.sparray | sparse.spmatrix
)


@dataclass(frozen=True, slots=True, eq=False)
class Weighted:
    """A checked graph: births (n,), edges (m, 2), heights (m,), and what is known of edges and vertices.

    `proved` and `status` (m,) are None where the input says nothing of them. In superlevel order births and heights
    are negated, so that every sweep goes upwards.
    """

    births: NDArray[np.float64]
    edges: Ints
    heights: NDArray[np.float64]
    labels: Sequence[Hashable]
    proved: NDArray[np.bool_] | None = None
    status: NDArray[np.str_] | None = None


def as_graph(graph: GraphLike, *, energy: str = "energy", height: str = "height") -> LandscapeGraph:
    """Accept every spelling of a weighted graph, as a LandscapeGraph with all its fields."""
    if isinstance(graph, LandscapeGraph):
        return graph
    if isinstance(graph, nx.Graph):
        return LandscapeGraph.from_networkx(graph, energy=energy, height=height)
    if sparse.issparse(graph):
        return LandscapeGraph.from_arrays(*_of_matrix(graph))
    if isinstance(graph, tuple) and len(graph) == 3:
        return LandscapeGraph.from_arrays(*graph)
    raise InputError(
        f"{described(graph)} is not a weighted graph; give a LandscapeGraph (of a survey, survey.graph), "
        "(births, edges, heights), a networkx graph or a scipy sparse matrix"
    )


def as_weighted(
    graph: GraphLike, *, energy: str = "energy", height: str = "height", superlevel: bool = False
) -> Weighted:
    """Accept every spelling of a weighted graph, as the arrays that a sweep needs."""
    sign = -1.0 if superlevel else 1.0
    if sparse.issparse(graph):
        graph = _of_matrix(graph)
    if isinstance(graph, tuple) and len(graph) == 3:
        births, edges, heights = (
            column(graph[0], "births", np.float64),
            ends_of(graph[1]),
            numbers(graph[2], "heights"),
        )
        read = Weighted(sign * births, edges, sign * heights if superlevel else heights, range(len(births)))
        check_births(read.births, sign)
        check_edges(read.births, read.edges, read.heights, sign=sign)
        return read
    if superlevel and isinstance(graph, nx.Graph):
        return _of_negated(graph, energy, height)
    if superlevel:
        raise InputError(
            f"{described(graph)} holds maxima along paths, which have no superlevel order; "
            "give (births, edges, heights) or a networkx graph with minima along paths"
        )
    whole = as_graph(graph, energy=energy, height=height)
    return Weighted(whole.births, whole.edges, whole.heights, whole.labels, whole.proved, whole.status)


def _of_negated(graph: nx.Graph[Any], energy: str, height: str) -> Weighted:
    """A networkx graph in superlevel order: only births and heights mean something upside down."""
    labels = tuple(graph.nodes)
    index = {label: i for i, label in enumerate(labels)}
    data = [(index[a], index[b], d, f"edge {a!r}-{b!r}") for a, b, d in graph.edges(data=True)]
    births = [attribute(graph.nodes[label], energy, f"node {label!r}") for label in labels]
    heights = [attribute(d, height, where) for *_, d, where in data]
    read = as_weighted((births, [(i, j) for i, j, *_ in data], heights), superlevel=True)
    return Weighted(read.births, read.edges, read.heights, labels)


def _of_matrix(matrix: Any) -> tuple[NDArray[np.float64], Ints, NDArray[np.float64]]:
    """Births on the diagonal (0 where nothing is stored), heights beside it; stored zeros are edges of height 0."""
    stored = matrix.tocoo()
    if stored.ndim != 2 or stored.shape[0] != stored.shape[1]:
        raise InputError(f"a sparse matrix of heights must be square, got shape {stored.shape}")
    row, col, data = stored.row, stored.col, stored.data.astype(np.float64)
    diagonal = row == col
    births = np.zeros(stored.shape[0])
    births[row[diagonal]] = data[diagonal]
    return births, np.stack([row[~diagonal], col[~diagonal]], axis=1), data[~diagonal]
