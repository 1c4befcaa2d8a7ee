"""Energies whose answer is known."""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor

from tda_landscape._errors import InputError
from tda_landscape.energy import datasets, networks
from tda_landscape.energy._energy import Energy
from tda_landscape.energy.symmetry import Atoms

__all__ = [
    "datasets",
    "digits",
    "double_well",
    "fourier",
    "lennard_jones",
    "mueller_brown",
    "networks",
    "quartic",
    "tilted_wells",
    "xor",
]


def mueller_brown() -> Energy:
    """Return the Mueller-Brown surface: three minima, two saddles, in the plane.

    Returns
    -------
    Energy
        d = 2; start law uniform in [-1.5, 1.2] x [-0.2, 2].

    Notes
    -----
    K. Mueller and L. D. Brown, Theor. Chim. Acta 53, 75 (1979). Minima at -146.6995, -108.1667 and -80.7678;
    they merge at -72.2489 and -40.6648.

    Examples
    --------
    >>> mueller_brown()([[-0.55822, 1.44173]]).round(decimals=3)
    tensor([-146.7000], dtype=torch.float64)
    """
    rows = zip(
        (-200.0, -100.0, -170.0, 15.0),
        (-1.0, -1.0, -6.5, 0.7),
        (0.0, 0.0, 11.0, 0.6),
        (-10.0, -10.0, -6.5, 0.7),
        (1.0, 0.0, -0.5, -1.0),
        (0.0, 0.5, 1.5, 1.0),
        strict=True,
    )
    depth, a, b, c, x0, y0 = (torch.tensor(column, dtype=torch.float64) for column in zip(*rows, strict=True))

    def function(points: Tensor) -> Tensor:
        dx, dy = points[:, :1] - x0, points[:, 1:] - y0
        return (depth * torch.exp(a * dx**2 + b * dx * dy + c * dy**2)).sum(1)

    return Energy.from_function(function, 2, bounds=([-1.5, -0.2], [1.2, 2.0]))


def fourier(seed: int = 0, dim: int = 2) -> Energy:
    """Return a random smooth landscape on the unit torus.

    E(x) = sum over integer k in [-3, 3]^d, k != 0, of a_k cos(2 pi k.x + phi_k), with
    a_k = N(0, 1) / (1 + |k|^2)^0.75 and phi_k uniform in [0, 2 pi).

    Parameters
    ----------
    seed : int
        Of ``numpy.random.default_rng``: first all normals, then all phases, k in the order of
        ``numpy.meshgrid(..., indexing="ij")`` raveled, 0 left out.
    dim : int
        d.

    Returns
    -------
    Energy
        Of period 1 in each coordinate; start law uniform.

    Examples
    --------
    >>> energy = fourier(seed=0)
    >>> bool(torch.allclose(energy([[0.1, 0.2]]), energy([[1.1, -0.8]])))
    True
    """
    if dim < 1:
        raise InputError(f"dim must be a positive int, got {dim!r}")
    axes = np.meshgrid(*[np.arange(-3, 4)] * dim, indexing="ij")
    waves = np.stack([axis.ravel() for axis in axes], axis=1)
    waves = waves[(waves != 0).any(axis=1)]
    rng = np.random.default_rng(seed)
    amplitudes = torch.from_numpy(rng.standard_normal(len(waves)) / (1 + (waves**2).sum(1)) ** 0.75)
    phases = torch.from_numpy(rng.uniform(0, 2 * np.pi, len(waves)))
    wavevectors = 2 * np.pi * torch.from_numpy(waves).to(torch.float64)

    def function(points: Tensor) -> Tensor:
        return torch.cos(points @ wavevectors.T + phases) @ amplitudes

    return Energy.from_function(function, dim, period=1.0)


def double_well(dim: int = 2) -> Energy:
    """Return E(x) = sum_i (x_i^2 - 1)^2: 2^d minima at 0, all merging at 1.

    Parameters
    ----------
    dim : int
        d.

    Returns
    -------
    Energy
        Start law uniform in [-2, 2]^d.

    Examples
    --------
    >>> double_well(3)([[1.0, -1.0, 0.0]])
    tensor([1.], dtype=torch.float64)
    """
    return Energy.from_function(lambda x: (x**2 - 1).square().sum(1), dim, bounds=(-2, 2))


def tilted_wells(dim: int = 3) -> Energy:
    """Return E(x) = sum_i (3 x_i^4 + 4 x_i^3 - 12 x_i^2 + 32) / 32: 2^d minima at k 27/32, k = 0..d.

    Those with k coordinates in the upper well die at 1 + (k - 1) 27/32.

    Parameters
    ----------
    dim : int
        d.

    Returns
    -------
    Energy
        Start law uniform in [-3, 2]^d.

    Examples
    --------
    >>> tilted_wells(2)([[-2.0, 1.0]])
    tensor([0.8438], dtype=torch.float64)
    """
    return Energy.from_function(lambda x: ((3 * x**4 + 4 * x**3 - 12 * x**2 + 32) / 32).sum(1), dim, bounds=(-3, 2))


def quartic() -> Energy:
    """Return E(x) = 3 x^4 + 4 x^3 - 12 x^2 on the line: minima -32 and -5, merging at 0.

    Returns
    -------
    Energy
        d = 1; start law uniform in [-3, 2].

    Examples
    --------
    >>> quartic()([[-2.0], [1.0]]).tolist()
    [-32.0, -5.0]
    """
    return Energy.from_function(lambda x: (3 * x**4 + 4 * x**3 - 12 * x**2).sum(1), 1, bounds=(-3, 2))


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


def xor(hidden: int = 4) -> Energy:
    """Return the tanh network 2-h-1 on the four points of XOR: binary cross-entropy + 1e-3 |theta|^2.

    Parameters
    ----------
    hidden : int
        h, the number of tanh units; d = 4 h + 1.

    Returns
    -------
    Energy
        Start law 2 N(0, 1), wide enough to reach the minima with saturated units.

    Examples
    --------
    >>> energy = xor()
    >>> energy.dim, energy(energy.start(1, 0) * 0).round(decimals=4).tolist()
    (17, [0.6931])
    """
    _check_hidden(hidden)
    inputs = torch.tensor([[0.0, 0.0], [0.0, 1.0], [1.0, 0.0], [1.0, 1.0]])
    targets = torch.tensor([[0.0], [1.0], [1.0], [0.0]])

    def start(k: int, generator: torch.Generator) -> Tensor:
        return 2 * torch.randn(k, 4 * hidden + 1, generator=generator, dtype=torch.float64)

    return Energy.from_model(
        networks.mlp([2, hidden, 1]),
        torch.nn.functional.binary_cross_entropy_with_logits,
        (inputs, targets),
        weight_decay=1e-3,
        start=start,
    )


def digits(hidden: int = 8) -> Energy:
    """Return the tanh network 64-h-10 on the 1797 digits: cross-entropy + 1e-3 |theta|^2.

    Parameters
    ----------
    hidden : int
        h, the number of tanh units; d = 75 h + 10.

    Returns
    -------
    Energy
        Start law: torch's own for linear layers.

    Examples
    --------
    >>> digits(hidden=2).dim
    160
    """
    _check_hidden(hidden)
    model = networks.mlp([64, hidden, 10])
    return Energy.from_model(model, torch.nn.functional.cross_entropy, datasets.load("digits"), weight_decay=1e-3)


def _check_hidden(hidden: int) -> None:
    """Refuse a layer without units."""
    if isinstance(hidden, bool) or not isinstance(hidden, int) or hidden < 1:
        raise InputError(f"hidden must be a positive int, got {hidden!r}")


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
