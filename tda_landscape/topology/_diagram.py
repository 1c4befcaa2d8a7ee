"""Persistence diagrams: what they hold, what they are diagrams of, and the formats of the field."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tda_landscape._errors import expect_number

Diagram = NDArray[np.float64]


class Diagrams(list[Diagram]):
    """A list of float64 (n, 2) arrays, one a dimension; essential deaths are `inf`, empty is (0, 2).

    Unreduced homology: one essential class of H0 for each connected component. `source` says in words what was
    filtered, so that nobody takes H1 of a search graph for H1 of a sublevel set; `note` what else to know before
    reading it. `print` shows both.

    Examples
    --------
    >>> print(Diagrams([np.array([[0.0, np.inf], [0.5, 1.0]])], "an example"))
    H0: 2 bars, 1 of them essential, longest finite one 0.5
    of an example
    """

    def __init__(self, diagrams: Iterable[Diagram], source: str = "", note: str = "") -> None:
        super().__init__(diagrams)
        self.source = source
        self.note = note

    def __str__(self) -> str:
        lines = [_summary(k, bars) for k, bars in enumerate(self)]
        return "\n".join([*lines, *([f"of {self.source}"] if self.source else []), *([self.note] if self.note else [])])

    def to_gudhi(self) -> list[tuple[int, tuple[float, float]]]:
        """Return gudhi's list of (dimension, (birth, death)), highest dimension first, longest bars first.

        Examples
        --------
        >>> Diagrams([np.array([[0.0, np.inf], [0.5, 1.0]])]).to_gudhi()
        [(0, (0.0, inf)), (0, (0.5, 1.0))]
        """
        rows = [(k, (float(b), float(d))) for k, bars in enumerate(self) for b, d in bars]
        return sorted(rows, key=lambda row: (-row[0], row[1][0] - row[1][1]))

    def to_ripser(self) -> dict[str, list[Diagram]]:
        """Return ripser's dict: `dgms`, one array a dimension, in float64 (ripser's own hold float32 values).

        Examples
        --------
        >>> Diagrams([np.array([[0.0, np.inf]])]).to_ripser()["dgms"][0].tolist()
        [[0.0, inf]]
        """
        return {"dgms": [bars.copy() for bars in self]}

    def to_persim(self) -> list[Diagram]:
        """Return the plain list of arrays that persim takes; its distances drop infinite bars with a warning.

        Examples
        --------
        >>> Diagrams([np.array([[0.0, np.inf]])]).to_persim()[0].tolist()
        [[0.0, inf]]
        """
        return [bars.copy() for bars in self]

    def to_giotto(self, *, reduced: bool = True) -> NDArray[np.float64]:
        """Return giotto-tda's array (1, n, 3) of (birth, death, dimension) for one sample.

        Parameters
        ----------
        reduced : bool
            Whether to drop the one essential class of H0 that reduced homology has not, the longest (born first),
            as giotto does. Other essential classes keep `inf`.

        Examples
        --------
        >>> Diagrams([np.array([[0.0, np.inf], [0.5, 1.0]])]).to_giotto().tolist()
        [[[0.5, 1.0, 0.0]]]
        """
        diagrams: list[Any] = list(self)
        if reduced and len(diagrams) and np.isinf(diagrams[0]).any():
            essential = np.flatnonzero(np.isinf(diagrams[0][:, 1]))
            first = essential[np.argmin(diagrams[0][essential, 0])]
            diagrams[0] = np.delete(diagrams[0], first, axis=0)
        rows = [np.column_stack([bars, np.full(len(bars), k)]) for k, bars in enumerate(diagrams)]
        return np.concatenate([np.empty((0, 3)), *rows])[None]


def _summary(dimension: int, bars: Diagram) -> str:
    """One line on one dimension."""
    lengths = bars[:, 1] - bars[:, 0]
    finite = np.abs(lengths[np.isfinite(lengths)])
    essential = len(lengths) - len(finite)
    words = [f"H{dimension}: {len(bars)} bar{'s' * (len(bars) != 1)}"]
    words += [f"{essential} of them essential"] * bool(essential)
    words += [f"longest finite one {finite.max(initial=0):.6g}"] * bool(len(finite))
    return ", ".join(words)


def tidy(bars: Diagram, min_persistence: float = 0.0) -> Diagram:
    """Drop short bars and sort by (birth, -death)."""
    bars = np.asarray(bars, dtype=np.float64).reshape(-1, 2)
    expect_number("[-inf, inf]", min_persistence=min_persistence)
    bars = bars[bars[:, 1] - bars[:, 0] > min_persistence]
    return bars[np.lexsort((-bars[:, 1], bars[:, 0]))]
