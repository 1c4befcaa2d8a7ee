"""The steps of Boruvka's algorithm and the elder pass in numpy and plain Python: slower than numba, the same bits."""

from __future__ import annotations

from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

Ints: TypeAlias = NDArray[np.signedinteger[Any]]
Floats: TypeAlias = NDArray[np.float64]

BLOCK = 1 << 20
"""Edges checked at once: millions of edges need no second copy."""


def first_low(births: Floats, edges: Ints, heights: Floats) -> int:
    """Position of the first edge that is not as high as both its ends (NaN is not) or has none, -1 if there is none."""
    if len(births) == 0:
        return 0 if len(heights) else -1
    for start in range(0, len(heights), BLOCK):
        u, v, w = edges[start : start + BLOCK, 0], edges[start : start + BLOCK, 1], heights[start : start + BLOCK]
        inside = (np.minimum(u, v) >= 0) & (np.maximum(u, v) < len(births))
        high = w >= np.maximum(births.take(u, mode="clip"), births.take(v, mode="clip"))
        if not (inside & high).all():
            return start + int(np.argmin(inside & high))
    return -1


def lowest(n: int, u: Ints, v: Ints, w: Floats) -> Ints:
    """Position of the lowest edge at each vertex, the first one of equals, -1 without any; loops and inf are none."""
    none = len(w)
    height = np.full(n, np.inf)
    best = np.full(n, none)
    apart = u != v
    if not apart.all():
        w = np.where(apart, w, np.inf)
    np.minimum.at(height, u, w)
    np.minimum.at(height, v, w)
    for end in (u, v):
        tied = np.flatnonzero((w == height[end]) & (w < np.inf))
        np.minimum.at(best, end[tied], tied)
    best[best == none] = -1
    return best


def contract(best: Ints, u: Ints, v: Ints) -> tuple[Ints, Ints, int]:
    """Join every vertex along its edge: positions of the edges used, the new name of each vertex, how many names."""
    vertex = np.arange(len(best))
    has = np.flatnonzero(best >= 0)
    parent = vertex.copy()
    parent[has] = u[best[has]].astype(np.intp) + v[best[has]] - has
    mutual = (parent[parent] == vertex) & (vertex < parent)  # two that took the same edge
    parent[mutual] = vertex[mutual]
    used = best[parent != vertex]
    while not np.array_equal(above := parent[parent], parent):
        parent = above
    roots = parent == vertex
    name = (np.cumsum(roots, dtype=np.int32) - 1)[parent]
    return used, name, int(roots.sum())


def between(name: Ints, u: Ints, v: Ints, w: Floats, low: float, high: float) -> tuple[Ints, Ints, Ints, Floats]:
    """Edges with low < w <= high between different names: their positions, the names of their ends, their heights."""
    inside = np.flatnonzero((w > low) & (w <= high))
    a, b = name[u[inside]], name[v[inside]]
    apart = np.flatnonzero(a != b)
    inside = inside[apart]
    return inside, a[apart], b[apart], w[inside]


def elder(births: Floats, u: Ints, v: Ints) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
    """Dying and surviving vertex at each edge of a forest, taken in the given order; lower (birth, vertex) survives."""
    order = np.argsort(births, kind="stable")
    age = np.empty(len(births), dtype=np.intp)
    age[order] = np.arange(len(births))
    old, root = age.tolist(), list(range(len(age)))
    dying: list[int] = []
    survivor: list[int] = []
    for a, b in zip(u.tolist(), v.tolist(), strict=True):
        while root[a] != a:
            root[a] = a = root[root[a]]
        while root[b] != b:
            root[b] = b = root[root[b]]
        if old[a] > old[b]:
            a, b = b, a
        root[b] = a
        dying.append(b)
        survivor.append(a)
    return np.array(dying, dtype=np.intp), np.array(survivor, dtype=np.intp)
