"""The nearest image of one cluster of identical atoms to another one, by permutation, rotation and reflection.

In numpy: torch takes more than twice as long for such small arrays.
"""

from __future__ import annotations

from functools import cache
from itertools import permutations
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import linear_sum_assignment

FRAMES = 24
"""Triples of atoms that are tried as the image of the reference's triple."""

ROUNDS = 4
"""Alternations of assignment and rotation, from the best frames."""

MIRROR = np.array([[1.0], [1.0], [-1.0]])

Array = NDArray[Any]


def superpose(x: Array, reference: Array) -> tuple[Array, Array, Array]:
    """Align one cluster (n, 3); return the image, which atom went to each place, and whether it was mirrored."""
    goal, centred = reference - reference.mean(0), x - x.mean(0)
    best: tuple[float, Array, Array, bool] | None = None
    for turn, mirrored in _turns(centred, goal):
        for _ in range(ROUNDS):
            order = linear_sum_assignment(_squares(goal, centred @ turn))[1]
            before, turn = turn, _kabsch(centred[order], goal, mirrored)
            if np.abs(turn - before).max() <= 1e-12:
                break
        image = centred[order] @ turn
        distance = float(np.linalg.norm(image - goal))
        if best is None or distance < best[0]:
            best = distance, image, order, mirrored
    assert best is not None
    return best[1] + reference.mean(0), best[2], np.array(best[3])


def _turns(x: Array, goal: Array) -> list[tuple[Array, bool]]:
    """The three rotations, or reflections, suggested by triples of atoms, that leave the atoms nearest to places."""
    n = len(x)
    if n < 3:
        aside = np.array([[0.3, 0.5, 0.7], [0.7, -0.5, 0.3]])
        own, other = (_frame(np.concatenate([y[:1] - y[-1:], aside])) for y in (x, goal))
        return [(own.T @ other, False)]
    triples = _triples(n)
    sides = _sides(goal[triples])
    # The largest triangle of the reference, by Heron's formula.
    half = sides.sum(1) / 2
    chosen = (half * (half[:, None] - sides).prod(1)).argmax()
    misfit = np.abs(_sides(x[triples]) - sides[chosen]).sum(1)
    frames = _frame(x[triples[misfit.argsort(kind="stable")[:FRAMES]]])
    other = _frame(goal[triples[chosen]])
    turns = np.concatenate([frames.transpose(0, 2, 1) @ other, (frames * MIRROR).transpose(0, 2, 1) @ other])
    misplaced = _squares(goal, x @ turns).min(2).sum(1)
    return [(turns[i], bool(i >= len(frames))) for i in misplaced.argsort(kind="stable")[:3]]


@cache
def _triples(n: int) -> Array:
    """All ordered triples of n atoms."""
    return np.array(list(permutations(range(n), 3)))


def _squares(x: Array, y: Array) -> Array:
    """Squared distances (..., n, m) of points."""
    difference = x[..., :, None, :] - y[..., None, :, :]
    squares: Array = (difference * difference).sum(-1)
    return squares


def _sides(triples: Array) -> Array:
    """The three distances in each triple of points (t, 3, 3)."""
    difference = triples - np.roll(triples, 1, axis=-2)
    sides: Array = np.sqrt((difference * difference).sum(-1))
    return sides


def _frame(triples: Array) -> Array:
    """Right-handed orthonormal rows (..., 3, 3) that go with three points."""
    first = _unit(triples[..., 1, :] - triples[..., 0, :])
    normal = _unit(np.cross(first, triples[..., 2, :] - triples[..., 0, :]))
    return np.stack([first, np.cross(normal, first), normal], axis=-2)


def _unit(x: Array) -> Array:
    """Vectors (..., 3) made one long, zero ones left."""
    unit: Array = x / np.maximum(np.linalg.norm(x, axis=-1, keepdims=True), 1e-300)
    return unit


def _kabsch(x: Array, goal: Array, mirrored: bool) -> Array:
    """The rotation Q, or reflection where `mirrored`, that brings x @ Q nearest to the goal (Kabsch 1976)."""
    left, _, right = np.linalg.svd(x.T @ goal)
    wrong = bool(np.linalg.det(left @ right) < 0) != mirrored
    turn: Array = (left * np.array([1.0, 1.0, -1.0 if wrong else 1.0])) @ right
    return turn
