"""Vietoris-Rips persistence: of point clouds, and of the search graph weighted by barriers."""

from __future__ import annotations

import gudhi
import numpy as np
from gudhi.sklearn import RipsPersistence
from numpy.typing import ArrayLike, NDArray

from tda_landscape._errors import InputError
from tda_landscape.topology._diagram import Diagrams, tidy
from tda_landscape.topology._sweep import persistence
from tda_landscape.topology._weighted import GraphLike, as_graph


def rips(
    points: ArrayLike | None = None,
    *,
    distances: ArrayLike | None = None,
    max_dimension: int = 1,
    threshold: float = np.inf,
) -> Diagrams:
    """Return the Vietoris-Rips persistence of a point cloud, or of a matrix of distances.

    Parameters
    ----------
    points : array_like (k, d), optional
        Points, e.g. ``cloud.below(u).points``.
    distances : array_like (k, k), optional
        Symmetric distances instead of points.
    max_dimension : int
        Highest homology dimension.
    threshold : float
        Largest edge length.

    Returns
    -------
    Diagrams
        One array a dimension, 0 to `max_dimension`.

    Raises
    ------
    InputError
        Neither or both inputs, no points, NaN, or a matrix that is no distance matrix.

    Notes
    -----
    In high dimension distances concentrate, and H1 of a cloud is mostly noise; compare with a cloud of which
    the answer is known before reading anything into it.

    Examples
    --------
    >>> square = [[0, 0], [1, 0], [1, 1], [0, 1]]
    >>> rips(square)[1].round(3).tolist()
    [[1.0, 1.414]]
    """
    if (points is None) == (distances is None):
        raise InputError("rips takes points or distances=, one of the two")
    if isinstance(max_dimension, bool) or not isinstance(max_dimension, int) or max_dimension < 0:
        raise InputError(f"max_dimension must be a non-negative int, got {max_dimension!r}")
    if np.isnan(threshold):
        raise InputError("threshold is NaN; give a length, or leave it out for none")
    given = _matrix(points, "points") if distances is None else _distances(distances)
    engine = RipsPersistence(
        homology_dimensions=list(range(max_dimension + 1)),
        threshold=threshold,
        input_type="point cloud" if distances is None else "full distance matrix",
    )
    bars: list[NDArray[np.float64]] = engine.fit_transform([given])[0]
    return Diagrams([tidy(b) for b in bars], "Vietoris-Rips complex of a point cloud")


def barrier_rips(graph: GraphLike, *, max_dimension: int = 1) -> Diagrams:
    """Return the persistence of the flag complex over the graph: vertices born at E, edges at their height.

    Parameters
    ----------
    graph : LandscapeGraph, (births, edges, heights), or networkx graph
    max_dimension : int
        Highest homology dimension.

    Returns
    -------
    Diagrams
        H0 is that of the merge tree. H1 is that of the *search graph*: a pair that was not searched leaves a
        loop that never dies, and says nothing about loops in {E <= u}; `.source` repeats this.

    Examples
    --------
    >>> cycle = ([0, 0, 0, 0], [(0, 1), (1, 2), (2, 3), (3, 0)], [1, 1, 1, 2])
    >>> barrier_rips(cycle)[1].tolist()
    [[2.0, inf]]
    """
    landscape = as_graph(graph)
    complex_ = gudhi.SimplexTree()
    for v, birth in enumerate(landscape.births.tolist()):
        complex_.insert([v], birth)
    cheapest: dict[tuple[int, int], float] = {}
    for (a, b), height in zip(landscape.edges.tolist(), landscape.heights.tolist(), strict=True):
        pair = (min(a, b), max(a, b))
        if a != b and np.isfinite(height):
            cheapest[pair] = min(height, cheapest.get(pair, np.inf))
    for pair, height in cheapest.items():
        complex_.insert(list(pair), height)
    complex_.expansion(max_dimension + 1)
    complex_.compute_persistence(homology_coeff_field=2, persistence_dim_max=True)
    higher = [tidy(complex_.persistence_intervals_in_dimension(k)) for k in range(1, max_dimension + 1)]
    return Diagrams(
        [*persistence(landscape), *higher],
        "flag complex of the search graph: its H1 is not the H1 of the sublevel sets",
    )


def _matrix(values: ArrayLike | None, name: str) -> NDArray[np.float64]:
    """A non-empty, finite 2-D array: gudhi crashes the interpreter on NaN."""
    array = np.asarray(values, dtype=np.float64)
    if array.ndim != 2 or len(array) == 0:
        raise InputError(f"{name} must be a non-empty 2-D array, got shape {array.shape}")
    if np.isnan(array).any() or (name == "points" and np.isinf(array).any()):
        raise InputError(f"{name} contain NaN or infinite numbers; leave those rows out")
    return array


def _distances(values: ArrayLike) -> NDArray[np.float64]:
    """A symmetric, non-negative square matrix with zero diagonal."""
    array = _matrix(values, "distances")
    if array.shape[0] != array.shape[1]:
        raise InputError(f"distances must be a square matrix, got shape {array.shape}; points go without a name")
    if (array < 0).any() or np.diag(array).any() or not np.allclose(array, array.T, rtol=1e-12, atol=0):
        raise InputError("distances must be symmetric and non-negative with a zero diagonal")
    return np.maximum(array, array.T)
