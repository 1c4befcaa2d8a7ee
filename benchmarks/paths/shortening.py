"""Shortening at unchanged maximum: the share of a detour that is removed, and exact geodesics of an annulus."""

from __future__ import annotations

import math
from collections.abc import Sequence

import torch

import tda_landscape as tl
from benchmarks.paths import problems

LEVELS = (0.3, 0.1, 0.01, 0.001)
CHECKED = 2000  # points of an uncharged look at each shortened path


def report(names: Sequence[str], seeds: Sequence[int]) -> None:
    """Print both tables."""
    print("shortening: share of the detour (normalized length - 1) removed, G of the shortening, all charged")
    for name in names:
        _network(name, seeds)
    print("shortening: annulus (|x|^2 - 1)^2 between antipodes, over the exact geodesic")
    for level in LEVELS:
        _annulus(level)


def _network(name: str, seeds: Sequence[int]) -> None:
    """Paths of `Ladder()` between frozen minima, shortened at their own height."""
    energy = problems.energy_of(name)
    removed, costs, before, over = [], [], [], []
    for seed in seeds:
        ends = problems.minima_of(name, seed)
        for number, (i, j) in enumerate(problems.PAIRS):
            path = tl.find_path(energy, ends[i], ends[j], seed=10 * seed + number)
            counted, cost = tl.tally(energy)
            short = tl.shorten(counted, path)
            removed.append((path.length - short.length) / max(path.length - _chord(path), 1e-300))
            costs.append(cost.gradient_equivalents)
            before.append(path.normalized_length)
            over.append((_dense(energy, short) - path.height) / (path.height - float(path.energies[[0, -1]].max())))
        print(f"  {name} {seed}: minima {problems.fingerprint(ends)}, removed", *(f"{x:.2f}" for x in removed[-4:]))
    print(
        f"  {name}, {len(removed)} pairs: removed {_quartiles(removed)}, raw length {_quartiles(before)}, "
        f"G {_quartiles(costs, 0)}, at most {max(costs):.0f}; "
        f"dense maximum at most {max(over):+.1e} of the excess above the raw one"
    )


def _annulus(level: float, searches: int = 5) -> None:
    """The worst of some searches."""
    energy = tl.Energy.from_function(lambda x: (x.square().sum(1) - 1).square(), 2)
    r = math.sqrt(1 - math.sqrt(level))
    exact = math.sqrt(1 - r * r) + r * math.asin(r)
    rows = []
    for seed in range(searches):
        path = tl.find_path(energy, torch.tensor([1.0, 0.0]), torch.tensor([-1.0, 0.0]), level=level, seed=seed)
        counted, cost = tl.tally(energy)
        short = tl.shorten(counted, path, level)
        lengths = [p.normalized_length / exact for p in (path, short)]
        rows.append((*lengths, short.height / level, _dense(energy, short) / level, cost.gradient_equivalents))
    raw, ratio, height, dense, spent = (max(column) for column in zip(*rows, strict=True))
    print(
        f"  u = {level}: {ratio:.4f} (as found {raw:.4f}), height / u {height:.6f}, dense {dense:.6f}, G {spent:.0f}"
        f" (worst of {searches} searches)"
    )


def _chord(path: tl.Path) -> float:
    """Distance of the ends."""
    return float((path.points[-1] - path.points[0]).norm())


def _dense(energy: tl.Energy, path: tl.Path) -> float:
    """Maximum on a dense resampling by arc length."""
    arcs = torch.cat([torch.zeros(1), path.points.diff(dim=0).norm(dim=1).cumsum(0)])
    at = torch.linspace(0, float(arcs[-1]), CHECKED, dtype=path.points.dtype)
    row = (torch.searchsorted(arcs, at, right=True) - 1).clamp(0, len(arcs) - 2)
    t = ((at - arcs[row]) / arcs.diff()[row].clamp(min=1e-300))[:, None]
    points = path.points[row] + t.clamp(0, 1) * (path.points[row + 1] - path.points[row])
    return max(float(energy(part).max()) for part in points.split(100))


def _quartiles(values: Sequence[float], digits: int = 2) -> str:
    """Median [first quartile, third quartile]."""
    low, middle, high = torch.tensor(values, dtype=torch.float64).quantile(torch.tensor([0.25, 0.5, 0.75]).double())
    return f"{middle:.{digits}f} [{low:.{digits}f}, {high:.{digits}f}]"
