"""Views of a merge tree: branches, simplification, barriers, linkage, networkx; labels and superlevel order."""

import networkx as nx
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import sparse
from scipy.cluster.hierarchy import fcluster, is_valid_linkage, linkage
from scipy.spatial.distance import pdist, squareform

from tda_landscape import InputError
from tda_landscape.topology import LandscapeGraph, cubical_merge_tree, merge_tree, nu_curve, persistence


@st.composite
def weighted_graphs(draw):
    births = np.array(draw(st.lists(st.sampled_from((-3.0, -0.5, 0.0, 0.25, 1.0, 2.3)), min_size=1, max_size=9)))
    leaf = st.integers(0, len(births) - 1)
    edges = np.array(draw(st.lists(st.tuples(leaf, leaf), max_size=16)), dtype=int).reshape(-1, 2)
    rises = draw(st.lists(st.sampled_from((0.0, 1e-8, 0.25, 1.0, np.inf)), min_size=len(edges), max_size=len(edges)))
    return births, edges, births[edges].max(axis=1, initial=-np.inf) + np.array(rises)


def minimax(births, edges, heights):
    """Floyd and Warshall with (min, max)."""
    n = len(births)
    matrix = np.full((n, n), np.inf)
    for (a, b), h in zip(edges.tolist(), heights.tolist(), strict=True):
        matrix[a, b] = matrix[b, a] = min(matrix[a, b], h)
    np.fill_diagonal(matrix, births)
    for k in range(n):
        matrix = np.minimum(matrix, np.maximum(matrix[:, k][:, None], matrix[k]))
    np.fill_diagonal(matrix, births)
    return matrix


@settings(max_examples=150, deadline=None)
@given(weighted_graphs())
def test_barriers_are_minimax_paths(graph):
    assert np.array_equal(merge_tree(graph).barriers(), minimax(*graph))


def test_barriers_see_a_raised_edge():
    graph = (np.array([0.0, 0.5, 0.2]), np.array([[0, 1], [1, 2]]), np.array([1.0, 0.7]))
    assert not np.array_equal(merge_tree(graph).barriers(), minimax(graph[0], graph[1], np.array([1.0, 0.8])))


@settings(max_examples=150, deadline=None)
@given(weighted_graphs())
def test_branches_are_the_bars_hung_from_each_other(graph):
    tree = merge_tree(graph)
    branches = tree.branch_decomposition()
    n = len(tree)
    assert sorted(branches.leaf.tolist()) == list(range(n))
    assert np.array_equal(branches.birth, tree.births[branches.leaf])
    assert np.array_equal(branches.death, tree.deaths[branches.leaf])
    lengths = branches.death - branches.birth
    assert (lengths[1:] <= lengths[:-1]).all()
    row = {leaf: i for i, leaf in enumerate(branches.leaf.tolist())}
    assert branches.size[branches.parent == -1].sum() == n
    for i in range(n):
        parent = branches.parent[i]
        assert (parent == -1) == np.isinf(branches.death[i])
        if parent >= 0:
            up = row[int(parent)]
            assert branches.birth[up] <= branches.birth[i] <= branches.death[i] < branches.death[up]
            assert branches.depth[i] == branches.depth[up] + 1
        below = [j for j in range(n) if branches.parent[j] == branches.leaf[i]]
        assert branches.size[i] == 1 + sum(branches.size[j] for j in below)


@settings(max_examples=150, deadline=None)
@given(weighted_graphs(), st.sampled_from([0.0, 1e-8, 0.25, 0.6, 5.0]))
def test_simplified_trees_keep_the_long_bars_and_only_those(graph, eps):
    tree = merge_tree(graph)
    simple = tree.simplify(eps)
    assert np.array_equal(simple.persistence(min_persistence=-1)[0], tree.persistence(min_persistence=eps)[0])
    assert np.array_equal(simple.births, tree.births[simple.vertices])
    kept = tree.barriers()[np.ix_(simple.vertices, simple.vertices)]
    assert np.array_equal(simple.barriers(), kept)
    assert list(simple.labels) == simple.vertices.tolist()


@settings(max_examples=100, deadline=None)
@given(weighted_graphs())
def test_a_linkage_matrix_cuts_into_the_same_components(graph):
    tree = merge_tree((graph[0] + 3, graph[1], graph[2] + 3))  # scipy wants no negative heights
    if len(tree) < 2:
        return
    joined = tree.to_linkage(root=100.0)
    assert is_valid_linkage(joined)
    for level in np.unique(np.concatenate([tree.height, [6.0]])):
        ours = tree.cut(level)
        born = ours >= 0
        theirs = fcluster(joined, level, "distance")
        for a in np.flatnonzero(born):
            assert np.array_equal((ours == ours[a])[born], (theirs == theirs[a])[born])


