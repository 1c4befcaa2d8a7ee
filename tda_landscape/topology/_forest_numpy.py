"""Minimum spanning forest and elder pass in numpy and plain Python: needs nothing, gives the same bits as numba."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

Ints = NDArray[np.signedinteger[Any]]


def boruvka(n: int, u: Ints, v: Ints, w: NDArray[np.float64]) -> tuple[Ints, Ints, int]:
    """Positions of the forest edges by (w, position), the tree of each vertex, and the number of trees.

    Loops are not allowed; each round, every tree takes its lowest edge (Boruvka, 1926).
    """
    ids, tree, chosen = np.arange(len(w)), np.arange(n, dtype=u.dtype), []
    while len(ids):
        lowest = _lowest(n, u, v, w)
        has = np.flatnonzero(lowest < len(ids))
        best = lowest[has]
        parent = np.arange(n, dtype=u.dtype)
        parent[has] = u[best] + v[best] - has
        vertex = np.arange(n, dtype=u.dtype)
        mutual = (parent[parent] == vertex) & (vertex < parent)  # two trees that took the same edge
        parent[mutual] = vertex[mutual]
        chosen.append(ids[best[parent[has] != has]])
        while not np.array_equal(above := parent[parent], parent):
            parent = above
        roots = parent == vertex
        number = (np.cumsum(roots, dtype=u.dtype) - 1).astype(u.dtype)[parent]
        n, tree = int(roots.sum()), number[tree]
        u, v = number[u], number[v]
        apart = u != v
        u, v, w, ids = u[apart], v[apart], w[apart], ids[apart]
    return np.concatenate([*chosen, np.empty(0, dtype=np.intp)]).astype(np.intp), tree, n


def _lowest(n: int, u: Ints, v: Ints, w: NDArray[np.float64]) -> NDArray[np.intp]:
    """Position of the lowest edge at each vertex, the first one where several tie; len(w) where there is none."""
    height = np.full(n, np.inf)
    np.minimum.at(height, u, w)
    np.minimum.at(height, v, w)
    lowest = np.full(n, len(w))
    for end in (u, v):
        tied = np.flatnonzero(w == height[end])
        np.minimum.at(lowest, end[tied], tied)
    return lowest


def elder(age: Ints, u: Ints, v: Ints) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
    """Dying and surviving vertex at each edge of a forest, taken in the given order; lower age survives."""
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
