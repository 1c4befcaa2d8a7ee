"""Settings that change with the steps: give one in place of a number, e.g. ``SGD(lr=schedules.Cosine(0.1, 1000))``.

A schedule is any function of the number of steps made so far; these are values, so that kernels compare equal.
"""

from __future__ import annotations

import math
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Power:
    """``first / (1 + step / scale) ** power``; with a power in (1/2, 1] the steps of stochastic approximation.

    Examples
    --------
    >>> Power(first=0.1, scale=10, power=1.0)(30)
    0.025
    """

    first: float
    scale: float
    power: float = 0.55

    def __call__(self, step: int) -> float:
        """Return the value after so many steps."""
        return float(self.first / (1 + step / self.scale) ** self.power)


@dataclass(frozen=True, slots=True)
class Exponential:
    """``first * 0.5 ** (step / half_life)``.

    Examples
    --------
    >>> Exponential(first=1.0, half_life=100)(200)
    0.25
    """

    first: float
    half_life: float

    def __call__(self, step: int) -> float:
        """Return the value after so many steps."""
        return float(self.first * 0.5 ** (step / self.half_life))


@dataclass(frozen=True, slots=True)
class Cosine:
    """From `first` to `last` in `steps`, along half a cosine; with `cyclic` it then begins again.

    Examples
    --------
    >>> Cosine(first=1.0, steps=10)(5), Cosine(first=1.0, steps=10)(99), Cosine(1.0, 10, cyclic=True)(20)
    (0.5, 0.0, 1.0)
    """

    first: float
    steps: int
    last: float = 0.0
    cyclic: bool = False

    def __call__(self, step: int) -> float:
        """Return the value after so many steps."""
        done = (step % self.steps if self.cyclic else min(step, self.steps)) / self.steps
        return self.last + (self.first - self.last) * (1 + math.cos(math.pi * done)) / 2
