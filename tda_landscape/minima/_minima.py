"""Minima: distinct points where descent ends, with what is known of each."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, fields, replace

import torch
from numpy.typing import ArrayLike
from torch import Tensor

from tda_landscape._errors import InputError, expect
from tda_landscape.energy import Energy
from tda_landscape.energy.symmetry import Symmetry, find_symmetry
from tda_landscape.topology._words import kinds, many

LEAVES = ("minimum", "flat", "stationary")


@dataclass(frozen=True, slots=True, eq=False)
class Minima:
    """Distinct end points of descents, lowest first.

    Attributes
    ----------
    points : Tensor (k, d)
    energies : Tensor (k,)
    gradient_norm : Tensor (k,)
        At a kink the length of the shortest vector in the hull of the gradients around it.
    eigenvalues : Tensor (k, 2)
        The two lowest eigenvalues of the Hessian, zero modes of the symmetry set aside; NaN where there is none
        (kinks) or where descent went on.
    near_kink : Tensor (k,)
        Fraction of the pre-activations, over units and data, that are at a kink; NaN without kinks.
    status : tuple of str (k,)
        `minimum`; `flat` where the lowest eigenvalue is zero within its error; `saddle`; `stationary` where a
        kink leaves no Hessian to look at; `descending` where the gradient is not small; `unverified` where it is,
        but the budget did not pay for the Hessian; `nonfinite`.
    hits : Tensor of int (k,)
        Independent starts that ended in each, 0 for points that were given.
    symmetry : Symmetry or None
        The verified group modulo which the points are distinct.
    """

    points: Tensor
    energies: Tensor
    gradient_norm: Tensor
    eigenvalues: Tensor
    near_kink: Tensor
    status: tuple[str, ...]
    hits: Tensor
    symmetry: Symmetry | None = None

    @classmethod
    def from_points(
        cls,
        energy: Energy,
        points: ArrayLike | Tensor,
        *,
        symmetry: str | Symmetry | None = "auto",
        tolerance: float = 1e-8,
    ) -> Minima:
        """Look at points that somebody else found, without moving them.

        Parameters
        ----------
        energy : Energy
        points : array_like or Tensor (k, d)
        symmetry, tolerance
            As in `quench`.

        Returns
        -------
        Minima
            The distinct ones, their status decided here; `hits` 0.

        Examples
        --------
        >>> import tda_landscape as tl
        >>> tl.Minima.from_points(tl.zoo.quartic(), [[-2.0], [0.0], [0.3]]).status
        ('minimum', 'descending', 'saddle')
        """
        from tda_landscape.minima._describe import describe  # which makes Minima

        expect(Energy, energy=energy)
        found = describe(energy, energy.as_points(points), tolerance, find_symmetry(energy, symmetry), None)
        return replace(found, hits=torch.zeros_like(found.hits))

    @classmethod
    def from_state_dicts(
        cls,
        energy: Energy,
        state_dicts: Iterable[Mapping[str, Tensor]],
        *,
        symmetry: str | Symmetry | None = "auto",
        tolerance: float = 1e-8,
    ) -> Minima:
        """Look at networks that somebody else trained, without moving their weights.

        Parameters
        ----------
        energy : Energy
            Of a network (`Energy.from_model`).
        state_dicts : iterable of mappings from parameter names to tensors
            E.g. of ``model.state_dict()``; buffers in them are left aside.
        symmetry, tolerance
            As in `quench`.

        Returns
        -------
        Minima
            As `from_points` gives it.

        Raises
        ------
        InputError
            An energy without a network, no state dicts, or one whose names or shapes do not fit.

        Examples
        --------
        >>> import tda_landscape as tl
        >>> energy = tl.zoo.xor()
        >>> trained = [energy.network.unflatten(x) for x in tl.minimize(energy, energy.start(3, 0))]
        >>> set(tl.Minima.from_state_dicts(energy, trained).status)
        {'minimum'}
        """
        expect(Energy, energy=energy)
        if energy.network is None:
            raise InputError("state dicts need an energy of a network (Energy.from_model); use Minima.from_points")
        if isinstance(state_dicts, Mapping):
            raise InputError("state_dicts must be a list of state dicts, got one; write [model.state_dict()]")
        points = [energy.network.flatten(state) for state in state_dicts]
        if not points:
            raise InputError("there are no state dicts; give at least one")
        return cls.from_points(energy, torch.stack(points), symmetry=symmetry, tolerance=tolerance)

    def __len__(self) -> int:
        return len(self.energies)

    @property
    def leaves(self) -> Minima:
        """Those that can be leaves of a tree: minimum, flat and stationary points."""
        return self.select([i for i, status in enumerate(self.status) if status in LEAVES])

    def select(self, rows: list[int]) -> Minima:
        """Return some of the minima, in the given order.

        Examples
        --------
        >>> import tda_landscape as tl
        >>> energy = tl.zoo.quartic()
        >>> tl.quench(energy, tl.sample(energy, chains=9)).select([0]).points.round(decimals=6)
        tensor([[-2.]], dtype=torch.float64)
        """
        index = torch.tensor(rows, dtype=torch.int64)
        tensors = {f.name: getattr(self, f.name)[index] for f in fields(self) if f.name not in ("status", "symmetry")}
        return replace(self, **tensors, status=tuple(self.status[i] for i in rows))

    def __repr__(self) -> str:
        counts = f" ({kinds(self.status)})" if len(self) else ""
        span = f", energies {self.energies.min():.6g} to {self.energies.max():.6g}" if len(self) else ""
        modulo = f", distinct modulo {self.symmetry.describe()}" if self.symmetry is not None else ""
        points, starts = many(len(self), "distinct point", "distinct points"), int(self.hits.sum())
        return f"{points}{counts} from {many(starts, 'start', 'starts')}{span}{modulo}"
