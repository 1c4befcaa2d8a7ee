"""Uniform points of a sublevel set by slices along random lines."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from samplers._arrays import Array, Generator, choose, normal, precise, uniform
from samplers._kernel import Info, Potential, require_level, require_positive
from samplers.rejection import InsideState

SHRINKS = 40
"""Proposals on one line: each cuts the bracket to 3/4 on average; a chain that finds none stays, which is allowed."""


@dataclass(frozen=True, slots=True)
class HitAndRun:
    """Slice sampling along a random line (Neal 2003): step out to a bracket, then shrink it to a point inside.

    Keeps the uniform law on {E <= level}, also where a line meets the set in several pieces. The number of random
    numbers drawn in a step is the same for every chain, so the chains do not see each other.

    Parameters
    ----------
    level : float
        u.
    width : float
        Length of the first bracket, about the width of the set.
    steps_out : int
        How often the bracket may grow by `width`, on both sides together.

    Examples
    --------
    >>> HitAndRun(level=0.5, width=1.0)
    HitAndRun(level=0.5, width=1.0, steps_out=16)
    """

    level: float
    width: float
    steps_out: int = 16

    full_batch: ClassVar[bool] = True

    def __post_init__(self) -> None:
        require_level(self.level)
        require_positive("width", self.width)
        if self.steps_out < 0:
            raise ValueError(f"steps_out must not be negative, got {self.steps_out}")

    def init(self, potential: Potential, points: Array, generator: Generator) -> InsideState:
        """Evaluate the start points (k, d)."""
        energies = potential(points)
        return InsideState(precise(points, energies), energies)

    def step(self, potential: Potential, state: InsideState, generator: Generator) -> tuple[InsideState, Info]:
        """Draw a line, bracket the slice, and take a uniform point of it."""
        x, k = state.points, len(state.points)
        line = normal(x, generator)
        line = line / (line * line).sum(1)[:, None] ** 0.5
        draws = uniform(x, (SHRINKS + 2, k), generator)
        low, high = self._bracket(potential, x, line, draws[0], draws[1])
        points, energies = x, state.energies
        waiting = energies == energies
        for draw in draws[2:]:
            t = low + (high - low) * draw
            trial = x + precise(t, x)[:, None] * line
            found = potential(trial)
            inside = waiting & (found <= self.level)
            points, energies = choose(inside, trial, points), choose(inside, found, energies)
            waiting = waiting & ~inside
            if not waiting.any():
                break
            low, high = choose(waiting & (t < 0), t, low), choose(waiting & (t >= 0), t, high)
        return InsideState(points, energies), Info(energies)

    def _bracket(self, potential: Potential, x: Array, line: Array, where: Array, split: Array) -> tuple[Array, Array]:
        """Step out on both sides, at most `steps_out` times, split at random between them."""
        low = -self.width * where
        high = low + self.width
        budget = split * (self.steps_out + 1) // 1
        for side, limit in ((-1, budget), (1, self.steps_out - budget)):
            grows = limit > 0
            while grows.any():
                end = low if side < 0 else high
                grows = grows & (potential(x + precise(end, x)[:, None] * line) <= self.level)
                end = choose(grows, end + side * self.width, end)
                low, high = (end, high) if side < 0 else (low, end)
                limit = limit - 1
                grows = grows & (limit > 0)
        return low, high
