"""Options of the disconnectivity graph: order, groups, noise, statuses; and trees of 5 and 2,000 leaves."""

import networkx as nx
import numpy as np
import pytest
from matplotlib.colors import to_rgba
from matplotlib.figure import Figure

from tda_landscape import InputError
from tda_landscape.plot import disconnectivity
from tda_landscape.plot._layout import tree_layout
from tda_landscape.plot._tree_lines import LONGEST, MANY, joined
from tda_landscape.topology import EDGE_STATUSES, LandscapeGraph, cubical_merge_tree, merge_tree

CHAIN = ([0.0, 0.5, 0.2], [(0, 1), (1, 2)], [1.0, 0.7])


def landscape(n, seed, mixed=False):
    rng = np.random.default_rng(seed)
    births = rng.gamma(3, 0.3, n)
    births[0] = -0.4
    edges = np.concatenate([rng.integers(0, n, (2 * n, 2)), [(i, i + 1) for i in range(n - 1)]])
    heights = births[edges].max(axis=1) + rng.exponential(0.4, len(edges))
    status = rng.choice(EDGE_STATUSES, len(edges)) if mixed else "sampled"
    return LandscapeGraph.from_arrays(births, edges, heights, status=status, proved=rng.random(len(edges)) < 0.4)


def lines(ax, label):
    (found,) = [c for c in ax.collections if c.get_label() == label]
    return found


def labels(ax):
    return [c.get_label() for c in [*ax.collections, *ax.patches]]


def legend(ax):
    return [text.get_text() for text in ax.get_legend().get_texts()]


def crossings(tree, layout):
    found = 0
    for dying in tree.dying:
        left, right = sorted((layout.x[dying], layout.x[layout.elder[dying]]))
        level = layout.death[dying]
        inside = (layout.x > left) & (layout.x < right)
        found += int((inside & (tree.births < level) & (layout.death > level)).sum())
    return found


@pytest.mark.parametrize("order", ["center", "energy", np.random.default_rng(1).normal(size=60)], ids=["c", "e", "v"])
@pytest.mark.parametrize("seed", range(4))
def test_in_every_order_no_lines_cross(order, seed):
    tree = merge_tree(landscape(60, seed))
    layout = tree_layout(tree, order)
    assert crossings(tree, layout) == 0
    assert np.array_equal(np.sort(layout.x), np.arange(60))


@pytest.mark.parametrize("seed", range(4))
def test_the_global_minimum_is_in_the_middle_or_at_the_left(seed):
    tree = merge_tree(landscape(61, seed))
    lowest = int(np.argmin(tree.births))
    center, energy = tree_layout(tree), tree_layout(tree, "energy")
    assert energy.x[lowest] == 0
    left, right = center.x[lowest], 60 - center.x[lowest]
    biggest = max(np.sum(tree_layout(tree, "energy").elder == lowest), 1)
    assert abs(left - right) <= 61 - biggest


def test_the_deepest_of_separate_trees_is_in_the_middle():
    tree = merge_tree(([0.0, 1.0, 2.0, 3.0, 4.0], [], []))
    assert np.argsort(tree_layout(tree).x).tolist() == [4, 2, 0, 1, 3]


def test_values_order_the_branches_where_they_can():
    star = (np.arange(7.0), [(0, i) for i in range(1, 7)], np.arange(10.0, 16.0))
    wanted = np.array([0.0, -1, 1, -1, 1, -1, 1])
    x = tree_layout(merge_tree(star), wanted).x
    assert ((x - x[0])[1:] * wanted[1:] > 0).all()
    mirrored = tree_layout(merge_tree(star), -wanted).x
    assert ((mirrored - mirrored[0])[1:] * wanted[1:] < 0).all()


def test_what_merges_first_stands_next_to_its_elder():
    star = (np.arange(7.0), [(0, i) for i in range(1, 7)], np.arange(10.0, 16.0))
    assert tree_layout(merge_tree(star), "energy").x.tolist() == [0, 1, 2, 3, 4, 5, 6]


