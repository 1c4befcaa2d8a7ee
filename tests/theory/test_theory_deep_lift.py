"""The kernel lift in every layer: deep networks whose layers are wider than their features join any two points."""

import pytest
import torch
from torch.nn.functional import cross_entropy, l1_loss, mse_loss

import tda_landscape as tl
from tda_landscape.theory import Constructive, deep_lift
from tda_landscape.theory._chain import read_chain
from tda_landscape.theory._curve import excess, joints
from tests.theory.theory_networks import KINDS, normal, point, rng

EXACT, JOINT = 1e-12, 1e-10
WIDE = (  # widths, activation, rows, biases, loss
    ([1, 3, 3, 1], "square", 20, False, mse_loss),  # the widths of the lecture, 3 N^2 and 3 N^4
    ([1, 2, 2, 1], "square", 20, False, l1_loss),  # those that are enough
    ([2, 4, 6, 1], "square", 30, False, mse_loss),
    ([2, 4, 6, 3], "square", 30, False, cross_entropy),
    ([1, 3, 3, 3, 2], "square", 10, False, mse_loss),
    ([2, 6, 6, 1], "relu", 5, True, mse_loss),
    ([3, 8, 7, 2], "relu", 6, False, l1_loss),
    ([2, 6, 7, 6, 2], "tanh", 5, True, mse_loss),
)
NARROW = (([1, 1, 3, 1], 1), ([1, 3, 1, 1], 2), ([2, 3, 6, 1], 1), ([2, 4, 5, 1], 2))


def make(widths, activation, rows, bias, loss, generator):
    x, y = normal(generator, rows, widths[0]), normal(generator, rows, widths[-1])
    y = y.softmax(1) if loss is cross_entropy else y
    return tl.Energy.from_model(tl.zoo.networks.mlp(widths, activation=activation, bias=bias), loss, (x, y))


def check(case, seed):
    generator = rng(seed)
    energy = make(*case, generator)
    chain = read_chain(energy.network)
    assert deep_lift.refuses(chain, energy.network) is None
    first, second = torch.randint(len(KINDS), (2,), generator=generator).tolist()
    a, b = point(chain, KINDS[first], generator), point(chain, KINDS[second], generator)
    curve = deep_lift.connect(chain, a, b, generator)
    assert joints(curve, a, b) <= JOINT
    return excess(energy, curve, 17)


@pytest.mark.parametrize("case", WIDE, ids=lambda case: f"{case[0]} {case[1]} {case[-1].__name__}")
def test_any_two_points_are_joined_below_their_maximum(case):
    assert max(check(case, seed) for seed in range(4)) <= EXACT


@pytest.mark.slow
def test_500_random_pairs_and_one_of_the_lectures_widths():
    worst = max(check(WIDE[seed % len(WIDE)], 1000 + seed) for seed in range(500))
    lecture = check(([2, 12, 48, 1], "square", 30, False, mse_loss), 0)
    print(f"500 pairs: relative excess {worst:.1e}; widths 2-12-48-1: {lecture:.1e}")
    assert max(worst, lecture) <= EXACT


def test_same_ends_same_bits():
    """Whatever stands in the memory that is used next."""
    energy = make(*WIDE[6], rng(0))
    chain = read_chain(energy.network)
    a, b = point(chain, "random", rng(1)), point(chain, "rank one", rng(2))
    curves = set()
    for seed in range(6):
        used = [torch.randint(9, (n,), generator=rng(seed)) for n in range(1, 60)]
        del used
        pieces = deep_lift.connect(chain, a, b, rng(0)).pieces
        curves.add(torch.stack([piece.end for piece in pieces]).numpy().tobytes())
    assert len(curves) == 1


@pytest.mark.parametrize(("widths", "layer"), NARROW)
def test_control_a_layer_without_a_unit_to_spare_is_refused(widths, layer):
    energy = make(widths, "square", 20, False, mse_loss, rng(0))
    assert f"hidden layer {layer} has p = {widths[layer]}" in deep_lift.refuses(
        read_chain(energy.network), energy.network
    )


def test_control_the_straight_line_between_minima_rises():
    energy = make([1, 2, 2, 1], "square", 20, False, mse_loss, rng(0))
    low = tl.minimize(energy, energy.start(6, 0))
    a = low[energy(low).argmin()]
    line = tl.find_path(energy, a, -a * torch.tensor([1.0, 1, 1, 1, 1, 1, -1, -1]), search=tl.paths.Straight())
    built = tl.find_path(energy, a, line.points[-1], search=Constructive())
    assert built.reason is tl.paths.Stop.THEOREM
    assert line.height > built.height + 1e-3
    assert built.height <= float(energy(a[None])) + 1e-12


def test_below_the_width_the_copies_are_apart():
    """One unit in each of two layers of squares, E = (u v^2 w^4 - 1)^2: signs of v and w cannot change below 1."""
    model = tl.zoo.networks.mlp([1, 1, 1, 1], activation="square", bias=False)
    energy = tl.Energy.from_model(model, mse_loss, (torch.ones(1, 1), torch.ones(1, 1)))
    ticks = torch.linspace(-1.5, 1.5, 25, dtype=torch.float64)
    values = energy(torch.cartesian_prod(ticks, ticks, ticks)).view(25, 25, 25).numpy()
    bars = tl.persistence(tl.cubical_merge_tree(values), min_persistence=0.5)[0]
    assert bars.round(9).tolist() == [[0.0, torch.inf]] + [[0.0, 1.0]] * 3
    with pytest.raises(tl.InputError, match="hidden layer 1 has p = 1, q = 1"):
        tl.find_path(energy, [1.0, 1.0, 1.0], [-1.0, 1.0, 1.0], search=Constructive())
