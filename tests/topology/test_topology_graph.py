"""LandscapeGraph: what it refuses, and what survives networkx, with_edges and merge_graphs."""

import networkx as nx
import numpy as np
import pytest

from tda_landscape import InputError
from tda_landscape.topology import EDGE_STATUSES, LandscapeGraph, merge_graphs, merge_tree, nu_curve, persistence

graph_of = LandscapeGraph.from_arrays
TWO = {"births": [0.0, 0.5], "edges": [(0, 1)], "heights": [1.0]}


@pytest.mark.parametrize(
    "change",
    [
        {"heights": [0.2]},
        {"heights": [np.nan]},
        {"heights": [-np.inf]},
        {"heights": [1.0, 2.0]},
        {"heights": []},
        {"births": [0.0, np.nan]},
        {"births": [0.0, np.inf]},
        {"births": [0.0, -np.inf]},
        {"births": ["deep", "high"]},
        {"edges": [(0, 2)]},
        {"edges": [(-1, 1)]},
        {"edges": [(0.7, 1)]},
        {"edges": [0, 1, 1]},
        {"status": "guessed"},
        {"status": ["sampled", "sampled"]},
        {"proved": [True, False]},
        {"uppers": [0.3]},
        {"uppers": [np.nan]},
        {"uppers": [2.0, 3.0]},
        {"points": [[1.0, 2.0]]},
        {"hits": np.zeros(3, dtype=int)},
        {"labels": ("a",)},
        {"saddle_index": np.zeros(2, dtype=int)},
        {"colour": "red"},
    ],
    ids=lambda given: " ".join(repr(given).split()),
)
def test_refused_in_one_sentence(change):
    arguments = {**TWO, **change}
    with pytest.raises(InputError) as caught:
        graph_of(arguments.pop("births"), arguments.pop("edges"), arguments.pop("heights"), **arguments)
    assert len(str(caught.value).splitlines()) == 1


def test_edges_the_wrong_way_round_are_not_read_as_other_edges():
    # (2, m), the layout of torch_geometric's edge_index: reshaped it would be three quite different edges.
    with pytest.raises(InputError):
        graph_of(np.zeros(4), [[0, 1, 2], [1, 2, 3]], [1.0, 1.0, 1.0])
    assert len(graph_of(np.zeros(4), np.transpose([[0, 1, 2], [1, 2, 3]]), [1.0, 1.0, 1.0]).edges) == 3


def test_the_sentence_names_the_leaf_that_does_not_exist():
    with pytest.raises(InputError, match="-1"):
        graph_of([0.0, 0.5], [(-1, 1)], [1.0])
    with pytest.raises(InputError, match="leaf 7"):
        graph_of([0.0, 0.5], [(0, 7)], [1.0])


def test_a_height_equal_to_an_end_and_infinity_are_heights():
    assert graph_of([0.0, 0.5], [(0, 1), (0, 1)], [0.5, np.inf]).heights.tolist() == [0.5, np.inf]


def test_the_arrays_given_are_copied():
    births, edges, heights = np.array([0.0, 0.5]), np.array([[0, 1]]), np.array([1.0])
    graph = graph_of(births, edges, heights, uppers=heights, points=births[:, None])
    births[:] = edges[:] = heights[:] = 7
    assert (graph.births.tolist(), graph.edges.tolist()) == ([0.0, 0.5], [[0, 1]])
    assert (graph.heights.tolist(), graph.uppers.tolist()) == ([1.0], [1.0])
    assert graph.points.tolist() == [[0.0], [0.5]]


def test_sweeps_leave_the_graph_as_it_is():
    graph = graph_of([0.5, 0.0, 0.2], [(0, 1), (1, 2)], [1.0, 0.7])
    kept = {name: getattr(graph, name).copy() for name in ("births", "edges", "heights", "status", "uppers")}
    merge_tree(graph), nu_curve(graph), persistence(graph)
    assert all(np.array_equal(getattr(graph, name), value) for name, value in kept.items())


def rich():
    return graph_of(
        [0.0, 0.5, -1.0, 2.0],
        [(0, 1), (1, 0), (1, 2), (3, 3)],
        [1.0, 0.75, 0.5, 2.5],
        status=["certified", "refined", "sampled", "sampled"],
        uppers=[1.25, np.inf, np.inf, np.inf],
        proved=[False, True, False, False],
        labels=("a", "b", 3, (4, 5)),
        leaf_status=np.array(["minimum", "minimum", "flat", "stationary"]),
    )


def test_networkx_and_back():
    graph = rich()
    there = graph.to_networkx()
    assert isinstance(there, nx.MultiGraph)
    assert there.number_of_edges("a", "b") == 2
    assert there.number_of_edges((4, 5), (4, 5)) == 1
    assert [there.nodes[v]["status"] for v in graph.labels] == graph.leaf_status.tolist()
    back = LandscapeGraph.from_networkx(there)
    assert back.labels == graph.labels
    assert np.array_equal(back.births, graph.births)
    rows = sorted(zip(np.sort(graph.edges, 1).tolist(), graph.heights, graph.status, strict=True))
    assert sorted(zip(np.sort(back.edges, 1).tolist(), back.heights, back.status, strict=True)) == rows
    assert np.array_equal(persistence(back, min_persistence=-1)[0], persistence(graph, min_persistence=-1)[0])


