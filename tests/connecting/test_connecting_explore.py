"""Explore: exact trees, every edge a saddle that can be checked from outside, the same bits for the same seed."""

import math

import numpy as np
import pytest
import torch

import tda_landscape as tl
from tda_landscape._errors import Interrupted
from tda_landscape.connecting._chart_graph import graph_of
from tda_landscape.connecting._explore import explore_chart
from tda_landscape.minima._hessian import lowest_eigenvalues

MUELLER_BROWN = [
    (-146.699517209954, np.inf),
    (-108.16672411685235, -40.6648435086574),
    (-80.76781812965903, -72.24894011232522),
]
LJ7 = [(-16.505384, np.inf), (-15.935043, -15.444734), (-15.593211, -15.319864), (-15.533060, -15.283421)]


def error(graph, bars):
    """Largest difference of births and deaths."""
    found = tl.persistence(graph)[0]
    assert found.shape == (len(bars), 2)
    assert np.isinf(found[0, 1])
    finite = np.isfinite(bars)
    return float(np.abs(found[finite] - np.array(bars)[finite]).max())


def copies(graph):
    """Rows of edges that were added for copies of leaves, without a path."""
    return [e for e, path in enumerate(graph.paths) if path is None]


def check_edges(energy, graph):
    """Each edge from outside: stationary, index 1, path from minimum to minimum with its maximum at the height."""
    edges = [e for e in range(len(graph.heights)) if e not in copies(graph)]
    assert edges
    tops = torch.stack([graph.paths[e].points[graph.paths[e].energies.argmax()] for e in edges])
    values, gradients = energy.value_and_grad(tops)
    assert float((gradients.norm(dim=1) / (1 + values.abs())).max()) < 1e-5
    eigenvalues, bound = lowest_eigenvalues(energy, tops, energy.symmetry)
    assert bool((eigenvalues[:, 0] < -bound).all())
    assert bool((eigenvalues[:, 1] > bound).all())
    assert values.tolist() == pytest.approx(graph.heights[edges].tolist(), abs=1e-8)
    for e in edges:
        path = graph.paths[e]
        assert path.energies[[0, -1]].tolist() == pytest.approx(graph.births[graph.edges[e]].tolist(), abs=1e-8)
        assert path.height == pytest.approx(graph.heights[e], abs=1e-12)
        assert torch.allclose(energy(path.points), path.energies, rtol=0, atol=1e-8)
        assert graph.saddle_index[e] == 1
        assert graph.confirmations[e] >= 1


@pytest.mark.parametrize("seed", range(3))
def test_the_exact_tree_of_mueller_brown(seed):
    energy = tl.zoo.mueller_brown()
    graph = tl.explore(energy, seed=seed)
    assert error(graph, MUELLER_BROWN) < 1e-8
    assert graph.reason.startswith("the rule is met")
    assert "complete" not in graph.reason
    assert set(graph.leaf_status) == {"minimum"}
    assert int(graph.confirmations.min()) >= 5
    check_edges(energy, graph)


def test_the_tree_of_seven_atoms():
    energy = tl.zoo.lennard_jones(7)
    graph = tl.explore(energy, seed=3)
    assert error(graph, LJ7) < 1e-5
    assert graph.reason.startswith("the rule is met")
    assert graph.order == 2 * math.factorial(7)
    check_edges(energy, graph)
    tree = tl.merge_tree(graph)
    assert {str(graph.status[e]) for e in tree.edge} == {"refined"}
    curve = tl.nu_curve(graph)
    assert curve.levels[0] == graph.births[0]
    lower, upper = curve.raw
    assert 1 <= lower[0] <= upper[0] == 2 * math.factorial(7) // 20, "a pentagonal bipyramid has 20 symmetries"


def arrays(graph):
    return [graph.births, graph.edges, graph.heights, graph.confirmations, graph.points, graph.hits]


def test_same_seed_same_bits():
    one, same, other = (tl.explore(tl.zoo.fourier(1), seed=seed, budget=1500) for seed in (4, 4, 5))
    assert all(np.array_equal(a, b) for a, b in zip(arrays(one), arrays(same), strict=True))
    assert one.reason == same.reason
    assert all(torch.equal(a.points, b.points) for a, b in zip(one.paths, same.paths, strict=True))
    assert not np.array_equal(one.points, other.points)


@pytest.mark.parametrize("budget", [300, 600])
def test_the_budget_is_kept(budget):
    energy, cost = tl.tally(tl.zoo.mueller_brown())
    graph = tl.explore(energy, budget=budget, seed=0)
    assert graph.reason.startswith("the budget was used up")
    assert budget / 3 < cost.gradient_equivalents <= budget