def test_groups_are_colours_with_names(ax):
    disconnectivity(CHAIN, ax=ax, groups=["SGD", "Adam", "SGD"])
    colors = [to_rgba(c) for c in lines(ax, "leaves").get_colors()]
    assert colors[0] == colors[2] != colors[1]
    (names,) = [a for a in ax.artists if hasattr(a, "get_texts")]
    assert [text.get_text() for text in names.get_texts()] == ["SGD", "Adam"]
    handles = [to_rgba(line.get_color()) for line in names.get_lines()]
    assert handles == [colors[0], colors[1]]


def test_the_names_of_groups_lie_on_the_paper():
    figure = Figure(figsize=(4, 3), layout="constrained")
    ax = disconnectivity(landscape(12, 0), ax=figure.subplots(), groups=[f"group {i}" for i in range(12)])
    figure.draw_without_rendering()
    (names,) = [a for a in ax.artists if hasattr(a, "get_texts")]
    box = names.get_window_extent()
    assert box.y1 <= figure.bbox.y1 + 1
    assert box.x0 >= figure.bbox.x0 - 1
    assert box.x1 <= figure.bbox.x1 + 1


def test_statuses_are_line_styles(ax):
    graph = landscape(40, 0, mixed=True)
    tree = merge_tree(graph)
    disconnectivity(tree, ax=ax)
    styles = lines(ax, "merges").get_linestyles()
    patterns = {status: {str(styles[k][1]) for k in np.flatnonzero(tree.status == status)} for status in EDGE_STATUSES}
    assert all(len(found) == 1 for found in patterns.values())
    assert len(set.union(*patterns.values())) == 3
    assert patterns["certified"] == {"None"}
    leaves = lines(ax, "leaves").get_linestyles()
    assert [str(leaves[leaf][1]) for leaf in tree.dying] == [str(style[1]) for style in styles]
    for status in EDGE_STATUSES:
        assert f"{status} ({(tree.status == status).sum()})" in legend(ax)


def test_of_one_status_all_lines_are_full(ax):
    disconnectivity(landscape(20, 0), ax=ax)
    assert {str(style[1]) for style in lines(ax, "merges").get_linestyles()} == {"None"}
    assert not any("sampled" in text for text in legend(ax))


def test_the_noise_floor_is_shaded_and_short_branches_are_hollow(ax):
    tree = merge_tree(([0.0, 0.5, 0.6], [(0, 1), (1, 2)], [1.0, 0.65]))
    disconnectivity(tree, ax=ax, noise_floor=0.1)
    (shade,) = [p for p in ax.patches if p.get_label() == "noise floor"]
    assert (shade.get_y(), shade.get_height()) == (0.0, 0.1)
    hollow = lines(ax, "hollow")
    (segment,) = hollow.get_segments()
    assert segment[:, 1].tolist() == [0.6, 0.65]
    widths = np.broadcast_to(lines(ax, "leaves").get_linewidths(), 3)
    assert widths[2] > hollow.get_linewidths()[0]
    assert "unresolved branch (1)" in legend(ax)
    assert "energy noise 0.1" in legend(ax)


def test_without_noise_nothing_is_shaded_or_hollow(ax):
    disconnectivity(CHAIN, ax=ax)
    assert "hollow" not in labels(ax)
    assert "noise floor" not in labels(ax)


def test_branches_of_a_grid_shorter_than_its_error_are_hollow(ax):
    tree = cubical_merge_tree([0.0, 2.0, 1.9, 3.0, 0.5], delta=0.5)
    disconnectivity(tree, ax=ax)
    assert [s[:, 1].tolist() for s in lines(ax, "hollow").get_segments()] == [[1.9, 2.0]]


