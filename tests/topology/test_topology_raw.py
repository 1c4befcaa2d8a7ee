"""Bounds of raw counts: covers known by hand, and the lifted graph built out and counted by brute force."""

import itertools
import math

import networkx as nx
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tda_landscape import InputError
from tda_landscape.topology import LandscapeGraph, group_order, merge_graphs, nu_curve, raw_bounds

LEVELS = (0.0, 1.0, 2.0, 3.0)


def graph(births, edges, heights, transform, order):
    return LandscapeGraph.from_arrays(births, edges, heights, transform=transform, order=order)


def elements(generators, degree):
    """The whole group as tuples."""
    seen, todo = {tuple(range(degree))}, [tuple(range(degree))]
    while todo:
        g = todo.pop()
        for h in generators:
            new = tuple(g[i] for i in h)
            if new not in seen:
                seen.add(new)
                todo.append(new)
    return seen


def lifted_count(landscape, group, level):
    """Components of the graph on the orbits: vertex (i, a) is a . x_i, edge (i, j, g) joins (i, a) to (j, a g)."""
    above = nx.Graph()
    born = [i for i in range(len(landscape.births)) if landscape.births[i] <= level]
    above.add_nodes_from(itertools.product(born, group))
    one = tuple(range(len(next(iter(group)))))
    for (i, j), height, g in zip(landscape.edges.tolist(), landscape.heights, landscape.transform, strict=True):
        if height <= level:
            step = one if g is None else tuple(int(s) for s in g)
            above.add_edges_from(((i, a), (j, tuple(a[s] for s in step))) for a in group)
    return nx.number_connected_components(above)


@st.composite
def voltage_graphs(draw):
    """Random graphs over random permutation groups: ties, loops, parallel edges, infinite heights."""
    degree = draw(st.integers(1, 4))
    group = sorted(elements(draw(st.lists(st.permutations(range(degree)), min_size=1, max_size=3)), degree))
    births = np.array(draw(st.lists(st.sampled_from(LEVELS[:2]), min_size=1, max_size=5)))
    leaf = st.integers(0, len(births) - 1)
    edges = np.array(draw(st.lists(st.tuples(leaf, leaf), max_size=8)), dtype=int).reshape(-1, 2)
    m = len(edges)
    rises = draw(st.lists(st.sampled_from((0.0, 1.0, 2.0, np.inf)), min_size=m, max_size=m))
    transform = draw(st.lists(st.one_of(st.none(), st.sampled_from(group)), min_size=m, max_size=m))
    heights = births[edges].max(axis=1, initial=-np.inf) + np.array(rises)
    arrays = [None if g is None else np.array(g) for g in transform]
    return graph(births, edges, heights, arrays, len(group)), group


@settings(max_examples=300, deadline=None)
@given(voltage_graphs())
def test_the_upper_bound_is_the_count_of_the_lifted_graph(case):
    landscape, group = case
    curve = nu_curve(landscape)
    lower, upper = curve.raw
    for at, level in enumerate(curve.levels):
        assert upper[at] == lifted_count(landscape, group, level)
        assert lower[at] == curve(level) <= upper[at] <= curve(level) * len(group)
    between = np.concatenate([curve.levels[:-1] + np.diff(curve.levels) / 2, curve.levels[-1:] + 1, [-1.0]])
    for level, bound in zip(between, raw_bounds(landscape).at(between)[1], strict=True):
        assert bound == lifted_count(landscape, group, level)


def test_a_moebius_strip_of_two_leaves():
    curve = nu_curve(graph([0.0, 0.0], [(0, 1), (0, 1)], [1.0, 2.0], [None, [1, 0]], 2))
    assert [b.tolist() for b in curve.raw] == [[2, 1, 1], [4, 2, 1]]
    plain = nu_curve(graph([0.0, 0.0], [(0, 1), (0, 1)], [1.0, 2.0], [None, None], 2))  # a cylinder stays two
    assert [b.tolist() for b in plain.raw] == [[2, 1], [4, 2]]


@pytest.mark.parametrize("n", [2, 3, 6, 12])
@pytest.mark.parametrize("step", [1, 2, 3])
def test_cyclic_covers(n, step):
    """A loop whose element is a rotation by `step` leaves gcd(n, step) components."""
    turn = (np.arange(n) + step) % n
    bounds = raw_bounds(graph([0.0], [(0, 0)], [1.0], [turn], n))
    assert bounds.upper[0] == n
    assert bounds.upper[-1] == math.gcd(n, step)


def test_a_fixed_point_has_fewer_copies_from_its_birth_on():
    swap = [1, 0, 2]
    bounds = raw_bounds(graph([0.0, 0.5], [(0, 0)], [0.0], [swap], 6))
    assert bounds.levels.tolist() == [0.0, 0.5]
    assert bounds.upper.tolist() == [3, 9]


def test_a_loop_that_closes_above_every_merge_is_a_level_of_the_curve():
    curve = nu_curve(graph([0.0], [(0, 0)], [7.0], [[1, 0]], 2))
    assert curve.levels.tolist() == [0.0, 7.0]
    assert curve.raw[1].tolist() == [2, 1]
    assert curve.counts["sampled"].tolist() == [1, 1]


def test_groups_larger_than_64_bits():
    order = math.factorial(30) * 2**30
    curve = nu_curve(graph([0.0, 0.0], [(0, 1)], [1.0], [None], order))
    assert curve.raw[1].tolist() == [2 * order, order]


def test_very_many_things_leave_the_bound_as_it_is():
    swap = np.r_[1, 0, 2:129]
    for n, upper in ((128, 12), (129, 24)):
        assert raw_bounds(graph([0.0], [(0, 0)], [1.0], [swap[:n]], 24)).upper[-1] == upper


def test_without_a_symmetry_counts_are_raw():
    plain = LandscapeGraph.from_arrays([0.0], [], [])
    assert nu_curve(plain).raw is None
    with pytest.raises(InputError, match="order None"):
        raw_bounds(plain)


def test_order_stays_with_the_graph():
    a = graph([0.0, 0.5], [(0, 1)], [1.0], [[1, 0]], 2)
    assert a.with_edges(a).order == merge_graphs(a, a).order == 2
    other = LandscapeGraph.from_arrays([0.0, 0.5], [], [])
    for put_together in (a.with_edges, lambda b: merge_graphs(a, b)):
        with pytest.raises(InputError, match="same group"):
            put_together(other)


@pytest.mark.parametrize(
    ("transform", "order", "said"),
    [
        ([[1, 2, 0]], 2, "does not divide"),
        ([[0, 0, 1]], 6, "permutation"),
        ([None], 0, "positive int"),
        ([None], 2.0, "positive int"),
    ],
)
def test_wrong_transforms_are_refused(transform, order, said):
    with pytest.raises(InputError, match=said):
        raw_bounds(graph([0.0], [(0, 0)], [1.0], transform, order))


def test_transforms_of_different_lengths_are_refused():
    with pytest.raises(InputError, match="equally many"):
        raw_bounds(graph([0.0], [(0, 0), (0, 0)], [1.0, 1.0], [[1, 0], [0, 1, 2]], 2))


def test_the_group_of_the_tests_is_the_group_of_the_package():
    generators = [(1, 0, 2, 3), (1, 2, 3, 0)]
    assert len(elements(generators, 4)) == group_order(generators) == 24
