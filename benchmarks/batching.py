"""Gradients of many points against a plain loop, CPU time, one thread.

    python -m benchmarks.batching

The loop copies each point into the module's own parameters, runs forward and backward, and joins the gradients; for a
function it is one forward and backward a point. A batch is `energy.value_and_grad` on all points at once, by the plan
that the energy chooses for itself. The first columns are of the first calls of fresh energies, 1 to 20 of them together
with all that they pay for, measuring the plan and recording; `later` is what it comes to: paired rounds after them.
"""

from __future__ import annotations

import argparse
import copy
import time
from collections.abc import Callable
from dataclasses import replace

import numpy as np
import torch
from sklearn.datasets import load_digits
from torch import Tensor, nn

import tda_landscape as tl
from benchmarks.paths.problems import energy_of
from tda_landscape.energy._plan import measured

SIZES, CALLS = (1, 8, 64), (1, 2, 5, 20)


def digits(sizes: list[int], rows: int) -> tl.Energy:
    data = load_digits()
    inputs, targets = torch.tensor(data.data[:rows] / 16), torch.tensor(data.target[:rows])
    model = tl.zoo.networks.mlp(sizes)
    return tl.Energy.from_model(model, nn.functional.cross_entropy, (inputs, targets), weight_decay=1e-3)


ENERGIES = {
    "XOR 2-4-1": tl.zoo.xor,
    "64-8-10, 400 digits": lambda: digits([64, 8, 10], 400),
    "64-32-10, 400 digits": lambda: digits([64, 32, 10], 400),
    "64-32-10, 1797 digits": lambda: digits([64, 32, 10], 1797),
    "convolutional, 400 digits": lambda: energy_of("V"),
    "Mueller-Brown": tl.zoo.mueller_brown,
    "Lennard-Jones 7": lambda: tl.zoo.lennard_jones(7),
    "double well": lambda: tl.zoo.double_well(2),
}


def loop(energy: tl.Energy) -> Callable[[Tensor], tuple[Tensor, Tensor]]:
    """What a user would write: one point after another."""
    if energy.network is None:
        return lambda points: _joined([_by_autograd(lambda p: energy.function(p[None])[0], point) for point in points])
    network = energy.network
    module = copy.deepcopy(network.module).requires_grad_()
    parameters = list(module.parameters())

    def one(point: Tensor) -> tuple[Tensor, Tensor]:
        nn.utils.vector_to_parameters(point, parameters)
        value = network.loss(module(network.inputs), network.targets)
        if network.weight_decay:
            value = value + network.weight_decay * sum(p.square().sum() for p in parameters)
        module.zero_grad()
        value.backward()
        return value.detach(), torch.cat([p.grad.reshape(-1) for p in parameters])

    return lambda points: _joined([one(point) for point in points])


def _by_autograd(function: Callable[[Tensor], Tensor], point: Tensor) -> tuple[Tensor, Tensor]:
    x = point.detach().requires_grad_()
    value = function(x)
    return value.detach(), torch.autograd.grad(value, x)[0]


def _joined(answers: list[tuple[Tensor, Tensor]]) -> tuple[Tensor, Tensor]:
    return torch.stack([value for value, _ in answers]), torch.stack([gradient for _, gradient in answers])


def seconds(function: Callable[[Tensor], object], points: Tensor, times: int = 1) -> float:
    start = time.process_time()
    for _ in range(times):
        function(points)
    return (time.process_time() - start) / times


def ratios(energy: tl.Energy, points: Tensor, rounds: int) -> list[float]:
    """Loop over batch in each of some rounds, after the first calls."""
    plain = loop(energy)
    times = max(1, int(0.02 / seconds(plain, points)))
    for a, b in zip(plain(points), energy.value_and_grad(points), strict=True):
        assert torch.allclose(a, b, rtol=1e-9, atol=1e-12)
    found = []
    for i in range(rounds):
        turn = [(0, plain), (1, energy.value_and_grad)][:: 1 if i % 2 else -1]
        took = {which: seconds(function, points, times) for which, function in turn}
        found.append(took[0] / took[1])
    return found


def first_calls(energy: tl.Energy, points: Tensor) -> list[float]:
    """Loop over batch, all calls so far together, after each of the first calls."""
    plain = loop(energy)
    plain(points)  # what torch does once in a process is not the energy's
    took = np.array([(seconds(plain, points), seconds(energy.value_and_grad, points)) for _ in range(CALLS[-1])])
    return [float(took[:calls, 0].sum() / took[:calls, 1].sum()) for calls in CALLS]


def fresh(make: Callable[[], tl.Energy]) -> tl.Energy:
    """An energy which knows of no plan and has recorded nothing."""
    measured.clear()
    return replace(make(), evaluator=None)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=21)
    parser.add_argument("--fresh", type=int, default=5, help="energies of which the first calls are timed")
    parser.add_argument("--sizes", type=int, nargs="+", default=SIZES)
    parser.add_argument("--only", default="", help="energies whose name has this in it")
    given = parser.parse_args()
    torch.set_num_threads(1)
    print(f"times that a batch is as fast as a plain loop, medians; CPU time, one thread; {given.fresh} fresh energies")
    print(f"{'':26s}{'points':>7s}" + "".join(f"{f'{n} calls':>10s}" for n in CALLS) + f"{'later':>10s}   plan")
    for name, make in ENERGIES.items():
        for k in given.sizes if given.only in name else ():
            rows = []
            for i in range(given.fresh):
                energy = fresh(make)
                rows.append(first_calls(energy, energy.start(k, i)))
            later = np.median(ratios(energy, energy.start(k, k), given.rounds)) if given.rounds else np.nan
            cells = "".join(f"{x:10.2f}" for x in [*np.median(rows, axis=0), later])
            print(f"{name:26s}{k:7d}{cells}   {energy.plan}", flush=True)


if __name__ == "__main__":
    main()
