"""Distances between landscapes and error bars by stability, against brute force and against each other."""

import itertools

import numpy as np
import pytest
from scipy.optimize import linear_sum_assignment

from tda_landscape import InputError
from tda_landscape.topology import (
    LandscapeGraph,
    barrier_rips,
    bottleneck,
    labeled_interleaving,
    merge_tree,
    nu_curve,
    nu_distance,
    persistence,
    stability_bound,
    wasserstein,
)


def random_graph(seed, n=12, m=30):
    rng = np.random.default_rng(seed)
    births = rng.normal(size=n)
    edges = rng.integers(0, n, (m, 2))
    return births, edges, births[edges].max(axis=1) + rng.exponential(size=m)


def moved(graph, size, seed):
    """The same vertices and edges, every number changed by at most `size`."""
    rng = np.random.default_rng(seed)
    births, edges, heights = graph
    births = births + rng.uniform(-size, size, len(births))
    heights = heights + rng.uniform(-size, size, len(heights))
    return births, edges, np.maximum(heights, births[edges].max(axis=1))


def diagram(rng, n, essential=1):
    births = rng.normal(size=n + essential)
    deaths = np.append(births[:n] + rng.exponential(size=n), np.full(essential, np.inf))
    return np.column_stack([births, deaths])


def costs(one, other):
    """Costs of matching finite bars to each other or to the diagonal."""
    a, b = one[np.isfinite(one[:, 1])], other[np.isfinite(other[:, 1])]
    n, m = len(a), len(b)
    cost = np.zeros((n + m, n + m))
    cost[:n, :m] = np.abs(a[:, None] - b).max(-1)
    cost[:n, m:] = ((a[:, 1] - a[:, 0]) / 2)[:, None]
    cost[n:, :m] = ((b[:, 1] - b[:, 0]) / 2)[None]
    return cost


def essentials(one, other):
    births = [np.sort(d[np.isinf(d[:, 1]), 0]) for d in (one, other)]
    return np.abs(births[0] - births[1])


def by_assignment(one, other, order):
    cost = costs(one, other) ** order
    rows, columns = linear_sum_assignment(cost)
    return float((cost[rows, columns].sum() + (essentials(one, other) ** order).sum()) ** (1 / order))


def by_permutations(one, other):
    cost = costs(one, other)
    size = len(cost)
    best = min(max(cost[i, p[i]] for i in range(size)) for p in itertools.permutations(range(size)))
    return max(best, float(essentials(one, other).max(initial=0.0)))


@pytest.mark.parametrize("block", range(6))
def test_bottleneck_is_the_best_largest_move(block):
    for seed in range(20 * block, 20 * block + 20):  # seed 3 is one that gudhi's e=0 gets wrong
        rng = np.random.default_rng(seed)
        one, other = diagram(rng, 3, 2), diagram(rng, 3, 2)
        assert bottleneck([one], [other]) == pytest.approx(by_permutations(one, other), rel=1e-12)
        assert bottleneck([one], [one[::-1]]) < 1e-300


@pytest.mark.parametrize("order", [1, 2, 3.5])
@pytest.mark.parametrize("seed", range(5))
def test_wasserstein_is_the_best_sum_of_moves(seed, order):
    rng = np.random.default_rng(seed)
    one, other = diagram(rng, 12, 2), diagram(rng, 9, 2)
    assert wasserstein([one], [other], order=order) == pytest.approx(by_assignment(one, other, order), rel=1e-5)
    assert wasserstein([one], [other], order=order) >= bottleneck([one], [other]) * (1 - 1e-5)


def test_different_numbers_of_essential_classes_are_infinitely_far_apart():
    one, two = [[[0.0, np.inf]]], [[[0.0, np.inf], [1.0, np.inf]]]
    assert bottleneck(one, two) == np.inf
    assert wasserstein(one, two) == np.inf


def test_other_dimensions_are_compared_when_asked_for():
    one = [np.array([[0.0, np.inf]]), np.array([[1.0, 2.0]])]
    other = [np.array([[0.0, np.inf]]), np.array([[1.0, 3.0]])]
    assert bottleneck(one, other) < 1e-300
    assert bottleneck(one, other, dimension=1) == pytest.approx(1.0)
    assert wasserstein(one, other, dimension=1) == pytest.approx(1.0)


@pytest.mark.parametrize("seed", range(10))
def test_labeled_interleaving_is_the_sup_norm_of_the_barrier_matrices(seed):
    one, other = merge_tree(random_graph(seed)), merge_tree(random_graph(seed + 100))
    with np.errstate(invalid="ignore"):
        by_matrix = np.nan_to_num(np.abs(one.barriers() - other.barriers()), nan=0.0, posinf=np.inf).max()
    assert labeled_interleaving(one, other) == by_matrix


@pytest.mark.parametrize("seed", range(10))
def test_bottleneck_below_interleaving_below_the_change_of_the_graph(seed):
    graph = random_graph(seed)
    for size in (1e-9, 0.05, 0.7):
        other = moved(graph, size, seed)
        distance = bottleneck(persistence(graph), persistence(other))
        between = labeled_interleaving(graph, other)
        assert distance <= between * (1 + 1e-12)
        assert between <= stability_bound(graph, other) * (1 + 1e-12)
        assert between > 0


