"""What a search costs until its path is at 50, 20, 10, 5, 2 and 1 % of the straight line's excess.

Excess = maximum over a dense resampling, which is not charged, minus the higher end. A level that is not reached
within the budget counts as infinitely dear.
"""

from __future__ import annotations

import math
import time
from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
import torch
from torch import Tensor

import tda_landscape as tl
from benchmarks.paths.problems import PAIRS, energy_of, fingerprint, minima_of
from benchmarks.paths.published import PEERS

LEVELS = (0.5, 0.2, 0.1, 0.05, 0.02, 0.01)
BUDGET = 2000.0
METHODS: dict[str, tl.paths.Search] = {
    "Ladder": tl.paths.Ladder(budget=BUDGET),
    "Hyperplane": tl.paths.Hyperplane(budget=BUDGET),
    "StringSampling": tl.paths.StringSampling(budget=BUDGET),
    "String": tl.paths.String(budget=BUDGET),
    "NudgedElasticBand": tl.paths.NudgedElasticBand(budget=BUDGET),
    "Bezier": tl.paths.Bezier(budget=BUDGET, bends=3, objective="softmax"),
    "Polychain": tl.paths.Polychain(budget=BUDGET, bends=5, objective="softmax"),
    "Bezier, mean": tl.paths.Bezier(budget=BUDGET),
    "Polychain, mean": tl.paths.Polychain(budget=BUDGET),
    **PEERS,
}
"""Searches under comparison: each a name and a search that reports what it has so far."""


def dense_maximum(energy: tl.Energy, line: Tensor, least: int = 200) -> float:
    """Highest energy at the vertices of a polyline (m, d) and at evenly spaced points, at least `least` in all."""
    pieces = max(8, -(-least // (len(line) - 1)))
    t = torch.arange(pieces, dtype=line.dtype)[:, None, None] / pieces
    inner = (line[:-1] + t * line.diff(dim=0)).flatten(0, 1)
    return float(energy(torch.cat([inner, line[-1:]])).max())


@dataclass
class Trace:
    """What the search of one pair reported: the cost until each level, and the normalized length at the lowest one."""

    energy: tl.Energy
    floor: float
    excess: float
    reached: list[float] = field(default_factory=lambda: [math.inf] * len(LEVELS))
    length: float = 1.0

    def note(self, line: Tensor, spent: float) -> None:
        """Measure a polyline that was known at some cost, unless its vertices alone are too high for a new level."""
        new = [i for i, cost in enumerate(self.reached) if math.isinf(cost)]
        if not new:
            return
        self.length = float(line.diff(dim=0).norm(dim=1).sum() / (line[-1] - line[0]).norm())
        if self._share(float(self.energy(line).max())) > LEVELS[new[0]]:
            return
        share = self._share(dense_maximum(self.energy, line))
        for i in new:
            if share <= LEVELS[i]:
                self.reached[i] = spent

    def _share(self, height: float) -> float:
        """Excess relative to that of the straight line."""
        return (height - self.floor) / self.excess


def traces(energy: tl.Energy, search: tl.paths.Search, starts: Tensor, ends: Tensor) -> list[Trace]:
    """Search all pairs (p, d) side by side and measure every path that is reported, at the cost it was known at.

    A search that reports nothing is measured by what it returns, at no less than its share of the whole cost.
    """
    floors = torch.maximum(energy(starts), energy(ends)).tolist()
    straight = [dense_maximum(energy, torch.stack(pair)) for pair in zip(starts, ends, strict=True)]
    found = [Trace(energy, floor, high - floor) for floor, high in zip(floors, straight, strict=True)]
    counted, cost = tl.tally(energy)
    generators = [torch.Generator().manual_seed(i) for i in range(len(starts))]
    paths = search.find(counted, starts, ends, generators, watch=lambda i, line, spent: found[i].note(line, spent))
    for one, path in zip(found, paths, strict=True):
        one.note(path.points, cost.gradient_equivalents / len(paths))
    return found


def pairs_of(problem: str, seeds: Sequence[int]) -> tuple[Tensor, Tensor]:
    """Ends (p, d) of all pairs of all seeds."""
    minima = [minima_of(problem, seed) for seed in seeds]
    starts, ends = (torch.stack([points[pair[end]] for points in minima for pair in PAIRS]) for end in (0, 1))
    return starts, ends


def summary(found: list[Trace]) -> str:
    """Median [quartiles] and number reached, a level a column."""
    columns = []
    for level, costs in zip(LEVELS, np.array([one.reached for one in found]).T, strict=True):
        low, high = np.quantile(costs, (0.25, 0.75), method="inverted_cdf")
        columns.append(f"{level:.0%}: {np.median(costs):.0f} [{low:.0f}, {high:.0f}] {np.isfinite(costs).sum()}")
    slowest = max(one.reached[-1] for one in found)
    return "  ".join(columns) + f"  slowest {slowest:.0f}  length {np.mean([one.length for one in found]):.2f}"


def report(problems: Sequence[str], methods: Sequence[str], seeds: Sequence[int]) -> None:
    """Print the table of G until each level: medians and quartiles over pairs, and of how many pairs."""
    for problem in problems:
        hashes = " ".join(f"{seed}:{fingerprint(minima_of(problem, seed))}" for seed in seeds)
        print(f"{problem}, {len(seeds) * len(PAIRS)} pairs, ends {hashes}", flush=True)
        for name in methods:
            start = time.process_time()
            found = traces(energy_of(problem), METHODS[name], *pairs_of(problem, seeds))
            print(f"  {name:27s} {summary(found)}  {time.process_time() - start:.0f} s", flush=True)
