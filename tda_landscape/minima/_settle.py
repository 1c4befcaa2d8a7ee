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


@dataclass(slots=True)
class Settled:
    """Stationary points (k, d), with what decides their kind."""

    points: Tensor
    energies: Tensor
    gradient_norm: Tensor
    spectrum: Spectra
    error: Tensor  # (k,) of each eigenvalue

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
    for _ in range(STEPS):
        rows = torch.nonzero(open_ & (gradients.norm(dim=1) > tolerance)).flatten()
        if not len(rows):
            break
        here = spectrum[rows]
        divisor = torch.where(here.values.abs() <= error[rows, None], torch.inf, here.values)
        step = -here.assemble(here.coordinates(gradients[rows]) / divisor)
        trial = points[rows] + step
        e, g = energy.value_and_grad(trial)
        better = (step.norm(dim=1) <= longest) & (g.norm(dim=1) < gradients[rows].norm(dim=1))
        kept = rows[better]
        points[kept], energies[kept], gradients[kept] = trial[better], e[better], g[better]
        open_[rows[~better]] = False
    return Settled(points, energies, gradients.norm(dim=1), spectrum, error)
