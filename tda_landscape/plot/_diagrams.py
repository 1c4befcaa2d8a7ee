"""Reading persistence diagrams in the formats of the field."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tda_landscape._errors import InputError
from tda_landscape.plot._axes import real
from tda_landscape.topology import Diagrams

DiagramsLike = Diagrams | Sequence[Any] | Mapping[str, Any] | NDArray[Any]
"""Ours, a list of (n, 2) arrays, ripser's {"dgms": ...}, or gudhi's [(dimension, (birth, death)), ...]."""


def read_diagrams(diagrams: DiagramsLike) -> Diagrams:
    """One checked (n, 2) array a dimension, whatever the format."""
    source = getattr(diagrams, "source", "")
    if isinstance(diagrams, Mapping):
        if "dgms" not in diagrams:
            given = ", ".join(map(str, diagrams)) or "nothing"
            raise InputError(f"a dict of diagrams needs the key 'dgms', as ripser gives it; got {given}")
        diagrams = diagrams["dgms"]
    if isinstance(diagrams, np.ndarray) and diagrams.ndim > 0:
        diagrams = [diagrams] if diagrams.ndim == 2 else list(diagrams)
    if isinstance(diagrams, str) or not isinstance(diagrams, Sequence):
        raise InputError(
            f"a {type(diagrams).__name__} is no list of diagrams; give a list of (n, 2) arrays, "
            "one a dimension, or what gudhi or ripser returned"
        )
    if diagrams and all(_is_gudhi_pair(item) for item in diagrams):
        diagrams = _by_dimension(diagrams)
    return Diagrams([_checked(bars, k) for k, bars in enumerate(diagrams)], str(source))


def _is_gudhi_pair(item: Any) -> bool:
    """Whether an item is (dimension, (birth, death))."""
    return (
        isinstance(item, Sequence)
        and len(item) == 2
        and isinstance(item[0], int | np.integer)
        and isinstance(item[1], Sequence)
        and len(item[1]) == 2
    )


def _by_dimension(pairs: Sequence[Any]) -> list[list[Any]]:
    """Bars of a gudhi list, one list a dimension."""
    highest = max(dimension for dimension, _ in pairs)
    return [[bar for dimension, bar in pairs if dimension == k] for k in range(highest + 1)]


def _checked(bars: Any, dimension: int) -> NDArray[np.float64]:
    """One diagram with finite births, and deaths that are not below them."""
    array = real(bars, f"the bars of H{dimension}")
    if array.size == 0:
        return np.empty((0, 2))
    if array.ndim != 2 or array.shape[1] != 2:
        raise InputError(f"H{dimension} has shape {array.shape}; a diagram is an (n, 2) array of (birth, death)")
    if not np.isfinite(array[:, 0]).all() or (array[:, 1] < array[:, 0]).any():
        raise InputError(f"H{dimension} has a birth that is not finite or a death below its birth")
    return array


def span_of(bars: Diagrams) -> tuple[float, float]:
    """Lowest and highest finite value; of one single value, an interval that starts there."""
    every = np.concatenate([np.empty(0), *(diagram.ravel() for diagram in bars)])
    finite = every[np.isfinite(every)]
    if len(finite) == 0:
        raise InputError("there is no bar in these diagrams, so there is nothing to draw")
    low, high = float(finite.min()), float(finite.max())
    return low, high if high > low else low + 1.0
