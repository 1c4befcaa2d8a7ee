"""N_u = #{birth <= u < death}, whichever view computes it, on graphs made to be awkward."""

from functools import partial

import networkx as nx
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tda_landscape import InputError
from tda_landscape.topology import LandscapeGraph, merge_tree, nu_curve, persistence

LEVELS = (-3.0, -0.5, 0.0, 0.25, 0.5, 1.0, 2.3, 2.3 + 1e-8, 2.3 + 3e-8)
EXCESS = (0.0, 0.0, 1e-8, 0.25, 0.5, 1.0, 4.0, np.inf)


@st.composite
def weighted_graphs(draw):
    """Ties, parallel edges, loops, negative energies, disconnected, infinite heights, bars of 1e-8 at 2.3."""
    births = np.array(draw(st.lists(st.sampled_from(LEVELS), min_size=1, max_size=9)))
    leaf = st.integers(0, len(births) - 1)
    edges = np.array(draw(st.lists(st.tuples(leaf, leaf), max_size=16)), dtype=int).reshape(-1, 2)
    rises = draw(st.lists(st.sampled_from(EXCESS), min_size=len(edges), max_size=len(edges)))
    return births, edges, births[edges].max(axis=1, initial=-np.inf) + np.array(rises)


def levels_around(births, heights):
    """Every birth and height, the next numbers on both sides, and both infinities."""
    exact = np.concatenate([births, heights[np.isfinite(heights)]])
    beside = np.concatenate([np.nextafter(exact, -np.inf), np.nextafter(exact, np.inf)])
    return np.unique(np.concatenate([exact, beside, [-np.inf, -1e300, 1e300, np.inf]]))


def components(births, edges, heights, level):
    """Connected components at one level by networkx: the independent answer."""
    graph = nx.Graph()
    graph.add_nodes_from(np.flatnonzero(births <= level).tolist())
    low = (heights <= level) & np.isfinite(heights)
    graph.add_edges_from(edges[low].tolist())
    return [frozenset(part) for part in nx.connected_components(graph)]


def alive(diagram, level):
    return int(((diagram[:, 0] <= level) & (level < diagram[:, 1])).sum())


@settings(max_examples=150, deadline=None)
@given(weighted_graphs())
def test_every_view_counts_what_networkx_counts(graph):
    tree, curve = merge_tree(graph), nu_curve(graph)
    short, whole = persistence(graph)[0], persistence(tree, min_persistence=-1)[0]
    for level in levels_around(graph[0], graph[2]):
        truth = len(components(*graph, level))
        assert int(tree.n_components(level)) == truth
        assert int(curve(level)) == truth
        if np.isfinite(level):  # at inf the essential bars [b, inf) have just ended
            assert alive(short, level) == alive(whole, level) == truth


@settings(max_examples=100, deadline=None)
@given(weighted_graphs())
def test_levels_as_an_array_give_the_same_counts_as_one_by_one(graph):
    tree, curve = merge_tree(graph), nu_curve(graph)
    levels = levels_around(graph[0], graph[2])
    assert tree.n_components(levels).tolist() == [int(tree.n_components(u)) for u in levels]
    assert curve(levels).tolist() == [int(curve(u)) for u in levels]
    assert curve(levels.reshape(1, -1)).shape == (1, len(levels))


@settings(max_examples=100, deadline=None)
@given(weighted_graphs(), st.randoms(use_true_random=False))
def test_the_order_of_leaves_and_edges_does_not_matter(graph, random):
    births, edges, heights = graph
    leaves, rows = list(range(len(births))), list(range(len(edges)))
    random.shuffle(leaves)
    random.shuffle(rows)
    place = np.argsort(leaves)
    turned = place[edges][rows][:, ::-1] if len(edges) else edges
    shuffled = (births[leaves], turned, heights[rows])
    for shortest in (0, -1):
        before = persistence(graph, min_persistence=shortest)[0]
        assert np.array_equal(before, persistence(shuffled, min_persistence=shortest)[0])
    assert np.array_equal(nu_curve(graph).levels, nu_curve(shuffled).levels)


@settings(max_examples=150, deadline=None)
@given(weighted_graphs())
def test_a_cut_is_the_partition_of_networkx(graph):
    births = graph[0]
    tree = merge_tree(graph)
    for level in levels_around(births, graph[2]):
        labels = tree.cut(level)
        assert np.array_equal(labels == -1, births > level)
        parts = {frozenset(np.flatnonzero(labels == k).tolist()) for k in set(labels.tolist()) - {-1}}
        assert parts == set(components(*graph, level))
        assert all(births[k] == min(births[list(part)]) for part in parts for k in {labels[min(part)]})


