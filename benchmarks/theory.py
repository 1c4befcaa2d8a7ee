"""How exact are the paths that the theorems promise? Random architectures, widths, ranks, biases and losses.

    python -m benchmarks.theory                  500 networks for each construction (about 25 minutes on one core)
    python -m benchmarks.theory --networks 50    fewer
    python -m benchmarks.theory --only ridge     one construction

For each network two points are joined (or one is led down): random ones, zero, of rank one, nearly of rank one, or
with layers 10^4 times as large as the next. On the exact curve, at 201 points on each piece: the largest excess over
the higher end (the largest rise, on a way down) relative to 1 + abs(energy there), and the largest gap between pieces
relative to 1 + norm of the point. Every tenth time the polyline for delta = 1e-6: its excess, measured by adaptive
bisection, and its nodes. Every fiftieth time the polyline for delta = 1e-3 is to be proved to stay below that (proved).
Then as many networks below the threshold width, which must all be refused with a sentence. Last how far the end of a
way down is above the global minimum (optimum): in closed form of squared error, of other losses by another solver.
Weights of features that nearly depend on each other cancel, so that the lift's ends are asked to be within 1e-9 only.
Exits with 1 where anything misses its target.
"""

from __future__ import annotations

import argparse
import statistics
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Generator, Tensor
from torch.nn import functional

import tda_landscape as tl
from tda_landscape.theory import deep_lift, lift, lift_descent, linear, linear_descent, quadratic, ridge
from tda_landscape.theory._chain import Chain, read_chain
from tda_landscape.theory._curve import Curve, excess, follow, joints, rise
from tests.theory import lift_networks
from tests.theory.theory_networks import KINDS, LOSSES, energy_of, linear_energy, normal, point, quadratic_energy, rng

EXCESS, JOINT, DELTA, PROVED = 1e-12, 1e-10, 1e-6, 1e-3

BEYOND = 1e8
"""Weights from which on nothing is proved: at 1e10, where a loss has no minimum, rounding alone exceeds `PROVED`."""


def any_of(generator: Generator, first: int, last: int) -> int:
    """A random whole number, both ends included."""
    return int(torch.randint(first, last + 1, (1,), generator=generator))


def one(generator: Generator, things: list[str]) -> str:
    return things[any_of(generator, 0, len(things) - 1)]


def deep_linear(generator: Generator, wide: bool) -> tl.Energy:
    """One to five layers; below the threshold one of the hidden layers is too narrow."""
    inputs, outputs = any_of(generator, 1, 6), any_of(generator, 1, 6)
    least = min(inputs, outputs)
    hidden = [any_of(generator, least + 1, least + 4) for _ in range(any_of(generator, 0 if wide else 1, 4))]
    if not wide:
        hidden[any_of(generator, 0, len(hidden) - 1)] = any_of(generator, 1, least)
    bias = bool(any_of(generator, 0, 1))
    return linear_energy((inputs, *hidden, outputs), one(generator, list(LOSSES)), generator, bias)


def two_linear(generator: Generator, wide: bool) -> tl.Energy:
    """Two layers with weight decay from 1e-4 to 10."""
    inputs, outputs, bias = any_of(generator, 1, 6), any_of(generator, 1, 6), bool(any_of(generator, 0, 1))
    least = min(inputs + bias, outputs)
    hidden = any_of(generator, least + 1, least + 4) if wide else any_of(generator, 1, least)
    decay = 10.0 ** any_of(generator, -4, 1)
    widths = (inputs, hidden, outputs)
    return linear_energy(widths, one(generator, list(LOSSES)), generator, bias, weight_decay=decay)


def squares(generator: Generator, wide: bool) -> tl.Energy:
    """One hidden layer of squares with one output."""
    inputs, bias = any_of(generator, 1, 4), bool(any_of(generator, 0, 1))
    least = 2 * (inputs + bias) + 1
    units = any_of(generator, least, least + 3) if wide else any_of(generator, 1, least - 1)
    loss = one(generator, [name for name in LOSSES if name != "cross entropy"])
    return quadratic_energy(inputs, units, loss, generator, bias)


