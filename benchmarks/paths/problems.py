"""The networks of the path benchmarks and their minima; chosen before anything was measured on them.

C, A and N are those of the published comparison (weight decay w/2 |theta|^2 there, w |theta|^2 here). D, with two
hidden layers, and V, convolutional, were added for this benchmark. Seeds from 101 on are held out: nothing may be
tuned on them; tuning seeds are 1 to 20.
"""

from __future__ import annotations

import hashlib
import math
from functools import cache

import torch
from sklearn.datasets import load_digits
from torch import Tensor, nn

import tda_landscape as tl

TUNING, HELD_OUT = range(1, 21), range(101, 106)
PAIRS = ((0, 1), (2, 3), (4, 5), (6, 7))
STEPS, RATE = 4000, 1e-2


def _convolutional() -> nn.Module:
    return nn.Sequential(
        nn.Unflatten(1, (1, 8, 8)), nn.Conv2d(1, 4, 3), nn.Tanh(), nn.AvgPool2d(2), nn.Flatten(), nn.Linear(36, 10)
    )


MODELS = {
    "C": (lambda: tl.zoo.networks.mlp([64, 8, 10]), 5e-4),
    "A": (lambda: tl.zoo.networks.mlp([64, 32, 10], activation="relu"), 0.0),
    "N": (lambda: tl.zoo.networks.mlp([64, 16, 10]), 1.5e-4),
    "D": (lambda: tl.zoo.networks.mlp([64, 12, 12, 10]), 1.5e-4),
    "V": (_convolutional, 1.5e-4),
}
"""Network and weight decay of each problem."""


@cache
def energy_of(name: str) -> tl.Energy:
    """Cross-entropy on the first 400 digits."""
    data = load_digits()
    inputs, targets = torch.tensor(data.data[:400] / 16), torch.tensor(data.target[:400])
    model, decay = MODELS[name]
    return tl.Energy.from_model(model(), nn.functional.cross_entropy, (inputs, targets), weight_decay=decay)


@cache
def minima_of(name: str, seed: int, count: int = 8) -> Tensor:
    """Points (count, d) at the end of 4000 full-batch steps of Adam with a cosine schedule, as the comparison has them.

    They are the ends of all searches and are not polished.
    """
    energy, generator = energy_of(name), torch.Generator().manual_seed(seed)
    points = _start(name, count, generator) if name in "CAN" else energy.start(count, generator)
    mean, square = torch.zeros_like(points), torch.zeros_like(points)
    for i in range(STEPS):
        gradients = energy.value_and_grad(points)[1]
        mean, square = 0.9 * mean + 0.1 * gradients, 0.999 * square + 0.001 * gradients**2
        rate = RATE * (0.5 + 0.5 * math.cos(math.pi * i / STEPS)) + 1e-6
        points = points - rate * (mean / (1 - 0.9 ** (i + 1))) / ((square / (1 - 0.999 ** (i + 1))).sqrt() + 1e-8)
    return points


def _start(name: str, count: int, generator: torch.Generator) -> Tensor:
    """The comparison's own start law: N(0, 1) / sqrt(fan in), no biases."""
    hidden = {"C": 8, "A": 32, "N": 16}[name]
    shape = {"generator": generator, "dtype": torch.float64}
    first, second = torch.randn(count, 64 * hidden, **shape) / 8, torch.randn(count, 10 * hidden, **shape) / hidden**0.5
    zeros = torch.zeros(count, hidden + 10, dtype=torch.float64)
    return torch.cat([first, zeros[:, :hidden], second, zeros[:, hidden:]], 1)


def fingerprint(points: Tensor) -> str:
    """Hash that freezes the ends of a comparison."""
    return hashlib.sha256(points.numpy().tobytes()).hexdigest()[:12]
