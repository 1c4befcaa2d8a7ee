"""Colours of the leaves of a disconnectivity graph: by value, with a scale, or by group, with a legend."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from matplotlib import colormaps
from matplotlib.axes import Axes
from matplotlib.cm import ScalarMappable
from matplotlib.colors import ListedColormap, Normalize, to_rgba
from matplotlib.lines import Line2D
from numpy.typing import ArrayLike, NDArray

from tda_landscape._errors import InputError
from tda_landscape.plot._axes import COLORS, real

MOST_GROUPS = 20


def check_values(values: ArrayLike | None, n: int) -> NDArray[np.float64] | None:
    """One finite number a leaf."""
    if values is None:
        return None
    array = real(values, "values")
    if array.shape != (n,) or not np.isfinite(array).all():
        raise InputError(f"values must be {n} finite numbers, one per leaf; got shape {array.shape}")
    return array


def check_groups(groups: Sequence[object] | None, n: int) -> list[str] | None:
    """One name a leaf, and no more names than there are colours to tell apart."""
    if groups is None:
        return None
    if isinstance(groups, str) or len(groups) != n:
        raise InputError(f"groups have {len(groups)} entries for {n} leaves; give one name per leaf")
    names = [str(name) for name in groups]
    if len(set(names)) > MOST_GROUPS:
        raise InputError(f"groups are {len(set(names))} names; at most {MOST_GROUPS} colours can be told apart")
    return names


def color_by_value(ax: Axes, values: NDArray[np.float64], label: str) -> NDArray[np.float64]:
    """A colour a leaf (n, 4), and a scale beside the axes."""
    dark = ListedColormap(colormaps["viridis"](np.linspace(0, 0.87, 256)), name="dark viridis")  # yellow is lost
    scale = ScalarMappable(Normalize(values.min(), values.max()), dark)
    ax.figure.colorbar(scale, ax=ax, label=label, fraction=0.05, pad=0.02)
    return np.asarray(scale.to_rgba(values))


def color_by_group(names: list[str]) -> tuple[NDArray[np.float64], list[Line2D]]:
    """A colour a leaf (n, 4), and the entries of the legend, in order of first appearance."""
    distinct = list(dict.fromkeys(names))
    palette: Any = COLORS if len(distinct) <= len(COLORS) else colormaps["tab20"](range(20))
    color = {name: to_rgba(palette[i]) for i, name in enumerate(distinct)}
    entries = [Line2D([], [], color=color[name], linewidth=2.5, label=name) for name in distinct]
    return np.array([color[name] for name in names]), entries
