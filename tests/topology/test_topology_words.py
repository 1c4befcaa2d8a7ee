"""What `print` says of graphs, trees and curves: no array, and no count without its status."""

import numpy as np
import pytest

from tda_landscape.topology import LandscapeGraph, cubical_merge_tree, merge_tree, nu_curve
from tda_landscape.topology._words import kinds, many, number

EDGES = [(0, 1), (1, 2), (0, 2)]
GRAPH = LandscapeGraph.from_arrays(
    [0.0, 0.5, 0.2],
    EDGES,
    [1.0, 0.7, 3.0],
    status=["refined", "certified", "sampled"],
    uppers=[np.inf, 0.75, np.inf],
    leaf_status=["minimum", "minimum", "flat"],
    reason="the budget was used up",
)
FOLDED = LandscapeGraph.from_arrays([0.0, 0.5], [(0, 1)], [1.0], order=8)


def test_a_graph_tells_its_leaves_and_edges_by_status():
    assert str(GRAPH) == repr(GRAPH)
    assert str(GRAPH) == (
        "landscape graph of 3 leaves (2 minimum, 1 flat), lowest 0; "
        "3 edges (1 refined, 1 certified, 1 sampled), heights 0.7 to 3\nthe budget was used up"
    )
    assert "copies under a symmetry of order 8 are one leaf" in str(FOLDED)
    assert "symmetry" not in str(GRAPH)


def test_loops_at_the_height_of_a_leaf_are_no_edges_between_heights():
    loops = LandscapeGraph.from_arrays([0.0, 0.5], [(0, 0), (1, 1), (1, 1)], [0.0, 0.5, 0.9])
    assert "; 1 edge (1 sampled), heights 0.9 to 0.9, 2 loops at the height of a leaf" in str(loops)
    assert str(LandscapeGraph.from_arrays([0.0], [(0, 0)], [0.0])).endswith("; 0 edges, 1 loop at the height of a leaf")


def test_a_tree_tells_its_merges_by_status_and_what_is_proved():
    assert str(merge_tree(GRAPH)) == (
        "merge tree of 3 leaves, the first at 0; 2 merges (1 certified, 1 refined), the last at 1, "
        "0 of 2 separations proved; 1 root"
    )
    assert "1 merge (as given), the last at 1, 0 of 1 separation proved" in str(merge_tree(([0, 0.5], [(0, 1)], [1])))
    assert "1 of 1 separation proved" in str(cubical_merge_tree([0.0, 1.0, 0.5]))
    downwards = merge_tree(([3.0, 2.0], [(0, 1)], [1.0]), superlevel=True)
    assert "of superlevel sets of 2 leaves, the first at 3; 1 merge (as given), the last at 1" in str(downwards)


def test_a_curve_tells_each_count_with_each_status():
    lines = str(nu_curve(GRAPH)).splitlines()
    assert lines == [
        "N_u curve of 6 steps, merges certified / refined / sampled, no symmetry was used",
        "highest: 3 / 3 / 3 from u = 0.5 on; 0 of 2 separations proved",
        "last: 2 / 1 / 1 from u = 1 on; 0 of 0 separations proved",
    ]
    assert "2 / 2 / 2 from u = 0.5 on; 0 of 1 separation proved; raw, copies one by one, 2 to 16" in str(
        nu_curve(FOLDED)
    )


@pytest.mark.parametrize("noun", [lambda g: g, merge_tree, nu_curve], ids=["graph", "tree", "curve"])
def test_nothing_can_be_printed_too(noun):
    assert "0" in str(noun(LandscapeGraph.from_arrays([], [], [])))


def test_words():
    assert kinds(["a", "b", "a"]) == "2 a, 1 b"
    assert [many(n, "leaf", "leaves") for n in (0, 1, 2)] == ["0 leaves", "1 leaf", "2 leaves"]
    assert [number(n) for n in (999_999, 5_040_000, 10**5000)] == ["999999", "5.040e+6", "1.000e+5000"]
