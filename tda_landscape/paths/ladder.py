"""Dynamic String Sampling as a descending ladder of thresholds: the default path search."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from tda_landscape._errors import expect_number, expect_whole
from tda_landscape.energy import Energy
from tda_landscape.energy._batching import Meter, Task, Watch
from tda_landscape.paths._loop import search_all
from tda_landscape.paths._lowest import Lowest
from tda_landscape.paths._path import Path, Stop
from tda_landscape.paths._rung import Rung
from tda_landscape.paths._strand import Strand


@dataclass(frozen=True, slots=True)
class Ladder:
    """Bring a polyline below one threshold after another.

    Each rung sets a threshold u between the height of the path and the highest threshold that failed. Beads
    above it descend, each by trust-region L-BFGS of its own whose step length solves for the wanted value; then
    every segment that rises above u gets a bead at its maximum, with a small random kick, without which a
    symmetric landscape is never left. Until a threshold fails, one value a segment has to do, placed by the
    energies and slopes at its ends; from then on, and before the ladder ends, heights are measured closely. It ends
    when the height cannot be lowered by more than `tolerance`; a threshold that failed is no proof that nothing
    lower exists.

    Freeman and Bruna, Topology and geometry of half-rectified network optimization, ICLR 2017 (Dynamic String
    Sampling), with thresholds on the excess over the higher end instead of factors of the loss.

    Parameters
    ----------
    budget : float
        Gradient equivalents a pair.
    tolerance : float
        Of the height, relative to the excess of the straight line over the higher end.
    ratio : float
        Where the next threshold stands between the highest one that failed (0) and the present height (1).
    slack : float
        How far below the threshold beads are brought, relative to the distance of threshold and height.
    kick : float
        Random displacement of a new bead, relative to its segment.
    max_beads : int
        Most beads of a path.

    Examples
    --------
    >>> import tda_landscape as tl
    >>> energy = tl.zoo.mueller_brown()
    >>> minima = tl.quench(energy, tl.sample(energy, chains=50))
    >>> path = tl.find_path(energy, minima.points[0], minima.points[1], search=Ladder())
    >>> abs(path.height + 40.66484) < 0.02
    True
    """

    budget: float = 800.0
    tolerance: float = 1e-3
    ratio: float = 0.5
    slack: float = 0.4
    kick: float = 0.02
    max_beads: int = 80

    def __post_init__(self) -> None:
        expect_number("(0, 1)", ratio=self.ratio, slack=self.slack)
        expect_number("[0, inf)", kick=self.kick)
        expect_number("(0, inf]", budget=self.budget, tolerance=self.tolerance)
        expect_whole("[3, inf)", max_beads=self.max_beads)

    def find(
        self,
        energy: Energy,
        starts: Tensor,
        ends: Tensor,
        generators: Sequence[torch.Generator],
        *,
        level: float | None = None,
        watch: Watch | None = None,
    ) -> list[Path]:
        """Return a verified path for each pair of rows (p, d)."""
        tasks = [
            self._climb_down(a, b, generator, -torch.inf if level is None else level)
            for a, b, generator in zip(starts, ends, generators, strict=True)
        ]
        return search_all(energy, tasks, watch, level)

    def _climb_down(self, a: Tensor, b: Tensor, generator: torch.Generator, level: float) -> Task[tuple[Tensor, Stop]]:
        """Search one pair; return the lowest polyline and why the search stopped."""
        meter = Meter()
        strand = Strand.through(torch.stack([a, b]), float((b - a).norm()), meter)
        yield from strand.beads.evaluate_new(meter)
        floor = float(strand.beads.energies.max())
        yield from strand.measure(torch.tensor([0]))
        if not strand.height < torch.inf:
            return strand.beads.points, Stop.NONFINITE
        flat = 1e-12 * (1 + abs(strand.height))
        close = max(flat, self.tolerance * (strand.height - floor))
        lowest = Lowest(strand.copy(), strand.height, 0.1 * close)
        yield from meter.report(lowest.strand.beads.points)
        failed, failures = floor, 0
        while True:
            stop = _why_stop(lowest.height, level, (floor, flat), (failed, close))
            if stop is not None and not lowest.settled:
                yield from lowest.settle()
                strand = lowest.strand.copy()
                continue
            if stop is not None or meter.spent >= self.budget:
                return lowest.strand.beads.points, stop or Stop.BUDGET
            # The more thresholds in a row have failed, the nearer to the height the next one is put.
            threshold = max(lowest.height - (lowest.height - failed) * (1 - self.ratio) ** (failures + 1), level)
            target = threshold - self.slack * (lowest.height - threshold)
            rung = Rung(floor, threshold, target, self.kick, self.max_beads, self.budget)
            strand, below = yield from rung.bring_below(strand, generator, lowest)
            if not below and not lowest.settled:
                yield from lowest.settle()
            yield from lowest.offer(strand)
            if below:
                failures = 0
            else:
                failed, failures = min(threshold, lowest.height), failures + 1
                strand = lowest.strand.copy()


def _why_stop(height: float, level: float, flat: tuple[float, float], close: tuple[float, float]) -> Stop | None:
    """Whether a height is low enough, or within a distance of the floor or of a threshold that failed."""
    if height <= level:
        return Stop.LEVEL
    if height - flat[0] <= flat[1]:
        return Stop.FLAT
    return Stop.CONVERGED if height - close[0] <= close[1] else None
