"""Small networks with their data."""

from __future__ import annotations

import torch
from torch import Tensor

from tda_landscape._errors import InputError
from tda_landscape.energy import datasets, networks
from tda_landscape.energy._energy import Energy

COPIES, COPY_NOISE = 0.75, 0.02


def xor(hidden: int = 4) -> Energy:
    """Return the tanh network 2-h-1 on the four points of XOR: binary cross-entropy + 1e-3 |theta|^2.

    Parameters
    ----------
    hidden : int
        h, the number of tanh units; d = 4 h + 1.

    Returns
    -------
    Energy
        Start law: each unit 2 N(0, 1), wide enough for saturated units, and three of four units after the first a
        copy, but for a hundredth and up to sign, of an earlier one. Minima of this network have equal units; from
        independent ones the rarest is reached by 1 start of 1,000, from these by 20 to 30.

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
        units = _with_copies(2 * torch.randn(k, hidden, 4, generator=generator, dtype=torch.float64), generator)
        bias = 2 * torch.randn(k, 1, generator=generator, dtype=torch.float64)
        return torch.cat([units[:, :, :2].flatten(1), units[:, :, 2], units[:, :, 3], bias], dim=1)

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


def _with_copies(units: Tensor, generator: torch.Generator) -> Tensor:
    """Make most of the units (k, h, m) after the first near copies, up to sign, of earlier ones."""
    k, h, _ = units.shape
    noise = COPY_NOISE * torch.randn(units.shape, generator=generator, dtype=units.dtype)
    copied = torch.rand(k, h, generator=generator) < COPIES
    sign = torch.where(torch.rand(k, h, 1, generator=generator) < 0.5, 1.0, -1.0).to(units.dtype)
    for unit in range(1, h):
        earlier = (torch.rand(k, generator=generator) * unit).long()
        copy = sign[:, unit] * units[torch.arange(k), earlier]
        units[:, unit] = torch.where(copied[:, unit, None], copy, units[:, unit])
    return units + noise


def _check_hidden(hidden: int) -> None:
    """Refuse a layer without units."""
    if isinstance(hidden, bool) or not isinstance(hidden, int) or hidden < 1:
        raise InputError(f"hidden must be a positive int, got {hidden!r}")
