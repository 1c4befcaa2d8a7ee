"""Error bars by stability: how far errors of energies and heights can move a bar."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from tda_landscape._errors import InputError
from tda_landscape.topology._weighted import GraphLike, as_graph


def stability_bound(first: GraphLike, second: GraphLike | None = None) -> float:
    """Bound how far any bar can move: between two graphs, or between measured heights and the true ones.

    Parameters
    ----------
    first : any graph that `merge_tree` takes
    second : optional
        Another weighting of the same vertices and edges. Without it, each height of `first` is compared with its
        certified upper bound.

    Returns
    -------
    float
        The largest difference of a birth or a height: an error bar for the birth and death of every bar, in every
        dimension, over these vertices and edges. `inf` where a height has no certificate, or where a pair of
        vertices has an edge in one graph only: a missing edge is an infinite error.

    Raises
    ------
    InputError
        Different numbers of vertices.

    Notes
    -----
    d_B(Dgm f, Dgm g) <= max |f - g| over the simplices of one complex (Cohen-Steiner, Edelsbrunner and Harer, 2007;
    elementary proof by Skraba and Turner, arXiv 2103.10723). It says nothing of leaves that no start reached, or of
    paths that nobody searched.

    Examples
    --------
    >>> stability_bound(([0.0, 0.5], [(0, 1)], [1.0]), ([0.1, 0.5], [(0, 1)], [1.25]))
    0.25
    """
    one = as_graph(first)
    if second is None:
        errors = np.where(np.isfinite(one.heights), one.uppers - np.where(np.isfinite(one.heights), one.heights, 0), 0)
        return float(errors.max(initial=0.0))
    other = as_graph(second)
    if len(one.births) != len(other.births):
        raise InputError(
            f"the graphs have {len(one.births)} and {len(other.births)} vertices; errors are those of the same ones"
        )
    births = float(np.abs(one.births - other.births).max(initial=0.0))
    a, b = _by_pair(one.edges, one.heights), _by_pair(other.edges, other.heights)
    if a.keys() != b.keys():
        return float("inf")
    return max([births, *(abs(a[pair] - b[pair]) for pair in a)])


def _by_pair(edges: NDArray[np.intp], heights: NDArray[np.float64]) -> dict[tuple[int, int], float]:
    """The lowest finite height of each pair."""
    lowest: dict[tuple[int, int], float] = {}
    for (a, b), height in zip(np.sort(edges, axis=1).tolist(), heights.tolist(), strict=True):
        if a != b and np.isfinite(height):
            lowest[a, b] = min(height, lowest.get((a, b), np.inf))
    return lowest
