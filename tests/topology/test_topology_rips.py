"""Vietoris-Rips persistence: single linkage, circles, barriers, and what is refused."""

from itertools import pairwise

import networkx as nx
import numpy as np
import pytest
from scipy.cluster.hierarchy import linkage
from scipy.spatial.distance import pdist, squareform

from tda_landscape import InputError
from tda_landscape.topology import barrier_rips, persistence, rips


def polygon(n):
    angle = 2 * np.pi * np.arange(n) / n
    return np.column_stack([np.cos(angle), np.sin(angle)])


@pytest.mark.parametrize("seed", range(6))
def test_h0_is_single_linkage(seed):
    rng = np.random.default_rng(seed)
    points = rng.normal(size=(int(rng.integers(2, 30)), int(rng.integers(1, 5))))
    deaths = np.sort(rips(points, max_dimension=0)[0][:, 1])
    assert np.allclose(deaths[:-1], np.sort(linkage(points, "single")[:, 2]), rtol=1e-12)
    assert np.isinf(deaths[-1])
    complete = np.sort(linkage(points, "complete")[:, 2])  # control
    assert len(points) < 4 or not np.allclose(deaths[:-1], complete)


@pytest.mark.parametrize("n", [5, 10, 12])
def test_h1_of_a_regular_polygon(n):
    # Born at the side 2 sin(pi/n); dies at the chord over ceil(n/3) sides (Adamaszek and Adams, Pacific J. Math.
    # 290, 1, 2017).
    bars = rips(polygon(n))[1]
    expected = [2 * np.sin(np.pi / n), 2 * np.sin(np.pi * np.ceil(n / 3) / n)]
    assert bars.shape == (1, 2)
    assert np.allclose(bars[0], expected, rtol=1e-12)
    assert rips(np.column_stack([np.arange(n), np.zeros(n)]))[1].shape == (0, 2)  # control: a segment


def test_h2_of_the_octahedron():
    bars = rips(np.concatenate([np.eye(3), -np.eye(3)]), max_dimension=2)
    assert np.allclose(bars[2], [[np.sqrt(2), 2.0]])
    assert len(bars) == 3


def test_distances_and_points_agree():
    points = np.random.default_rng(0).normal(size=(25, 3))
    by_points, by_distances = rips(points), rips(distances=squareform(pdist(points)))
    for a, b in zip(by_points, by_distances, strict=True):
        assert np.allclose(a, b, rtol=1e-12)
    square = np.zeros((4, 4))  # control: a square matrix without a name is four points
    assert np.isinf(rips(square)[0]).sum() == 1


def test_float64_end_to_end():
    gap = 2.3 + 1e-8
    assert rips(distances=[[0, gap], [gap, 0]])[0].tolist() == [[0.0, np.inf], [0.0, gap]]
    assert float(np.float32(gap)) != gap


def test_rounding_in_a_distance_matrix_is_no_asymmetry():
    points = np.random.default_rng(0).normal(size=(20, 3))
    square = (points**2).sum(1)
    matrix = np.sqrt(np.maximum(square[:, None] + square - 2 * points @ points.T, 0))
    np.fill_diagonal(matrix, 0)
    matrix[0, 1] = np.nextafter(matrix[1, 0], 9)  # one unit in the last place
    assert np.allclose(rips(distances=matrix)[0], rips(points)[0], rtol=1e-9)


def test_infinite_distances_never_join():
    matrix = [[0, 1, np.inf], [1, 0, np.inf], [np.inf, np.inf, 0]]
    assert rips(distances=matrix)[0].tolist() == [[0.0, np.inf], [0.0, np.inf], [0.0, 1.0]]


def test_a_threshold_cuts_edges():
    points = [[0.0], [1.0], [3.0]]
    assert np.isinf(rips(points, threshold=1.5)[0]).sum() == 2
    assert np.isinf(rips(points)[0]).sum() == 1


def test_one_point_and_copies_of_it():
    assert rips([[1.0, 2.0]])[0].tolist() == [[0.0, np.inf]]
    assert rips([[1.0, 2.0]])[1].shape == (0, 2)
    assert rips(np.ones((5, 2)))[0].tolist() == [[0.0, np.inf]]


SQUARE = np.array([[0.0, 1.0], [1.0, 0.0]])


