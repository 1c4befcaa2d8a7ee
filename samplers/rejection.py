"""Uniform points of a sublevel set by a random walk that refuses to leave it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, NamedTuple

from samplers._arrays import Array, Generator, choose, normal, precise
from samplers._kernel import Info, Potential, require_level, require_positive


class InsideState(NamedTuple):
    """Positions (k, d) with the full-batch energy there."""

    points: Array
    energies: Array


@dataclass(frozen=True, slots=True)
class Rejection:
    """Random walk: y = x + step_size noise, refused where E(y) > level. Keeps the uniform law on {E <= level}.

    A finite step may jump from one component to another: that a chain visits two is no evidence of a path.

    Parameters
    ----------
    level : float
        u.
    step_size : float
        Standard deviation of a step; a warm-up adapts it to an acceptance of 0.3.

    Examples
    --------
    >>> Rejection(level=0.5, step_size=0.2)
    Rejection(level=0.5, step_size=0.2)
    """

    level: float
    step_size: float

    target_acceptance: ClassVar[float] = 0.3
    full_batch: ClassVar[bool] = True

    def __post_init__(self) -> None:
        require_level(self.level)
        require_positive("step_size", self.step_size)

    def init(self, potential: Potential, points: Array, generator: Generator) -> InsideState:
        """Evaluate the start points (k, d)."""
        energies = potential(points)
        return InsideState(precise(points, energies), energies)

    def step(self, potential: Potential, state: InsideState, generator: Generator) -> tuple[InsideState, Info]:
        """Propose, and stay where the proposal is outside."""
        points = state.points + self.step_size * normal(state.points, generator)
        energies = potential(points)
        inside = energies <= self.level
        after = InsideState(choose(inside, points, state.points), choose(inside, energies, state.energies))
        return after, Info(after.energies, inside)
