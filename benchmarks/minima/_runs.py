"""What all blocks share: one exploration with what it cost, by its rule or round by round."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np

import tda_landscape as tl
from tda_landscape.connecting._chart import Chart, first_chart
from tda_landscape.connecting._chart_graph import UNLIMITED
from tda_landscape.connecting._explore import FIRST_STARTS, REACH, STEEPNESS
from tda_landscape.connecting._round import climbs_of_round, work
from tda_landscape.connecting._rule import Rule
from tda_landscape.energy._random import as_generator
from tda_landscape.energy.symmetry import find_symmetry

Row = dict[str, Any]
Bars = list[tuple[float, float]]


@dataclass(frozen=True)
class Limits:
    """Where a run ends, at the latest: gradient equivalents, if not those of the block, and seconds of the clock."""

    budget: float | None = None
    seconds: float = float("inf")


@dataclass(frozen=True)
class Block:
    """One seed in, one row of JSON out; and what rows say together."""

    run: Callable[[int, Limits], Row]
    summarize: Callable[[list[Row]], str]
    seeds: range


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


def rounds(energy: tl.Energy, seed: int, limits: Limits) -> Iterator[tuple[Chart, float]]:
    """The chart after each round and its cost, from `explore`'s own rounds, up to the first at or beyond a limit."""
    begin = time.monotonic()
    counted, cost = tl.tally(energy)
    chart = first_chart(counted, find_symmetry(counted, "auto"), as_generator(seed), FIRST_STARTS, STEEPNESS, REACH)
    chart.starts_cost = cost.gradient_equivalents
    rule = Rule(float("inf"))
    yield chart, cost.gradient_equivalents
    budget = float("inf") if limits.budget is None else limits.budget
    while cost.gradient_equivalents < budget and time.monotonic() - begin < limits.seconds:
        work(chart, rule, cost, UNLIMITED, climbs_of_round(chart))
        yield chart, cost.gradient_equivalents


def same(found: Bars, exact: Bars, tolerance: float) -> bool:
    """Whether two lists of bars agree one by one."""
    return len(found) == len(exact) and all(
        any(abs(b - x) < tolerance and abs(d - y) < tolerance for b, d in found) for x, y in exact
    )
