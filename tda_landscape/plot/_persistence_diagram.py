"""Persistence diagrams: birth against death, essential classes on a line of their own."""

from __future__ import annotations

from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.ticker import MaxNLocator
from numpy.typing import NDArray

from tda_landscape._errors import InputError
from tda_landscape.plot._axes import COLORS, GREY, MARKERS, axes_of, clean, note
from tda_landscape.plot._diagrams import span_of
from tda_landscape.topology import as_diagrams
from tda_landscape.topology._formats import DiagramsLike

MOST_COUNTS = 12
"""Up to so many coinciding points are counted in print; more are told by their size alone."""


def persistence_diagram(diagrams: DiagramsLike, *, ax: Axes | None = None, band: float = 0.0) -> Axes:
    """Draw persistence diagrams, one colour and marker a dimension.

    Parameters
    ----------
    diagrams : Diagrams, list of (n, 2) arrays, ripser dict, or gudhi list
        What was filtered (`Diagrams.source`) is written above the axes.
    ax : matplotlib.axes.Axes, optional
        Where to draw; a new figure if left out.
    band : float
        An error bar of births and deaths, such as `stability_bound`: bars within 2 `band` of the diagonal are shaded,
        since errors can undo them.

    Returns
    -------
    matplotlib.axes.Axes

    Raises
    ------
    InputError
        No diagram, NaN, a death below its birth, or a negative band.

    Notes
    -----
    Points that coincide are one larger marker, with their number beside it while there are few. Essential
    classes, which never die, lie on the dashed line marked with the infinity sign.

    Examples
    --------
    >>> import numpy as np
    >>> from matplotlib.figure import Figure
    >>> ax = persistence_diagram([np.array([[0.0, np.inf], [0.5, 1.0]])], ax=Figure().subplots())
    >>> ax.get_xlabel(), ax.get_ylabel()
    ('birth', 'death')
    """
    bars = as_diagrams(diagrams)
    if not (np.isfinite(band) and band >= 0):
        raise InputError(f"band must be a finite, non-negative error, got {band}")
    ax = axes_of(ax)
    low, high = span_of(bars)
    margin = 0.05 * (high - low)
    low, infinity, end = low - margin, high + 3 * margin, high + 4 * margin
    essential = any(np.isinf(diagram).any() for diagram in bars)
    ax.fill_between([low, infinity, end], low, [low, infinity, infinity], color="#f4f4f4", linewidth=0, zorder=0)
    ax.plot([low, infinity], [low, infinity], color=GREY, linewidth=0.8, zorder=1)
    if band:
        _draw_band(ax, band, low, infinity)
    if essential:
        ax.axhline(infinity, color=GREY, linewidth=0.8, linestyle=(0, (4, 3)), zorder=1)
        where: dict[str, Any] = {"xycoords": ("axes fraction", "data"), "textcoords": "offset points"}
        ax.annotate(r"$\infty$", (0, infinity), (-4, 0), ha="right", va="center", **where)
    for k, diagram in enumerate(bars):
        _draw_points(ax, diagram, k, infinity)
    ax.set(xlim=(low, end), ylim=(low, end), xlabel="birth", ylabel="death", aspect="equal")
    _ticks(ax, low, high)
    ax.legend(loc="lower right", frameon=False, fontsize=8, handletextpad=0.2)
    clean(ax)
    if bars.source:
        note(ax, bars.source)
    return ax


def _draw_points(ax: Axes, diagram: NDArray[np.float64], dimension: int, infinity: float) -> None:
    """One marker for each distinct point, larger and counted where several coincide."""
    points, counts = np.unique(diagram, axis=0, return_counts=True)
    births, deaths = points[:, 0], np.minimum(points[:, 1], infinity)
    small = min(1.0, (200 / max(len(points), 1)) ** 0.7)
    ax.scatter(
        births,
        deaths,
        s=26 * small * counts**0.7,
        marker=MARKERS[dimension % len(MARKERS)],
        facecolor=COLORS[dimension % len(COLORS)],
        edgecolor="white",
        linewidth=0.6 * small,
        alpha=0.85,
        zorder=3,
        clip_on=False,
        label=f"$H_{dimension}$ ({len(diagram)})",
    )
    tied = np.flatnonzero(counts > 1)
    for i in tied if len(tied) <= MOST_COUNTS else []:
        offset = 2.5 + 2.55 * float(counts[i]) ** 0.35
        ax.annotate(
            f"×{counts[i]}",
            (births[i], deaths[i]),
            (offset, offset - 3),
            textcoords="offset points",
            fontsize=7,
        )


def _draw_band(ax: Axes, band: float, low: float, high: float) -> None:
    """Shade what lies within two errors of the diagonal."""
    ends = np.array([low, max(low, high - 2 * band), high])
    ax.fill_between(
        ends,
        ends,
        np.minimum(ends + 2 * band, high),
        color="#d9d9d9",
        linewidth=0,
        zorder=0.5,
        label=f"error ±{band:.3g}",
    )


def _ticks(ax: Axes, low: float, high: float) -> None:
    """The same ticks on both axes, none near infinity."""
    ticks = [tick for tick in MaxNLocator(5).tick_values(low, high) if low <= tick <= high]
    ax.set_xticks(ticks)
    ax.set_yticks(ticks)
