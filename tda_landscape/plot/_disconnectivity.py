"""The disconnectivity graph: a merge tree drawn to the scale of its energies."""

from __future__ import annotations

from typing import Any

import numpy as np
from matplotlib import colormaps
from matplotlib.axes import Axes
from matplotlib.cm import ScalarMappable
from matplotlib.collections import LineCollection
from matplotlib.colors import ListedColormap, Normalize
from matplotlib.lines import Line2D
from numpy.typing import ArrayLike, NDArray

from tda_landscape._errors import InputError
from tda_landscape.plot._axes import INK, axes_of, points_wide, real
from tda_landscape.plot._layout import TreeLayout, tree_layout
from tda_landscape.plot._leaf_names import Labels, draw_names, leaf_names, make_room
from tda_landscape.topology import MergeTree, merge_tree
from tda_landscape.topology._weighted import GraphLike


def disconnectivity(
    tree: MergeTree | GraphLike,
    *,
    ax: Axes | None = None,
    labels: Labels | None = None,
    values: ArrayLike | None = None,
    value_label: str = "value",
    level_range: tuple[float, float] | None = None,
) -> Axes:
    """Draw a merge tree: each leaf a line from its energy up to where it merges.

    Parameters
    ----------
    tree : MergeTree, LandscapeGraph, (births, edges, heights), or networkx graph
        Separate trees of a forest stand side by side, on dotted stems: no path was found between them.
    ax : matplotlib.axes.Axes, optional
        Where to draw; a new figure if left out.
    labels : sequence of n names, or dict {leaf: name}, optional
        Written below the leaves; of many leaves, name a few with a dict.
    values : array_like (n,), optional
        One number a leaf, shown as the colour of its line.
    value_label : str
        Title of the colour bar.
    level_range : (low, high), optional
        Energies shown; the graph is cut off outside.

    Returns
    -------
    matplotlib.axes.Axes

    Raises
    ------
    InputError
        Labels or values that do not fit the leaves, NaN, or an empty range.

    Notes
    -----
    Each upright line is one bar of the H0 diagram: it ends where the component of its leaf merges into one
    with a deeper leaf. A filled circle there says that the separation below is proved; an open one, that no
    lower path was found, so that the two may be joined further down. The horizontal order has no meaning.
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
    n = len(tree.births)
    if n == 0:
        raise InputError("the tree has no leaves, so there is nothing to draw")
    names = leaf_names(labels, n)
    colors = None if values is None else _values(values, n)
    low, high = _range(tree, level_range)
    layout = tree_layout(tree)
    ax = axes_of(ax)
    room = points_wide(ax) / (np.ptp(layout.x) + 2)
    ax.set(xlim=(layout.x.min() - 1, layout.x.max() + 1), ylim=(low, high), ylabel="energy", xticks=[])
    ax.spines[["top", "right", "bottom"]].set_visible(False)
    width = float(np.clip(0.25 * room, 0.5, 1.3))
    leaves = _draw_lines(ax, tree, layout, width)
    if colors is not None:
        scale = ScalarMappable(Normalize(colors.min(), colors.max()), _dark_viridis())
        leaves.set(color=scale.to_rgba(colors), linewidth=2.0 * width)
        ax.figure.colorbar(scale, ax=ax, label=value_label, fraction=0.05, pad=0.02)
    _draw_joints(ax, tree, layout, size=float(np.clip(0.7 * room, 2.2, 5.0)))
    below = draw_names(ax, tree, layout, names, room)
    if level_range is None:
        make_room(ax, float(tree.births.min()), below)
    _draw_legend(ax, tree)
    return ax


def _values(values: ArrayLike, n: int) -> NDArray[np.float64]:
    """One finite number a leaf."""
    array = real(values, "values")
    if array.shape != (n,) or not np.isfinite(array).all():
        raise InputError(f"values must be {n} finite numbers, one per leaf; got shape {array.shape}")
    return array


def _range(tree: MergeTree, level_range: tuple[float, float] | None) -> tuple[float, float]:
    """Energies shown: all births and merges with a margin, or the range asked for."""
    if level_range is None:
        low, high = float(tree.births.min()), float(np.concatenate([tree.births, tree.height]).max())
        margin = 0.07 * (high - low) or 0.5
        return low - margin, high + margin
    ends = real(level_range, "level_range")
    if ends.shape != (2,) or not np.isfinite(ends).all() or ends[0] >= ends[1]:
        raise InputError(f"level_range must be (low, high) with low < high, got {level_range!r}")
    return float(ends[0]), float(ends[1])


def _draw_lines(ax: Axes, tree: MergeTree, layout: TreeLayout, width: float) -> LineCollection:
    """An upright line a leaf, returned; a level line a merge; dotted stems above separate trees."""
    x, elder, top = layout.x, layout.elder, ax.get_ylim()[1]
    highest = float(np.concatenate([tree.births, tree.height]).max())
    separate = len(tree.roots) > 1
    ends = np.minimum(layout.death, highest if separate else max(top, highest))
    dying = tree.dying
    style: dict[str, Any] = {"linewidth": width, "colors": INK}
    ax.hlines(tree.height, x[dying], x[elder[dying]], label="merges", **style)
    if separate:
        ax.vlines(x[tree.roots], highest, max(top, highest), linestyles=":", label="stems", **style)
    return ax.vlines(x, tree.births, ends, label="leaves", **style)


def _dark_viridis() -> ListedColormap:
    """Viridis without the yellow that is lost on white paper."""
    return ListedColormap(colormaps["viridis"](np.linspace(0, 0.87, 256)), name="dark viridis")


def _draw_joints(ax: Axes, tree: MergeTree, layout: TreeLayout, size: float) -> None:
    """A circle where each leaf's line ends: filled where the separation is proved, open at an upper bound."""
    for proved, face in ((True, INK), (False, "white")):
        merges = tree.proved == proved
        ax.plot(
            layout.x[tree.dying[merges]],
            tree.height[merges],
            "o",
            markersize=size,
            markerfacecolor=face,
            markeredgecolor=INK,
            markeredgewidth=min(0.8, 0.2 * size),
            zorder=3,
            label="proved" if proved else "upper bounds",
        )


def _draw_legend(ax: Axes, tree: MergeTree) -> None:
    """Say in words what the circles and the stems are."""
    proved, merges, trees = int(tree.proved.sum()), len(tree.proved), len(tree.roots)
    circle: dict[str, Any] = {"linestyle": "", "marker": "o", "markersize": 4.5, "markeredgecolor": INK}
    entries = []
    if proved:
        entries.append(Line2D([], [], markerfacecolor=INK, label=f"separation proved ({proved})", **circle))
    if proved < merges:
        text = f"upper bound, not proved ({merges - proved})"
        entries.append(Line2D([], [], markerfacecolor="white", label=text, **circle))
    if trees > 1:
        entries.append(Line2D([], [], linestyle=":", color=INK, label=f"no path found between {trees} trees"))
    if entries:
        ax.legend(
            handles=entries,
            loc="upper center",
            bbox_to_anchor=(0.5, 0.0),
            ncols=len(entries) if points_wide(ax) > 280 else 1,
            frameon=False,
            fontsize=8,
            handlelength=1.2,
            columnspacing=1.5,
        )
