"""One rung of a ladder: bring a strand below a threshold, or leave its lowest crossings behind."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from tda_landscape.energy._batching import Task
from tda_landscape.energy._downhill import step_down
from tda_landscape.paths._lowest import Lowest
from tda_landscape.paths._strand import Strand

MAX_STEPS = 60  # of a bead
LEAST_NEED = 0.3  # share of the excess that a step asks for at least
STALLS, SMALL_GAIN = 4, 0.03  # steps in a row that gain less than this share of the excess
ENOUGH = 0.25  # a stalled bead is low enough this far from the threshold towards the target
MAX_DEPTH = 8  # insertions into insertions: beyond, beads only fall off a ridge to one side or the other
WATCHED_DEPTH = 2  # insertions into insertions from which on the lowest crossing is remembered


@dataclass(frozen=True, slots=True)
class Rung:
    """A threshold and what may be spent on it.

    Beads are brought down to `target`; heights are seen relative to `floor`, the higher end of the strand.
    """

    floor: float
    threshold: float
    target: float
    kick: float
    max_beads: int
    budget: float

    def bring_below(self, strand: Strand, generator: torch.Generator, lowest: Lowest) -> Task[tuple[Strand, bool]]:
        """Move and insert beads until every segment is at or below the threshold.

        Where that fails, beads have been falling off a ridge to one side or the other, and the strand has
        crossed it in many places: of every segment that was high, the lowest crossing seen is put back.
        """
        if not (yield from self._descend(strand, torch.arange(1, strand.size - 1))):
            return strand, False
        yield from self._check(strand, lowest)
        family, depth = torch.arange(strand.size - 1), torch.zeros(strand.size - 1, dtype=torch.int64)
        crossings: dict[int, Strand] = {}
        while True:
            high = torch.nonzero(~(strand.peak <= self.threshold)).flatten()
            if not len(high):
                return strand, True
            yield from self._remember(strand, family, depth, high, crossings)
            spent = strand.size + len(high) > self.max_beads or strand.meter.spent >= self.budget
            if spent or int(depth[high].max()) >= MAX_DEPTH:
                return _put_back(strand, family, crossings), False
            for segment in high.flip(0).tolist():
                strand.insert(segment, self.kick, generator)
            copies = torch.ones_like(depth).index_fill(0, high, 2)
            depth = (depth + copies - 1).repeat_interleave(copies)
            family = family.repeat_interleave(copies)
            new = high + torch.arange(1, len(high) + 1)
            if not (yield from self._descend(strand, new)):
                return _put_back(strand, family, crossings), False
            yield from self._check(strand, lowest)

    def _check(self, strand: Strand, lowest: Lowest) -> Task[None]:
        """Look where the strand is high; as it is, it may be the lowest already."""
        yield from strand.check(self.floor, self.threshold)
        if not lowest.settled:
            yield from lowest.offer(strand)

    def _descend(self, strand: Strand, rows: Tensor) -> Task[bool]:
        """Bring some inner beads to the target, or at least well below the threshold."""
        beads = strand.beads
        yield from beads.evaluate_new(strand.meter)
        low_enough = self.threshold - ENOUGH * (self.threshold - self.target)
        open_ = rows[beads.energies[rows] > self.target]
        stalled = torch.zeros(strand.size, dtype=torch.int64)
        for _ in range(MAX_STEPS):
            if not len(open_):
                break
            excess = (beads.energies[open_] - self.floor).abs().clamp(min=1e-300)
            need = torch.maximum(beads.energies[open_] - self.target, LEAST_NEED * excess)
            moved, gain = yield from step_down(beads, open_, need, strand.meter)
            strand.forget(open_[moved])
            stalled[open_] = torch.where(moved & (gain > SMALL_GAIN * excess), 0, stalled[open_] + 1)
            given_up = (stalled[open_] >= STALLS) & (beads.energies[open_] <= low_enough)
            open_ = open_[(beads.energies[open_] > self.target) & ~given_up]
        return bool((beads.energies[rows] <= low_enough).all())

    def _remember(
        self, strand: Strand, family: Tensor, depth: Tensor, high: Tensor, crossings: dict[int, Strand]
    ) -> Task[None]:
        """Keep, for each high segment that the rung began with, what came of it at its lowest."""
        for name in torch.unique(family[high[depth[high] >= WATCHED_DEPTH]]).tolist():
            first, last = _span(family, name)
            below = crossings[name].height if name in crossings else torch.inf
            if float(strand.peak[first:last].max()) < below and (yield from strand.sharpen(first, last, below)):
                crossings[name] = strand.part(first, last)


def _put_back(strand: Strand, family: Tensor, crossings: dict[int, Strand]) -> Strand:
    """The strand with the lowest crossing of each family."""
    parts = []
    for name in range(int(family.max()) + 1):
        parts.append(crossings[name] if name in crossings else strand.part(*_span(family, name)))
    return Strand.join(parts)


def _span(family: Tensor, name: int) -> tuple[int, int]:
    """First and last bead of a family of segments."""
    mine = torch.nonzero(family == name).flatten()
    return int(mine[0]), int(mine[-1]) + 1
