"""The chart that an exploration fills in: minima, saddles, and which two minima each saddle joins."""

from __future__ import annotations

from dataclasses import dataclass, field

import torch
from torch import Tensor

from tda_landscape.connecting._untried import Untried
from tda_landscape.energy import Energy
from tda_landscape.energy._batching import drive
from tda_landscape.energy.symmetry import Symmetry
from tda_landscape.minima._atlas import Atlas
from tda_landscape.minima._climb import climb, push_up
from tda_landscape.minima._descend import Descents, Trail, descend, push_off
from tda_landscape.minima._settle import Settled, settle
from tda_landscape.minima._spectrum import Spectra
from tda_landscape.topology import MergeTree, merge_tree

PUSH, DOWN = 0.4, 0.6
"""First displacement from a minimum and from a saddle, relative to the radius of the climbs."""

TILT = 0.1
"""How far aside a way down begins: what all other modes take of the energy that is gained, as a square root."""

SINGLE, SOFTNESS = 0.25, 0.25
"""Share of climbs along one eigenvector; others take random combinations weighted by eigenvalue^-SOFTNESS."""

FAR, FARTHEST = 0.5, 16
"""Share of climbs that are pushed farther, and the most times as far. From close to its minimum a climb is drawn into
one of a few valleys; what lies behind the fork of one it may miss many times, and reach from farther out."""

SETTLED = 1e-9
"""Gradient, relative to 1 + |E|, that Newton steps go down to; a thousand times that is still accepted."""


@dataclass(frozen=True, slots=True)
class Side:
    """One way down from a saddle: the minimum it ends in, the sheet of that image, and the trail."""

    minimum: int
    sheet: Tensor | None
    trail: Trail


NOWHERE = Side(-1, None, Trail())


