r"""One hidden layer with p >= q + 1 units: any two points are joined below their maximum.

The outputs U rho(W x) + c are linear in the lifted parameter A(theta), (m, q), so N_u = 1 for all u (derived here;
Venturi, Bandeira and Bruna 2018, Theorem 5, asks for p >= 2 q). The path is a polyline: each piece moves one layer, and
along it the outputs stay or are linear.
"""

from __future__ import annotations

from dataclasses import replace

import torch
from torch import Tensor

from tda_landscape.energy._network import Network
from tda_landscape.theory._chain import Chain
from tda_landscape.theory._construction import Construction, not_plain
from tda_landscape.theory._curve import Curve
from tda_landscape.theory._intrinsic import exceeds, unit
from tda_landscape.theory._kernel_lift import KernelLift, Units, completion, independent, lift_of, outgoing


def refuses(chain: Chain, network: Network) -> str | None:
    """Name the hypothesis of `connect` that does not hold."""
    return missing_units(chain, network, spare=1)


def connect(chain: Chain, a: Tensor, b: Tensor, generator: torch.Generator) -> Curve:
    """Join two points: both to the reference units with the outputs as they are, then one convex move between them."""
    lift = lift_of(chain)
    down, up = (to_reference(lift, lift.read(point)) for point in (a, b))
    return Curve.through([a, *map(lift.write, down[1:]), *map(lift.write, up[:0:-1]), b])


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
        nodes.append(carried(lift, nodes[-1], beta, [*old, *at.values()]))
        spare = [k for k in spare if k not in places.values()] + [i for _, i in exchanges]
    while wrong := {j for j in at if at[j] != j}:
        ready = wrong.intersection(spare) or {min(wrong)}  # where all are in each other's way, one steps aside
        places = _places(sorted(ready), spare)
        spare = [k for k in spare if k not in places.values()] + [at[j] for j in places]
        at |= places
        nodes.append(_placed(lift, nodes[-1], places))
        nodes.append(carried(lift, nodes[-1], beta, list(at.values())))
    blank = (torch.arange(p) >= q)[:, None]
    return [*nodes, Units(nodes[-1].incoming.masked_fill(blank, 0.0), nodes[-1].outgoing, units.bias)]


def spanning(lift: KernelLift, units: Units) -> tuple[list[Units], list[int]]:
    """Let q independent units carry the outputs, all others nothing; return the way and those units.

    What dependent units carry is moved to others, which leaves the outputs as they are; then they are free.
    """
    basis = independent(lift, units.incoming)
    nodes, whole = completed(lift, carried(lift, units, lift.beta(units), basis), basis)
    return [units, *nodes], whole


def completed(lift: KernelLift, units: Units, basis: list[int]) -> tuple[list[Units], list[int]]:
    """Let units beside those at `basis`, which carry nothing, take the reference features that are missing."""
    missing = completion(lift.features(units.incoming[basis]), lift.features(lift.reference))
    free = [k for k in range(len(units.incoming)) if k not in basis]
    places = dict(zip(missing, free, strict=False))
    return [units, _placed(lift, units, places)], [*basis, *places.values()]


def carried(lift: KernelLift, units: Units, beta: Tensor, slots: list[int]) -> Units:
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
    rest = torch.linalg.lstsq(basis.T, wanted.T, driver="gels").solution.T[:, : len(old)].clone()
    exchanges = []
    for _ in range(min(count, len(old))):
        j, i = divmod(int(rest.abs().argmax()), len(old))
        exchanges.append((waiting[j], old[i]))
        rest = rest - rest[:, i : i + 1] * rest[j] / rest[j, i]
        rest[j], rest[:, i] = 0.0, 0.0
    return exchanges


def missing_units(chain: Chain, network: Network, spare: int) -> str | None:
    """What is missing for q units and as many to spare."""
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
