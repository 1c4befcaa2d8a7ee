"""The same pictures for the browser, by plotly: zoom in, and read each branch under the pointer."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from matplotlib.colors import to_hex
from numpy.typing import ArrayLike

from tda_landscape._errors import InputError, described
from tda_landscape.plot._axes import COLORS, GREY, INK
from tda_landscape.plot._diagrams import span_of
from tda_landscape.plot._layout import tree_layout
from tda_landscape.plot._leaf_colors import check_groups, check_values, color_by_group
from tda_landscape.plot._leaf_names import Labels, leaf_names
from tda_landscape.topology import MergeTree, NuCurve, as_diagrams, merge_tree
from tda_landscape.topology._formats import DiagramsLike
from tda_landscape.topology._weighted import GraphLike

try:
    from plotly.graph_objects import Figure, Layout
except ModuleNotFoundError:
    raise InputError("interactive plots need plotly: pip install 'tda-landscape[interactive]'") from None

__all__ = ["disconnectivity", "nu_curves", "persistence_diagram"]

BLANK: dict[str, Any] = {"template": "simple_white"}


def disconnectivity(
    tree: MergeTree | GraphLike,
    *,
    labels: Labels | None = None,
    values: ArrayLike | None = None,
    value_label: str = "value",
    groups: Sequence[object] | None = None,
    order: str | ArrayLike = "center",
) -> Figure:
    """Draw a merge tree as `tda_landscape.plot.disconnectivity` does; each leaf tells its birth, death and label.

    Parameters
    ----------
    tree : MergeTree, LandscapeGraph, (births, edges, heights), networkx graph, or scipy sparse matrix
    labels, values, value_label, groups, order
        As in `tda_landscape.plot.disconnectivity`; `labels` are those of the tree if left out.

    Returns
    -------
    plotly.graph_objects.Figure
        ``.show()`` opens it, ``.write_html(file)`` keeps it.

    Raises
    ------
    InputError
        No leaves, or options that do not fit them.

    Examples
    --------
    >>> figure = disconnectivity(([0.0, 0.5, 0.2], [(0, 1), (1, 2)], [1.0, 0.7]), labels=["a", "b", "c"])
    >>> list(figure.data[-1].customdata[1])
    ['b', 0.5, 0.7, 'upper bound']
    """
    tree = tree if isinstance(tree, MergeTree) else merge_tree(tree)
    n = len(tree)
    if n == 0:
        raise InputError("the tree has no leaves, so there is nothing to draw")
    names = leaf_names(tree.labels if labels is None else labels, n)
    numbers, families = check_values(values, n), check_groups(groups, n)
    layout, levels = tree_layout(tree, order), np.concatenate([tree.births, tree.height])
    span = float(np.ptp(levels)) or 1.0
    end = float(levels.min() - 0.07 * span if tree.superlevel else levels.max() + 0.07 * span)
    ends = np.where(np.isinf(layout.death), end, layout.death)
    figure = Figure(layout=Layout(**BLANK, xaxis={"visible": False}, yaxis={"title": "energy"}))
    x, dying = layout.x, tree.dying
    _segments(figure, x[dying], tree.height, x[layout.elder[dying]], tree.height, INK, "merges")
    family = np.array(["leaves"] * n if families is None else families)
    palette = [] if families is None else [entry.get_color() for entry in color_by_group(families)[1]]
    for i, name in enumerate(dict.fromkeys(family.tolist())):
        mine = family == name
        color = INK if families is None else to_hex(palette[i])
        _segments(figure, x[mine], tree.births[mine], x[mine], ends[mine], color, name, legend=families is not None)
    known = _known(tree)
    rows = [[names.get(i, ""), tree.births[i], tree.deaths[i], known[i]] for i in range(n)]
    marker: dict[str, Any] = {"size": 5, "color": INK}
    if numbers is not None:
        marker = {"size": 7, "color": numbers, "colorscale": "Viridis", "colorbar": {"title": value_label}}
    hover = "%{customdata[0]}<br>birth %{customdata[1]:.6g}<br>death %{customdata[2]:.6g}<br>%{customdata[3]}"
    points = {"x": x, "y": tree.births, "customdata": rows, "hovertemplate": hover + "<extra></extra>"}
    figure.add_scattergl(**points, mode="markers", marker=marker, name="minima", showlegend=False)
    return figure


def persistence_diagram(diagrams: DiagramsLike) -> Figure:
    """Draw persistence diagrams, essential classes on a line above all; each point tells its bar.

    Parameters
    ----------
    diagrams : Diagrams, or any format that `as_diagrams` reads

    Returns
    -------
    plotly.graph_objects.Figure

    Raises
    ------
    InputError
        No bar, NaN, or a death below its birth.

    Examples
    --------
    >>> figure = persistence_diagram([np.array([[0.0, np.inf], [0.5, 1.0]])])
    >>> figure.data[-1].name
    'H0 (2)'
    """
    bars = as_diagrams(diagrams)
    low, high = span_of(bars)
    top = high + 0.15 * (high - low)
    title: dict[str, Any] = {"title": {"text": bars.source, "font": {"size": 12}}} if bars.source else {}
    figure = Figure(layout=Layout(**BLANK, **title, xaxis={"title": "birth"}, yaxis={"title": "death"}))
    figure.add_scatter(x=[low, top], y=[low, top], mode="lines", line={"color": GREY, "width": 1}, showlegend=False)
    figure.add_hline(top, line={"color": GREY, "width": 1, "dash": "dash"})
    for k, diagram in enumerate(bars):
        hover = "birth %{x:.6g}<br>death %{customdata:.6g}<extra></extra>"
        points = {"x": diagram[:, 0], "y": np.minimum(diagram[:, 1], top), "customdata": diagram[:, 1]}
        marker = {"size": 8, "opacity": 0.75, "color": COLORS[k % len(COLORS)]}
        figure.add_scatter(**points, mode="markers", marker=marker, name=f"H{k} ({len(diagram)})", hovertemplate=hover)
    return figure


def nu_curves(curves: NuCurve | Mapping[str, NuCurve], *, status: str = "sampled") -> Figure:
    """Draw the number of components of the sublevel sets against the level.

    Parameters
    ----------
    curves : NuCurve or dict {label: NuCurve}
    status : str
        Which count is the line: `sampled` (all verified paths), `refined`, or `certified`.

    Returns
    -------
    plotly.graph_objects.Figure

    Raises
    ------
    InputError
        No curve, or a status that a curve has not.

    Examples
    --------
    >>> from tda_landscape.topology import nu_curve
    >>> figure = nu_curves({"a": nu_curve(([0.0, 0.5], [(0, 1)], [1.0]))})
    >>> figure.data[0].line.shape, figure.data[0].y.tolist()
    ('hv', [0, 1, 2, 1])
    """
    named = {"": curves} if isinstance(curves, NuCurve) else curves
    if not isinstance(named, Mapping) or not named or not all(isinstance(c, NuCurve) for c in named.values()):
        raise InputError(f"nu_curves takes a NuCurve or a dict of them by label, got {described(curves)}")
    figure = Figure(layout=Layout(**BLANK, xaxis={"title": "level u"}, yaxis={"title": "N_u"}))
    for i, (label, curve) in enumerate(named.items()):
        line = {"shape": "hv", "color": COLORS[i % len(COLORS)]}
        levels = np.concatenate([curve.levels[:1], curve.levels])
        counts = np.concatenate([[0], curve(curve.levels, status)])
        hover = "u = %{x:.6g}: %{y}<extra></extra>"
        name = f"{label} ({status} merges)" if label else f"{status} merges"
        figure.add_scatter(x=levels, y=counts, mode="lines", line=line, name=name, hovertemplate=hover)
    return figure


def _segments(
    figure: Figure, x0: Any, y0: Any, x1: Any, y1: Any, color: str, name: str, *, legend: bool = False
) -> None:
    """Many line segments as one trace, with a gap after each."""
    gap = np.full(len(x0), np.nan)
    x, y = np.column_stack([x0, x1, gap]).ravel(), np.column_stack([y0, y1, gap]).ravel()
    figure.add_scattergl(
        x=x, y=y, mode="lines", line={"color": color, "width": 1}, name=name, hoverinfo="skip", showlegend=legend
    )


def _known(tree: MergeTree) -> list[str]:
    """How the end of each leaf is known."""
    words = ["no path found to a deeper one"] * len(tree)
    statuses = [""] * len(tree.dying) if tree.status is None else [f", {s}" for s in tree.status.tolist()]
    bound = "lower bound" if tree.superlevel else "upper bound"
    for leaf, proved, status in zip(tree.dying.tolist(), tree.proved.tolist(), statuses, strict=True):
        words[leaf] = ("separation proved" if proved else bound) + status
    return words