@dataclass(slots=True)
class Chart:
    """What is known of a landscape, and the scales that its first descents showed.

    For each saddle `sides` and `steepness`, the gradient left at it; for each minimum `climbs`, how many began there,
    and `reached`, how many descents ended there. `untried` are variants of minima.
    """

    energy: Energy
    symmetry: Symmetry | None
    generator: torch.Generator
    radius: float
    spread: float
    small: float
    minima: Atlas
    saddles: Atlas
    untried: Untried
    sides: list[tuple[Side, Side]] = field(default_factory=list)
    steepness: list[float] = field(default_factory=list)
    climbs: list[int] = field(default_factory=list)
    reached: list[int] = field(default_factory=list)
    starts: int = 0
    starts_cost: float = 0.0
    variants_cost: float = 0.0

    def start(self, number: int) -> None:
        """Descend from fresh starts."""
        points = self.energy.start(number, self.generator)
        (found,) = drive(self.energy, [descend(points, 0.1 * self.spread, self.small, self.minima)])
        self.enter_starts(found)

    def enter_starts(self, found: Descents) -> None:
        """Enter the ends of descents from fresh starts, each a hit of its minimum."""
        self.starts += len(found.known)
        for minimum in self._minima_of(found):
            if minimum >= 0:
                self.minima.hits[minimum] += 1

    def start_variants(self, number: int) -> None:
        """Descend from variants of minima; some stay in symmetric subspaces, where saddles end them."""
        points = self.untried.take(number, self.energy)
        task = descend(points, 0.1 * self.spread, self.small, self.minima, saddles=self.saddles)
        (found,) = drive(self.energy, [task])
        for saddle in found.saddle[found.saddle >= 0].tolist():
            self.saddles.hits[saddle] += 1
        self._minima_of(found)

    def search(self, number: int, below: float, ceiling: float) -> None:
        """Climb from the minima with the fewest climbs so far; enter what is found.

        Those that begin farther away do so at energies `below` one; all are given up above the `ceiling`.
        """
        which = self._least_climbed(number)
        hessians, modes = self.minima.spectra[which].hessians(), self._directions(which)
        starts, longest = self._climb_starts(which, modes, hessians, below)
        ends = climb(self.energy, self.symmetry, starts, modes, hessians, longest / 2, longest, ceiling, self.saddles)
        for row in range(number):
            if ends.known[row] >= 0:
                self.saddles.hits[int(ends.known[row])] += 1
            elif ends.arrived[row]:
                here = slice(row, row + 1)
                self._enter_saddle(ends.points[here], ends.energies[here], ends.gradients[here])

    def tree(self) -> MergeTree:
        """The merge tree of the minima; edges are numbered as the saddles, those that join nothing never merge."""
        heights = [
            float(energy) if min(a.minimum, b.minimum) >= 0 else torch.inf
            for energy, (a, b) in zip(self.saddles.energies, self.sides, strict=True)
        ]
        edges = [(max(a.minimum, 0), max(b.minimum, 0)) for a, b in self.sides]
        return merge_tree((self.minima.energies.numpy(), edges, heights))

    def _enter_saddle(self, point: Tensor, energy: Tensor, gradient: Tensor) -> None:
        """Enter one point near a stationary point, if it is a saddle of index 1, and both its ways down."""
        known = int(self.saddles.recognize(point, energy, gradient)[0])
        if known < 0:
            settled = settle(self.energy, point, self.symmetry, self.radius, SETTLED)
            if _is(settled, index=1):
                self._enter_settled(settled)
            return
        self.saddles.hits[known] += 1

    def _enter_settled(self, saddle: Settled) -> None:
        """Enter one saddle of index 1, a hit of it if it is known."""
        known = self.saddles.find(saddle.points, saddle.energies)
        if known < 0:
            known = self.saddles.add(saddle.points, saddle.energies, saddle.spectrum)
            self.steepness.append(float(saddle.gradient_norm[0]))
            self.sides.append((NOWHERE, NOWHERE))  # a way down may bring, and enter, another saddle
            self.sides[known] = self._ways_down(saddle)
        self.saddles.hits[known] += 1

    def _ways_down(self, saddle: Settled) -> tuple[Side, Side]:
        """Descend to both sides of a saddle."""
        step = DOWN * self.radius
        both = push_off(self.energy, saddle.points, saddle.energies, self._tilted(saddle.spectrum), step)
        (found,) = drive(self.energy, [descend(both, step, self.small, self.minima)])
        first, second = self._minima_of(found)
        return self._side(first, found.trails[0]), self._side(second, found.trails[1])

    def _tilted(self, spectrum: Spectra) -> Tensor:
        """Unit vector (1, d) along the mode that goes down, a little aside: no symmetry leads it to another saddle."""
        values = spectrum.values
        random = torch.randn(values.shape, generator=self.generator, dtype=values.dtype) / values.shape[1] ** 0.5
        aside = TILT * random * (values[:, :1] / values).abs().sqrt()
        aside[:, 0] = 1
        modes = spectrum.assemble(aside)
        unit: Tensor = modes / modes.norm(dim=1, keepdim=True)
        return unit

    def _side(self, minimum: int, trail: Trail) -> Side:
        """End a trail at the minimum itself."""
        sheet = None
        if minimum >= 0:
            image, sheets = self.minima.image(torch.tensor([minimum]), trail.points[-1][None])
            sheet = None if sheets is None else sheets[0]
            trail.append(image[0], self.minima.energies[minimum], torch.zeros_like(image[0]))
        return Side(minimum, sheet, trail)

    def _minima_of(self, found: Descents) -> list[int]:
        """Numbers of the minima that descents ended in, new ones entered, and saddles; -1 where one ended in none."""
        numbers: list[int] = found.known.tolist()
        for row in torch.nonzero(found.arrived).flatten().tolist():
            settled = settle(self.energy, found.walkers.points[row, None], self.symmetry, self.radius, SETTLED)
            if _is(settled, index=1):
                self._enter_settled(settled)
            if not _is(settled, index=0):
                continue
            numbers[row] = self.minima.find(settled.points, settled.energies)
            if numbers[row] < 0:
                wrapped = self.energy.wrap(settled.points)
                numbers[row] = self.minima.add(wrapped, settled.energies, settled.spectrum)
                self.climbs.append(0)
                self.reached.append(0)
                self.untried.add(wrapped, self.generator)
        for minimum in numbers:
            if minimum >= 0:
                self.reached[minimum] += 1
        return numbers

    def _least_climbed(self, number: int) -> Tensor:
        """The minima that climbs are to start from: those with the fewest so far, lowest first."""
        chosen = []
        for _ in range(number):
            i = min(range(len(self.climbs)), key=lambda i: (self.climbs[i], float(self.minima.energies[i])))
            self.climbs[i] += 1
            chosen.append(i)
        return torch.tensor(chosen)

    def _climb_starts(self, which: Tensor, modes: Tensor, hessians: Tensor, below: float) -> tuple[Tensor, Tensor]:
        """Points (k, d) that climbs from minima begin at, and the longest step (k,) of each climb."""
        points, floors, first = self.minima.points[which], self.minima.energies[which], PUSH * self.radius
        far = torch.rand(len(which), generator=self.generator) < FAR
        times = 1 + (FARTHEST - 1) * torch.rand(len(which), generator=self.generator, dtype=floors.dtype)
        push = torch.where(far, first * times, first)
        far[far.clone()] = self.energy((points + push[:, None] * modes)[far]) < below
        near = ~far
        push[near] = push_up(self.energy, points[near], floors[near], modes[near], hessians[near], first)
        return points + push[:, None] * modes, torch.where(far, self.radius, push / PUSH)

    def _directions(self, which: Tensor) -> Tensor:
        """Unit vectors (k, d): soft random combinations of eigenvectors, some of them single ones.

        Single eigenvectors alone stay in symmetric subspaces and end at saddles of higher index.
        """
        spectrum = self.minima.spectra[which]
        values, free = spectrum.values, ~spectrum.values.isinf()
        stiff = spectrum.scale[:, None]
        weights = torch.where(free, values.clamp(min=1e-6 * stiff) ** -SOFTNESS, 0.0)
        along = weights * torch.randn(values.shape, generator=self.generator, dtype=values.dtype)
        single = torch.rand(len(which), generator=self.generator) < SINGLE
        chosen = (torch.rand(len(which), generator=self.generator) * free.sum(1)).long()
        sign = torch.where(torch.rand(len(which), generator=self.generator) < 0.5, 1.0, -1.0).to(values.dtype)
        one = torch.zeros_like(along).scatter(1, chosen[:, None], sign[:, None])
        directions = spectrum.assemble(torch.where(single[:, None], one, along))
        unit: Tensor = directions / directions.norm(dim=1, keepdim=True)
        return unit


