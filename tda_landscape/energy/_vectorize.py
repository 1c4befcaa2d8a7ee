"""From one parameter vector to a batch of them: vmap, chunk sizes, initialisation."""

from __future__ import annotations

import copy
from collections.abc import Callable

import torch
from torch import Tensor

from tda_landscape.energy._network import Network
from tda_landscape.energy.networks import reinitialize

Function = Callable[[Tensor], Tensor]
StartLaw = Callable[[int, torch.Generator], Tensor]


def batched(network: Network, here: Tensor) -> Function:
    """Vectorise a network over points; a module that vmap cannot take is looped over."""
    over_points: Function = torch.vmap(network.value)

    def looped(points: Tensor) -> Tensor:
        return torch.stack([network.value(point) for point in points])

    try:
        same = torch.allclose(over_points(here), looped(here), rtol=1e-9 if here.dtype == torch.float64 else 1e-4)
    except RuntimeError:  # what torch raises for control flow and operations that vmap does not know
        return looped
    return over_points if same else looped


def initialization_law(network: Network) -> StartLaw:
    """The law of the module's own layer initialisation."""
    module = copy.deepcopy(network.module)

    def law(k: int, generator: torch.Generator) -> Tensor:
        rows = []
        for _ in range(k):
            reinitialize(module, generator)
            rows.append(network.flatten(module))
        return torch.stack(rows)

    return law


def rows_in_cache(network: Network) -> int:
    """How many points to evaluate at once: activations of the order of 2^24 numbers."""
    size = max(network.inputs.numel(), sum(p.numel() for p in network.module.parameters()))
    return max(1, min(1024, 2**24 // size))
