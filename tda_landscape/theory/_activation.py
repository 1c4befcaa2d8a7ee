"""Which activations have a closed form: polynomials and ReLU, recognized by their values."""

from __future__ import annotations

import numpy as np
import torch
from numpy.polynomial import Chebyshev, Polynomial

from tda_landscape.theory._chain import Activation

DEGREE, RADIUS = 8, 2.0
"""Highest degree that is looked for, on [-2, 2]."""

NOISE = 1e-11
"""Coefficients a_i 2^i below this share of the largest are rounding."""


def polynomial_of(activation: Activation) -> tuple[float, ...] | None:
    """Coefficients a_0, ..., a_d of a polynomial of degree at most 8; None for any other activation.

    Interpolation at 25 nodes, checked at 200 other points, some of them far outside.
    """
    with torch.no_grad():
        nodes = RADIUS * np.cos(np.pi * (np.arange(25) + 0.5) / 25)
        fit = Chebyshev.fit(nodes, _at(activation, nodes), DEGREE, domain=[-RADIUS, RADIUS])
        fitted: Polynomial = fit.convert(kind=Polynomial)
        weights = np.abs(fitted.coef) * RADIUS ** np.arange(len(fitted.coef))
        coefficients = np.where(weights > NOISE * weights.max(), fitted.coef, 0.0)
        tried = np.concatenate([np.linspace(-RADIUS, RADIUS, 160), np.linspace(-9, 9, 40)])
        given, size = _at(activation, tried), np.polyval(np.abs(coefficients[::-1]), np.abs(tried))
    # 1e-9: what the interpolation loses between [-2, 2] and the outer points, 4.5^8 times rounding.
    if not np.all(np.abs(np.polyval(coefficients[::-1], tried) - given) <= 1e-9 * (size + 1e-300)):
        return None
    degree = int(np.max(np.nonzero(coefficients)[0], initial=0))
    return tuple(float(a) for a in coefficients[: degree + 1])


def is_relu(activation: Activation) -> bool:
    """Whether the activation is max(z, 0) at points of all sizes, on both sides."""
    z = np.concatenate([np.linspace(-3, 3, 101), np.logspace(-12, 6, 40), -np.logspace(-12, 6, 40)])
    with torch.no_grad():
        return bool(np.array_equal(_at(activation, z), np.maximum(z, 0)))


def _at(activation: Activation, z: np.ndarray) -> np.ndarray:
    """Values at numbers (n,)."""
    return np.asarray(activation(torch.as_tensor(z, dtype=torch.float64)[:, None])[:, 0])