def _is(settled: Settled, index: int) -> bool:
    """Whether one point is stationary, with exactly that many negative eigenvalues and none that is zero."""
    small = float(settled.gradient_norm[0]) <= 1e3 * SETTLED * (1 + abs(float(settled.energies[0])))
    return small and int(settled.index[0]) == index


def first_chart(
    energy: Energy, symmetry: Symmetry | None, generator: torch.Generator, number: int, steepness: float, reach: float
) -> Chart:
    """Descend from the first fresh starts and read the scales of the landscape off them.

    The gradient is small below `steepness` times its median at the starts; climbs step `reach` times as far as
    one coordinate typically goes in a descent.
    """
    points = energy.start(number, generator)
    spread = float((points - points.mean(0)).square().mean()) ** 0.5 or 1.0
    _, gradients = energy.value_and_grad(points)
    small = steepness * float(gradients.norm(dim=1).nanmedian())
    (found,) = drive(energy, [descend(points, 0.1 * spread, small, None)])
    went = (found.walkers.points - points).norm(dim=1)[found.arrived]
    length = float(went.median()) / energy.dim**0.5 if len(went) else spread
    atlases = (Atlas(energy, symmetry, length), Atlas(energy, symmetry, length))
    chart = Chart(energy, symmetry, generator, reach * length, spread, small, *atlases, Untried(symmetry))
    chart.enter_starts(found)
    return chart
