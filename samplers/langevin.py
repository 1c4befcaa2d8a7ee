"""Overdamped Langevin dynamics: gradient descent with thermal noise."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, NamedTuple

from samplers._arrays import Array, Generator, column, moved, normal, precise
from samplers._kernel import Info, Potential, Schedule, at, require_positive


class LangevinState(NamedTuple):
    """Positions (k, d) with the energy and gradient there, of the minibatch of the next step where there are any."""

    points: Array
    energies: Array
    gradients: Array
    step: int


@dataclass(frozen=True, slots=True)
class Langevin:
    """Unadjusted Langevin, x <- x - h grad E(x) + sqrt(2 h T) noise, which samples exp(-E / T) as h -> 0.

    Where the potential draws minibatches it is stochastic-gradient Langevin dynamics. Its law is off by O(h): on a
    harmonic well E = a x^2 / 2 the variance is 2 T / (a (2 - h a)). Others write a step epsilon and a log density:
    epsilon = h T with log p = -E / T.

    Parameters
    ----------
    step_size : float or Schedule
        h.
    temperature : float or Schedule
        T; there is no default, since energies have no common scale.

    Examples
    --------
    >>> Langevin(step_size=0.01, temperature=0.1)
    Langevin(step_size=0.01, temperature=0.1)
    """

    step_size: float | Schedule
    temperature: float | Schedule

    def __post_init__(self) -> None:
        require_positive("step_size", self.step_size)
        require_positive("temperature", self.temperature)

    @classmethod
    def from_equation(cls, gamma: float, gamma_prime: float, dt: float) -> Langevin:
        """Discretise dw = -gamma grad E dt + gamma' dB: h = gamma dt and T = gamma'^2 / (2 gamma).

        Examples
        --------
        >>> Langevin.from_equation(gamma=2.0, gamma_prime=1.0, dt=0.01)
        Langevin(step_size=0.02, temperature=0.25)
        """
        for name, value in (("gamma", gamma), ("gamma_prime", gamma_prime), ("dt", dt)):
            require_positive(name, value)
        return cls(step_size=gamma * dt, temperature=gamma_prime**2 / (2 * gamma))

    def init(self, potential: Potential, points: Array, generator: Generator) -> LangevinState:
        """Evaluate the start points (k, d)."""
        energies, gradients = potential.draw_batch(generator, len(points)).value_and_grad(points)
        return LangevinState(precise(points, gradients), energies, gradients, 0)

    def step(self, potential: Potential, state: LangevinState, generator: Generator) -> tuple[LangevinState, Info]:
        """Take one step of every chain, each with its own noise."""
        h: Any = at(self.step_size, state.step)
        scale = column((2 * h * at(self.temperature, state.step)) ** 0.5)
        points = moved(state.points, state.gradients, h, normal(state.points, generator), scale)
        energies, gradients = potential.draw_batch(generator, len(points)).value_and_grad(points)
        return LangevinState(points, energies, gradients, state.step + 1), Info(energies)
