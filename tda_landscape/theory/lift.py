r"""One hidden layer: the paths that the kernel lift promises.

The outputs U rho(W x) + c are linear in the lifted parameter A(theta), (m, q). With p >= q hidden units every point has
a path to the global minimum along which a convex loss never rises (Venturi, Bandeira and Bruna 2018, Theorem 5); with
p >= q + 1 any two points are joined below their maximum, so N_u = 1 for all u (derived here; Theorem 5 asks for
p >= 2 q). Both paths are polylines: each piece moves one layer, and along it the outputs stay or are linear.
"""

from __future__ import annotations

from dataclasses import replace

import torch
from torch import Tensor

from tda_landscape._errors import InputError
from tda_landscape.energy._network import Network
from tda_landscape.theory._chain import Chain
from tda_landscape.theory._construction import Construction, not_plain
from tda_landscape.theory._convex import minimize_convex
from tda_landscape.theory._curve import Curve
from tda_landscape.theory._intrinsic import exceeds
from tda_landscape.theory._kernel_lift import KernelLift, Units, completion, independent, lift_of, outgoing, unit

CANCELLATION = 1e-12
"""Largest share of rounding in the outputs at the end of a descent."""


def refuses(chain: Chain, network: Network) -> str | None:
    """Name the hypothesis of `connect` that does not hold."""
    return _refuses(chain, network, spare=1)


def refuses_descent(chain: Chain, network: Network) -> str | None:
    """Name the hypothesis of `descend` that does not hold."""
    return _refuses(chain, network, spare=0)


def connect(chain: Chain, a: Tensor, b: Tensor, generator: torch.Generator) -> Curve:
    """Join two points: both to the reference units with the outputs as they are, then one convex move between them."""
    lift = lift_of(chain)
    down, up = (to_reference(lift, lift.read(point)) for point in (a, b))
    return Curve.through([a, *map(lift.write, down[1:]), *map(lift.write, up[:0:-1]), b])


def descend(chain: Chain, network: Network, point: Tensor, generator: torch.Generator) -> Curve:
    """Lead a point to the global minimum: q independent units carry the outputs, then one convex move.

    With a unit to spare these are the reference units; without one they are the point's own, whose features may be so
    close to dependent that rounding would show, and then it is an error. Where the infimum lies at infinity, as that of
    the logistic loss on separable data, the curve ends where the gradient in the lifted parameter is below 1e-11.
    """
    lift = lift_of(chain)
    units, q = lift.read(point), len(lift.reference)
    if chain.widths[1] > q:
        nodes, basis = to_reference(lift, units), list(range(q))
    else:
        nodes, basis = spanning(lift, units)
    beta, bias = lowest(lift, network, lift.beta(units), units.bias)
    end = _carried(lift, replace(nodes[-1], bias=bias), beta, basis)
    _check_rounding(lift, end, beta)
    return Curve.through([point, *map(lift.write, [*nodes[1:], end])])


def _check_rounding(lift: KernelLift, units: Units, beta: Tensor) -> None:
    """Refuse outgoing weights so large that they cancel to outputs of which rounding has its share."""
    error = torch.finfo(beta.dtype).eps * (units.outgoing.abs() @ lift.features(units.incoming).abs()).amax()
    if not float(error) <= CANCELLATION * (1 + float(beta.abs().amax())):
        raise InputError(
            "the features of the hidden units nearly depend on each other, and weights that use what is left of their "
            "difference drown in rounding; use more units than q, or data that tell units apart better"
        )


def lowest(lift: KernelLift, network: Network, beta: Tensor, bias: Tensor | None) -> tuple[Tensor, Tensor | None]:
    """The lifted parameter (m, q) and output bias (m,) of least loss, a convex problem, from where they are."""
    with torch.no_grad():
        shape = network.module(network.inputs).shape
    own, size = lift.chain.biased[1], (len(beta), len(lift.kernel) + lift.chain.biased[1])

    def value(flat: Tensor, _: Tensor) -> Tensor:
        parts = flat.view(size)
        outputs = parts[:, : len(lift.kernel)] @ lift.kernel + (parts[:, -1:] if own else 0)
        return network.loss(outputs.T.reshape(shape), network.targets)

    start = torch.cat([beta, bias[:, None]], dim=1) if bias is not None else beta
    found = minimize_convex(value, start.reshape(1, -1), start.new_zeros(1, 0))
    if not found.solved.all():
        raise InputError(
            f"the convex problem of the lift was left with a gradient of {float(found.slopes[0]):.2g}; descent is "
            "built for losses with two derivatives"
        )
    parts = found.points[0].view(size)
    return parts[:, : len(lift.kernel)], parts[:, -1] if own else None


KERNEL_LIFT = Construction("networks with one hidden layer", refuses, connect)


