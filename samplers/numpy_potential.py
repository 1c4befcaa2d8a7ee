"""Energies of numpy arrays with a gradient of their own: the fast way for tiny ones."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

Points = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class NumpyPotential:
    """An energy of a few coordinates in numpy, with its analytic gradient; `run` then uses numpy throughout.

    A step of a hundred chains of a tiny energy is nearly all overhead, and numpy has several times less of it than
    torch with autograd. Everything else is the same: kernels, warm-up, resume, `Chains`.

    Parameters
    ----------
    dim : int
    value : callable
        Points (k, d) -> energies (k,).
    gradient : callable
        Points (k, d) -> gradients (k, d).
    both : callable, optional
        Points -> (energies, gradients) at once, where that is cheaper.

    Examples
    --------
    >>> import samplers
    >>> bowl = NumpyPotential(2, lambda x: (x * x).sum(1) / 2, lambda x: x)
    >>> kernel = samplers.Langevin(step_size=0.1, temperature=1.0)
    >>> samplers.run(bowl, kernel, np.zeros((5, 2)), draws=10, seed=0).points.shape
    torch.Size([5, 10, 2])
    """

    dim: int
    value: Callable[[Points], Points]
    gradient: Callable[[Points], Points]
    both: Callable[[Points], tuple[Points, Points]] | None = None

    def __call__(self, points: Points) -> Points:
        """Return the energies (k,)."""
        return self.value(points)

    def value_and_grad(self, points: Points) -> tuple[Points, Points]:
        """Return energies (k,) and gradients (k, d)."""
        return self.both(points) if self.both is not None else (self.value(points), self.gradient(points))

    def draw_batch(self, rng: Any, chains: int) -> NumpyPotential:
        """Return itself: there are no minibatches."""
        return self
