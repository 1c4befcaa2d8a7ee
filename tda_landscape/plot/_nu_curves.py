"""N_u against u: the step functions of several landscapes side by side."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.ticker import MaxNLocator
from numpy.typing import NDArray

from tda_landscape._errors import InputError, described
from tda_landscape.plot._axes import axes_of, clean, line_style
from tda_landscape.topology import EDGE_STATUSES, NuCurve


def nu_curves(curves: NuCurve | Mapping[str, NuCurve], *, ax: Axes | None = None, status: str = "sampled") -> Axes:
    """Draw the number of components of the sublevel sets against the level.

    Parameters
    ----------
    curves : NuCurve or dict {label: NuCurve}
        Landscapes whose energies can be compared.
    ax : matplotlib.axes.Axes, optional
        Where to draw; a new figure if left out.
    status : str
        Which count is the line: `sampled` (all verified paths), `refined`, or `certified`.

    Returns
    -------
    matplotlib.axes.Axes

    Raises
    ------
    InputError
        No curve, something else than a curve, or a status that a curve has not.

    Notes
    -----
    The legend says how the merges are known. Where some merges are certified, a light band reaches from the
    count of all verified paths to the count of certified merges only, an upper bound of the number of
    components that the stored points hit. Curves of grids have a certified lower bound of N_u, a fine line.

    Examples
    --------
    >>> from matplotlib.figure import Figure
    >>> from tda_landscape.topology import nu_curve
    >>> ax = nu_curves(nu_curve(([0.0, 0.5], [(0, 1)], [1.0])), ax=Figure().subplots())
    >>> [text.get_text() for text in ax.get_legend().get_texts()]
    ['sampled merges, upper bounds']
    """
    named = {"": curves} if isinstance(curves, NuCurve) else curves
    _check(named, status)
    ax = axes_of(ax)
    last = max(float(curve.levels[-1]) for curve in named.values())
    first = min(float(curve.levels[0]) for curve in named.values())
    end = last + (0.06 * (last - first) or 0.5)
    words = [_words(curve, status) for curve in named.values()]
    shared = len(named) > 1 and len(set(words)) == 1
    banded = bounded = False
    for i, (label, curve) in enumerate(named.items()):
        text = label if shared else ": ".join(part for part in (label, words[i]) if part)
        # Later lines are thinner, so that those below still show where they coincide.
        _draw_steps(ax, curve, status, end, i, text, width=max(2.2 - 0.5 * i, 1.1))
        certified = _band(curve)
        if certified is not None:
            _draw_band(ax, curve, certified, end, i)
            banded = True
        if curve.lower is not None:
            _draw_lower(ax, *curve.lower, end, i)
            bounded = True
    title = [words[0]] * shared + ["band: up to certified merges only"] * banded
    title += ["fine line: certified lower bound of $N_u$"] * bounded
    ax.yaxis.set_major_locator(MaxNLocator(integer=True))
    ax.set(xlim=(first - 0.03 * (end - first), end), xlabel="level $u$", ylabel="$N_u$")
    _legend(ax, "\n".join(title), list(named.values()), status)
    clean(ax)
    return ax


def _check(curves: Mapping[str, NuCurve], status: str) -> None:
    """Refuse what is no mapping of curves that all have the status."""
    if not isinstance(curves, Mapping) or not curves:
        raise InputError(f"nu_curves takes a NuCurve or a dict of them by label, got {described(curves)}")
    for label, curve in curves.items():
        if not isinstance(curve, NuCurve):
            raise InputError(f"{label!r} is {described(curve)}, not a NuCurve; make one with nu_curve(graph)")
        if status not in curve.counts:
            given = ", ".join(curve.counts)
            raise InputError(f"curve {label!r} has no count of status {status!r}; it has {given}")
        if len(curve.levels) == 0:
            raise InputError(f"curve {label!r} has no levels, so there is nothing to draw")


def _draw_steps(ax: Axes, curve: NuCurve, status: str, end: float, i: int, text: str, width: float) -> None:
    """One step function, from 0 at its first level to the common end."""
    count = curve.counts[status]
    ax.plot(
        np.concatenate([curve.levels[:1], curve.levels, [end]]),
        np.concatenate([[0], count, count[-1:]]),
        drawstyle="steps-post",
        **line_style(i),
        linewidth=width,
        label=text,
    )


def _band(curve: NuCurve) -> NDArray[np.intp] | None:
    """The count of certified merges only, if there are such merges and it differs from that of all paths."""
    certified = curve.counts.get("certified")
    if certified is None or not (np.diff(certified) < 0).any():
        return None
    return None if np.array_equal(certified, curve.counts["sampled"]) else certified


def _draw_band(ax: Axes, curve: NuCurve, certified: NDArray[np.intp], end: float, i: int) -> None:
    """Shade from the count of all verified paths up to that of certified merges only."""
    levels = np.append(curve.levels, end)
    low, high = (np.append(count, count[-1]) for count in (curve.counts["sampled"], certified))
    color = line_style(i)["color"]
    ax.fill_between(levels, low, high, step="post", color=color, alpha=0.16, linewidth=0, zorder=0.5)


def _draw_lower(ax: Axes, levels: NDArray[np.float64], count: NDArray[np.intp], end: float, i: int) -> None:
    """The certified lower curve of a grid, a fine line of the same colour."""
    if len(levels):
        x, y = np.concatenate([levels[:1], levels, [end]]), np.concatenate([[0], count, count[-1:]])
        ax.plot(x, y, drawstyle="steps-post", color=line_style(i)["color"], linewidth=0.7, label="_lower")


def _legend(ax: Axes, title: str, curves: list[NuCurve], status: str) -> None:
    """Put the legend into the upper right corner, with head room where the curves would run into it."""
    left, right = ax.get_xlim()
    highest = max(_reached(curve, status, left) for curve in curves)
    ax.set_ylim(0, 1.06 * highest)
    style: dict[str, Any] = {"frameon": False, "fontsize": 8, "title_fontsize": 8, "handlelength": 2.8}
    legend = ax.legend(loc="upper right", title=title or None, alignment="left", **style)
    box, frame = legend.get_window_extent(), ax.get_window_extent()
    under = right - 1.15 * box.width / frame.width * (right - left)
    free = max(0.2, 1 - 1.15 * box.height / frame.height)
    ax.set_ylim(0, max(1.06 * highest, max(_reached(curve, status, under) for curve in curves) / free))


def _reached(curve: NuCurve, status: str, level: float) -> int:
    """Highest count drawn, as line or as band, at or after a level."""
    certified = _band(curve)
    drawn = curve.counts[status] if certified is None else np.maximum(curve.counts[status], certified)
    return int(drawn[max(0, np.searchsorted(curve.levels, level, side="right") - 1) :].max())


def _words(curve: NuCurve, status: str) -> str:
    """How the merges behind a count are known: the worst status among them, and what of it is proved."""
    count = curve.counts[status]
    if not (np.diff(count) < 0).any():
        return "no merges found"
    used = EDGE_STATUSES[: EDGE_STATUSES.index(status) + 1]
    worst = next(s for s in used if s in curve.counts and np.array_equal(curve.counts[s], count))
    proved = "upper bounds, some proved" if curve.proved.any() else "upper bounds"
    if np.array_equal(curve.proved, np.maximum(count - 1, 0)):
        proved = "separations proved"
    return f"{worst} merges, {proved}" + ("" if curve.raw is None else ", modulo symmetry")
