"""H0 of the merge tree against gudhi's simplex tree, bar for bar, in float64."""

import gudhi
import numpy as np
import pytest

from tda_landscape.topology import persistence


def by_simplex_tree(births, edges, heights):
    """Insert one simplex at a time: `insert_batch` of a broadcast int32 view drops the filtration values."""
    tree = gudhi.SimplexTree()
    for v, birth in enumerate(births.tolist()):
        tree.insert([v], birth)
    cheapest = {}
    for (a, b), height in zip(edges.tolist(), heights.tolist(), strict=True):
        if a != b and np.isfinite(height):
            pair = (min(a, b), max(a, b))
            cheapest[pair] = min(height, cheapest.get(pair, np.inf))
    for pair, height in cheapest.items():
        tree.insert(list(pair), height)
    assert [tree.filtration([v]) for v in range(len(births))] == births.tolist()
    tree.compute_persistence(min_persistence=-1, persistence_dim_max=True)
    bars = tree.persistence_intervals_in_dimension(0).reshape(-1, 2)
    return bars[np.lexsort((-bars[:, 1], bars[:, 0]))]


def random_graph(rng):
    n = int(rng.integers(1, 40))
    m = int(rng.integers(0, 3 * n))
    births = rng.normal(size=n) * 3
    if rng.random() < 0.3:  # ties
        births = np.round(births)
    if rng.random() < 0.2:  # differences that float32 cannot see
        births = 2.3 + 1e-8 * rng.integers(0, 5, size=n)
    edges = rng.integers(0, n, size=(m, 2))
    rise = rng.choice([0.0, 1e-8, 0.5, 1.0, np.inf], size=m) * rng.choice([1.0, rng.random()], size=m)
    return births, edges, births[edges].max(axis=1, initial=-np.inf) + rise


@pytest.mark.parametrize("seed", range(25))
def test_equal_to_the_simplex_tree(seed):
    rng = np.random.default_rng(seed)
    for _ in range(10):
        graph = random_graph(rng)
        oracle = by_simplex_tree(*graph)
        assert np.array_equal(persistence(graph, min_persistence=-1)[0], oracle)
        assert np.array_equal(persistence(graph)[0], oracle[oracle[:, 1] > oracle[:, 0]])


def test_the_oracle_sees_one_wrong_height():
    rng = np.random.default_rng(1)
    births, heights = np.zeros(6), rng.random(5) + 1
    path = np.column_stack([np.arange(5), np.arange(1, 6)])
    wrong = heights.copy()
    wrong[2] = np.nextafter(wrong[2], 9)
    assert not np.array_equal(persistence((births, path, wrong))[0], by_simplex_tree(births, path, heights))
