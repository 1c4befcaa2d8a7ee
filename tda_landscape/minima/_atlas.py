"""Stationary points that are known, and telling from afar that a search is about to end in one of them."""

from __future__ import annotations

import torch
from torch import Tensor

from tda_landscape.energy import Energy
from tda_landscape.energy.symmetry import Symmetry
from tda_landscape.minima._spectrum import Spectra

AGREES = 0.1
"""Relative error of the known point's quadratic model, in energy and gradient, at which it explains a point."""

APART = 0.01
"""Distance along each mode, relative to the length scale, of another well that would be noticed however far away the
point is along the other modes."""

ASIDE = 1e-9
"""Share of the modes that go down from a saddle in the energy of a point whose descent ends at it."""

SAME = 1e-4
"""Distance, relative to the length scale of the coordinates, within which converged points coincide."""


class Atlas:
    """Distinct stationary points with energy, Hessian and the number of independent searches that ended in each.

    `length` is the typical way that one coordinate goes in a descent.
    """

    def __init__(self, energy: Energy, symmetry: Symmetry | None, length: float) -> None:
        self.energy, self.symmetry, self.length = energy, symmetry, length
        empty = torch.empty(0, energy.dim, dtype=energy.dtype)
        self.points, self.energies = empty, empty[:, 0]
        self.spectra = Spectra(empty.clone(), torch.empty(0, energy.dim, energy.dim, dtype=energy.dtype))
        self.invariants = torch.empty(0, 0, dtype=energy.dtype)
        self.hits: list[int] = []

    def __len__(self) -> int:
        return len(self.hits)

    def add(self, point: Tensor, energy: Tensor, spectrum: Spectra) -> int:
        """Store one stationary point (1, d); return its number."""
        marks = self._marks(point)
        self.points, self.energies = torch.cat([self.points, point]), torch.cat([self.energies, energy])
        self.spectra = Spectra(
            torch.cat([self.spectra.values, spectrum.values]), torch.cat([self.spectra.vectors, spectrum.vectors])
        )
        self.invariants = torch.cat([self.invariants.reshape(-1, marks.shape[1]), marks])
        self.hits.append(0)
        return len(self.hits) - 1

    def find(self, point: Tensor, energy: Tensor) -> int:
        """The number of the known point at which a converged point (1, d) is, or -1; never by energy alone."""
        near = (self.energies - energy).abs() <= 1e-6 * (self.length**2 * self.spectra.scale + energy.abs())
        i: int
        for i in torch.nonzero(near).flatten().tolist():
            image, _ = self.image(torch.tensor([i]), point)
            if float((image - point).norm()) <= SAME * self.length * self.energy.dim**0.5:
                return i
        return -1

    def recognize(self, points: Tensor, energies: Tensor, gradients: Tensor, down: bool = False) -> Tensor:
        """Numbers (k,) of the known points whose quadratic models explain energy and gradient at points, or -1.

        Ask at two points in a row: a coincidence does not last. With `down`, points are on their way down, which leads
        to a saddle only along modes that go up from it.
        """
        found = torch.full((len(points),), -1)
        if not len(self) or not len(points):
            return found
        known = self._nearest(points)
        rows = torch.nonzero(self._plausible(known, energies, gradients)).flatten()
        if not len(rows):
            return found
        which, spectrum = known[rows], self.spectra[known[rows]]
        along = spectrum.coordinates(self._offsets(points[rows], which))
        slope = spectrum.finite * along
        work = slope * along / 2
        rise = energies[rows] - self.energies[which]
        agrees = (rise - work.sum(1)).abs() <= AGREES * work.abs().sum(1)
        agrees &= (gradients[rows].norm(dim=1) - slope.norm(dim=1)).abs() <= AGREES * slope.norm(dim=1)
        if down:
            agrees &= work.clamp(max=0).sum(1).abs() <= ASIDE * work.abs().sum(1)
        if self.symmetry is None:  # the gradient of an aligned point would have to be turned along with it
            error = (spectrum.coordinates(gradients[rows]) - slope).abs()
            agrees &= error.norm(dim=1) <= 2 * AGREES * slope.norm(dim=1)
            agrees &= (error <= spectrum.finite.abs() * (AGREES * along.abs() + APART * self.length)).all(1)
        elif agrees.any():  # but its work from the image of the known point can be had where the point is
            image, _ = self.image(which[agrees], points[rows[agrees]])
            done = (gradients[rows[agrees]] * (points[rows[agrees]] - image)).sum(1)
            expected = 2 * work[agrees]
            agrees[agrees.clone()] = (done - expected.sum(1)).abs() <= AGREES * expected.abs().sum(1)
        found[rows[agrees]] = which[agrees]
        return found

    def image(self, which: Tensor, near: Tensor) -> tuple[Tensor, Tensor | None]:
        """The images of known points nearest to the points `near` (k, d), and the sheets they were moved by."""
        if self.symmetry is not None:
            return self.symmetry.align(self.points[which], near)
        return near + self.energy.displacement(near, self.points[which]), None

    def _plausible(self, which: Tensor, energies: Tensor, gradients: Tensor) -> Tensor:
        """Whether alignment is worth while: a step that fits the gradient can make up the difference in energy."""
        spectrum = self.spectra[which]
        softest = spectrum.values.abs().amin(1).clamp(min=1e-12 * spectrum.scale)
        return (energies - self.energies[which]).abs() <= gradients.square().sum(1) / softest

    def _offsets(self, points: Tensor, which: Tensor) -> Tensor:
        """Vectors (k, d) from known points to points, after alignment."""
        if self.symmetry is not None:
            points, _ = self.symmetry.align(points, self.points[which])
        return self.energy.displacement(self.points[which], points)

    def _marks(self, points: Tensor) -> Tensor:
        """What tells different points apart quickly."""
        return points if self.symmetry is None else self.symmetry.invariants(points)

    def _nearest(self, points: Tensor) -> Tensor:
        """The known point (k,) whose invariants differ least from those of each point."""
        marks = self._marks(points)
        if self.symmetry is None:
            differ = self.energy.displacement(self.invariants[None], marks[:, None]).norm(dim=2)
        else:
            differ = torch.cdist(marks, self.invariants)
        nearest: Tensor = differ.argmin(1)
        return nearest
