"""Venturi, Bandeira and Bruna, Theorem 8: linear networks of any widths have no spurious valley under squared error."""

import pytest
import torch
from torch.nn import functional

import tda_landscape as tl
from tda_landscape.theory import linear_descent
from tda_landscape.theory._chain import read_chain
from tda_landscape.theory._curve import Curve, joints, rise
from tests.theory.theory_networks import KINDS, linear_energy, normal, point, rng

WIDTHS = [
    (3, 1, 2),
    (4, 2, 3),
    (5, 3, 2, 4, 5),
    (4, 6, 2, 7, 4),
    (1, 1, 1),
    (3, 3, 3),
    (2, 5, 3),
    (3, 2, 2, 2, 3),
    (3, 2),
]


def squared(widths, bias, rank, generator):
    x, y = normal(generator, 12, rank) @ normal(generator, rank, widths[0]), normal(generator, 12, widths[-1])
    model = tl.zoo.networks.mlp(widths, activation="identity", bias=bias)
    return tl.Energy.from_model(model, functional.mse_loss, (x, y)), x, y


def global_minimum(x, y, rank, bias):
    """Reduced-rank regression in closed form: least squares, less its smallest singular values."""
    if bias:
        x, y = x - x.mean(0), y - y.mean(0)
    fitted = x @ torch.linalg.lstsq(x, y, driver="gelsd").solution
    return float(((y - fitted).square().sum() + torch.linalg.svdvals(fitted)[rank:].square().sum()) / y.numel())


@pytest.mark.parametrize("widths", WIDTHS, ids=str)
@pytest.mark.parametrize("bias", [False, True], ids=["", "biases"])
def test_the_path_never_rises_and_ends_in_the_global_minimum(widths, bias):
    generator = rng(sum(widths))
    for rank in (1, widths[0]):
        energy, x, y = squared(widths, bias, rank, generator)
        chain = read_chain(energy.network)
        for kind in KINDS:
            start = point(chain, kind, generator)
            curve = linear_descent.descend(chain, energy.network, start, generator)
            assert rise(energy, curve, 21) <= 1e-12
            assert joints(curve, start, curve.end) <= 1e-10
            assert float(energy(curve.end[None])) == pytest.approx(global_minimum(x, y, min(widths), bias), abs=1e-12)


def test_polylines_rise_by_no_more_than_delta():
    energy, _, _ = squared((4, 2, 3), True, 4, rng(0))
    for delta in (1e-3, 1e-5):
        path = tl.theory.descend(energy, energy.start(1, 0)[0], delta=delta)
        assert rise(energy, Curve.through(path.points), 21) <= delta
        assert path.energies[-1] == path.energies.min()
        assert path.reason is tl.paths.Stop.THEOREM


def test_turned_to_the_wrong_axes_the_path_rises_or_ends_too_high():
    """Control: the eigenvectors must be those of the largest eigenvalues, first."""
    energy, _, _ = squared((4, 2, 3), False, 4, rng(1))
    chain = read_chain(energy.network)
    data = linear_descent._read_data(chain, energy.network)
    axes = torch.linalg.eigh(data.targets.T @ data.targets).eigenvectors
    frame = torch.linalg.qr(normal(rng(2), 4, 2)).Q
    captured = [
        (data.targets @ [*linear_descent._climb(frame, a)][-1].after).square().sum() for a in (axes.flip(1), axes)
    ]
    explained = torch.linalg.svdvals(data.targets).square()
    assert captured[0] == pytest.approx(float(explained[:2].sum()))
    assert captured[1] < 0.9 * explained[:2].sum()


@pytest.mark.parametrize(
    ("loss", "options", "sentence"),
    [
        ("absolute", {}, "the loss is not the squared error"),
        ("squared", {"weight_decay": 0.1}, "weight_decay = 0.1 voids it"),
    ],
)
def test_hypotheses_are_checked(loss, options, sentence):
    energy = linear_energy((3, 2, 3), loss, rng(0), **options)
    with pytest.raises(tl.InputError, match=sentence):
        tl.theory.descend(energy, energy.start(1, 0)[0])


def test_a_missing_last_bias_and_a_curved_activation_are_refused():
    layers = torch.nn.Linear(2, 2), torch.nn.Linear(2, 2, bias=False)
    data = normal(rng(0), 6, 2), torch.ones(6, 2)
    energy = tl.Energy.from_model(torch.nn.Sequential(*layers), functional.mse_loss, data)
    with pytest.raises(tl.InputError, match="the last layer has no bias"):
        tl.theory.descend(energy, energy.start(1, 0)[0])
    energy = tl.Energy.from_model(tl.zoo.networks.mlp([2, 3, 2]), functional.mse_loss, data)
    with pytest.raises(tl.InputError, match="the activation Tanh is not the identity"):
        tl.theory.descend(energy, energy.start(1, 0)[0])
    with pytest.raises(tl.InputError, match=r"descend with tl\.minimize"):
        tl.theory.descend(tl.zoo.double_well(2), [0.0, 0.0])
