"""What does a certificate cost? Independently trained pairs of networks, one row a network.

    python -m benchmarks.certificates                     every row, 8 pairs each (about 15 minutes on one core)
    python -m benchmarks.certificates --rows mlp wide     some of them
    python -m benchmarks.certificates --pairs 2           fewer pairs

Evaluations are full-data evaluations of the loss, both ends included: the median over the pairs and the range. One
evaluation in forward passes: CPU time of the certificate over evaluations, over that of the plain module on the same
data, in the same run, one thread. The digits come with scikit-learn; with TDA_LANDSCAPE_DATA naming a folder that
holds mnist_63000.npz the wide rows use MNIST, else the digits enlarged to 28 x 28. Exits with 1 if a median misses
its target. Some rows have no target: they are there to be seen.
"""

from __future__ import annotations

import argparse
import os
import statistics
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional

import tda_landscape as tl

Data = tuple[Tensor, Tensor]


class Residual(nn.Module):
    """Three blocks x + W2 relu(W1 x) of width 32."""

    def __init__(self) -> None:
        super().__init__()
        self.first, self.last = nn.Linear(64, 32), nn.Linear(32, 10)
        blocks = [nn.Sequential(nn.Linear(32, 32), nn.ReLU(), nn.Linear(32, 32)) for _ in range(3)]
        self.blocks = nn.ModuleList(blocks)

    def forward(self, x: Tensor) -> Tensor:
        x = torch.relu(self.first(x))
        for block in self.blocks:
            x = torch.relu(x + block(x))
        return self.last(x)


class Square(nn.Module):
    """A polynomial activation."""

    def forward(self, x: Tensor) -> Tensor:
        return x * x


def digits(rows: int | None = None, *, squared: bool = False, image: bool = False) -> Data:
    """The digits in 8 x 8 pixels."""
    X, y = tl.zoo.datasets.load("digits", samples=rows)
    X = X.view(-1, 1, 8, 8) if image else X
    return X, functional.one_hot(y, 10).double() if squared else y


def wide_digits(rows: int) -> Data:
    """MNIST, or the digits enlarged to its size."""
    folder = os.environ.get("TDA_LANDSCAPE_DATA")
    if folder is None:
        X, y = digits(rows, image=True)
        return functional.interpolate(X, (28, 28), mode="bilinear").flatten(1), y
    pack = np.load(Path(folder) / "mnist_63000.npz", allow_pickle=False)
    return torch.tensor(pack["x"][:rows] / 255.0).flatten(1), torch.tensor(pack["y"][:rows].astype(np.int64))


def mlp(
    sizes: list[int], activation: Callable[[], nn.Module], norm: Callable[[int], nn.Module] | None = None
) -> nn.Module:
    """A fully connected network, with a normalization after each hidden layer."""
    layers: list[nn.Module] = []
    for wide, narrow in pairwise(sizes):
        layers += [nn.Linear(wide, narrow), *([norm(narrow)] if norm else []), activation()]
    last = 2 + (norm is not None)
    return nn.Sequential(*layers[:-last], nn.Linear(sizes[-2], sizes[-1]))


def convolutional(activation: Callable[[], nn.Module], pool: Callable[[int], nn.Module]) -> nn.Module:
    """Two convolutions with pooling."""
    first = [nn.Conv2d(1, 8, 3, padding=1), activation(), pool(2)]
    return nn.Sequential(*first, nn.Conv2d(8, 8, 3, padding=1), activation(), pool(2), nn.Flatten(), nn.Linear(32, 10))


def train(make: Callable[[], nn.Module], loss: Callable[..., Tensor], data: Data, seed: int, epochs: int) -> nn.Module:
    """Adam on minibatches, from a seed of its own."""
    generator = torch.Generator().manual_seed(seed)
    with torch.random.fork_rng():
        torch.random.manual_seed(seed)
        model = make().double()
    for layer in model.modules():
        if isinstance(layer, (nn.Linear, nn.Conv2d)):  # the usual start of ReLU networks; deep ones need it to train
            nn.init.kaiming_normal_(layer.weight, nonlinearity="relu", generator=generator)
    optimizer = torch.optim.Adam(model.parameters(), lr=5e-3, weight_decay=1e-4)
    for _ in range(epochs):
        for rows in torch.randperm(len(data[0]), generator=generator).split(256):
            optimizer.zero_grad()
            loss(model(data[0][rows]), data[1][rows]).backward()
            optimizer.step()
    return model.eval()


