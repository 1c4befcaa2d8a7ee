"""H0 at scale: the minimum spanning forest by Boruvka with an edge filter, and the elder pass over it."""

from __future__ import annotations

from functools import lru_cache
from types import ModuleType

import numpy as np
from numpy.typing import NDArray

from tda_landscape.topology import _forest_numpy
from tda_landscape.topology._forest_numpy import Ints

COMPILED_FROM = 50_000
"""Below so many edges, loading compiled kernels takes longer than all the rest."""

BANDS = (0.1, 0.3, 0.6)
"""Quantiles of the heights at which a forest is begun before higher edges are looked at; measured, see benchmarks."""


@lru_cache(maxsize=1)
def _compiled() -> ModuleType | None:
    """The numba kernels, where the extra `fast` is installed."""
    try:
        from tda_landscape.topology import _forest_numba
    except ModuleNotFoundError:
        return None
    return _forest_numba


def kernels(n_edges: int) -> ModuleType:
    """Compiled kernels for many edges, plain ones else: the results are the same, bit for bit."""
    return (_compiled() if n_edges >= COMPILED_FROM else None) or _forest_numpy


def spanning_forest(n: int, edges: Ints, heights: NDArray[np.float64]) -> NDArray[np.intp]:
    """Positions of the edges of the minimum spanning forest by (height, position), ascending.

    Of the finite heights, the lowest tenth makes a forest first; of the higher ones only those between different
    trees are looked at again. Loops, parallel edges, ties, zeros and negative heights are fine; inf is no edge.
    """
    small = max(n, len(heights)) < np.iinfo(np.int32).max
    tree = np.arange(n, dtype=np.int32 if small else np.int64)
    boruvka = kernels(len(heights)).boruvka
    trees, chosen, low = n, [np.empty(0, dtype=np.intp)], -np.inf
    for high in _cuts(heights):
        inside = np.flatnonzero((heights > low) & (heights <= high))
        u, v = tree[edges[inside, 0]], tree[edges[inside, 1]]
        apart = np.flatnonzero(u != v)
        inside = inside[apart]
        found, joined, trees = boruvka(trees, u[apart], v[apart], heights[inside])
        chosen.append(inside[found])
        tree, low = joined[tree], high
    return np.sort(np.concatenate(chosen))


def _cuts(heights: NDArray[np.float64]) -> NDArray[np.float64]:
    """Upper ends of the bands of heights; the last one is the highest finite number."""
    sample = heights[:: max(1, len(heights) // 10_000)] if len(heights) >= COMPILED_FROM else heights[:0]
    sample = sample[np.isfinite(sample)]
    cuts = np.quantile(sample, BANDS) if len(sample) else sample
    return np.unique(np.append(cuts, np.finfo(np.float64).max))


def elder_pass(
    births: NDArray[np.float64], edges: Ints, heights: NDArray[np.float64]
) -> tuple[NDArray[np.intp], NDArray[np.intp], NDArray[np.intp]]:
    """Sweep the edges of a forest upwards: dying vertex, surviving vertex and position of each merge.

    Of two trees that meet, the one with the higher minimum dies; ties go by (energy, vertex).
    """
    order = np.argsort(heights, kind="stable")
    age = np.empty(len(births), dtype=np.int32 if len(births) < np.iinfo(np.int32).max else np.int64)
    age[np.argsort(births, kind="stable")] = np.arange(len(births), dtype=age.dtype)
    u, v = edges[order, 0].astype(age.dtype), edges[order, 1].astype(age.dtype)
    dying, survivor = kernels(len(births)).elder(age, u, v)
    return dying, survivor, order
