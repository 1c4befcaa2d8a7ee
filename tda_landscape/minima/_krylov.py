"""Eigenvector following through Hessian-vector products alone, for dimensions where a Hessian cannot be afforded.

In the Krylov space of the gradient, widened by the lowest modes of the step before, the Hessian is a small matrix
(Rayleigh and Ritz): along its lowest direction the step goes uphill, along all others down.
"""

from __future__ import annotations

import torch
from torch import Tensor

from tda_landscape.energy import Energy
from tda_landscape.energy.symmetry import Symmetry

SPACE, KEPT = 30, 3
"""Products of one step, and modes that are taken along to the next."""

MEMORY = 2**27
"""Numbers that the spaces of one batch may hold."""


def follow(
    energy: Energy, points: Tensor, symmetry: Symmetry | None, longest: Tensor, tolerance: float, steps: int
) -> Tensor:
    """Bring points (k, d) near saddles to where |g| <= tolerance (1 + |E|), each by itself, in at most `steps`."""
    size = max(1, MEMORY // (2 * (SPACE + KEPT) * energy.dim))
    parts = zip(points.split(size), longest.split(size), strict=True)
    ends = [_follow(energy, part.clone(), symmetry, most, tolerance, steps) for part, most in parts]
    return torch.cat(ends) if ends else points


def _follow(
    energy: Energy, points: Tensor, symmetry: Symmetry | None, longest: Tensor, tolerance: float, steps: int
) -> Tensor:
    """Follow one batch; steps that raise the gradient too much are halved."""
    energies, gradients = energy.value_and_grad(points)
    radius = longest.clone()
    kept = points.new_zeros(len(points), KEPT, energy.dim)
    best, least = points.clone(), gradients.norm(dim=1)
    for _ in range(steps):
        rows = torch.nonzero(torch.isfinite(energies) & (least > tolerance * (1 + energies.abs()))).flatten()
        rows = rows[radius[rows] > 1e-12 * (1 + points[rows].norm(dim=1))]
        if not len(rows):
            break
        if symmetry is not None:
            modes = symmetry.zero_modes(points[rows])
        else:
            modes = points.new_zeros(len(rows), 0, energy.dim)
        step, change, kept[rows] = _step(energy, points[rows], gradients[rows], kept[rows], modes, radius[rows])
        trial = points[rows] + step
        e, g = energy.value_and_grad(trial)
        finite = torch.isfinite(e) & torch.isfinite(g).all(1)
        error = torch.where(finite, (g - gradients[rows] - change).norm(dim=1), torch.inf)
        scale = torch.maximum(gradients[rows].norm(dim=1), change.norm(dim=1))
        taken = finite & (error < scale)
        length = step.norm(dim=1)
        grown = torch.minimum(torch.maximum(radius[rows], 1.5 * length), longest[rows])
        radius[rows] = torch.where(error < scale / 2, grown, torch.where(taken, radius[rows], length / 2))
        here = rows[taken]
        points[here], energies[here], gradients[here] = trial[taken], e[taken], g[taken]
        lower = here[gradients[here].norm(dim=1) < least[here]]
        best[lower], least[lower] = points[lower], gradients[lower].norm(dim=1)
    return best


def _step(
    energy: Energy, points: Tensor, gradients: Tensor, kept: Tensor, zero: Tensor, radius: Tensor
) -> tuple[Tensor, Tensor, Tensor]:
    """The step (k, d), the change of gradient it should make (k, d), and the lowest modes (k, KEPT, d)."""
    basis, images = _space(energy, points, gradients, kept, zero)
    small = basis @ images.mT
    values, vectors = torch.linalg.eigh((small + small.mT) / 2)
    slope = (vectors.mT @ (basis @ gradients[:, :, None]))[:, :, 0]
    size = values.abs().clamp(min=1e-12 * float(values.abs().max()))
    along = -2 * slope / (size * (1 + torch.sqrt(1 + (2 * slope / size) ** 2)))
    along[:, 0] = -along[:, 0]
    along = along * (radius / along.norm(dim=1).clamp(min=1e-300)).clamp(max=1)[:, None]
    weights = (vectors @ along[:, :, None])[:, :, 0]
    ritz = vectors.mT @ basis
    return (basis.mT @ weights[:, :, None])[:, :, 0], (images.mT @ weights[:, :, None])[:, :, 0], ritz[:, :KEPT]


def _space(energy: Energy, points: Tensor, gradients: Tensor, kept: Tensor, zero: Tensor) -> tuple[Tensor, Tensor]:
    """An orthonormal basis (k, m, d) of kept modes and Krylov space, and its images under the Hessian."""
    k, d = points.shape
    basis, images = points.new_zeros(k, 0, d), points.new_zeros(k, 0, d)
    new = gradients
    for i in range(min(SPACE + KEPT, d - zero.shape[1])):
        vector = kept[:, i] if i < KEPT else new
        for _ in range(2):  # twice is enough for orthogonality to rounding
            for space in (zero, basis):
                vector = vector - (space.mT @ (space @ vector[:, :, None]))[:, :, 0]
        length = vector.norm(dim=1, keepdim=True)
        # A row whose space is exhausted gets zeros: its Ritz values there are 0 and its slopes too.
        vector = torch.where(length > 1e-10 * (1e-300 + gradients.norm(dim=1, keepdim=True)), vector / length, 0.0)
        image = energy.hvp(points, torch.where(vector.any(1, keepdim=True), vector, gradients))
        image = torch.where(vector.any(1, keepdim=True), image, 0.0)
        image = image - (zero.mT @ (zero @ image[:, :, None]))[:, :, 0]
        basis, images = torch.cat([basis, vector[:, None]], 1), torch.cat([images, image[:, None]], 1)
        new = gradients if i < KEPT else image
    return basis, images
