"""Overdamped Langevin dynamics: gradient descent with thermal noise."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

import torch
from torch import Tensor

from samplers._kernel import Info, Potential, require_positive


class LangevinState(NamedTuple):
    """Positions (k, d)."""

    points: Tensor


@dataclass(frozen=True, slots=True)
class Langevin:
    """Unadjusted Langevin, x <- x - h grad E(x) + sqrt(2 h T) noise, which samples exp(-E / T) as h -> 0.

    The Euler-Maruyama step of dw = -gamma grad V dt + gamma' dB over a time dt has h = gamma dt and
    T = gamma'^2 / (2 gamma). Where the potential draws minibatches it is stochastic-gradient Langevin dynamics.
    Its law is off by O(h): on a harmonic well E = a x^2 / 2 the variance is 2 T / (a (2 - h a)).

    Parameters
    ----------
    step_size : float
        h.
    temperature : float
        T; there is no default, since energies have no common scale.

    Examples
    --------
    >>> Langevin(step_size=0.01, temperature=0.1)
    Langevin(step_size=0.01, temperature=0.1)
    """

    step_size: float
    temperature: float

    def __post_init__(self) -> None:
        require_positive("step_size", self.step_size)
        require_positive("temperature", self.temperature)

    def init(self, potential: Potential, points: Tensor, generator: torch.Generator) -> LangevinState:
        """Start at the given points (k, d)."""
        return LangevinState(points)

    def step(
        self, potential: Potential, state: LangevinState, generator: torch.Generator
    ) -> tuple[LangevinState, Info]:
        """Take one step of every chain, each with its own noise."""
        energies, gradients = potential.draw_batch(generator).value_and_grad(state.points)
        noise = torch.randn(state.points.shape, generator=generator, dtype=gradients.dtype)
        scale = (2 * self.step_size * self.temperature) ** 0.5
        return LangevinState(state.points - self.step_size * gradients + scale * noise), Info(energies)
