"""The merge tree at scale: both sets of kernels, 500 awkward graphs, three independent answers, the same bits."""

import gudhi
import numpy as np
import pytest
from scipy import sparse
from scipy.sparse.csgraph import minimum_spanning_tree

from tda_landscape import InputError
from tda_landscape.topology import (
    LandscapeGraph,
    _forest,
    _forest_numpy,
    merge_tree,
    merge_tree_of_chunks,
    persistence,
)

FIELDS = ("births", "dying", "elder", "height", "edge", "proved", "vertices")


@pytest.fixture(params=["numpy", "numba"])
def kernels(request, monkeypatch):
    """Each set of kernels in turn, with bands of heights on graphs of any size."""
    if request.param == "numba":
        pytest.importorskip("numba", reason="compiled kernels are the extra `fast`")
        from tda_landscape.topology import _forest_numba

        monkeypatch.setattr(_forest, "_compiled", lambda: _forest_numba)
    else:
        monkeypatch.setattr(_forest, "_compiled", lambda: None)
    monkeypatch.setattr(_forest, "COMPILED_FROM", 1)
    monkeypatch.setattr(_forest, "BANDED_FROM", 1)
    assert _forest.kernels(5).__name__.endswith(request.param)
    return request.param


def awkward_graph(seed):
    """Ties, negatives, disconnected, bars of 1e-8 at 2.3, zeros, loops, parallel edges, heights of inf."""
    rng = np.random.default_rng(seed)
    n = int(rng.integers(1, 26))
    m = int(rng.integers(0, 4 * n)) if seed % 3 else int(rng.integers(0, n))
    births = rng.normal(size=n) * 3
    if seed % 4 == 1:
        births = np.round(births)
    if seed % 4 == 2:
        births = 2.3 + 1e-8 * rng.integers(0, 5, size=n)
    if seed % 4 == 3:
        births = -np.abs(np.round(births))
    edges = rng.integers(0, n, size=(m, 2))
    rise = rng.choice([0.0, 1e-8, 3e-8, 0.5, 1.0, np.inf], size=m)
    rise = np.where(rng.random(m) < 0.3, rng.exponential(size=m), rise)
    return births, edges, births[edges].max(axis=1, initial=-np.inf) + rise


def sorted_bars(bars):
    bars = np.asarray(bars, dtype=np.float64).reshape(-1, 2)
    return bars[np.lexsort((-bars[:, 1], bars[:, 0]))]


def by_gudhi(births, edges, heights):
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
    tree.compute_persistence(min_persistence=-1, persistence_dim_max=True)
    return sorted_bars(tree.persistence_intervals_in_dimension(0))


def by_brute_force(births, edges, heights):
    """A leaf dies at the lowest height at which a search from it finds an older leaf."""
    bars = []
    for leaf, birth in enumerate(births.tolist()):
        death = np.inf
        for level in np.unique(heights[np.isfinite(heights)]).tolist():
            part, front = {leaf}, [leaf]
            low = edges[heights <= level].tolist()
            while front:
                at = front.pop()
                near = {b for a, b in low if a == at} | {a for a, b in low if b == at}
                front += near - part
                part |= near
            if min((births[v], v) for v in part) < (birth, leaf):
                death = level
                break
        bars.append((birth, death))
    return sorted_bars(bars)


def by_scipy(births, edges, heights):
    """Ranks instead of heights (scipy drops zeros and adds up parallel edges), then one component at a time."""
    kept = np.isfinite(heights) & (edges[:, 0] != edges[:, 1])
    edges, heights = np.sort(edges[kept], axis=1), heights[kept]
    order = np.argsort(heights, kind="stable")
    rank = {}
    for r, e in enumerate(order.tolist()):
        rank.setdefault(tuple(edges[e].tolist()), r + 1)
    pairs = np.array(list(rank), dtype=int).reshape(-1, 2)
    n = len(births)
    matrix = sparse.csr_array((np.array(list(rank.values()), dtype=float), (pairs[:, 0], pairs[:, 1])), shape=(n, n))
    forest = minimum_spanning_tree(matrix).tocoo()
    part = {v: {v} for v in range(n)}
    deaths = np.full(n, np.inf)
    for k in np.argsort(forest.data).tolist():
        one, other = part[int(forest.row[k])], part[int(forest.col[k])]
        oldest = [min(p, key=lambda v: (births[v], v)) for p in (one, other)]
        younger = max(oldest, key=lambda v: (births[v], v))
        deaths[younger] = heights[order[int(forest.data[k]) - 1]]
        joined = one | other
        part.update(dict.fromkeys(joined, joined))
    return sorted_bars(np.column_stack([births, deaths]))