def any_linear(generator: Generator, wide: bool) -> tl.Energy:
    """One to five layers of any widths, data of any rank; what is refused has another loss, or weight decay."""
    widths = [any_of(generator, 1, 6) for _ in range(any_of(generator, 2, 6))]
    bias = bool(any_of(generator, 0, 1))
    if not wide:
        loss, decay = one(generator, ["absolute", "huber"]), float(any_of(generator, 0, 1))
        return linear_energy(widths, loss, generator, bias, weight_decay=decay)
    rank = any_of(generator, 1, widths[0])
    x, y = normal(generator, 12, rank) @ normal(generator, rank, widths[0]), normal(generator, 12, widths[-1])
    model = tl.zoo.networks.mlp(widths, activation="identity", bias=bias)
    return tl.Energy.from_model(model, functional.mse_loss, (x, y))


def one_hidden(spare: int) -> Callable[[Generator, bool], tl.Energy]:
    """One hidden layer of any activation, with q units and as many to spare, or more; or with fewer."""

    def make(generator: Generator, wide: bool) -> tl.Energy:
        while True:
            seed = any_of(generator, 0, 2**31 - 2)
            if wide:
                return lift_networks.draw(seed, lambda q, more: q.upper + spare + more).energy
            case = lift_networks.draw(seed, lambda q, fewer: q.lower + spare - 1 - min(fewer, 2))
            if case.q.lower + spare > 1:  # else one unit is enough
                return case.energy

    return make


def deep_hidden(generator: Generator, wide: bool) -> tl.Energy:
    """Two or three hidden layers with more units than data; below the threshold one of them has a single unit."""
    rows, inputs, outputs = any_of(generator, 2, 5), any_of(generator, 1, 3), any_of(generator, 1, 3)
    hidden = [rows + any_of(generator, 1, 3) for _ in range(any_of(generator, 2, 3))]
    if not wide:
        hidden[any_of(generator, 0, len(hidden) - 1)] = 1
    activation, bias = one(generator, ["relu", "tanh", "square"]), bool(any_of(generator, 0, 1))
    model = tl.zoo.networks.mlp([inputs, *hidden, outputs], activation=activation, bias=bias)
    return energy_of(model, one(generator, list(LOSSES)), generator, rows)


@dataclass(frozen=True)
class Row:
    """A construction, what makes its networks, and what is allowed: gaps between its pieces, and above the minimum."""

    make: Callable[[Generator, bool], tl.Energy]
    refuses: Callable[..., str | None]
    build: Callable[[tl.Energy, Chain, Tensor, Tensor, Generator], Curve]
    joint: float = JOINT
    lowest: Callable[[tl.Energy, Chain], float] | None = None
    optimum: float = EXCESS

    @property
    def falling(self) -> bool:
        """Whether it leads down."""
        return self.lowest is not None


def lowest(energy: tl.Energy, chain: Chain) -> float:
    """The global minimum of a linear network with squared error: reduced-rank regression in closed form."""
    x, y = energy.network.inputs, energy.network.targets
    if chain.biased[-1]:
        x, y = x - x.mean(0), y - y.mean(0)
    fitted = x @ torch.linalg.lstsq(x, y, driver="gelsd").solution
    rest = torch.linalg.svdvals(fitted)[min(chain.widths) :]
    return float(((y - fitted).square().sum() + rest.square().sum()) / y.numel())


ROWS = {
    "deep": Row(deep_linear, linear.refuses, lambda e, c, a, b, g: linear.connect(c, a, b, g)),
    "ridge": Row(two_linear, ridge.refuses, lambda e, c, a, b, g: ridge.connect(c, a, b, g), joint=1e-7),
    "squares": Row(squares, quadratic.refuses, lambda e, c, a, b, g: quadratic.connect(c, a, b, g)),
    "descent": Row(
        any_linear,
        linear_descent.refuses,
        lambda e, c, a, b, g: linear_descent.descend(c, e.network, a, g),
        lowest=lowest,
    ),
    "lift": Row(one_hidden(spare=1), lift.refuses, lambda e, c, a, b, g: lift.connect(c, a, b, g)),
    "deep lift": Row(deep_hidden, deep_lift.refuses, lambda e, c, a, b, g: deep_lift.connect(c, a, b, g)),
    "lift descent": Row(
        one_hidden(spare=0),
        lift_descent.refuses,
        lambda e, c, a, b, g: lift_descent.descend(c, e.network, a, g),
        lowest=lift_networks.lowest,
        optimum=lift_descent.ROUNDING,
    ),
}


