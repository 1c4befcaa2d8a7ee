"""How near a network is to a kink of its activations."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor
from torch.overrides import TorchFunctionMode

from tda_landscape.energy import Energy

KINKED = ("relu", "relu_", "relu6", "leaky_relu", "leaky_relu_", "prelu", "abs", "hardtanh", "elu", "celu", "selu")
NEAR = 1e-6
"""A pre-activation is near its kink within this, relative to the root mean square of its layer."""


class _Listener(TorchFunctionMode):
    """Counts the arguments of kinked operations, and those that are near zero."""

    def __init__(self) -> None:
        super().__init__()
        self.near, self.total = 0, 0

    def __torch_function__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        if getattr(func, "__name__", "") in KINKED and isinstance(args[0], Tensor):
            x = args[0].detach()
            self.near += int((x.abs() <= NEAR * x.square().mean().sqrt()).sum())
            self.total += x.numel()
        return func(*args, **(kwargs or {}))


def near_kink(energy: Energy, points: Tensor) -> Tensor:
    """Fraction (k,) of pre-activations near a kink, over data and units; NaN where there is none to look at."""
    fractions = points.new_full((len(points),), torch.nan)
    if energy.network is None or not energy.kinks:
        return fractions
    for row, point in enumerate(points):
        with torch.no_grad(), _Listener() as heard:
            energy.network.outputs(energy.network.unflatten(point), energy.network.inputs)
        if heard.total:
            fractions[row] = heard.near / heard.total
    return fractions
