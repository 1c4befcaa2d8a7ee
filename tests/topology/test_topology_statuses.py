"""One curve a status: certified >= refined >= sampled, certified edges at their upper bounds, proved counts."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tda_landscape import InputError
from tda_landscape.topology import EDGE_STATUSES, LandscapeGraph, merge_tree, nu_curve

graph_of = LandscapeGraph.from_arrays


@st.composite
def landscape_graphs(draw):
    births = np.array(draw(st.lists(st.sampled_from([-1.0, 0.0, 0.5, 2.3]), min_size=1, max_size=8)))
    leaf = st.integers(0, len(births) - 1)
    edges = np.array(draw(st.lists(st.tuples(leaf, leaf), max_size=14)), dtype=int).reshape(-1, 2)
    m = len(edges)

    def column(values):
        return np.array(draw(st.lists(st.sampled_from(values), min_size=m, max_size=m)))

    heights = births[edges].max(axis=1, initial=-np.inf) + column([0.0, 0.25, 1.0, 2.0])
    status = column(EDGE_STATUSES).astype(str)
    uppers = np.where(status == "certified", heights + column([0.0, 1e-9, 0.5]), np.inf)
    return graph_of(births, edges, heights, status=status, uppers=uppers, proved=column([False, True]))


@settings(max_examples=150, deadline=None)
@given(landscape_graphs())
def test_better_known_is_never_fewer(graph):
    curve = nu_curve(graph)
    certified, refined, sampled = (curve.counts[s] for s in EDGE_STATUSES)
    assert (certified >= refined).all()
    assert (refined >= sampled).all()
    assert (curve.proved >= 0).all()
    assert (curve.proved <= np.maximum(sampled - 1, 0)).all()


@settings(max_examples=100, deadline=None)
@given(landscape_graphs())
def test_each_curve_is_a_sweep_of_the_edges_known_that_well(graph):
    curve = nu_curve(graph)
    certified = graph.status == "certified"
    good = certified | (graph.status == "refined")
    by_hand = {
        "certified": (graph.births, graph.edges[certified], graph.uppers[certified]),
        "refined": (graph.births, graph.edges[good], graph.heights[good]),
        "sampled": (graph.births, graph.edges, graph.heights),
    }
    between = (curve.levels[1:] + curve.levels[:-1]) / 2
    levels = np.concatenate([curve.levels, between, np.nextafter(curve.levels, -np.inf)])
    for status, arrays in by_hand.items():
        assert curve(levels, status).tolist() == merge_tree(arrays).n_components(levels).tolist()


def test_a_certified_edge_counts_at_its_upper_bound():
    curve = nu_curve(graph_of([0.0, 0.5], [(0, 1)], [1.0], status="certified", uppers=[1.2]))
    assert [int(curve(1.1, status)) for status in EDGE_STATUSES] == [2, 1, 1]
    assert int(curve(1.2, "certified")) == 1
    assert int(curve(np.nextafter(1.2, 0), "certified")) == 2


def test_a_sampled_edge_proves_no_merge_at_a_better_status():
    curve = nu_curve(graph_of([0.0, 0.5], [(0, 1)], [1.0]))
    assert [int(curve(5.0, status)) for status in EDGE_STATUSES] == [2, 2, 1]


def test_an_upper_bound_below_the_measured_maximum_is_refused():
    # A certificate below a value that was measured on the path is wrong, and would put certified below sampled.
    with pytest.raises(InputError):
        graph_of([0.0, 0.5], [(0, 1)], [1.0], status="certified", uppers=[0.8])
    graph_of([0.0, 0.5], [(0, 1)], [1.0], status="certified", uppers=[1.0])


def test_proved_separations_end_where_they_merge():
    graph = graph_of([0.0, 0.5, 0.6], [(0, 1), (1, 2)], [1.0, 0.7], proved=[True, False])
    curve = nu_curve(graph)
    assert curve.n_proved([0.4, 0.5, 0.65, 0.7, 0.99, 1.0]).tolist() == [0, 1, 1, 1, 1, 0]
    assert nu_curve(graph_of([0.0, 0.5], [(0, 1)], [1.0])).n_proved(0.7) == 0


def test_proved_counts_do_not_depend_on_the_order_of_tied_parallel_edges():
    # Two paths of one height between the same leaves, one of them with a proof: the separation is proved.
    counts = [
        int(nu_curve(graph_of([0.0, 0.5], [(0, 1), (0, 1)], [1.0, 1.0], proved=proved)).n_proved(0.7))
        for proved in ([True, False], [False, True])
    ]
    assert counts == [1, 1]


def test_an_unknown_status_is_refused_in_one_sentence():
    for curve in (nu_curve(([0.0], [], [])), nu_curve(merge_tree(([0.0, 0.5], [(0, 1)], [1.0])))):
        with pytest.raises(InputError) as caught:
            curve(0.5, "guessed")
        assert "certified" in str(caught.value) or "sampled" in str(caught.value)


def test_a_tree_of_unproved_merges_has_the_one_curve_that_it_knows():
    curve = nu_curve(merge_tree(([0.0, 0.5], [(0, 1)], [1.0])))
    assert list(curve.counts) == ["sampled"]
    assert curve.raw is None
