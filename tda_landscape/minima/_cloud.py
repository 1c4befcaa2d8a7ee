"""Clouds: points that samplers drew, each with the full-batch energy at it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from itertools import islice
from typing import NamedTuple

import torch
from torch import Tensor

from samplers import Kernel, start_state, trajectory
from tda_landscape._errors import InputError, expect, expect_number, expect_whole
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
        expect_number("[-inf, inf]", level=level)
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

    def __repr__(self) -> str:
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
    inside: Kernel | None = None,
    inside_steps: int = 1000,
    start: Tensor | None = None,
    plan: int | None = None,
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
    inside : Kernel, optional
        A kernel that stays below `level`, e.g. ``samplers.Galilean(level=u, step_size=0.1)``: each chain goes on with
        it from its first point below the level, and the cloud holds the points of this part (`every` thins them).
    inside_steps : int
        Steps of that part.
    start : Tensor (chains, d), optional
        Start points; by default drawn from the energy's start law.
    plan : int, optional
        Points evaluated at once; by default as the energy plans. Bits are promised for the same plan.
    seed : int or torch.Generator

    Returns
    -------
    Cloud
        ``cloud.reached`` says which chains came below `level`.

    Raises
    ------
    InputError
        No chain stayed finite, or none came below `level`; a kernel that does not fit the start or the energy.

    Examples
    --------
    >>> import tda_landscape as tl, samplers
    >>> energy = tl.zoo.double_well(2)
    >>> cloud = tl.sample(energy, samplers.GradientDescent(lr=0.02), chains=8, steps=200, level=0.1)
    >>> bool((cloud.energies <= 0.1).all()), cloud.points.shape
    (True, torch.Size([8, 2]))
    """
    expect(Energy, energy=energy)
    expect(Kernel | None, kernel=kernel, inside=inside)
    expect_whole("[1, inf)", chains=chains)
    expect_whole("[0, inf)", steps=steps, inside_steps=inside_steps)
    expect_whole("[1, inf) or None", every=every, plan=plan)
    expect_number("[-inf, inf] or None", level=level)
    _check_inside(inside, level)
    generator = as_generator(seed)
    points = energy.start(chains, generator) if start is None else energy.as_points(start)
    if len(points) == 0:
        raise InputError("start holds no points; give one row a chain")
    steps = 0 if kernel is None else steps
    thinned = None if inside is not None else every
    looks = _looks(steps, thinned or (max(steps, 1) if level is None else 1), level)
    kept: list[Kept] = []
    waiting = torch.ones(len(points), dtype=torch.bool)
    diverged = torch.zeros(len(points), dtype=torch.bool)
    fast = energy if plan is None else energy.in_chunks(plan)
    for step, here in enumerate(_track(fast, kernel, points, generator, steps)):
        if step not in looks:
            continue
        rows = torch.nonzero(waiting & ~diverged).flatten()
        found, finite = _look(energy, here[rows], rows, step, level)
        diverged[rows[~finite]] = True
        waiting[found.chain] = level is None
        kept.append(found)
        if not (waiting & ~diverged).any():
            break
    cloud = _gather(kept, diverged, level, steps)
    if inside is None:
        return cloud
    return _go_on(energy, fast, inside, cloud, generator, inside_steps, every or max(inside_steps, 1))


class Kept(NamedTuple):
    """What one look at the chains keeps."""

    chain: Tensor
    points: Tensor
    energies: Tensor
    step: Tensor


def _check_inside(inside: Kernel | None, level: float | None) -> None:
    """Refuse a kernel of another level."""
    if inside is not None and (level is None or getattr(inside, "level", None) != level):
        raise InputError(
            f"inside= takes a kernel with the same level as level={level}, e.g. samplers.Galilean(level=u, ...); "
            f"got {inside}"
        )


def _track(
    energy: Energy, kernel: Kernel | None, points: Tensor, generator: torch.Generator, steps: int
) -> Iterator[Tensor]:
    """Yield the start points and the points after each step."""
    yield points
    if kernel is not None and steps:
        try:
            state = start_state(energy, kernel, points, generator)
        except ValueError as error:
            raise InputError(str(error)) from None
        for after, _ in islice(trajectory(energy, kernel, state, generator), steps):
            yield after.points


def _look(
    energy: Energy, points: Tensor, chain: Tensor, step: int | Tensor, level: float | None
) -> tuple[Kept, Tensor]:
    """Keep the points that are finite and below the level; say which are finite."""
    here = energy.wrap(points)
    energies = energy(here)
    finite = torch.isfinite(energies) & torch.isfinite(here).all(1)
    keep = finite if level is None else finite & (energies <= level)
    steps = torch.as_tensor(step).expand(len(chain))
    return Kept(chain[keep], here[keep], energies[keep], steps[keep]), finite


def _go_on(
    energy: Energy, fast: Energy, inside: Kernel, cloud: Cloud, generator: torch.Generator, steps: int, every: int
) -> Cloud:
    """Run each chain on from its first point below the level, inside the sublevel set."""
    level: float = inside.level  # type: ignore[attr-defined]
    looks = _looks(steps, every, None)
    kept = []
    for step, points in enumerate(_track(fast, inside, cloud.points, generator, steps)):
        if step in looks:
            kept.append(_look(energy, points, cloud.chain, cloud.step + step, level)[0])
    return _gather(kept, cloud.diverged, level, steps)


def _looks(steps: int, every: int, level: float | None) -> set[int]:
    """Steps after which the chains are looked at; the start counts only when a level may be met there."""
    first = 0 if level is not None or steps == 0 else every
    return {*range(first, steps + 1, every), steps}


def _gather(kept: list[Kept], diverged: Tensor, level: float | None, steps: int) -> Cloud:
    """Join what was kept at each look."""
    chain, points, energies, step = (torch.cat(column) for column in zip(*kept, strict=True))
    if len(chain) == 0:
        if diverged.all():
            raise InputError(f"all {len(diverged)} chains ran into a non-finite energy; take a smaller step")
        raise InputError(
            f"none of {len(diverged)} chains came below {level} in {steps} steps; raise the level or sample longer"
        )
    reached = torch.zeros_like(diverged)
    reached[chain] = True
    return Cloud(points, energies, chain, step, reached, diverged)