@dataclass(frozen=True)
class Row:
    """One network with its data, what is asked of the certificate, and what it is to reach."""

    name: str
    make: Callable[[], nn.Module]
    loss: Callable[..., Tensor]
    data: Callable[[], Data]
    rtol: float
    target: float | None
    epochs: int = 60
    curved: bool = False
    seconds: float | None = None
    passes: float | None = None


ce, mse = functional.cross_entropy, functional.mse_loss
small = [64, 32, 10]
ROWS: dict[str, list[Row]] = {
    "mlp": [
        Row(
            "64-32-10 ReLU, squared error",
            lambda: mlp(small, nn.ReLU),
            mse,
            lambda: digits(squared=True),
            0.01,
            9,
            seconds=0.3,
        ),
        Row("64-32-10 ReLU, cross-entropy", lambda: mlp(small, nn.ReLU), ce, digits, 0.01, 9, seconds=0.3),
        Row(
            "64-32-10 tanh, squared error",
            lambda: mlp(small, nn.Tanh),
            mse,
            lambda: digits(squared=True),
            0.01,
            9,
            seconds=0.3,
        ),
        Row("64-32-10 tanh, cross-entropy", lambda: mlp(small, nn.Tanh), ce, digits, 0.01, 9, seconds=0.3),
    ],
    "curved": [
        Row("64-32-10 ReLU, 8 segments", lambda: mlp(small, nn.ReLU), ce, digits, 0.01, 14, curved=True),
        Row("64-32-10 tanh, 8 segments", lambda: mlp(small, nn.Tanh), ce, digits, 0.01, 14, curved=True),
    ],
    "wide": [
        Row(
            "784-256-256-10 ReLU",
            lambda: mlp([784, 256, 256, 10], nn.ReLU),
            ce,
            lambda: wide_digits(500),
            0.02,
            16,
            15,
            passes=6,
        ),
    ],
    "deep": [
        Row(
            f"{k} hidden layers of 32",
            lambda k=k: mlp([64, *[32] * k, 10], nn.ReLU),
            ce,
            lambda: digits(500),
            0.02,
            target,
        )
        for k, target in ((4, 18), (6, 28), (8, 60))
    ],
    "conv": [
        Row(
            f"convolutional, {name}",
            lambda a=a, p=p: convolutional(a, p),
            ce,
            lambda: digits(500, image=True),
            0.02,
            target,
        )
        for name, a, p, target in (
            ("ReLU, average pooling", nn.ReLU, nn.AvgPool2d, 12),
            ("SiLU, average pooling", nn.SiLU, nn.AvgPool2d, 12),
            ("ReLU, max pooling", nn.ReLU, nn.MaxPool2d, 20),
            ("GELU, max pooling", nn.GELU, nn.MaxPool2d, 20),
        )
    ],
    "norm": [
        Row("LayerNorm, GELU, 1 hidden", lambda: mlp(small, nn.GELU, nn.LayerNorm), ce, lambda: digits(500), 0.02, 20),
        Row(
            "LayerNorm, ReLU, 2 hidden",
            lambda: mlp([64, 32, 32, 10], nn.ReLU, nn.LayerNorm),
            ce,
            lambda: digits(500),
            0.02,
            20,
        ),
        Row(
            "BatchNorm, ReLU, 2 hidden",
            lambda: mlp([64, 32, 32, 10], nn.ReLU, nn.BatchNorm1d),
            ce,
            lambda: digits(500),
            0.02,
            20,
        ),
        Row("SiLU, 2 hidden", lambda: mlp([64, 32, 32, 10], nn.SiLU), ce, lambda: digits(500), 0.02, 20),
        Row("residual, 3 blocks", Residual, ce, lambda: digits(500), 0.02, 40),
    ],
    "polynomial": [
        Row(
            "deep linear, 1 hidden", lambda: mlp(small, nn.Identity), mse, lambda: digits(squared=True), 1e-6, None, 20
        ),
        Row(
            "deep linear, 2 hidden",
            lambda: mlp([64, 32, 32, 10], nn.Identity),
            mse,
            lambda: digits(squared=True),
            1e-6,
            None,
            20,
        ),
        Row(
            "quadratic activation", lambda: mlp([64, 16, 10], Square), mse, lambda: digits(squared=True), 1e-6, None, 20
        ),
    ],
}


