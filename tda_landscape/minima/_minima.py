"""Minima: distinct points where descent ends, with what is known of each."""

from __future__ import annotations

from dataclasses import dataclass, fields, replace

import torch
from torch import Tensor

LEAVES = ("minimum", "flat", "stationary")


@dataclass(frozen=True, slots=True, eq=False)
class Minima:
    """Distinct end points of descents, lowest first.

    Attributes
    ----------
    points : Tensor (k, d)
    energies : Tensor (k,)
    gradient_norm : Tensor (k,)
    eigenvalues : Tensor (k, 2)
        The two lowest eigenvalues of the Hessian; NaN where there is none (kinks) or where descent went on.
    status : tuple of str (k,)
        `minimum`; `flat` where the lowest eigenvalue is zero within its error; `saddle`; `stationary` where a
        kink leaves no Hessian to look at; `descending` where the gradient is not small; `nonfinite`.
    hits : Tensor of int (k,)
        Independent starts that ended in each.
    """

    points: Tensor
    energies: Tensor
    gradient_norm: Tensor
    eigenvalues: Tensor
    status: tuple[str, ...]
    hits: Tensor

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
        tensors = {f.name: getattr(self, f.name)[index] for f in fields(self) if f.name != "status"}
        return replace(self, **tensors, status=tuple(self.status[i] for i in rows))

    def __str__(self) -> str:
        kinds = {s: self.status.count(s) for s in dict.fromkeys(self.status)}
        counts = ", ".join(f"{n} {status}" for status, n in kinds.items())
        return f"{len(self)} distinct points ({counts}) from {int(self.hits.sum())} starts"