def test_the_budget_holds_back_what_merges_take_to_verify():
    energy, cost = tl.tally(tl.zoo.lennard_jones(7))
    graph = tl.explore(energy, budget=1500, seed=0, patience=math.inf)
    assert 1000 < cost.gradient_equivalents <= 1500
    tree = tl.merge_tree(graph)
    assert {str(graph.status[e]) for e in tree.edge} == {"refined"}


def test_merges_that_the_budget_does_not_pay_for_stay_sampled():
    energy, cost = tl.tally(tl.zoo.lennard_jones(7))
    chart, reason = explore_chart(energy, 1500, seed=0, patience=math.inf)
    before = cost.gradient_equivalents
    graph = graph_of(chart, reason, lambda: 0.0)
    assert cost.gradient_equivalents == before
    assert {str(status) for status in graph.status[graph.heights > -16]} == {"sampled"}
    assert len(tl.merge_tree(graph).edge) > 0


def test_a_budget_below_one_hessian_is_refused():
    with pytest.raises(tl.InputError, match="does not pay for one Hessian of 21 columns"):
        tl.explore(tl.zoo.lennard_jones(7), budget=20)


def test_an_interrupt_carries_what_was_found():
    said = []

    def stop(sentence):
        said.append(sentence)
        if len(said) == 3:
            raise KeyboardInterrupt

    with pytest.raises(Interrupted) as stopped:
        tl.explore(tl.zoo.mueller_brown(), seed=0, progress=stop)
    graph = stopped.value.partial
    assert isinstance(graph, tl.LandscapeGraph)
    assert len(graph.births) >= 1
    assert graph.reason.startswith("interrupted")
    assert all("minima" in sentence for sentence in said)


def test_kinks_are_refused():
    with pytest.raises(tl.InputError, match="use sample, quench and connect"):
        tl.explore(tl.Energy.from_function(lambda x: x.abs().sum(1), 2))


def test_one_minimum_ends():
    graph = tl.explore(tl.Energy.from_function(lambda x: x.square().sum(1), 2), seed=0)
    assert len(graph.births) == 1
    assert len(graph.heights) == 0
    assert graph.reason.startswith("the rule is met: 0 merges")


@pytest.mark.parametrize(("tilt", "seed", "height"), [(0.0, 1, 4e-4), (0.01, 1, 4.126e-4)])
def test_two_wells_that_are_very_near_stay_two(tilt, seed, height):
    """Of equal and of slightly different energies, 0.04 apart in a bowl 1 wide, with the saddle between them."""

    def function(x):
        wells = (x[:, 0] ** 2 - 4e-4).square() / 4e-4 + tilt * x[:, 0]
        return wells + x.square().sum(1) ** 2 / 10 + x[:, 1] ** 2

    energy = tl.Energy.from_function(function, 2, bounds=(-1, 1))
    graph = tl.explore(energy, seed=seed, budget=3000)
    assert sorted(np.round(graph.points[:, 0], 2)) == [-0.02, 0.02]
    assert graph.heights.tolist() == pytest.approx([height], abs=1e-7)
    assert graph.births.tolist() == pytest.approx(tl.quench(energy, energy.start(30, 0)).energies.tolist(), abs=1e-9)
    assert float(np.ptp(graph.births)) == pytest.approx(0.04 * tilt, abs=1e-6)


@pytest.mark.parametrize("scale", [1.0, 1e-2, 1e-4])
def test_a_monkey_saddle_gives_no_edge(scale):
    def function(x):
        return scale * (x[:, 0] ** 3 - 3 * x[:, 0] * x[:, 1] ** 2 + x.square().sum(1) ** 2)

    graph = tl.explore(tl.Energy.from_function(function, 2), seed=0, budget=1000)
    assert len(graph.births) == 3
    assert len(graph.heights) == 0
    assert "not all joined" in graph.reason


def test_minima_that_no_climb_joins_are_searched_for_paths():
    """One quadratic unit: its two valleys meet at 0 only, where the Hessian vanishes, so that it is no saddle."""
    graph = tl.explore(tl.zoo.quadratic_unit(), patience=0.3, seed=0)
    assert graph.reason.startswith("climbs join no more minima")
    assert "1 of 1 pairs have a path" in graph.reason
    (low, high) = tl.persistence(graph, min_persistence=1e-3)[0]
    assert low.tolist() == pytest.approx([8 / 3, np.inf])
    assert high.tolist() == pytest.approx([32 / 3, 11.0], abs=1e-3)
