"""Known merge trees, explored: what is right, and what it cost."""

from __future__ import annotations

import statistics

import numpy as np

import tda_landscape as tl
from benchmarks.minima._runs import Bars, Block, Limits, Row, explore, rounds, same

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


def _by_rule(energy: tl.Energy, exact: Bars, tolerance: float, seed: int) -> Row:
    """Explore to the rule; compare with the exact tree."""
    run = explore(energy, seed)
    return {
        "right": same(run.bars, exact, tolerance),
        "G": run.cost,
        "minima": len(run.graph.births),
        "saddles": run.saddles,
        "seconds": run.seconds,
        "reason": run.graph.reason,
    }


def mueller_brown(seed: int, limits: Limits) -> Row:
    return _by_rule(tl.zoo.mueller_brown(), MUELLER_BROWN, 1e-8, seed)


def lj7(seed: int, limits: Limits) -> Row:
    return _by_rule(tl.zoo.lennard_jones(7), LJ7, 1e-4, seed)


def lj8(seed: int, limits: Limits) -> Row:
    return _by_rule(tl.zoo.lennard_jones(8), LJ8, 1e-4, seed)


def right(rows: list[Row]) -> str:
    """How many were right, and what the rule took."""
    costs = [row["G"] for row in rows]
    wrong = [row["seed"] for row in rows if not row["right"]]
    return (
        f"right {len(rows) - len(wrong)} of {len(rows)} with the rule{f', wrong: seeds {wrong}' if wrong else ''}; "
        f"G median {statistics.median(costs):.0f}, largest {max(costs):.0f}"
    )


def lj8_first(seed: int, limits: Limits) -> Row:
    """The cost at which the tree is first right: looked at after each round, without the rule."""
    limits = Limits(limits.budget or 40_000, limits.seconds)
    for chart, cost in rounds(tl.zoo.lennard_jones(8), seed, limits):
        if _right(chart.tree()):
            return {"G": cost, "right": True}
    return {"G": cost, "right": False}


def first_right(rows: list[Row]) -> str:
    costs = [row["G"] if row["right"] else float("inf") for row in rows]
    return f"first right in {len(rows)} runs: G median {statistics.median(costs):.0f}, largest {max(costs):.0f}"


def _right(tree: tl.MergeTree) -> bool:
    """Whether a tree has the bars of LJ8 and no others."""
    found = [(float(tree.births[leaf]), float(height)) for leaf, height in zip(tree.dying, tree.height, strict=True)]
    return len(tree.births) == len(LJ8) + 1 and same(found, LJ8, 1e-4)


def lj8_reference(seed: int, limits: Limits) -> Row:
    """A search of twice the length."""
    run = explore(tl.zoo.lennard_jones(8), seed, budget=limits.budget or 60_000)
    return {"bars": sorted(run.bars), "G": run.cost, "listed": same(run.bars, LJ8, 1e-6)}


def agreeing(rows: list[Row]) -> str:
    """Whether independent searches agree with each other and with the list."""
    counts = [len(row["bars"]) for row in rows]
    if len(set(counts)) > 1:
        return f"{counts} finite bars: the searches do not agree"
    apart = max(float(np.abs(np.array(row["bars"]) - np.array(rows[0]["bars"])).max()) for row in rows)
    listed = [row["listed"] for row in rows]
    return f"{counts} finite bars, at most {apart:.1e} apart, as listed within 1e-6: {listed}"


BLOCKS = {
    "mueller_brown": Block(mueller_brown, right, range(3000, 3100)),
    "lj7": Block(lj7, right, range(7200, 7300)),
    "lj8": Block(lj8, right, range(7200, 7230)),
    "lj8_first": Block(lj8_first, first_right, range(7230, 7240)),
    "lj8_reference": Block(lj8_reference, agreeing, range(1, 3)),
}
