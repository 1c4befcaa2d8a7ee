"""H0 at scale: the minimum spanning forest by Boruvka with an edge filter, and the elder pass over it."""

from __future__ import annotations

from functools import lru_cache
from types import ModuleType

import numpy as np
from numpy.typing import NDArray

from tda_landscape.topology import _forest_numpy
from tda_landscape.topology._forest_numpy import Floats, Ints

COMPILED_FROM = 500_000
"""Below so many edges, all is done before compiled kernels are loaded."""

BANDED_FROM = 20_000
"""Below so many edges, all are joined at once."""

BANDS = (0.1,)
"""Quantiles of the heights below which edges are joined before higher ones are looked at; by measurement."""

MOST = np.iinfo(np.int32).max
"""Compiled kernels count in 32 bits."""


@lru_cache(maxsize=1)
def _compiled() -> ModuleType | None:
    """The numba kernels, where the extra `fast` is installed."""
    try:
        from tda_landscape.topology import _forest_numba
    except ImportError:  # not installed, or not for this numpy
        return None
    return _forest_numba


def kernels(n_edges: int) -> ModuleType:
    """Compiled kernels for many edges, plain ones else: the results are the same, bit for bit."""
    return (_compiled() if COMPILED_FROM <= n_edges < MOST else None) or _forest_numpy


def spanning_forest(n: int, edges: Ints, heights: Floats) -> NDArray[np.intp]:
    """Positions of the edges of the minimum spanning forest by (height, position), ascending.

    Every vertex takes its lowest edge (Boruvka, 1926); then bands of ever higher edges are joined in the same way,
    of each only those that still lie between different trees. Loops, parallel edges, ties, zeros and negative heights
    are fine; inf is no edge.
    """
    kernel = kernels(len(heights))
    u, v = edges[:, 0], edges[:, 1]
    used, tree, trees = kernel.contract(kernel.lowest(n, u, v, heights), u, v)
    chosen, low = [used], -np.inf
    for high in _cuts(heights):
        ids, a, b, w = kernel.between(tree, u, v, heights, low, high)
        while len(ids):
            used, joined, trees = kernel.contract(kernel.lowest(trees, a, b, w), a, b)
            chosen.append(ids[used])
            tree = joined[tree]
            left, a, b, w = kernel.between(joined, a, b, w, -np.inf, high)
            ids = ids[left]
        low = high
    return np.sort(np.concatenate(chosen)).astype(np.intp)


def _cuts(heights: Floats) -> list[float]:
    """Upper ends of the bands of heights; the last one is the highest finite number."""
    sample = heights[:: max(1, len(heights) // 10_000)] if len(heights) >= BANDED_FROM else heights[:0]
    sample = sample[np.isfinite(sample)]
    cuts = np.quantile(sample, BANDS) if len(sample) else sample
    ends: list[float] = np.unique(np.append(cuts, np.finfo(np.float64).max)).tolist()
    return ends


def elder_pass(
    births: Floats, edges: Ints, heights: Floats, kernel: ModuleType = _forest_numpy
) -> tuple[NDArray[np.intp], NDArray[np.intp], NDArray[np.intp]]:
    """Sweep the edges of a forest upwards: dying vertex, surviving vertex and position of each merge.

    Of two trees that meet, the one with the higher minimum dies; ties go by (energy, vertex).
    """
    order = np.argsort(heights)  # several times faster than a stable sort, which only ties need
    ascending = heights[order]
    if (ascending[1:] == ascending[:-1]).any():
        order = np.argsort(heights, kind="stable")
    dying, survivor = kernel.elder(births, edges[order, 0], edges[order, 1])
    return dying, survivor, order
