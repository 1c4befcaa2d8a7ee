"""How long the paths between two points must be, as a function of the level."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from torch import Tensor

from tda_landscape._errors import InputError, described, expect, expect_number
from tda_landscape.energy import Energy
from tda_landscape.energy._random import Seed
from tda_landscape.paths._path import Path
from tda_landscape.paths._search import Search, find_path
from tda_landscape.paths._shorten import shorten


@dataclass(frozen=True, slots=True, eq=False)
class GeodesicCurve:
    """Lengths of verified paths between two points inside {E <= u}, level by level.

    Attributes
    ----------
    levels : tuple of float
        Ascending.
    paths : tuple of (Path or None)
        The shortest path found at each level; None where the pair is unresolved, which never means disconnected.
    best_height : float
        Height of the lowest path found at all: below it, every level is unresolved.
    """

    levels: tuple[float, ...]
    paths: tuple[Path | None, ...]
    best_height: float

    @property
    def connected(self) -> tuple[bool, ...]:
        """Whether a verified path was found at each level; False means unresolved."""
        return tuple(path is not None for path in self.paths)

    @property
    def normalized_length(self) -> tuple[float | None, ...]:
        """Length over the distance of the ends, an upper bound of the geodesic one; None where unresolved."""
        return tuple(None if path is None else path.normalized_length for path in self.paths)

    @property
    def beads(self) -> tuple[int | None, ...]:
        """Vertices of each path, with the ends; None where unresolved."""
        return tuple(None if path is None else len(path.points) for path in self.paths)

    def __repr__(self) -> str:
        rows = [f"{'level':>12}  {'length':>8}  beads"]
        for level, path in zip(self.levels, self.paths, strict=True):
            found = "unresolved" if path is None else f"{path.normalized_length:8.4f}  {len(path.points):5d}"
            rows.append(f"{level:12.6g}  {found}")
        return "\n".join([*rows, f"lowest path found: height {self.best_height:.6g}"])


def geodesic_curve(
    energy: Energy,
    a: Tensor,
    b: Tensor,
    levels: Sequence[float] | Tensor,
    *,
    search: Search | None = None,
    budget: float = 1000.0,
    seed: Seed = 0,
) -> GeodesicCurve:
    """Search and shorten a path between two points at each of some levels.

    Parameters
    ----------
    energy : Energy
    a, b : Tensor (d,)
        The two ends.
    levels : sequence of float
        None below the energy of an end.
    search : Search, optional
        `Ladder()` by default.
    budget : float
        Gradient equivalents of each shortening.
    seed : int or torch.Generator

    Returns
    -------
    GeodesicCurve
        Normalized lengths do not increase with the level: a path below a lower level is one below a higher level, too,
        and is shortened once more there.

    Raises
    ------
    InputError
        No level, one that is not finite, or an end above one.

    Notes
    -----
    Freeman and Bruna, ICLR 2017, sec. 4 and fig. 2, plot such curves, without the contraction.

    Examples
    --------
    >>> import torch, tda_landscape as tl
    >>> ring = tl.Energy.from_function(lambda x: (x.square().sum(1) - 1).square(), 2)
    >>> curve = geodesic_curve(ring, torch.tensor([1.0, 0.0]), torch.tensor([-1.0, 0.0]), [0.1, 0.3, 1.0])
    >>> [round(length, 2) for length in curve.normalized_length]
    [1.37, 1.24, 1.0]
    """
    expect(Energy, energy=energy)
    expect_number("[0, inf]", budget=budget)
    if not isinstance(levels, (Sequence, Tensor, np.ndarray)) or len(levels) == 0:
        raise InputError(f"levels must be a list of numbers, at least one, got {described(levels)}")
    for i, level in enumerate(levels):
        expect_number("(-inf, inf)", **{f"levels[{i}]": level})
    wanted = sorted({float(level) for level in levels})
    found, shortest, best = list[Path | None](), None, float("inf")
    for level in wanted:
        path = find_path(energy, a, b, search=search, level=level, seed=seed)
        best = min(best, path.height)
        low = [known for known in (path, shortest) if known is not None and known.below(level)]
        shortest = shorten(energy, min(low, key=_length), level, budget=budget) if low else None
        found.append(shortest)
    return GeodesicCurve(tuple(wanted), tuple(found), best)


def _length(path: Path) -> float:
    """Length of a path."""
    return path.length
