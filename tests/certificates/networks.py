"""Small networks of every kind of layer and loss, and how their units are looked at."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

import torch
from torch import Tensor, nn
from torch.nn import functional

import tda_landscape as tl
from tda_landscape.certificates._enclosure import Enclosure
from tda_landscape.certificates._network import NetworkBounder
from tda_landscape.certificates._node import Node, Stretch
from tda_landscape.certificates._program import output_of
from tda_landscape.certificates.losses import loss_above
from tda_landscape.certificates.rules import Known


class Residual(nn.Module):
    """Blocks x + W2 act(W1 x) between two linear layers."""

    def __init__(self, wide: int, blocks: int, inputs: int = 6, outputs: int = 3) -> None:
        super().__init__()
        self.first, self.last = nn.Linear(inputs, wide), nn.Linear(wide, outputs)
        self.blocks = nn.ModuleList(
            nn.Sequential(nn.Linear(wide, wide), nn.ReLU(), nn.Linear(wide, wide)) for _ in range(blocks)
        )

    def forward(self, x: Tensor) -> Tensor:
        x = torch.relu(self.first(x))
        for block in self.blocks:
            x = functional.relu(x + block(x))
        return self.last(x)


class Written(nn.Module):
    """A forward of functions and operators: squares, products, scales, a parameter by itself, means."""

    def __init__(self) -> None:
        super().__init__()
        self.first, self.other, self.last = nn.Linear(6, 5), nn.Linear(6, 5), nn.Linear(5, 3)
        self.scale = nn.Parameter(torch.randn(5))

    def forward(self, x: Tensor) -> Tensor:
        h = torch.tanh(functional.linear(x, self.first.weight, bias=self.first.bias)) * self.other(x) + 0.5
        h = (h * self.scale + h**2) / 3 - 0.1
        h = functional.softplus(-h) + torch.sigmoid(h) * 2.0
        h = h.reshape(h.size(0), 5, 1).mean(2)
        return self.last(h.flatten(1))


def mlp(*layers: type[nn.Module] | Callable[[], nn.Module], wide: int = 7) -> nn.Module:
    modules: list[nn.Module] = [nn.Linear(6, wide)]
    for layer in layers:
        modules += [layer(), nn.Linear(wide, wide)]
    return nn.Sequential(*modules[:-1], nn.Linear(wide, 3))


def image(*layers: nn.Module, features: int) -> nn.Module:
    return nn.Sequential(*layers, nn.Flatten(), nn.Linear(features, 3))


def normed() -> nn.Module:
    net = nn.Sequential(nn.Linear(6, 7), nn.BatchNorm1d(7), nn.ReLU(), nn.Linear(7, 3))
    net[1].running_mean.normal_()
    net[1].running_var.uniform_(0.5, 2)
    return net


def spectrum() -> nn.Module:
    return nn.Sequential(
        nn.Conv1d(2, 4, 2, padding=1, padding_mode="circular"),
        nn.SiLU(),
        nn.MaxPool1d(2),
        nn.Flatten(),
        nn.Linear(8, 3),
    )


VECTOR, PLANE, STRIP = (6,), (2, 6, 6), (2, 4)

NETWORKS: dict[str, tuple[Callable[[], nn.Module], tuple[int, ...]]] = {
    "relu": (lambda: mlp(nn.ReLU, nn.ReLU), VECTOR),
    "leaky": (lambda: mlp(lambda: nn.LeakyReLU(0.2)), VECTOR),
    "tanh": (lambda: mlp(nn.Tanh, nn.Tanh), VECTOR),
    "sigmoid": (lambda: mlp(nn.Sigmoid), VECTOR),
    "silu": (lambda: mlp(nn.SiLU, nn.SiLU), VECTOR),
    "gelu": (lambda: mlp(nn.GELU, nn.GELU), VECTOR),
    "softplus": (lambda: mlp(lambda: nn.Softplus(threshold=6.0)), VECTOR),
    "deep relu": (lambda: mlp(*[nn.ReLU] * 6), VECTOR),
    "deep tanh": (lambda: mlp(*[nn.Tanh] * 5), VECTOR),
    "linear": (lambda: nn.Sequential(nn.Linear(6, 4), nn.Linear(4, 3)), VECTOR),
    "layer norm": (lambda: mlp(lambda: nn.LayerNorm(7), nn.GELU), VECTOR),
    "batch norm": (normed, VECTOR),
    "residual": (lambda: Residual(6, 2), VECTOR),
    "deep residual": (lambda: Residual(6, 5), VECTOR),
    "written": (Written, VECTOR),
    "max pool": (lambda: image(nn.Conv2d(2, 3, 3, padding=1), nn.ReLU(), nn.MaxPool2d(2), features=27), PLANE),
    "max pool overlapping": (lambda: image(nn.Conv2d(2, 3, 3), nn.MaxPool2d(3, 1), features=12), PLANE),
    "avg pool": (lambda: image(nn.Conv2d(2, 3, 3, stride=2, padding=1), nn.Tanh(), nn.AvgPool2d(3), features=3), PLANE),
    "grouped": (
        lambda: image(nn.Conv2d(2, 4, 3, groups=2), nn.ReLU(), nn.Conv2d(4, 4, 2, dilation=2), features=16),
        PLANE,
    ),
    "image norm": (
        lambda: image(nn.Conv2d(2, 3, 3), nn.BatchNorm2d(3), nn.SiLU(), nn.AdaptiveAvgPool2d(1), features=3),
        PLANE,
    ),
    "strip": (spectrum, STRIP),
}

LOSSES: dict[str, Callable[..., Tensor]] = {
    "cross-entropy": functional.cross_entropy,
    "smoothed": partial(functional.cross_entropy, label_smoothing=0.1),
    "squared": functional.mse_loss,
    "summed squares": partial(functional.mse_loss, reduction="sum"),
    "absolute": functional.l1_loss,
    "huber": nn.HuberLoss(delta=0.3),
    "smooth absolute": partial(functional.smooth_l1_loss, beta=0.5),
    "logistic": nn.BCEWithLogitsLoss(),
}


def energy_of(network: str, loss: str, seed: int, rows: int = 8, weight_decay: float = 1e-2) -> tl.Energy:
    """A random network with random data."""
    make, shape = NETWORKS[network]
    generator = torch.Generator().manual_seed(seed)
    with torch.random.fork_rng():
        torch.random.manual_seed(seed)
        module = make().eval()
    X = torch.randn(rows, *shape, generator=generator, dtype=torch.float64)
    y: Tensor = torch.randint(3, (rows,), generator=generator)
    if "cross" not in loss and loss != "smoothed":
        y = functional.one_hot(y, 3).double()
    size = sum(p.numel() for p in module.parameters())

    def start(k: int, rng: torch.Generator) -> Tensor:
        return 0.7 * torch.randn(k, size, generator=rng, dtype=torch.float64)

    return tl.Energy.from_model(module, LOSSES[loss], (X, y), weight_decay=weight_decay, start=start)


def bounder_of(energy: tl.Energy, seed: int, width: float, **options: int) -> NetworkBounder:
    """Bounds on a segment between a start point and another one, `width` of the way to a third."""
    a, b = energy.start(2, seed)
    return NetworkBounder(energy, torch.stack([a, a + width * (b - a)]), **options)


WHOLE = Stretch(0, 0.0, 1.0)


def enclosures(bounder: NetworkBounder) -> list[Known]:
    """Enclosures of all layers on the first piece."""
    ends = list(zip(*(bounder._rows([node], slice(None)) for node in (Node(0, 0.0), Node(0, 1.0))), strict=True))
    return bounder.program.enclose(bounder.data, bounder.segments([WHOLE]), ends, bounder.keep)


def violations(bounder: NetworkBounder, points: int = 13, slack: float = 1e-12) -> tuple[int, int, int]:
    """How many units, rows and means lie outside their bounds, in float64 at points of the segment."""
    known = enclosures(bounder)
    shares = torch.linspace(0, 1, points, dtype=torch.float64)
    theta = bounder.points[0] + shares[:, None] * (bounder.points[1] - bounder.points[0])
    trace = bounder.program.trace(bounder.data, theta)
    units = 0
    for enclosure, values in zip(known, trace, strict=True):
        if isinstance(enclosure, Enclosure):
            units += int((outside(enclosure, values, shares) > slack).sum())
    outputs = trace[-1].flatten(2)
    rows = torch.stack([loss_above(bounder.loss, row, t) for row, t in rows_of(output_of(known), bounder.loss.targets)])
    losses = bounder.loss.value(outputs, bounder.loss.targets).T
    above = int((losses > rows.amax(2) + slack * (1 + losses.abs())).sum())
    values = [bounder._value(theta[i : i + 1], [trace[-1][i : i + 1]]) for i in range(points)]
    means = torch.tensor(values, dtype=torch.float64)
    return units, above, int((means > bounder.above([WHOLE])[0] + slack * means.abs()).sum())


def rows_of(y: Enclosure, targets: Tensor) -> list[tuple[Enclosure, Tensor]]:
    """The enclosure of the outputs, row by row."""
    parts = []
    for i in range(len(targets)):
        row = [part[:, i : i + 1] for part in (y.start, y.end, y.bend, y.radius)]
        generators = None if y.generators is None else y.generators[:, i : i + 1]
        parts.append((Enclosure(*row, generators, y.symbols), targets[i : i + 1]))
    return parts


def outside(enclosure: Enclosure, values: Tensor, shares: Tensor) -> Tensor:
    """How far values (P, n, ...) lie outside an enclosure at these shares, relative to their size."""
    s = shares.view(-1, *[1] * (values.ndim - 1))
    centre = (1 - s) * enclosure.start + s * enclosure.end + 4 * s * (1 - s) * enclosure.bend
    return ((values - centre).abs() - enclosure.reach) / (1 + values.abs())
