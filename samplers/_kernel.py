"""What a sampler needs of an energy, and what a kernel is."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple, Protocol, runtime_checkable

import numpy as np
import torch

from samplers._arrays import Array
from samplers.numpy_potential import NumpyPotential

Schedule = Callable[[int], float]
"""A setting that changes: the number of steps made so far -> its value."""


@runtime_checkable
class Potential(Protocol):
    """An energy, as the kernels see it: points are (k, d), one chain a row; all torch tensors or all numpy arrays."""

    @property
    def dim(self) -> int:
        """Number of coordinates."""

    def __call__(self, points: Array, /) -> Array:
        """Return the energies (k,)."""

    def value_and_grad(self, points: Array, /) -> tuple[Array, Array]:
        """Return energies (k,) and gradients (k, d)."""

    def draw_batch(self, rng: Any, chains: int, /) -> Potential:
        """Return the potential of so many chains on a random minibatch each, or itself where there are none."""


class State(Protocol):
    """What the next step needs; at least the positions of the chains."""

    @property
    def points(self) -> Array:
        """Positions (k, d)."""


class Info(NamedTuple):
    """What a person may want to read of one step.

    Attributes
    ----------
    energies : (k,)
        That the step used.
    acceptance : (k,) or None
        Probability with which each chain's proposal was accepted, or whether it was; None where nothing is refused.
    swaps : (k, r - 1) or None
        Probability to exchange neighbouring replicas, where there are r of them.
    """

    energies: Array
    acceptance: Array | None = None
    swaps: Array | None = None


@runtime_checkable
class Kernel(Protocol):
    """A sampler: two pure functions.

    A new kernel is one file with a frozen dataclass of these two methods, and one line in `samplers.KERNELS`. What
    `run` reads besides, where it is there: `step_size` with `target_acceptance` (the warm-up adapts the one to the
    other), `level` (starts above it are refused), `full_batch` (minibatches are refused).
    """

    def init(self, potential: Potential, points: Array, generator: Any, /) -> Any:
        """Return the state at the start points (k, d)."""

    def step(self, potential: Potential, state: Any, generator: Any, /) -> tuple[Any, Info]:
        """Return the state after one step of every chain, and what a person may want to read."""


def at(setting: Any, step: int) -> Any:
    """Value of a setting after so many steps."""
    return setting(step) if callable(setting) else setting


def is_full_batch(potential: Potential) -> bool:
    """Say whether the potential draws no minibatches."""
    numpy = isinstance(potential, NumpyPotential)
    spare = np.random.default_rng(0) if numpy else torch.Generator()
    return potential.draw_batch(spare, 1) is potential


def require_positive(name: str, value: Any) -> None:
    """Refuse a step size or temperature that is not a positive number; a schedule is believed."""
    numbers = np.atleast_1d(value).tolist() if not callable(value) else []
    if not all(isinstance(number, (int, float)) and 0 < number < float("inf") for number in numbers):
        raise ValueError(f"{name} must be positive and finite, got {value!r}")


def require_level(level: float) -> None:
    """Refuse a level that bounds nothing."""
    if not -float("inf") < level < float("inf"):
        raise ValueError(f"level must be a finite number, got {level}")
