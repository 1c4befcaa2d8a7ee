"""Barcodes: one horizontal line a bar, from birth to death."""

from __future__ import annotations

import numpy as np
from matplotlib.axes import Axes
from numpy.typing import NDArray

from tda_landscape.plot._axes import COLORS, axes_of, clean, note, points_tall
from tda_landscape.plot._diagrams import span_of
from tda_landscape.topology import as_diagrams
from tda_landscape.topology._formats import DiagramsLike


def barcode(diagrams: DiagramsLike, *, ax: Axes | None = None) -> Axes:
    """Draw barcodes: bars sorted by birth, dimension above dimension.

    Parameters
    ----------
    diagrams : Diagrams, list of (n, 2) arrays, ripser dict, or gudhi list
        What was filtered (`Diagrams.source`) is written above the axes.
    ax : matplotlib.axes.Axes, optional
        Where to draw; a new figure if left out.

    Returns
    -------
    matplotlib.axes.Axes

    Raises
    ------
    InputError
        No bar, NaN, or a death below its birth.

    Notes
    -----
    A bar that never dies runs to the right edge and ends in an arrow head.

    Examples
    --------
    >>> import numpy as np
    >>> from matplotlib.figure import Figure
    >>> ax = barcode([np.array([[0.0, np.inf], [0.5, 1.0]])], ax=Figure().subplots())
    >>> [text.get_text() for text in ax.get_yticklabels()]
    ['$H_0$ (2)']
    """
    bars = as_diagrams(diagrams)
    ax = axes_of(ax)
    low, high = span_of(bars)
    margin = 0.05 * (high - low)
    total = sum(map(len, bars))
    width = float(np.clip(0.6 * points_tall(ax) / total, 0.4, 4.0))
    first, centres, names = 0, [], []
    for k, diagram in enumerate(bars):
        if len(diagram):
            _draw_bars(ax, diagram, first, high + margin, COLORS[k % len(COLORS)], width)
            centres.append(first + (len(diagram) - 1) / 2)
            names.append(f"$H_{k}$ ({len(diagram)})")
            first += len(diagram)
    ax.set(xlim=(low - margin, high + margin), ylim=(total - 0.4, -0.6), xlabel="level")
    ax.set_yticks(centres, names)
    ax.tick_params(axis="y", length=0)
    clean(ax)
    ax.spines["left"].set_visible(False)
    if bars.source:
        note(ax, bars.source)
    return ax


def _draw_bars(ax: Axes, diagram: NDArray[np.float64], first: int, end: float, color: str, width: float) -> None:
    """The bars of one dimension, one a row from row `first` on; those that never die end in arrow heads."""
    bars = diagram[np.lexsort((-diagram[:, 1], diagram[:, 0]))]
    rows = first + np.arange(len(bars))
    never = np.isinf(bars[:, 1])
    ends = np.where(never, end, bars[:, 1])
    ax.hlines(rows, bars[:, 0], ends, colors=color, linewidth=width)
    size = max(3.0, 1.8 * width)
    ax.plot(np.full(never.sum(), end), rows[never], ">", color=color, markersize=size, clip_on=False)