def test_points_with_all_their_distances_give_single_linkage():
    points = np.random.default_rng(0).normal(size=(30, 2))
    matrix = squareform(pdist(points))
    tree = merge_tree(sparse.coo_array(np.triu(matrix)))
    ours, theirs = tree.to_linkage(), linkage(points, "single")
    assert np.allclose(ours[:, 2], theirs[:, 2], rtol=1e-12)
    assert np.array_equal(np.sort(ours[:, :2], axis=1), np.sort(theirs[:, :2], axis=1))
    assert np.array_equal(ours[:, 3], theirs[:, 3])
    assert not np.allclose(ours[:, 2], linkage(points, "complete")[:, 2])  # control


def test_a_forest_is_no_linkage_matrix_unless_it_is_joined():
    forest = merge_tree(([0.0, 1.0, 0.5], [(0, 1)], [2.0]))
    with pytest.raises(InputError, match="forest of 2"):
        forest.to_linkage()
    with pytest.raises(InputError, match="below merges"):
        forest.to_linkage(root=1.5)
    assert forest.to_linkage(root=np.inf)[:, 2].tolist() == [2.0, np.inf]
    with pytest.raises(InputError, match="at least two leaves"):
        merge_tree(([0.0], [], [])).to_linkage()


@settings(max_examples=100, deadline=None)
@given(weighted_graphs())
def test_the_networkx_tree_holds_every_barrier(graph):
    tree = merge_tree(graph)
    there = tree.to_networkx()
    assert nx.is_forest(there) or len(there) == 0
    for node, data in there.nodes(data=True):
        assert all(there.nodes[child]["height"] <= data["height"] for child in there.successors(node))
        assert ("leaf" in data) == (there.out_degree(node) == 0)
        if "edge" in data:  # a merge of exactly one height is one node
            assert there.out_degree(node) >= 2
            assert not any(
                "edge" in there.nodes[child] and there.nodes[child]["height"] == data["height"]
                for child in there.successors(node)
            )
    barriers = tree.barriers()
    for a in range(len(tree)):
        for b in range(a):
            over = nx.ancestors(there, a) & nx.ancestors(there, b)
            lowest = min((there.nodes[v]["height"] for v in over), default=np.inf)
            assert lowest == barriers[a, b]


def test_three_basins_that_meet_at_one_height_are_one_node():
    tree = merge_tree(([0.0, 1.0, 2.0, 0.5], [(0, 1), (1, 2), (2, 3)], [3.0, 3.0, 3.0]))
    there = tree.to_networkx()
    (root,) = [node for node, degree in there.in_degree() if degree == 0]
    assert sorted(there.successors(root)) == [0, 1, 2, 3]
    assert len(tree.to_linkage()) == 3


def named(kind=nx.Graph, sign=1.0):
    graph = kind()
    for name, energy in {"a": 0.0, "b": 0.5, "c": 0.2}.items():
        graph.add_node(name, energy=sign * energy, depth=sign * energy)
    graph.add_edge("a", "b", height=sign * 1.0, barrier=sign * 1.0)
    graph.add_edge("b", "c", height=sign * 0.7, barrier=sign * 0.7)
    return graph


def test_node_names_are_the_labels_in_one_line():
    tree = merge_tree(named())
    assert tree.labels == ("a", "b", "c")
    assert set(tree.to_networkx().nodes) >= {"a", "b", "c"}
    assert merge_tree(named(), energy="depth", height="barrier").height.tolist() == [0.7, 1.0]
    assert merge_tree(([0.0, 1.0], [], [])).labels == range(2)


def test_statuses_travel_from_edges_to_merges():
    graph = LandscapeGraph.from_arrays(
        [0.0, 0.5, 0.2], [(0, 1), (1, 2)], [1.0, 0.7], status=["certified", "refined"], uppers=[1.0, np.inf]
    )
    assert merge_tree(graph).status.tolist() == ["refined", "certified"]
    assert merge_tree(([0.0], [], [])).status is None


@settings(max_examples=100, deadline=None)
@given(weighted_graphs())
def test_superlevel_order_is_the_sublevel_order_of_the_negative(graph):
    births, edges, heights = graph
    down, up = merge_tree((-births, edges, -heights), superlevel=True), merge_tree(graph)
    assert np.array_equal(down.births, -up.births)
    assert np.array_equal(down.height, -up.height)
    assert (np.diff(down.height) <= 0).all()
    assert np.array_equal(down.dying, up.dying)
    assert np.array_equal(down.deaths, -up.deaths)
    assert np.array_equal(down.persistence(min_persistence=-1)[0], -up.persistence(min_persistence=-1)[0])
    for level in np.unique(np.concatenate([births, heights, [0.1]])):
        assert int(down.n_components(-level)) == int(up.n_components(level))
        assert np.array_equal(down.cut(-level), up.cut(level))
    assert np.array_equal(down.barriers(), -up.barriers())
    assert np.array_equal(down.roots, up.roots)