@settings(max_examples=150, deadline=None)
@given(weighted_graphs())
def test_the_younger_component_dies(graph):
    births = graph[0]
    tree = merge_tree(graph)
    assert len(set(tree.dying.tolist())) == len(tree.dying)
    assert (np.diff(tree.height) >= 0).all()
    assert len(tree.roots) == len(births) - len(tree.dying) == len(components(*graph, np.inf))
    for dying, elder, height, edge in zip(tree.dying, tree.elder, tree.height, tree.edge, strict=True):
        assert (births[elder], elder) < (births[dying], dying)
        assert height == graph[2][edge] >= births[dying]
    for level in levels_around(births, graph[2]):
        for part in components(*graph, level):  # the survivor of each component is its lowest leaf
            oldest = min(part, key=lambda leaf: (births[leaf], leaf))
            assert tree.deaths[oldest] > level or level == np.inf
            assert all(tree.deaths[leaf] <= level for leaf in part - {oldest})


@settings(max_examples=60, deadline=None)
@given(weighted_graphs())
def test_raising_a_height_never_lowers_a_count(graph):
    births, edges, heights = graph
    lower = nu_curve(graph)
    for e in range(len(edges)):
        for higher in (heights[e] + 0.3, np.inf):
            raised = np.where(np.arange(len(edges)) == e, higher, heights)
            levels = levels_around(births, np.concatenate([heights, raised]))
            assert (nu_curve((births, edges, raised))(levels) >= lower(levels)).all()


def test_the_property_can_fail():
    # The same graph without its lowest edge: a view that lost an edge would be seen.
    births, edges, heights = np.array([0.0, 0.5, 0.2]), np.array([[0, 1], [1, 2]]), np.array([1.0, 0.7])
    assert int(nu_curve((births, edges, heights))(0.8)) == 2
    assert len(components(births, edges[:1], heights[:1], 0.8)) == 3


def test_bars_of_1e_8_at_2_3_survive():
    births = np.array([2.3, 2.3 + 1e-8])
    tree = merge_tree((births, [(0, 1)], [2.3 + 3e-8]))
    assert persistence(tree)[0].tolist() == [[2.3, np.inf], [2.3 + 1e-8, 2.3 + 3e-8]]
    assert tree.n_components(2.3 + 2e-8) == 2
    single = births.astype(np.float32).astype(np.float64)  # what a float32 engine would see
    assert single[0] == single[1]


def test_right_continuous_exactly_at_births_and_deaths():
    curve = nu_curve(([0.0, 0.5], [(0, 1)], [1.0]))
    below = np.nextafter([0.0, 0.5, 1.0], -np.inf)
    assert curve(below).tolist() == [0, 1, 2]
    assert curve([0.0, 0.5, 1.0]).tolist() == [1, 2, 1]


def test_nothing_merges_at_infinity():
    tree = merge_tree(([0.0, 0.0], [(0, 1)], [np.inf]))
    assert (int(tree.n_components(1e300)), int(tree.n_components(np.inf)), len(tree.roots)) == (2, 2, 2)


def test_no_leaves_is_no_components():
    empty = LandscapeGraph.from_arrays([], [], [])
    assert int(nu_curve(empty)(0.0)) == 0
    assert persistence(empty)[0].shape == (0, 2)
    assert persistence(empty)[0].dtype == np.float64
    assert merge_tree(empty).n_components([0.0, 1.0]).tolist() == [0, 0]


def test_a_level_of_nan_is_not_a_level():
    # Any count at NaN, 0 too, would be an invented number.
    tree, curve = merge_tree(([0.0, 0.5], [(0, 1)], [1.0])), nu_curve(([0.0, 0.5], [(0, 1)], [1.0]))
    for count in (tree.n_components, curve, curve.n_proved, partial(tree.lower_bound, delta=0.1), tree.cut):
        with pytest.raises(InputError, match=r"level must .*, got .*nan"):
            count(np.nan)
        assert np.asarray(count(2.0)).max() <= 1, "control"


def test_diagrams_are_sorted_and_say_what_they_are():
    diagram = persistence(([0.0, 0.0, -1.0, 0.0], [(0, 1), (1, 2), (2, 3)], [3.0, 1.0, 2.0]))
    assert diagram[0].tolist() == [[-1.0, np.inf], [0.0, 3.0], [0.0, 2.0], [0.0, 1.0]]
    assert len(diagram) == 1
    assert "sublevel" in diagram.source