def pairs_of(row: Row, data: Data, pairs: int) -> Iterator[tuple[tl.Energy, Tensor]]:
    """Energies and paths between nets that were trained from different seeds."""
    for pair in range(pairs):
        nets = [train(row.make, row.loss, data, 2 * pair + i, row.epochs) for i in (0, 1)]
        energy = tl.Energy.from_model(nets[0], row.loss, data)
        assert energy.network is not None
        ends = torch.stack([energy.network.flatten(net) for net in nets])
        yield energy, bent(energy, ends) if row.curved else ends


def bent(energy: tl.Energy, ends: Tensor, steps: int = 150) -> Tensor:
    """Eight segments on a quadratic Bezier curve whose middle point was trained."""
    middle = ends.mean(0).clone().requires_grad_()
    optimizer = torch.optim.Adam([middle], lr=2e-2)
    shares = torch.linspace(0, 1, 9, dtype=torch.float64)[:, None]

    def curve() -> Tensor:
        return (1 - shares) ** 2 * ends[0] + 2 * shares * (1 - shares) * middle + shares**2 * ends[1]

    for _ in range(steps):
        points = curve()
        _, gradients = energy.value_and_grad(points.detach())
        optimizer.zero_grad()
        points.backward(gradients)
        optimizer.step()
    return curve().detach()


def forward_seconds(energy: tl.Energy, point: Tensor) -> float:
    """CPU time of the plain module with its loss on all data, without gradients."""
    network = energy.network
    assert network is not None
    module = network.module
    torch.nn.utils.vector_to_parameters(point, module.parameters())
    with torch.no_grad():
        times = []
        for _ in range(9):
            start = time.process_time()
            network.loss(module(network.inputs), network.targets)
            times.append(time.process_time() - start)
    return statistics.median(times)


def measure(row: Row, pairs: int) -> bool:
    """Certify all pairs, print a line, say whether the targets were met."""
    counts, seconds, passes, gaps, ends, tops = [], [], [], [], [], []
    data = row.data()
    for energy, path in pairs_of(row, data, pairs):
        start = time.process_time()
        certificate = tl.certify(energy, path, rtol=row.rtol)
        taken = time.process_time() - start
        counts.append(certificate.evaluations)
        seconds.append(taken)
        passes.append(taken / certificate.evaluations / forward_seconds(energy, path[0]))
        shares = torch.linspace(0, 1, 33, dtype=torch.float64)[:, None]
        dense = max(float(energy(a + shares * (b - a)).max()) for a, b in pairwise(path))
        assert dense <= certificate.upper
        gaps.append(certificate.upper / dense - 1)
        ends.append(float(energy(path[[0, -1]]).mean()))
        tops.append(dense)
    middle = [statistics.median(x) for x in (counts, seconds, passes)]
    limits = (row.target, row.seconds, row.passes)
    good = all(limit is None or value <= limit for value, limit in zip(middle, limits, strict=True))
    asked = "" if row.target is None else f"(<= {row.target})"
    print(
        f"{row.name:32s} {middle[0]:5.1f} evaluations {asked:8s} {min(counts):3d}-{max(counts):3d}   "
        f"{middle[1]:6.3f} s   {middle[2]:5.1f} forward passes each   bound/dense - 1 <= {max(gaps):.1e}   "
        f"loss {statistics.median(ends):.2g} at the ends, {statistics.median(tops):.3g} at the top   "
        f"{'' if row.target is None else 'ok' if good else 'MISSED'}",
        flush=True,
    )
    return good


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rows", nargs="+", choices=ROWS, default=list(ROWS), metavar="NAME", help=", ".join(ROWS))
    parser.add_argument("--pairs", type=int, default=8)
    arguments = parser.parse_args()
    torch.set_num_threads(1)
    results = [measure(row, arguments.pairs) for name in arguments.rows for row in ROWS[name]]
    return int(not all(results))


if __name__ == "__main__":
    sys.exit(main())