def test_peaks_hang_upside_down(ax):
    tree = merge_tree(([1.0, 3.0, 2.0], [(0, 1), (1, 2)], [0.5, 1.0]), superlevel=True)
    disconnectivity(tree, ax=ax, labels=["a", "b", "c"])
    segments = np.array(lines(ax, "leaves").get_segments())
    assert segments[:, 0, 1].tolist() == [1.0, 3.0, 2.0]
    assert segments[[0, 2], 1, 1].tolist() == [0.5, 1.0]
    assert segments[1, 1, 1] == ax.get_ylim()[0] < 0.5
    assert legend(ax) == ["lower bound, not proved (2)"]
    ax.figure.draw_without_rendering()
    assert all(text.get_window_extent().y1 < ax.get_window_extent().y1 for text in ax.texts)


def test_plain_arrays_and_networkx_need_no_database(ax):
    graph = nx.Graph()
    for name, energy in zip("abc", CHAIN[0], strict=True):
        graph.add_node(name, energy=energy)
    graph.add_edge("a", "b", height=1.0)
    graph.add_edge("b", "c", height=0.7)
    one = lines(disconnectivity(graph, ax=ax), "leaves").get_segments()
    other = lines(disconnectivity(CHAIN, ax=Figure().subplots()), "leaves").get_segments()
    assert np.array_equal(one, other)


@pytest.mark.parametrize("n", [5, 2000])
def test_a_picture_is_ink_on_paper_not_a_black_block(n):
    from matplotlib.backends.backend_agg import FigureCanvasAgg

    figure = Figure(figsize=(7, 5), dpi=100, layout="constrained")
    ax = disconnectivity(landscape(n, 2), ax=figure.subplots())
    canvas = FigureCanvasAgg(figure)
    canvas.draw()
    box = ax.get_window_extent()
    shade = np.asarray(canvas.buffer_rgba())[..., :3].mean(axis=2) / 255
    inside = shade[::-1][int(box.y0) + 2 : int(box.y1) - 2, int(box.x0) + 2 : int(box.x1) - 2]
    assert 0.0005 < (inside < 0.5).mean() < 0.08
    blocks = inside[: len(inside) // 20 * 20, : inside.shape[1] // 20 * 20]
    blocks = blocks.reshape(len(blocks) // 20, 20, -1, 20).mean(axis=(1, 3))
    assert blocks.min() > 0.35, "somewhere lines have run together"


def test_of_many_merges_the_longest_branches_are_joined(ax):
    tree = merge_tree(landscape(2000, 2))
    chosen = joined(tree)
    lengths = tree.height - tree.births[tree.dying]
    assert len(chosen) == LONGEST
    assert lengths[chosen].min() >= np.delete(lengths, chosen).max()
    disconnectivity(tree, ax=ax)
    assert len(lines(ax, "leaves").get_segments()) == 2000
    assert len(lines(ax, "merges").get_segments()) == LONGEST
    assert f"level lines: {LONGEST} longest branches of 1999" in legend(ax)
    few = merge_tree(landscape(MANY, 2))
    assert len(joined(few)) == MANY - 1


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        ({"order": "size"}, "order must be 'center', 'energy'"),
        ({"order": [1.0, 2.0]}, "order must be 3 finite numbers"),
        ({"order": [1.0, 2.0, np.nan]}, "order contain NaN"),
        ({"groups": ["a"]}, "groups have 1 entries for 3 leaves"),
        ({"groups": "abc"}, "groups have 3 entries"),
        ({"groups": ["a", "b", "c"], "values": [1.0, 2.0, 3.0]}, "both colour the leaves"),
        ({"noise_floor": -1.0}, "noise_floor must be"),
        ({"noise_floor": np.nan}, "noise_floor must be"),
    ],
)
def test_bad_options_are_refused_in_one_sentence(options, sentence):
    with pytest.raises(InputError, match=sentence):
        disconnectivity(CHAIN, **{"ax": Figure().subplots(), **options})


def test_more_groups_than_colours_are_refused():
    with pytest.raises(InputError, match="at most 20 colours"):
        disconnectivity(landscape(30, 0), ax=Figure().subplots(), groups=range(30))
