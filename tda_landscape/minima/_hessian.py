"""The two lowest Hessian eigenvalues, what they say of a point, and one Newton correction from them."""

from __future__ import annotations

import math
from collections.abc import Callable

import torch
from scipy.sparse.linalg import LinearOperator, eigsh
from torch import Tensor

from tda_landscape.energy import Energy
from tda_landscape.energy.symmetry import Symmetry
from tda_landscape.minima._spectrum import spectra

FULL_DIM = 600
"""Up to this dimension the full Hessian is diagonalised; above it Lanczos finds the two lowest eigenvalues."""

RELATIVE_ERROR = {True: 1e-5, False: 1e-9}
"""Error of an eigenvalue relative to the largest: finite differences of a given gradient, or automatic."""

LOOK = 1e-5
"""Relative error to which a third eigenvalue is found, as long as it is not below the second."""


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
    """Lowest two eigenvalues (2,) of one Hessian, the largest residual |H v - lambda v|, and the v (2, d).

    A Krylov space has one direction of each eigenspace, so a double eigenvalue is seen once: a second search looks at
    what is orthogonal to the first two.
    """
    zero = point.new_empty(0, energy.dim) if symmetry is None else symmetry.zero_modes(point[None])[0]

    def product(vectors: Tensor) -> Tensor:
        rest = vectors - vectors @ zero.T @ zero
        images = energy.hvp(point.expand(len(rest), -1), rest)
        return images - images @ zero.T @ zero

    generator = torch.Generator().manual_seed(0)  # not ones: a symmetric vector is orthogonal to whole eigenspaces
    starts = torch.randn(2, energy.dim, generator=generator, dtype=energy.dtype)
    starts = starts - starts @ zero.T @ zero
    scale = math.e * float(product(starts[:1]).norm() / starts[0].norm()) or 1.0  # not itself an eigenvalue
    tolerance = RELATIVE_ERROR[energy.gradient is not None]
    values, basis = _lowest(product, starts[0], 2, zero, scale, tolerance)
    lift = 10 * scale + float(values.abs().amax())

    def beside(vectors: Tensor) -> Tensor:
        return product(vectors) + lift * vectors @ basis.T @ basis

    more, others = _lowest(beside, starts[1], 1, zero, scale, max(tolerance, LOOK))
    if float(more) < float(values[1]):
        more, others = _lowest(beside, others[0], 1, zero, scale, tolerance)
    values, order = torch.cat([values, more]).sort()
    values, basis = values[:2], torch.cat([basis, others])[order[:2]]
    residual = (product(basis) - values[:, None] * basis).norm(dim=1).amax()
    return values, residual, basis


def _lowest(
    product: Callable[[Tensor], Tensor], start: Tensor, count: int, zero: Tensor, scale: float, tolerance: float
) -> tuple[Tensor, Tensor]:
    """The lowest eigenvalues of a symmetric operator and their eigenvectors in rows, without those of the zero modes.

    Lanczos for the operator shifted by its scale: ARPACK starts in the range of what it is given, so that it would not
    see a kernel, and its tolerance is relative to the eigenvalue.
    """

    def shifted(vector: object) -> object:
        row = torch.as_tensor(vector, dtype=start.dtype).reshape(1, -1)
        return (product(row) + scale * row)[0].numpy()

    operator = LinearOperator((len(start), len(start)), matvec=shifted, dtype=start.numpy().dtype)
    # The zero modes are eigenvectors with value 0 that rounding may bring back: ask for as many more.
    most = min(count + len(zero), len(start) - 1)
    values, vectors = eigsh(operator, k=most, which="SA", v0=start.numpy(), tol=tolerance)
    found, basis = torch.as_tensor(values) - scale, torch.as_tensor(vectors.T.copy())
    own = (basis @ zero.T).norm(dim=1) < 0.5
    return found[own][:count], basis[own][:count]
