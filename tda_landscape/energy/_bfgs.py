"""Descents of many points in few dimensions: trust-region BFGS with the whole inverse Hessian of each point.

The steps are those of `_downhill`, with a matrix (d, d) for each point in place of pairs of vectors: in few dimensions
that takes less time, and fewer steps. Only points that still descend are kept at hand, as numpy arrays: on small ones
numpy takes half of torch's time.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from tda_landscape.energy._batching import Meter, Task
from tda_landscape.energy._downhill import GOOD, GROW, SHRINK, SUFFICIENT, minimize

DIM = 40
"""Dimensions up to which the matrices are cheaper than the pairs."""

CURVED = 1e-3
"""Cosine between a step and the change of the gradient from which on the two tell of positive curvature."""


Array = NDArray[np.floating]


@dataclass(slots=True)
class Descent:
    """Points that descend: energies, gradients, trust radii, inverse Hessians, and which row each was given in."""

    points: Array  # (k, d)
    energies: Array  # (k,)
    gradients: Array  # (k, d)
    steepness: Array  # (k,) lengths of the gradients
    radius: Array  # (k,)
    inverse: Array  # (k, d, d)
    fresh: NDArray[np.bool_]  # (k,) the inverse knows no curvature yet
    row: NDArray[np.intp]  # (k,)

    @classmethod
    def at(cls, points: Array, energies: Array, gradients: Array, radius: float) -> Descent:
        """Put descents at points (k, d); a first step is as long as the radius."""
        k, d = points.shape
        steepness = _length(gradients)
        inverse = (radius / np.maximum(steepness, 1e-300))[:, None, None] * np.eye(d, dtype=points.dtype)
        radii, fresh = np.full_like(energies, radius), np.ones(k, dtype=bool)
        return cls(points.copy(), energies, gradients, steepness, radii, inverse, fresh, np.arange(k))

    def keep(self, going: NDArray[np.bool_]) -> None:
        """Go on with some of them."""
        rows = np.flatnonzero(going)
        for name in Descent.__slots__:
            setattr(self, name, getattr(self, name).take(rows, 0))


def ends_of_descents(
    points: Tensor, radius: float, tolerance: float, max_steps: int, meter: Meter, budget: float = torch.inf
) -> Task[Tensor]:
    """Descend from points (k, d) until |g| <= tolerance (1 + |E|), each by itself, or steps or budget are used up.

    By matrices in few dimensions, by pairs in many.
    """
    if points.shape[1] <= DIM:
        ends = yield from dense_descents(points, radius, tolerance, max_steps, meter, budget)
        return ends
    walkers = yield from minimize(points, radius, tolerance, max_steps, meter, budget)
    return walkers.points


def dense_descents(
    points: Tensor, radius: float, tolerance: float, max_steps: int, meter: Meter, budget: float
) -> Task[Tensor]:
    """The ends (k, d) of descents by matrices."""
    ends: Array = points.numpy().copy()
    here = Descent.at(ends, *(yield from _evaluated(ends, meter)), radius)
    with np.errstate(all="ignore"):  # a step to where the energy is not finite is rejected, not warned of
        for _ in range(max_steps):
            # An infinite energy is never steep. A radius at rounding level: no step can be told from standing still.
            going = here.steepness > tolerance * (1 + np.abs(here.energies))
            going &= here.radius >= 1e-15 * (1 + _length(here.points))
            if not going.all():
                ends[here.row] = here.points
                here.keep(going)
            if not len(here.row) or meter.spent + len(here.row) > budget:
                break
            step, t, slope, length = _proposed(here)
            trial = here.points + step
            energies, gradients = yield from _evaluated(trial, meter)
            _learn(here, step, gradients - here.gradients)
            _judge(here, trial, energies, gradients, slope * (t - t * t / 2), t < 1, t * length)
    ends[here.row] = here.points
    return torch.from_numpy(ends)


def _evaluated(points: Array, meter: Meter) -> Task[tuple[Array, Array]]:
    """Energies, infinite where they are not finite, and gradients."""
    energies, gradients = yield from meter.gradients(torch.from_numpy(points))
    values: Array = energies.numpy()
    return np.where(np.isfinite(values), values, np.inf), gradients.numpy()


def _proposed(here: Descent) -> tuple[Array, Array, Array, Array]:
    """A step (k, d), its share of the Newton step, and slope and length of that."""
    direction = np.matmul(here.inverse, here.gradients[:, :, None])[:, :, 0]
    length = np.maximum(_length(direction), 1e-300)
    t = np.minimum(here.radius / length, 1)
    return -t[:, None] * direction, t, _dot(here.gradients, direction), length


def _judge(
    here: Descent,
    trial: Array,
    energies: Array,
    gradients: Array,
    promised: Array,
    short: NDArray[np.bool_],
    size: Array,
) -> None:
    """Move the points whose energy fell enough, and set all radii."""
    f = here.energies
    steepness = _length(gradients)
    noise = 8 * np.finfo(f.dtype).eps * (1 + np.abs(f))  # where rounding hides the gain, the gradient decides
    gain = np.where(np.isfinite(steepness), f - energies, -np.inf)
    still = (gain >= -noise) & (promised < 100 * noise) & (steepness < here.steepness)
    moved = (gain > SUFFICIENT * promised) & (gain > 0) | still
    grown = np.where((gain > GOOD * promised) & short, GROW * here.radius, here.radius)
    here.radius = np.where(moved, np.maximum(grown, size), SHRINK * size)
    if not moved.all():
        trial = np.where(moved[:, None], trial, here.points)
        energies, steepness = np.where(moved, energies, f), np.where(moved, steepness, here.steepness)
        gradients = np.where(moved[:, None], gradients, here.gradients)
    here.points, here.energies, here.gradients, here.steepness = trial, energies, gradients, steepness


def _learn(here: Descent, s: Array, y: Array) -> None:
    """The BFGS update of the inverses H by steps s and changes y of the gradient that are positive enough.

    First H is set to s.s / s.y or, later, raised to s.y / y.H y where it is below that (Oren and Luenberger, Management
    Science 20, 845 (1974), upward only: half the steps of none). Then it becomes H - w s' - s w' with
    w = H y / s.y - (1 + y.H y / s.y) / (2 s.y) s.
    """
    sy, ss = _dot(s, y), _dot(s, s)
    curved = (sy > CURVED * np.sqrt(ss * _dot(y, y))) & (sy < np.inf)
    if not curved.all():
        s, y, sy = np.where(curved[:, None], s, 0), np.where(curved[:, None], y, 0), np.where(curved, sy, 1)
    if here.fresh.any():
        first = curved & here.fresh
        here.inverse[first] = (ss / sy)[first, None, None] * np.eye(s.shape[1], dtype=s.dtype)
        here.fresh &= ~first
    hy = np.matmul(here.inverse, y[:, :, None])[:, :, 0]
    yhy = _dot(y, hy)
    raised = np.where(curved & (sy > yhy), sy / yhy, 1)
    below = np.flatnonzero(raised > 1)
    if len(below):
        here.inverse[below] *= raised[below, None, None]
    w = (raised / sy)[:, None] * hy - ((1 + raised * yhy / sy) / (2 * sy))[:, None] * s
    here.inverse -= np.matmul(np.stack([w, s], 2), np.stack([s, w], 1))


def _dot(a: Array, b: Array) -> Array:
    """Row by row."""
    products: Array = np.einsum("ij,ij->i", a, b)
    return products


def _length(rows: Array) -> Array:
    """The length of each row."""
    return np.sqrt(_dot(rows, rows))
