"""Clouds: points that samplers drew, each with the full-batch energy at it."""

from __future__ import annotations

from dataclasses import dataclass, replace

import torch
from torch import Tensor

from samplers import Kernel
from tda_landscape._errors import InputError
from tda_landscape.energy import Energy
from tda_landscape.energy._random import Seed, as_generator


@dataclass(frozen=True, slots=True, eq=False)
class Cloud:
    """Points with their full-batch energies.

    Attributes
    ----------
    points : Tensor (k, d)
    energies : Tensor (k,)
        All finite.
    chain, step : Tensor of int (k,)
        Which chain each point comes from, after how many steps.
    reached : Tensor of bool (chains,)
        Which chains have a point here: with `level=`, those that came to E <= level.
    diverged : Tensor of bool (chains,)
        Which chains ran into a non-finite energy; they have no points from there on.
    """

    points: Tensor
    energies: Tensor
    chain: Tensor
    step: Tensor
    reached: Tensor
    diverged: Tensor

    def below(self, level: float) -> Cloud:
        """Return the points with E <= level.

        Raises
        ------
        InputError
            No point is that low.
        """
        keep = self.energies <= level
        if not keep.any():
            raise InputError(
                f"no point of the cloud lies below {level:.6g}: its lowest energy is {self.energies.min():.6g}; "
                "raise the level or sample longer"
            )
        rows = {name: getattr(self, name)[keep] for name in ("points", "energies", "chain", "step")}
        reached = torch.zeros_like(self.reached)
        reached[rows["chain"]] = True
        return replace(self, **rows, reached=reached)

    def __str__(self) -> str:
        late = torch.nonzero(~self.reached).flatten().tolist()
        missing = f"; chains without a point: {', '.join(map(str, late))}" if late else ""
        return (
            f"{len(self.points)} points of {len(self.reached)} chains, "
            f"energies {self.energies.min():.6g} to {self.energies.max():.6g}{missing}"
        )


def sample(
    energy: Energy,
    kernel: Kernel | None = None,
    *,
    chains: int = 64,
    steps: int = 1000,
    every: int | None = None,
    level: float | None = None,
    start: Tensor | None = None,
    seed: Seed = 0,
) -> Cloud:
    """Run a batch of chains and keep points with their full-batch energies.

    Parameters
    ----------
    energy : Energy
    kernel : Kernel, optional
        E.g. ``samplers.SGD(lr=0.05, momentum=0.9)``; without one the start points themselves are the cloud.
    chains : int
        Number of independent chains.
    steps : int
        Steps of each chain.
    every : int, optional
        Look at the chains after each `every` steps. By default at the end only, or, with `level`, always.
    level : float, optional
        Stop each chain at the first of its points that has a full-batch E <= level, and keep just that point.
    start : Tensor (chains, d), optional
        Start points; by default drawn from the energy's start law.
    seed : int or torch.Generator

    Returns
    -------
    Cloud
        ``cloud.reached`` says which chains came below `level`.

    Raises
    ------
    InputError
        No chain stayed finite, or none came below `level`.

    Examples
    --------
    >>> import tda_landscape as tl, samplers
    >>> energy = tl.zoo.double_well(2)
    >>> cloud = tl.sample(energy, samplers.GradientDescent(lr=0.02), chains=8, steps=200, level=0.1)
    >>> bool((cloud.energies <= 0.1).all()), cloud.points.shape
    (True, torch.Size([8, 2]))
    """
    if chains < 1 or steps < 0 or (every is not None and every < 1):
        raise InputError(f"chains and every must be positive, steps not negative; got {chains}, {every}, {steps}")
    generator = as_generator(seed)
    points = energy.start(chains, generator) if start is None else energy.as_points(start)
    if len(points) == 0:
        raise InputError("start holds no points; give one row a chain")
    steps = 0 if kernel is None else steps
    looks = _looks(steps, every or (max(steps, 1) if level is None else 1), level)
    kept: list[tuple[Tensor, Tensor, Tensor, int]] = []
    waiting = torch.ones(len(points), dtype=torch.bool)
    diverged = torch.zeros(len(points), dtype=torch.bool)
    state = kernel.init(energy, points, generator) if kernel is not None else None
    for step in range(steps + 1):
        if step and kernel is not None:
            state, _ = kernel.step(energy, state, generator)
            points = state.points
        if step not in looks:
            continue
        rows = torch.nonzero(waiting & ~diverged).flatten()
        here = energy.wrap(points[rows])
        energies = energy(here)
        finite = torch.isfinite(energies) & torch.isfinite(here).all(1)
        diverged[rows[~finite]] = True
        keep = finite if level is None else finite & (energies <= level)
        kept.append((rows[keep], here[keep], energies[keep], step))
        waiting[rows[keep]] = level is None
        if not (waiting & ~diverged).any():
            break
    return _gather(kept, diverged, level, steps)


def _looks(steps: int, every: int, level: float | None) -> set[int]:
    """Steps after which the chains are looked at; the start counts only when a level may be met there."""
    first = 0 if level is not None or steps == 0 else every
    return {*range(first, steps + 1, every), steps}


def _gather(kept: list[tuple[Tensor, Tensor, Tensor, int]], diverged: Tensor, level: float | None, steps: int) -> Cloud:
    """Join what was kept at each look."""
    chain = torch.cat([rows for rows, *_ in kept])
    if len(chain) == 0:
        if diverged.all():
            raise InputError(f"all {len(diverged)} chains ran into a non-finite energy; take a smaller step")
        raise InputError(
            f"none of {len(diverged)} chains came below {level} in {steps} steps; raise the level or sample longer"
        )
    reached = torch.zeros_like(diverged)
    reached[chain] = True
    return Cloud(
        points=torch.cat([points for _, points, _, _ in kept]),
        energies=torch.cat([energies for _, _, energies, _ in kept]),
        chain=chain,
        step=torch.cat([torch.full_like(rows, step) for rows, _, _, step in kept]),
        reached=reached,
        diverged=diverged,
    )
