"""Minimizing smooth convex functions of a few variables, many at once: regularized Newton steps."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import torch
from torch import Tensor
from torch.func import grad, hessian, vmap

STEPS, HALVINGS = 100, 40
"""Newton steps, and how often each is halved."""

TOLERANCE = 1e-11
"""A gradient of at most this, relative to the one at the start and 1, ends the search."""


class Minimum(NamedTuple):
    """Where the steps ended: points (k, r), values (k,), norms of the gradients there (k,)."""

    points: Tensor
    values: Tensor
    slopes: Tensor


def minimize_convex(function: Callable[[Tensor, Tensor], Tensor], start: Tensor, context: Tensor) -> Minimum:
    """Minimize u -> function(u, c), from each row u of `start` (k, r), with the row c of `context` (k, ...) as it is.

    Each step solves (H + m I) s = -g, where m is as small as the gradient is, and is halved until the value falls.
    Where the infimum lies at infinity the points run after it, and the slopes say how far they came.
    """
    slope_of, curvature_of, value_of = vmap(grad(function)), vmap(hessian(function)), vmap(function)
    points = start.clone()
    values, slopes = value_of(points, context), slope_of(points, context)
    first = slopes.norm(dim=1)
    live = torch.arange(len(points))
    for _ in range(STEPS):
        live = live[slopes[live].norm(dim=1) > TOLERANCE * (1 + first[live])]
        if not len(live):
            break
        x, c, g = points[live], context[live], slopes[live]
        step = newton_step(curvature_of(x, c), g)
        moved, x, value = _halved(value_of, x, c, values[live], g, step)
        live = live[moved]
        points[live], values[live] = x[moved], value[moved]
        slopes[live] = slope_of(points[live], context[live])
    return Minimum(points, values, slopes.norm(dim=1))


def newton_step(curvature: Tensor, slope: Tensor) -> Tensor:
    """Regularized Newton steps (k, r) for Hessians (k, r, r) and gradients (k, r)."""
    values, axes = torch.linalg.eigh(curvature)
    size = slope.detach().norm(dim=1, keepdim=True)
    floor = 1e-14 * values.abs().amax(1, keepdim=True) + 1e-3 * size.clamp(max=1e-6) + 1e-300
    along = (axes.mT @ slope[:, :, None])[:, :, 0]
    return -(axes @ (along / (values.clamp(min=0) + floor))[:, :, None])[:, :, 0]


def _halved(
    value_of: Callable[[Tensor, Tensor], Tensor], x: Tensor, c: Tensor, before: Tensor, slope: Tensor, step: Tensor
) -> tuple[Tensor, Tensor, Tensor]:
    """Halve each step until the value falls by a ten-thousandth of what the slope promises, or does not rise at all."""
    promised = -(slope * step).sum(1)
    t = torch.ones_like(before)
    for _ in range(HALVINGS):
        value = value_of(x + t[:, None] * step, c)
        # Below rounding a Newton step is taken on trust: what it gains cannot be seen in the value.
        seen = 4 * torch.finfo(before.dtype).eps * before.abs()
        good = (value <= before - 1e-4 * t * promised) | ((value <= before + seen) & (promised <= 100 * seen))
        if good.all():
            break
        t = torch.where(good, t, t / 2)
    return good, x + t[:, None] * step, value
