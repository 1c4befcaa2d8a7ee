"""Functions of a few coordinates with known minima and merges."""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor

from tda_landscape._errors import InputError
from tda_landscape.energy._energy import Energy


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
