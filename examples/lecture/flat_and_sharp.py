"""Two minima of equal depth: one flat in d - 1 directions, one sharp. The landscape of the lecture's claims.

V(x, y) = H (x^2 - 1)^2 + s(x) sum_i (1 - cos y_i), with x on the line, y on a torus of d - 1 angles and
s(x) = S / (1 + exp(-6 x)). At x = -1 the angles are nearly free (a degenerate minimum, large volume); at x = +1 they
are held (a nondegenerate one, small volume). Integrating the angles leaves a one-dimensional integral with Bessel
functions, so every probability is known by quadrature.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy.special import ive

from samplers import NumpyPotential

H, S, TEMPERATURE = 0.6, 0.12, 0.4
Array = NDArray[np.float64]


def both(z: Array) -> tuple[Array, Array]:
    """Energies (k,) and gradients (k, d)."""
    x, y = z[:, 0], z[:, 1:]
    gate = 1 / (1 + np.exp(-6 * x))
    lift = (1 - np.cos(y)).sum(1)
    gradients = np.empty_like(z)
    gradients[:, 0] = 4 * H * x * (x * x - 1) + 6 * S * gate * (1 - gate) * lift
    gradients[:, 1:] = (S * gate)[:, None] * np.sin(y)
    return H * (x * x - 1) ** 2 + S * gate * lift, gradients


def landscape(dim: int) -> NumpyPotential:
    """The potential in d dimensions."""
    return NumpyPotential(dim, lambda z: both(z)[0], lambda z: both(z)[1], both)


def exact_flat(dim: int, temperature: float = TEMPERATURE) -> float:
    """Boltzmann probability of x < 0, by quadrature."""
    x = np.linspace(-3, 3, 20_001)
    s = S / (1 + np.exp(-6 * x))
    log_weight = -H * (x * x - 1) ** 2 / temperature + (dim - 1) * np.log(ive(0, s / temperature))
    weight = np.exp(log_weight - log_weight.max())
    return float(weight[x < 0].sum() / weight.sum())


def balanced_start(chains: int, dim: int, seed: int = 0) -> Array:
    """Half of the chains in each well, at uniform angles."""
    z = np.random.default_rng(seed).uniform(-np.pi, np.pi, (chains, dim))
    z[:, 0] = np.where(np.arange(chains) % 2 == 0, 1.0, -1.0)
    return z


def share_flat(points: Array) -> tuple[float, float]:
    """Share of x < 0 with its standard error over independent chains, of points (chain, draw, d)."""
    shares = (points[:, :, 0] < 0).mean(1)
    return float(shares.mean()), float(shares.std(ddof=1) / len(shares) ** 0.5)
