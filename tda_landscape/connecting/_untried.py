"""Starts near minima: variants of them that the symmetry names and that were not yet tried."""

from __future__ import annotations

from dataclasses import dataclass, field

import torch
from torch import Tensor

from tda_landscape.energy.symmetry import Symmetry, Varying

SAME_MARKS = 1e-6
"""Difference of invariants, relative to 1 + their length, within which points are taken for images of each other."""

MOST = 512
"""Variants of one minimum that are kept, at random: 38 atoms have 1,750, most of which would never have their turn."""


@dataclass(slots=True)
class Untried:
    """For each minimum the points (m, d) that are left, and how many were taken."""

    points: list[Tensor] = field(default_factory=list)
    taken: list[int] = field(default_factory=list)

    @property
    def left(self) -> int:
        """How many points are left."""
        return sum(map(len, self.points))

    def add(self, minimum: Tensor, symmetry: Symmetry | None, generator: torch.Generator) -> None:
        """Add the points made from one minimum (1, d), in random order: none is an image of it or of another."""
        points = minimum[:0]
        if isinstance(symmetry, Varying):
            made = symmetry.variants(minimum)
            if len(made) > MOST:
                made = made[torch.randperm(len(made), generator=generator)[:MOST]]
            marks = symmetry.invariants(torch.cat([minimum, made]))
            same = torch.cdist(marks, marks) <= SAME_MARKS * (1 + marks.norm(dim=1))
            points = made[~same.tril(-1).any(1)[1:]]
            points = points[torch.randperm(len(points), generator=generator)]
        self.points.append(points)
        self.taken.append(0)

    def take(self, number: int) -> Tensor:
        """Take some points (k, d), from the minima of which the fewest were taken."""
        chosen = [self.points[0][:0]]
        for _ in range(number):
            left = [i for i, points in enumerate(self.points) if len(points)]
            if not left:
                break
            i = min(left, key=self.taken.__getitem__)
            self.taken[i] += 1
            chosen.append(self.points[i][:1])
            self.points[i] = self.points[i][1:]
        return torch.cat(chosen)
