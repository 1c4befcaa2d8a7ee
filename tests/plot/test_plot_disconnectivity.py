"""The disconnectivity graph: what is drawn is the tree, and what is not proved says so."""

import numpy as np
import pytest
from matplotlib.figure import Figure
from numpy.testing import assert_allclose, assert_array_equal

from tda_landscape import InputError
from tda_landscape.plot import disconnectivity
from tda_landscape.plot._layout import tree_layout
from tda_landscape.topology import LandscapeGraph, cubical_merge_tree, merge_tree

CHAIN = ([0.0, 0.5, 0.2], [(0, 1), (1, 2)], [1.0, 0.7])


def random_landscape(n, seed, **fields):
    rng = np.random.default_rng(seed)
    births = rng.normal(size=n)
    edges = rng.integers(0, n, (2 * n, 2))
    heights = births[edges].max(axis=1) + rng.exponential(size=len(edges))
    return LandscapeGraph.from_arrays(births, edges, heights, proved=rng.random(len(edges)) < 0.4, **fields)


def drawn(ax, label):
    """Line segments (k, 2, 2) of a labelled collection."""
    (lines,) = [c for c in ax.collections if c.get_label() == label]
    return np.array(lines.get_segments())


def circles(ax, label):
    (line,) = [line for line in ax.lines if line.get_label() == label]
    return line.get_xydata()


def legend(ax):
    return [] if ax.get_legend() is None else [text.get_text() for text in ax.get_legend().get_texts()]


@pytest.mark.parametrize("n", [2, 3, 60, 200])
def test_every_leaf_is_a_line_from_birth_to_death(ax, n):
    tree = merge_tree(random_landscape(n, n))
    layout = tree_layout(tree)
    disconnectivity(tree, ax=ax)
    lines = drawn(ax, "leaves")
    assert lines.shape == (n, 2, 2)
    assert_array_equal(lines[:, :, 0], np.column_stack([layout.x, layout.x]))
    assert_array_equal(lines[:, 0, 1], tree.births)
    assert_array_equal(lines[tree.dying, 1, 1], tree.height)
    assert (lines[tree.roots, 1, 1] >= max(tree.births.max(), tree.height.max(initial=-np.inf))).all()


@pytest.mark.parametrize("n", [2, 60])
def test_every_merge_is_a_level_line_between_two_leaf_lines(ax, n):
    tree = merge_tree(random_landscape(n, n))
    disconnectivity(tree, ax=ax)
    merges, leaves = drawn(ax, "merges"), drawn(ax, "leaves")
    assert_array_equal(merges[:, :, 1], np.column_stack([tree.height, tree.height]))
    assert_array_equal(merges[:, 0, 0], leaves[tree.dying, 0, 0])
    for (_, level), end in zip(merges[:, 0], merges[:, 1, 0], strict=True):
        (elder,) = np.flatnonzero(leaves[:, 0, 0] == end)
        assert leaves[elder, 0, 1] <= level <= leaves[elder, 1, 1]


def test_proved_and_unproved_merges_are_told_apart(ax):
    tree = merge_tree(random_landscape(60, 1))
    disconnectivity(tree, ax=ax)
    x = tree_layout(tree).x
    for label, chosen in (("proved", tree.proved), ("upper bounds", ~tree.proved)):
        assert chosen.sum() > 5
        assert_array_equal(circles(ax, label), np.column_stack([x[tree.dying], tree.height])[chosen])
    faces = {line.get_label(): line.get_markerfacecolor() for line in ax.lines}
    assert faces["upper bounds"] == "white" != faces["proved"]
    assert f"separation proved ({tree.proved.sum()})" in legend(ax)
    assert f"upper bound, not proved ({(~tree.proved).sum()})" in legend(ax)


def test_only_what_is_unproved_is_called_an_upper_bound(ax):
    assert legend(disconnectivity(merge_tree(CHAIN), ax=ax)) == ["upper bound, not proved (2)"]
    exact = cubical_merge_tree([0.0, 2.0, 1.0, 3.0, 0.5], delta=0.4)
    assert legend(disconnectivity(exact, ax=Figure().subplots())) == ["separation proved (2)"]


def test_separate_trees_stand_on_dotted_stems(ax):
    disconnectivity(([0.0, 1.0, 0.5], [(0, 1)], [2.0]), ax=ax)
    assert len(drawn(ax, "stems")) == 2
    assert "no path found between 2 trees" in legend(ax)
    assert drawn(ax, "leaves")[2, 1, 1] == 2.0


def test_one_tree_has_no_dotted_stem(ax):
    disconnectivity(CHAIN, ax=ax)
    assert not [c for c in ax.collections if c.get_label() == "stems"]
    assert drawn(ax, "leaves")[0, 1, 1] == ax.get_ylim()[1]


