"""Clusters of atoms."""

from __future__ import annotations

import torch
from torch import Tensor

from tda_landscape._errors import InputError
from tda_landscape.energy._energy import Energy
from tda_landscape.energy.symmetry import Atoms


def lennard_jones(n: int) -> Energy:
    """Return a cluster of n atoms: E = sum over pairs of 4 (r^-12 - r^-6).

    Parameters
    ----------
    n : int
        Number of atoms, at least 2; d = 3 n, atom by atom.

    Returns
    -------
    Energy
        Declares the symmetry ``Atoms(n)``. Start law: atoms join one by one at 1.12 from one that is there, none
        nearer than 1.05 to another, each at the most central of 1 to 16 tries, so that clusters differ in how
        compact they are.

    Notes
    -----
    J. E. Lennard-Jones, Proc. Phys. Soc. 43, 461 (1931); lowest minima: D. J. Wales and J. P. K. Doye,
    J. Phys. Chem. A 101, 5111 (1997).

    Examples
    --------
    >>> pair = lennard_jones(2)
    >>> pair([[0, 0, 0, 2 ** (1 / 6), 0, 0]]).round(decimals=9)
    tensor([-1.], dtype=torch.float64)
    """
    if isinstance(n, bool) or not isinstance(n, int) or n < 2:
        raise InputError(f"n must be an int of at least 2 atoms, got {n!r}")
    first, second = torch.triu_indices(n, n, 1)

    def function(points: Tensor) -> Tensor:
        atoms = points.view(-1, n, 3)
        inverse = (atoms[:, first] - atoms[:, second]).square().sum(2).reciprocal() ** 3
        return 4 * (inverse * (inverse - 1)).sum(1)

    def start(k: int, generator: torch.Generator) -> Tensor:
        return torch.stack([_grown_cluster(n, generator).flatten() for _ in range(k)])

    return Energy.from_function(function, 3 * n, start=start, symmetry=Atoms(n))


def _grown_cluster(n: int, generator: torch.Generator) -> Tensor:
    """Atoms (n, 3), each put next to an earlier one."""
    atoms = torch.zeros(1, 3, dtype=torch.float64)
    tries = 2 ** int(torch.randint(5, (1,), generator=generator))
    while len(atoms) < n:
        step = torch.randn(tries, 3, generator=generator, dtype=torch.float64)
        neighbour = atoms[torch.randint(len(atoms), (tries,), generator=generator)]
        places = neighbour + 1.12 * step / step.norm(dim=1, keepdim=True)
        places = places[torch.cdist(places, atoms).amin(1) > 1.05]
        if len(places):
            central = (places - atoms.mean(0)).norm(dim=1).argmin()
            atoms = torch.cat([atoms, places[central, None]])
    return atoms
