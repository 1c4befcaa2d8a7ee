"""Known merge trees, explored: what is right, and what it cost."""

from __future__ import annotations

import statistics
import time
from dataclasses import dataclass

import numpy as np

import tda_landscape as tl
from tda_landscape.connecting._chart import first_chart
from tda_landscape.connecting._explore import FEWEST, FIRST_STARTS, MOST, REACH, STEEPNESS, _round
from tda_landscape.connecting._rule import Rule
from tda_landscape.energy._random import as_generator
from tda_landscape.energy.symmetry import find_symmetry

Bars = list[tuple[float, float]]

MUELLER_BROWN = [(-108.16672411685236, -40.6648435086574), (-80.76781812965903, -72.24894011232522)]
LJ7 = [(-15.935043, -15.444734), (-15.593211, -15.319864), (-15.53306, -15.283421)]
# Two searches of 60,000 G agree on these: block lj8_reference.
LJ8 = [
    (-19.765298, -19.281244),
    (-19.189311, -18.710548),
    (-18.976056, -18.707532),
    (-19.169280, -18.694706),
    (-18.856826, -18.645830),
    (-18.778208, -18.597348),
    (-18.828672, -18.596638),
]


@dataclass
class Run:
    """One exploration with what it cost."""

    graph: tl.LandscapeGraph
    cost: float
    seconds: float

    @property
    def bars(self) -> Bars:
        """Finite bars (birth, death) of the tree."""
        dgm = tl.persistence(self.graph)[0]
        return [(b, d) for b, d in dgm.tolist() if np.isfinite(d)]

    @property
    def saddles(self) -> int:
        return int((self.graph.saddle_index == 1).sum())


def explore(energy: tl.Energy, seed: int, budget: float | None = None) -> Run:
    counted, cost = tl.tally(energy)
    start = time.process_time()
    options = {} if budget is None else {"budget": budget, "patience": float("inf")}
    graph = tl.explore(counted, seed=seed, **options)
    return Run(graph, cost.gradient_equivalents, time.process_time() - start)


def same(found: Bars, exact: Bars, tolerance: float) -> bool:
    """Whether two lists of bars agree one by one."""
    return len(found) == len(exact) and all(
        any(abs(b - x) < tolerance and abs(d - y) < tolerance for b, d in found) for x, y in exact
    )


def by_rule(name: str, energy: tl.Energy, exact: Bars, tolerance: float, seeds: range) -> None:
    """Explore to the rule from each seed; print what was right and the cost."""
    costs, right = [], []
    for seed in seeds:
        run = explore(energy, seed)
        right.append(same(run.bars, exact, tolerance))
        costs.append(run.cost)
        wrong = "" if right[-1] else f"   WRONG: {len(run.graph.births)} minima; {run.graph.reason}"
        print(
            f"  {name} seed {seed}: {run.cost:8.0f} G  {run.saddles:3d} saddles  {run.seconds:5.1f} s{wrong}",
            flush=True,
        )
    print(
        f"{name}: right {sum(right)} of {len(right)} with the rule, tolerance {tolerance:g}; G median "
        f"{statistics.median(costs):.0f}, largest {max(costs):.0f}\n",
        flush=True,
    )


def lj13(seeds: range) -> None:
    """Minima and saddles for the budget; how many of the lowest 50 minima the searches share."""
    lists = []
    for seed in seeds:
        run = explore(tl.zoo.lennard_jones(13), seed, budget=135_000)
        found = f"{len(run.graph.births)} minima, {run.saddles} saddles, {run.cost:.0f} G, {run.seconds:.0f} s"
        lists.append(np.sort(run.graph.births)[:50])
        shared = [sum(np.abs(one - lists[-1]).min() < 1e-6 for one in other) for other in lists[:-1]]
        print(f"  LJ13 seed {seed}: {found}; of the lowest 50 minima of earlier seeds it has {shared}", flush=True)


def lj8_first(seeds: range) -> None:
    """The cost at which the tree is first right: looked at after each round, without the rule."""
    costs = []
    for seed in seeds:
        counted, cost = tl.tally(tl.zoo.lennard_jones(8))
        chart = first_chart(counted, find_symmetry(counted, "auto"), as_generator(seed), FIRST_STARTS, STEEPNESS, REACH)
        chart.starts_cost = cost.gradient_equivalents
        rule = Rule()
        while not _right(chart.tree()) and cost.gradient_equivalents < 40_000:
            _round(chart, rule, cost, max(FEWEST, min(MOST, 2 * len(chart.minima))))
        costs.append(cost.gradient_equivalents)
        print(f"  LJ8 seed {seed}: first right at {costs[-1]:.0f} G", flush=True)
    print(f"LJ8: first right, median {statistics.median(costs):.0f}, largest {max(costs):.0f}\n", flush=True)


def _right(tree: tl.MergeTree) -> bool:
    """Whether a tree has the bars of LJ8 and no others."""
    found = [(float(tree.births[leaf]), float(height)) for leaf, height in zip(tree.dying, tree.height, strict=True)]
    return len(tree.births) == len(LJ8) + 1 and same(found, LJ8, 1e-4)


def lj8_reference(seeds: range) -> None:
    """Searches of twice the length, independent of each other: do their trees agree with each other and with LJ8?"""
    trees = [sorted(explore(tl.zoo.lennard_jones(8), seed, budget=60_000).bars) for seed in seeds]
    for seed, tree in zip(seeds, trees, strict=True):
        apart = max((max(abs(a - b), abs(c - d)) for (a, c), (b, d) in zip(tree, trees[0], strict=False)), default=0.0)
        said = f"{len(tree)} finite bars, {apart:.1e} from the first search, as listed: {same(tree, LJ8, 1e-6)}"
        print(f"  LJ8 reference seed {seed}: {said}", flush=True)


def mueller_brown(seeds: range) -> None:
    by_rule("Mueller-Brown", tl.zoo.mueller_brown(), MUELLER_BROWN, 1e-8, seeds)


def lj7(seeds: range) -> None:
    by_rule("LJ7", tl.zoo.lennard_jones(7), LJ7, 1e-4, seeds)


def lj8(seeds: range) -> None:
    by_rule("LJ8", tl.zoo.lennard_jones(8), LJ8, 1e-4, seeds)