def test_peaks_of_a_named_graph_in_one_line():
    tree = merge_tree(named(nx.MultiGraph, -1.0), superlevel=True)
    assert tree.labels == ("a", "b", "c")
    assert tree.persistence()[0].tolist() == [[0.0, -np.inf], [-0.2, -1.0], [-0.5, -0.7]]
    assert "superlevel" in tree.persistence().source
    with pytest.raises(InputError, match="above the energy"):
        merge_tree(([1.0, 2.0], [(0, 1)], [1.5]), superlevel=True)
    with pytest.raises(InputError, match="superlevel"):
        merge_tree(LandscapeGraph.from_arrays([0.0], [], []), superlevel=True)
    with pytest.raises(InputError, match="sublevel"):
        nu_curve(tree)


@pytest.mark.parametrize("kind", [sparse.coo_array, sparse.csr_array, sparse.csr_matrix, sparse.dok_array])
def test_sparse_matrices_have_births_on_the_diagonal(kind):
    matrix = kind(np.array([[0.1, 1.0, 0.0], [1.0, 0.5, 0.7], [0.0, 0.7, 0.2]]))
    assert persistence(matrix)[0].tolist() == [[0.1, np.inf], [0.2, 1.0], [0.5, 0.7]]
    assert nu_curve(matrix)(0.6).tolist() == 3


def test_stored_zeros_are_edges_and_what_is_not_stored_is_none():
    row, col = [0, 1, 2], [1, 2, 3]
    matrix = sparse.coo_array(([0.0, 0.0, 1.0], (row, col)), shape=(4, 4))
    assert persistence(matrix, min_persistence=-1)[0].tolist() == [[0.0, np.inf], [0.0, 1.0], [0.0, 0.0], [0.0, 0.0]]
    doubled = sparse.coo_array(([3.0, 1.0], ([0, 0], [1, 1])), shape=(2, 2))
    assert persistence(doubled)[0].tolist() == [[0.0, np.inf], [0.0, 1.0]]  # parallel edges, not their sum
    assert persistence(sparse.coo_array((3, 3)))[0].tolist() == [[0.0, np.inf]] * 3


@pytest.mark.parametrize(
    ("call", "sentence"),
    [
        (lambda: merge_tree(sparse.coo_array((2, 3))), "must be square"),
        (lambda: merge_tree(sparse.coo_array(np.array([[0.0, np.nan], [0.0, 0.0]]))), "height nan"),
        (lambda: merge_tree([[0.0, 1.0], [1.0, 0.0]]), "not a weighted graph"),
        (lambda: merge_tree(([0.0, 0.5], [(0, 1)], [1.0])).simplify(-1.0), "eps must be"),
        (lambda: merge_tree(([0.0, 0.5], [(0, 1)], [1.0])).simplify(np.nan), "eps must be"),
        (lambda: merge_tree(([0.0], [], [])).lower_bound(0.0), "no error bound"),
        (lambda: merge_tree(([0.0], [], [])).lower_bound(0.0, delta=-1.0), "delta must be a number in"),
        (lambda: merge_tree(([0.0], [], [])).resolved(), "give delta="),
        (lambda: cubical_merge_tree([0.0, 1.0], delta=np.nan), "delta must be"),
        (lambda: cubical_merge_tree([[0.0, 1.0], [np.nan, 1.0]]), r"nan at \(1, 0\)"),
        (lambda: nu_curve(([0.0], [], [])).n_certain(0.0), "no certified lower bound"),
    ],
)
def test_refused_in_one_sentence(call, sentence):
    with pytest.raises(InputError, match=sentence) as caught:
        call()
    assert len(str(caught.value).splitlines()) == 1


def test_empty_trees_have_empty_views():
    tree = merge_tree(([], [], []))
    assert tree.barriers().shape == (0, 0)
    assert len(tree.branch_decomposition().leaf) == 0
    assert len(tree.to_networkx()) == 0
    assert len(tree.simplify(1.0)) == 0


def test_a_chain_of_a_hundred_thousand_leaves_is_cut_in_no_time():
    n = 100_000
    births = -np.arange(n, dtype=float)
    edges = np.column_stack([np.arange(n - 1), np.arange(1, n)])
    tree = merge_tree((births, edges, np.arange(1.0, n)))
    assert set(tree.cut(np.inf).tolist()) == {n - 1}
    assert tree.cut(2.0)[:4].tolist() == [2, 2, 2, 3]
