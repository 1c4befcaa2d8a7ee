"""Where the lines of a disconnectivity graph go: numbers only, no drawing."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from tda_landscape.topology import MergeTree

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
        Height at which each leaf's component merges; `inf` for the roots.
    elder : ndarray of int (n,)
        Leaf whose line it joins there, -1 for the roots. Of all that meet at exactly one height it is the
        lowest, so that the picture does not depend on how such ties were broken.
    """

    x: NDArray[np.float64]
    death: NDArray[np.float64]
    elder: NDArray[np.intp]


def tree_layout(tree: MergeTree) -> TreeLayout:
    """Hang each leaf left or right of its elder, what merges higher further out, so that no lines cross."""
    n, death = len(tree.births), tree.deaths
    elder = np.full(n, -1, dtype=np.intp)
    for dying, other in zip(tree.dying[::-1].tolist(), tree.elder[::-1].tolist(), strict=True):
        elder[dying] = elder[other] if death[other] == death[dying] else other
    size = np.ones(n, dtype=np.intp)
    for dying in tree.dying.tolist():
        size[elder[dying]] += size[dying]
    younger: list[list[int]] = [[] for _ in range(n)]
    for dying in np.lexsort((tree.births, -death)).tolist():
        if elder[dying] >= 0:
            younger[elder[dying]].append(dying)
    x, at = np.empty(n), 0.0
    for root in tree.roots.tolist():
        for leaf in _in_order(root, younger, size):
            x[leaf] = at
            at += 1
        at += GAP
    return TreeLayout(x, death, elder)


def _in_order(root: int, younger: list[list[int]], size: NDArray[np.intp]) -> list[int]:
    """Leaves of one tree, left to right; a stack instead of recursion, since a tree can be a long chain."""
    leaves: list[int] = []
    stack = [(root, False)]
    while stack:
        leaf, placed = stack.pop()
        if placed:
            leaves.append(leaf)
            continue
        left, right = _sides(younger[leaf], size)
        order = [*((other, False) for other in left), (leaf, True), *((other, False) for other in right[::-1])]
        stack.extend(reversed(order))
    return leaves


def _sides(younger: list[int], size: NDArray[np.intp]) -> tuple[list[int], list[int]]:
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
