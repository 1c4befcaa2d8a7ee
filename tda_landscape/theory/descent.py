"""Ways down that theorems promise: from any point to a global minimum, and never up."""

from __future__ import annotations

import torch
from numpy.typing import ArrayLike
from torch import Tensor

from tda_landscape._errors import InputError, expect, expect_number
from tda_landscape.energy import Energy
from tda_landscape.energy._function import as_tensor
from tda_landscape.energy._random import Seed, as_generator
from tda_landscape.paths import Path
from tda_landscape.theory import lift_descent
from tda_landscape.theory._construction import Descent, first_that_applies
from tda_landscape.theory._curve import follow
from tda_landscape.theory.linear_descent import LINEAR_DESCENT

KERNEL_DESCENT = Descent("networks with one hidden layer", lift_descent.refuses, lift_descent.descend)

DESCENTS: tuple[Descent, ...] = (LINEAR_DESCENT, KERNEL_DESCENT)
"""Every way down, in the order in which they are tried; a new one is one line."""


def descend(energy: Energy, point: ArrayLike | Tensor, *, delta: float = 1e-6, seed: Seed = 0) -> Path:
    """Build the way down of the first theorem whose hypotheses hold.

    Parameters
    ----------
    energy : Energy
        Without weight decay: of a linear network with squared error, of any depth and widths; or of a network with one
        hidden layer that is wide enough for its data.
    point : array_like (d,)
        Where the path begins, also a saddle or a maximum.
    delta : float
        How far the polyline may rise after its lowest point so far, relative to 1 + abs(highest energy).
    seed : int or torch.Generator

    Returns
    -------
    Path
        It ends in a global minimum.

    Raises
    ------
    InputError
        Where no theorem applies, with the hypothesis that each of them misses.

    Notes
    -----
    Singular values of the data below 1e-10 of the largest one count as zero.

    Examples
    --------
    Zero is a saddle of this network, whose hidden layer is narrower than its input and its output.

    >>> import torch, tda_landscape as tl
    >>> inputs, labels = tl.zoo.datasets.load("iris")
    >>> model = tl.zoo.networks.mlp([4, 1, 3], activation="identity")
    >>> targets = torch.nn.functional.one_hot(labels.long(), 3)
    >>> energy = tl.Energy.from_model(model, torch.nn.functional.mse_loss, (inputs, targets.double()))
    >>> path = tl.theory.descend(energy, torch.zeros(energy.dim))
    >>> [round(float(path.energies[i]), 4) for i in (0, -1)]
    [0.3333, 0.1145]
    """
    expect(Energy, energy=energy)
    expect_number("(0, inf)", delta=delta)
    chain, network, descent = first_that_applies(energy, DESCENTS, "descend with tl.minimize")
    start = energy.as_points(as_tensor(point, "point", energy.dtype)[None])[0]
    if not torch.isfinite(start).all():
        raise InputError(f"the point has the entry {float(start[~torch.isfinite(start)][0])}; give a finite point")
    curve = descent.descend(chain, network, start.double(), as_generator(seed))
    return follow(energy, [curve], [(start, curve.end.to(energy.dtype))], delta, falling=True)[0]
