"""The flag complex of the search graph: against a reduction by hand, and refused before memory runs out."""

import itertools
import time

import networkx as nx
import numpy as np
import pytest

from tda_landscape import InputError
from tda_landscape.topology import barrier_rips
from tda_landscape.topology._barrier_rips import n_simplices


def random_graph(seed):
    rng = np.random.default_rng(seed)
    n = int(rng.integers(4, 9))
    births = np.round(rng.normal(size=n), 1)
    pairs = np.array(list(itertools.combinations(range(n), 2)))
    edges = pairs[rng.random(len(pairs)) < rng.choice([0.5, 0.8, 1.0])]
    rise = rng.choice([0.0, 0.5, 1.0, np.inf], len(edges), p=[0.3, 0.3, 0.3, 0.1])
    return births, edges, births[edges].max(axis=1, initial=-np.inf) + rise


def by_reduction(births, edges, heights, top):
    """Standard reduction of the boundary matrix over Z2, simplices in order of (value, dimension)."""
    height = {tuple(sorted(e)): h for e, h in zip(edges.tolist(), heights.tolist(), strict=True) if np.isfinite(h)}
    simplices = []
    for size in range(1, top + 3):
        for vertices in itertools.combinations(range(len(births)), size):
            pairs = list(itertools.combinations(vertices, 2))
            if all(pair in height for pair in pairs):
                value = max([births[v] for v in vertices] + [height[pair] for pair in pairs])
                simplices.append((value, size, vertices))
    simplices.sort()
    place = {s[2]: i for i, s in enumerate(simplices)}
    low, paired, bars = {}, set(), [[] for _ in range(top + 1)]
    for i, (value, size, vertices) in enumerate(simplices):
        column = {place[f] for f in itertools.combinations(vertices, size - 1)} if size > 1 else set()
        while column and max(column) in low:
            column ^= low[max(column)]
        if column:
            born = max(column)
            low[born] = column
            paired |= {born, i}
            birth, dimension = simplices[born][0], simplices[born][1] - 1
            if dimension <= top and value > birth:
                bars[dimension].append((birth, value))
    for i, (value, size, _) in enumerate(simplices):
        if i not in paired and size - 1 <= top:
            bars[size - 1].append((value, np.inf))
    return [np.array(sorted(b, key=lambda bar: (bar[0], -bar[1]))).reshape(-1, 2) for b in bars]


@pytest.mark.parametrize("top", [1, 2])
@pytest.mark.parametrize("seed", range(25))
def test_equal_to_a_reduction_by_hand(seed, top):
    graph = random_graph(seed)
    found = barrier_rips(graph, max_dimension=top)
    for one, other in zip(found, by_reduction(*graph, top), strict=True):
        assert np.array_equal(one, other)


def test_the_reduction_finds_loops_that_live_and_die():
    bars = [by_reduction(*random_graph(seed), 1)[1] for seed in range(25)]
    assert sum(np.isinf(b).any() for b in bars) > 3
    assert sum(np.isfinite(b[:, 1]).any() for b in bars) > 3


@pytest.mark.parametrize("seed", range(6))
@pytest.mark.parametrize("top", [1, 2, 3])
def test_the_estimate_bounds_the_number_of_simplices(seed, top):
    graph = nx.gnp_random_graph(24, 0.2 + 0.1 * seed, seed=seed)
    cliques = [c for c in nx.enumerate_all_cliques(graph) if len(c) <= top + 2]
    estimate = n_simplices(24, np.array(graph.edges), top)
    assert len(cliques) <= estimate
    if top == 1:
        assert estimate == pytest.approx(len(cliques))
    whole = nx.complete_graph(12)
    exact = len([c for c in nx.enumerate_all_cliques(whole) if len(c) <= top + 2])
    assert n_simplices(12, np.array(whole.edges), top) == pytest.approx(exact)


def test_what_does_not_fit_is_refused_at_once_in_one_sentence():
    n = 600
    edges = np.array(list(itertools.combinations(range(n), 2)))
    start = time.process_time()
    with pytest.raises(InputError, match=r"600 vertices and 179700 edges has up to 5.38e\+09 simplices") as caught:
        barrier_rips((np.zeros(n), edges, np.ones(len(edges))), max_dimension=2)
    assert time.process_time() - start < 5
    assert len(str(caught.value).splitlines()) == 1
    small = (np.zeros(4), [(0, 1), (1, 2), (2, 3), (3, 0)], [1, 1, 1, 2])
    with pytest.raises(InputError, match="max_memory=5e"):
        barrier_rips(small, max_memory=500)
    assert len(barrier_rips(small, max_memory=1000)[1]) == 1


def test_the_source_counts_the_pairs_that_were_searched():
    source = barrier_rips(([0, 0, 0], [(0, 1), (1, 0), (1, 1)], [1, 2, 3])).source
    assert "1 of 3 pairs; one that is missing leaves loops that never die" in source
    assert "not the H1" in source
    whole = barrier_rips(([0, 0, 0], [(0, 1), (1, 2), (2, 0)], [1, 2, 3])).source
    assert "(3 of 3 pairs)" in whole


@pytest.mark.parametrize("dimension", [-1, 1.5, True])
def test_a_dimension_is_a_whole_number(dimension):
    with pytest.raises(InputError, match="max_dimension"):
        barrier_rips(([0.0], [], []), max_dimension=dimension)


def test_births_survive_gudhi():
    # A broadcast int32 row makes gudhi 3.13 drop every birth: then vertices are born with their lowest edge.
    import gudhi

    births, edges, heights = np.array([0.1, 0.2, 0.3]), [(0, 1), (1, 2)], [1.0, 2.0]
    assert barrier_rips((births, edges, heights))[0].tolist() == [[0.1, np.inf], [0.2, 1.0], [0.3, 2.0]]
    broken = gudhi.SimplexTree()
    broken.insert_batch(np.arange(3, dtype=np.int32)[None, :], births)
    assert [broken.filtration([v]) for v in range(3)] != births.tolist()  # fails once gudhi is mended: then simplify


def test_a_thousand_vertices_and_ten_thousand_edges_are_quick():
    rng = np.random.default_rng(0)
    births, edges = rng.random(1000), rng.integers(0, 1000, (10_000, 2))
    diagrams = barrier_rips((births, edges, births[edges].max(axis=1) + rng.random(10_000)))
    assert len(diagrams[1]) > 5000
