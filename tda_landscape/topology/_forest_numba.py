"""The steps of `_forest_numpy`, compiled: the same functions, the same order of ties, the same bits."""

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


def _first_low(births: Any, edges: Any, heights: Any) -> Any:
    """See `_forest_numpy.first_low`."""
    n = len(births)
    for t in range(len(heights)):
        a, b = edges[t, 0], edges[t, 1]
        if a < 0 or b < 0 or a >= n or b >= n or not (heights[t] >= births[a] and heights[t] >= births[b]):
            return t
    return -1


def _lowest(n: Any, u: Any, v: Any, w: Any) -> Any:
    """See `_forest_numpy.lowest`."""
    height, best = np.full(n, np.inf), np.full(n, -1, dtype=np.int32)
    for t in range(len(w)):  # edges stay in their order, so the first of equal ones is taken
        a, b, x = u[t], v[t], w[t]
        if a != b:
            if x < height[a]:
                height[a], best[a] = x, t
            if x < height[b]:
                height[b], best[b] = x, t
    return best


def _contract(best: Any, u: Any, v: Any) -> Any:
    """See `_forest_numpy.contract`."""
    n = len(best)
    root, name = np.arange(n).astype(np.int32), np.empty(n, dtype=np.int32)
    used, found, names = np.empty(n, dtype=np.int32), 0, 0
    for c in range(n):
        t = best[c]
        if t >= 0:
            a, b = find(root, u[t]), find(root, v[t])
            if a != b:
                root[max(a, b)] = min(a, b)
                used[found] = t
                found += 1
    for c in range(n):  # roots come before what hangs from them
        if root[c] == c:
            name[c] = names
            names += 1
        else:
            name[c] = name[root[c]]
    return used[:found], name, names


def _between(name: Any, u: Any, v: Any, w: Any, low: Any, high: Any) -> Any:
    """See `_forest_numpy.between`."""
    many = len(w)  # memory that is not written to is not taken
    ids, k = np.empty(many, dtype=np.int32), 0
    a_, b_, w_ = np.empty(many, dtype=np.int32), np.empty(many, dtype=np.int32), np.empty(many)
    for t in range(many):
        x = w[t]
        if x > low and x <= high:
            a, b = name[u[t]], name[v[t]]
            if a != b:
                ids[k], a_[k], b_[k], w_[k] = t, a, b, x
                k += 1
    return ids[:k], a_[:k], b_[:k], w_[:k]


def _elder(births: Any, u: Any, v: Any) -> Any:
    """See `_forest_numpy.elder`."""
    root = np.arange(len(births)).astype(np.int32)
    dying, survivor = np.empty(len(u), dtype=np.intp), np.empty(len(u), dtype=np.intp)
    for t in range(len(u)):
        a, b = find(root, u[t]), find(root, v[t])
        if births[a] > births[b] or (births[a] == births[b] and a > b):
            a, b = b, a
        root[b] = a
        dying[t], survivor[t] = b, a
    return dying, survivor


find = _compiled(_find)
first_low, lowest, contract = _compiled(_first_low), _compiled(_lowest), _compiled(_contract)
between, elder = _compiled(_between), _compiled(_elder)
