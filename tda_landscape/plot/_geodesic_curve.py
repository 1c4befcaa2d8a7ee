"""Length of the shortest paths found between two points, against the level."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Protocol

import numpy as np
from matplotlib.axes import Axes

from tda_landscape._errors import InputError, described
from tda_landscape.plot._axes import GREY, MARKERS, axes_of, clean, line_style

ROW = 0.04
"""Height of the row of marks of one curve, as a share of the axes."""


class MeasuredLengths(Protocol):
    """What is drawn of a curve; `tda_landscape.GeodesicCurve` has it."""

    @property
    def levels(self) -> Sequence[float]:
        """Levels u."""

    @property
    def normalized_length(self) -> Sequence[float | None]:
        """Length over the distance of the ends at each level; None where unresolved."""


def geodesic_curve(curves: MeasuredLengths | Mapping[str, MeasuredLengths], *, ax: Axes | None = None) -> Axes:
    """Draw normalized length against the level, as steps: a path below one level is one below all higher levels.

    Levels at which no path was found are marked as unresolved at the bottom, in the colour of their curve.

    Parameters
    ----------
    curves : GeodesicCurve or dict {label: GeodesicCurve}
    ax : matplotlib.axes.Axes, optional
        Where to draw; a new figure if left out.

    Returns
    -------
    matplotlib.axes.Axes

    Raises
    ------
    InputError
        No curve, or something else than a curve.

    Examples
    --------
    >>> from types import SimpleNamespace
    >>> from matplotlib.figure import Figure
    >>> curve = SimpleNamespace(levels=[0.1, 0.2, 0.5], normalized_length=[None, 1.3, 1.0])
    >>> ax = geodesic_curve(curve, ax=Figure().subplots())
    >>> [text.get_text() for text in ax.get_legend().get_texts()]
    ['unresolved']
    """
    named = curves if isinstance(curves, Mapping) else {"": curves}
    if not named:
        raise InputError("geodesic_curve takes a GeodesicCurve or a dict of them by label, got an empty dict")
    for label, curve in named.items():
        if not all(hasattr(curve, field) for field in ("levels", "normalized_length")):
            raise InputError(f"the curve {label!r} is {described(curve)}; make one with tda_landscape.geodesic_curve")
    ax = axes_of(ax)
    missing = False
    for i, (label, curve) in enumerate(named.items()):
        lengths = np.array([np.nan if x is None else x for x in curve.normalized_length], dtype=float)
        style = line_style(i) | {"drawstyle": "steps-post", "marker": MARKERS[i % len(MARKERS)], "markersize": 4}
        ax.plot(curve.levels, lengths, **style, label=label or None)
        unresolved = np.array(curve.levels)[np.isnan(lengths)]
        if len(unresolved):
            height = np.full(len(unresolved), ROW * (i + 0.5))
            mark = {"color": style["color"], "markersize": 9, "markeredgewidth": 1.5}
            ax.plot(unresolved, height, "|", **mark, transform=ax.get_xaxis_transform())
            missing = True
    if missing:
        ax.plot([], [], "|", color=GREY, markersize=9, label="unresolved")
    ax.set(xlabel="level $u$", ylabel="length / distance of the ends")
    if missing or any(named):
        ax.legend(frameon=False, fontsize=8)
    if all(x is None for curve in named.values() for x in curve.normalized_length):
        ax.set_yticks([])  # nothing was measured
    clean(ax)
    return ax
