"""Hessian eigenvalues of points with the zero modes of a continuous symmetry set aside."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from tda_landscape.energy.symmetry import Symmetry


@dataclass(slots=True)
class Spectra:
    """Eigenvalues (k, d), ascending, and eigenvectors (k, d, d) in columns; zero modes come last, with value inf."""

    values: Tensor
    vectors: Tensor

    def __getitem__(self, rows: Tensor | slice | list[int]) -> Spectra:
        return Spectra(self.values[rows], self.vectors[rows])

    @property
    def finite(self) -> Tensor:
        """Eigenvalues (k, d), zero on the zero modes."""
        return torch.where(self.values.isinf(), 0.0, self.values)

    @property
    def scale(self) -> Tensor:
        """Largest |eigenvalue| of each row (k,)."""
        return self.finite.abs().amax(1).clamp(min=1e-300)

    def hessians(self) -> Tensor:
        """The matrices (k, d, d), zero on the zero modes."""
        return (self.vectors * self.finite[:, None]) @ self.vectors.mT

    def coordinates(self, vectors: Tensor) -> Tensor:
        """Components (k, d) of vectors (k, d) along the eigenvectors."""
        return (self.vectors.mT @ vectors[:, :, None])[:, :, 0]

    def assemble(self, components: Tensor) -> Tensor:
        """Vectors (k, d) from components (k, d)."""
        return (self.vectors @ components[:, :, None])[:, :, 0]


def spectra(hessians: Tensor, points: Tensor, symmetry: Symmetry | None) -> Spectra:
    """Diagonalise Hessians (k, d, d), with the zero modes of the points (k, d) set aside."""
    matrices, far = without_zero_modes(hessians, points, symmetry)
    values, vectors = torch.linalg.eigh(matrices)
    return Spectra(torch.where(values > far[:, None], torch.inf, values), vectors)


def without_zero_modes(hessians: Tensor, points: Tensor, symmetry: Symmetry | None) -> tuple[Tensor, Tensor]:
    """Matrices (k, d, d) that have the zero modes, and only them, at eigenvalues above the limits (k,)."""
    no_limit = hessians.new_full((len(hessians),), torch.inf)
    if symmetry is None:
        return hessians, no_limit
    modes = symmetry.zero_modes(points)
    if modes.shape[1] == 0:
        return hessians, no_limit
    shadow = modes.mT @ modes
    rest = torch.eye(points.shape[1], dtype=points.dtype) - shadow
    inner = rest @ hessians @ rest
    limit = 2 * torch.linalg.matrix_norm(inner) + 1
    return inner + 2 * limit[:, None, None] * shadow, limit
