"""What a constructive proof is to a path search, and the hypotheses that several share."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor

from tda_landscape._errors import InputError
from tda_landscape.certificates.losses import recognise
from tda_landscape.energy._network import Network
from tda_landscape.theory._chain import Chain
from tda_landscape.theory._curve import Curve


@dataclass(frozen=True, slots=True)
class Construction:
    """A theorem with the path that its proof builds.

    Attributes
    ----------
    theorem : str
        What it speaks of, in a few words.
    refuses : callable
        (chain, network) -> the hypothesis that does not hold, as a phrase, or None where all hold.
    connect : callable
        (chain, a, b, generator) -> a curve between two parameter vectors (d,), along which the energy is at most that
        of the higher one. Called only where nothing is refused.
    """

    theorem: str
    refuses: Callable[[Chain, Network], str | None]
    connect: Callable[[Chain, Tensor, Tensor, torch.Generator], Curve]


def not_convex(network: Network) -> str | None:
    """Why the energy without weight decay is not known to be convex in the outputs, or None."""
    if network.regularizer is not None:
        return "a regularizer voids it"
    with torch.no_grad():
        outputs = network.module(network.inputs).shape
    try:
        recognise(network.loss, network.targets, outputs)
    except InputError as error:
        return f"the loss is not known to be convex ({error})"
    return None


def not_plain(network: Network) -> str | None:
    """Why the energy is not a convex function of the outputs and of nothing else, or None."""
    if network.weight_decay:
        return f"weight_decay = {network.weight_decay:g} voids it"
    return not_convex(network)
