"""What all plots share: the axes, the colours, and the way a note is set."""

from __future__ import annotations

import textwrap
from typing import Any

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.axes import Axes
from numpy.typing import NDArray

from tda_landscape._errors import InputError, described

COLORS = ("#0072B2", "#D55E00", "#009E73", "#AA4499", "#56B4E9", "#444444")
"""Six colours that the colour-blind tell apart (Okabe and Ito, 2008, without the pale ones)."""

DASHES = ("-", (0, (5, 2)), (0, (1, 1.2)), (0, (6, 2, 1, 2)), (0, (3, 1)), (0, (8, 2, 1, 2, 1, 2)))
"""Line styles that go with the colours, for print in grey."""

MARKERS = ("o", "^", "s", "D", "v", "P")

INK, GREY = "#222222", "#8c8c8c"


def axes_of(ax: object) -> Axes:
    """The axes given, or those of a new figure."""
    if ax is None:
        return plt.subplots(layout="constrained")[1]
    if not isinstance(ax, Axes):
        raise InputError(f"ax must be one matplotlib Axes, got {described(ax)}; pass a single axes of your figure")
    return ax


def line_style(i: int) -> dict[str, Any]:
    """Colour and dashes of the i-th line; all pairs differ up to 36 lines."""
    return {"color": COLORS[i % len(COLORS)], "linestyle": DASHES[(i + i // len(COLORS)) % len(DASHES)]}


def points_wide(ax: Axes) -> float:
    """Width of the axes in printer's points."""
    return float(ax.get_window_extent().width) * 72 / float(ax.figure.dpi)


def points_tall(ax: Axes) -> float:
    """Height of the axes in printer's points."""
    return float(ax.get_window_extent().height) * 72 / float(ax.figure.dpi)


def clean(ax: Axes) -> None:
    """Leave only the two spines that carry a scale."""
    ax.spines[["top", "right"]].set_visible(False)


def note(ax: Axes, text: str) -> None:
    """Set one sentence, small and grey, above the axes."""
    width = max(24, int(points_wide(ax) / 3.6))
    ax.set_title(textwrap.fill(text, width), loc="left", fontsize=7.5, color="#555555")


def real(values: object, name: str) -> NDArray[np.float64]:
    """Float64 numbers without NaN."""
    try:
        array = np.asarray(values, dtype=np.float64)
    except (TypeError, ValueError):
        raise InputError(f"{name} must be numbers, got {described(values)}") from None
    if np.isnan(array).any():
        first = int(np.flatnonzero(np.isnan(array))[0])
        raise InputError(f"{name} contain NaN, first at {first}; leave those entries out or give them a value")
    return array
