"""Uniform points of a sublevel set by straight flight and reflection."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, NamedTuple

from samplers._arrays import Array, Generator, choose, normal, precise
from samplers._kernel import Info, Potential, require_level, require_positive

TINY = 1e-300
"""Keeps a vanishing gradient from dividing by zero; the flight is then not deflected."""


class GalileanState(NamedTuple):
    """Positions with the full-batch energy there, and velocities (k, d) in units of the step size."""

    points: Array
    energies: Array
    velocity: Array
    step: int


@dataclass(frozen=True, slots=True)
class Galilean:
    """Galilean Monte Carlo (Skilling 2012): fly straight; where that leaves {E <= level}, reflect.

    The trial point x + step_size v is taken if it is inside. Else v is reflected about the gradient at the trial
    point, and the point reached from there is taken if it is inside; if that fails too the chain stays and its
    velocity turns back. Each of the three undoes itself when velocities are reversed, so the uniform law is kept.

    Parameters
    ----------
    level : float
        u.
    step_size : float
        Length of a step in each coordinate (v is standard normal); a warm-up adapts it until 0.6 of the trials are
        inside.
    refresh : int
        Steps between fresh velocities.

    Examples
    --------
    >>> import samplers, tda_landscape as tl
    >>> energy = tl.zoo.double_well(2)
    >>> start = energy.start(64, 0)
    >>> start = start[energy(start) <= 1.2]
    >>> chains = samplers.run(energy, Galilean(level=1.2, step_size=0.3), start, draws=100)
    >>> bool((chains.energies <= 1.2).all())
    True
    """

    level: float
    step_size: float
    refresh: int = 10

    target_acceptance: ClassVar[float] = 0.6
    full_batch: ClassVar[bool] = True

    def __post_init__(self) -> None:
        require_level(self.level)
        require_positive("step_size", self.step_size)
        if self.refresh < 1:
            raise ValueError(f"refresh must be at least 1 step, got {self.refresh}")

    def init(self, potential: Potential, points: Array, generator: Generator) -> GalileanState:
        """Evaluate the start points (k, d); velocities are drawn by the first step."""
        energies = potential(points)
        points = precise(points, energies)
        return GalileanState(points, energies, points * 0.0, 0)

    def step(self, potential: Potential, state: GalileanState, generator: Generator) -> tuple[GalileanState, Info]:
        """Fly, reflect or turn back."""
        velocity = state.velocity
        if state.step % self.refresh == 0:
            velocity = normal(state.points, generator)
        points = state.points + self.step_size * velocity
        energies, gradients = potential.value_and_grad(points)
        inside = energies <= self.level
        squares = (gradients * gradients).sum(1) + TINY
        turned = velocity - (2 * (velocity * gradients).sum(1) / squares)[:, None] * gradients
        beyond = points + self.step_size * turned
        energies_beyond = potential(beyond)
        reflected = energies_beyond <= self.level
        after = GalileanState(
            choose(inside, points, choose(reflected, beyond, state.points)),
            choose(inside, energies, choose(reflected, energies_beyond, state.energies)),
            choose(inside, velocity, choose(reflected, turned, -velocity)),
            state.step + 1,
        )
        return after, Info(after.energies, inside)
