"""What a search tells while it runs: lower and lower paths, at the cost that is charged, and nothing changes by it."""

from itertools import pairwise

import pytest
import torch

import tda_landscape as tl
from tda_landscape.energy._batching import Meter
from tda_landscape.paths import Ladder, Stop, Straight, verify
from tda_landscape.paths._loop import search_all

ENERGY = tl.zoo.fourier(0)


def watched(search, pairs=3):
    starts, ends = ENERGY.start(pairs, 0), ENERGY.start(pairs, 1)
    generators = [torch.Generator().manual_seed(i) for i in range(pairs)]
    counted, cost = tl.tally(ENERGY)
    reports = []
    paths = search.find(counted, starts, ends, generators, watch=lambda *report: reports.append(report))
    return paths, reports, cost


def test_reports_come_lower_and_lower_and_end_with_the_path_found():
    paths, reports, _ = watched(Ladder(budget=300))
    assert len(reports) > 8
    for pair, path in enumerate(paths):
        lines = [line for i, line, _ in reports if i == pair]
        heights = [found.height for found in verify(ENERGY, lines, [Stop.BUDGET] * len(lines))]
        assert all(b < a for a, b in pairwise(heights))
        assert heights[-1] == pytest.approx(path.height, rel=1e-12)


def test_cost_reported_is_the_cost_counted():
    a, b = ENERGY.start(2, 0)
    counted, cost = tl.tally(ENERGY)
    spent, charged = [], []

    def watch(_, so_far):
        spent.append(so_far)
        charged.append(cost.gradient_equivalents)

    tl.find_path(counted, a, b, search=Ladder(budget=300), watch=watch)
    assert spent[-1] > spent[0] > 0
    assert spent == pytest.approx(charged)


def test_watching_changes_nothing_and_costs_nothing():
    paths, _, cost = watched(Ladder(budget=100))
    counted, unwatched = tl.tally(ENERGY)
    generators = [torch.Generator().manual_seed(i) for i in range(3)]
    again = Ladder(budget=100).find(counted, ENERGY.start(3, 0), ENERGY.start(3, 1), generators)
    assert all(torch.equal(a.points, b.points) for a, b in zip(paths, again, strict=True))
    assert cost.gradient_equivalents == unwatched.gradient_equivalents


def test_a_search_that_is_no_iteration_reports_nothing():
    assert watched(Straight())[1] == []


def rising(a, b):
    """A search that reports the straight line, then a detour that is higher, and returns that."""
    meter, line = Meter(), torch.stack([a, b])
    yield from meter.report(line)
    detour = torch.stack([a, torch.full_like(a, 3.0), b])
    yield from meter.report(detour)
    return detour, Stop.BUDGET


class Rising:
    def find(self, energy, starts, ends, generators, *, level=None, watch=None):
        return search_all(energy, [rising(a, b) for a, b in zip(starts, ends, strict=True)], watch)


class Forgetful(Rising):
    """Control: it reports one path and returns another."""

    def find(self, energy, starts, ends, generators, *, level=None, watch=None):
        if watch is not None:
            super().find(
                energy, starts, ends, generators, watch=lambda i, line, cost: watch(i, line[[0, -1]] + 1e-6, cost)
            )
        return Ladder().find(energy, starts, ends, generators)


WRONG = [(Rising(), "higher than the one before"), (Forgetful(), "not the one returned")]


@pytest.mark.parametrize(("search", "sentence"), WRONG)
def test_conformance_sees_false_reports(search, sentence):
    with pytest.raises(AssertionError, match=sentence):
        tl.testing.check_search(search)
