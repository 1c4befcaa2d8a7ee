"""From near a stationary point onto it: one exact Hessian, then Newton steps with it."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from tda_landscape.energy import Energy
from tda_landscape.energy.symmetry import Symmetry
from tda_landscape.minima._hessian import RELATIVE_ERROR
from tda_landscape.minima._spectrum import Spectra, spectra

STEPS = 6

SLOW, SLOWER = 0.2, 0.5
"""Part of the gradient that the first step, and later ones, leave at most near a stationary point whose eigenvalues
can be told from zero. Where one is zero the first leaves a quarter or more, the others more than half."""

ROUNDING = 1e-8
"""Steps shorter than this, relative to 1 + |x|, say nothing: rounding makes the gradient that is left."""


@dataclass(slots=True)
class Settled:
    """Stationary points (k, d), with what decides their kind."""

    points: Tensor
    energies: Tensor
    gradient_norm: Tensor
    spectrum: Spectra
    error: Tensor  # (k,) of each eigenvalue, inf where the steps converge as they do where one is zero

    @property
    def index(self) -> Tensor:
        """Number of negative eigenvalues (k,); -1 where one is zero within its error."""
        values = self.spectrum.values
        zero = (values.abs() <= self.error[:, None]).any(1)
        return torch.where(zero, -1, (values < 0).sum(1))


def settle(energy: Energy, points: Tensor, symmetry: Symmetry | None, longest: float, tolerance: float) -> Settled:
    """Newton steps with the Hessian at the first point, none longer than `longest`, until |g| <= tolerance."""
    spectrum = spectra(energy.hessian(points), points, symmetry)
    error = RELATIVE_ERROR[energy.gradient is not None] * spectrum.scale
    points = points.clone()
    energies, gradients = energy.value_and_grad(points)
    open_ = torch.isfinite(energies)
    slow = torch.zeros_like(open_)
    for number in range(STEPS):
        # The first step is a test as well: a small gradient alone may be that of a degenerate point nearby.
        rows = torch.nonzero(open_ & ((gradients.norm(dim=1) > tolerance) | (number == 0))).flatten()
        if not len(rows):
            break
        here = spectrum[rows]
        divisor = torch.where(here.values.abs() <= error[rows, None], torch.inf, here.values)
        step = -here.assemble(here.coordinates(gradients[rows]) / divisor)
        trial = points[rows] + step
        e, g = energy.value_and_grad(trial)
        left = g.norm(dim=1) / gradients[rows].norm(dim=1).clamp(min=1e-300)
        length = step.norm(dim=1)
        slow[rows] = (left > (SLOWER if number else SLOW)) & (length > ROUNDING * (1 + points[rows].norm(dim=1)))
        better = (length <= longest) & (left < 1)
        kept = rows[better]
        points[kept], energies[kept], gradients[kept] = trial[better], e[better], g[better]
        open_[rows[~better]] = False
    return Settled(points, energies, gradients.norm(dim=1), spectrum, error.masked_fill(slow, torch.inf))
