"""Networks whose symmetries are known."""

import torch
import torch.nn.functional as F
from torch import nn

import tda_landscape as tl

XOR = (torch.tensor([[0.0, 0], [0, 1], [1, 0], [1, 1]]), torch.tensor([0.0, 1, 1, 0]))


class Residual(nn.Module):
    """Two blocks x + b(f(a(x))) by functional calls."""

    def __init__(self, activation=torch.tanh, width=6):
        super().__init__()
        self.stem, self.head = nn.Linear(3, width), nn.Linear(width, 2)
        self.a = nn.ModuleList(nn.Linear(width, 5) for _ in range(2))
        self.b = nn.ModuleList(nn.Linear(5, width) for _ in range(2))
        self.activation = activation

    def forward(self, x):
        x = self.activation(self.stem(x))
        for a, b in zip(self.a, self.b, strict=True):
            x = x + b(self.activation(a(x)))
        return self.head(x)


def convolutional(activation, pool):
    return nn.Sequential(
        nn.Conv2d(1, 4, 3),
        activation(),
        pool(2),
        nn.Conv2d(4, 6, 2),
        activation(),
        nn.Flatten(),
        nn.Linear(24, 5),
        activation(),
        nn.Linear(5, 3),
    )


def normalised(alike=False):
    """Batch norms that have seen data; with `alike` every channel has seen the same."""
    norms = nn.BatchNorm2d(4), nn.BatchNorm2d(5)
    generator = torch.Generator().manual_seed(0)
    for norm in norms:
        channels = 1 if alike else norm.num_features
        norm.running_mean.copy_(torch.randn(channels, generator=generator).expand(norm.num_features))
        norm.running_var.copy_((0.5 + torch.rand(channels, generator=generator)).expand(norm.num_features))
    return nn.Sequential(
        nn.Conv2d(1, 4, 3),
        norms[0],
        nn.ReLU(),
        nn.MaxPool2d(2),
        nn.Conv2d(4, 5, 2, bias=False),
        norms[1],
        nn.ReLU(),
        nn.Flatten(),
        nn.Linear(20, 3),
    ).eval()


def normalised_tanh(channels=4):
    """Each unit has a sign before the norm, one after it, and one after the depthwise convolution."""
    norm = nn.BatchNorm2d(channels)
    norm.running_mean.copy_(torch.tensor([0.5, -1.0, 0.2, 0.9])[:channels])
    return nn.Sequential(
        nn.Conv2d(1, channels, 3),
        norm,
        nn.Tanh(),
        nn.Conv2d(channels, channels, 3, groups=channels),
        nn.Tanh(),
        nn.Flatten(),
        nn.Linear(16 * channels, 2),
    ).eval()


NETWORKS = {
    "tanh 3-8-2": lambda: tl.zoo.networks.mlp([3, 8, 2]),
    "relu 3-8-2": lambda: tl.zoo.networks.mlp([3, 8, 2], activation="relu"),
    "tanh 3-6-7-2": lambda: tl.zoo.networks.mlp([3, 6, 7, 2]),
    "relu 3-6-7-2": lambda: tl.zoo.networks.mlp([3, 6, 7, 2], activation="relu"),
    "linear 3-2-4": lambda: tl.zoo.networks.mlp([3, 2, 4], activation="identity"),
    "linear 3-2-3-5": lambda: tl.zoo.networks.mlp([3, 2, 3, 5], activation="identity"),
    "conv tanh": lambda: convolutional(nn.Tanh, nn.AvgPool2d),
    "conv relu": lambda: convolutional(nn.ReLU, nn.MaxPool2d),
    "residual tanh": lambda: Residual(),
    "residual relu": lambda: Residual(F.relu),
    "batch norm": normalised,
    "two signs a unit": normalised_tanh,
}


def energy_of(model, *, weight_decay=0.0, regularizer=None, inputs=None):
    """Mean squared outputs on random data that fit the model."""
    first = next(m for m in model.modules() if isinstance(m, nn.Linear | nn.Conv2d | nn.Conv1d | nn.BatchNorm1d))
    if inputs is None:
        shape = (1, 8, 8) if isinstance(first, nn.Conv2d) else (3,)
        inputs = torch.randn(12, *shape, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    return tl.Energy.from_model(
        model,
        lambda outputs, targets: (outputs - targets.view(-1, *[1] * (outputs.ndim - 1))).square().mean(),
        (inputs, torch.linspace(-1, 1, len(inputs))),
        weight_decay=weight_decay,
        regularizer=regularizer,
    )


def noisy(energy, k, seed=0):
    """Points of the start law with some noise, since some start laws have zero biases."""
    generator = torch.Generator().manual_seed(seed)
    starts = energy.start(k, generator)
    return starts + 0.1 * torch.randn(starts.shape, generator=generator, dtype=starts.dtype)