def to_reference(lift: KernelLift, units: Units) -> list[Units]:
    """Exchange all units for the reference units, in their order, with the outputs as they are; the first is given.

    Steinitz: units that carry nothing take reference features, each of which then stands for an old one in the basis;
    those old units carry nothing any more.
    """
    nodes, old = spanning(lift, units)
    beta, q, p = lift.beta(units), len(old), len(units.incoming)
    spare = [k for k in range(p) if k not in old]
    at: dict[int, int] = {}  # the slot of each reference unit
    while old:
        exchanges = _exchanges(lift, nodes[-1].incoming, list(at), list(at.values()), old, len(spare))
        places = _places([j for j, _ in exchanges], spare)
        at |= places
        old = [k for k in old if k not in [i for _, i in exchanges]]
        nodes.append(_placed(lift, nodes[-1], places))
        nodes.append(_carried(lift, nodes[-1], beta, [*old, *at.values()]))
        spare = [k for k in spare if k not in places.values()] + [i for _, i in exchanges]
    while wrong := {j for j in at if at[j] != j}:
        ready = wrong.intersection(spare) or {min(wrong)}  # where all are in each other's way, one steps aside
        places = _places(sorted(ready), spare)
        spare = [k for k in spare if k not in places.values()] + [at[j] for j in places]
        at |= places
        nodes.append(_placed(lift, nodes[-1], places))
        nodes.append(_carried(lift, nodes[-1], beta, list(at.values())))
    blank = (torch.arange(p) >= q)[:, None]
    return [*nodes, Units(nodes[-1].incoming.masked_fill(blank, 0.0), nodes[-1].outgoing, units.bias)]


def spanning(lift: KernelLift, units: Units) -> tuple[list[Units], list[int]]:
    """Let q independent units carry the outputs, all others nothing; return the way and those units.

    What dependent units carry is moved to others, which leaves the outputs as they are; then they are free to take
    the reference features that are missing.
    """
    features, reference = lift.features(units.incoming), lift.features(lift.reference)
    basis = independent(features)
    nodes = [units, _carried(lift, units, lift.beta(units), basis)]
    missing = completion(features[basis], reference)
    free = [k for k in range(len(features)) if k not in basis]
    places = dict(zip(missing, free, strict=False))
    return [*nodes, _placed(lift, nodes[-1], places)], [*basis, *places.values()]


def _carried(lift: KernelLift, units: Units, beta: Tensor, slots: list[int]) -> Units:
    """The units at `slots` alone carry the lifted parameter beta (m, q)."""
    return replace(units, outgoing=outgoing(beta, lift.features(units.incoming[slots]), slots, len(units.incoming)))


def _placed(lift: KernelLift, units: Units, places: dict[int, int]) -> Units:
    """Units that carry nothing take reference features j at slots `places[j]`."""
    incoming = units.incoming.clone()
    incoming[list(places.values())] = lift.reference[list(places)]
    return replace(units, incoming=incoming)


def _places(wanted: list[int], spare: list[int]) -> dict[int, int]:
    """A spare slot for each reference unit: its own where it is free."""
    others = [k for k in spare if k not in wanted]
    return {j: j if j in spare else others.pop(0) for j in wanted}


def _exchanges(
    lift: KernelLift, incoming: Tensor, placed: list[int], slots: list[int], old: list[int], count: int
) -> list[tuple[int, int]]:
    """Which reference units take the place of which old ones next, so that the basis stays one; `count` at most.

    Complete pivoting: of the reference features that are not placed yet, written in the basis, the old unit with the
    largest coefficient leaves first. That keeps outgoing weights from growing even where old units nearly depend on
    each other.
    """
    waiting = [j for j in range(len(lift.reference)) if j not in placed]
    wanted, basis = unit(lift.features(lift.reference[waiting])), unit(lift.features(incoming[[*old, *slots]]))
    rest = torch.linalg.lstsq(basis.T, wanted.T).solution.T[:, : len(old)].clone()
    exchanges = []
    for _ in range(min(count, len(old))):
        j, i = divmod(int(rest.abs().argmax()), len(old))
        exchanges.append((waiting[j], old[i]))
        rest = rest - rest[:, i : i + 1] * rest[j] / rest[j, i]
        rest[j], rest[:, i] = 0.0, 0.0
    return exchanges


def _refuses(chain: Chain, network: Network, spare: int) -> str | None:
    """What is missing, for as many units to spare."""
    wanted = "q + 1" if spare else "q"
    if len(chain.activations) != 1:
        return f"{len(chain.activations)} hidden layers are not one"
    reason = not_plain(network)
    if reason is not None:
        return reason
    p = chain.widths[1]
    if exceeds(chain, p - spare):  # on many data far cheaper than q itself
        return f"p = {p} hidden units are fewer than {wanted}, which is at least {p + 1}"
    q = lift_of(chain).dimension
    if p >= q.upper + spare:
        return None
    if p >= q.lower + spare:
        return f"whether p = {p} is at least {wanted} is not decided, q lies between {q.lower} and {q.upper}"
    return f"p = {p} hidden units are fewer than {wanted} = {q.value + spare}"
