"""How well `align` finds the element that moved a point: exact images, noisy images, and unrelated points.

For unrelated points the nearest image is known by trying all elements of a small group (3 and 2 hidden units, tanh:
48 times 8 signed permutations). Run: ``python -m benchmarks.alignment``; seconds, one thread.
"""

from __future__ import annotations

import itertools
import time

import torch
from torch import Tensor, nn

import tda_landscape as tl
from tda_landscape.energy.symmetry import NetworkSymmetry, find_symmetry
from tda_landscape.energy.symmetry._units import Element, act

PAIRS = 200
NOISE = (0.0, 0.01, 0.03, 0.1, 0.3, 1.0)


def digits(sizes: list[int], activation: str, decay: float) -> tl.Energy:
    model = tl.zoo.networks.mlp(sizes, activation=activation)
    data = tl.zoo.datasets.load("digits", samples=200)
    return tl.Energy.from_model(model, nn.functional.cross_entropy, data, weight_decay=decay)


def xor() -> tl.Energy:
    inputs, targets = torch.tensor([[0.0, 0], [0, 1], [1, 0], [1, 1]]), torch.tensor([0.0, 1, 1, 0])

    def loss(outputs: Tensor, labels: Tensor) -> Tensor:
        return nn.functional.binary_cross_entropy_with_logits(outputs[:, 0], labels)

    return tl.Energy.from_model(tl.zoo.networks.mlp([2, 4, 1]), loss, (inputs, targets), weight_decay=1e-3)


def images(decay: float) -> tl.Energy:
    model = nn.Sequential(
        nn.Conv2d(1, 6, 3), nn.ReLU(), nn.MaxPool2d(2), nn.Conv2d(6, 8, 2), nn.ReLU(), nn.Flatten(), nn.Linear(32, 10)
    )
    inputs, targets = tl.zoo.datasets.load("digits", samples=200)
    data = (inputs.view(-1, 1, 8, 8), targets)
    return tl.Energy.from_model(model, nn.functional.cross_entropy, data, weight_decay=decay)


ENERGIES = {
    "xor 2-4-1 tanh": xor,
    "digits 64-8-10 tanh": lambda: digits([64, 8, 10], "tanh", 1e-3),
    "digits 64-8-8-10 tanh": lambda: digits([64, 8, 8, 10], "tanh", 1e-3),
    "digits 64-16-16-16-10 relu, decay": lambda: digits([64, 16, 16, 16, 10], "relu", 1e-3),
    "digits 64-16-16-16-10 relu, scales": lambda: digits([64, 16, 16, 16, 10], "relu", 0.0),
    "convolutions relu, scales": lambda: images(0.0),
}


def recovery(energy: tl.Energy, symmetry: NetworkSymmetry, noise: float, seed: int) -> tuple[float, float, float]:
    """Fraction of elements found, largest distance, CPU seconds; noise relative to each coordinate's mean size."""
    generator = torch.Generator().manual_seed(seed)
    points = energy.start(PAIRS, generator)
    size = points.square().mean(1, keepdim=True).sqrt()
    near = points + noise * size * torch.randn(points.shape, generator=generator, dtype=points.dtype)
    moved, out = symmetry.scramble(near, generator)
    clock = time.process_time()
    back, home = symmetry.align(moved, points)
    clock = time.process_time() - clock
    found = (home.gather(1, out) == torch.arange(symmetry.degree)).all(1)
    return float(found.double().mean()), float((back - points).norm(dim=1).max()), clock


def all_elements(symmetry: NetworkSymmetry, point: Tensor) -> Tensor:
    """Every image of one folded point."""
    layers = []
    for units in symmetry.structure.units:
        permutations = list(itertools.permutations(range(units.size)))
        layers.append(list(itertools.product(permutations, itertools.product((1.0, -1.0), repeat=units.size))))
    choices = list(itertools.product(*layers))
    columns = list(zip(*choices, strict=True))
    element = Element(
        tuple(torch.tensor([p for p, _ in column]) for column in columns),
        tuple(torch.tensor([s for _, s in column], dtype=point.dtype)[:, None] for column in columns),
    )
    return act(symmetry.structure, point.expand(len(choices), -1).contiguous(), element)


def against_brute_force(hidden: list[int], pairs: int) -> tuple[float, float]:
    """Fraction of unrelated pairs whose nearest image was found, and the largest ratio of distances."""
    X, y = tl.zoo.datasets.load("iris")
    model = tl.zoo.networks.mlp([4, *hidden, 3])
    energy = tl.Energy.from_model(model, nn.functional.cross_entropy, (X, y), weight_decay=1e-3)
    symmetry = find_symmetry(energy)
    points, references = energy.start(pairs, 0), energy.start(pairs, 1)
    found = (symmetry.align(points, references)[0] - references).norm(dim=1)
    best = torch.stack(
        [(all_elements(symmetry, p[None]) - r).norm(dim=1).min() for p, r in zip(points, references, strict=True)]
    )
    assert (found >= best - 1e-12).all()
    return float((found <= best + 1e-9).double().mean()), float((found / best).max())


def main() -> None:
    torch.set_num_threads(1)
    print(f"elements found of {PAIRS}, by noise relative to the mean size of a weight; alignments per CPU second")
    print(f"{'network':36}" + "".join(f"{noise:>9}" for noise in NOISE) + f"{'distance':>10}{'per s':>8}")
    for name, make in ENERGIES.items():
        energy = make()
        symmetry = find_symmetry(energy)
        rows = [recovery(energy, symmetry, noise, seed=7) for noise in NOISE]
        print(
            f"{name:36}" + "".join(f"{rate:9.3f}" for rate, *_ in rows) + f"{rows[0][1]:10.1e}{PAIRS / rows[0][2]:8.0f}"
        )
    print("unrelated points, 4-*-3 tanh: nearest image found, largest ratio of distances")
    for hidden, pairs in (([4], 60), ([3, 2], 60), ([3, 3], 40), ([2, 2, 2], 60)):
        rate, ratio = against_brute_force(hidden, pairs)
        print(f"{hidden!s:36}{rate:9.3f}{ratio:9.4f}")


if __name__ == "__main__":
    main()