@pytest.mark.parametrize(
    "arguments",
    [
        {},
        {"points": SQUARE, "distances": SQUARE},
        {"points": [[0.0, np.nan]]},
        {"points": [[0.0, np.inf], [0.0, np.inf], [1.0, 1.0]]},
        {"points": []},
        {"points": [0.0, 1.0]},
        {"distances": [[0.0, np.nan], [np.nan, 0.0]]},
        {"distances": np.zeros((2, 3))},
        {"distances": [[0.0, 1.0], [2.0, 0.0]]},
        {"distances": [[0.0, -1.0], [-1.0, 0.0]]},
        {"distances": [[1.0, 1.0], [1.0, 1.0]]},
        {"points": SQUARE, "max_dimension": -1},
        {"points": SQUARE, "max_dimension": 1.5},
        {"points": SQUARE, "threshold": np.nan},
    ],
    ids=lambda given: " ".join(repr(given).split()),
)
def test_refused_in_one_sentence(arguments):
    with pytest.raises(InputError) as caught:
        rips(**arguments)
    assert len(str(caught.value).splitlines()) == 1


@pytest.mark.parametrize("seed", range(10))
def test_h0_of_the_flag_complex_is_the_merge_tree(seed):
    rng = np.random.default_rng(seed)
    births = np.round(rng.normal(size=12), 1)
    edges = rng.integers(0, 12, size=(20, 2))
    graph = (births, edges, births[edges].max(1) + rng.choice([0.0, 0.5, 1.0, np.inf], 20))
    assert np.array_equal(barrier_rips(graph)[0], persistence(graph)[0])


@pytest.mark.parametrize("n", [4, 5, 9])
def test_a_cycle_of_searches_is_a_loop_that_never_dies(n):
    ring = [(i, (i + 1) % n) for i in range(n)]
    heights = 1.0 + np.arange(n)
    assert barrier_rips((np.zeros(n), ring, heights))[1].tolist() == [[float(n), np.inf]]
    assert barrier_rips((np.zeros(n), ring[:-1], heights[:-1]))[1].shape == (0, 2)  # control: a path
    assert barrier_rips((np.zeros(3), [*ring[:2], (2, 0)], heights[:3]))[1].shape == (0, 2)  # a triangle is filled


@pytest.mark.parametrize("seed", range(5))
def test_complete_minimax_weights_leave_no_loop(seed):
    rng = np.random.default_rng(seed)
    n = 8
    births = rng.random(n)
    tree = nx.random_labeled_tree(n, seed=seed)
    weight = {(a, b): max(births[a], births[b]) + rng.random() for a, b in tree.edges}
    pairs = [(a, b) for a in range(n) for b in range(a)]
    minimax = []
    for a, b in pairs:
        way = nx.shortest_path(tree, a, b)
        minimax.append(max(weight.get((p, q), weight.get((q, p))) for p, q in pairwise(way)))
    complete = barrier_rips((births, pairs, minimax))
    assert complete[1].shape == (0, 2)
    raised = np.array(minimax) + rng.random(len(pairs))  # control: heights that are no minimax values
    loops = barrier_rips((births, pairs, raised))[1]
    assert np.isfinite(loops).all()
    assert len(loops) > 0


def test_parallel_edges_count_at_the_lowest_and_loops_not_at_all():
    ring = [(0, 1), (1, 2), (2, 3), (3, 0)]
    for last in ([5, 2], [2, 5]):
        doubled = (np.zeros(4), [*ring, (0, 3), (2, 2)], [1, 1, 1, *last, 9])
        assert barrier_rips(doubled)[1].tolist() == [[2.0, np.inf]]


def test_infinite_heights_are_no_edges():
    ring = [(0, 1), (1, 2), (2, 3), (3, 0)]
    assert barrier_rips((np.zeros(4), ring, [1, 1, 1, np.inf]))[1].shape == (0, 2)


def test_the_source_warns_about_h1():
    assert "not the H1" in barrier_rips(([0.0], [], [])).source
    assert "Rips" in rips([[0.0]]).source


def test_an_empty_graph_has_empty_diagrams():
    assert [d.shape for d in barrier_rips(([], [], []), max_dimension=2)] == [(0, 2)] * 3
