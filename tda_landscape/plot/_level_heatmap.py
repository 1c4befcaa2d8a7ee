"""The (u, r) view as a heat map: homology of Rips complexes by level and radius."""

from __future__ import annotations

from typing import Any

import numpy as np
from matplotlib import colormaps
from matplotlib.axes import Axes
from matplotlib.colors import LogNorm
from matplotlib.ticker import NullFormatter
from numpy.typing import ArrayLike, NDArray

from tda_landscape._errors import InputError, described
from tda_landscape.plot._axes import axes_of, note, real
from tda_landscape.topology import LevelRips

FINE = 240
"""Levels and radii of the picture of H0, which is known everywhere."""


def level_heatmap(
    view: LevelRips, *, ax: Axes | None = None, dimension: int = 0, radii: ArrayLike | None = None
) -> Axes:
    """Draw how many components or loops the Rips complex has, by level u and radius r.

    Parameters
    ----------
    view : LevelRips
        Made by `rips_by_level`.
    ax : matplotlib.axes.Axes, optional
        Where to draw; a new figure if left out.
    dimension : int
        0 for components, exact everywhere; 1 and up are drawn from each computed level to the next.
    radii : array_like (R,), optional
        Radii to look at; left out, from 0 to the radius at which all is joined.

    Returns
    -------
    matplotlib.axes.Axes

    Raises
    ------
    InputError
        Something else than a LevelRips, radii that are no ascending numbers, or a dimension not computed.

    Notes
    -----
    Colours are on a logarithmic scale; white is none.

    Examples
    --------
    >>> from matplotlib.figure import Figure
    >>> from tda_landscape.topology import rips_by_level
    >>> view = rips_by_level([[0.0], [1.0], [3.0]], energies=[0.0, 0.5, 1.0], levels=[1.0])
    >>> ax = level_heatmap(view, ax=Figure().subplots())
    >>> ax.get_xlabel(), ax.get_ylabel()
    ('radius $r$', 'level $u$')
    """
    if not isinstance(view, LevelRips):
        raise InputError(f"level_heatmap takes a LevelRips, got {described(view)}; make one with rips_by_level")
    across = _radii(view, dimension, radii)
    levels, counts = _counts(view, dimension, across)
    ax = axes_of(ax)
    shown = np.ma.masked_less(counts, 1)
    scale: dict[str, Any] = {"norm": LogNorm(1, max(2, int(counts.max()))), "cmap": colormaps["viridis_r"]}
    mesh = ax.pcolormesh(_edges(across), levels, shown, rasterized=True, **scale)
    names = {0: "components", 1: "loops ($H_1$)"}
    label = names.get(dimension, f"classes of $H_{dimension}$")
    bar = ax.figure.colorbar(mesh, ax=ax, label=label, format="%d")
    bar.ax.yaxis.set_minor_formatter(NullFormatter() if counts.max() > 20 else "{x:.0f}")
    ax.set(xlabel="radius $r$", ylabel="level $u$")
    if dimension > 0:
        note(ax, f"$H_{dimension}$ at {len(view.levels)} levels, drawn up to the next one")
    return ax


def _radii(view: LevelRips, dimension: int, radii: ArrayLike | None) -> NDArray[np.float64]:
    """The radii asked for, or as far as something happens."""
    if radii is not None:
        given = real(radii, "radii")
        if given.ndim != 1 or len(given) < 2 or not np.isfinite(given).all() or (np.diff(given) <= 0).any():
            raise InputError(f"radii must be at least two ascending numbers, got {radii!r:.60}")
        return given
    ends = np.concatenate([view.lengths[-1], *(d[min(dimension, len(d) - 1)].ravel() for d in view.diagrams)])
    ends = ends[np.isfinite(ends)]
    return np.linspace(0, 1.05 * (ends.max(initial=0.0) or 1.0), FINE)


def _counts(
    view: LevelRips, dimension: int, radii: NDArray[np.float64]
) -> tuple[NDArray[np.float64], NDArray[np.intp]]:
    """Edges of the cells along u, and the counts in them."""
    low, high = float(view.energies[0]), float(view.energies[-1])
    if dimension == 0:
        levels = np.linspace(low, high if high > low else low + 1.0, FINE)
        return _edges(levels), view.n_components(levels[:, None], radii)
    last = max(high, float(view.levels[-1]))
    end = last + 0.05 * (last - float(view.levels[0]) or 1.0)
    return np.append(view.levels, end), view.betti(radii, dimension)


def _edges(centers: NDArray[np.float64]) -> NDArray[np.float64]:
    """Ends of cells around ascending centres."""
    middle = (centers[1:] + centers[:-1]) / 2
    return np.concatenate([[2 * centers[0] - middle[0]], middle, [2 * centers[-1] - middle[-1]]])
