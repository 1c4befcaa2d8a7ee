"""Sliding down: descents whose every straight step goes down all along, and the check that one did."""

from __future__ import annotations

import numpy as np
import torch
from scipy.optimize import nnls
from torch import Tensor

from tda_landscape.energy import Energy
from tda_landscape.energy._batching import finite_or_inf

ALONG = torch.tensor([1 / 8, 1 / 4, 1 / 2, 3 / 4, 1], dtype=torch.float64)
"""Where each step is looked at; it is taken as far as the energy falls at all of them."""

MEMORY, SHRINK, STEPS = 12, 1 / 16, 2000
SIDES, NEAR_KINK, STATIONARY = 8, 0.1, 1e-6
"""Gradients of other sides of kinks that are kept, until steps are as long as this; what counts as a hull around 0."""

PIECES, ROUNDS = 4, 40


def slide(
    energy: Energy, start: Tensor, target: float, tolerance: float, radius: float, most: int = STEPS
) -> tuple[Tensor, float]:
    """Descend from a point (d,) to the target or a small gradient; the polyline (m, d), and the last energy.

    L-BFGS directions; a step ends where the energy begins to rise along it, so that no minimum is jumped over. At a
    kink, where no step along the gradient goes down, the shortest vector in the hull of the gradients met on its sides
    takes its place (Wolfe 1975).
    """
    line, steps, changes, sides = [start], list[Tensor](), list[Tensor](), list[Tensor]()
    values, gradients = energy.value_and_grad(start[None])
    here, g, retried = float(values[0]), gradients[0], False
    for _ in range(most):
        slope = shortest([g, *sides]) if sides else g
        if here <= target or not float(g.norm()) > tolerance * (1 + abs(here)):
            break
        if sides and not float(slope.norm()) > STATIONARY * float(g.norm()):
            if retried:
                break  # no direction goes down on all sides of the kink
            sides, retried = [], True  # some of them may be left behind
            continue
        step = -slope * (radius / float(slope.norm())) if sides else -_direction(steps, changes, g)
        if not float(step @ g) < 0:
            step, steps, changes = -slope, [], []
        step = step * min(1.0, radius / float(step.norm()))
        trial = line[-1] + ALONG.to(step.dtype)[:, None] * step
        e, slopes = energy.value_and_grad(trial)
        falling = (slopes @ step <= 0) & (e <= torch.cat([e.new_tensor([here]), e[:-1]])) & torch.isfinite(e)
        count = int(falling.int().cumprod(0).sum())
        if count == 0:
            radius = SHRINK * float(step.norm())
            sides = [*sides, slopes[0]][-SIDES:] if torch.isfinite(slopes[0]).all() else sides
            if radius < 1e-14 * (1 + float(line[-1].norm())):
                break
            continue
        radius = max(radius, 2 * float(step.norm())) if count == len(ALONG) else 2 * float(step.norm())
        steps, changes = _remembered(steps, changes, trial[count - 1] - line[-1], slopes[count - 1] - g)
        sides = sides[1:] if count == len(ALONG) and radius > NEAR_KINK * (1 + float(line[-1].norm())) else sides
        line.append(trial[count - 1])
        retried = False
        here, g = float(e[count - 1]), slopes[count - 1]
    return torch.stack(line), here


def shortest(vectors: list[Tensor]) -> Tensor:
    """The shortest vector in the convex hull of vectors (d,)."""
    table = torch.stack(vectors)
    weight = 1e3 * float(table.norm())
    system = torch.cat([table.T, table.new_full((1, len(table)), weight)]).numpy()
    factors = torch.as_tensor(nnls(system, np.append(np.zeros(table.shape[1]), weight))[0], dtype=table.dtype)
    found: Tensor = factors @ table / factors.sum()
    return found


def falls(energy: Energy, line: Tensor, noise: float) -> tuple[Tensor, float]:
    """Check a polyline (m, d) adaptively; the part of it along which the energy never rises by more than `noise`.

    The rise is that above the lowest value so far. A piece whose slopes at both ends go down is taken to fall; one
    that goes up at an end, or whose slopes differ so much that it could hide a rise, is bisected.

    Returns
    -------
    line : Tensor
        Up to the first vertex after which the energy rises; all of it where it never does.
    rise : float
        Of the part that is returned.
    """
    at = torch.linspace(0, 1, PIECES + 1, dtype=line.dtype)[:-1]
    place = torch.cat([(torch.arange(len(line) - 1)[:, None] + at).flatten(), torch.tensor([len(line) - 1.0])])
    e, s = _measure(energy, line, place)
    for _ in range(ROUNDS):
        lowest = e.cummin(0).values
        width = place.diff()
        # Slopes that differ little from each other hide nothing; others a hill, or a dip and a rise out of it.
        bend, gentle = (s[1:, 0] - s[:-1, 1]).abs(), torch.minimum(-s[:-1, 1], -s[1:, 0])
        hidden = torch.where(bend <= 2 * gentle, 0.0, bend * width / 4)
        rise = torch.maximum(e[:-1], e[1:]) - lowest[:-1] + 2 * hidden
        open_ = (rise > noise) & (width > 1e-9)
        measured = e[1:] - lowest[1:] > noise
        if not open_.any() or measured.any():
            break
        new = ((place[1:] + place[:-1]) / 2)[open_]
        e_new, s_new = _measure(energy, line, new)
        order = torch.cat([place, new]).argsort()
        place, e, s = torch.cat([place, new])[order], torch.cat([e, e_new])[order], torch.cat([s, s_new])[order]
    high = torch.nonzero(e - e.cummin(0).values > noise).flatten()
    last = len(line) - 1 if not len(high) else int(place[high[0]].ceil()) - 1
    kept = e[place <= last]
    return line[: last + 1], float((kept - kept.cummin(0).values).max())


def _measure(energy: Energy, line: Tensor, place: Tensor) -> tuple[Tensor, Tensor]:
    """Energies (p,) at places along a polyline, and slopes (p, 2) by the place, to the left and to the right."""
    segment = place.long().clamp(max=len(line) - 2)
    step = line.diff(dim=0)
    points = line[segment] + (place - segment)[:, None] * step[segment]
    values, gradients = energy.value_and_grad(torch.where((place == len(line) - 1)[:, None], line[-1], points))
    before = torch.where((place == segment) & (segment > 0), segment - 1, segment)
    slopes = torch.stack([(gradients * step[s]).sum(1) for s in (before, segment)], dim=1)
    return finite_or_inf(values), slopes.nan_to_num(nan=0.0)


def _direction(steps: list[Tensor], changes: list[Tensor], g: Tensor) -> Tensor:
    """The L-BFGS direction by the two-loop recursion (Nocedal 1980)."""
    q, factors = g.clone(), list[Tensor]()
    for s, y in zip(reversed(steps), reversed(changes), strict=True):
        factors.append((s @ q) / (s @ y))
        q = q - factors[-1] * y
    if steps:
        q = q * (steps[-1] @ changes[-1]) / changes[-1].square().sum()
    for s, y, a in zip(steps, changes, reversed(factors), strict=True):
        q = q + (a - (y @ q) / (s @ y)) * s
    return q


def _remembered(
    steps: list[Tensor], changes: list[Tensor], step: Tensor, change: Tensor
) -> tuple[list[Tensor], list[Tensor]]:
    """The pairs with one more, where its curvature is positive enough."""
    if not float(step @ change) > 1e-8 * float(step.norm() * change.norm()):
        return steps, changes
    return [*steps, step][-MEMORY:], [*changes, change][-MEMORY:]
