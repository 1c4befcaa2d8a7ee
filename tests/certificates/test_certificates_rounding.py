"""The rounding in a bound against 40 digits: at width zero, where nothing else is in the radius, and at positive width.

And what is assumed of the machine: elementary functions, kernels of convolutions.
"""

from __future__ import annotations

import math

import mpmath
import pytest
import torch
from networks import WHOLE, bounder_of, enclosures, energy_of
from torch import Tensor, nn
from torch.nn import functional

import tda_landscape as tl
from tda_landscape.certificates import _network
from tda_landscape.certificates._enclosure import Enclosure
from tda_landscape.certificates._node import Node
from tda_landscape.certificates.rules import _functions, affine

mpmath.mp.dps = 40
ACTIVATIONS = {
    nn.ReLU: lambda x: x if x > 0 else mpmath.mpf(0),
    nn.Tanh: mpmath.tanh,
    nn.Sigmoid: lambda x: 1 / (1 + mpmath.exp(-x)),
    nn.SiLU: lambda x: x / (1 + mpmath.exp(-x)),
    nn.GELU: lambda x: x * mpmath.erfc(-x / mpmath.sqrt(2)) / 2,
    nn.Softplus: lambda x: mpmath.log1p(mpmath.exp(x)),
}


def exact(values: Tensor) -> mpmath.matrix:
    return mpmath.matrix(values.tolist())


def exact_units(module: nn.Module, a: Tensor, b: Tensor, s: float, x: Tensor) -> list[list[mpmath.mpf]]:
    """All units of a fully connected network for one row, at the exact point between two vertices, layer by layer."""
    theta = [
        (1 - mpmath.mpf(s)) * mpmath.mpf(p) + mpmath.mpf(s) * mpmath.mpf(q)
        for p, q in zip(a.tolist(), b.tolist(), strict=True)
    ]
    v, layers, at = [mpmath.mpf(float(z)) for z in x], [], 0
    for layer in module:
        if isinstance(layer, nn.Linear):
            out, into = layer.weight.shape
            rows = [theta[at + i * into : at + (i + 1) * into] for i in range(out)]
            at += out * into
            v = [mpmath.fdot(row, v) + bias for row, bias in zip(rows, theta[at : at + out], strict=True)]
            at += out
        elif isinstance(layer, nn.LayerNorm):
            mean = sum(v) / len(v)
            variance = sum((z - mean) ** 2 for z in v) / len(v)
            root = mpmath.sqrt(variance + mpmath.mpf(layer.eps))
            n = len(v)
            v = [(z - mean) / root * theta[at + i] + theta[at + n + i] for i, z in enumerate(v)]
            at += 2 * n
        else:
            v = [ACTIVATIONS[type(layer)](z) for z in v]
        layers.append(v)
    return layers


def network(activation: type[nn.Module], depth: int, seed: int, norm: bool = False) -> tl.Energy:
    generator = torch.Generator().manual_seed(seed)
    layers: list[nn.Module] = [nn.Linear(5, 6)]
    for _ in range(depth):
        layers += [*([nn.LayerNorm(6)] if norm else []), activation(), nn.Linear(6, 6)]
    X = torch.randn(2, 5, generator=generator, dtype=torch.float64)
    y = torch.randint(6, (2,), generator=generator)
    return tl.Energy.from_model(nn.Sequential(*layers), functional.cross_entropy, (X, y))


def excess(energy: tl.Energy, ends: Tensor, shares: list[float]) -> float:
    """How far exact units lie outside their enclosures; the part of the radius is not widened by anything."""
    bounder = _network.NetworkBounder(energy, ends, generators=0)
    known = enclosures(bounder)
    found = -math.inf
    for s in shares:
        for row, x in enumerate(bounder.data[0]):
            layers = exact_units(energy.network.module, ends[0], ends[1], s, x)
            for enclosure, units in zip(known[1:], layers, strict=True):
                assert isinstance(enclosure, Enclosure)
                parts = (enclosure.start, enclosure.end, enclosure.bend, enclosure.radius)
                for i, unit in enumerate(units):
                    start, end, bend, radius = (mpmath.mpf(float(part[0, row, i])) for part in parts)
                    t = mpmath.mpf(s)
                    middle = (1 - t) * start + t * end + 4 * t * (1 - t) * bend
                    found = max(found, float(abs(unit - middle) - radius))
    return found


@pytest.mark.parametrize("activation", ACTIVATIONS)
@pytest.mark.parametrize("depth", [1, 4])
def test_at_width_zero_the_radius_covers_the_rounding(activation, depth):
    energy = network(activation, depth, seed=depth)
    point = 2 * energy.start(1, 0)
    assert excess(energy, torch.cat([point, point]), [0.0, 1.0]) <= 0


def test_without_its_rounding_terms_the_radius_does_not(monkeypatch):
    monkeypatch.setattr(affine, "gamma", lambda n: 0.0)
    energy = network(nn.ReLU, 4, seed=4)
    point = 2 * energy.start(1, 0)
    assert excess(energy, torch.cat([point, point]), [0.0]) > 0


@pytest.mark.parametrize("activation", [nn.ReLU, nn.Tanh, nn.GELU])
@pytest.mark.parametrize("width", [1e-9, 1e-4, 0.3])
def test_at_positive_width_exact_units_stay_inside(activation, width):
    energy = network(activation, 2, seed=1, norm=activation is nn.GELU)
    a, b = energy.start(2, 1)
    assert excess(energy, torch.stack([a, a + width * (b - a)]), [0.0, 0.125, 0.3, 0.5, 0.77, 1.0]) <= 0


