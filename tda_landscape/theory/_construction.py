"""What a constructive proof is to a path search, and the hypotheses that several share."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TypeVar

import torch
from torch import Tensor

from tda_landscape._errors import InputError
from tda_landscape.certificates.losses import recognise
from tda_landscape.energy import Energy
from tda_landscape.energy._network import Network
from tda_landscape.theory._chain import Chain, read_chain
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


@dataclass(frozen=True, slots=True)
class Descent:
    """A theorem with the way down that its proof builds.

    Attributes
    ----------
    theorem : str
        What it speaks of, in a few words.
    refuses : callable
        As of `Construction`.
    descend : callable
        (chain, network, point, generator) -> a curve from a parameter vector (d,) to a global minimum, along which the
        energy never rises. Called only where nothing is refused.
    """

    theorem: str
    refuses: Callable[[Chain, Network], str | None]
    descend: Callable[[Chain, Network, Tensor, torch.Generator], Curve]


Proof = TypeVar("Proof", Construction, Descent)


def first_that_applies(energy: Energy, proofs: Sequence[Proof], hint: str) -> tuple[Chain, Network, Proof]:
    """The network as a chain and the first proof whose hypotheses hold, or what each of them misses, and a hint."""
    network = energy.network
    if network is None:
        raise InputError(f"theorems speak of networks; make the energy with Energy.from_model, or {hint}")
    chain = read_chain(network)
    missing = []
    for proof in proofs:
        reason = proof.refuses(chain, network)
        if reason is None:
            return chain, network, proof
        missing.append(f"{proof.theorem}: {reason}")
    raise InputError(f"no theorem promises a path here ({'; '.join(missing)}); {hint}")


def not_linear(chain: Chain) -> str | None:
    """Which activations are not the identity, or None."""
    return None if chain.linear else f"the activation {', '.join(dict.fromkeys(chain.names))} is not the identity"


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
