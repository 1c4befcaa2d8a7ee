"""Eigenvector following: from minima uphill to index-1 saddles, many climbs side by side.

Each climb follows one mode uphill and steps down along all others (D. J. Wales, J. Chem. Phys. 101, 3750, 1994,
with a trust radius). It starts from the exact Hessian of its minimum; Bofill's update keeps that (J. M. Bofill,
J. Comput. Chem. 15, 1, 1994), and once, where the curvature along the mode first turns negative, the softest modes
are looked at again with one gradient each. That look decides success; a whole Hessian there is not worth its price.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from tda_landscape.energy import Energy
from tda_landscape.energy.symmetry import Symmetry
from tda_landscape.minima._atlas import Atlas
from tda_landscape.minima._spectrum import Spectra, spectra

STEPS = 40  # a climb takes at most this many and d more
SOFT = 5  # modes that are looked at again
ARRIVED = 0.02  # an unlimited step this short, relative to the largest radius, ends a climb near a saddle
NEGATIVE = 1e-6  # an eigenvalue below minus this, relative to the largest, is negative
GOOD, GROW = 0.3, 1.3  # relative error of the promised change at which the radius grows, and by what
HARMONIC, SHORTER = 0.5, 5  # share of what its Hessian says that a push must rise, and how often it is shortened


@dataclass(slots=True)
class Climbs:
    """Climbs on their way, one a row; `known` is the saddle that each was recognized to end in, or -1."""

    points: Tensor  # (k, d)
    energies: Tensor  # (k,)
    gradients: Tensor  # (k, d)
    hessians: Tensor  # (k, d, d)
    mode: Tensor  # (k, d), followed uphill
    radius: Tensor  # (k,)
    longest: Tensor  # (k,), the largest radius
    turned: Tensor  # (k,) bool: the curvature has turned negative
    arrived: Tensor  # (k,) bool: near a stationary point that is not known
    known: Tensor  # (k,)


def climb(
    energy: Energy,
    symmetry: Symmetry | None,
    starts: Tensor,
    modes: Tensor,
    hessians: Tensor,
    first: Tensor,
    longest: Tensor,
    ceiling: float,
    saddles: Atlas,
) -> Climbs:
    """Climb from points (k, d) along modes (k, d), with Hessians (k, d, d).

    Steps are up to `first` (k,) long at first, and up to `longest` (k,) where the landscape allows.

    A climb ends where a known saddle explains it at two points in a row, near a new one, above the energy
    `ceiling`, or when its steps are used up.
    """
    energies, gradients = energy.value_and_grad(starts)
    no = torch.zeros(len(starts), dtype=torch.bool)
    unknown = torch.full((len(starts),), -1)
    moving = (starts.clone(), energies, gradients, hessians.clone(), modes.clone(), first)
    climbs = Climbs(*moving, longest, no.clone(), no.clone(), unknown.clone())
    open_ = torch.isfinite(energies)
    seen = unknown.clone()
    for _ in range(STEPS + energy.dim):
        rows = torch.nonzero(open_).flatten()
        if not len(rows):
            break
        open_[rows] = _step(energy, symmetry, climbs, rows) & (climbs.energies[rows] <= ceiling)
        open_ &= ~climbs.arrived
        rows = rows[climbs.turned[rows]]
        here = saddles.recognize(climbs.points[rows], climbs.energies[rows], climbs.gradients[rows])
        twice = (here >= 0) & (here == seen[rows])
        seen[rows] = here
        climbs.known[rows[twice]] = here[twice]
        open_[rows[twice]] = False
    return climbs


def push_up(energy: Energy, minima: Tensor, floors: Tensor, modes: Tensor, hessians: Tensor, step: float) -> Tensor:
    """Lengths (k,) by which climbs are pushed from minima (k, d) of energies (k,) along modes (k, d).

    A push where the energy is not half to twice what the Hessians say has left a narrow well, and would climb from
    another one: it is shortened until it has not.
    """
    push = floors.new_full((len(minima),), step)
    curvature = (modes * (hessians @ modes[:, :, None])[:, :, 0]).sum(1)
    open_ = torch.arange(len(minima))
    for _ in range(SHORTER):
        rise = energy(minima[open_] + push[open_, None] * modes[open_]) - floors[open_]
        share = rise / (curvature[open_] * push[open_].square() / 2)
        open_ = open_[~((share > HARMONIC) & (share < 1 / HARMONIC))]
        if not len(open_):
            break
        push[open_] /= 4
    return push


def _step(energy: Energy, symmetry: Symmetry | None, climbs: Climbs, rows: Tensor) -> Tensor:
    """Move some climbs by one step each; return which of them go on."""
    points, gradients, longest = climbs.points[rows], climbs.gradients[rows], climbs.longest[rows]
    spectrum = spectra(climbs.hessians[rows], points, symmetry)
    first = _negative(spectrum) & ~climbs.turned[rows]
    if first.any():
        new = rows[first]
        climbs.turned[new] = True
        climbs.hessians[new] = _look_again(
            energy, points[first], gradients[first], climbs.hessians[new], spectrum[first]
        )
        again = spectra(climbs.hessians[new], points[first], symmetry)
        spectrum.values[first], spectrum.vectors[first] = again.values, again.vectors
    along, unlimited = _uphill(climbs, rows, spectrum, spectrum.coordinates(gradients))
    climbs.arrived[rows] = _negative(spectrum) & (unlimited < ARRIVED * longest)
    promised = (spectrum.coordinates(gradients) * along + spectrum.finite * along**2 / 2).sum(1)
    step = spectrum.assemble(along)
    energies, after = energy.value_and_grad(points + step)
    finite = torch.isfinite(energies) & torch.isfinite(after).all(1)
    error = ((energies - climbs.energies[rows]) / torch.where(promised == 0, 1e-300, promised) - 1).abs()
    radius = torch.where(error < GOOD, GROW * climbs.radius[rows], climbs.radius[rows])
    radius = torch.where(error > 1, along.norm(dim=1) / 2, radius)
    climbs.radius[rows] = torch.minimum(torch.maximum(radius, longest / 100), longest)
    here = rows[finite]
    climbs.hessians[here] = _bofill(climbs.hessians[here], step[finite], (after - gradients)[finite])
    climbs.points[here], climbs.energies[here] = (points + step)[finite], energies[finite]
    climbs.gradients[here] = after[finite]
    return finite


def _negative(spectrum: Spectra) -> Tensor:
    """Whether the lowest eigenvalue is negative (k,)."""
    return spectrum.values[:, 0] < -NEGATIVE * spectrum.scale


def _uphill(climbs: Climbs, rows: Tensor, spectrum: Spectra, slope: Tensor) -> tuple[Tensor, Tensor]:
    """The step along the eigenvectors (k, d), and the length (k,) that it would have without limits."""
    overlap = torch.where(spectrum.values.isinf(), 0.0, spectrum.coordinates(climbs.mode[rows]))
    # Once a curvature is negative that mode is followed, before that the one most like the last.
    follow = torch.where(_negative(spectrum), 0, overlap.abs().argmax(1))[:, None]
    side = torch.where(overlap.gather(1, follow) < 0, -1.0, 1.0).to(slope.dtype)
    climbs.mode[rows] = spectrum.assemble(torch.zeros_like(slope).scatter(1, follow, side))
    size = spectrum.values.abs().clamp(min=1e-12 * float(spectrum.scale.max()))
    along = -2 * slope / (size * (1 + torch.sqrt(1 + (2 * slope / size) ** 2)))
    up = -along.gather(1, follow)
    limit = climbs.radius[rows][:, None]
    # Where the mode is still convex a step outward is at least half a radius: never back to the minimum.
    stalls = (spectrum.values.gather(1, follow) > 0) & (up.abs() < limit / 2)
    along = along.scatter(1, follow, torch.where(stalls, side * limit / 2, up))
    unlimited = along.norm(dim=1, keepdim=True)
    return along * (limit / unlimited.clamp(min=1e-300)).clamp(max=1), unlimited[:, 0]


def _look_again(energy: Energy, points: Tensor, gradients: Tensor, hessians: Tensor, spectrum: Spectra) -> Tensor:
    """Make Hessians right on their softest modes V, changing them as little as can be: H V = dg/dV (block PSB)."""
    free = int((~spectrum.values.isinf()).sum(1).min())
    soft = spectrum.vectors[:, :, : min(SOFT, free)]
    step = 1e-6 * (1 + points.norm(dim=1))[:, None, None]
    there = points[:, None] + step * soft.mT
    _, after = energy.value_and_grad(there.flatten(0, 1))
    change = ((after.view_as(there) - gradients[:, None]) / step).mT
    error = torch.where(torch.isfinite(change), change - hessians @ soft, 0.0)
    return hessians + error @ soft.mT + soft @ error.mT - soft @ (soft.mT @ error) @ soft.mT


def _bofill(hessians: Tensor, steps: Tensor, changes: Tensor) -> Tensor:
    """Bofill's mixture of the symmetric rank-one and the Powell-symmetric-Broyden updates."""
    error = changes - (hessians @ steps[:, :, None])[:, :, 0]
    ss = steps.square().sum(1).clamp(min=1e-300)[:, None, None]
    ee = error.square().sum(1).clamp(min=1e-300)[:, None, None]
    es = (error * steps).sum(1)[:, None, None]
    rank_one = es / (ee * ss) * error[:, :, None] * error[:, None]  # times its share es^2 / (ee ss)
    both = error[:, :, None] * steps[:, None]
    powell = (both + both.mT) / ss - es / ss**2 * steps[:, :, None] * steps[:, None]
    update = rank_one + (1 - es**2 / (ee * ss)) * powell
    return hessians + torch.where(torch.isfinite(update).all(2, keepdim=True).all(1, keepdim=True), update, 0.0)
