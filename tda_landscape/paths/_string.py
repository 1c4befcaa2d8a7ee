"""A string of beads, and what is known of the energy on the segments between them."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from tda_landscape.energy._batching import Meter, Task, finite_or_inf
from tda_landscape.energy._downhill import Walkers

FIRST_RADIUS = 0.1  # trust radius of a new bead, relative to the distance of the ends
SURELY_HIGH = 1.3  # predicted excess, over the allowed one, that makes a value unnecessary
CHECKS = 5  # values that check a segment
SHARPENINGS = 2  # times that the values around a maximum are drawn nearer to it
UNKNOWN, MEASURED, CHECKED, SHARP = range(4)  # what is known of the maximum of a segment
GRID = torch.arange(1, 32, dtype=torch.float64) / 32


@dataclass(slots=True)
class String:
    """Beads and segments; the first and the last bead never move.

    `peak` (n-1,) is the highest energy known of each segment, `where` its place in [0, 1], `known` how it is known.
    """

    beads: Walkers
    peak: Tensor
    where: Tensor
    known: Tensor
    chord: float
    meter: Meter

    @classmethod
    def through(cls, line: Tensor, chord: float, meter: Meter) -> String:
        """Put beads on the vertices of a polyline (n, d); nothing is evaluated yet."""
        n = len(line) - 1
        peak, where = torch.full((2, n), torch.inf, dtype=line.dtype)
        where.fill_(0.5)
        return cls(Walkers.at(line, FIRST_RADIUS * chord), peak, where, torch.full((n,), UNKNOWN), chord, meter)

    @property
    def size(self) -> int:
        """Number of beads, with the ends."""
        return len(self.beads.points)

    @property
    def height(self) -> float:
        """Highest energy of beads and segments, as far as it is known."""
        return max(float(self.beads.energies.max()), float(self.peak.max()))

    def part(self, first: int, last: int) -> String:
        """Copy the beads first..last and the segments between them."""
        rows = slice(first, last)
        segments = (self.peak[rows].clone(), self.where[rows].clone(), self.known[rows].clone())
        return String(self.beads.take(slice(first, last + 1)), *segments, self.chord, self.meter)

    @classmethod
    def join(cls, parts: list[String]) -> String:
        """Join parts of which each begins at the bead where the one before ends."""
        beads = parts[0].beads
        for part in parts[1:]:
            beads.insert(len(beads.points), part.beads.take(slice(1, None)))
        peak, where, known = (torch.cat([getattr(p, name) for p in parts]) for name in ("peak", "where", "known"))
        return cls(beads, peak, where, known, parts[0].chord, parts[0].meter)

    def insert(self, segment: int, kick: float, generator: torch.Generator) -> None:
        """Put a bead at the maximum of a segment, kicked off the line by a share of its length."""
        x = self.beads.points
        step = x[segment + 1] - x[segment]
        noise = torch.randn(step.shape, generator=generator, dtype=step.dtype)
        point = x[segment] + self.where[segment] * step + kick * step.norm() * noise / noise.norm()
        self.beads.insert(segment + 1, Walkers.at(point[None], FIRST_RADIUS * self.chord))
        for name, value in (("peak", torch.inf), ("where", 0.5), ("known", UNKNOWN)):
            old = getattr(self, name)
            setattr(self, name, torch.cat([old[:segment], old.new_full((2,), value), old[segment + 1 :]]))

    def forget(self, moved: Tensor) -> None:
        """Nothing is known any more of the segments at beads that moved."""
        self.known[moved - 1] = UNKNOWN
        self.known[moved] = UNKNOWN

    def check(self, floor: float, threshold: float) -> Task[None]:
        """Decide for each changed segment whether it stays below the threshold, with as few values as that takes."""
        open_ = torch.nonzero(self.known < CHECKED).flatten()
        predicted, where = self.hermite(open_)
        high = (predicted > floor + SURELY_HIGH * (threshold - floor)) & (self.known[open_] < MEASURED)
        self.peak[open_[high]], self.where[open_[high]] = predicted[high], where[high].clamp(0.15, 0.85)
        unsure, where = open_[~high], where[~high].clamp(0.1, 0.9)
        if not len(unsure):
            return
        values = yield from self.meter.values(self._on(unsure, where[:, None])[:, 0])
        self._note(unsure, where[:, None], values[:, None])
        yield from self.measure(unsure[values <= threshold])

    def measure(self, segments: Tensor) -> Task[None]:
        """Evaluate those segments that are not checked yet at evenly spaced points."""
        segments = segments[self.known[segments] < CHECKED]
        if not len(segments):
            return
        t = ((torch.arange(CHECKS, dtype=self.peak.dtype) + 1) / (CHECKS + 1)).expand(len(segments), -1)
        values = yield from self.meter.values(self._on(segments, t).flatten(0, 1))
        self._note(segments, t, values.view(len(segments), -1))
        self.known[segments] = CHECKED

    def sharpen(self, first: int, last: int, below: float) -> Task[bool]:
        """Close in on the maximum between two beads; False as soon as it is not below a value.

        A segment can hide its maximum between two values; where the cubic through its ends expects one, it is
        looked at as well.
        """
        segments = torch.arange(first, last)
        yield from self.measure(segments)
        predicted, where = self.hermite(segments)
        while float(self.peak[first:last].max()) < below:
            hidden = predicted > self.peak[segments]
            score = torch.where(hidden, predicted, self.peak[segments])
            score[self.known[segments] == SHARP] = -torch.inf
            highest = int(score.argmax())
            if float(score[highest]) < float(self.peak[segments].max()) or bool(torch.isneginf(score[highest])):
                return True
            if hidden[highest]:
                row, t = segments[highest : highest + 1], where[highest : highest + 1, None]
                values = yield from self.meter.values(self._on(row, t)[0])
                self._note(row, t, values[None])
            yield from self._sharpen(first + highest)
        return False

    def _sharpen(self, segment: int) -> Task[None]:
        """Values near the highest one of a segment: evenly spaced ones do not see how far they are from the top."""
        row, width = torch.tensor([segment]), 1 / (CHECKS + 1)
        for _ in range(SHARPENINGS):
            width /= 4
            t = (self.where[row, None] + width * torch.tensor([[-2.0, -1.0, 1.0, 2.0]])).clamp(0, 1)
            middle = self.peak[row, None]
            values = yield from self.meter.values(self._on(row, t)[0])
            vertex = self.where[row] + width * _vertex(values[1], middle[0, 0], values[2])
            self._note(row, t, values[None])
            top = yield from self.meter.values(self._on(row, vertex[:, None].clamp(0, 1))[0])
            self._note(row, vertex[:, None].clamp(0, 1), top[None])
        self.known[segment] = SHARP

    def _note(self, segments: Tensor, t: Tensor, values: Tensor) -> None:
        """Record the highest of some values (s, c) at t (s, c), unless a higher one was measured before."""
        highest, index = finite_or_inf(values).max(1)
        place = t.gather(1, index[:, None])[:, 0]
        better = (highest > self.peak[segments]) | (self.known[segments] < MEASURED)
        self.known[segments] = self.known[segments].clamp(min=MEASURED)
        self.peak[segments] = torch.where(better, highest, self.peak[segments])
        self.where[segments] = torch.where(better, place, self.where[segments])

    def hermite(self, segments: Tensor) -> tuple[Tensor, Tensor]:
        """Highest value of the cubic through end energies and slopes, and where; costs nothing."""
        f, g, x = self.beads.energies, self.beads.gradients, self.beads.points
        step = x[segments + 1] - x[segments]
        f0, f1 = f[segments, None], f[segments + 1, None]
        s0, s1 = (g[segments] * step).sum(1)[:, None], (g[segments + 1] * step).sum(1)[:, None]
        t = GRID.to(f.dtype)
        cubic = (2 * t**3 - 3 * t**2 + 1) * f0 + (t**3 - 2 * t**2 + t) * s0
        cubic = cubic + (3 * t**2 - 2 * t**3) * f1 + (t**3 - t**2) * s1
        value, index = cubic.max(1)
        return value, t[index]

    def _on(self, segments: Tensor, t: Tensor) -> Tensor:
        """Points (s, c, d) of segments (s,) at fractions (s, c)."""
        x = self.beads.points
        return x[segments, None] + t[:, :, None] * (x[segments + 1] - x[segments])[:, None]


def _vertex(left: Tensor, middle: Tensor, right: Tensor) -> Tensor:
    """Where the parabola through values at -1, 0, 1 is highest, within [-2, 2]; 0 where it opens upwards."""
    bend = left - 2 * middle + right
    at = torch.where(bend < 0, (left - right) / (2 * bend), torch.zeros_like(bend))
    return at.nan_to_num(nan=0.0).clamp(-2, 2)
