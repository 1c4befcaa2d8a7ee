"""Built-in networks, and the initialisation law of any module."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

import torch
from torch import Tensor, nn

from tda_landscape._errors import InputError, expect_whole, shown
from tda_landscape.energy._random import Seed, as_generator, lend


class Square(nn.Module):
    """z -> z^2."""

    def forward(self, z: Tensor) -> Tensor:
        """Square each number."""
        return z.square()


ACTIVATIONS: dict[str, type[nn.Module]] = {
    "tanh": nn.Tanh,
    "sigmoid": nn.Sigmoid,
    "softplus": nn.Softplus,
    "gelu": nn.GELU,
    "silu": nn.SiLU,
    "relu": nn.ReLU,
    "identity": nn.Identity,
    "square": Square,
}


def mlp(sizes: Sequence[int], *, activation: str = "tanh", bias: bool = True, seed: Seed = 0) -> nn.Sequential:
    """Build a fully connected network.

    Parameters
    ----------
    sizes : sequence of int
        Widths from input to output, e.g. ``[64, 4, 10]``.
    activation : str
        One of tanh, sigmoid, softplus, gelu, silu, relu, identity, square; between the layers, not after the last.
    bias : bool
        Whether the layers have biases.
    seed : int or torch.Generator
        Of the initial weights, drawn by torch's own law for linear layers.

    Returns
    -------
    torch.nn.Sequential

    Examples
    --------
    >>> mlp([64, 4, 10])
    Sequential(
      (0): Linear(in_features=64, out_features=4, bias=True)
      (1): Tanh()
      (2): Linear(in_features=4, out_features=10, bias=True)
    )
    """
    if not isinstance(sizes, Sequence) or len(sizes) < 2:
        raise InputError(f"sizes must be a list of at least two widths, such as [64, 4, 10], got {shown(sizes)}")
    for i, size in enumerate(sizes):
        expect_whole("[1, inf)", **{f"sizes[{i}]": size})
    if activation not in ACTIVATIONS:
        raise InputError(f"activation {shown(activation)} is not one of {', '.join(ACTIVATIONS)}")
    layers: list[nn.Module] = []
    with lend(as_generator(seed)):
        for wide, narrow in pairwise(sizes):
            layers += [nn.Linear(wide, narrow, bias=bias), ACTIVATIONS[activation]()]
    return nn.Sequential(*layers[:-1])


def reinitialize(module: nn.Module, generator: torch.Generator) -> None:
    """Draw all parameters of a module anew by each layer's own `reset_parameters`."""
    owners = [m for m in module.modules() if next(m.parameters(recurse=False), None) is not None]
    resets = [getattr(m, "reset_parameters", None) or getattr(m, "_reset_parameters", None) for m in owners]
    for owner, reset in zip(owners, resets, strict=True):
        if reset is None:
            raise InputError(
                f"{type(owner).__name__} has parameters but no reset_parameters(), so its start law is unknown; "
                "write that method, or pass start= to Energy.from_model"
            )
    with lend(generator):
        for reset in resets:
            if reset is not None:
                reset()


BUILTIN = {"mlp": mlp}
"""Networks that a survey's [model] section can name."""
