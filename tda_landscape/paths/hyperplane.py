"""Geodesic bisection: the nearest point of a sublevel set in the hyperplane midway between two points, recursively."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from tda_landscape._errors import expect_number, expect_whole
from tda_landscape.energy import Energy
from tda_landscape.energy._batching import Meter, Task, Watch
from tda_landscape.paths._levels import Levels
from tda_landscape.paths._loop import search_all
from tda_landscape.paths._nearest import Nearest, nearest_below
from tda_landscape.paths._path import Path, Stop
from tda_landscape.paths._plane import Plane
from tda_landscape.paths._profile import Outset, segments_above
from tda_landscape.paths._together import together

FIRST_RADIUS = 0.1  # of the solver, relative to the segment
CHECKS = 7  # values within a segment


@dataclass(frozen=True, slots=True)
class Hyperplane:
    """Join two points below a level u by midpoints that are as near as possible to the straight line.

    Between a and b, within the hyperplane H of points as far from a as from b, the new point is

        argmin |x - m|  over x in H with E(x) <= u',     m = (a + b) / 2,

    and both halves are treated alike until every segment stays below u. Points are aimed at u' a little below u:
    with u' = u all of them would lie on the boundary of the sublevel set, and where that is curved no chord between
    two of them would ever be inside. Where a segment cannot be mended, or the path is longer than `max_length`, the
    level failed. A level that is asked for is tried first; otherwise, and if that fails, a ladder of levels is
    descended, each begun at the points of the one before.

    Bruna's lecture on the landscape of neural networks (dynamic programming for geodesics in sublevel sets); Freeman
    and Bruna, ICLR 2017, appendix A, where the formula is printed with a minus sign in m.

    Parameters
    ----------
    budget : float
        Gradient equivalents a pair.
    tolerance : float
        Of the height, relative to the excess of the straight line over the higher end.
    ratio : float
        Where the next level stands between the highest one that failed (0) and the present height (1).
    slack : float
        How far u' lies below u, relative to the distance of u from the present height or, if that is less, from the
        higher end.
    max_length : float
        Longest path, relative to the distance of the ends.
    max_depth : int
        Most bisections of bisections.
    kick : float
        Random displacement of a start within its hyperplane, relative to its segment; without it a symmetric
        landscape is never left.
    precision : float
        Residual of the Karush-Kuhn-Tucker conditions at which a new point counts as nearest.
    max_steps : int
        Most steps of a new point within the set towards the nearest; where they do not suffice, it is taken as
        near as it got.

    Examples
    --------
    >>> import torch, tda_landscape as tl
    >>> annulus = tl.Energy.from_function(lambda x: (x.square().sum(1) - 1).square(), 2)
    >>> a, b = torch.tensor([1.0, 0.0]), torch.tensor([-1.0, 0.0])
    >>> path = tl.find_path(annulus, a, b, search=Hyperplane(), level=0.1)
    >>> path.below(0.1), round(path.normalized_length, 2)
    (True, 1.39)
    """

    budget: float = 800.0
    tolerance: float = 1e-3
    ratio: float = 0.5
    slack: float = 0.3
    max_length: float = float("inf")
    max_depth: int = 7
    kick: float = 0.02
    precision: float = 0.05
    max_steps: int = 20

    def __post_init__(self) -> None:
        expect_number("(0, 1)", ratio=self.ratio, precision=self.precision)
        expect_number("[0, 1)", slack=self.slack)
        expect_number("[0, inf)", kick=self.kick)
        expect_number("(0, inf]", budget=self.budget, tolerance=self.tolerance)
        expect_number("[1, inf]", max_length=self.max_length)
        expect_whole("[1, inf)", max_depth=self.max_depth, max_steps=self.max_steps)

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
        tasks = [self._search(a, b, level, generator) for a, b, generator in zip(starts, ends, generators, strict=True)]
        return search_all(energy, tasks, watch, level)

    def _search(
        self, a: Tensor, b: Tensor, level: float | None, generator: torch.Generator
    ) -> Task[tuple[Tensor, Stop]]:
        """Search one pair."""
        bisection = _Bisection(self, torch.stack([a, b]), generator, Meter(), {})
        levels = Levels(self.budget, self.tolerance, self.ratio, level)
        return (yield from levels.descend(a, b, bisection.connect, bisection.meter))


@dataclass(frozen=True, slots=True)
class _Bisection:
    """The search of one pair; `known` holds the latest point at each share of the way from end to end."""

    search: Hyperplane
    ends: Tensor
    generator: torch.Generator
    meter: Meter
    known: dict[float, Tensor]

    def connect(self, level: float, _: Tensor, top: float, outset: Outset) -> Task[Tensor | None]:
        """Bisect until every segment is below the level; None where that fails."""
        search, open_ = self.search, [(0.0, 1.0)]
        line = {0.0: self.ends[0], 1.0: self.ends[1]}
        scale = min(top - level, level - outset.floor)
        for _depth in range(search.max_depth):
            middles = [self._between(line[s], line[t], (s + t) / 2, level, scale) for s, t in open_]
            found = yield from together(middles)
            if not all(nearest.inside for nearest in found):
                return None
            for (s, t), nearest in zip(open_, found, strict=True):
                line[(s + t) / 2] = self.known[(s + t) / 2] = nearest.point
            points = torch.stack([line[t] for t in sorted(line)])
            # Bisection only makes a path longer.
            if float(points.diff(dim=0).norm(dim=1).sum()) > search.max_length * outset.chord:
                return None
            halves = [half for s, t in open_ for half in ((s, (s + t) / 2), ((s + t) / 2, t))]
            first, last = (torch.stack([line[half[side]] for half in halves]) for side in (0, 1))
            high = yield from segments_above(first, last, level, CHECKS, self.meter)
            open_ = [half for half, above in zip(halves, high.tolist(), strict=True) if above]
            if not open_:
                return points
            if self.meter.spent >= search.budget:
                return None
        return None

    def _between(self, a: Tensor, b: Tensor, share: float, level: float, scale: float) -> Task[Nearest]:
        """The new point between a and b, begun where it was on the level before."""
        plane, width = Plane.between(a, b), float((b - a).norm())
        noise = plane.flatten(torch.randn(a.shape, generator=self.generator, dtype=a.dtype))
        start = plane.middle + self.search.kick * width * noise / noise.norm().clamp(min=1e-300)
        if share in self.known:
            start = plane.middle + plane.flatten(self.known[share] - plane.middle)
        return (
            yield from nearest_below(
                plane,
                level - self.search.slack * scale,
                start,
                FIRST_RADIUS * width,
                self.meter,
                scale=scale,
                tolerance=self.search.precision,
                max_steps=self.search.max_steps,
                budget=self.search.budget,
            )
        )
