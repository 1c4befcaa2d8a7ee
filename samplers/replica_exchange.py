"""Replica exchange: hot copies of each chain carry it over barriers."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import Any, NamedTuple

import numpy as np
import torch

from samplers._arrays import Array, Generator, double, log_uniform, probability
from samplers._kernel import Info, Kernel, Potential, is_full_batch, require_positive

TRAVEL = ("points", "energies", "gradients")
"""What is exchanged: a position and what is known there. Velocities stay with their temperature."""


class ReplicaState(NamedTuple):
    """State of the inner kernel for all replicas, the k coldest rows first, and the number of steps made."""

    replicas: Any
    chains: int
    step: int

    @property
    def points(self) -> Array:
        """Positions (k, d) of the coldest replicas."""
        return self.replicas.points[: self.chains]

    @property
    def energies(self) -> Array:
        """Energies (k,) of the coldest replicas, where the inner kernel keeps them."""
        return self.replicas.energies[: self.chains]


@dataclass(frozen=True, slots=True)
class ReplicaExchange:
    """Run a kernel at several temperatures side by side and exchange neighbours (parallel tempering).

    The replicas of chain i at temperatures S < T change places with probability
    min(1, exp((1 / S - 1 / T) (E_S - E_T))), by full-batch energies, odd and even neighbours in turn. Each replica
    keeps its own law, so the coldest one, which is what is reported, samples exp(-E / temperatures[0]).

    Parameters
    ----------
    kernel : Kernel
        Any with a number `temperature`; its own is not used.
    temperatures : sequence of float
        Rising, at least two.
    every : int
        Steps between exchanges.

    Examples
    --------
    >>> import samplers, tda_landscape as tl
    >>> energy = tl.zoo.double_well(2)
    >>> kernel = ReplicaExchange(samplers.MALA(0.05, temperature=0.1), temperatures=(0.1, 0.3, 1.0))
    >>> chains = samplers.run(energy, kernel, energy.start(8, 0), draws=200)
    >>> chains.points.shape, chains.swap_rate.shape
    (torch.Size([8, 200, 2]), torch.Size([2]))
    """

    kernel: Kernel
    temperatures: Sequence[float]
    every: int = 1

    def __post_init__(self) -> None:
        object.__setattr__(self, "temperatures", tuple(self.temperatures))
        for temperature in self.temperatures:
            require_positive("temperatures", temperature)
        rising = all(a < b for a, b in pairwise(self.temperatures))
        if len(self.temperatures) < 2 or not rising:
            raise ValueError(f"temperatures must be at least two, rising, got {self.temperatures}")
        if self.every < 1:
            raise ValueError(f"every must be at least 1 step, got {self.every}")
        if callable(getattr(self.kernel, "temperature", print)):
            raise ValueError(f"{self.kernel} has no fixed temperature to replace; take Langevin, MALA or Underdamped")

    @property
    def full_batch(self) -> bool:
        """Whether the inner kernel refuses minibatches."""
        return getattr(self.kernel, "full_batch", False)

    @property
    def level(self) -> float | None:
        """The level that the inner kernel stays below."""
        return getattr(self.kernel, "level", None)

    @property
    def target_acceptance(self) -> float | None:
        """The acceptance that the inner kernel is adapted to."""
        return getattr(self.kernel, "target_acceptance", None)

    def init(self, potential: Potential, points: Array, generator: Generator) -> ReplicaState:
        """Start every replica of a chain at the same point."""
        many = _repeat(points, len(self.temperatures))
        return ReplicaState(self._at_all(points).init(potential, many, generator), len(points), 0)

    def step(self, potential: Potential, state: ReplicaState, generator: Generator) -> tuple[ReplicaState, Info]:
        """Take a step of every replica, then exchange."""
        replicas, info = self._at_all(state.points).step(potential, state.replicas, generator)
        step, swaps = state.step + 1, None
        if step % self.every == 0:
            known = hasattr(replicas, "energies") and is_full_batch(potential)
            energies = replicas.energies if known else potential(replicas.points)
            order, swaps = self._exchange(double(energies), step // self.every % 2, generator)
            travel = {name: getattr(replicas, name)[order] for name in TRAVEL if hasattr(replicas, name)}
            replicas = replicas._replace(**travel)
        acceptance = info.acceptance
        if acceptance is not None:
            acceptance = double(acceptance).reshape(-1, state.chains).mean(0)
        after = ReplicaState(replicas, state.chains, step)
        used = replicas.energies if hasattr(replicas, "energies") else info.energies
        return after, Info(used[: state.chains], acceptance, swaps)

    def _at_all(self, like: Array) -> Any:
        """The inner kernel with a temperature for each row."""
        rows = np.repeat(self.temperatures, len(like))
        temperature = rows if isinstance(like, np.ndarray) else torch.from_numpy(rows).to(like.dtype)
        return replace(self.kernel, temperature=temperature)  # type: ignore[type-var]

    def _exchange(self, energies: Array, parity: int, generator: Generator) -> tuple[Array, Array]:
        """Which row each row takes over, and the probabilities (k, r - 1) to exchange neighbours."""
        count = len(self.temperatures)
        ladder = energies.reshape(count, -1)
        inverse = [1 / temperature for temperature in self.temperatures]
        gaps: Array = np.array([a - b for a, b in pairwise(inverse)])[:, None]
        gaps = gaps if isinstance(ladder, np.ndarray) else torch.from_numpy(gaps)
        ratio = gaps * (ladder[:-1] - ladder[1:])
        swap = log_uniform(ladder, ratio.shape, generator) < ratio
        if count > 2:
            swap[1 - parity :: 2] = False
        arange = np.arange if isinstance(ladder, np.ndarray) else torch.arange
        order = arange(energies.shape[0]).reshape(ladder.shape)
        chains = ladder.shape[1]
        order[:-1] += chains * swap
        order[1:] -= chains * swap
        return order.reshape(-1), probability(ratio).T


def _repeat(points: Array, times: int) -> Array:
    """The points several times over, one after the other."""
    return np.tile(points, (times, 1)) if isinstance(points, np.ndarray) else points.repeat(times, 1)
