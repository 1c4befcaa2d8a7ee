"""Descents of many points in few dimensions: trust-region BFGS with the whole inverse Hessian of each point.

The steps are those of `_downhill`, with a matrix (d, d) for each point in place of pairs of vectors: in few dimensions
that takes less time, and fewer steps. Only points that still descend are kept at hand.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from tda_landscape.energy._batching import Meter, Task, finite_or_inf
from tda_landscape.energy._downhill import GOOD, GROW, SHRINK, SUFFICIENT, minimize

DIM = 40
"""Dimensions up to which the matrices are cheaper than the pairs."""

CURVED = 1e-3
"""Cosine between a step and the change of the gradient from which on the two tell of positive curvature."""


@dataclass(slots=True)
class Descent:
    """Points that descend: energies, gradients, trust radii, inverse Hessians, and which row each was given in."""

    points: Tensor  # (k, d)
    energies: Tensor  # (k,)
    gradients: Tensor  # (k, d)
    radius: Tensor  # (k,)
    inverse: Tensor  # (k, d, d)
    fresh: Tensor  # (k,) bool: the inverse knows no curvature yet
    row: Tensor  # (k,)

    def keep(self, rows: Tensor) -> None:
        """Go on with some of them."""
        for name in Descent.__slots__:
            setattr(self, name, getattr(self, name)[rows])


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
    ends = points.clone()
    energies, gradients = yield from meter.gradients(points)
    here = Descent(
        ends.clone(),
        finite_or_inf(energies),
        gradients,
        points.new_full((len(points),), radius),
        torch.diag_embed((radius / gradients.norm(dim=1, keepdim=True).clamp(min=1e-300)).expand_as(points)),
        torch.ones(len(points), dtype=torch.bool),
        torch.arange(len(points)),
    )
    for _ in range(max_steps):
        steep = here.gradients.norm(dim=1) > tolerance * (1 + here.energies.abs())
        # A radius at rounding level means that no step can be told from standing still.
        alive = here.radius >= 1e-15 * (1 + here.points.norm(dim=1))
        going = torch.isfinite(here.energies) & steep & alive
        if not going.all():
            ends[here.row] = here.points
            here.keep(torch.nonzero(going).flatten())
        if not len(here.row) or meter.spent + len(here.row) > budget:
            break
        yield from _step(here, meter)
    ends[here.row] = here.points
    return ends


def _step(here: Descent, meter: Meter) -> Task[None]:
    """Try one step of every point; the curvature along it is kept even if it is rejected."""
    f, g = here.energies, here.gradients
    direction = torch.bmm(here.inverse, g[:, :, None])[:, :, 0]
    slope = (g * direction).sum(1)
    length = direction.norm(dim=1).clamp(min=1e-300)
    t = (here.radius / length).clamp(max=1)
    promised = slope * (t - t * t / 2)
    step = -t[:, None] * direction
    trial = here.points + step
    f_new, g_new = yield from meter.gradients(trial)
    finite = torch.isfinite(f_new) & torch.isfinite(g_new).all(1)
    _learn(here, step, g_new - g, finite)
    noise = 8 * torch.finfo(f.dtype).eps * (1 + f.abs())  # where rounding hides the gain, the gradient decides
    gain = torch.where(finite, f - f_new, -torch.inf)
    still = (gain >= -noise) & (promised < 100 * noise) & (g_new.norm(dim=1) < g.norm(dim=1))
    moved = (gain > SUFFICIENT * promised) & (gain > 0) | still
    size = t * length
    grown = torch.where((gain > GOOD * promised) & (t < 1), GROW * here.radius, here.radius)
    here.radius = torch.where(moved, torch.maximum(grown, size), SHRINK * size)
    here.points = torch.where(moved[:, None], trial, here.points)
    here.energies = torch.where(moved, f_new, f)
    here.gradients = torch.where(moved[:, None], g_new, g)


def _learn(here: Descent, step: Tensor, change: Tensor, finite: Tensor) -> None:
    """The BFGS update of the inverses by pairs that are positive enough.

    First H is set to s.s / s.y or, later, raised to s.y / y.H y where it is below that (Oren and Luenberger, Management
    Science 20, 845 (1974), upward only: half the steps of none). Then it becomes H - w s' - s w' with
    w = H y / s.y - (1 + y.H y / s.y) / (2 s.y) s.
    """
    sy, ss = (step * change).sum(1, keepdim=True), step.square().sum(1, keepdim=True)
    curved = finite[:, None] & (sy > CURVED * ss.sqrt() * change.norm(dim=1, keepdim=True))
    s, y = torch.where(curved, step, 0.0), torch.where(curved, change, 0.0)
    sy = torch.where(curved, sy, 1.0)
    first = curved[:, 0] & here.fresh
    if first.any():
        here.inverse[first] = torch.diag_embed((ss / sy)[first].expand(-1, step.shape[1]))
        here.fresh = here.fresh & ~first
    hy = torch.bmm(here.inverse, y[:, :, None])[:, :, 0]
    yhy = (y * hy).sum(1, keepdim=True)
    raised = torch.where(curved, (sy / yhy).clamp(min=1), 1.0)
    w = raised * hy / sy - (1 + raised * yhy / sy) / (2 * sy) * s
    here.inverse = torch.baddbmm(
        here.inverse * raised[:, :, None], torch.stack([w, s], 2), torch.stack([s, w], 1), alpha=-1
    )
