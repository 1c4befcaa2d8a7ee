"""Exact merge trees of energies on n-dimensional grids."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from tda_landscape._errors import InputError, described, expect_number
from tda_landscape.topology._forest_numpy import Ints
from tda_landscape.topology._merge_tree import MergeTree
from tda_landscape.topology._sweep import sweep


def cubical_merge_tree(
    values: ArrayLike, *, periodic: bool | Sequence[bool] = False, delta: float | None = None
) -> MergeTree:
    """Return the exact merge tree of a function on the vertices of an n-d grid.

    Neighbours differ by one step along one axis (the V-construction of cubical complexes).

    Parameters
    ----------
    values : array_like (n_1, ..., n_d)
        Energies; `inf` marks points outside every sublevel set.
    periodic : bool or sequence of bool (d,)
        Whether each axis wraps around.
    delta : float, optional
        A bound of |E - E_grid| over the whole domain, where E_grid is on each cell the highest value at its
        vertices; such as L h sqrt(d) for a Lipschitz constant L and steps h. Left out, it is the largest
        oscillation (highest less lowest value) over a cell, values above the highest merge cut off there, since
        what happens above changes no count. That bounds the error of an energy which stays, in each cell, between
        the values at the vertices, as multilinear interpolation does.

    Returns
    -------
    MergeTree
        Leaves are the grid's local minima, `vertices` their flat indices, and `edge` the flat index of the vertex at
        which each merge happens. Every separation is proved, for the grid function: off the grid the energy may dip
        lower than at the vertices, by at most `delta`. `tree.resolved()` marks the bars longer than 2 delta,
        `tree.lower_bound(u)` counts what is there for certain.

    Raises
    ------
    InputError
        NaN (the sentence says where), an empty grid, no finite value, or a negative delta.

    Notes
    -----
    Each vertex belongs to the basin of its steepest lower neighbour; only edges between two basins can merge them.
    Sweeping these gives the H0 pairs of the whole grid. Cells with an infinite vertex are outside the domain.

    Examples
    --------
    >>> tree = cubical_merge_tree([0.0, 2.0, 1.0, 3.0, 0.5])
    >>> tree.vertices.tolist(), tree.height.tolist(), tree.delta
    ([0, 2, 4], [2.0, 3.0], 2.5)
    """
    expect_number("[0, inf] or None", delta=delta)
    try:
        grid = np.asarray(values, dtype=np.float64)
    except (TypeError, ValueError):
        raise InputError(f"a grid must hold numbers, got {described(values)}") from None
    wraps = _checked(grid, periodic)
    root = _basins(grid, wraps)
    energy, flat = grid.ravel(), np.arange(grid.size)
    minima = np.flatnonzero((root.ravel() == flat) & np.isfinite(energy))
    basin = np.empty(grid.size, dtype=root.dtype)
    basin[minima] = np.arange(len(minima), dtype=root.dtype)
    edges, heights, saddles = _ridges(grid, basin[root], wraps)
    proved = np.ones(len(heights), dtype=bool)
    tree = sweep(energy[minima], edges, heights, proved, vertices=minima, names=saddles)
    top = float(tree.height.max(initial=tree.births.min()))
    return replace(tree, delta=_oscillation(grid, wraps, top) if delta is None else float(delta))


def _checked(grid: NDArray[np.float64], periodic: bool | Sequence[bool]) -> list[bool]:
    """Refuse what is no grid of energies; one flag an axis."""
    if grid.ndim == 0:
        raise InputError(f"a grid has at least one axis, got the number {grid}")
    bad = np.isnan(grid) | (grid == -np.inf)
    if bad.any():
        where = tuple(int(i) for i in np.argwhere(bad)[0])
        raise InputError(f"the grid is {grid[where]} at {where}; put inf where the energy is undefined")
    if not np.isfinite(grid).any():
        raise InputError(f"the grid of shape {grid.shape} holds no finite energy; nothing to count")
    wraps = [bool(periodic)] * grid.ndim if isinstance(periodic, (bool, np.bool_)) else [bool(w) for w in periodic]
    if len(wraps) != grid.ndim:
        raise InputError(f"periodic has {len(wraps)} entries for a grid of {grid.ndim} axes; give one per axis")
    return [wrap and n > 2 for wrap, n in zip(wraps, grid.shape, strict=True)]  # of two points both are neighbours


def _steps(ndim: int, wraps: Sequence[bool]) -> Iterator[tuple[tuple[slice, ...], tuple[slice, ...]]]:
    """Slices of the two ends of all grid edges: along each axis, and over its seam where it wraps."""
    for axis, wrap in enumerate(wraps):
        before, after = (slice(None),) * axis, (slice(None),) * (ndim - axis - 1)
        yield (*before, slice(None, -1), *after), (*before, slice(1, None), *after)
        if wrap:
            yield (*before, slice(-1, None), *after), (*before, slice(None, 1), *after)


def _basins(grid: NDArray[np.float64], wraps: Sequence[bool]) -> Ints:
    """Flat index of the minimum below each vertex, by steepest descent; ties go by (energy, flat index)."""
    dtype: Any = np.int32 if grid.size < np.iinfo(np.int32).max else np.int64
    flat: Ints = np.arange(grid.size, dtype=dtype).reshape(grid.shape)
    lowest, to = grid.copy(), flat.copy()
    for one, other in _steps(grid.ndim, wraps):
        for here, there in ((one, other), (other, one)):
            value, index = grid[there], flat[there]
            lower = (value < lowest[here]) | ((value == lowest[here]) & (index < to[here]))
            np.copyto(lowest[here], value, where=lower)
            np.copyto(to[here], index, where=lower)
    root: Ints = to.ravel()
    while not np.array_equal(further := root[root], root):
        root = further
    basins: Ints = root.reshape(grid.shape)
    return basins


def _ridges(
    grid: NDArray[np.float64], basin: Ints, wraps: Sequence[bool]
) -> tuple[Ints, NDArray[np.float64], NDArray[np.intp]]:
    """Grid edges between two basins: the basins, the height, and the flat index of the higher end."""
    flat = np.arange(grid.size).reshape(grid.shape)
    edges, heights, saddles = [], [], []
    for one, other in _steps(grid.ndim, wraps):
        height = np.maximum(grid[one], grid[other])
        ridge = (basin[one] != basin[other]) & np.isfinite(height)
        edges.append(np.stack([basin[one][ridge], basin[other][ridge]], axis=1))
        heights.append(height[ridge])
        saddles.append(np.where(grid[one] >= grid[other], flat[one], flat[other])[ridge])
    return np.concatenate(edges), np.concatenate(heights), np.concatenate(saddles)


def _oscillation(grid: NDArray[np.float64], wraps: Sequence[bool], top: float) -> float:
    """Highest less lowest value over a cell of finite vertices, at most `top` each; the largest such difference."""
    high = low = grid
    for axis, wrap in enumerate(wraps):
        if grid.shape[axis] > 1:
            high, low = _pairs(high, axis, wrap, np.maximum), _pairs(low, axis, wrap, np.minimum)
    inside = np.isfinite(high)
    return float(np.max(np.minimum(high[inside], top) - np.minimum(low[inside], top), initial=0.0))


def _pairs(values: NDArray[np.float64], axis: int, wrap: bool, choose: np.ufunc) -> NDArray[np.float64]:
    """The higher (or lower) of each two neighbours along one axis."""
    along = np.moveaxis(values, axis, 0)
    pairs = choose(along[:-1], along[1:])
    if wrap:
        pairs = np.concatenate([pairs, choose(along[-1:], along[:1])])
    return np.asarray(np.moveaxis(pairs, 0, axis))
