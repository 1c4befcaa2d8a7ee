"""Reading persistence diagrams in the formats of the field."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from tda_landscape._errors import InputError, described
from tda_landscape.topology._diagram import Diagram, Diagrams

DiagramsLike: TypeAlias = Diagrams | Sequence[Any] | Mapping[str, Any] | NDArray[Any]
"""Ours, a list of (n, 2) arrays, ripser's {"dgms": ...}, gudhi's [(dimension, (birth, death)), ...], giotto's array."""


def as_diagrams(diagrams: DiagramsLike) -> Diagrams:
    """Read persistence diagrams, whatever library they come from.

    Parameters
    ----------
    diagrams : Diagrams, list of (n, 2) arrays, one such array, dict, gudhi list, or giotto array
        A list of arrays, one a dimension (persim, and gudhi.sklearn for one sample); one array (n, 2) of H0; the
        dict of ripser or giotto-ph with the key `dgms`; gudhi's list of (dimension, (birth, death)); or giotto-tda's
        array (1, n, 3) or (n, 3) of (birth, death, dimension), whose padding with birth = death is dropped and whose
        essential class of H0, which reduced homology has not, is not invented.

    Returns
    -------
    Diagrams
        float64 (n, 2) arrays, one a dimension. float32 values (ripser, giotto-ph) are read as they are.

    Raises
    ------
    InputError
        NaN (the sentence names the first bar), a birth that is not finite, a death below its birth, another format.

    Examples
    --------
    >>> as_diagrams([(1, (0.5, 1.0)), (0, (0.0, float("inf")))])
    [array([[ 0., inf]]), array([[0.5, 1. ]])]
    >>> as_diagrams({"dgms": [[[0.0, float("inf")]]]})[0].tolist()
    [[0.0, inf]]
    """
    source, note = getattr(diagrams, "source", ""), getattr(diagrams, "note", "")
    if isinstance(diagrams, Mapping):
        if "dgms" not in diagrams:
            given = ", ".join(map(str, diagrams)) or "nothing"
            raise InputError(f"a dict of diagrams needs the key 'dgms', as ripser gives it; got {given}")
        diagrams = diagrams["dgms"]
    if isinstance(diagrams, np.ndarray) and diagrams.ndim > 0:
        diagrams = _of_array(diagrams)
    if isinstance(diagrams, str) or not isinstance(diagrams, Sequence):
        raise InputError(
            f"{described(diagrams)} is no list of diagrams; give persistence(graph), a list of (n, 2) arrays, "
            "one a dimension, or what gudhi, ripser or giotto returned"
        )
    if diagrams and all(_is_gudhi_pair(item) for item in diagrams):
        diagrams = _by_dimension(diagrams)
    return Diagrams([_checked(bars, k) for k, bars in enumerate(diagrams)], str(source), str(note))


def _of_array(array: NDArray[Any]) -> list[Any]:
    """One array as a list: giotto's triples by dimension, else one (n, 2) array a dimension."""
    if array.shape[-1] != 3 or array.ndim > 3:
        return [array] if array.ndim == 2 else list(array)
    if array.ndim == 3 and len(array) != 1:
        raise InputError(f"an array of shape {array.shape} holds {len(array)} samples of giotto-tda; give one of them")
    rows = array.reshape(-1, 3)
    bars = rows[~(rows[:, 0] == rows[:, 1])]
    highest = int(rows[:, 2].max(initial=0))
    return [bars[bars[:, 2] == k, :2] for k in range(highest + 1)]


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


def _checked(bars: Any, dimension: int) -> Diagram:
    """One diagram with finite births, and deaths that are not below them."""
    try:
        array = np.asarray(bars, dtype=np.float64)
    except (TypeError, ValueError):
        raise InputError(f"the bars of H{dimension} must be numbers, got {described(bars)}") from None
    if array.size == 0:
        return np.empty((0, 2))
    if array.ndim != 2 or array.shape[1] != 2:
        raise InputError(f"H{dimension} has shape {array.shape}; a diagram is an (n, 2) array of (birth, death)")
    if np.isnan(array).any():
        first = int(np.flatnonzero(np.isnan(array).any(axis=1))[0])
        raise InputError(f"the bars of H{dimension} contain NaN, first in bar {first}; leave it out or give it a value")
    if not np.isfinite(array[:, 0]).all() or (array[:, 1] < array[:, 0]).any():
        raise InputError(
            f"H{dimension} has a birth that is not finite or a death below its birth; of superlevel sets give minus "
            "the diagram"
        )
    return array
