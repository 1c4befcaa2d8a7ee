"""The benchmark of the constructions: five hundred networks each when slow, a few when not, and controls."""

from dataclasses import replace

import pytest

from benchmarks.theory import ROWS, measure, misses
from tda_landscape.theory._curve import Curve


@pytest.mark.parametrize("name", [name for name in ROWS if name != "squares"])
def test_a_few_networks_miss_nothing(name):
    found = measure(ROWS[name], 4, seed=1, every=100)
    assert misses(ROWS[name], found) == []
    assert (found.networks, found.refused, found.polylines) == (4, 4, 1)
    assert found.asked == 1 or name.startswith("lift"), "some activations of the lift have no certificates"


@pytest.mark.slow
@pytest.mark.parametrize("name", ROWS)
def test_five_hundred_networks_miss_nothing(name):
    found = measure(ROWS[name], 500)
    assert misses(ROWS[name], found) == []
    assert (found.networks, found.refused, found.accepted) == (500, 500, 0)


def test_wrong_constructions_are_counted():
    """The straight line instead of the path, a path with a gap, and a theorem that refuses nothing."""
    deep = ROWS["deep"]
    straight = replace(deep, build=lambda e, c, a, b, g: Curve.through([a, b]))
    assert "excess" in misses(straight, measure(straight, 12, every=100))
    gap = replace(deep, build=lambda e, c, a, b, g: Curve.through([a, b * (1 + 1e-9)]))
    assert "joints" in misses(gap, measure(gap, 4, every=100))
    bold = replace(deep, refuses=lambda chain, network: None, build=straight.build)
    assert "refusals" in misses(bold, measure(bold, 4, every=100))


def test_a_descent_that_stops_early_is_counted():
    descent = ROWS["descent"]
    early = replace(descent, build=lambda e, c, a, b, g: Curve(descent.build(e, c, a, b, g).pieces[:1]))
    assert "optimum" in misses(early, measure(early, 4, every=100))
