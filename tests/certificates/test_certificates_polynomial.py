"""Networks whose loss is a polynomial along a segment: Bernstein bounds against exact fractions."""

import itertools
from fractions import Fraction

import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional

import tda_landscape as tl
from tda_landscape.certificates import _expansion
from tda_landscape.certificates._network import NetworkBounder
from tda_landscape.certificates._polynomial import Polynomial


class Square(nn.Module):
    def forward(self, x: Tensor) -> Tensor:
        return x**2


def linear(*sizes: int) -> nn.Module:
    return nn.Sequential(*(nn.Linear(a, b) for a, b in itertools.pairwise(sizes)))


NETWORKS = {
    "one layer": linear(4, 2),
    "two layers": linear(4, 3, 2),
    "four layers": linear(4, 3, 3, 3, 2),
    "quadratic": nn.Sequential(nn.Linear(4, 3), Square(), nn.Linear(3, 2)),
    "quadratic twice": nn.Sequential(nn.Linear(4, 3), Square(), nn.Linear(3, 3), Square(), nn.Linear(3, 2)),
}


def energy_of(net: nn.Module, weight_decay: float = 0.01) -> tl.Energy:
    generator = torch.Generator().manual_seed(0)
    X, Y = (torch.randn(5, k, generator=generator, dtype=torch.float64) for k in (4, 2))
    return tl.Energy.from_model(net, functional.mse_loss, (X, Y), weight_decay=weight_decay)


def exact(energy: tl.Energy, a: Tensor, b: Tensor, s: Fraction) -> Fraction:
    """The energy at an exact point between two vertices, in fractions."""
    theta = [(1 - s) * Fraction(p) + s * Fraction(q) for p, q in zip(a.tolist(), b.tolist(), strict=True)]
    total = Fraction(0)
    for x, y in zip(energy.network.inputs.tolist(), energy.network.targets.tolist(), strict=True):
        v, at = [Fraction(z) for z in x], 0
        for layer in energy.network.module:
            if isinstance(layer, nn.Linear):
                out, into = layer.weight.shape
                rows = [theta[at + i * into : at + (i + 1) * into] for i in range(out)]
                at += out * into
                v = [sum(w * z for w, z in zip(row, v, strict=True)) for row in rows]
                if layer.bias is not None:
                    v = [z + bias for z, bias in zip(v, theta[at : at + out], strict=True)]
                    at += out
            else:
                v = [z * z for z in v]
        total += sum((z - Fraction(t)) ** 2 for z, t in zip(v, y, strict=True))
    penalty = Fraction(energy.network.weight_decay) * sum(p * p for p in theta)
    return total / energy.network.targets.numel() + penalty


@pytest.mark.parametrize("name", NETWORKS)
def test_the_expansion_is_the_energy_in_exact_arithmetic(name):
    energy = energy_of(NETWORKS[name])
    a, b = energy.start(2, 1)
    network = NetworkBounder(energy, torch.stack([a, b]))
    assert _expansion.expandable(network)
    centre, error = _expansion._loss_polynomial(network, 0)
    degree, coefficients = len(centre) - 1, [Fraction(c) for c in centre.tolist()]
    assert 0 < error < 1e-11 * max(coefficients)
    for s in (Fraction(0), Fraction(1, 3), Fraction(5, 7), Fraction(1)):
        row = coefficients
        while len(row) > 1:
            row = [(1 - s) * p + s * q for p, q in itertools.pairwise(row)]
        difference = abs(row[0] - exact(energy, a, b, s))
        assert difference <= Fraction(error)
    assert degree == {"one layer": 2, "two layers": 4, "four layers": 8, "quadratic": 6, "quadratic twice": 14}.get(
        name, 2
    )


def test_the_radius_is_needed(monkeypatch):
    # With the radius left out the exact energy is no longer within: the check above can fail.
    energy = energy_of(NETWORKS["four layers"])
    a, b = energy.start(2, 1)
    centre, error = _expansion._loss_polynomial(NetworkBounder(energy, torch.stack([a, b])), 0)
    differences = []
    for s in (Fraction(1, 3), Fraction(5, 7)):
        row = [Fraction(c) for c in centre.tolist()]
        while len(row) > 1:
            row = [(1 - s) * p + s * q for p, q in itertools.pairwise(row)]
        differences.append(abs(row[0] - exact(energy, a, b, s)))
    assert max(differences) > 0
    assert float(max(differences)) < error


@pytest.mark.parametrize("name", NETWORKS)
def test_the_bound_is_the_maximum_to_a_millionth(name):
    energy = energy_of(NETWORKS[name])
    path = energy.start(3, 2)
    certificate = tl.certify(energy, path, rtol=1e-6)
    shares = torch.linspace(0, 1, 4001, dtype=torch.float64)[:, None]
    dense = max(float(energy(a + shares * (b - a)).max()) for a, b in itertools.pairwise(path))
    assert dense <= certificate.upper <= dense * (1 + 1e-5)
    assert certificate.upper - certificate.lower <= 1e-6 * certificate.upper


def test_enclosures_and_expansions_agree():
    energy = energy_of(NETWORKS["quadratic"])
    path = energy.start(2, 3)
    expanded = tl.certify(energy, path, rtol=1e-4)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("tda_landscape.certificates._certify.expandable", lambda network: False)
        enclosed = tl.certify(energy, path, rtol=1e-4)
    assert abs(expanded.upper / enclosed.upper - 1) <= 2e-4
    assert abs(expanded.upper - expanded.lower) < 1e-12 < abs(enclosed.upper - enclosed.lower)


def test_only_squared_error_of_a_polynomial_network_is_expanded():
    X, Y = torch.randn(5, 4), torch.randn(5, 2)
    for net, loss, wanted in (
        (linear(4, 3, 2), functional.mse_loss, True),
        (linear(4, 3, 2), functional.l1_loss, False),
        (nn.Sequential(nn.Linear(4, 3), nn.Tanh(), nn.Linear(3, 2)), functional.mse_loss, False),
    ):
        energy = tl.Energy.from_model(net, loss, (X, Y))
        assert _expansion.expandable(NetworkBounder(energy, energy.start(2, 0))) is wanted


def test_products_of_polynomials_are_those_of_fractions():
    generator = torch.Generator().manual_seed(3)
    v, w = (torch.randn(k, 1, generator=generator, dtype=torch.float64) for k in (3, 4))
    made = Polynomial(v, torch.zeros_like(v)) * Polynomial(w, torch.zeros_like(w))
    for s in (Fraction(1, 4), Fraction(2, 3)):
        values = []
        for coefficients in (v, w, made.centre):
            row = [Fraction(float(c)) for c in coefficients[:, 0]]
            while len(row) > 1:
                row = [(1 - s) * p + s * q for p, q in itertools.pairwise(row)]
            values.append(row[0])
        assert abs(values[0] * values[1] - values[2]) <= Fraction(float(made.radius.max()))