def test_a_single_leaf_is_drawn(ax):
    disconnectivity(([0.0], [], []), ax=ax)
    assert len(drawn(ax, "leaves")) == 1
    assert legend(ax) == []


@pytest.mark.parametrize(
    "graph", [CHAIN, LandscapeGraph.from_arrays(*CHAIN), LandscapeGraph.from_arrays(*CHAIN).to_networkx()]
)
def test_graphs_are_taken_as_well_as_trees(ax, graph):
    disconnectivity(graph, ax=ax)
    assert_array_equal(drawn(ax, "leaves"), drawn(disconnectivity(merge_tree(CHAIN), ax=Figure().subplots()), "leaves"))


@pytest.mark.parametrize("labels", [["a", "b", "c"], {2: "c", 0: "a"}])
def test_labels_stand_below_their_leaves(ax, labels):
    tree = merge_tree(CHAIN)
    disconnectivity(tree, ax=ax, labels=labels)
    x = tree_layout(tree).x
    places = {text.get_text(): text.xy for text in ax.texts}
    names = dict(enumerate(labels)) if isinstance(labels, list) else labels
    assert places == {name: (x[leaf], tree.births[leaf]) for leaf, name in names.items()}
    ax.figure.draw_without_rendering()
    frame = ax.get_window_extent()
    for text in ax.texts:
        box = text.get_window_extent()
        assert box.y1 < ax.transData.transform(text.xy)[1]
        assert box.y0 > frame.y0


def test_the_axes_make_room_for_long_labels(ax):
    disconnectivity(CHAIN, ax=ax, labels=[f"the minimum of seed {i}" for i in range(3)])
    ax.figure.draw_without_rendering()
    frame = ax.get_window_extent()
    for text in ax.texts:
        assert text.get_window_extent().y0 > frame.y0


def test_labels_of_sixty_leaves_do_not_overlap():
    ax = Figure(figsize=(6, 4)).subplots()
    disconnectivity(random_landscape(60, 2), ax=ax, labels=[f"min {i}" for i in range(60)])
    ax.figure.draw_without_rendering()
    boxes = [text.get_window_extent() for text in ax.texts]
    assert len(boxes) == 60
    assert not any(a.overlaps(b) for i, a in enumerate(boxes) for b in boxes[:i])


def test_values_colour_the_leaves_and_get_a_scale(ax):
    disconnectivity(CHAIN, ax=ax, values=[1.0, 3.0, 1.0], value_label="test error")
    (lines,) = [c for c in ax.collections if c.get_label() == "leaves"]
    first, second, third = lines.get_colors()
    assert_array_equal(first, third)
    assert not np.array_equal(first, second)
    (scale,) = [other for other in ax.figure.axes if other is not ax]
    assert scale.get_ylabel() == "test error"
    assert_allclose(scale.get_ylim(), (1.0, 3.0))


def test_equal_values_are_drawn_too(ax):
    disconnectivity(CHAIN, ax=ax, values=[2.0, 2.0, 2.0])
    ax.figure.draw_without_rendering()


def test_level_range_cuts_the_picture(ax):
    disconnectivity(CHAIN, ax=ax, level_range=(-1.0, 0.8), labels=["a", "b", "c"])
    assert ax.get_ylim() == (-1.0, 0.8)


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        ({"labels": ["a"]}, "labels have 1 entries for 3 leaves"),
        ({"labels": "abc"}, "labels have 3 entries"),
        ({"labels": {7: "a"}}, "labels name leaf 7 but there are 3"),
        ({"values": [1.0, 2.0]}, "values must be 3 finite numbers"),
        ({"values": [1.0, 2.0, np.nan]}, "values contain NaN"),
        ({"values": [1.0, 2.0, np.inf]}, "values must be 3 finite numbers"),
        ({"values": ["a", "b", "c"]}, "values must be numbers"),
        ({"level_range": (1.0, 0.0)}, "low < high"),
        ({"level_range": (np.nan, 0.0)}, "NaN"),
        ({"ax": [1, 2]}, "ax must be one matplotlib Axes, got a list"),
    ],
)
def test_bad_options_are_refused_in_one_sentence(options, sentence):
    with pytest.raises(InputError, match=sentence):
        disconnectivity(CHAIN, **{"ax": Figure().subplots(), **options})


@pytest.mark.parametrize(("tree", "sentence"), [("tree", "not a weighted graph"), (([], [], []), "no leaves")])
def test_bad_trees_are_refused(ax, tree, sentence):
    with pytest.raises(InputError, match=sentence):
        disconnectivity(tree, ax=ax)
