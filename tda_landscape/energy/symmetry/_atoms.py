"""Clusters of identical atoms: translation, rotation, inversion and permutation."""

from __future__ import annotations

import math
from dataclasses import dataclass
from itertools import permutations

import torch
from scipy.optimize import linear_sum_assignment
from torch import Tensor

from tda_landscape._errors import InputError

FRAMES = 24
"""Triples of atoms that are tried as the image of the reference's triple."""

ROUNDS = 4
"""Alternations of assignment and rotation, from the best frames."""


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
        moved = [self._align(p, r) for p, r in zip(self._atoms(points), self._atoms(references), strict=True)]
        if not moved:
            return points.clone(), torch.empty(0, self.degree, dtype=torch.int64)
        order = torch.stack([permutation for _, permutation, _ in moved])
        mirrored = torch.tensor([hand for *_, hand in moved])
        return torch.stack([image for image, *_ in moved]).reshape(points.shape), self._sheets(order, mirrored)

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

    def _align(self, x: Tensor, ref: Tensor) -> tuple[Tensor, Tensor, bool]:
        """Align one cluster; return the image (n, 3), which atom went to each place, and whether it was mirrored."""
        goal = ref - ref.mean(0)
        centred = x - x.mean(0)
        best: tuple[float, Tensor, Tensor, bool] | None = None
        for turn in self._turns(centred, goal):
            for _ in range(ROUNDS):
                order = torch.as_tensor(linear_sum_assignment(torch.cdist(goal, centred @ turn).square())[1])
                fitted = _kabsch(centred[order], goal, bool(torch.linalg.det(turn) < 0))
                if torch.allclose(fitted, turn, rtol=0, atol=1e-12):
                    break
                turn = fitted
            distance = float((centred[order] @ turn - goal).norm())
            if best is None or distance < best[0]:
                best = distance, centred[order] @ turn, order, bool(torch.linalg.det(turn) < 0)
        assert best is not None
        return best[1] + ref.mean(0), best[2], best[3]

    def _turns(self, x: Tensor, goal: Tensor) -> list[Tensor]:
        """The three rotations or reflections, suggested by triples of atoms, that leave the atoms nearest to places."""
        if self.n < 3:
            pair = [
                torch.stack([y[0] - y[-1], y.new_tensor([0.3, 0.5, 0.7]), y.new_tensor([0.7, -0.5, 0.3])])
                for y in (x, goal)
            ]
            return [_frame(pair[0]).mT @ _frame(pair[1])]
        triples = torch.tensor(list(permutations(range(self.n), 3)))
        area = torch.linalg.cross(goal[triples[:, 1]] - goal[triples[:, 0]], goal[triples[:, 2]] - goal[triples[:, 0]])
        chosen = goal[triples[area.norm(dim=1).argmax()]]
        misfit = (_sides(x[triples]) - _sides(chosen[None])).abs().sum(1)
        near = triples[misfit.argsort(stable=True)[:FRAMES]]
        frames = _frame(x[near])
        proper = frames.mT @ _frame(chosen)
        mirror = (frames * frames.new_tensor([1.0, 1.0, -1.0])[:, None]).mT @ _frame(chosen)
        turns = torch.cat([proper, mirror])
        misplaced = torch.cdist(goal.expand(len(turns), -1, -1), x @ turns).amin(2).square().sum(1)
        return list(turns[misplaced.argsort(stable=True)[:3]])


def _sides(triples: Tensor) -> Tensor:
    """The three distances in each triple of points (t, 3, 3)."""
    sides: Tensor = (triples - triples.roll(1, dims=-2)).norm(dim=-1)
    return sides


def _frame(triples: Tensor) -> Tensor:
    """Right-handed orthonormal rows (..., 3, 3) that go with three points."""
    first = triples[..., 1, :] - triples[..., 0, :]
    first = first / first.norm(dim=-1, keepdim=True).clamp(min=1e-300)
    normal = torch.linalg.cross(first, triples[..., 2, :] - triples[..., 0, :])
    normal = normal / normal.norm(dim=-1, keepdim=True).clamp(min=1e-300)
    return torch.stack([first, torch.linalg.cross(normal, first), normal], dim=-2)


def _kabsch(x: Tensor, goal: Tensor, mirrored: bool) -> Tensor:
    """The rotation Q, or reflection where `mirrored`, that brings x @ Q nearest to the goal (Kabsch 1976)."""
    left, _, right = torch.linalg.svd(x.mT @ goal)
    wrong = bool(torch.linalg.det(left @ right) < 0) != mirrored
    signs = x.new_tensor([1.0, 1.0, -1.0 if wrong else 1.0])
    turn: Tensor = (left * signs) @ right
    return turn
