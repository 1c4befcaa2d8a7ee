"""The disconnectivity graph: a merge tree drawn to the scale of its energies."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from matplotlib.artist import Artist
from matplotlib.axes import Axes
from matplotlib.legend import Legend
from numpy.typing import ArrayLike, NDArray

from tda_landscape._errors import InputError
from tda_landscape.plot._axes import axes_of, points_wide, real
from tda_landscape.plot._layout import tree_layout
from tda_landscape.plot._leaf_colors import check_groups, check_values, color_by_group, color_by_value
from tda_landscape.plot._leaf_names import Labels, draw_names, leaf_names, make_room
from tda_landscape.plot._tree_lines import NOISE, draw_hollow, draw_joints, draw_lines, legend_entries
from tda_landscape.topology import MergeTree, merge_tree
from tda_landscape.topology._weighted import GraphLike


def disconnectivity(
    tree: MergeTree | GraphLike,
    *,
    ax: Axes | None = None,
    labels: Labels | None = None,
    values: ArrayLike | None = None,
    value_label: str = "value",
    groups: Sequence[object] | None = None,
    order: str | ArrayLike = "center",
    level_range: tuple[float, float] | None = None,
    noise_floor: float = 0.0,
) -> Axes:
    """Draw a merge tree: each leaf a line from its energy up to where it merges.

    Parameters
    ----------
    tree : MergeTree, LandscapeGraph, (births, edges, heights), networkx graph, or scipy sparse matrix
        Separate trees of a forest stand side by side, on dotted stems: no path was found between them.
    ax : matplotlib.axes.Axes, optional
        Where to draw; a new figure if left out.
    labels : sequence of n names, or dict {leaf: name}, optional
        Written below the leaves; of many leaves, name a few with a dict.
    values : array_like (n,), optional
        One number a leaf, shown as the colour of its line.
    value_label : str
        Title of the colour bar.
    groups : sequence of n names, optional
        Which leaves belong together, shown as the colour of their lines, with a legend; not together with `values`.
    order : "center", "energy", or array_like (n,)
        `center` puts the global minimum into the middle, branches on both sides; `energy` puts it to the left, and
        what merges first next to it; numbers put branches with a lower mean to the left, as far as no lines cross.
    level_range : (low, high), optional
        Energies shown; the graph is cut off outside.
    noise_floor : float
        Energy below which differences mean nothing: shaded above the global minimum, and branches that are not
        longer are drawn hollow. Those of a grid are hollow up to 2 `tree.delta`.

    Returns
    -------
    matplotlib.axes.Axes

    Raises
    ------
    InputError
        Labels, values, groups or an order that do not fit the leaves, NaN, or an empty range.

    Notes
    -----
    Each upright line is one bar of the H0 diagram: it ends where the component of its leaf merges into one
    with a deeper leaf. A filled circle there says that the separation below is proved; an open one, that no
    lower path was found, so that the two may be joined further down. Of more than 250 merges, only the 60 of the
    longest branches get a circle and a level line. Where merges are known in different ways, full lines are
    certified, dashed refined, dotted sampled. The horizontal order has no meaning. A tree in superlevel order hangs
    from its peaks.
    After Becker and Karplus, J. Chem. Phys. 106, 1495 (1997), with merges at their exact heights, not in steps.

    Examples
    --------
    >>> from matplotlib.figure import Figure
    >>> tree = merge_tree(([0.0, 0.5, 0.2], [(0, 1), (1, 2)], [1.0, 0.7]))
    >>> ax = disconnectivity(tree, ax=Figure().subplots(), labels=["a", "b", "c"])
    >>> [text.get_text() for text in ax.get_legend().get_texts()]
    ['upper bound, not proved (2)']
    """
    tree = tree if isinstance(tree, MergeTree) else merge_tree(tree)
    n = len(tree)
    if n == 0:
        raise InputError("the tree has no leaves, so there is nothing to draw")
    names, colors, families = leaf_names(labels, n), check_values(values, n), check_groups(groups, n)
    if colors is not None and families is not None:
        raise InputError("values and groups both colour the leaves; give one of them")
    low, high = _range(tree, level_range)
    unresolved = _unresolved(tree, noise_floor)
    layout = tree_layout(tree, order)
    ax = axes_of(ax)
    room = points_wide(ax) / (np.ptp(layout.x) + 2)
    ax.set(xlim=(layout.x.min() - 1, layout.x.max() + 1), ylim=(low, high), ylabel="energy", xticks=[])
    ax.spines[["top", "right", "bottom"]].set_visible(False)
    width = float(np.clip(0.25 * room, 0.2, 1.3))
    ink = None
    if colors is not None:
        ink = color_by_value(ax, colors, value_label)
    if families is not None:
        ink, entries = color_by_group(families)
        _legend_of_groups(ax, entries)
    leaves = draw_lines(ax, tree, layout, width, ink)
    draw_hollow(ax, leaves, unresolved, width)
    draw_joints(ax, tree, layout, size=float(np.clip(0.7 * room, 2.2, 5.0)))
    if noise_floor:
        _shade(ax, tree, noise_floor)
    below = draw_names(ax, tree, layout, names, room)
    if level_range is None:
        make_room(ax, tree, below)
    _draw_legend(ax, legend_entries(tree, unresolved, noise_floor))
    return ax


def _range(tree: MergeTree, level_range: tuple[float, float] | None) -> tuple[float, float]:
    """Energies shown: all births and merges with a margin, or the range asked for."""
    if level_range is None:
        levels = np.concatenate([tree.births, tree.height])
        low, high = float(levels.min()), float(levels.max())
        margin = 0.07 * (high - low) or 0.5
        return low - margin, high + margin
    ends = real(level_range, "level_range")
    if ends.shape != (2,) or not np.isfinite(ends).all() or ends[0] >= ends[1]:
        raise InputError(f"level_range must be (low, high) with low < high, got {level_range!r}")
    return float(ends[0]), float(ends[1])


def _unresolved(tree: MergeTree, noise_floor: float) -> NDArray[np.bool_]:
    """Branches that an error of the energies could undo."""
    if not (np.isfinite(noise_floor) and noise_floor >= 0):
        raise InputError(f"noise_floor must be a finite, non-negative energy, got {noise_floor}")
    within = np.abs(tree.deaths - tree.births) <= noise_floor if noise_floor else np.zeros(len(tree), dtype=bool)
    return within if tree.delta is None else within | ~tree.resolved()


def _shade(ax: Axes, tree: MergeTree, noise_floor: float) -> None:
    """A band as high as the noise, from the global minimum (of peaks, from the highest one)."""
    deepest = float(tree.births[tree.roots[0]])
    end = deepest - noise_floor if tree.superlevel else deepest + noise_floor
    ax.axhspan(min(deepest, end), max(deepest, end), color=NOISE, linewidth=0, zorder=0, label="noise floor")


def _legend_of_groups(ax: Axes, entries: Sequence[Artist]) -> None:
    """The names of the groups, above the axes."""
    style: dict[str, Any] = {"frameon": False, "fontsize": 8, "handlelength": 1.2, "columnspacing": 1.2}
    longest = max(len(str(entry.get_label())) for entry in entries)
    columns = max(1, min(len(entries), int(points_wide(ax) / (4.5 * longest + 26))))
    names = [str(entry.get_label()) for entry in entries]
    legend = Legend(ax, entries, names, loc="lower center", bbox_to_anchor=(0.5, 1.0), ncols=columns, **style)
    ax.add_artist(legend).set_clip_on(False)


def _draw_legend(ax: Axes, entries: Sequence[Artist]) -> None:
    """Say in words what the picture shows, below it."""
    if not entries:
        return
    longest = max(len(str(entry.get_label())) for entry in entries)
    columns = max(1, min(len(entries), int(points_wide(ax) / (4.2 * longest + 26))))
    style: dict[str, Any] = {"frameon": False, "fontsize": 8, "handlelength": 1.6, "columnspacing": 1.2}
    ax.legend(handles=entries, loc="upper center", bbox_to_anchor=(0.5, 0.0), ncols=columns, **style)
