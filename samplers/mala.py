"""Metropolis-adjusted Langevin: exact at every step size, also inside a sublevel set."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar, NamedTuple

from samplers._arrays import (
    Array,
    Generator,
    choose,
    column,
    double,
    log_uniform,
    moved,
    normal,
    outside,
    precise,
    probability,
)
from samplers._kernel import Info, Potential, require_level, require_positive


class MALAState(NamedTuple):
    """Positions (k, d) with the full-batch energy and gradient there."""

    points: Array
    energies: Array
    gradients: Array


@dataclass(frozen=True, slots=True)
class MALA:
    """Langevin proposals, accepted so that exp(-E / T) is kept exactly (Roberts and Tweedie 1996).

    Proposal y = x - h grad E(x) + sqrt(2 h T) noise, accepted with probability
    min(1, exp((E(x) - E(y)) / T) q(x | y) / q(y | x)). With `level`, proposals above it are refused as well: the law
    is then exp(-E / T) restricted to {E <= level}. Energies are full-batch, acceptance is decided in float64.

    Parameters
    ----------
    step_size : float
        h; a warm-up adapts it to an acceptance of 0.574, the optimum in high dimension (Roberts and Rosenthal 1998).
    temperature : float
        T.
    level : float, optional

    Examples
    --------
    >>> import samplers, tda_landscape as tl
    >>> energy = tl.zoo.double_well(2)
    >>> chains = samplers.run(energy, MALA(0.1, temperature=0.4), energy.start(8, 0), draws=200, warmup=100)
    >>> chains.points.shape, bool((chains.accept_rate > 0.4).all())
    (torch.Size([8, 200, 2]), True)
    """

    step_size: float
    temperature: float
    level: float | None = None

    target_acceptance: ClassVar[float] = 0.574
    full_batch: ClassVar[bool] = True

    def __post_init__(self) -> None:
        require_positive("step_size", self.step_size)
        require_positive("temperature", self.temperature)
        if self.level is not None:
            require_level(self.level)

    def init(self, potential: Potential, points: Array, generator: Generator) -> MALAState:
        """Evaluate the start points (k, d)."""
        energies, gradients = potential.value_and_grad(points)
        return MALAState(precise(points, gradients), energies, gradients)

    def step(self, potential: Potential, state: MALAState, generator: Generator) -> tuple[MALAState, Info]:
        """Propose and accept or refuse, chain by chain."""
        h: Any = self.step_size
        scale = column((2 * h * self.temperature) ** 0.5)
        noise = normal(state.points, generator)
        points = moved(state.points, state.gradients, h, noise, scale)
        energies, gradients = potential.value_and_grad(points)
        back = (state.points - points + h * gradients) / scale  # the noise that would have led back
        drop = (double(state.energies) - double(energies)) / self.temperature
        ratio = drop + double((noise * noise).sum(1) - (back * back).sum(1)) / 2
        if self.level is not None:
            ratio = outside(ratio, energies <= self.level)
        accepted = log_uniform(points, ratio.shape, generator) < ratio  # false where the ratio is not a number
        after = MALAState(
            choose(accepted, points, state.points),
            choose(accepted, energies, state.energies),
            choose(accepted, gradients, state.gradients),
        )
        return after, Info(after.energies, probability(ratio))
