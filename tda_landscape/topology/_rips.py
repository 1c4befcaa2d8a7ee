"""Vietoris-Rips persistence of point clouds, with a null comparison where distances concentrate."""

from __future__ import annotations

import numpy as np
from gudhi.sklearn import RipsPersistence
from numpy.typing import ArrayLike, NDArray
from scipy.spatial.distance import pdist, squareform

from tda_landscape._errors import InputError, described, expect_number, expect_whole
from tda_landscape.topology._diagram import Diagram, Diagrams, tidy

CONCENTRATED = 1.0
"""(largest - smallest) / mean distance below which a cloud counts as high-dimensional."""

DRAWS = 9
"""Gaussian clouds of a null comparison; more than all of them is p <= 1/10."""

LOOKED_AT = 500
"""Points whose distances say whether they concentrate."""


def rips(
    points: ArrayLike | None = None,
    *,
    distances: ArrayLike | None = None,
    max_dimension: int = 1,
    threshold: float = np.inf,
    null: int | None = None,
    seed: int = 0,
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
    null : int, optional
        Gaussian clouds of the same covariance to compare H1 with, each as costly as the cloud itself; left out, 9
        where distances concentrate and none else.
    seed : int
        Of these clouds.

    Returns
    -------
    Diagrams
        One array a dimension, 0 to `max_dimension`. `note`, which `print` shows, compares with the null.

    Raises
    ------
    InputError
        Neither or both inputs, no points, NaN, or a matrix that is no distance matrix.

    Notes
    -----
    In high dimension all distances are nearly equal, and the H1 of a cloud is mostly noise: diagrams become
    unreliable (Hiraoka et al., arXiv 2404.18194). Where (largest - smallest) / mean distance is below 1, the longest
    H1 bar, as death / birth, is therefore compared with those of Gaussian clouds of the same size and covariance.
    The engine is Ripser's algorithm in float64 (`gudhi.sklearn.RipsPersistence`).

    Examples
    --------
    >>> square = [[0, 0], [1, 0], [1, 1], [0, 1]]
    >>> rips(square)[1].round(3).tolist()
    [[1.0, 1.414]]
    """
    check_one_of(points, distances)
    expect_whole("[0, inf)", max_dimension=max_dimension)
    expect_number("[-inf, inf]", threshold=threshold)
    expect_whole("[0, inf) or None", null=null)
    if distances is not None:
        matrix = _distances(distances)
        bars = _bars(matrix, max_dimension, threshold, "full distance matrix")
        return Diagrams(
            bars, "Vietoris-Rips complex of a matrix of distances", _spread_note(matrix, "points", max_dimension)
        )
    cloud = _matrix(points, "points")
    bars = _bars(cloud, max_dimension, threshold, "point cloud")
    note = _spread_note(_some_distances(cloud), "null=9", max_dimension)
    draws = (DRAWS if note else 0) if null is None else null
    if draws and max_dimension > 0 and len(cloud) > 3:
        note = _null_note(cloud, bars[1], draws, threshold, seed)
    return Diagrams(bars, "Vietoris-Rips complex of a point cloud", note)


def _bars(given: NDArray[np.float64], max_dimension: int, threshold: float, kind: str) -> list[Diagram]:
    """Persistence of one cloud or matrix."""
    dimensions = list(range(max_dimension + 1))
    engine = RipsPersistence(
        homology_dimensions=dimensions, threshold=threshold, input_type=kind, homology_coeff_field=2
    )
    return [tidy(bars) for bars in engine.fit_transform([given])[0]]


def _spread(matrix: NDArray[np.float64]) -> float:
    """(largest - smallest) / mean of the finite distances between different points, some of them if they are many."""
    step = len(matrix) // LOOKED_AT + 1
    between = matrix[::step, ::step].ravel()
    between = between[np.isfinite(between) & (between > 0)]
    return float(np.ptp(between) / between.mean()) if len(between) > 2 else np.inf


def _some_distances(cloud: NDArray[np.float64]) -> NDArray[np.float64]:
    """Distances between points of a cloud, not more of them than are looked at."""
    return np.asarray(squareform(pdist(cloud[:: len(cloud) // LOOKED_AT + 1])))


def _spread_note(matrix: NDArray[np.float64], remedy: str, max_dimension: int) -> str:
    """A warning where distances concentrate, else nothing."""
    spread = _spread(matrix)
    if spread >= CONCENTRATED:
        return ""
    words = f"distances concentrate ((largest - smallest) / mean = {spread:.2g})"
    if max_dimension == 0:
        return f"{words}, so all components join at nearly one radius"
    return f"{words}, so H1 may be noise: give {remedy} for a comparison with Gaussian clouds of the same covariance"


def _null_note(cloud: NDArray[np.float64], loops: Diagram, draws: int, threshold: float, seed: int) -> str:
    """The longest H1 bar beside those of Gaussian clouds of the same size and covariance."""
    rng, n = np.random.default_rng(seed), len(cloud)
    centred = cloud - cloud.mean(axis=0)
    gram = centred @ centred.T
    effective = np.trace(gram) ** 2 / max(float((gram**2).sum()), np.finfo(float).tiny)
    found = _longest(loops)
    clouds = (rng.standard_normal((n, n)) @ centred / np.sqrt(n - 1) for _ in range(draws))
    null = [_longest(_bars(other, 1, threshold, "point cloud")[1]) for other in clouds]
    verdict = "above all of them" if found > max(null) else "not above all of them, so no loop beyond noise is shown"
    return (
        f"null comparison: the longest H1 bar has death/birth {found:.4g}; {draws} Gaussian clouds of the same "
        f"covariance reach {min(null):.4g} to {max(null):.4g}: {verdict} "
        f"(effective dimension {effective:.3g}, (largest - smallest) / mean distance "
        f"{_spread(_some_distances(cloud)):.2g})"
    )


def _longest(loops: Diagram) -> float:
    """Largest death / birth of the bars that die; 1 without any."""
    alive = loops[np.isfinite(loops[:, 1]) & (loops[:, 0] > 0)]
    return float((alive[:, 1] / alive[:, 0]).max(initial=1.0))


def check_one_of(points: ArrayLike | None, distances: ArrayLike | None) -> None:
    """Refuse both and neither."""
    if (points is None) == (distances is None):
        raise InputError(f"give points or distances=, one of the two, got {'neither' if points is None else 'both'}")


def _matrix(values: ArrayLike | None, name: str) -> NDArray[np.float64]:
    """A non-empty, finite 2-D array: gudhi crashes the interpreter on NaN."""
    try:
        array = np.asarray(values, dtype=np.float64)
    except (TypeError, ValueError):
        raise InputError(f"{name} must be a 2-D array of numbers, got {described(values)}") from None
    if array.ndim != 2 or len(array) == 0:
        raise InputError(f"{name} must be a non-empty 2-D array, got shape {array.shape}")
    bad = ~np.isfinite(array) if name == "points" else np.isnan(array)
    if bad.any():
        row = int(np.flatnonzero(bad.any(axis=1))[0])
        raise InputError(f"{name} contain NaN or infinite numbers, first in row {row}; leave those rows out")
    return array


def _distances(values: ArrayLike) -> NDArray[np.float64]:
    """A symmetric, non-negative square matrix with zero diagonal."""
    array = _matrix(values, "distances")
    if array.shape[0] != array.shape[1]:
        raise InputError(f"distances must be a square matrix, got shape {array.shape}; points go without a name")
    same = np.array_equal(array, array.T)
    wrong = (array < 0) | np.diag(np.diag(array) != 0) | ~np.isclose(array, array.T, rtol=1e-12, atol=0)
    if wrong.any():
        i, j = np.argwhere(wrong)[0].tolist()
        pair = f"{array[i, j]} from {i} to {j} and {array[j, i]} back"
        raise InputError(f"distances must be symmetric and non-negative with a zero diagonal, got {pair}")
    return array if same else np.maximum(array, array.T)
