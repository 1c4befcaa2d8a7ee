"""The layout of a disconnectivity graph: no lines cross, and the numbering of the leaves has no say."""

import numpy as np
import pytest
from numpy.testing import assert_array_equal

from tda_landscape.plot._layout import tree_layout
from tda_landscape.topology import merge_tree


def random_graph(n, seed, *, ties=False, extra=3):
    rng = np.random.default_rng(seed)
    births = rng.integers(0, 4, n).astype(float) if ties else rng.normal(size=n)
    edges = rng.integers(0, n, (extra * n, 2))
    rise = rng.integers(0, 3, len(edges)) if ties else rng.exponential(size=len(edges))
    return births, edges, births[edges].max(axis=1) + rise


def crossings(tree, layout):
    """Pairs of a level line and an upright line that it passes through, not just touches."""
    found = 0
    for dying in tree.dying:
        left, right = sorted((layout.x[dying], layout.x[layout.elder[dying]]))
        level = layout.death[dying]
        inside = (layout.x > left) & (layout.x < right)
        found += int((inside & (tree.births < level) & (layout.death > level)).sum())
    return found


def picture(tree, layout):
    """All lines drawn, as sorted rows without the names of the leaves."""
    end = np.where(layout.elder >= 0, layout.x[layout.elder], -1)
    return np.array(sorted(zip(layout.x, tree.births, layout.death, end, strict=True)))


@pytest.mark.parametrize("ties", [False, True])
@pytest.mark.parametrize("extra", [1, 3])
@pytest.mark.parametrize("seed", range(8))
def test_lines_do_not_cross(seed, extra, ties):
    tree = merge_tree(random_graph(40, seed, ties=ties, extra=extra))
    assert crossings(tree, tree_layout(tree)) == 0


def test_the_count_of_crossings_sees_a_crossing():
    tree = merge_tree(random_graph(40, 0))
    layout = tree_layout(tree)
    rng = np.random.default_rng(0)
    shuffled = type(layout)(rng.permutation(layout.x), layout.death, layout.elder)
    assert crossings(tree, shuffled) > 0


@pytest.mark.parametrize("ties", [False, True])
@pytest.mark.parametrize("seed", range(8))
def test_numbering_the_leaves_anew_gives_the_same_picture(seed, ties):
    births, edges, heights = random_graph(30, seed)
    rng = np.random.default_rng(seed)
    if ties:  # among heights: leaves of one energy are told apart by number in the tree itself
        births = rng.permutation(30) / 10
        heights = np.ceil(births[edges].max(axis=1))
    new, order = rng.permutation(30), rng.permutation(len(edges))
    moved = np.empty(30)
    moved[new] = births
    tree, again = merge_tree((births, edges, heights)), merge_tree((moved, new[edges][order], heights[order]))
    assert (len(set(tree.height)) < len(tree.height)) == ties
    assert_array_equal(picture(tree, tree_layout(tree)), picture(again, tree_layout(again)))


def test_another_tree_gives_another_picture():
    births, edges, heights = random_graph(30, 0)
    tree, other = merge_tree((births, edges, heights)), merge_tree((births, edges, heights + 1.0))
    assert not np.array_equal(picture(tree, tree_layout(tree)), picture(other, tree_layout(other)))


def test_leaves_of_one_tree_stand_one_apart():
    tree = merge_tree(random_graph(50, 1, extra=10))
    assert len(tree.roots) == 1
    assert_array_equal(np.sort(tree_layout(tree).x), np.arange(50))


def test_what_meets_at_one_height_hangs_from_the_lowest_leaf():
    tree = merge_tree(([0.0, 1.0, 2.0], [(1, 2), (0, 1)], [3.0, 3.0]))
    assert tree.elder.tolist() == [1, 0]
    assert tree_layout(tree).elder.tolist() == [-1, 0, 0]


def test_the_deepest_leaf_stands_in_the_middle_of_a_star():
    tree = merge_tree((np.arange(7.0), [(0, i) for i in range(1, 7)], np.arange(10.0, 16.0)))
    x = tree_layout(tree).x
    assert x[0] == 3
    assert_array_equal(np.abs(x - 3)[1:], [1, 1, 2, 2, 3, 3])


def test_the_trees_of_a_forest_are_kept_apart():
    tree = merge_tree(([0.0, 1.0, -1.0, 0.5], [(0, 1), (2, 3)], [2.0, 2.0]))
    x = tree_layout(tree).x
    assert x[[0, 1]].min() - x[[2, 3]].max() == 2.0


def test_a_chain_of_thousands_of_leaves_needs_no_recursion():
    n = 3000
    births = -np.arange(n, dtype=float)
    tree = merge_tree((births, [(i, i + 1) for i in range(n - 1)], np.arange(1.0, n)))
    layout = tree_layout(tree)
    assert_array_equal(np.sort(layout.x), np.arange(n))
    assert crossings(tree, layout) == 0
