"""The two lowest Hessian eigenvalues, what they say of a point, and one Newton correction from them."""

from __future__ import annotations

import torch
from torch import Tensor

from tda_landscape.energy import Energy
from tda_landscape.energy.symmetry import Symmetry
from tda_landscape.minima._lanczos import two_lowest
from tda_landscape.minima._spectrum import spectra

FULL_DIM = 600
"""Up to this dimension the full Hessian is diagonalised; above it Lanczos finds the two lowest eigenvalues."""

RELATIVE_ERROR = {True: 1e-5, False: 1e-9}
"""Error of an eigenvalue relative to the largest: finite differences of a given gradient, or automatic."""


def lowest_eigenvalues(energy: Energy, points: Tensor, symmetry: Symmetry | None = None) -> tuple[Tensor, Tensor]:
    """Two lowest eigenvalues (k, 2) and their error bounds (k,); zero modes of the symmetry are set aside."""
    values, error, _ = lowest_modes(energy, points, symmetry)
    return values, error


def lowest_modes(energy: Energy, points: Tensor, symmetry: Symmetry | None = None) -> tuple[Tensor, Tensor, Tensor]:
    """Two lowest eigenvalues (k, 2), their error bounds (k,), and their eigenvectors (k, 2, d)."""
    if energy.dim <= FULL_DIM:
        spectrum = spectra(energy.hessian(points), points, symmetry)
        error = RELATIVE_ERROR[energy.gradient is not None] * spectrum.scale
        if energy.dim == 1:
            return (
                torch.nn.functional.pad(spectrum.values, (0, 1), value=torch.inf),
                error,
                spectrum.vectors.expand(-1, 2, -1),
            )
        return spectrum.values[:, :2], error, spectrum.vectors[:, :, :2].mT
    rows = [_lanczos(energy, point, symmetry) for point in points]
    values, errors, modes = (torch.stack(column) for column in zip(*rows, strict=True))
    return values, errors, modes


def newton_correction(energy: Energy, points: Tensor, gradients: Tensor) -> Tensor:
    """The Newton step (k, d) on positive curvature; zero where the dimension is too large for it."""
    if energy.dim > FULL_DIM:
        return torch.zeros_like(points)
    values, vectors = torch.linalg.eigh(energy.hessian(points))
    floor = RELATIVE_ERROR[energy.gradient is not None] * values.abs().amax(1, keepdim=True)
    inverse = torch.where(values > floor, 1 / values, torch.zeros_like(values))
    step: Tensor = -(vectors @ (inverse * (vectors.mT @ gradients[:, :, None])[:, :, 0])[:, :, None])[:, :, 0]
    return step


def _lanczos(energy: Energy, point: Tensor, symmetry: Symmetry | None) -> tuple[Tensor, Tensor, Tensor]:
    """Lowest two eigenvalues (2,) of one Hessian, their error, and their eigenvectors (2, d)."""
    zero = point.new_empty(0, energy.dim) if symmetry is None else symmetry.zero_modes(point[None])[0]

    def product(vectors: Tensor) -> Tensor:
        images = energy.hvp(point.expand(len(vectors), -1), vectors)
        return images - images @ zero.T @ zero

    generator = torch.Generator().manual_seed(0)  # not ones: a symmetric vector is orthogonal to whole eigenspaces
    starts = torch.randn(2, energy.dim, generator=generator, dtype=energy.dtype)
    starts = starts - starts @ zero.T @ zero
    return two_lowest(product, starts, RELATIVE_ERROR[energy.gradient is not None])
