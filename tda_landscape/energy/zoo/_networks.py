"""Small networks with their data."""

from __future__ import annotations

import torch
from torch import Tensor

from tda_landscape._errors import InputError
from tda_landscape.energy import datasets, networks
from tda_landscape.energy._energy import Energy


def xor(hidden: int = 4) -> Energy:
    """Return the tanh network 2-h-1 on the four points of XOR: binary cross-entropy + 1e-3 |theta|^2.

    Parameters
    ----------
    hidden : int
        h, the number of tanh units; d = 4 h + 1.

    Returns
    -------
    Energy
        Start law 2 N(0, 1), wide enough to reach the minima with saturated units.

    Examples
    --------
    >>> energy = xor()
    >>> energy.dim, energy(energy.start(1, 0) * 0).round(decimals=4).tolist()
    (17, [0.6931])
    """
    _check_hidden(hidden)
    inputs = torch.tensor([[0.0, 0.0], [0.0, 1.0], [1.0, 0.0], [1.0, 1.0]])
    targets = torch.tensor([[0.0], [1.0], [1.0], [0.0]])

    def start(k: int, generator: torch.Generator) -> Tensor:
        return 2 * torch.randn(k, 4 * hidden + 1, generator=generator, dtype=torch.float64)

    return Energy.from_model(
        networks.mlp([2, hidden, 1]),
        torch.nn.functional.binary_cross_entropy_with_logits,
        (inputs, targets),
        weight_decay=1e-3,
        start=start,
    )


def digits(hidden: int = 8) -> Energy:
    """Return the tanh network 64-h-10 on the 1797 digits: cross-entropy + 1e-3 |theta|^2.

    Parameters
    ----------
    hidden : int
        h, the number of tanh units; d = 75 h + 10.

    Returns
    -------
    Energy
        Start law: torch's own for linear layers.

    Examples
    --------
    >>> digits(hidden=2).dim
    160
    """
    _check_hidden(hidden)
    model = networks.mlp([64, hidden, 10])
    return Energy.from_model(model, torch.nn.functional.cross_entropy, datasets.load("digits"), weight_decay=1e-3)


def _check_hidden(hidden: int) -> None:
    """Refuse a layer without units."""
    if isinstance(hidden, bool) or not isinstance(hidden, int) or hidden < 1:
        raise InputError(f"hidden must be a positive int, got {hidden!r}")
