"""Kinks are found by name in the graph of operations, wherever they hide, and nowhere else."""

import pytest
import torch
from torch import nn
from torch.nn import functional as F

from tda_landscape.energy import Energy, networks

KINKED = {
    "relu": lambda x: F.relu(x).sum(1),
    "leaky_relu": lambda x: F.leaky_relu(x).sum(1),
    "relu6": lambda x: F.relu6(x).sum(1),
    "prelu": lambda x: F.prelu(x, torch.tensor([0.1], dtype=x.dtype)).sum(1),
    "elu": lambda x: F.elu(x).sum(1),
    "abs": lambda x: x.abs().sum(1),
    "norm_1": lambda x: x.norm(p=1, dim=1),
    "clamp": lambda x: x.clamp(min=0).sum(1),
    "max": lambda x: x.max(1).values,
    "amax": lambda x: x.amax(1),
    "amin": lambda x: x.amin(1),
    "maximum": lambda x: torch.maximum(x[:, 0], x[:, 1]),
    "fmax": lambda x: torch.fmax(x[:, 0], x[:, 1]),
    "topk": lambda x: x.topk(2, dim=1).values.sum(1),
    "sort": lambda x: x.sort(1).values[:, 0],
    "median": lambda x: x.median(1).values,
    "kthvalue": lambda x: x.kthvalue(2, dim=1).values,
    "max_pool1d": lambda x: F.max_pool1d(x[:, None], 2).sum((1, 2)),
    "max_pool2d": lambda x: F.max_pool2d(x[:, None, None], (1, 2)).sum((1, 2, 3)),
    "adaptive_max_pool2d": lambda x: F.adaptive_max_pool2d(x[:, None, None], 1).sum((1, 2, 3)),
    "hardtanh": lambda x: F.hardtanh(x).sum(1),
    "hardswish": lambda x: F.hardswish(x).sum(1),
    "hardsigmoid": lambda x: F.hardsigmoid(x).sum(1),
    "softshrink": lambda x: F.softshrink(x).sum(1),
    "hardshrink": lambda x: F.hardshrink(x).sum(1),
    "huber_loss": lambda x: F.huber_loss(x, torch.zeros_like(x), reduction="none").sum(1),
    "smooth_l1_loss": lambda x: F.smooth_l1_loss(x, torch.zeros_like(x), reduction="none").sum(1),
    "l1_loss": lambda x: F.l1_loss(x, torch.zeros_like(x), reduction="none").sum(1),
    "multi_margin_loss": lambda x: F.multi_margin_loss(x, torch.zeros(len(x), dtype=torch.int64), reduction="none"),
}

SMOOTH = {
    "tanh": lambda x: torch.tanh(x).sum(1),
    "gelu": lambda x: F.gelu(x).sum(1),
    "softplus": lambda x: F.softplus(x).sum(1),
    "silu": lambda x: F.silu(x).sum(1),
    "mish": lambda x: F.mish(x).sum(1),
    "sigmoid": lambda x: torch.sigmoid(x).sum(1),
    "softmax": lambda x: F.softmax(x, 1)[:, 0],
    "logsumexp": lambda x: x.logsumexp(1),
    "logsigmoid": lambda x: F.logsigmoid(x).sum(1),
    "polynomial": lambda x: (x**4 - x**2).sum(1),
    "mean": lambda x: x.square().mean(1),
    "atan": lambda x: torch.atan(x).sum(1),
}


@pytest.mark.parametrize("name", KINKED)
def test_functions_with_kinks_are_known(name):
    assert Energy.from_function(KINKED[name], 4).kinks


@pytest.mark.parametrize("name", SMOOTH)
def test_smooth_functions_have_none(name):
    assert Energy.from_function(SMOOTH[name], 4).kinks == ()


class Functional(nn.Module):
    def __init__(self, function):
        super().__init__()
        self.first, self.last = nn.Linear(3, 6), nn.Linear(6, 2)
        self.function = function

    def forward(self, x):
        return self.last(self.function(self.first(x)))


LAYERS = {
    "relu": (nn.ReLU, True),
    "leaky": (nn.LeakyReLU, True),
    "relu6": (nn.ReLU6, True),
    "elu": (nn.ELU, True),
    "tanh": (nn.Tanh, False),
    "gelu": (nn.GELU, False),
    "softplus": (nn.Softplus, False),
    "silu": (nn.SiLU, False),
    "functional relu": (lambda: Functional(F.relu), True),
    "functional abs": (lambda: Functional(torch.abs), True),
    "functional tanh": (lambda: Functional(torch.tanh), False),
}


@pytest.mark.parametrize("name", LAYERS)
def test_kinks_inside_models(name):
    make, kinked = LAYERS[name]
    inside = make()
    model = inside if isinstance(inside, Functional) else nn.Sequential(nn.Linear(3, 6), inside, nn.Linear(6, 2))
    data = torch.randn(5, 3, generator=torch.Generator().manual_seed(0)), torch.tensor([0, 1, 0, 1, 1])
    assert bool(Energy.from_model(model, F.cross_entropy, data).kinks) == kinked


def test_kinks_of_loss_and_regularizer_count():
    data = torch.zeros(4, 3) + 1.0, torch.zeros(4, 2)
    model = networks.mlp([3, 2])
    assert Energy.from_model(model, F.mse_loss, data).kinks == ()
    assert Energy.from_model(model, F.l1_loss, data).kinks
    lasso = Energy.from_model(model, F.mse_loss, data, regularizer=lambda p: sum(v.abs().sum() for v in p.values()))
    assert lasso.kinks
    named = Energy.from_model(model, F.mse_loss, data, regularizer=lambda p: sum(v.norm(1) for v in p.values()))
    assert named.kinks


def test_the_logistic_loss_on_logits_is_smooth():
    """Torch computes it with an operation that clamps inside; the function that comes out has no kink."""
    data = torch.ones(4, 3), torch.tensor([0.0, 1.0, 1.0, 0.0])

    def loss(outputs, targets):
        return F.binary_cross_entropy_with_logits(outputs[:, 0], targets)

    assert Energy.from_model(networks.mlp([3, 4, 1]), loss, data, weight_decay=1e-3).kinks == ()
    assert Energy.from_model(networks.mlp([3, 4, 1], activation="relu"), loss, data).kinks
    module = nn.BCEWithLogitsLoss()
    assert Energy.from_model(networks.mlp([3, 4, 1]), lambda o, t: module(o[:, 0], t), data).kinks == ()


def test_kinks_stay_through_minibatches():
    data = torch.ones(4, 3), torch.zeros(4, 2)
    energy = Energy.from_model(networks.mlp([3, 4, 2], activation="relu"), F.mse_loss, data, batch_size=2)
    assert energy.draw_batch(0).kinks == energy.kinks != ()
