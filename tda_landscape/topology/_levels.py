"""Level and radius together: the Rips complexes of all sublevel sets of a cloud of points."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.spatial.distance import cdist

from tda_landscape._errors import InputError
from tda_landscape.topology._checks import column, levels_of
from tda_landscape.topology._diagram import Diagrams
from tda_landscape.topology._forest import spanning_forest
from tda_landscape.topology._rips import _distances, _matrix, check_one_of, rips

MOST_POINTS = 10_000
"""The exact H0 holds one number for each two points: 400 MB of them at this size."""


@dataclass(frozen=True, slots=True, eq=False)
class LevelRips:
    """Homology of the Rips complex at radius r of the points with E <= u.

    Attributes
    ----------
    energies : ndarray (n,)
        Energies of the points, ascending.
    lengths : tuple of n ndarrays
        Entry k holds the k edges, ascending, of the shortest spanning tree of the k + 1 lowest points: H0 at every
        (u, r), exactly.
    levels : ndarray (L,)
        The levels at which the higher dimensions were computed.
    diagrams : tuple of L Diagrams
        The Rips persistence at each of them.

    Examples
    --------
    >>> view = rips_by_level([[0.0], [1.0], [3.0]], energies=[0.0, 0.5, 1.0], levels=[1.0])
    >>> view.n_components(level=[0.0, 0.5, 1.0], radius=1.0).tolist()
    [1, 1, 2]
    """

    energies: NDArray[np.float64]
    lengths: tuple[NDArray[np.float64], ...]
    levels: NDArray[np.float64]
    diagrams: tuple[Diagrams, ...]

    def n_components(self, level: ArrayLike, radius: ArrayLike) -> NDArray[np.intp]:
        """Count the components at (u, r), exactly; level and radius broadcast against each other.

        An edge belongs to the complex at r when it is at most r long.

        Examples
        --------
        >>> view = rips_by_level([[0.0], [1.0]], energies=[0.0, 0.5], levels=[0.5])
        >>> view.n_components([[0.0], [0.5]], [0.5, 1.0]).tolist()
        [[1, 1], [2, 1]]
        """
        levels, radii = np.broadcast_arrays(levels_of(level), levels_of(radius, "radius"))
        below = np.searchsorted(self.energies, levels, side="right")
        counts = np.zeros(levels.shape, dtype=np.intp)
        for k in np.unique(below[below > 0]).tolist():
            here = below == k
            counts[here] = k - np.searchsorted(self.lengths[k - 1], radii[here], side="right")
        return counts

    def betti(self, radius: ArrayLike, dimension: int = 1) -> NDArray[np.intp]:
        """Betti numbers (L, R) at the computed levels and R radii: #{birth <= r < death}.

        Examples
        --------
        >>> square = [[0, 0], [1, 0], [1, 1], [0, 1]]
        >>> rips_by_level(square, energies=[0, 0, 0, 1], levels=[0, 1]).betti([1.0, 1.2, 2.0]).tolist()
        [[0, 0, 0], [1, 1, 0]]
        """
        if not (self.diagrams and 0 <= dimension < len(self.diagrams[0])):
            known = len(self.diagrams[0]) - 1 if self.diagrams else "none"
            raise InputError(f"dimension {dimension} was not computed, the highest is {known}; see max_dimension=")
        radii = levels_of(radius, "radius").reshape(-1)
        bars = [diagrams[dimension] for diagrams in self.diagrams]
        return np.array([[((b[:, 0] <= r) & (r < b[:, 1])).sum() for r in radii] for b in bars], dtype=np.intp)


def rips_by_level(
    points: ArrayLike | None = None,
    energies: ArrayLike = (),
    *,
    distances: ArrayLike | None = None,
    levels: ArrayLike | int = 8,
    max_dimension: int = 1,
    threshold: float = np.inf,
) -> LevelRips:
    """Return the Rips homology of a cloud's sublevel sets by level u and radius r.

    Parameters
    ----------
    points : array_like (k, d), optional
    energies : array_like (k,)
        Energy of each point.
    distances : array_like (k, k), optional
        Symmetric distances instead of points.
    levels : array_like (L,) or int
        Levels for H1 and up, or how many of them, at equal shares of the points.
    max_dimension : int
        Highest homology dimension; 0 computes the components only.
    threshold : float
        Largest edge length for H1 and up.

    Returns
    -------
    LevelRips
        H0 for every (u, r), exactly; the rest on the grid of levels.

    Raises
    ------
    InputError
        Points and energies that do not fit, NaN, more than 10,000 points, or a level below every energy.

    Notes
    -----
    The shortest spanning tree of the k + 1 lowest points is that of the tree of the k lowest and the edges of the
    new point. The two-parameter H1 has no barcode; its slices at fixed u are those given.

    Examples
    --------
    >>> rng = np.random.default_rng(0)
    >>> points = rng.normal(size=(30, 2))
    >>> view = rips_by_level(points, energies=(points**2).sum(1), levels=2)
    >>> [len(view.lengths), len(view.diagrams), int(view.n_components(100.0, 100.0))]
    [30, 2, 1]
    """
    check_one_of(points, distances)
    if distances is None:
        cloud = _matrix(points, "points")
        matrix = cdist(cloud, cloud)
    else:
        matrix = _distances(distances)
    born = column(energies, "energies", np.float64)
    if len(born) != len(matrix):
        raise InputError(f"energies must be {len(matrix)} finite numbers, one per point; got {len(born)}")
    if not np.isfinite(born).all():
        bad = int(np.flatnonzero(~np.isfinite(born))[0])
        raise InputError(f"point {bad} has energy {born[bad]}; leave points without a finite energy out")
    if len(matrix) > MOST_POINTS:
        raise InputError(
            f"the exact H0 of {len(matrix)} points at every level takes too much memory; give at most {MOST_POINTS}"
        )
    order = np.argsort(born, kind="stable")
    chosen = _levels(levels, born[order])
    lengths = _tree_lengths(matrix[np.ix_(order, order)])
    slices = []
    for level in chosen.tolist() if max_dimension > 0 else []:
        inside = np.flatnonzero(born <= level)
        below = matrix[np.ix_(inside, inside)]
        slices.append(rips(distances=below, max_dimension=max_dimension, threshold=threshold, null=0))
    return LevelRips(born[order], lengths, chosen, tuple(slices))


def _levels(levels: ArrayLike | int, energies: NDArray[np.float64]) -> NDArray[np.float64]:
    """The levels asked for, ascending."""
    if isinstance(levels, int):
        if levels < 1:
            raise InputError(f"levels must be at least one, got {levels}")
        return np.unique(np.quantile(energies, np.arange(1, levels + 1) / levels, method="inverted_cdf"))
    chosen = np.unique(column(levels, "levels", np.float64))
    if np.isnan(chosen).any() or not len(chosen) or chosen[0] < energies[0]:
        raise InputError(f"levels must be numbers at or above the lowest energy {energies[0]}, got {levels!r:.60}")
    return chosen


def _tree_lengths(matrix: NDArray[np.float64]) -> tuple[NDArray[np.float64], ...]:
    """Edge lengths of the shortest spanning tree of the first k + 1 points, for each k; ascending."""
    trees = [np.empty(0)]
    edges, lengths = np.empty((0, 2), dtype=np.intp), np.empty(0)
    for k in range(1, len(matrix)):
        star = np.column_stack([np.arange(k), np.full(k, k)])
        edges, lengths = np.concatenate([edges, star]), np.concatenate([lengths, matrix[k, :k]])
        kept = spanning_forest(k + 1, edges, lengths)
        edges, lengths = edges[kept], lengths[kept]
        trees.append(np.sort(lengths))
    return tuple(trees)
