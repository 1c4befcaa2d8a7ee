"""The two lowest Hessian eigenvalues, what they say of a point, and one Newton correction from them."""

from __future__ import annotations

import torch
from scipy.sparse.linalg import LinearOperator, eigsh
from torch import Tensor

from tda_landscape.energy import Energy

FULL_DIM = 600
"""Up to this dimension the full Hessian is diagonalised; above it Lanczos finds the two lowest eigenvalues."""

RELATIVE_ERROR = {True: 1e-5, False: 1e-9}
"""Error of an eigenvalue relative to the largest: finite differences of a given gradient, or automatic."""


def lowest_eigenvalues(energy: Energy, points: Tensor) -> tuple[Tensor, Tensor]:
    """Two lowest eigenvalues (k, 2) and their error bounds (k,)."""
    if energy.dim <= FULL_DIM:
        spectrum = torch.linalg.eigvalsh(energy.hessian(points))
        error = RELATIVE_ERROR[energy.gradient is not None] * spectrum.abs().amax(1)
        second = spectrum[:, 1:2] if energy.dim > 1 else torch.full_like(spectrum, torch.inf)
        return torch.cat([spectrum[:, :1], second], dim=1), error
    rows = [_lanczos(energy, point) for point in points]
    return torch.stack([pair for pair, _ in rows]), torch.stack([error for _, error in rows])


def newton_correction(energy: Energy, points: Tensor, gradients: Tensor) -> Tensor:
    """The Newton step (k, d) on positive curvature; zero where the dimension is too large for it."""
    if energy.dim > FULL_DIM:
        return torch.zeros_like(points)
    values, vectors = torch.linalg.eigh(energy.hessian(points))
    floor = RELATIVE_ERROR[energy.gradient is not None] * values.abs().amax(1, keepdim=True)
    inverse = torch.where(values > floor, 1 / values, torch.zeros_like(values))
    step: Tensor = -(vectors @ (inverse * (vectors.mT @ gradients[:, :, None])[:, :, 0])[:, :, None])[:, :, 0]
    return step


def _lanczos(energy: Energy, point: Tensor) -> tuple[Tensor, Tensor]:
    """Lowest two eigenvalues (2,) of one Hessian; the error is the largest residual |H v - lambda v|."""

    def product(vector: object) -> object:
        v = torch.as_tensor(vector, dtype=energy.dtype).reshape(1, -1)
        return energy.hvp(point[None], v)[0].numpy()

    start = torch.ones(energy.dim, dtype=energy.dtype).numpy()
    operator = LinearOperator((energy.dim, energy.dim), matvec=product, dtype=start.dtype)
    values, vectors = eigsh(operator, k=2, which="SA", v0=start, tol=1e-6)
    found, basis = torch.as_tensor(values), torch.as_tensor(vectors.T.copy())
    images = energy.hvp(point.expand(2, -1), basis)
    residual = (images - found[:, None] * basis).norm(dim=1).amax()
    return found, residual
