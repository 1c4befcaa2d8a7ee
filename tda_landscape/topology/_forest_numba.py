"""The kernels of `_forest_numpy`, compiled: the same functions, the same order of ties, the same bits."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from numba import njit


def _compiled(function: Callable[..., Any]) -> Callable[..., Any]:
    """Compile at the first call, and keep the result where the package's folder or the user's cache allows."""
    try:
        kernel: Callable[..., Any] = njit(cache=True, nogil=True)(function)
    except RuntimeError:  # no folder to write to
        kernel = njit(nogil=True)(function)
    return kernel


def _find(root: Any, a: Any) -> Any:
    """The root of a, halving the way to it."""
    while root[a] != a:
        root[a] = root[root[a]]
        a = root[a]
    return a


find = _compiled(_find)


def _boruvka(n: Any, u: Any, v: Any, w: Any) -> Any:
    """See `_forest_numpy.boruvka`; u, v and w are overwritten."""
    ids, tree = np.arange(len(w)).astype(u.dtype), np.arange(n).astype(u.dtype)
    chosen, found = np.empty(n, dtype=np.intp), 0
    height, best = np.empty(n), np.empty(n, dtype=u.dtype)
    root, number = np.empty(n, dtype=u.dtype), np.empty(n, dtype=u.dtype)
    live, trees = len(w), n
    while live > 0:
        for c in range(trees):
            height[c], best[c], root[c] = np.inf, -1, c
        for t in range(live):  # edges stay in their order, so the first of equal ones is taken
            a, b, x = u[t], v[t], w[t]
            if x < height[a]:
                height[a], best[a] = x, t
            if x < height[b]:
                height[b], best[b] = x, t
        for c in range(trees):
            t = best[c]
            if t >= 0:
                a, b = find(root, u[t]), find(root, v[t])
                if a != b:
                    root[a] = b
                    chosen[found] = ids[t]
                    found += 1
        left = 0
        for c in range(trees):
            if root[c] == c:
                number[c] = left
                left += 1
        for c in range(trees):
            number[c] = number[find(root, c)]
        for c in range(n):
            tree[c] = number[tree[c]]
        apart = 0
        for t in range(live):
            a, b = number[u[t]], number[v[t]]
            if a != b:
                u[apart], v[apart], w[apart], ids[apart] = a, b, w[t], ids[t]
                apart += 1
        live, trees = apart, left
    return chosen[:found], tree, trees


def _elder(age: Any, u: Any, v: Any) -> Any:
    """See `_forest_numpy.elder`."""
    root = np.arange(len(age)).astype(age.dtype)
    dying, survivor = np.empty(len(u), dtype=np.intp), np.empty(len(u), dtype=np.intp)
    for t in range(len(u)):
        a, b = find(root, u[t]), find(root, v[t])
        if age[a] > age[b]:
            a, b = b, a
        root[b] = a
        dying[t], survivor[t] = b, a
    return dying, survivor


boruvka, elder = _compiled(_boruvka), _compiled(_elder)
