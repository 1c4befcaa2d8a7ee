"""Curves with control points, pulled at points drawn along them."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal, get_args

import torch
from torch import Tensor

from tda_landscape._errors import InputError, expect_whole
from tda_landscape.energy._batching import Meter, Task, finite_or_inf
from tda_landscape.paths._profile import Outset

Objective = Literal["mean", "softmax"]
FIRST_SHARPNESS, LAST_SHARPNESS = 5.0, 30.0
"""Of the soft maximum, over the range of the energies drawn; it grows geometrically while the budget is spent."""


def check_curve(bends: int, draws: int, objective: str) -> None:
    """Refuse what is no curve."""
    expect_whole("[1, inf)", bends=bends, draws=draws)
    if objective not in get_args(Objective):
        raise InputError(f"objective must be 'mean' or 'softmax', got {objective!r}")


@dataclass(frozen=True, slots=True)
class Curve:
    """A curve sum_k weights(t)_k p_k whose control points p go down the mean, or a soft maximum, of E along it."""

    weights: Callable[[Tensor, int], Tensor]
    objective: Objective
    draws: int
    vertices: int | None  # of the polyline that stands for the curve; None: the control points are its vertices

    @property
    def cost(self) -> int:
        """A gradient a draw."""
        return self.draws

    def pull(
        self, points: Tensor, outset: Outset, share: float, generator: torch.Generator, meter: Meter
    ) -> Task[tuple[Tensor, int | None]]:
        """Force (m, d) on control points, from one uniform draw in each of equal parts of [0, 1]."""
        noise = torch.rand(self.draws, generator=generator, dtype=points.dtype)
        weights = self.weights((torch.arange(self.draws) + noise) / self.draws, len(points))
        energies, gradients = yield from meter.gradients(weights @ points)
        finite = torch.isfinite(energies) & torch.isfinite(gradients).all(1)
        attention = self._attention(finite_or_inf(energies), finite, share)
        force = -weights.mT @ (attention[:, None] * torch.where(finite[:, None], gradients, 0.0))
        return torch.nn.functional.pad(force[1:-1], (0, 0, 1, 1)), None

    def _attention(self, energies: Tensor, finite: Tensor, share: float) -> Tensor:
        """Weights (draws,) of the gradients; draws that are not finite have none."""
        if self.objective == "mean" or not finite.any():
            return finite / self.draws
        span = (energies[finite].max() - energies[finite].min()).clamp(min=1e-300)
        sharpness = FIRST_SHARPNESS * (LAST_SHARPNESS / FIRST_SHARPNESS) ** share
        score = torch.where(finite, sharpness * (energies - energies[finite].max()) / span, -torch.inf)
        return torch.softmax(score, 0)

    def put_in_order(self, points: Tensor, climber: int | None) -> Tensor:
        """Control points stay where they are."""
        return points

    def polyline(self, points: Tensor) -> Tensor:
        """The control points, or points at even parameters of a curve that is not straight between them."""
        if self.vertices is None:
            return points
        t = torch.linspace(0, 1, self.vertices, dtype=points.dtype)
        return torch.cat([points[:1], (self.weights(t, len(points)) @ points)[1:-1], points[-1:]])


def bernstein(t: Tensor, count: int) -> Tensor:
    """Bernstein polynomials (s, count) at t (s,): the weights of a Bezier curve."""
    degree, k = count - 1, torch.arange(count)
    binomials = torch.tensor([math.comb(degree, i) for i in range(count)], dtype=t.dtype)
    return binomials * t[:, None] ** k * (1 - t[:, None]) ** (degree - k)


def hats(t: Tensor, count: int) -> Tensor:
    """Piecewise linear weights (s, count) at t (s,): those of a polygonal chain."""
    return (1 - (t[:, None] * (count - 1) - torch.arange(count)).abs()).clamp(min=0)
