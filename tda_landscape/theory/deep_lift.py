r"""Any depth, more units in each hidden layer than it can have features: any two points are joined below their maximum.

The kernel lift, one layer after the other (derived here). With the layers before it at reference units, the features of
hidden layer k span at most q_k dimensions, whatever its weights. With p_k >= q_k + 1 its units trade places with
reference units while what the next layer sees stays as it is; once both points have all their hidden units there, the
output layer moves on a straight line, on which the loss is convex. So N_u = 1 for all u. On n data q_k <= n for any
activation, and squares have q_k <= binom(N + 2^k - 1, 2^k), so that M_k >= 3 N^(2^k) is more than enough.
"""

from __future__ import annotations

from functools import lru_cache
from typing import NamedTuple

import torch
from torch import Tensor

from tda_landscape.energy._network import Network
from tda_landscape.theory._chain import Chain, Layer
from tda_landscape.theory._construction import Construction, not_plain
from tda_landscape.theory._curve import Curve
from tda_landscape.theory._intrinsic import exceeds
from tda_landscape.theory._kernel_lift import KernelLift, Units, make_lift
from tda_landscape.theory.lift import to_reference


class Narrow(NamedTuple):
    """A hidden layer of p units that may not be more than its q, which lies between `lower` and `upper`."""

    layer: int
    p: int
    lower: int
    upper: int | None

    def __str__(self) -> str:
        """In words."""
        upper = "more" if self.upper is None else str(self.upper)
        q = str(self.lower) if self.lower == self.upper else f"{self.lower} to {upper}"
        return f"p >= q + 1; hidden layer {self.layer} has p = {self.p}, q = {q}"


def refuses(chain: Chain, network: Network) -> str | None:
    """Name the hypothesis that does not hold."""
    if len(chain.activations) < 2:
        return f"{len(chain.activations)} hidden layers are not two or more"
    reason = not_plain(network)
    if reason is not None:
        return reason
    narrow = lifts_of(chain)[1]
    return None if narrow is None else f"not every layer has {narrow}"


def connect(chain: Chain, a: Tensor, b: Tensor, generator: torch.Generator) -> Curve:
    """Join two points: both to reference units in all hidden layers, then one convex move between them."""
    lifts, _ = lifts_of(chain)
    return Curve.through([*_to_references(chain, lifts, a), *_to_references(chain, lifts, b)[::-1]])


DEEP_LIFT = Construction("networks with several hidden layers", refuses, connect)


@lru_cache(maxsize=4)
def lifts_of(chain: Chain) -> tuple[tuple[KernelLift, ...], Narrow | None]:
    """The kernel lift of each hidden layer behind reference units, up to the first layer that is too narrow."""
    features = chain.features
    lifts: list[KernelLift] = []
    for k, activation in enumerate(chain.activations):
        p, end = chain.widths[k + 1], k + 2
        own = Chain(features, chain.widths[k : end + 1], (activation,), chain.names[k : k + 1], chain.biased[k:end], ())
        if exceeds(own, p - 1):  # on many data far cheaper than q itself
            return tuple(lifts), Narrow(k + 1, p, p, None)
        lift = make_lift(own)
        q = lift.dimension
        if p <= q.upper:
            return tuple(lifts), Narrow(k + 1, p, q.lower, q.upper)
        lifts.append(lift)
        incoming = torch.cat([lift.reference, lift.reference.new_zeros(p - q.upper, lift.reference.shape[1])])
        features = activation(incoming @ lift.inputs.T).T
    return tuple(lifts), None


def _to_references(chain: Chain, lifts: tuple[KernelLift, ...], point: Tensor) -> list[Tensor]:
    """Points on the way to reference units in all hidden layers, along which the outputs stay; the first is given."""
    layers, way = list(chain.layers(point)), [point]
    for k, lift in enumerate(lifts):
        (weight, bias), (outer, c) = layers[k : k + 2]
        units = Units(weight if bias is None else torch.cat([weight, bias[:, None]], dim=1), outer, c)
        for moved in to_reference(lift, units)[1:]:
            layers[k : k + 2] = _as_layers(moved, chain.biased[k])
            way.append(chain.vector(layers))
    return way


def _as_layers(units: Units, biased: bool) -> list[Layer]:
    """Units as the weights and biases of two layers."""
    incoming = (units.incoming[:, :-1], units.incoming[:, -1]) if biased else (units.incoming, None)
    return [incoming, (units.outgoing, units.bias)]
