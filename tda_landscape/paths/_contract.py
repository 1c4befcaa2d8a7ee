"""Contracting a strand inside a sublevel set: sweeps that pull it tight, and bringing it back below the level."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from tda_landscape.energy._batching import Task, finite_or_inf
from tda_landscape.energy._downhill import remember, step_down
from tda_landscape.paths._pull import curvature_directions, pull
from tda_landscape.paths._strand import SHARP, Strand

FIRST_HOLD, HOLDS = 0.3, (1e-3, 1e3)  # of a bead to where it is, relative to the tension: at first, bounds
MEMORY = 16  # curvature pairs of a bead that are used
FORBIDDEN = 2.0  # beads do not go higher than this above the level, relative to the room
SPLIT, BULGE = 5.0, 0.5  # a segment gets a bead where it rises this above its ends: relative to the margin, to the room
BEADS, SEGMENTS = 0.3, 0.05  # shares of the margin that beads and segments must keep when brought back
MAX_STEPS = 24  # of bringing back
CHECK = 2  # gradient equivalents a segment, about


@dataclass(slots=True)
class Contraction:
    """A strand on its way to be shorter.

    `room` is the scale of energies: how far the level lies above the higher end. Beads are kept `margin` of it
    below the level. Each is held to its place more or less strongly (`hold`, (n,)), as far as its model was wrong;
    the first, the last and `fixed` ones (n,) never move.
    """

    strand: Strand
    hold: Tensor
    fixed: Tensor
    level: float
    room: float
    margin: float
    max_beads: int

    @classmethod
    def of(cls, strand: Strand, fixed: Tensor, level: float, room: float, margin: float, max_beads: int) -> Contraction:
        """Begin with a strand all of whose beads are evaluated; segments between fixed beads are known to be low."""
        still = fixed[:-1] & fixed[1:]
        strand.known[still], strand.peak[still], strand.doubt[still] = SHARP, -torch.inf, 0.0
        hold = torch.full((strand.size,), FIRST_HOLD, dtype=strand.peak.dtype)
        return cls(strand, hold, fixed, level, room, margin, max_beads)

    @property
    def length(self) -> float:
        """Length of the strand."""
        return float(self.strand.beads.points.diff(dim=0).norm(dim=1).sum())

    def sweep(self, tolerance: float) -> Task[float]:
        """Move all beads at once to where tension and models pull them; return how far in the mean.

        A model may be wrong by `tolerance` of the room before its bead is held more strongly.
        """
        limits = yield from self._limits()
        beads, rows = self.strand.beads, self._free()
        if not len(rows):
            return 0.0
        # Fixed beads count as ends of a contraction of their own: their hold is out of proportion.
        hold = torch.where(self.fixed, 1e9, self.hold)[1:-1]
        limits = torch.where(self.fixed[1:-1], torch.inf, limits)
        inner = slice(1, -1)
        directions = curvature_directions(beads.steps[inner, -MEMORY:], beads.changes[inner, -MEMORY:])
        energies, gradients = beads.energies[inner], beads.gradients[inner]
        step = pull(beads.points, energies, gradients, directions, limits, hold, 1e-6 * self.room)[rows - 1]
        size = step.norm(dim=1)
        step = step * (self.strand.chord / size.clamp(min=1e-300)).clamp(max=1)[:, None]
        bend = (directions[rows - 1] @ step[:, :, None])[:, :, 0].square().sum(1) / 2
        expected = beads.energies[rows] + (beads.gradients[rows] * step).sum(1) + bend
        found, slopes = yield from self.strand.meter.gradients(beads.points[rows] + step)
        found = finite_or_inf(found)
        finite = torch.isfinite(found) & torch.isfinite(slopes).all(1)
        remember(beads, rows[finite], step[finite], (slopes - beads.gradients[rows])[finite])
        self._trust(rows, (found - expected).abs() / (self.room * tolerance))
        low = (found <= self.level + FORBIDDEN * self.room) | (found <= beads.energies[rows])
        moved = rows[finite & low]
        beads.points[moved] += step[finite & low]
        beads.energies[moved], beads.gradients[moved] = found[finite & low], slopes[finite & low]
        self.strand.forget(moved)
        return float(size.clamp(max=self.strand.chord).mean())

    def bring_back(self, budget: float, reserve: float) -> Task[bool]:
        """Bring every bead and segment below the level again, moving only those that are not.

        False where that takes too many steps or beads, or would leave less than `reserve` gradient equivalents a bead.
        """
        strand, ceiling = self.strand, self.level - BEADS * self.margin * self.room
        for _ in range(MAX_STEPS):
            limits = yield from self._limits()
            if strand.size > self.max_beads or strand.meter.spent + (reserve + CHECK) * strand.size > budget:
                break
            beads, rows = strand.beads, self._free()
            rows = rows[beads.energies[rows] > ceiling]
            if len(rows):
                need = (beads.energies[rows] - limits[rows - 1]).clamp(min=self.margin * self.room)
                moved, _ = yield from step_down(beads, rows, need, strand.meter)
                strand.forget(rows[moved])
            else:
                high = yield from self._high(self.level - SEGMENTS * self.margin * self.room)
                if not len(high):
                    return True
                yield from self._split(high)
        return False

    def _high(self, ceiling: float) -> Task[Tensor]:
        """Numbers of the segments that rise above the ceiling and above their ends."""
        yield from self.strand.check(self.level - self.room, ceiling)
        return torch.nonzero(self.strand.peak > self._tops().clamp(min=ceiling)).flatten()

    def _free(self) -> Tensor:
        """Numbers of the beads that may move."""
        free = ~self.fixed
        free[[0, -1]] = False
        return torch.nonzero(free).flatten()

    def _tops(self) -> Tensor:
        """Energy of the higher end of each segment (n-1,)."""
        energies = self.strand.beads.energies
        return torch.maximum(energies[:-1], energies[1:])

    def _limits(self) -> Task[Tensor]:
        """Energies that the inner beads may have (k,): the less the more their segments rise between their ends.

        Segments that rise too much get a bead first.
        """
        while True:
            peak, where = self.strand.expected(torch.arange(self.strand.size - 1))
            rise = (peak - self._tops()).clamp(min=0)
            close = peak > self.level - 2 * self.margin * self.room
            bulging = (peak > self.level) & (rise > BULGE * self.room)
            bent = bulging | (close & (rise > SPLIT * self.margin * self.room))
            bent &= ~(self.fixed[:-1] & self.fixed[1:])
            rows = torch.nonzero(bent).flatten()
            if not len(rows) or self.strand.size + len(rows) > self.max_beads:
                most = torch.maximum(rise[:-1], rise[1:]).clamp(max=0.8 * self.room)
                return self.level - self.margin * self.room - most
            self.strand.where[rows] = where[rows].clamp(0.2, 0.8)
            yield from self._split(rows)

    def _split(self, segments: Tensor) -> Task[None]:
        """Put a bead on each of some segments, where it is known to be highest, and evaluate it."""
        unused = torch.Generator()
        for i in segments.flip(0).tolist():
            self.strand.insert(i, 0.0, unused)
            for name in ("hold", "fixed"):
                old = getattr(self, name)
                new = old[i : i + 1] if name == "hold" else torch.zeros_like(old[:1])
                setattr(self, name, torch.cat([old[: i + 1], new, old[i + 1 :]]))
        yield from self.strand.beads.evaluate_new(self.strand.meter)

    def _trust(self, rows: Tensor, error: Tensor) -> None:
        """Hold beads whose models were wrong more strongly, others less; errors in units of what is allowed."""
        factor = torch.full_like(error, 0.7)
        for above, value in ((1.0, 1.5), (3.0, 4.0)):
            factor[~(error <= above)] = value
        factor[error < 0.3] = 0.4
        self.hold[rows] = (self.hold[rows] * factor).clamp(*HOLDS)
