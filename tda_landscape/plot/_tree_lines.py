"""The lines of a disconnectivity graph: leaves, merges, stems, and what their style says."""

from __future__ import annotations

from typing import Any

import numpy as np
from matplotlib.artist import Artist
from matplotlib.axes import Axes
from matplotlib.collections import LineCollection
from matplotlib.lines import Line2D
from matplotlib.patches import Patch
from numpy.typing import NDArray

from tda_landscape.plot._axes import GREY, INK
from tda_landscape.plot._layout import TreeLayout
from tda_landscape.topology import EDGE_STATUSES, MergeTree

STYLES: dict[str, Any] = dict(zip(EDGE_STATUSES, ("-", (0, (6, 1.5)), (0, (1.5, 1.5))), strict=True))
"""How a merge is known, by line style: certified, refined, sampled."""

NOISE = "#e3e3e3"

HOLLOW = 2.4
"""Width of a hollow line, in widths of a full one."""

MANY, LONGEST = 250, 60
"""Of more merges than the first, only as many as the second get a level line and a circle: the longest branches."""


def joined(tree: MergeTree) -> NDArray[np.intp]:
    """Merges that are drawn with a level line and a circle: all, or of many those of the longest branches."""
    lengths = np.abs(tree.height - tree.births[tree.dying])
    if len(lengths) <= MANY:
        return np.arange(len(lengths))
    return np.sort(np.argsort(-lengths, kind="stable")[:LONGEST])


def draw_lines(ax: Axes, tree: MergeTree, layout: TreeLayout, width: float, colors: Any) -> LineCollection:
    """An upright line a leaf, returned; a level line a merge; dotted stems beyond separate trees."""
    x, elder = layout.x, layout.elder
    end = ax.get_ylim()[0 if tree.superlevel else 1]
    levels = np.concatenate([tree.births, tree.height])
    last = float(levels.min() if tree.superlevel else levels.max())
    separate = len(tree.roots) > 1
    stop = last if separate or (end > last if tree.superlevel else end < last) else end
    ends = np.where(np.isinf(layout.death), stop, layout.death)
    merges = joined(tree)
    dying, height = tree.dying[merges], tree.height[merges]
    leaf_styles, merge_styles = _styles(tree, merges)
    lines: dict[str, Any] = {"linewidth": max(width, 0.5), "colors": INK}
    ax.hlines(height, x[dying], x[elder[dying]], label="merges", linestyles=merge_styles, **lines)
    if separate:
        ax.vlines(x[tree.roots], last, end, linestyles=":", label="stems", **lines)
    wide, ink = width, colors
    if colors is None:
        ink = np.full(len(tree), INK if len(merges) == len(tree.height) else GREY)
        ink[dying] = ink[tree.roots] = INK
    else:
        wide = 2 * width
    leaves = ax.vlines(x, tree.births, ends, label="leaves", linestyles=leaf_styles, linewidth=wide, colors=ink)
    if len(merges) < len(tree.height):
        widths = np.full(len(tree), wide)
        widths[dying] = widths[tree.roots] = max(wide, 0.7)
        leaves.set_linewidth(widths.tolist())
    return leaves


def _styles(tree: MergeTree, drawn: NDArray[np.intp]) -> tuple[Any, Any]:
    """Line styles of the leaves and of the merges: full where all merges are known alike."""
    if tree.status is None or len(set(tree.status.tolist())) < 2:
        return "-", "-"
    merges = [STYLES[status] for status in tree.status.tolist()]
    leaves: list[Any] = ["-"] * len(tree)
    for leaf, style in zip(tree.dying.tolist(), merges, strict=True):
        leaves[leaf] = style
    return leaves, [merges[k] for k in drawn.tolist()]


def draw_hollow(ax: Axes, leaves: LineCollection, unresolved: NDArray[np.bool_], width: float) -> None:
    """Make the lines of branches that an error could undo hollow, or grey where lines are too fine for that."""
    chosen = np.flatnonzero(unresolved)
    if len(chosen) == 0:
        return
    segments = [leaves.get_segments()[i] for i in chosen]
    fine = width < 0.6
    widths: Any = np.broadcast_to(leaves.get_linewidth(), len(unresolved))
    leaves.set_linewidth(np.where(unresolved, (1 if fine else HOLLOW) * width, widths).tolist())
    inner = LineCollection(
        segments, colors=GREY if fine else "white", linewidths=width * (1.0 if fine else HOLLOW - 1.4), label="hollow"
    )
    inner.set_zorder(leaves.get_zorder() + 0.1)
    ax.add_collection(inner, autolim=False)


def draw_joints(ax: Axes, tree: MergeTree, layout: TreeLayout, size: float) -> None:
    """A circle where each leaf's line ends: filled where the separation is proved, open at an upper bound."""
    drawn = np.zeros(len(tree.height), dtype=bool)
    drawn[joined(tree)] = True
    for proved, face in ((True, INK), (False, "white")):
        merges = drawn & (tree.proved == proved)
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


def legend_entries(tree: MergeTree, unresolved: NDArray[np.bool_], noise_floor: float) -> list[Artist]:
    """What circles, stems, styles and shades mean, with counts of all, drawn or not."""
    proved, merges, trees = int(tree.proved.sum()), len(tree.proved), len(tree.roots)
    circle: dict[str, Any] = {"linestyle": "", "marker": "o", "markersize": 4.5, "markeredgecolor": INK}
    entries: list[Artist] = []
    if proved:
        entries.append(Line2D([], [], markerfacecolor=INK, label=f"separation proved ({proved})", **circle))
    if proved < merges:
        text = f"{'lower' if tree.superlevel else 'upper'} bound, not proved ({merges - proved})"
        entries.append(Line2D([], [], markerfacecolor="white", label=text, **circle))
    known = [] if tree.status is None else tree.status.tolist()
    if len(set(known)) > 1:
        for status, style in STYLES.items():
            if status in known:
                label = f"{status} ({known.count(status)})"
                entries.append(Line2D([], [], linestyle=style, color=INK, linewidth=1.2, label=label))
    if trees > 1:
        entries.append(Line2D([], [], linestyle=":", color=INK, label=f"no path found between {trees} trees"))
    if merges > MANY:
        entries.append(Line2D([], [], color=INK, label=f"level lines: {LONGEST} longest branches of {merges}"))
    if unresolved.any():
        face = GREY if merges > MANY else "white"
        text = f"unresolved branch ({int(unresolved.sum())})"
        entries.append(Patch(facecolor=face, edgecolor=INK, linewidth=0.6, label=text))
    if noise_floor:
        entries.append(Patch(facecolor=NOISE, label=f"energy noise {noise_floor:.3g}"))
    return entries
