"""A strand of beads, and what is known of the energy on the segments between them."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from tda_landscape.energy._batching import Meter, Task, finite_or_inf
from tda_landscape.energy._downhill import Walkers
from tda_landscape.paths._polynomial import corrected, cubic, grid, vertex, worth_a_value

FIRST_RADIUS = 0.1  # trust radius of a new bead, relative to the distance of the ends
SURELY_HIGH = 1.3  # predicted excess, over the allowed one, that makes a value unnecessary
CHECKS = 5  # values that check a segment
SHARPENINGS = 2  # times that the values around a maximum are drawn nearer to it
UNKNOWN, MEASURED, EXPECTED, CHECKED, SHARP = range(5)  # what is known of the maximum of a segment
SEGMENT = ("peak", "where", "known", "doubt")


@dataclass(slots=True)
class Strand:
    """Beads and segments; the first and the last bead never move.

    `peak` (n-1,) is the highest energy known of each segment, `where` its place in [0, 1], `known` how it is known,
    `doubt` by how much an expected peak may be wrong.
    """

    beads: Walkers
    peak: Tensor
    where: Tensor
    known: Tensor
    doubt: Tensor
    chord: float
    meter: Meter

    @classmethod
    def through(cls, line: Tensor, chord: float, meter: Meter) -> Strand:
        """Put beads on the vertices of a polyline (n, d); nothing is evaluated yet."""
        n = len(line) - 1
        peak, where, doubt = torch.full((3, n), torch.inf, dtype=line.dtype)
        where.fill_(0.5)
        known = torch.full((n,), UNKNOWN)
        return cls(Walkers.at(line, FIRST_RADIUS * chord), peak, where, known, doubt, chord, meter)

    @property
    def size(self) -> int:
        """Number of beads, with the ends."""
        return len(self.beads.points)

    @property
    def height(self) -> float:
        """Highest energy of beads and segments, as far as it is known."""
        return max(float(self.beads.energies.max()), float(self.peak.max()))

    @property
    def bound(self) -> float:
        """Highest energy if half the doubts come true."""
        doubt = torch.where(self.known < CHECKED, self.doubt / 2, 0.0)
        return max(float(self.beads.energies.max()), float((self.peak + doubt).max()))

    def part(self, first: int, last: int) -> Strand:
        """Copy the beads first..last and the segments between them."""
        rows = slice(first, last)
        peak, where, known, doubt = (getattr(self, name)[rows].clone() for name in SEGMENT)
        beads = self.beads.take(slice(first, last + 1))
        return Strand(beads, peak, where, known, doubt, self.chord, self.meter)

    def copy(self) -> Strand:
        """Copy the whole strand."""
        return self.part(0, self.size - 1)

    @classmethod
    def join(cls, parts: list[Strand]) -> Strand:
        """Join parts of which each begins at the bead where the one before ends."""
        beads = parts[0].beads
        for part in parts[1:]:
            beads.insert(len(beads.points), part.beads.take(slice(1, None)))
        peak, where, known, doubt = (torch.cat([getattr(part, name) for part in parts]) for name in SEGMENT)
        return cls(beads, peak, where, known, doubt, parts[0].chord, parts[0].meter)

    def insert(self, segment: int, kick: float, generator: torch.Generator) -> None:
        """Put a bead at the maximum of a segment, kicked off the line by a share of its length."""
        x = self.beads.points
        step = x[segment + 1] - x[segment]
        noise = torch.randn(step.shape, generator=generator, dtype=step.dtype)
        point = x[segment] + self.where[segment] * step + kick * step.norm() * noise / noise.norm()
        self.beads.insert(segment + 1, Walkers.at(point[None], FIRST_RADIUS * self.chord))
        for name, value in zip(SEGMENT, (torch.inf, 0.5, UNKNOWN, torch.inf), strict=True):
            old = getattr(self, name)
            setattr(self, name, torch.cat([old[:segment], old.new_full((2,), value), old[segment + 1 :]]))

    def forget(self, moved: Tensor) -> None:
        """Nothing is known any more of the segments at beads that moved."""
        for segments in (moved - 1, moved):
            self.known[segments], self.doubt[segments] = UNKNOWN, torch.inf

    def check(self, floor: float, threshold: float) -> Task[None]:
        """Decide for each changed segment whether it stays below the threshold, with as few values as that takes.

        The cubic through end energies and slopes says where the maximum is expected. One value there corrects it to
        a quartic; where even twice the correction leaves the segment below, that is enough.
        """
        new = torch.nonzero(self.known < MEASURED).flatten()
        if len(new):
            curve = self._cubic(new)
            predicted, at = curve.max(1)
            high = predicted > floor + SURELY_HIGH * (threshold - floor)
            self.peak[new[high]] = predicted[high]
            self.where[new[high]] = grid(curve.dtype)[at[high]].clamp(0.15, 0.85)
            yield from self._expect(new[~high], curve[~high], threshold)
        yield from self.measure(torch.nonzero(self._doubtful(threshold)).flatten())

    def _expect(self, segments: Tensor, curve: Tensor, threshold: float) -> Task[None]:
        """Correct the cubics (s, 31) of some segments by one value each."""
        if not len(segments):
            return
        at, t = worth_a_value(curve), grid(curve.dtype)
        values = yield from self.meter.values(self._on(segments, t[at][:, None])[:, 0])
        wrong = finite_or_inf(values) - curve.gather(1, at[:, None])[:, 0]
        highest, top = corrected(curve, at, wrong).max(1)
        self.peak[segments] = torch.maximum(highest, values).nan_to_num(nan=torch.inf)
        self.where[segments] = t[top].clamp(0.1, 0.9)
        self.doubt[segments] = wrong.abs()
        self.known[segments] = torch.where(self.peak[segments] <= threshold, EXPECTED, MEASURED)

    def _doubtful(self, threshold: float) -> Tensor:
        """Which segments have not been seen to be high and may be so all the same."""
        unsure = (self.known == EXPECTED) & ~(self.peak + self.doubt <= threshold)
        return unsure | (self.known == MEASURED) & (self.peak <= threshold)

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
        predicted, where = self.expected(segments)
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
            best = self.where[row] + width * vertex(values[1], middle[0, 0], values[2])
            self._note(row, t, values[None])
            top = yield from self.meter.values(self._on(row, best[:, None].clamp(0, 1))[0])
            self._note(row, best[:, None].clamp(0, 1), top[None])
        self.known[segment] = SHARP

    def _note(self, segments: Tensor, t: Tensor, values: Tensor) -> None:
        """Record the highest of some values (s, c) at t (s, c), unless a higher one was measured before."""
        highest, index = finite_or_inf(values).max(1)
        place = t.gather(1, index[:, None])[:, 0]
        guess = (self.known[segments] < MEASURED) | (self.known[segments] == EXPECTED)
        better = (highest > self.peak[segments]) | guess
        self.known[segments] = self.known[segments].clamp(min=MEASURED)
        self.peak[segments] = torch.where(better, highest, self.peak[segments])
        self.where[segments] = torch.where(better, place, self.where[segments])

    def expected(self, segments: Tensor) -> tuple[Tensor, Tensor]:
        """How high the cubics of some segments get, and where; costs nothing."""
        curve = self._cubic(segments)
        predicted, at = curve.max(1)
        return predicted, grid(curve.dtype)[at]

    def _cubic(self, segments: Tensor) -> Tensor:
        """The cubic through end energies and slopes, on the grid (s, 31); costs nothing."""
        f, g, x = self.beads.energies, self.beads.gradients, self.beads.points
        step = x[segments + 1] - x[segments]
        slopes = (g[segments] * step).sum(1), (g[segments + 1] * step).sum(1)
        return cubic((f[segments], f[segments + 1]), slopes)

    def _on(self, segments: Tensor, t: Tensor) -> Tensor:
        """Points (s, c, d) of segments (s,) at fractions (s, c)."""
        x = self.beads.points
        return x[segments, None] + t[:, :, None] * (x[segments + 1] - x[segments])[:, None]
