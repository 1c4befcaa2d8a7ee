"""Where the lines of a disconnectivity graph go: numbers only, no drawing."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from tda_landscape._errors import InputError
from tda_landscape.plot._axes import real
from tda_landscape.topology import MergeTree
from tda_landscape.topology._branches import eldest

Sides = Callable[[int, list[int]], tuple[list[int], list[int]]]
"""A leaf and what merges into it, outermost first: what hangs left of it, and what right."""

GAP = 1.0
"""Extra room between separate trees, in leaf distances."""


@dataclass(frozen=True, slots=True, eq=False)
class TreeLayout:
    """One upright line a leaf, from its birth to its death, where a level line joins it to its elder.

    Attributes
    ----------
    x : ndarray (n,)
        Place of each leaf; leaves of one tree are 1 apart.
    death : ndarray (n,)
        Height at which each leaf's component merges; `inf` for the roots (`-inf` in superlevel order).
    elder : ndarray of int (n,)
        Leaf whose line it joins there, -1 for the roots. Of all that meet at exactly one height it is the
        lowest, so that the picture does not depend on how such ties were broken.
    """

    x: NDArray[np.float64]
    death: NDArray[np.float64]
    elder: NDArray[np.intp]


def tree_layout(tree: MergeTree, order: str | ArrayLike = "center") -> TreeLayout:
    """Hang each leaf left or right of its elder, what merges higher further out, so that no lines cross."""
    up, elder = tree.upwards, eldest(tree)
    size = np.ones(len(up), dtype=np.intp)
    for dying in up.dying.tolist():
        size[elder[dying]] += size[dying]
    younger: list[list[int]] = [[] for _ in range(len(up))]
    for dying in np.lexsort((up.births, -up.deaths)).tolist():
        if elder[dying] >= 0:
            younger[elder[dying]].append(dying)
    sides = _rule(order, up, elder, size)
    trees = up.roots.tolist()
    if isinstance(order, str) and order == "center":
        trees = trees[2::2][::-1] + trees[:1] + trees[1::2]  # the lowest one in the middle
    x, at = np.empty(len(up)), 0.0
    for root in trees:
        for leaf in _in_order(root, younger, sides):
            x[leaf] = at
            at += 1
        at += GAP
    return TreeLayout(x, tree.deaths, elder)


def _rule(order: str | ArrayLike, tree: MergeTree, elder: NDArray[np.intp], size: NDArray[np.intp]) -> Sides:
    """How the branches of a leaf are shared out between its two sides."""
    if isinstance(order, str):
        if order == "center":
            return lambda leaf, younger: _balanced(younger, size)
        if order == "energy":
            return lambda leaf, younger: ([], younger)
        raise InputError(f"order must be 'center', 'energy' or one number per leaf, got {order!r}")
    keys = real(order, "order")
    if keys.shape != (len(tree),) or not np.isfinite(keys).all():
        raise InputError(f"order must be {len(tree)} finite numbers, one per leaf; got shape {keys.shape}")
    total = keys.copy()
    for dying in tree.dying.tolist():
        total[elder[dying]] += total[dying]
    mean = total / size
    return lambda leaf, younger: (
        [other for other in younger if mean[other] < keys[leaf]],
        [other for other in younger if mean[other] >= keys[leaf]],
    )


def _in_order(root: int, younger: list[list[int]], sides: Sides) -> list[int]:
    """Leaves of one tree, left to right; a stack instead of recursion, since a tree can be a long chain."""
    leaves: list[int] = []
    stack = [(root, False)]
    while stack:
        leaf, placed = stack.pop()
        if placed:
            leaves.append(leaf)
            continue
        left, right = sides(leaf, younger[leaf])
        order = [*((other, False) for other in left), (leaf, True), *((other, False) for other in right[::-1])]
        stack.extend(reversed(order))
    return leaves


def _balanced(younger: list[int], size: NDArray[np.intp]) -> tuple[list[int], list[int]]:
    """Share out what merges into one leaf, outermost first, always to the side that has fewer leaves."""
    left: list[int] = []
    right: list[int] = []
    more_left = 0
    for leaf in younger:
        if more_left >= 0:
            right.append(leaf)
            more_left -= int(size[leaf])
        else:
            left.append(leaf)
            more_left += int(size[leaf])
    return left, right
