"""Losses that are sums over the outputs: squared error, logistic, absolute and Huber error."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor

from tda_landscape.certificates._rounding import U


@dataclass(frozen=True, slots=True, eq=False)
class Separable:
    """Σ_i l(y_i, t_i). A convex l is largest at an end of an interval: the box bound is exact.

    `remainder` of one output for |x| <= width: half the largest second derivative times x^2, or for |y - t|,
    whose slope jumps by 2, what is left when x crosses the kink.
    """

    scale: float
    targets: Tensor
    one: Callable[[Tensor, Tensor], Tensor]
    one_slope: Callable[[Tensor, Tensor], Tensor]
    one_remainder: Callable[[Tensor, Tensor, Tensor], Tensor]
    quadratic: bool = False  # whether l is (y - t)^2

    def value(self, y: Tensor, t: Tensor) -> Tensor:
        """Sum over outputs."""
        return self.one(y, t).sum(-1)

    def tangent(self, y: Tensor, t: Tensor) -> tuple[Tensor, Tensor]:
        """Sum over outputs, and the derivative in each."""
        return self.one(y, t).sum(-1), self.one_slope(y, t)

    def remainder(self, y: Tensor, t: Tensor, down: Tensor, up: Tensor) -> Tensor:
        """Sum of the remainders."""
        return self.one_remainder(y, t, torch.maximum(up, -down)).sum(-1)

    def box(self, y: Tensor, t: Tensor, down: Tensor, up: Tensor) -> Tensor:
        """Sum of the larger end values."""
        return torch.maximum(self.one(y + up, t), self.one(y + down, t)).sum(-1)

    def error(self, size: Tensor, t: Tensor) -> Tensor:
        """At most 16 operations an output on numbers of size 1 + |y| (1 + |t|) + |t|, then a sum of q."""
        return (32 + size.shape[-1]) * U * (1 + size * (1 + t.abs()) + t.abs()).sum(-1)

    def slope_error(self, outputs: int) -> float:
        """At most 16 operations."""
        return 16 * U


def squared(targets: Tensor, scale: float) -> Separable:
    """(y - t)^2."""
    return Separable(
        scale,
        targets,
        lambda y, t: (y - t).square(),
        lambda y, t: 2 * (y - t),
        lambda y, t, width: width.square(),
        quadratic=True,
    )


def logistic(targets: Tensor, scale: float) -> Separable:
    """log(1 + e^y) - t y, with second derivative at most 1/4."""
    return Separable(
        scale,
        targets,
        lambda y, t: y.clamp(min=0) + torch.log1p(torch.exp(-y.abs())) - t * y,
        lambda y, t: torch.sigmoid(y) - t,
        lambda y, t, width: 0.125 * width.square(),
    )


def absolute(targets: Tensor, scale: float) -> Separable:
    """|y - t|, with subgradient sign(y - t)."""
    return Separable(
        scale,
        targets,
        lambda y, t: (y - t).abs(),
        lambda y, t: (y - t).sign(),
        lambda y, t, width: torch.where(y == t, width, 2 * (width - (y - t).abs()).clamp(min=0)),
    )


def huber(targets: Tensor, scale: float, delta: float) -> Separable:
    """(y - t)^2 / 2 up to |y - t| = delta, then delta (|y - t| - delta / 2); second derivative at most 1."""

    def one(y: Tensor, t: Tensor) -> Tensor:
        distance = (y - t).abs()
        near = distance.clamp(max=delta)
        return near * (distance - 0.5 * near)

    return Separable(
        scale,
        targets,
        one,
        lambda y, t: (y - t).clamp(-delta, delta),
        lambda y, t, width: 0.5 * width.square(),
    )