def test_networkx_and_back_keeps_every_curve():
    graph = rich()
    back = LandscapeGraph.from_networkx(graph.to_networkx())
    levels = nu_curve(graph).levels
    for status in EDGE_STATUSES:
        assert nu_curve(back)(levels, status).tolist() == nu_curve(graph)(levels, status).tolist(), status
    assert nu_curve(back).n_proved(levels).tolist() == nu_curve(graph).n_proved(levels).tolist()
    assert back.leaf_status.tolist() == graph.leaf_status.tolist()


@pytest.mark.parametrize("kind", [nx.Graph, nx.DiGraph, nx.MultiGraph, nx.MultiDiGraph])
def test_any_networkx_graph_is_read(kind):
    graph = kind()
    graph.add_node("x", depth=0.0)
    graph.add_node("y", depth=0.5)
    graph.add_edge("y", "x", barrier=1.0)
    read = LandscapeGraph.from_networkx(graph, energy="depth", height="barrier")
    assert (read.births.tolist(), read.heights.tolist(), read.labels) == ([0.0, 0.5], [1.0], ("x", "y"))


@pytest.mark.parametrize(
    ("nodes", "edge"),
    [
        (({}, {"energy": 1.0}), {"height": 2.0}),
        (({"energy": 0.0}, {"energy": 1.0}), {"weight": 2.0}),
        (({"energy": None}, {"energy": 1.0}), {"height": 2.0}),
        (({"energy": 0.0}, {"energy": 1.0}), {"height": "two"}),
        (({"energy": np.nan}, {"energy": 1.0}), {"height": 2.0}),
        (({"energy": 0.0}, {"energy": 1.0}), {"height": np.nan}),
        (({"energy": 0.0}, {"energy": 1.0}), {"height": 2.0, "status": "guessed"}),
    ],
)
def test_networkx_attributes_are_checked(nodes, edge):
    graph = nx.Graph()
    graph.add_node("x", **nodes[0])
    graph.add_node("y", **nodes[1])
    graph.add_edge("x", "y", **edge)
    with pytest.raises(InputError) as caught:
        merge_tree(graph)
    assert len(str(caught.value).splitlines()) == 1


@pytest.mark.parametrize("thing", [[[0.0], [], []], "graph", None, 3.0, ([0.0], [])])
def test_other_things_are_not_graphs(thing):
    for verb in (merge_tree, nu_curve, persistence):
        with pytest.raises(InputError):
            verb(thing)


def test_with_edges_adds_and_keeps():
    graph = rich()
    more = graph_of(graph.births, [(2, 3)], [2.25], status="refined", transform=("swap",), paths=("found",))
    both = graph.with_edges(more)
    assert both.edges.tolist() == [*graph.edges.tolist(), [2, 3]]
    assert both.status.tolist() == [*graph.status.tolist(), "refined"]
    assert both.uppers.tolist() == [1.25, *[np.inf] * 4]
    assert both.transform[-1] == "swap"
    assert both.paths[-1] == "found"
    assert both.labels == graph.labels
    assert len(graph.edges) == 4
    levels = nu_curve(both).levels
    assert (nu_curve(both)(levels) <= nu_curve(graph)(levels)).all()
    with pytest.raises(InputError):
        graph.with_edges(graph_of([0.0], [], []))
    with pytest.raises(InputError):
        graph.with_edges(graph_of(graph.births + 1e-12, [], []))


def test_with_no_edges_nothing_changes():
    graph = rich()
    same = graph.with_edges(graph_of(graph.births, [], []))
    assert np.array_equal(same.heights, graph.heights)
    assert same.status.tolist() == graph.status.tolist()


def test_merged_graphs_stand_side_by_side():
    first, second = rich(), graph_of([0.25, 0.5], [(0, 1)], [0.75], status="refined")
    both = merge_graphs(first, second)
    assert both.edges[-1].tolist() == [4, 5]
    assert both.labels == tuple(range(6))
    levels = nu_curve(both).levels
    for status in EDGE_STATUSES:
        apart = nu_curve(first)(levels, status) + nu_curve(second)(levels, status)
        assert nu_curve(both)(levels, status).tolist() == apart.tolist()
    assert merge_graphs(first, graph_of([], [], [])).heights.tolist() == first.heights.tolist()


def test_points_are_merged_only_where_both_have_them():
    one = graph_of([0.0], [], [], points=[[1.0, 2.0]])
    assert merge_graphs(one, one).points.tolist() == [[1.0, 2.0], [1.0, 2.0]]
    assert merge_graphs(one, graph_of([0.0], [], [])).points is None


def test_lists_for_tuple_fields_serve_as_well():
    graph = graph_of([0.0, 0.5], [(0, 1)], [1.0], transform=["swap"], labels=["a", "b"], hits=[1, 2])
    assert len(merge_graphs(graph, graph).transform) == 2
    assert len(graph.with_edges(graph_of([0.0, 0.5], [], [])).transform) == 1