def test_interleaving_tells_trees_with_one_diagram_apart():
    one = ([0.0, 1.0, 2.0], [(0, 1), (1, 2)], [5.0, 4.0])
    other = ([0.0, 1.0, 2.0], [(0, 1), (0, 2)], [5.0, 4.0])
    assert bottleneck(persistence(one), persistence(other)) < 1e-300
    assert labeled_interleaving(one, other) == 1.0


def test_leaves_are_matched_by_their_labels():
    import networkx as nx

    def graph(names):
        g = nx.Graph()
        for name in names:
            g.add_node(name, energy={"a": 0.0, "b": 0.5, "c": 0.2}[name])
        g.add_edge("a", "b", height=1.0)
        g.add_edge("b", "c", height=0.7)
        return g

    assert labeled_interleaving(graph("abc"), graph("cba")) == 0
    with pytest.raises(InputError, match="labels are not the same"):
        labeled_interleaving(graph("abc"), ([0.0, 0.5, 0.2], [], []))


def test_interleaving_of_forests():
    forest, tree = ([0.0, 0.5], [], []), ([0.0, 0.5], [(0, 1)], [1.0])
    assert labeled_interleaving(forest, forest) == 0
    assert labeled_interleaving(forest, tree) == np.inf


@pytest.mark.parametrize("seed", range(6))
def test_curve_distances_are_integrals_and_suprema(seed):
    one, other = nu_curve(random_graph(seed)), nu_curve(random_graph(seed + 50))
    window = (-1.3, 2.1)
    levels = np.linspace(*window, 400_001)
    gap = np.abs(one(levels) - other(levels))
    assert nu_distance(one, other, window=window) == pytest.approx(gap[:-1].mean() * 3.4, rel=1e-3)
    assert nu_distance(one, other, window=window, order=np.inf) == gap.max()
    assert nu_distance(one, one, window=window) == 0
    wide = nu_distance(one, other, window=(-1.3, 5.0))
    assert wide >= nu_distance(one, other, window=window)


def test_a_step_at_the_very_end_of_the_window_counts_for_the_supremum_only():
    one, other = nu_curve(([0.0, 1.0], [], [])), nu_curve(([0.0], [], []))
    assert nu_distance(one, other, window=(0.0, 1.0)) == 0
    assert nu_distance(one, other, window=(0.0, 1.0), order=np.inf) == 1
    assert nu_distance(one, other, window=(0.0, 3.0)) == 2.0


@pytest.mark.parametrize("seed", range(10))
def test_no_bar_of_any_dimension_moves_farther_than_the_stability_bound(seed):
    graph = random_graph(seed, 9, 24)
    other = moved(graph, 0.3, seed)
    bound = stability_bound(graph, other)
    assert 0 < bound < 2
    for one, two in [(barrier_rips(graph), barrier_rips(other))]:
        for k in (0, 1):
            assert bottleneck(one, two, dimension=k) <= bound * (1 + 1e-12)


def test_a_missing_edge_is_an_infinite_error():
    births, edges, heights = np.zeros(4), np.array([[0, 1], [1, 2], [2, 3]]), np.array([1.0, 2.0, 3.0])
    assert stability_bound((births, edges, heights), (births, edges[:-1], heights[:-1])) == np.inf
    raised = heights.copy()
    raised[-1] = np.inf
    assert stability_bound((births, edges, heights), (births, edges, raised)) == np.inf
    assert stability_bound((births, edges, heights), (births, edges, heights)) == 0


def test_certificates_are_error_bars():
    def graph(uppers):
        status = ["certified" if np.isfinite(u) else "sampled" for u in uppers]
        return LandscapeGraph.from_arrays([0.0, 0.5, 0.2], [(0, 1), (1, 2)], [1.0, 0.7], status=status, uppers=uppers)

    assert stability_bound(graph([1.25, 0.75])) == 0.25
    assert stability_bound(graph([1.25, np.inf])) == np.inf


@pytest.mark.parametrize(
    ("call", "sentence"),
    [
        (lambda c: nu_distance(c, c, window=(1.0, 0.0)), "low < high"),
        (lambda c: nu_distance(c, c, window=(0.0, np.inf)), "finite"),
        (lambda c: nu_distance(c, c, window=(0.0, 1.0), order=2), "order must be 1 or inf"),
        (lambda c: nu_distance(c, c, window=(0.0, 1.0), status="guessed"), "no count of status"),
        (lambda c: bottleneck([], []), "no diagram of dimension 0"),
        (lambda c: bottleneck([[[0.0, np.nan]]], [[[0.0, 1.0]]]), "NaN, first in bar 0"),
        (lambda c: wasserstein([[[0.0, 1.0]]], [[[0.0, 1.0]]], order=0.5), "order must be at least 1"),
        (lambda c: wasserstein([[[0.0, 1.0]]], [[[0.0, 1.0]]], rtol=0), "rtol must be positive"),
        (lambda c: stability_bound(([0.0], [], []), ([0.0, 1.0], [], [])), "1 and 2 vertices"),
    ],
)
def test_refused_in_one_sentence(call, sentence):
    with pytest.raises(InputError, match=sentence) as caught:
        call(nu_curve(([0.0, 0.5], [(0, 1)], [1.0])))
    assert len(str(caught.value).splitlines()) == 1