@dataclass
class Found:
    """The worst of everything."""

    networks: int = 0
    excess: float = 0.0
    joint: float = 0.0
    polylines: int = 0
    polyline: float = 0.0
    nodes: tuple[int, ...] = ()
    proved: int = 0
    asked: int = 0
    optimum: float = 0.0
    refused: int = 0
    accepted: int = 0


def measure(row: Row, networks: int, seed: int = 0, *, every: int = 10) -> Found:
    """Build all curves of a row and keep the worst numbers; polylines and certificates now and then."""
    generator, found = rng(seed), Found()
    for number in range(networks):
        energy = row.make(generator, True)
        chain = read_chain(energy.network)
        reason = row.refuses(chain, energy.network)
        assert reason is None, f"{chain.widths}: {reason}"
        a, b = (point(chain, one(generator, list(KINDS)), generator) for _ in range(2))
        curve = row.build(energy, chain, a, b, generator)
        end = curve.end if row.falling else b
        found.networks += 1
        found.excess = max(found.excess, (rise if row.falling else excess)(energy, curve))
        found.joint = max(found.joint, joints(curve, a, end))
        if row.lowest is not None:
            found.optimum = max(found.optimum, float(energy(end[None])) - row.lowest(energy, chain))
        if number % every == 0:
            follow_up(row, energy, curve, (a, end), found)
        if number % (5 * every) == 0:
            prove(row, energy, curve, (a, end), found)
    for _ in range(networks):
        energy = row.make(generator, False)
        sentence = row.refuses(read_chain(energy.network), energy.network)
        found.refused, found.accepted = found.refused + bool(sentence), found.accepted + (sentence is None)
    return found


def follow_up(row: Row, energy: tl.Energy, curve: Curve, ends: tuple[Tensor, Tensor], found: Found) -> None:
    """The polyline for `DELTA`."""
    (path,) = follow(energy, [curve], [ends], DELTA, falling=row.falling)
    higher = float(path.energies[[0, -1]].max())
    over = (path.height - higher) / (1 + abs(higher))
    if row.falling:
        values = path.profile[:, 1]
        over = float((values - values.cummin(0).values).max()) / (1 + abs(float(values.max())))
    found.polylines, found.polyline = found.polylines + 1, max(found.polyline, over)
    found.nodes = (*found.nodes, len(path.points))


def prove(row: Row, energy: tl.Energy, curve: Curve, ends: tuple[Tensor, Tensor], found: Found) -> None:
    """A certificate that the polyline for `PROVED` stays below that."""
    (path,) = follow(energy, [curve], [ends], PROVED, falling=row.falling)
    higher = float(path.energies[[0, -1]].max())
    level = higher + PROVED * (1 + abs(higher))
    if float(path.points.abs().max()) > BEYOND:
        return
    try:
        proved = tl.certify(energy, path, level=level).below(level)
    except tl.InputError:  # of an activation without certificates
        return
    found.asked, found.proved = found.asked + 1, found.proved + proved


def misses(row: Row, found: Found) -> list[str]:
    """What is not as good as it has to be."""
    checks = {
        "excess": found.excess <= EXCESS,
        "joints": found.joint <= row.joint,
        "polyline": found.polyline <= DELTA,
        "proofs": found.proved == found.asked,
        "optimum": found.optimum <= row.optimum,
        "refusals": found.accepted == 0,
    }
    return [name for name, good in checks.items() if not good]


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--networks", type=int, default=500)
    parser.add_argument("--only", nargs="*", choices=ROWS, default=list(ROWS))
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()
    torch.set_num_threads(1)
    failed = False
    for name in options.only:
        began = time.process_time()
        found = measure(ROWS[name], options.networks, options.seed)
        missed = misses(ROWS[name], found)
        failed = failed or bool(missed)
        print(
            f"{name:12s} {found.networks} networks: excess {found.excess:.1e}, joints {found.joint:.1e}; "
            f"{found.polylines} polylines: excess {found.polyline:.1e}, nodes {statistics.median(found.nodes):.0f} "
            f"(at most {max(found.nodes)}); proved {found.proved} of {found.asked}; refused {found.refused} of "
            f"{found.refused + found.accepted}; optimum {found.optimum:.1e}; {time.process_time() - began:.0f} s CPU"
            f"{'; MISSED: ' + ', '.join(missed) if missed else ''}",
            flush=True,
        )
    return int(failed)


if __name__ == "__main__":
    sys.exit(main())
