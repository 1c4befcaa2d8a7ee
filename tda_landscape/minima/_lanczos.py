"""The two lowest eigenvalues of a symmetric operator from its products alone: block Lanczos.

Two starts at once, since the space of one start holds one direction of each eigenspace and sees a double eigenvalue
once. Every new direction is made orthogonal to all others, and the space is kept as long as memory allows: the lowest
eigenvalues of networks lie close together, and a method that restarts (ARPACK) took 5 to 20 times as many products.
"""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor

DECIDED = 1e-4
"""Residual, relative to the smaller one of the two eigenvalues, that leaves no doubt about their signs."""

LOOK = 10
"""Steps between two looks at the eigenvalues."""

MEMORY, SPACE, KEPT = 2**26, 400, 40
"""Numbers that the directions, and as many that their images may take; directions at most; those kept when there are so
many."""

MOST = 1200
"""Products after which the search ends with the residual that is left."""


def two_lowest(product: Callable[[Tensor], Tensor], starts: Tensor, tolerance: float) -> tuple[Tensor, Tensor, Tensor]:
    """Eigenvalues (2,), their error, and eigenvectors (2, d), looked for from `starts` (2, d).

    The error is the largest residual |H v - lambda v|, or `tolerance` of the largest eigenvalue where that is more: the
    products are no better. Ends where the residual is so small or leaves no doubt about the signs.
    """
    most = max(2 * KEPT, min(SPACE, MEMORY // starts.shape[1]))
    space, images = starts[:0], starts[:0]
    block, products, step = _orthonormal(starts, space), 0, 0
    while True:
        made = product(block)
        space, images = torch.cat([space, block]), torch.cat([images, made])
        products, step = products + len(block), step + 1
        block = _orthonormal(made, space)
        done = products >= MOST or not len(block)
        full = len(space) + len(block) > most
        if not (done or full or step % LOOK == 0):
            continue
        small = space @ images.T
        values, vectors = torch.linalg.eigh((small + small.T) / 2)
        lowest = vectors[:, :2].T
        residual = (lowest @ images - values[:2, None] * (lowest @ space)).norm(dim=1).amax()
        least = tolerance * values.abs().amax()
        if done or residual <= torch.maximum(least, DECIDED * values[:2].abs().amin()):
            return values[:2], torch.maximum(least, residual), lowest @ space
        if full:
            kept = vectors[:, :KEPT].T
            space, images = kept @ space, kept @ images


def _orthonormal(rows: Tensor, space: Tensor) -> Tensor:
    """Orthonormal rows for what rows add to a space, twice for rounding; without those that add nothing."""
    sizes = rows.norm(dim=1, keepdim=True)
    rows = (rows / sizes)[sizes[:, 0] > 0]
    added: list[Tensor] = []
    for row in rows:
        for _ in range(2):
            for others in (space, *(one[None] for one in added)):
                row = row - (row @ others.T) @ others
        if (size := row.norm()) > 1e-10:
            added.append(row / size)
    return torch.stack(added) if added else rows[:0]
