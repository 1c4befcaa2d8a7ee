"""Refining points near saddles to verified saddles of index 1, with both ways down."""

from __future__ import annotations

from dataclasses import dataclass, fields, replace

import torch
from numpy.typing import ArrayLike
from torch import Tensor

from tda_landscape._errors import InputError, expect, expect_number, expect_whole
from tda_landscape.energy import Energy
from tda_landscape.energy._batching import drive
from tda_landscape.energy.symmetry import Symmetry, find_symmetry
from tda_landscape.minima._atlas import Atlas
from tda_landscape.minima._climb import climb
from tda_landscape.minima._descend import Trail, descend, push_off
from tda_landscape.minima._hessian import lowest_modes
from tda_landscape.minima._krylov import follow
from tda_landscape.minima._settle import ROUNDING, SLOW, Settled, settle
from tda_landscape.minima._spectrum import spectra
from tda_landscape.paths import Path
from tda_landscape.paths._path import Stop, arc_lengths
from tda_landscape.topology._words import kinds

DENSE_DIM = 100
"""Up to this dimension whole Hessians are used, above it products with vectors."""

RADIUS = 0.03
"""Longest step, relative to 1 + |x|."""

DOWN, DOWNHILL_STEPS = 0.3, 5000
"""First step to each side of a saddle, relative to the longest, and most steps of the way down."""

KINDS = ("saddle", "minimum", "higher index")
"""What eigenvalues that are not zero say."""


@dataclass(frozen=True, slots=True, eq=False)
class Saddles:
    """Where searches for saddles ended, one a row of what was given.

    Attributes
    ----------
    points : Tensor (k, d)
    energies, gradient_norm : Tensor (k,)
    eigenvalues : Tensor (k, 2)
        The two lowest of the Hessian, zero modes of the symmetry set aside; NaN where the gradient is not small.
    status : tuple of str (k,)
        `saddle`: small gradient, exactly one negative eigenvalue, none zero; `minimum`, `higher index`: none, or
        more than one, is negative; `flat`: one of the two is zero within its error, or Newton's steps converge as
        slowly as they do where one is; `unconverged`; `nonfinite`.
    ways : tuple of Path or None (k,)
        For a saddle, the way from the minimum on one side over it to the minimum on the other.
    """

    points: Tensor
    energies: Tensor
    gradient_norm: Tensor
    eigenvalues: Tensor
    status: tuple[str, ...]
    ways: tuple[Path | None, ...]

    def __len__(self) -> int:
        return len(self.energies)

    @property
    def accepted(self) -> Saddles:
        """Those of status `saddle`."""
        rows = [i for i, status in enumerate(self.status) if status == "saddle"]
        named = {f.name: getattr(self, f.name) for f in fields(self)}
        tensors = {name: value[rows] for name, value in named.items() if isinstance(value, Tensor)}
        ways = tuple(self.ways[i] for i in rows)
        return replace(self, **tensors, status=("saddle",) * len(rows), ways=ways)

    def __repr__(self) -> str:
        return f"{len(self)} searches for saddles: {kinds(self.status)}"


def refine_saddle(
    energy: Energy,
    points: ArrayLike | Tensor,
    *,
    symmetry: str | Symmetry | None = "auto",
    tolerance: float = 1e-8,
    steps: int = 100,
) -> Saddles:
    """Follow the lowest mode uphill and all others down, from points near saddles, e.g. tops of paths.

    Parameters
    ----------
    energy : Energy
        Without kinks.
    points : array_like or Tensor (k, d)
    symmetry : "auto", None or Symmetry
        Zero modes of its continuous part are set aside.
    tolerance : float
        A saddle has |grad E| <= tolerance (1 + |E|).
    steps : int
        Of each search, above 100 dimensions.

    Returns
    -------
    Saddles
        Each search, also those that ended in no saddle, with what it ended in.

    Raises
    ------
    InputError
        An energy with kinks, or points that do not fit.

    Notes
    -----
    Up to 100 dimensions from the exact Hessian, by eigenvector following with Bofill's updates, then Newton steps;
    above by eigenvector following in Krylov spaces, through Hessian-vector products alone. The verdict is always
    made from |g| and the two lowest eigenvalues with their error bounds.

    Examples
    --------
    >>> import tda_landscape as tl
    >>> saddles = tl.refine_saddle(tl.zoo.mueller_brown(), [[-0.8, 0.6], [0.2, 0.3]])
    >>> saddles.status, saddles.energies.round(decimals=4).tolist()
    (('saddle', 'saddle'), [-40.6648, -72.2489])
    >>> saddles.ways[0].energies[[0, -1]].sort().values.round(decimals=2).tolist()
    [-146.7, -80.77]
    """
    expect(Energy, energy=energy)
    expect_number("(0, inf)", tolerance=tolerance)
    expect_whole("[0, inf)", steps=steps)
    if energy.kinks:
        raise InputError(f"refine_saddle needs Hessians, which {', '.join(energy.kinks)} does not have everywhere")
    x = energy.as_points(points)
    group = find_symmetry(energy, symmetry)
    longest = RADIUS * (1 + x.norm(dim=1))
    degenerate = torch.zeros(len(x), dtype=torch.bool)
    if energy.dim > DENSE_DIM:
        x = follow(energy, x, group, longest, tolerance, steps)
    elif len(x):
        settled = _follow_dense(energy, x, group, longest, tolerance)
        x, degenerate = settled.points, settled.error.isinf()
    energies, gradients = energy.value_and_grad(x)
    status, eigenvalues, modes = _verdicts(energy, x, energies, gradients, group, tolerance)
    if energy.dim > DENSE_DIM:
        degenerate = _slow(energy, x, gradients, eigenvalues, modes)
    status = [
        "flat" if flat and kind in KINDS else kind for kind, flat in zip(status, degenerate.tolist(), strict=True)
    ]
    ways: list[Path | None] = [None] * len(x)
    rows = [i for i, kind in enumerate(status) if kind == "saddle"]
    for row, way in zip(rows, _ways(energy, x[rows], modes[rows, 0], longest[rows], tolerance), strict=True):
        ways[row] = way
    return Saddles(x, energies, gradients.norm(dim=1), eigenvalues, tuple(status), tuple(ways))