@pytest.mark.parametrize("block", range(10))
def test_500_awkward_graphs_against_three_engines(kernels, block):
    for seed in range(50 * block, 50 * block + 50):
        graph = awkward_graph(seed)
        found = persistence(graph, min_persistence=-1)[0]
        assert np.array_equal(found, by_gudhi(*graph)), seed
        if kernels == "numpy":  # the other set gives the same bits, below
            assert np.array_equal(found, by_scipy(*graph)), seed
            assert np.array_equal(found, by_brute_force(*graph)), seed


def test_the_graphs_are_as_awkward_as_they_are_called():
    graphs = [awkward_graph(seed) for seed in range(500)]
    bars = [persistence(g)[0] for g in graphs]
    assert sum(np.isinf(g[2]).any() for g in graphs) > 200
    assert sum((g[0] < 0).any() for g in graphs) > 200
    assert sum(len(set(g[0])) < len(g[0]) for g in graphs) > 200
    assert sum(np.isinf(b[:, 1]).sum() > 1 for b in bars) > 200
    assert sum(((b[:, 1] - b[:, 0] > 0) & (b[:, 1] - b[:, 0] < 1e-7)).any() for b in bars) > 50


def test_single_precision_would_be_seen():
    births, edges, heights = awkward_graph(2)
    assert births[0] != np.float32(births[0])
    rounded = by_gudhi(births.astype(np.float32).astype(float), edges, heights.astype(np.float32).astype(float))
    assert not np.array_equal(rounded, by_gudhi(births, edges, heights))


def random_graph(n, m, seed, ties=False):
    rng = np.random.default_rng(seed)
    births = rng.integers(0, 5, n).astype(float) if ties else rng.random(n)
    edges = rng.integers(0, n, (m, 2))
    rise = rng.integers(0, 3, m).astype(float) if ties else rng.exponential(0.05, m)
    return births, edges, births[edges].max(axis=1) + rise


def same(one, other):
    return all(np.array_equal(getattr(one, name), getattr(other, name)) for name in FIELDS)


@pytest.mark.parametrize("ties", [False, True])
@pytest.mark.parametrize(("n", "m"), [(20_000, 100_000), (3_000, 200_000), (60_000, 61_000)])
def test_compiled_or_not_the_bits_are_the_same(monkeypatch, n, m, ties):
    pytest.importorskip("numba", reason="compiled kernels are the extra `fast`")
    graph = random_graph(n, m, 0, ties)
    monkeypatch.setattr(_forest, "COMPILED_FROM", 50_000)
    assert "numba" in _forest.kernels(m).__name__
    compiled = merge_tree(graph)
    monkeypatch.setattr(_forest, "_compiled", lambda: None)
    assert _forest.kernels(m) is _forest_numpy
    assert same(compiled, merge_tree(graph))
    monkeypatch.setattr(_forest, "BANDS", (0.2, 0.5))
    assert same(compiled, merge_tree(graph))


def test_the_comparison_of_bits_sees_one_unit_in_the_last_place():
    births, edges, heights = random_graph(2000, 10_000, 0)
    tree = merge_tree((births, edges, heights))
    moved = heights.copy()
    moved[tree.edge[7]] = np.nextafter(moved[tree.edge[7]], 9)
    assert not same(tree, merge_tree((births, edges, moved)))


def test_proved_edges_make_the_merge_among_ties_in_both_kernels(kernels):
    births = [0.0, 0.5, 0.7]
    edges, heights = [(0, 1), (0, 1), (1, 2), (1, 2)], [1.0, 1.0, 1.0, 1.0]
    for proved in ([False, True, False, True], [True, False, True, False]):
        tree = merge_tree(LandscapeGraph.from_arrays(births, edges, heights, proved=proved))
        assert tree.proved.tolist() == [True, True]
        assert tree.edge.tolist() == np.flatnonzero(proved).tolist()


@pytest.mark.parametrize("ties", [False, True])
@pytest.mark.parametrize("chunk", [1, 37, 500, 10_000])
def test_streamed_is_the_same_bit_for_bit(chunk, ties):
    births, edges, heights = random_graph(300, 2000 if chunk > 1 else 300, 1, ties)
    heights[::7] = np.inf
    pieces = ((edges[i : i + chunk], heights[i : i + chunk]) for i in range(0, len(edges), chunk))
    assert same(merge_tree_of_chunks(births, pieces), merge_tree((births, edges, heights)))


def test_a_lost_chunk_would_be_seen():
    births, edges, heights = random_graph(300, 2000, 1)
    pieces = [(edges[i : i + 500], heights[i : i + 500]) for i in (0, 500, 1500)]
    assert not same(merge_tree_of_chunks(births, pieces), merge_tree((births, edges, heights)))