def test_nodes_inside_a_piece_stand_for_exact_points_of_the_polyline():
    # The float node at t = 1/3 is off the line; the enclosure between two such nodes holds for the line itself.
    energy = network(nn.Tanh, 1, seed=3)
    ends = energy.start(2, 2) * torch.tensor([[1.0], [1e3]])
    bounder = _network.NetworkBounder(energy, ends, generators=0)
    node = Node(0, 3 / 2**10)
    theta = bounder._theta(node)[0]
    drift = [
        abs(mpmath.mpf(z) - ((1 - t) * mpmath.mpf(p) + t * mpmath.mpf(q)))
        for z, p, q, t in zip(
            theta.tolist(), ends[0].tolist(), ends[1].tolist(), [mpmath.mpf(node.t)] * len(theta), strict=True
        )
    ]
    largest = bounder.whole.largest[0].tolist()
    assert max(drift) > 0
    assert all(d <= 6 * mpmath.mpf(2) ** -53 * size for d, size in zip(drift, largest, strict=True))


GRID = torch.cat([torch.linspace(-40, 40, 801), torch.logspace(-12, 0, 60), -torch.logspace(-12, 0, 60)]).double()
LIBRARY = {
    "exp": (torch.exp, mpmath.exp, 4),
    "tanh": (torch.tanh, mpmath.tanh, 4),
    "erfc": (torch.erfc, mpmath.erfc, 4),
    "log1p(exp(-|x|))": (lambda x: torch.log1p(torch.exp(-x.abs())), lambda x: mpmath.log1p(mpmath.exp(-abs(x))), 8),
    "sigmoid": (torch.sigmoid, lambda x: 1 / (1 + mpmath.exp(-x)), 8),
}


@pytest.mark.parametrize("name", LIBRARY)
def test_elementary_functions_are_as_good_as_assumed(name):
    ours, theirs, ulps = LIBRARY[name]
    worst = 0.0
    for x, y in zip(GRID.tolist(), ours(GRID).tolist(), strict=True):
        true = theirs(mpmath.mpf(x))
        if abs(true) > 1e-290:
            worst = max(worst, float(abs(mpmath.mpf(y) - true) / math.ulp(abs(float(true)))))
    print(f"{name}: {worst:.2f} units in the last place")
    assert worst <= ulps


SMOOTH = {
    "tanh": (_functions.TANH, mpmath.tanh),
    "sigmoid": (_functions.SIGMOID, ACTIVATIONS[nn.Sigmoid]),
    "silu": (_functions.SILU, ACTIVATIONS[nn.SiLU]),
    "gelu": (_functions.GELU, ACTIVATIONS[nn.GELU]),
    "softplus": (_functions.softplus(1e9), ACTIVATIONS[nn.Softplus]),
}


@pytest.mark.parametrize("name", SMOOTH)
def test_values_and_derivatives_are_as_good_as_assumed(name):
    ours, theirs = SMOOTH[name]
    grid = torch.linspace(-12, 12, 97, dtype=torch.float64) + 0.013
    first, second = ours.derivatives(grid)
    errors = [0.0, 0.0, 0.0]
    with mpmath.workdps(60):
        for i, x in enumerate(grid.tolist()):
            for order, found in enumerate((ours.value(grid)[i], first[i], second[i])):
                true = theirs(mpmath.mpf(x)) if order == 0 else mpmath.diff(theirs, mpmath.mpf(x), order)
                errors[order] = max(errors[order], float(abs(mpmath.mpf(float(found)) - true) / (1 + abs(true))))
    assert errors[0] <= _functions.VALUE_ERROR
    assert max(errors[1:]) <= _functions.SLOPE_ERROR


@pytest.mark.parametrize("name", SMOOTH)
def test_the_tabulated_extremes_are_where_derivatives_vanish(name):
    ours, theirs = SMOOTH[name]
    for order, places in ((2, ours.flexes), (3, ours.crests)):
        for place in places:
            near = [mpmath.diff(theirs, mpmath.mpf(place + d), order) for d in (-1e-9, 1e-9)]
            assert near[0] * near[1] <= 0


def test_convolutions_are_summed_directly():
    energy = energy_of("max pool", "cross-entropy", 0)
    with torch.profiler.profile(activities=[torch.profiler.ProfilerActivity.CPU]) as profile:
        bounder_of(energy, 0, 0.3).above([WHOLE])
    kernels = {event.key for event in profile.key_averages() if "conv" in event.key}
    assert any("slow_conv" in kernel or "thnn" in kernel for kernel in kernels)
    assert not any(word in kernel for kernel in kernels for word in ("mkldnn", "cudnn", "winograd", "nnpack", "fft"))


def test_the_rounding_is_invisible_beside_a_percent():
    for depth in (1, 4, 8):
        energy = network(nn.Tanh, depth, seed=depth)
        point = energy.start(1, 0)
        bounder = _network.NetworkBounder(energy, torch.cat([point, point]), generators=0)
        value = bounder.values([Node(0, 0.0)])[0]
        wide = (bounder.above([WHOLE])[0] - bounder.below(Node(0, 0.0))) / value
        print(f"{depth} hidden layers: rounding {wide:.1e} of the loss")
        assert 0 < wide < 1e-8
