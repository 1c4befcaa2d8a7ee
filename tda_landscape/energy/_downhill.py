"""Batched trust-region L-BFGS: every point has its own curvature, radius and step length, and its own end.

Each point steps along the L-BFGS direction; the step length solves the quadratic model for the value that is
wanted, so there is no learning rate. Where the model cannot reach it, the curvature that it assumes outside the
directions seen so far is lowered until it can, within limits. A step is rejected when it gains less than a
thousandth of what the model promised; its curvature is kept all the same, since it is information.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from tda_landscape.energy._batching import Meter, Task, finite_or_inf

SUFFICIENT, GOOD, SHRINK, GROW = 1e-3, 0.5, 0.3, 2.0
BOLDEST = 5.0  # inverse curvature assumed in unseen directions, relative to the largest that was seen


@dataclass(slots=True)
class Walkers:
    """Points on their way down, with energies, gradients, trust radii and curvature pairs of their own."""

    points: Tensor  # (k, d)
    energies: Tensor  # (k,), NaN where not evaluated yet
    gradients: Tensor  # (k, d)
    radius: Tensor  # (k,)
    steps: Tensor  # (k, m, d), newest last, zero where empty
    changes: Tensor  # (k, m, d), gradient changes along the steps

    @classmethod
    def at(cls, points: Tensor, radius: float) -> Walkers:
        """Put new walkers at points (k, d), not evaluated yet."""
        k, d = points.shape
        memory = max(4, min(20, 2**19 // d))
        empty = points.new_zeros(k, memory, d)
        return cls(
            points.clone(),
            points.new_full((k,), torch.nan),
            torch.zeros_like(points),
            points.new_full((k,), radius),
            empty,
            empty.clone(),
        )

    def take(self, rows: Tensor | slice) -> Walkers:
        """Return copies of some walkers."""
        return Walkers(*(getattr(self, name)[rows].clone() for name in Walkers.__slots__))

    def insert(self, at: int, other: Walkers) -> None:
        """Put other walkers before position `at`."""
        for name in Walkers.__slots__:
            mine = getattr(self, name)
            setattr(self, name, torch.cat([mine[:at], getattr(other, name), mine[at:]]))

    def evaluate_new(self, meter: Meter) -> Task[None]:
        """Evaluate the walkers that have not been yet."""
        new = torch.nonzero(self.energies.isnan()).flatten()
        if len(new):
            energies, gradients = yield from meter.gradients(self.points[new])
            self.energies[new] = finite_or_inf(energies)
            self.gradients[new] = gradients


def step_down(walkers: Walkers, rows: Tensor, need: Tensor | None, meter: Meter) -> Task[tuple[Tensor, Tensor]]:
    """Try one step of some walkers, to lose `need` (r,) of energy or, without it, to the model's minimum.

    Returns which rows moved, and the energy that each row lost.
    """
    f, g = walkers.energies[rows], walkers.gradients[rows]
    direction, informed = _direction(walkers.steps[rows], walkers.changes[rows], g, need)
    slope = (g * direction).sum(1)
    uphill = ~(slope > 0)
    direction = torch.where(uphill[:, None], g, direction)
    slope = torch.where(uphill, g.square().sum(1), slope)
    length = direction.norm(dim=1).clamp(min=1e-300)
    t = _step_length(need, slope, informed, walkers.radius[rows] / length)
    capped = t * length > walkers.radius[rows]
    t = torch.minimum(t, walkers.radius[rows] / length)
    promised = slope * (t - t * t / 2).clamp(min=0)
    step = -t[:, None] * direction
    trial = walkers.points[rows] + step
    f_new, g_new = yield from meter.gradients(trial)
    finite = torch.isfinite(f_new) & torch.isfinite(g_new).all(1)
    remember(walkers, rows[finite], step[finite], (g_new - g)[finite])
    noise = 8 * torch.finfo(f.dtype).eps * (1 + f.abs())  # where rounding hides the gain, the gradient decides
    gain = torch.where(finite, f - f_new, -torch.inf)
    still = (gain >= -noise) & (promised < 100 * noise) & (g_new.norm(dim=1) < g.norm(dim=1))
    moved = finite & ((gain > SUFFICIENT * promised) & (gain > 0) | still)
    size = t * length
    grown = torch.where((gain > GOOD * promised) & capped, GROW * walkers.radius[rows], walkers.radius[rows])
    walkers.radius[rows] = torch.where(moved, torch.maximum(grown, size), SHRINK * size)
    here = rows[moved]
    walkers.points[here], walkers.energies[here] = trial[moved], f_new[moved]
    walkers.gradients[here] = g_new[moved]
    return moved, torch.where(moved, gain, torch.zeros_like(gain))


def minimize(
    points: Tensor, radius: float, tolerance: float, max_steps: int, meter: Meter, budget: float = torch.inf
) -> Task[Walkers]:
    """Descend from points (k, d) until |g| <= tolerance (1 + |E|), each by itself, or steps or budget are used up."""
    walkers = Walkers.at(points, radius)
    yield from walkers.evaluate_new(meter)
    dead = torch.zeros(len(points), dtype=torch.bool)
    for _ in range(max_steps):
        size = walkers.gradients.norm(dim=1)
        open_ = torch.isfinite(walkers.energies) & (size > tolerance * (1 + walkers.energies.abs())) & ~dead
        rows = torch.nonzero(open_).flatten()
        if not len(rows) or meter.spent + len(rows) > budget:
            break
        yield from step_down(walkers, rows, None, meter)
        # A radius at rounding level means that no step can be told from standing still.
        dead = walkers.radius < 1e-15 * (1 + walkers.points.norm(dim=1))
    return walkers


def _step_length(need: Tensor | None, slope: Tensor, informed: Tensor, at_radius: Tensor) -> Tensor:
    """Solve the quadratic model for the wanted loss; without curvature, a Polyak step."""
    if need is None:
        return torch.where(informed, torch.ones_like(slope), at_radius)
    rest = 1 - 2 * need / slope
    solved = torch.where(rest > 0, 1 - rest.clamp(min=0).sqrt(), torch.ones_like(rest))
    return torch.where(informed, solved, need / slope)


def remember(walkers: Walkers, rows: Tensor, step: Tensor, change: Tensor) -> None:
    """Store the curvature pairs that are positive enough."""
    curved = (step * change).sum(1) > 1e-3 * step.norm(dim=1) * change.norm(dim=1)
    rows = rows[curved]
    for store, new in ((walkers.steps, step[curved]), (walkers.changes, change[curved])):
        store[rows] = torch.cat([store[rows][:, 1:], new[:, None]], dim=1)


def _direction(steps: Tensor, changes: Tensor, g: Tensor, need: Tensor | None) -> tuple[Tensor, Tensor]:
    """Inverse L-BFGS matrix times g (k, d), and which rows have any curvature.

    Compact form (Byrd, Nocedal, Schnabel, Math. Program. 63, 1994, eq. 3.6) with H0 = scale, in which the direction
    is linear: the scale is the median of s.y / y.y or, where that promises less than `need`, larger.
    """
    products = steps @ changes.mT
    sy = products.diagonal(dim1=1, dim2=2)
    valid = sy > 0
    if not valid.any():
        return g, valid.any(1)
    upper = torch.triu(products) + torch.diag_embed((~valid).to(g.dtype))
    p = _solve(upper, (steps @ g[:, :, None])[:, :, 0], upper=True)
    yp = (changes.mT @ p[:, :, None])[:, :, 0]
    seen = (steps.mT @ _solve(upper.mT, sy * p, upper=False)[:, :, None])[:, :, 0]
    mixed = _solve(upper.mT, (changes @ (yp - g)[:, :, None])[:, :, 0], upper=False)
    unseen = g - yp + (steps.mT @ mixed[:, :, None])[:, :, 0]
    ratio = torch.where(valid, sy / changes.square().sum(2).clamp(min=1e-300), torch.nan)
    scale = ratio.nanmedian(dim=1).values.nan_to_num(nan=1.0)
    if need is not None:
        largest = ratio.nan_to_num(nan=-torch.inf).amax(1).clamp(min=scale)
        solved = (2 * need - (g * seen).sum(1)) / (g * unseen).sum(1).clamp(min=1e-300)
        scale = torch.minimum(torch.maximum(solved.nan_to_num(nan=0.0), scale), BOLDEST * largest)
    return seen + scale[:, None] * unseen, valid.any(1)


def _solve(triangle: Tensor, right: Tensor, *, upper: bool) -> Tensor:
    """Solve a batch of triangular systems."""
    solution: Tensor = torch.linalg.solve_triangular(triangle, right[:, :, None], upper=upper)
    return solution[:, :, 0]
