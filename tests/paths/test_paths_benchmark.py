"""The benchmark counts a level as reached only where a dense evaluation agrees."""

import math

import pytest
import torch

import tda_landscape as tl
from benchmarks.paths.reach import LEVELS, Trace, dense_maximum, summary, traces

WELL = tl.zoo.double_well(2)
START, END = torch.tensor([[-1.0, -1.0], [1.0, 1.0]], dtype=torch.float64)


def line(*points):
    return torch.stack([START, *[torch.tensor(point, dtype=torch.float64) for point in points], END])


def test_levels_are_reached_at_the_cost_of_the_report_that_shows_them():
    """The straight line climbs to 2, the way round one corner to 1: half of it, and no path does better."""
    seen = Trace(WELL, 0.0, dense_maximum(WELL, line()))
    seen.note(line(), 1.0)
    assert all(math.isinf(cost) for cost in seen.reached)
    seen.note(line((-1.0, 1.0)), 7.0)
    seen.note(line((-1.0, 1.0)), 9.0)
    assert seen.reached[0] == 7.0
    assert all(math.isinf(cost) for cost in seen.reached[1:])
    assert seen.length == pytest.approx(2**0.5)


def test_low_vertices_alone_reach_nothing():
    seen = Trace(WELL, 0.0, 2.0)
    seen.note(line((-1.0, -1.0), (1.0, 1.0)), 3.0)
    assert math.isinf(seen.reached[0])


def test_a_search_without_reports_is_measured_by_what_it_returns():
    straight = traces(WELL, tl.paths.Straight(), START[None], END[None])
    assert all(math.isinf(cost) for cost in straight[0].reached)


def test_the_cost_until_each_level_grows():
    ring = tl.Energy.from_function(lambda x: (x.square().sum(1) - 1).square(), 2)
    ends = torch.tensor([[1.0, 0.0], [-1.0, 0.0]], dtype=torch.float64)
    (ladder,) = traces(ring, tl.paths.Ladder(budget=300), ends[:1], ends[1:])
    assert 5 < ladder.reached[0] < ladder.reached[-1] < 300
    assert ladder.reached == sorted(ladder.reached)
    assert 1.4 < ladder.length < 1.6
    assert summary([ladder]).count("[") == len(LEVELS)
