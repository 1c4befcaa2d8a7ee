"""Length of the shortest paths found between two points, against the level."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Protocol

import numpy as np
from matplotlib.axes import Axes

from tda_landscape._errors import InputError, described
from tda_landscape.plot._axes import GREY, MARKERS, axes_of, clean, line_style


class MeasuredLengths(Protocol):
    """What is drawn of a curve; `tda_landscape.GeodesicCurve` has it."""

    @property
    def levels(self) -> Sequence[float]:
        """Levels u."""

    @property
    def normalized_length(self) -> Sequence[float | None]:
        """Length over the distance of the ends at each level; None where unresolved."""


def geodesic_curve(curves: MeasuredLengths | Mapping[str, MeasuredLengths], *, ax: Axes | None = None) -> Axes:
    """Draw normalized length against the level; levels at which no path was found are marked as unresolved.

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
    unresolved: list[float] = []
    for i, (label, curve) in enumerate(named.items()):
        lengths = np.array([np.nan if x is None else x for x in curve.normalized_length], dtype=float)
        marker = MARKERS[i % len(MARKERS)]
        ax.plot(curve.levels, lengths, **line_style(i), marker=marker, markersize=4, label=label or None)
        unresolved += [level for level, x in zip(curve.levels, curve.normalized_length, strict=True) if x is None]
    if unresolved:
        ax.plot(unresolved, np.ones(len(unresolved)), "|", color=GREY, markersize=9, label="unresolved")
    ax.set(xlabel="level $u$", ylabel="length / distance of the ends")
    if unresolved or any(named):
        ax.legend(frameon=False, fontsize=8)
    clean(ax)
    return ax
