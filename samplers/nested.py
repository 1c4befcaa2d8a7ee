"""How large is {E <= u}? Log-volumes by nested sampling."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import torch
from numpy.typing import ArrayLike, NDArray
from torch import Tensor

from samplers._kernel import Potential, is_full_batch
from samplers.galilean import Galilean
from samplers.numpy_potential import NumpyPotential


@dataclass(frozen=True, slots=True, eq=False)
class Volumes:
    """Log-volume of {E <= u} inside a box, as a function of u.

    Attributes
    ----------
    levels : (n,)
        Falling energies.
    log_volumes : (n,)
        Natural logarithm of the volume of {E <= level}.
    errors : (n,)
        Standard error of each log-volume, from the spacings of uniform order statistics.
    """

    levels: NDArray[np.float64]
    log_volumes: NDArray[np.float64]
    errors: NDArray[np.float64]

    def __call__(self, level: float) -> tuple[float, float]:
        """Return the log-volume of {E <= level} and its standard error.

        Raises
        ------
        ValueError
            The level is outside the range that was explored.
        """
        if not self.levels[-1] <= level <= self.levels[0]:
            raise ValueError(f"level must be between {self.levels[-1]:.6g} and {self.levels[0]:.6g}, got {level}")
        last_above = max(int(np.searchsorted(-self.levels, -level)) - 1, 0)
        return float(self.log_volumes[last_above]), float(self.errors[last_above])


@dataclass(frozen=True, slots=True)
class _Boxed:
    """A potential that is infinite outside a box; its gradient there points outwards, for reflections."""

    potential: Any
    low: Tensor
    high: Tensor

    @property
    def dim(self) -> int:
        return len(self.low)

    def __call__(self, points: Tensor) -> Tensor:
        energies = self.potential(points)
        inside = (self._beyond(points) == 0).all(1) & torch.isfinite(energies)
        return torch.where(inside, energies, torch.inf)

    def value_and_grad(self, points: Tensor) -> tuple[Tensor, Tensor]:
        energies, gradients = self.potential.value_and_grad(points)
        beyond = self._beyond(points)
        inside = (beyond == 0).all(1)
        energies = torch.where(inside & torch.isfinite(energies), energies, torch.inf)
        return energies, torch.where(inside[:, None], gradients, beyond)

    def draw_batch(self, rng: Any, chains: int) -> _Boxed:
        return self

    def _beyond(self, points: Tensor) -> Tensor:
        return points - torch.minimum(torch.maximum(points, self.low), self.high)


def nested_volumes(
    potential: Potential,
    bounds: tuple[ArrayLike, ArrayLike],
    *,
    down_to: float,
    live: int = 1000,
    steps: int | None = None,
    seed: int = 0,
) -> Volumes:
    """Estimate the log-volume of {E <= u} inside a box for every u down to a level (nested sampling, Skilling 2006).

    `live` uniform points of the box are sorted by energy; the worse half is removed, which shrinks the volume by
    known order statistics, and replaced by copies of the better half moved by reflecting flights (`Galilean`).

    Parameters
    ----------
    potential : Potential
        Of torch tensors, full-batch.
    bounds : (low, high)
        The box; numbers or (d,). The volume is that of {E <= u} inside it.
    down_to : float
        Level at which to stop.
    live : int
        Points; the standard error falls as 1 / sqrt(live).
    steps : int, optional
        Moves of each copy, 40 + 10 d by default; too few make copies alike and the estimate wrong.
    seed : int

    Returns
    -------
    Volumes

    Raises
    ------
    ValueError
        A box that is none, or a level that is not reached.

    Examples
    --------
    >>> import math, samplers, tda_landscape as tl
    >>> bowl = tl.Energy.from_function(lambda x: (x**2).sum(1) / 2, dim=2)
    >>> log_volume, error = nested_volumes(bowl, (-3, 3), down_to=0.4, live=400)(0.5)
    >>> abs(log_volume - math.log(math.pi)) < 4 * error
    True
    """
    low, high = (torch.as_tensor(side, dtype=torch.float64).expand(potential.dim) for side in bounds)
    if not (low < high).all() or live < 10:
        raise ValueError(f"bounds must be (low, high) with low < high, and live at least 10; got {bounds}, {live}")
    if isinstance(potential, NumpyPotential) or not is_full_batch(potential):
        raise ValueError(
            "the volume of {E <= u} needs exact energies of tensors; give a torch energy without minibatches"
        )
    steps = 40 + 10 * potential.dim if steps is None else steps
    boxed = _Boxed(potential, low, high)
    generator = torch.Generator().manual_seed(seed)
    points = low + (high - low) * torch.rand(live, potential.dim, generator=generator, dtype=torch.float64)
    energies = boxed(points)
    kernel = Galilean(level=0.0, step_size=0.3 * float((high - low).mean()) / potential.dim**0.5)
    half = live // 2
    shrink = 1 / (live - np.arange(half))
    volume, variance = float((high - low).log().sum()), 0.0
    levels, volumes, variances = [np.array([float(energies.max())])], [np.array([volume])], [np.zeros(1)]
    while True:
        order = energies.argsort(descending=True)
        dead, alive = order[:half], order[half:]
        levels.append(energies[dead].numpy())
        volumes.append(volume - shrink.cumsum())
        variances.append(variance + (shrink**2).cumsum())
        volume, variance = float(volumes[-1][-1]), float(variances[-1][-1])
        level = float(energies[dead[-1]])
        if level <= down_to:
            break
        if not float(energies.min()) < level:
            raise ValueError(f"the level {down_to:.6g} is not reached: no point lies below {level:.6g}")
        copies = alive[torch.randint(len(alive), (half,), generator=generator)]
        kernel = replace(kernel, level=level)
        kernel, points[dead], energies[dead] = _moved(boxed, kernel, points[copies], steps, generator)
    return Volumes(np.concatenate(levels), np.concatenate(volumes), np.concatenate(variances) ** 0.5)


def _moved(
    potential: Potential, kernel: Galilean, points: Tensor, steps: int, generator: torch.Generator
) -> tuple[Galilean, Tensor, Tensor]:
    """Move copies apart at a fixed step size; the next round's follows from how often they stayed inside."""
    state = kernel.init(potential, points, generator)
    inside = 0.0
    for _ in range(steps):
        state, info = kernel.step(potential, state, generator)
        inside += float(info.acceptance.double().mean()) / steps  # type: ignore[union-attr]
    size = kernel.step_size * math.exp(0.8 * (inside - kernel.target_acceptance))
    return replace(kernel, step_size=size), state.points, state.energies
