"""Underdamped Langevin dynamics: momentum with friction and thermal noise."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import NamedTuple

from samplers._arrays import Array, Generator, column, normal, precise
from samplers._kernel import Info, Potential, require_positive


class UnderdampedState(NamedTuple):
    """Positions with energies and gradients there, and velocities (k, d)."""

    points: Array
    energies: Array
    gradients: Array
    velocity: Array


@dataclass(frozen=True, slots=True)
class Underdamped:
    """BAOAB splitting (Leimkuhler and Matthews 2013) of dx = v dt, dv = -grad E dt - friction v dt + noise.

    The positions sample exp(-E / T) up to O(step_size^2); of a harmonic well the variance is exact at every step
    size. Where the potential draws minibatches, this is stochastic-gradient Hamiltonian Monte Carlo.

    Parameters
    ----------
    step_size : float
        Time step; about the square root of a Langevin step.
    temperature : float
        T.
    friction : float

    Examples
    --------
    >>> Underdamped(step_size=0.1, temperature=0.5, friction=1.0)
    Underdamped(step_size=0.1, temperature=0.5, friction=1.0)
    """

    step_size: float
    temperature: float
    friction: float = 1.0

    def __post_init__(self) -> None:
        for name in ("step_size", "temperature", "friction"):
            require_positive(name, getattr(self, name))

    def init(self, potential: Potential, points: Array, generator: Generator) -> UnderdampedState:
        """Start with thermal velocities."""
        energies, gradients = potential.draw_batch(generator, len(points)).value_and_grad(points)
        points = precise(points, gradients)
        return UnderdampedState(points, energies, gradients, column(self.temperature**0.5) * normal(points, generator))

    def step(
        self, potential: Potential, state: UnderdampedState, generator: Generator
    ) -> tuple[UnderdampedState, Info]:
        """Kick, drift, friction and noise, drift, kick."""
        half, kept = self.step_size / 2, math.exp(-self.friction * self.step_size)
        velocity = state.velocity - half * state.gradients
        points = state.points + half * velocity
        heat = column((self.temperature * (1 - kept**2)) ** 0.5)
        velocity = kept * velocity + heat * normal(points, generator)
        points = points + half * velocity
        energies, gradients = potential.draw_batch(generator, len(points)).value_and_grad(points)
        return UnderdampedState(points, energies, gradients, velocity - half * gradients), Info(energies)
