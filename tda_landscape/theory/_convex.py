"""Minimizing smooth convex functions of a few variables, many at once: damped Newton steps."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import torch
from torch import Tensor
from torch.func import grad, hessian, vmap

STEPS, TRIES = 60, 24
"""Newton steps, and how often each is damped more."""

TOLERANCE, ROUNDING = 1e-11, 1e-15
"""A gradient of at most this, relative to the one at the start, or of rounding ends the search."""

SOLVED = 1e-8
"""A gradient above this, relative to 1 and the one at the start, means that no minimum was found."""

SINGULAR = 1e-14
"""Damping of the first try, relative to the largest curvature: so much is rounding."""


class Minimum(NamedTuple):
    """Where the steps ended: points (k, r), values (k,), gradient norms (k,), and where those are small (k,)."""

    points: Tensor
    values: Tensor
    slopes: Tensor
    solved: Tensor


def minimize_convex(function: Callable[[Tensor, Tensor], Tensor], start: Tensor, context: Tensor) -> Minimum:
    """Minimize u -> function(u, c), from each row u of `start` (k, r), with the row c of `context` (k, ...) as it is.

    Each step solves (H + m I) s = -g, with m at the rounding of H, or larger until the value falls. Where the
    infimum lies at infinity the points run after it.
    """
    slope_of, curvature_of, value_of = vmap(grad(function)), vmap(hessian(function)), vmap(function)
    points = start.clone()
    values, slopes = value_of(points, context), slope_of(points, context)
    first = slopes.norm(dim=1)
    live = torch.arange(len(points))
    for _ in range(STEPS):
        live = live[slopes[live].norm(dim=1) > (TOLERANCE * first[live]).clamp(min=ROUNDING)]
        if not len(live):
            break
        x, c, g = points[live], context[live], slopes[live]
        moved, x, value = _descended(value_of, x, c, values[live], g, curvature_of(x, c))
        live = live[moved]
        if not len(live):
            break
        points[live], values[live] = x[moved], value[moved]
        slopes[live] = slope_of(points[live], context[live])
    left = slopes.norm(dim=1)
    return Minimum(points, values, left, left <= SOLVED * (1 + first))


def newton_step(curvature: Tensor, slope: Tensor, damping: Tensor | float = 0.0) -> Tensor:
    """Steps (k, r) for Hessians (k, r, r), gradients (k, r) and damping (k, 1)."""
    values, axes = torch.linalg.eigh(curvature)
    floor = SINGULAR * values.abs().amax(1, keepdim=True) + 1e-300
    along = (axes.mT @ slope[:, :, None])[:, :, 0] / (values.clamp(min=0) + floor + damping)
    step: Tensor = -(axes @ along[:, :, None])[:, :, 0]
    return step


def _descended(
    value_of: Callable[[Tensor, Tensor], Tensor], x: Tensor, c: Tensor, before: Tensor, slope: Tensor, curvature: Tensor
) -> tuple[Tensor, Tensor, Tensor]:
    """Damp each step until the value falls by a ten-thousandth of what the slope promises; which did, and to where."""
    good, new, value = torch.zeros_like(before, dtype=torch.bool), x.clone(), before.clone()
    # Below rounding a Newton step is taken on trust: what it gains cannot be seen in the value.
    seen = 4 * torch.finfo(before.dtype).eps * before.abs()
    for k in range(TRIES):
        rows = (~good).nonzero().flatten()
        if not len(rows):
            break
        # From the second try on: steps of at most 10^5, 10^4, ... where there is no curvature.
        damping = slope[rows].norm(dim=1, keepdim=True) * 10.0 ** (k - 6) if k else 0.0
        step = newton_step(curvature[rows], slope[rows], damping)
        tried, promised = value_of(x[rows] + step, c[rows]), -(slope[rows] * step).sum(1)
        falls = tried <= before[rows] - 1e-4 * promised
        falls |= (tried <= before[rows] + seen[rows]) & (promised <= 100 * seen[rows])
        good[rows], new[rows], value[rows] = falls, x[rows] + step, tried
    return good, new, value
