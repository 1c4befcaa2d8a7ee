"""Energy along paths, with the verified maximum of each."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Protocol

import numpy as np
from matplotlib.axes import Axes
from numpy.typing import NDArray

from tda_landscape._errors import InputError, described
from tda_landscape.plot._axes import GREY, MARKERS, axes_of, clean, line_style, real


class MeasuredPath(Protocol):
    """What is drawn of a path; `tda_landscape.Path` has it."""

    @property
    def profile(self) -> Any:
        """Arc length and energy of each measured point, (p, 2)."""

    @property
    def height(self) -> float:
        """The verified maximum."""

    @property
    def status(self) -> str:
        """How the maximum is known."""


def path_profile(
    paths: MeasuredPath | Mapping[str, MeasuredPath], *, ax: Axes | None = None, level: float | None = None
) -> Axes:
    """Draw the energy along one or several paths, and mark the maximum of each.

    Parameters
    ----------
    paths : Path or dict {label: Path}
        Each is drawn over its own length, from 0 to 1.
    ax : matplotlib.axes.Axes, optional
        Where to draw; a new figure if left out.
    level : float, optional
        A level u, drawn as a horizontal line.

    Returns
    -------
    matplotlib.axes.Axes

    Raises
    ------
    InputError
        No path, something else than a path, or a level that is not finite.

    Notes
    -----
    The maximum of a path is an upper bound of the barrier between its ends: another path may be lower. The
    legend gives each maximum with its status. Non-finite energies leave a gap in the line.

    Examples
    --------
    >>> from types import SimpleNamespace
    >>> from matplotlib.figure import Figure
    >>> path = SimpleNamespace(profile=[[0, 0.0], [1, 2.0], [2, 0.5]], height=2.0, status="refined")
    >>> ax = path_profile(path, ax=Figure().subplots(), level=1.0)
    >>> [text.get_text() for text in ax.get_legend().get_texts()]
    ['max 2 (refined)', 'level $u$ = 1']
    """
    named: Mapping[str, Any] = paths if isinstance(paths, Mapping) else {"": paths}
    if not named:
        raise InputError("path_profile takes a Path or a dict of them by label, got an empty dict")
    profiles = {label: _profile(label, path) for label, path in named.items()}
    if level is not None and not np.isfinite(real(level, "the level")).all():
        raise InputError(f"the level must be finite, got {level}")
    ax = axes_of(ax)
    for i, (label, path) in enumerate(named.items()):
        at, energy = profiles[label]
        words = f"max {_number(path.height)} ({path.status})"
        text = f"{label}: {words}" if label else words
        top = int(np.argmax(energy))
        ax.plot(
            at,
            np.where(np.isfinite(energy), energy, np.nan),
            **line_style(i),
            linewidth=1.5,
            marker=MARKERS[i % len(MARKERS)],
            markevery=[top],
            markersize=6,
            markeredgecolor="white",
            label=text,
        )
    if level is not None:
        ax.axhline(
            level,
            color=GREY,
            linewidth=0.9,
            linestyle=(0, (4, 3)),
            zorder=1,
            label=f"level $u$ = {_number(level)}",
        )
    ax.margins(x=0.02, y=0.08)
    ax.set(xlabel="arc length / total length", ylabel="energy")
    ax.legend(frameon=False, fontsize=8, handlelength=2.8)
    clean(ax)
    return ax


def _profile(label: str, path: Any) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Position from 0 to 1 and energy of each measured point."""
    name = f"path {label!r}" if label else "the path"
    if not all(hasattr(path, field) for field in ("profile", "height", "status")):
        raise InputError(f"{name} is {described(path)}, not a Path; make one with tda_landscape.find_path")
    measured = real(path.profile, f"the energies of {name}")
    if measured.ndim != 2 or measured.shape[1] != 2 or len(measured) == 0:
        raise InputError(f"{name} has a profile of shape {measured.shape}; it must be (p, 2): arc length, energy")
    length = measured[-1, 0] - measured[0, 0]
    return (measured[:, 0] - measured[0, 0]) / (length or 1.0), measured[:, 1]


def _number(value: float) -> str:
    """Five digits, with the minus sign of the axes."""
    return f"{value:.5g}".replace("-", "−")
