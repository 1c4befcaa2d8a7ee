"""Gradient descent and stochastic gradient descent, as samplers of what training finds."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

import torch
from torch import Tensor

from samplers._kernel import Info, Potential, require_positive


class DescentState(NamedTuple):
    """Positions with the full-batch energy and gradient there."""

    points: Tensor
    energies: Tensor
    gradients: Tensor


@dataclass(frozen=True, slots=True)
class GradientDescent:
    """Full-batch gradient descent, x <- x - lr grad E(x).

    Parameters
    ----------
    lr : float
        Step size.

    Examples
    --------
    >>> import torch, tda_landscape as tl
    >>> energy, generator = tl.zoo.double_well(1), torch.Generator()
    >>> kernel = GradientDescent(lr=0.1)
    >>> state = kernel.init(energy, torch.tensor([[0.5]]), generator)
    >>> kernel.step(energy, state, generator)[0].points
    tensor([[0.6500]], dtype=torch.float64)
    """

    lr: float

    def __post_init__(self) -> None:
        require_positive("lr", self.lr)

    def init(self, potential: Potential, points: Tensor, generator: torch.Generator) -> DescentState:
        """Evaluate the start points (k, d)."""
        energies, gradients = potential.value_and_grad(points)
        return DescentState(points.to(gradients.dtype), energies, gradients)

    def step(self, potential: Potential, state: DescentState, generator: torch.Generator) -> tuple[DescentState, Info]:
        """Take one step downhill."""
        points = state.points - self.lr * state.gradients
        energies, gradients = potential.value_and_grad(points)
        return DescentState(points, energies, gradients), Info(energies)


class SGDState(NamedTuple):
    """Positions and velocities (k, d)."""

    points: Tensor
    velocity: Tensor


@dataclass(frozen=True, slots=True)
class SGD:
    """Stochastic gradient descent with momentum, as in `torch.optim.SGD`: v <- m v + g, x <- x - lr v.

    All chains of a run see the same minibatch in each step; where the potential draws none, this is gradient
    descent with momentum.

    Parameters
    ----------
    lr : float
        Step size.
    momentum : float
        In [0, 1).

    Examples
    --------
    >>> SGD(lr=0.05, momentum=0.9)
    SGD(lr=0.05, momentum=0.9)
    """

    lr: float
    momentum: float = 0.0

    def __post_init__(self) -> None:
        require_positive("lr", self.lr)
        if not 0 <= self.momentum < 1:
            raise ValueError(f"momentum must be at least 0 and below 1, got {self.momentum}")

    def init(self, potential: Potential, points: Tensor, generator: torch.Generator) -> SGDState:
        """Start at rest."""
        return SGDState(points, torch.zeros_like(points))

    def step(self, potential: Potential, state: SGDState, generator: torch.Generator) -> tuple[SGDState, Info]:
        """Take one step on a fresh minibatch."""
        energies, gradients = potential.draw_batch(generator).value_and_grad(state.points)
        velocity = self.momentum * state.velocity + gradients
        return SGDState(state.points - self.lr * velocity, velocity), Info(energies)
