"""One loop for paths with a fixed number of free points: elastic bands, strings, curves."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

import torch
from torch import Tensor

from tda_landscape._errors import expect_number
from tda_landscape.energy import Energy
from tda_landscape.energy._batching import Meter, Task, Watch
from tda_landscape.paths._adam import Adam
from tda_landscape.paths._loop import search_all
from tda_landscape.paths._path import Path, Stop
from tda_landscape.paths._profile import Outset, highest, highest_cost, look

EVERY = 10  # steps between two measurements of the path
SETTLED = 0.5  # share of the steps from which on a band may climb or end


class Family(Protocol):
    """What pulls at the free points of a path, how they are put in order, and the polyline that they stand for."""

    @property
    def cost(self) -> int:
        """Gradients a step."""

    def pull(
        self, points: Tensor, outset: Outset, share: float, generator: torch.Generator, meter: Meter
    ) -> Task[tuple[Tensor, int | None]]:
        """Force (m, d) on all points, zero at the ends, and the point that climbs, after a share of all steps."""

    def put_in_order(self, points: Tensor, climber: int | None) -> Tensor:
        """Move points (m, d) along the path, if the family does that."""

    def polyline(self, points: Tensor) -> Tensor:
        """Return the vertices (n, d) of the path."""


@dataclass(frozen=True, slots=True)
class Terms:
    """What may be spent, how far a step goes, and when to stop."""

    budget: float
    rate: float
    tolerance: float
    kick: float
    level: float | None


def check_terms(budget: float, rate: float, tolerance: float, kick: float) -> None:
    """Refuse what no search can be made with."""
    expect_number("(0, inf]", budget=budget, rate=rate, tolerance=tolerance)
    expect_number("[0, inf)", kick=kick)


def relax_all(
    family: Family,
    points: int,
    terms: Terms,
    energy: Energy,
    starts: Tensor,
    ends: Tensor,
    generators: Sequence[torch.Generator],
    watch: Watch | None,
) -> list[Path]:
    """Relax a path of so many points between each pair of rows (p, d)."""
    tasks = [
        relax(family, points, terms, a, b, generator) for a, b, generator in zip(starts, ends, generators, strict=True)
    ]
    return search_all(energy, tasks, watch, terms.level)


def relax(
    family: Family, points: int, terms: Terms, a: Tensor, b: Tensor, generator: torch.Generator
) -> Task[tuple[Tensor, Stop]]:
    """Relax one path from the straight line by Adam, whose rate falls along a cosine while the budget is spent."""
    meter = Meter()
    outset = yield from look(a, b, meter)
    best, top = torch.stack([a, b]), outset.top
    reason = outset.reason(terms.level)
    if reason is not None:
        return best, reason
    yield from meter.report(best)
    x, adam = _kicked_line(points, terms.kick, a, b, generator), Adam.of(points, a)
    steps = _steps(family, len(family.polyline(x)), terms.budget - meter.spent)
    for i in range(steps):
        share = i / steps
        force, climber = yield from family.pull(x, outset, share, generator, meter)
        small = float(force.norm(dim=1).max()) <= terms.tolerance * outset.excess / outset.chord
        done = share >= SETTLED and small
        if not done:
            adam = adam.note(force)
            rate = terms.rate * outset.chord / math.sqrt(len(a)) * (0.5 + 0.5 * math.cos(math.pi * share))
            x = family.put_in_order(torch.cat([x[:1], (x + rate * adam.step)[1:-1], x[-1:]]), climber)
        if done or (i + 1) % EVERY == 0 or i + 1 == steps:
            line = family.polyline(x)
            height = yield from highest(line, meter)
            if height < top:
                best, top = line, height
                yield from meter.report(best)
            if terms.level is not None and top <= terms.level:
                return best, Stop.LEVEL
        if done:
            return best, Stop.CONVERGED
    return best, Stop.BUDGET


def _kicked_line(points: int, kick: float, a: Tensor, b: Tensor, generator: torch.Generator) -> Tensor:
    """Points (m, d) evenly on the straight line, the inner ones moved off it by a share of its length."""
    t = torch.linspace(0, 1, points, dtype=a.dtype)[:, None]
    noise = torch.randn(points - 2, len(a), generator=generator, dtype=a.dtype)
    line = a + t * (b - a)
    line[1:-1] += kick * (b - a).norm() * noise / noise.norm(dim=1, keepdim=True)
    return torch.cat([a[None], line[1:-1], b[None]])


def _steps(family: Family, vertices: int, budget: float) -> int:
    """How many steps a budget pays, with the measurements in between."""
    return max(1, int(budget / (family.cost + highest_cost(vertices) / EVERY)))
