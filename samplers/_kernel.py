"""What a sampler needs of an energy, and what a kernel is."""

from __future__ import annotations

from typing import Any, NamedTuple, Protocol

import torch
from torch import Tensor


class Potential(Protocol):
    """An energy, as the kernels see it: points are (k, d), one chain a row."""

    @property
    def dim(self) -> int:
        """Number of coordinates."""

    def __call__(self, points: Tensor, /) -> Tensor:
        """Return the energies (k,)."""

    def value_and_grad(self, points: Tensor, /) -> tuple[Tensor, Tensor]:
        """Return energies (k,) and gradients (k, d)."""

    def draw_batch(self, rng: torch.Generator, /) -> Potential:
        """Return the potential on a random minibatch, or itself where there are none."""


class State(Protocol):
    """What the next step needs; at least the positions of the chains."""

    @property
    def points(self) -> Tensor:
        """Positions (k, d)."""


class Info(NamedTuple):
    """What a person may want to read of one step: the energies (k,) that the step used."""

    energies: Tensor


class Kernel(Protocol):
    """A sampler: two pure functions.

    A new kernel is one file with a frozen dataclass of these two methods, and one line in `samplers.KERNELS`.
    """

    def init(self, potential: Potential, points: Tensor, generator: torch.Generator, /) -> Any:
        """Return the state at the start points (k, d)."""

    def step(self, potential: Potential, state: Any, generator: torch.Generator, /) -> tuple[Any, Info]:
        """Return the state after one step of every chain, and what a person may want to read."""


def require_positive(name: str, value: float) -> None:
    """Refuse a step size or temperature that is not a positive number."""
    if not 0 < value < float("inf"):
        raise ValueError(f"{name} must be positive and finite, got {value}")
