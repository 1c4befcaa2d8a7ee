"""Gradient descent and stochastic gradient descent, as samplers of what training finds."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

from samplers._arrays import Array, Generator, precise
from samplers._kernel import Info, Potential, Schedule, at, require_positive


class DescentState(NamedTuple):
    """Positions with the full-batch energy and gradient there, and the number of steps made."""

    points: Array
    energies: Array
    gradients: Array
    step: int


@dataclass(frozen=True, slots=True)
class GradientDescent:
    """Full-batch gradient descent, x <- x - lr grad E(x).

    Parameters
    ----------
    lr : float or Schedule
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

    lr: float | Schedule

    def __post_init__(self) -> None:
        require_positive("lr", self.lr)

    def init(self, potential: Potential, points: Array, generator: Generator) -> DescentState:
        """Evaluate the start points (k, d)."""
        energies, gradients = potential.value_and_grad(points)
        return DescentState(precise(points, gradients), energies, gradients, 0)

    def step(self, potential: Potential, state: DescentState, generator: Generator) -> tuple[DescentState, Info]:
        """Take one step downhill."""
        points = state.points - at(self.lr, state.step) * state.gradients
        energies, gradients = potential.value_and_grad(points)
        return DescentState(points, energies, gradients, state.step + 1), Info(energies)


class SGDState(NamedTuple):
    """Positions and velocities (k, d), and the number of steps made."""

    points: Array
    velocity: Array
    step: int


@dataclass(frozen=True, slots=True)
class SGD:
    """Stochastic gradient descent with momentum, as in `torch.optim.SGD`: v <- m v + g, x <- x - lr v.

    Each chain draws its own minibatches, so the chains are independent; where the potential draws none, this is
    gradient descent with momentum.

    Parameters
    ----------
    lr : float or Schedule
        Step size.
    momentum : float
        In [0, 1).

    Examples
    --------
    >>> SGD(lr=0.05, momentum=0.9)
    SGD(lr=0.05, momentum=0.9)
    """

    lr: float | Schedule
    momentum: float = 0.0

    def __post_init__(self) -> None:
        require_positive("lr", self.lr)
        if not 0 <= self.momentum < 1:
            raise ValueError(f"momentum must be at least 0 and below 1, got {self.momentum}")

    def init(self, potential: Potential, points: Array, generator: Generator) -> SGDState:
        """Start at rest."""
        return SGDState(points, points * 0.0, 0)

    def step(self, potential: Potential, state: SGDState, generator: Generator) -> tuple[SGDState, Info]:
        """Take one step on fresh minibatches."""
        batch = potential.draw_batch(generator, len(state.points))
        energies, gradients = batch.value_and_grad(state.points)
        velocity = self.momentum * state.velocity + gradients
        points = state.points - at(self.lr, state.step) * velocity
        return SGDState(points, velocity, state.step + 1), Info(energies)
