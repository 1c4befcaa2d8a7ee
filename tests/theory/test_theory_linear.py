"""Freeman and Bruna, Proposition 2.2: wide linear networks join any two points below their maximum."""

import pytest
import torch
from torch import nn

import tda_landscape as tl
from tda_landscape.theory import linear
from tda_landscape.theory._chain import read_chain
from tda_landscape.theory._curve import Curve, Line, excess, joints
from tests.theory.theory_networks import KINDS, LOSSES, linear_energy, normal, point, rng

WIDE = [(3, 2), (3, 4, 2), (2, 3, 5), (1, 2, 1), (4, 3, 3, 2), (2, 4, 3, 6), (3, 7, 3), (3, 4, 5, 4, 3)]


@pytest.mark.parametrize("widths", WIDE, ids=str)
@pytest.mark.parametrize("bias", [False, True], ids=["", "biases"])
def test_the_path_is_no_higher_than_its_higher_end(widths, bias):
    generator = rng(sum(widths))
    for number, loss in enumerate(LOSSES):
        energy = linear_energy(widths, loss, generator, bias)
        chain = read_chain(energy.network)
        assert linear.refuses(chain, energy.network) is None
        a, b = point(chain, KINDS[number], generator), point(chain, KINDS[-number], generator)
        curve = linear.connect(chain, a, b, generator)
        assert excess(energy, curve, 41) <= 1e-12
        assert joints(curve, a, b) == 0
        assert all(isinstance(piece, Line) for piece in curve.pieces)


def test_only_one_piece_changes_the_outputs():
    """What makes any convex loss work: along the others the function stays, along this one it is linear."""
    generator = rng(0)
    energy = linear_energy((3, 4, 5, 2), "squared", generator, bias=True)
    chain = read_chain(energy.network)
    curve = linear.connect(chain, *(point(chain, "random", generator) for _ in range(2)), generator)
    ways = [torch.stack([chain.outputs(p) for p in piece(torch.linspace(0, 1, 3).double())]) for piece in curve.pieces]
    moving = [way for way in ways if (way[2] - way[0]).abs().max() > 1e-12]
    assert len(moving) == 1
    assert all((way[1] - way[0]).abs().max() < 1e-12 for way in ways if way is not moving[0])
    assert torch.allclose(moving[0][1], (moving[0][0] + moving[0][2]) / 2, atol=1e-12)


def test_a_path_without_its_turns_is_caught():
    """Control of the measurement: between two copies of a minimum, frames that differ must be turned."""
    generator = rng(1)
    model = tl.zoo.networks.mlp([3, 4, 3], activation="identity", bias=False)
    inputs = normal(generator, 8, 3)
    targets = model.double()(inputs).detach()
    energy = tl.Energy.from_model(model, nn.functional.mse_loss, (inputs, targets))
    chain = read_chain(energy.network)
    a = energy.network.flatten(model)
    (one, _), (two, _) = chain.layers(a)
    order, signs = [1, 2, 3, 0], torch.tensor([1.0, -1, 1, 1])
    b = chain.vector([(signs[:, None] * one[order], None), (signs * two[:, order], None)])
    assert excess(energy, linear.connect(chain, a, b, generator)) < 1e-25
    down, up = (linear._to_frames(linear._upright(chain, p)[1])[0] for p in (a, b))
    write = linear._upright(chain, a)[2]
    short = Curve.through([write(blocks) for blocks in down + up[::-1]])
    assert joints(short, a, b) == 0
    assert excess(energy, short) > 1e-3


def mixed(*biases):
    widths = (2, 3, 4, 5)
    return nn.Sequential(*(nn.Linear(a, b, bias=c) for a, b, c in zip(widths, widths[1:], biases, strict=False)))


@pytest.mark.parametrize(
    ("model", "options", "sentence"),
    [
        (tl.zoo.networks.mlp([4, 3, 3], activation="identity"), {}, r"n_1 = 3 is not above min\(n_0, n_2\) = 3"),
        (tl.zoo.networks.mlp([1, 2, 1, 1], activation="identity"), {}, r"n_2 = 1 is not above min\(n_0, n_3\) = 1"),
        (mixed(True, False, False), {}, "n_1 = 3 is not above n_3 = 5, and without a bias in the last layer"),
        (mixed(True, False, True), {}, None),
        (mixed(False, False, False), {}, None),
        (tl.zoo.networks.mlp([2, 3, 1]), {}, "the activation Tanh is not the identity"),
        (tl.zoo.networks.mlp([2, 3, 3, 1], activation="identity"), {"weight_decay": 0.1}, "weight_decay = 0.1 voids"),
        (
            tl.zoo.networks.mlp([2, 3, 1], activation="identity"),
            {"regularizer": lambda p: p["0.weight"].sum()},
            "regul",
        ),
    ],
)
def test_hypotheses_are_checked(model, options, sentence):
    sizes = [layer for layer in model if isinstance(layer, nn.Linear)]
    data = normal(rng(0), 6, sizes[0].in_features), torch.zeros(6, sizes[-1].out_features)
    energy = tl.Energy.from_model(model, nn.functional.mse_loss, data, **options)
    search = tl.theory.Constructive()
    if sentence is None:
        assert tl.find_path(energy, *energy.start(2, 0), search=search).reason is tl.paths.Stop.THEOREM
        return
    with pytest.raises(tl.InputError, match=sentence):
        tl.find_path(energy, *energy.start(2, 0), search=search)


def test_a_loss_that_is_not_known_to_be_convex_is_refused():
    def bounded(outputs, targets):
        return 1 - (-(outputs - targets).square()).exp().mean()

    model = tl.zoo.networks.mlp([1, 2, 1], activation="identity")
    energy = tl.Energy.from_model(model, bounded, (torch.ones(2, 1), torch.ones(2, 1)))
    with pytest.raises(tl.InputError, match="the loss is not known to be convex"):
        tl.find_path(energy, *energy.start(2, 0), search=tl.theory.Constructive())


def test_at_the_threshold_there_are_two_components_and_no_path():
    """(ab - 1)^2 has N_u = 2 below 1: with `>=` instead of `>` the theorem would be false."""
    model = tl.zoo.networks.mlp([1, 1, 1], activation="identity", bias=False)
    energy = tl.Energy.from_model(model, nn.functional.mse_loss, (torch.ones(1, 1), torch.ones(1, 1)))
    a, b = torch.tensor([[1.0, 1.0], [-1.0, -1.0]])
    with pytest.raises(tl.InputError, match=r"n_1 = 1 is not above min\(n_0, n_2\) = 1"):
        tl.find_path(energy, a, b, search=tl.theory.Constructive())
    searched = tl.find_path(energy, a, b, search=tl.theory.Constructive(otherwise=tl.paths.Ladder()))
    assert searched.height >= 1
    assert searched.reason is not tl.paths.Stop.THEOREM
