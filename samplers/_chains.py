"""Chains: what a run gives back."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NamedTuple

import torch
from torch import Tensor

if TYPE_CHECKING:
    from samplers._summary import Summary


class RunState(NamedTuple):
    """All that a run needs to go on, bit by bit as if it had never stopped.

    Attributes
    ----------
    kernel : Kernel
        With the step size that the warm-up found.
    state : State
        Of the kernel, for all chains, also those that diverged.
    generator : Tensor or dict
        State of the random generator.
    plan : int
        Points evaluated at once.
    start : Tensor (chains, dim)
    diverged : Tensor of bool (chains,)
    steps : int
        Steps made so far, warm-up included.
    """

    kernel: Any
    state: Any
    generator: Any
    plan: int
    start: Tensor
    diverged: Tensor
    steps: int


@dataclass(frozen=True, slots=True, eq=False)
class Chains:
    """Points of the chains that stayed finite, with their full-batch energies.

    Attributes
    ----------
    points : Tensor (chain, draw, dim)
    energies : Tensor (chain, draw)
        Full-batch energies at those points.
    chain : Tensor of int (chain,)
        Number of each of these chains among all that were started.
    diverged : Tensor of bool (chains,)
        Of all chains that were started: which ran into a point or energy that is not finite; they are left out above.
    accept_rate : Tensor (chain,) or None
        Mean acceptance of each chain; None where the kernel refuses nothing.
    swap_rate : Tensor (replicas - 1,) or None
        Mean probability that neighbouring replicas change places.
    thin : int
        Steps for each draw.
    state : RunState
        Where to go on: ``run(potential, chains.kernel, chains.state, draws=...)``.
    """

    points: Tensor
    energies: Tensor
    chain: Tensor
    diverged: Tensor
    accept_rate: Tensor | None
    swap_rate: Tensor | None
    thin: int
    state: RunState

    @property
    def kernel(self) -> Any:
        """The kernel, with the step size that the warm-up found."""
        return self.state.kernel

    @property
    def start(self) -> Tensor:
        """Start points (chain, dim) of these chains."""
        return self.state.start[self.chain]

    def summary(self) -> Summary:
        """Judge whether the chains have mixed and forgotten their start, in numbers and sentences."""
        from samplers._summary import summarize

        return summarize(self)

    def to_arviz(self) -> Any:
        """Return an `xarray.DataTree` with the groups that arviz reads.

        ``posterior/points`` is (chain, draw, dim); ``sample_stats/potential_energy`` is (chain, draw). Needs the extra
        ``tda-landscape[arviz]``.
        """
        try:
            from arviz_base import from_dict
        except ImportError:
            raise ModuleNotFoundError(
                "to_arviz needs arviz-base, which is not installed; pip install 'tda-landscape[arviz]'"
            ) from None
        groups = {
            "posterior": {"points": self.points.numpy()},
            "sample_stats": {
                "potential_energy": self.energies.numpy(),
                "diverging": torch.zeros_like(self.energies, dtype=torch.bool).numpy(),
            },
        }
        return from_dict(groups, dims={"points": ["dim"]}, coords={"chain": self.chain.numpy()})

    def __repr__(self) -> str:
        chains, draws, dim = self.points.shape
        lost = f"; {int(self.diverged.sum())} diverged and are left out" if self.diverged.any() else ""
        return (
            f"{chains} chains of {draws} draws in {dim} dimensions, "
            f"energies {self.energies.min():.6g} to {self.energies.max():.6g}{lost}"
        )