def test_a_stream_names_the_bad_edge_by_its_place_in_the_stream():
    good = (np.array([[0, 1]] * 5), np.full(5, 1.0))
    with pytest.raises(InputError, match="edge 12 has height nan"):
        merge_tree_of_chunks([0.0, 0.5], [good, good, (np.array([[0, 1]] * 3), [1.0, 1.0, np.nan])])
    with pytest.raises(InputError, match="leaf 0 but there are 0 leaves"):
        merge_tree(([], [(0, 1)], [1.0]))
    with pytest.raises(InputError, match="leaf 7"):
        merge_tree_of_chunks([0.0, 0.5], [([(0, 7)], [1.0])])


def test_no_chunk_at_all_is_a_forest_of_leaves():
    assert len(merge_tree_of_chunks([0.0, 1.0], []).roots) == 2


@pytest.mark.parametrize(
    ("births", "heights", "sentence"),
    [
        ([0.0, np.nan, np.nan], [1.0, 1.0], "leaf 1 has energy nan"),
        ([0.0, 0.5, 0.2], [1.0, np.nan], "edge 1 has height nan"),
        ([0.0, 0.5, 0.2], [0.4, np.nan], "edge 0 has height 0.4 below the energy 0.5"),
        ([0.0, 0.5, 0.2], [-np.inf, 1.0], "edge 0 has height -inf"),
    ],
)
def test_the_first_bad_number_is_named(births, heights, sentence):
    with pytest.raises(InputError, match=sentence):
        merge_tree((births, [(0, 1), (1, 2)], heights))


def test_a_bad_edge_beyond_the_first_block_is_named(monkeypatch):
    monkeypatch.setattr(_forest_numpy, "BLOCK", 10)
    births, edges, heights = random_graph(50, 100, 0)
    heights[73] = np.nan
    with pytest.raises(InputError, match="edge 73 has height nan"):
        merge_tree((births, edges, heights))


def test_arrays_are_neither_changed_nor_kept():
    births, edges, heights = random_graph(500, 3000, 0)
    before = [a.copy() for a in (births, edges, heights)]
    tree = merge_tree((births, edges, heights))
    assert all(np.array_equal(a, b) for a, b in zip((births, edges, heights), before, strict=True))
    births[:], heights[:] = 9.0, 9.0
    assert same(tree, merge_tree(tuple(before)))


@pytest.mark.parametrize("dtype", [np.int8, np.int32, np.int64, np.uint8, float])
def test_edges_of_any_whole_type_and_layout(dtype):
    births, edges, heights = random_graph(100, 400, 3)
    tree = merge_tree((births, edges, heights))
    assert same(tree, merge_tree((births, np.asfortranarray(edges).astype(dtype), heights)))


def test_without_numba_nothing_else_changes(monkeypatch):
    import sys

    _forest._compiled.cache_clear()
    monkeypatch.delitem(sys.modules, "tda_landscape.topology._forest_numba", raising=False)
    monkeypatch.setitem(sys.modules, "numba", None)
    monkeypatch.delattr("tda_landscape.topology._forest_numba", raising=False)
    try:
        assert _forest.kernels(10**9) is _forest_numpy
    finally:
        _forest._compiled.cache_clear()


def test_where_nothing_can_be_written_kernels_are_compiled_all_the_same(monkeypatch):
    pytest.importorskip("numba", reason="compiled kernels are the extra `fast`")
    from tda_landscape.topology import _forest_numba

    compile_ = _forest_numba.njit

    def read_only(*, cache=False, **options):
        if cache:
            raise RuntimeError("cannot cache function: no locator available")
        return compile_(**options)

    monkeypatch.setattr(_forest_numba, "njit", read_only)
    root = np.array([0, 0, 1], dtype=np.int32)
    assert _forest_numba._compiled(_forest_numba._find)(root, 2) == 0


@pytest.mark.slow
def test_ten_million_edges_take_little_more_memory_than_their_input():
    import subprocess
    import sys

    code = """
import resource, numpy as np
from tda_landscape.topology import merge_tree
rng = np.random.default_rng(0)
births, edges = rng.random(10**6), rng.integers(0, 10**6, (10**7, 2), dtype=np.int32)
heights = np.maximum(births[edges[:, 0]], births[edges[:, 1]]) + rng.random(10**7)
merge_tree((births[:1000], edges[:0], heights[:0]))
peak = lambda: resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
before = peak()
merge_tree((births, edges, heights))
print((peak() - before) / 2**20)
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert float(done.stdout) < 1.0, f"{done.stdout} GB"