def _follow_dense(energy: Energy, x: Tensor, group: Symmetry | None, longest: Tensor, tolerance: float) -> Settled:
    """Climb from exact Hessians, then Newton steps from an exact Hessian at the end."""
    hessians = energy.hessian(x)
    lowest = spectra(hessians, x, group).vectors[:, :, 0]
    nowhere = Atlas(energy, group, 1.0)
    ends = climb(energy, group, x, lowest, hessians, longest / 2, longest, torch.inf, nowhere)
    return settle(energy, ends.points, group, float(longest.max()), tolerance / 10)


def _verdicts(
    energy: Energy, x: Tensor, energies: Tensor, gradients: Tensor, group: Symmetry | None, tolerance: float
) -> tuple[list[str], Tensor, Tensor]:
    """What each point is, from |g| and the two lowest eigenvalues (k, 2); these, and their eigenvectors (k, 2, d)."""
    finite = torch.isfinite(energies) & torch.isfinite(gradients).all(1)
    small = finite & (gradients.norm(dim=1) <= tolerance * (1 + energies.abs()))
    status = ["unconverged" if ok else "nonfinite" for ok in finite.tolist()]
    eigenvalues = x.new_full((len(x), 2), torch.nan)
    modes = x.new_zeros(len(x), 2, energy.dim)
    rows = torch.nonzero(small).flatten()
    if len(rows):
        eigenvalues[rows], error, modes[rows] = lowest_modes(energy, x[rows], group)
        for row, (first, second), bound in zip(rows.tolist(), eigenvalues[rows].tolist(), error.tolist(), strict=True):
            status[row] = _kind(first, second, bound)
    return status, eigenvalues, modes


def _slow(energy: Energy, x: Tensor, gradients: Tensor, eigenvalues: Tensor, modes: Tensor) -> Tensor:
    """Where a Newton step along the two lowest modes leaves as much of the gradient as it does if one is degenerate."""
    slope = (modes @ gradients[:, :, None])[:, :, 0]
    step = torch.where(eigenvalues.isfinite() & (eigenvalues != 0), -slope / eigenvalues, 0.0)
    _, after = energy.value_and_grad(x + (modes.mT @ step[:, :, None])[:, :, 0])
    left = (modes @ after[:, :, None])[:, :, 0].norm(dim=1)
    seen = step.norm(dim=1) > ROUNDING * (1 + x.norm(dim=1))
    slow: Tensor = seen & (left > SLOW * slope.norm(dim=1))
    return slow


def _kind(first: float, second: float, bound: float) -> str:
    """What the two lowest eigenvalues say, each known to within the bound."""
    if abs(first) <= bound or (first < 0 and abs(second) <= bound):
        return "flat"
    if first > 0:
        return "minimum"
    return "saddle" if second > 0 else "higher index"


def _ways(energy: Energy, x: Tensor, modes: Tensor, longest: Tensor, tolerance: float) -> list[Path]:
    """The polylines from one side over each saddle, along its mode (k, d), to the other, all at once."""
    if not len(x):
        return []
    step = DOWN * float(longest.min())
    energies = energy(x)
    both = push_off(energy, x, energies, modes, step)
    small = tolerance * (1 + float(energies.abs().min()))
    (found,) = drive(energy, [descend(both, step, small, None, DOWNHILL_STEPS)])
    sides = zip(found.trails[: len(x)], found.trails[len(x) :], strict=True)
    return [_way(top, e, *pair) for top, e, pair in zip(x, energies, sides, strict=True)]


def _way(top: Tensor, energy: Tensor, one: Trail, other: Trail) -> Path:
    """Join two trails at the saddle between them."""
    points = torch.stack([*one.points[::-1], top, *other.points])
    energies = torch.stack([*one.energies[::-1], energy, *other.energies])
    return Path(points, energies, "sampled", Stop.SADDLE, torch.stack([arc_lengths(points), energies], dim=1))
