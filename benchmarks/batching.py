"""Gradients of many points against a plain loop, CPU time, one thread: median ratio of paired rounds.

    python -m benchmarks.batching

The loop copies each point into the module's own parameters, runs forward and backward, and joins the gradients; for a
function it is one forward and backward a point. A batch is `energy.value_and_grad` on all points at once, by the plan
that the energy chooses for itself. In brackets: the same ratio over the first 40 calls together (or 2 seconds of
them), which pay for measuring the plan and for recording.
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

SIZES = (1, 8, 64, 256)
EARLY, EARLY_SECONDS = 40, 2.0


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


def ratios(energy: tl.Energy, points: Tensor, rounds: int) -> tuple[float, list[float]]:
    """Loop over batch: in the first calls together, and in each round after them."""
    plain = loop(energy)
    once = seconds(plain, points)
    early = [seconds(energy.value_and_grad, points)]
    while len(early) < EARLY and sum(early) < EARLY_SECONDS:
        early.append(seconds(energy.value_and_grad, points))
    for a, b in zip(plain(points), energy.value_and_grad(points), strict=True):
        assert torch.allclose(a, b, rtol=1e-9, atol=1e-12)
    times = max(1, int(0.02 / once))
    found = []
    for i in range(rounds):
        turn = [(0, plain), (1, energy.value_and_grad)][:: 1 if i % 2 else -1]
        took = {which: seconds(function, points, times) for which, function in turn}
        found.append(took[0] / took[1])
    later = float(np.median([seconds(plain, points, times) for _ in range(3)]))
    return later * len(early) / sum(early), found


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=21)
    given = parser.parse_args()
    torch.set_num_threads(1)
    print(f"times that a batch is as fast as a plain loop, median of {given.rounds} paired rounds [the first calls]")
    print(f"{'':28s}" + "".join(f"{k:>18d}" for k in SIZES) + "   plan")
    for name, make in ENERGIES.items():
        cells, plan = [], {}
        for k in SIZES:
            measured.clear()
            energy = replace(make(), evaluator=None)  # which knows of no plan and has recorded nothing
            first, found = ratios(energy, energy.start(k, k), given.rounds)
            cells.append(f"{np.median(found):9.2f} [{first:6.2f}]")
            plan |= energy.plan
        print(f"{name:28s}" + "".join(cells) + f"   {plan}", flush=True)


if __name__ == "__main__":
    main()
