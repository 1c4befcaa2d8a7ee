"""Exact merge trees of energies on n-dimensional grids."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import ArrayLike, NDArray

from tda_landscape._errors import InputError
from tda_landscape.topology._merge_tree import MergeTree
from tda_landscape.topology._sweep import sweep


def cubical_merge_tree(values: ArrayLike, *, periodic: bool | Sequence[bool] = False) -> MergeTree:
    """Return the exact merge tree of a function on the vertices of an n-d grid.

    Neighbours differ by one step along one axis (the V-construction of cubical complexes).

    Parameters
    ----------
    values : array_like (n_1, ..., n_d)
        Energies; `inf` marks points outside every sublevel set.
    periodic : bool or sequence of bool (d,)
        Whether each axis wraps around.

    Returns
    -------
    MergeTree
        Leaves are the grid's local minima; `vertices` holds their flat indices; every separation is proved,
        for the grid function: off the grid the energy may dip lower than at the vertices.

    Raises
    ------
    InputError
        NaN, an empty grid, or no finite value.

    Notes
    -----
    Each vertex belongs to the basin of its steepest lower neighbour; of the edges between two basins only the
    lowest can merge them. Sweeping these few edges gives the H0 pairs of the whole grid.

    Examples
    --------
    >>> tree = cubical_merge_tree([0.0, 2.0, 1.0, 3.0, 0.5])
    >>> tree.vertices.tolist(), tree.height.tolist()
    ([0, 2, 4], [2.0, 3.0])
    """
    grid = np.asarray(values, dtype=np.float64)
    if grid.ndim == 0:
        raise InputError(f"a grid has at least one axis, got the number {grid}")
    if (np.isnan(grid) | (grid == -np.inf)).any():
        raise InputError("the grid contains NaN or -inf; put inf where the energy is undefined")
    if not np.isfinite(grid).any():
        raise InputError(f"the grid of shape {grid.shape} holds no finite energy; nothing to count")
    wraps = [bool(periodic)] * grid.ndim if isinstance(periodic, (bool, np.bool_)) else list(periodic)
    if len(wraps) != grid.ndim:
        raise InputError(f"periodic has {len(wraps)} entries for a grid of {grid.ndim} axes; give one per axis")
    edges = np.concatenate([_axis_edges(grid.shape, axis, wrap) for axis, wrap in enumerate(wraps)])
    return _basin_tree(grid.ravel(), edges)


def _axis_edges(shape: tuple[int, ...], axis: int, wrap: bool) -> NDArray[np.intp]:
    """Pairs of flat indices of neighbours along one axis."""
    index = np.moveaxis(np.arange(int(np.prod(shape))).reshape(shape), axis, 0)
    pairs = np.stack([index[:-1].ravel(), index[1:].ravel()], axis=1)
    if wrap and shape[axis] > 2:
        pairs = np.concatenate([pairs, np.stack([index[-1].ravel(), index[0].ravel()], axis=1)])
    return pairs


def _basin_tree(energy: NDArray[np.float64], edges: NDArray[np.intp]) -> MergeTree:
    """Contract steepest-descent basins, keep the lowest edge between each two, sweep these."""
    rank = np.empty(len(energy), dtype=np.intp)
    rank[np.argsort(energy, kind="stable")] = np.arange(len(energy))
    lowest = rank.copy()
    np.minimum.at(lowest, edges[:, 0], rank[edges[:, 1]])
    np.minimum.at(lowest, edges[:, 1], rank[edges[:, 0]])
    of_rank = np.argsort(rank)
    root = of_rank[lowest]
    while not np.array_equal(root, root[root]):
        root = root[root]
    minima = np.flatnonzero((root == np.arange(len(root))) & np.isfinite(energy))
    basin = np.searchsorted(minima, root)
    height = energy[edges].max(axis=1)
    between = (root[edges[:, 0]] != root[edges[:, 1]]) & np.isfinite(height)
    pairs = np.sort(basin[edges[between]], axis=1)
    order = np.lexsort((height[between], pairs[:, 1], pairs[:, 0]))
    pairs, heights = pairs[order], height[between][order]
    first = np.ones(len(pairs), dtype=bool)
    first[1:] = (pairs[1:] != pairs[:-1]).any(axis=1)
    kept = pairs[first]
    return sweep(energy[minima], kept, heights[first], np.ones(len(kept), dtype=bool), vertices=minima)
