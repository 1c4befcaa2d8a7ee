"""Random networks, data and points for the constructions, with degenerate ends among them."""

import torch
from torch.nn import functional

import tda_landscape as tl

LOSSES = {
    "squared": functional.mse_loss,
    "absolute": functional.l1_loss,
    "huber": functional.huber_loss,
    "logistic": functional.binary_cross_entropy_with_logits,
    "cross entropy": functional.cross_entropy,
}


class Square(torch.nn.Module):
    def forward(self, x):
        return x**2


KINDS = ("random", "zero", "rank one", "nearly rank one", "unbalanced")


def rng(seed):
    return torch.Generator().manual_seed(seed)


def normal(generator, *shape):
    return torch.randn(*shape, generator=generator, dtype=torch.float64)


def energy_of(model, loss, generator, rows=8, **options):
    layers = [layer for layer in model.modules() if isinstance(layer, torch.nn.Linear)]
    inputs, targets = normal(generator, rows, layers[0].in_features), normal(generator, rows, layers[-1].out_features)
    if loss == "logistic":
        targets = (targets > 0).double()
    if loss == "cross entropy":
        targets = targets.softmax(1)
    return tl.Energy.from_model(model, LOSSES[loss], (inputs, targets), **options)


def linear_energy(widths, loss, generator, bias=False, **options):
    return energy_of(tl.zoo.networks.mlp(widths, activation="identity", bias=bias), loss, generator, **options)


def quadratic_energy(inputs, units, loss, generator, bias=False, outputs=1, **options):
    layers = torch.nn.Linear(inputs, units, bias=bias), Square(), torch.nn.Linear(units, outputs, bias=bias)
    return energy_of(torch.nn.Sequential(*layers), loss, generator, **options)


def point(chain, kind, generator):
    """A parameter vector, random or degenerate in the given way."""
    layers = []
    for k, (rows, columns) in enumerate(zip(chain.widths[1:], chain.widths, strict=False)):
        weight, bias = normal(generator, rows, columns), normal(generator, rows) if chain.biased[k] else None
        steps = torch.arange(columns, dtype=torch.float64)
        if kind in ("zero", "rank one"):
            weight = weight * (steps < (kind == "rank one"))
        if kind == "nearly rank one":
            weight = weight @ torch.diag(10.0 ** (-4 * steps))
        if kind == "unbalanced":
            weight = weight * 10.0 ** (2 if k % 2 else -2)
        layers.append((weight, bias))
    return chain.vector(layers)
