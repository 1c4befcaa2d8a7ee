"""Units that are polynomials in s: Bernstein coefficients with a bound of their rounding."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor

from tda_landscape.certificates._rounding import TINY, U, gamma


@dataclass(frozen=True, slots=True, eq=False)
class Polynomial:
    """v(s) = Σ_i B_i^k(s) v_i with |v_i - centre_i| <= radius_i, for all units at once.

    Attributes
    ----------
    centre, radius : Tensor (k + 1, n, ...)
    """

    centre: Tensor
    radius: Tensor

    @classmethod
    def constant(cls, value: Tensor) -> Polynomial:
        """A constant (1, n, ...), of degree 0."""
        return cls(value, torch.zeros_like(value))

    @property
    def degree(self) -> int:
        """Degree k."""
        return len(self.centre) - 1

    def elevated(self, degree: int) -> Polynomial:
        """The same polynomial with more coefficients: v_i = (i v_{i-1} + (k + 1 - i) v_i) / (k + 1)."""
        raised = self
        while raised.degree < degree:
            centre = mix(raised.centre, raised.centre)
            size = raised.centre.abs().amax(0, keepdim=True)
            radius = mix(raised.radius, raised.radius) * (1 + 8 * U) + 8 * U * size + TINY
            raised = Polynomial(centre, radius)
        return raised

    def mapped(self, change: Callable[[Tensor], Tensor], terms: int = 0) -> Polynomial:
        """Apply a linear map that averages or rearranges up to `terms` numbers."""
        centre = change(self.centre)
        rounding = gamma(terms + 4) * change(self.centre.abs()) if terms else 0.0
        return Polynomial(centre, change(self.radius) * (1 + gamma(terms + 4)) + rounding)

    def __add__(self, other: Polynomial) -> Polynomial:
        k = max(self.degree, other.degree)
        a, b = self.elevated(k), other.elevated(k)
        centre = a.centre + b.centre
        return Polynomial(centre, (a.radius + b.radius + U * centre.abs()) * (1 + 4 * U) + TINY)

    def __mul__(self, other: Polynomial) -> Polynomial:
        """z_i = Σ_j C(k,j) C(l,i-j) / C(k+l,i) v_j w_{i-j}: the weights of each i sum to 1."""
        k, degree = self.degree, self.degree + other.degree
        size, other_size = self.centre.abs(), other.centre.abs()
        centres: list[Tensor] = []
        radii: list[Tensor] = []
        for i in range(degree + 1):
            js = range(max(0, i - other.degree), min(k, i) + 1)
            shares = [math.comb(k, j) * math.comb(other.degree, i - j) / math.comb(degree, i) for j in js]
            parts = [(share, j, i - j) for share, j in zip(shares, js, strict=True)]
            centres.append(torch.stack([w * self.centre[j] * other.centre[l] for w, j, l in parts]).sum(0))
            errors = [
                w * (size[j] * other.radius[l] + self.radius[j] * (other_size[l] + other.radius[l]))
                + w * gamma(degree + 8) * size[j] * other_size[l]
                for w, j, l in parts
            ]
            radii.append(torch.stack(errors).sum(0))
        return Polynomial(torch.stack(centres), torch.stack(radii) * (1 + gamma(degree + 16)) + TINY)


def mix(first: Tensor, last: Tensor) -> Tensor:
    """Bernstein coefficients (k + 1, ...) of (1-s) f(s) + s g(s) from those (k, ...) of f and g."""
    k = len(first)
    share = torch.arange(k + 1, dtype=first.dtype).view(-1, *[1] * (first.ndim - 1)) / k
    zero = torch.zeros_like(first[:1])
    return torch.cat([first, zero]) * (1 - share) + torch.cat([zero, last]) * share
