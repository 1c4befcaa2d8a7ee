"""Starts near minima: variants of them that the symmetry names and that were not yet tried."""

from __future__ import annotations

from dataclasses import dataclass, field

import torch
from torch import Tensor

from tda_landscape.energy import Energy
from tda_landscape.energy.symmetry import Symmetry, Varying

SAME_MARKS = 1e-6
"""Difference of invariants, relative to 1 + their length, within which points are taken for images of each other."""

SAME_LEVELS = 1e-9
"""Difference of energies, relative to 1 + their size, within which variants are probably images by a symmetry that is
not known, of the data say: a minimum that one leads to is an image of what the other leads to."""

COMPARED, KEPT = 512, 64
"""Variants of one minimum that are compared with each other and that are kept, at most, at random. Of 8 atoms 20 are
different; of 38 there are 1,750, and of a network of 20 units 400, most of which would never have their turn."""


@dataclass(slots=True)
class Untried:
    """For each minimum the points (m, d) that are left, and how many were taken.

    Where the symmetry asks for it those of a minimum stand highest first, but `novel` ones, whose energy was not seen
    before, before all others. `idle` were taken since a minimum was added.
    """

    symmetry: Symmetry | None
    points: list[Tensor] = field(default_factory=list)
    novel: list[int] = field(default_factory=list)
    taken: list[int] = field(default_factory=list)
    levels: list[Tensor] = field(default_factory=list)
    idle: int = 0

    @property
    def left(self) -> int:
        """How many points are left."""
        return sum(map(len, self.points))

    @property
    def tried(self) -> int:
        """How many were taken."""
        return sum(self.taken)

    def add(self, minimum: Tensor, generator: torch.Generator) -> None:
        """Add the points made from one minimum (1, d), in random order: none is an image of it or of another."""
        points = minimum[:0]
        if isinstance(self.symmetry, Varying):
            made = self.symmetry.variants(minimum)
            if len(made) > COMPARED:
                made = made[torch.randperm(len(made), generator=generator)[:COMPARED]]
            marks = self.symmetry.invariants(torch.cat([minimum, made]))
            same = torch.cdist(marks, marks) <= SAME_MARKS * (1 + marks.norm(dim=1))
            points = made[~same.tril(-1).any(1)[1:]]
            points = points[torch.randperm(len(points), generator=generator)[:KEPT]]
        self.points.append(points)
        self.taken.append(0)
        self.idle = 0

    def take(self, number: int, energy: Energy) -> Tensor:
        """Take some points (k, d), novel ones first, from the minima of which the fewest were taken."""
        for i in range(len(self.novel), len(self.points)):
            self._rank(i, energy)
        chosen = [self.points[0][:0]]
        for _ in range(number):
            left = [i for i, novel in enumerate(self.novel) if novel > 0]
            left = left or [i for i, points in enumerate(self.points) if len(points)]
            if not left:
                break
            i = min(left, key=self.taken.__getitem__)
            self.taken[i] += 1
            self.novel[i] -= 1
            self.idle += 1
            chosen.append(self.points[i][:1])
            self.points[i] = self.points[i][1:]
        return torch.cat(chosen)

    def _rank(self, i: int, energy: Energy) -> None:
        """Bring the points of one minimum into the order that the symmetry asks for."""
        points = self.points[i]
        self.novel.append(len(points))
        if isinstance(self.symmetry, Varying) and self.symmetry.highest_first:
            levels = energy(points)
            points = points[levels.isfinite()]
            levels, order = levels[levels.isfinite()].sort(descending=True)
            before = torch.cat([*self.levels, levels])
            near = (levels[:, None] - before).abs() <= SAME_LEVELS * (1 + levels[:, None].abs())
            seen = near.tril(len(before) - len(levels) - 1).any(1)
            self.points[i] = points[torch.cat([order[~seen], order[seen]])]
            self.novel[i] = int((~seen).sum())
            self.levels.append(levels[~seen])
