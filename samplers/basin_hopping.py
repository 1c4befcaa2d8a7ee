"""Basin hopping: a walk over minima, each trial quenched before it is accepted or refused."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import ClassVar, NamedTuple

from samplers._arrays import (
    Array,
    Generator,
    all_finite,
    choose,
    column,
    double,
    log_uniform,
    normal,
    precise,
    probability,
)
from samplers._kernel import Info, Potential, require_positive

RATE, FACTOR = 0.2, 1e3
"""Change of log size at one trial, and how far a size may get from the one that was given."""

SAME_ENERGY = 1e-6
"""Difference of energies, relative to 1 + |E|, that two quenches to one minimum may leave."""


class BasinHoppingState(NamedTuple):
    """Minima (k, d) with their full-batch energies (k,), and the size of each chain's perturbations (k,)."""

    points: Array
    energies: Array
    sizes: Array


@dataclass(frozen=True, slots=True)
class BasinHopping:
    """Perturb the minimum, quench, accept or refuse (Wales and Doye 1997): finds low minima without a start law.

    Each chain perturbs its minimum x by normal noise of its own size s, all trials are quenched at once,
    y = minimize(x + s noise), and y is accepted with probability min(1, exp((E(x) - E(y)) / T)). The start points
    are quenched as well. A chain holds what `minimize` gave: whether those are minima, and which of them are the same,
    is for ``tda_landscape.quench`` to say.

    The size grows where a trial falls back into its minimum and shrinks where it leaves, whether it is then accepted
    or not, so that a share `leave` of the trials leave: a refused trial was no better for being longer. A trial has
    fallen back when its quench ends at the energy of x, and nearer to x than x + s noise is (a cluster may have turned
    a little). Only the size hangs on that; no two minima are identified by it.

    Unlike the other kernels it keeps no law: it is a search, and `Chains.summary` judges nothing that is meant here.

    Parameters
    ----------
    step_size : float
        First size s of the perturbation of each coordinate; each chain stays within a factor 1000 of it.
    temperature : float
        T, on the scale of the differences between minima.
    minimize : callable
        Points (k, d) -> (k, d) minima below them, each row by itself, e.g.
        ``functools.partial(tda_landscape.minimize, energy)``.
    leave : float
        Share of the trials that are to leave their minimum, in (0, 1).

    Notes
    -----
    D. J. Wales and J. P. K. Doye, J. Phys. Chem. A 101, 5111 (1997).

    Examples
    --------
    >>> import functools, samplers, tda_landscape as tl
    >>> energy = tl.zoo.tilted_wells(2)
    >>> quench = functools.partial(tl.minimize, energy)
    >>> kernel = BasinHopping(step_size=1.0, temperature=0.5, minimize=quench)
    >>> chains = samplers.run(energy, kernel, energy.start(4, 0), draws=50)
    >>> sorted(set(chains.energies.flatten().round(decimals=4).tolist()))
    [0.0, 0.8438, 1.6875]
    """

    step_size: float
    temperature: float
    minimize: Callable[[Array], Array] | None = None
    leave: float = 0.5

    full_batch: ClassVar[bool] = True

    def __post_init__(self) -> None:
        require_positive("step_size", self.step_size)
        require_positive("temperature", self.temperature)
        if not callable(self.minimize):
            raise ValueError(
                f"minimize must be a function of points, got {self.minimize!r}; "
                "give e.g. functools.partial(tda_landscape.minimize, energy)"
            )
        if not 0 < self.leave < 1:
            raise ValueError(f"leave must be a share between 0 and 1, got {self.leave}")

    def init(self, potential: Potential, points: Array, generator: Generator) -> BasinHoppingState:
        """Quench the start points (k, d)."""
        minima, energies = self._quench(potential, points)
        return BasinHoppingState(minima, energies, double(energies) * 0 + self.step_size)

    def step(
        self, potential: Potential, state: BasinHoppingState, generator: Generator
    ) -> tuple[BasinHoppingState, Info]:
        """Perturb and quench all chains at once, accept or refuse chain by chain."""
        trial = state.points + precise(column(state.sizes), state.points) * normal(state.points, generator)
        points, energies = self._quench(potential, trial)
        ratio = (double(state.energies) - double(energies)) / self.temperature
        accepted = log_uniform(points, ratio.shape, generator) < ratio  # false where the ratio is not a number
        accepted = accepted & all_finite(points)
        left = ~_fell_back(state, trial, points, energies)
        after = BasinHoppingState(
            choose(accepted, points, state.points),
            choose(accepted, energies, state.energies),
            self._resized(state.sizes, left),
        )
        return after, Info(after.energies, probability(ratio))

    def _quench(self, potential: Potential, points: Array) -> tuple[Array, Array]:
        """Minima (k, d) below points, and their energies (k,)."""
        assert self.minimize is not None
        minima = self.minimize(points)
        if minima.shape != points.shape:
            raise ValueError(f"minimize gave shape {tuple(minima.shape)} for points of shape {tuple(points.shape)}")
        energies = potential(minima)
        return precise(minima, energies), energies

    def _resized(self, sizes: Array, left: Array) -> Array:
        """Sizes (k,) after trials that left or fell back: still where a share `leave` of them leaves."""
        grown = choose(left, sizes * math.exp(RATE * (self.leave - 1)), sizes * math.exp(RATE * self.leave))
        return grown.clip(self.step_size / FACTOR, self.step_size * FACTOR)


def _fell_back(state: BasinHoppingState, trial: Array, points: Array, energies: Array) -> Array:
    """Which quenches (k,) ended where they came from."""
    same = abs(double(energies) - double(state.energies)) <= SAME_ENERGY * (1 + abs(double(state.energies)))
    nearer = ((points - state.points) ** 2).sum(1) < ((trial - state.points) ** 2).sum(1)
    return same & nearer
