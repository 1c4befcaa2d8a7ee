"""What share of the work starts, variants of minima and climbs get, and that budgets are kept."""

import math

import pytest
import torch

import tda_landscape as tl
from tda_landscape.connecting import _round
from tda_landscape.connecting._chart import first_chart
from tda_landscape.connecting._explore import left_of
from tda_landscape.connecting._round import affordable, climbs_of_round, work
from tda_landscape.connecting._rule import Rule
from tda_landscape.energy.symmetry import find_symmetry


def rounds(name, number, budget=None):
    """Some rounds on a zoo energy: the chart, and what all cost."""
    energy, cost = tl.tally({"xor": tl.zoo.xor, "cluster": lambda: tl.zoo.lennard_jones(8)}[name]())
    chart = first_chart(energy, find_symmetry(energy), torch.Generator().manual_seed(3), 8, 1e-5, 0.5)
    chart.starts_cost = cost.gradient_equivalents
    left = left_of(budget, cost)
    for _ in range(number):
        work(chart, Rule(math.inf), cost, left, climbs_of_round(chart))
    return chart, cost


@pytest.mark.parametrize("name", ["xor", "cluster"])
def test_variants_get_half_of_the_work_at_first_and_a_fifth_when_they_bring_no_minimum(name, monkeypatch):
    first, spent = rounds(name, 1)
    at_first = first.variants_cost
    assert (0.3 if name == "xor" else 0.2) < at_first / spent.gradient_equivalents < 0.55
    monkeypatch.setattr(_round, "IDLE", 0)
    idle, cost_idle = rounds(name, 1)
    assert idle.variants_cost < at_first
    assert idle.variants_cost <= 0.2 * cost_idle.gradient_equivalents + 150, "a fifth, and the last batch"


def test_starts_in_all_get_their_share(monkeypatch):
    chart, cost = rounds("cluster", 12)
    share = (chart.starts_cost + chart.variants_cost) / cost.gradient_equivalents
    assert 0.25 < share < 0.55
    monkeypatch.setattr(_round, "SHARE", 0.0)
    monkeypatch.setattr(_round, "VARIANTS_SHARE", 0.0)
    few, cost_few = rounds("cluster", 12)
    assert few.variants_cost == 0
    assert few.starts_cost / cost_few.gradient_equivalents < share


def test_where_minima_come_faster_than_climbs_none_begins_at_a_variant(monkeypatch):
    assert rounds("cluster", 2)[0].untried.tried > 0
    monkeypatch.setattr(_round, "CROWDED", math.inf)
    assert rounds("cluster", 2)[0].untried.tried > 0, "few minima are never a crowd"
    monkeypatch.setattr(_round, "MOST", 2)
    chart, _ = rounds("cluster", 2)
    assert len(chart.minima) > 2
    assert chart.untried.tried == 0


@pytest.mark.parametrize("name", ["xor", "cluster"])
def test_starts_end_where_the_budget_is_needed_for_climbs(name):
    free, spent = rounds(name, 1)
    assert free.variants_cost > 300
    budget = spent.gradient_equivalents - free.variants_cost
    bound, _ = rounds(name, 1, budget)
    assert bound.variants_cost < free.variants_cost / 2


@pytest.mark.parametrize("budget", [1000, 1500, 2500])
@pytest.mark.parametrize("make", [tl.zoo.xor, lambda: tl.zoo.lennard_jones(8)], ids=["xor", "cluster"])
def test_budgets_are_kept_and_used(make, budget):
    energy, cost = tl.tally(make())
    tl.explore(energy, budget=budget, seed=1)
    assert 0.6 * budget < cost.gradient_equivalents <= budget


def test_climbs_are_what_the_budget_pays_for():
    chart, cost = rounds("cluster", 1)
    assert affordable(chart, cost, left_of(None, cost)) == climbs_of_round(chart)
    spent = cost.gradient_equivalents
    assert affordable(chart, cost, left_of(spent, cost)) == 0
    some = [affordable(chart, cost, left_of(spent + more, cost)) for more in (300, 500, 700, 5000)]
    assert some == sorted(some)
    assert some[0] < some[-1] == climbs_of_round(chart)


def test_climbs_that_starts_left_nothing_for_are_not_made():
    chart, cost = rounds("cluster", 1)
    climbed = sum(chart.climbs)
    work(chart, Rule(math.inf), cost, lambda: 0.0, 4)
    assert sum(chart.climbs) == climbed
    work(chart, Rule(math.inf), cost, left_of(None, cost), 4)
    assert sum(chart.climbs) == climbed + 4
