"""From one parameter vector to a batch of them: vmap, chunk sizes, initialisation."""

from __future__ import annotations

import copy
from collections.abc import Callable
from dataclasses import replace

import torch
from torch import Tensor

from tda_landscape._errors import InputError
from tda_landscape.energy._network import Network
from tda_landscape.energy.networks import reinitialize

StartLaw = Callable[[int, torch.Generator], Tensor]


def vectorized(network: Network, here: Tensor) -> Network:
    """Let a network be evaluated by vmap where that gives the same energy; else its points are looped over."""
    one_by_one = replace(network, vmap=False)
    try:
        tolerance = 1e-9 if here.dtype == torch.float64 else 1e-4
        same = torch.allclose(network.values(here), one_by_one.values(here), rtol=tolerance)
    except RuntimeError:  # what torch raises for control flow and operations that vmap does not know
        return one_by_one
    return network if same else one_by_one


def check_mean(network: Network, vector: Tensor) -> None:
    """Refuse a loss that grows with the rows: its minibatches would be biased."""
    rows = torch.arange(len(network.inputs))
    bare = replace(network, weight_decay=0.0, regularizer=None)
    once, twice = bare.value(vector), bare.on_rows(torch.cat([rows, rows])).value(vector)
    if not torch.allclose(once, twice, rtol=1e-4):
        raise InputError(
            f"the loss on the data twice over is {float(twice):.6g}, not {float(once):.6g}: "
            "with batch_size it must be a mean over rows, e.g. reduction='mean'"
        )


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
