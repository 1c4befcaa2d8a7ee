"""Clusters of identical atoms: translation, rotation, inversion and permutation."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import ClassVar

import numpy as np
import torch
from torch import Tensor

from tda_landscape._errors import InputError
from tda_landscape.energy.symmetry._superpose import superpose
from tda_landscape.energy.symmetry._surface import elsewhere


@dataclass(frozen=True, slots=True)
class Atoms:
    """Identical atoms in space: E(x_1, ..., x_n) does not change when they move together, turn, swap or are mirrored.

    Parameters
    ----------
    n : int
        Number of atoms; a point is (3 n,), atom by atom.

    Examples
    --------
    >>> import tda_landscape as tl
    >>> symmetry = Atoms(7)
    >>> symmetry.describe(), symmetry.order
    ('permutations of 7 atoms, inversion, rotations and translations', 10080)
    """

    n: int
    highest_first: ClassVar[bool] = False
    """The highest variants lead back to the lowest minima."""

    @property
    def order(self) -> int:
        """Number of components of the group: 2 n!."""
        return 2 * math.factorial(self.n)

    @property
    def degree(self) -> int:
        """Sheets permute the n atoms and the two hands."""
        return self.n + 2

    def describe(self) -> str:
        """Say what the group is."""
        return f"permutations of {self.n} atoms, inversion, rotations and translations"

    def scramble(self, points: Tensor, generator: torch.Generator) -> tuple[Tensor, Tensor]:
        """Apply a random element to each point; return the images (k, d) and the sheets (k, n + 2)."""
        x = self._atoms(points)
        q, r = torch.linalg.qr(torch.randn(len(x), 3, 3, generator=generator, dtype=x.dtype))
        # Householder's Q of size 3 never mirrors; with positive R it is uniform, reflections included.
        turn = q * torch.where(r.diagonal(dim1=-2, dim2=-1) < 0, -1.0, 1.0)[:, None, :].to(q.dtype)
        shift = torch.randn(len(x), 1, 3, generator=generator, dtype=x.dtype)
        order = torch.rand(len(x), self.n, generator=generator).argsort(1)
        moved = (x @ turn + shift).gather(1, order[:, :, None].expand(-1, -1, 3))
        return moved.reshape(points.shape), self._sheets(order, torch.linalg.det(turn) < 0)

    def invariants(self, points: Tensor) -> Tensor:
        """All pair distances, sorted (k, n (n - 1) / 2): none changes by more than sqrt(2) |dx|."""
        i, j = torch.triu_indices(self.n, self.n, 1)
        x = self._atoms(points)
        distances: Tensor = (x[:, i] - x[:, j]).norm(dim=2)
        return distances.sort(dim=1).values

    def align(self, points: Tensor, references: Tensor) -> tuple[Tensor, Tensor]:
        """Move each point as near as can be found to its reference.

        Every triple of atoms whose distances are like those of a triple in the reference suggests a rotation;
        assignment (Hungarian) and rotation (Kabsch) alternate from the best of them.
        """
        pairs = zip(self._atoms(points).numpy(), self._atoms(references).numpy(), strict=True)
        moved = [superpose(p, r) for p, r in pairs]
        if not moved:
            return points.clone(), torch.empty(0, self.degree, dtype=torch.int64)
        images, orders, hands = (torch.from_numpy(np.stack(part)) for part in zip(*moved, strict=True))
        return images.reshape(points.shape), self._sheets(orders, hands)

    def variants(self, point: Tensor) -> Tensor:
        """Points (m, d) made from one point (1, d): each atom in turn on each place of the surface where it fits."""
        return elsewhere(self._atoms(point)[0]).flatten(1)

    def zero_modes(self, points: Tensor) -> Tensor:
        """Orthonormal translations and rotations (k, 6, d); fewer for atoms on a line."""
        x = self._atoms(points)
        x = x - x.mean(1, keepdim=True)
        axes = torch.eye(3, dtype=x.dtype)
        shifts = axes[None, :, None].expand(len(x), 3, self.n, 3) / math.sqrt(self.n)
        turns = torch.linalg.cross(axes[None, :, None].expand_as(shifts), x[:, None].expand_as(shifts))
        left, size, _ = torch.linalg.svd(turns.flatten(2).mT, full_matrices=False)
        turning = left.mT * (size > 1e-9 * (1e-300 + size[:, :1]))[:, :, None]
        return torch.cat([shifts.flatten(2), turning], dim=1)

    def _atoms(self, points: Tensor) -> Tensor:
        """Points (k, 3 n) as places (k, n, 3)."""
        if points.shape[1] != 3 * self.n:
            raise InputError(f"{self.n} atoms have {3 * self.n} coordinates, but points have {points.shape[1]}")
        atoms: Tensor = points.reshape(len(points), self.n, 3)
        return atoms

    def _sheets(self, order: Tensor, mirrored: Tensor) -> Tensor:
        """Image atom i was atom order[i]: as a permutation that carries old places to new ones, and the hands."""
        hands = torch.where(mirrored[:, None], torch.tensor([1, 0]), torch.tensor([0, 1]))
        return torch.cat([order.argsort(1), self.n + hands], dim=1)
