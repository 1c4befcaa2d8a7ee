"""One hidden layer of squares, 2N + 1 units or more: N_u = 1, derived here (the lecture has 3 N^2)."""

import pytest
import torch
from torch import nn

import tda_landscape as tl
from tda_landscape.theory import lift, quadratic
from tda_landscape.theory._chain import read_chain
from tda_landscape.theory._curve import excess, follow, joints
from tests.theory.theory_networks import Square, energy_of, point, quadratic_energy, rng


def ends(chain, kind, generator):
    """Two points: random; of opposite sign; zero; with dead units and rank one; a shuffled copy."""
    a, b = (point(chain, "random", generator) for _ in range(2))
    (first, bias), (second, last) = chain.layers(a)
    (other, other_bias), (out, other_last) = chain.layers(b)
    alternate = torch.arange(chain.widths[1]) % 2
    if kind == "opposite":
        a = chain.vector([(first, bias), (second.abs(), last)])
        b = chain.vector([(other, other_bias), (-out.abs(), other_last)])
    if kind == "zero":
        a = 0 * a
    if kind == "degenerate":
        a = chain.vector([(first, bias), (second * alternate, last)])
        only = torch.eye(1, chain.widths[0]) * alternate[:, None]
        b = chain.vector([(other * only, other_bias), (out, other_last)])
    if kind == "copy":
        order = torch.randperm(chain.widths[1], generator=generator)
        b = chain.vector([(-first[order], None if bias is None else -bias[order]), (second[:, order], last)])
    return a, b


ENDS = ("random", "opposite", "zero", "degenerate", "copy")


@pytest.mark.parametrize(
    ("inputs", "bias", "more"), [(1, False, 0), (1, True, 2), (2, False, 1), (3, False, 0), (3, True, 0)]
)
def test_the_path_is_no_higher_than_its_higher_end(inputs, bias, more):
    generator = rng(inputs)
    units = 2 * (inputs + bias) + 1 + more
    for loss, kind in zip(["squared", "absolute", "logistic", "huber", "squared"], ENDS, strict=True):
        energy = quadratic_energy(inputs, units, loss, generator, bias)
        chain = read_chain(energy.network)
        assert quadratic.refuses(chain, energy.network) is None
        a, b = ends(chain, kind, generator)
        curve = quadratic.connect(chain, a, b, generator)
        assert excess(energy, curve, 21) <= 1e-12
        assert joints(curve, a, b) <= 1e-10


def test_the_form_stays_until_it_moves_on_a_straight_line():
    """S along all pieces but the middle one, and its second difference there."""
    generator = rng(7)
    energy = quadratic_energy(3, 7, "squared", generator)
    chain = read_chain(energy.network)
    curve = quadratic.connect(chain, *ends(chain, "random", generator), generator)
    t = torch.linspace(0, 1, 5, dtype=torch.float64)

    def form(point):
        u, rows = quadratic._read(chain, point)
        return rows.T @ (u[:, None] * rows)

    forms = [torch.stack([form(p) for p in piece(t)]) for piece in curve.pieces]
    moving = [f for f in forms if (f - f[0]).abs().max() > 1e-11]
    assert len(moving) == 1
    share = (t * torch.pi / 2).sin()[:, None, None] ** 2
    assert torch.allclose(moving[0], torch.lerp(moving[0][0], moving[0][-1], share), atol=1e-11)


def test_copies_of_a_minimum_are_joined_where_the_line_between_them_rises():
    generator = rng(3)
    energy = quadratic_energy(2, 5, "squared", generator, rows=12)
    chain = read_chain(energy.network)
    a = tl.quench(energy, energy.start(1, 3), symmetry=None).points[0]
    (first, _), (second, _) = chain.layers(a)
    order = torch.tensor([1, 2, 3, 4, 0])
    b = chain.vector([(first[order], None), (second[:, order], None)])
    bottom = float(energy(a[None]))
    curve = quadratic.connect(chain, a, b, generator)
    assert excess(energy, curve) <= 1e-12
    assert tl.find_path(energy, a, b, search=tl.paths.Straight()).height > bottom + 0.01
    (path,) = follow(energy, [curve], [(a, b)], 1e-3)
    assert path.height <= bottom + 1e-3 * (1 + bottom)
    assert tl.certify(energy, path, level=bottom + 1.1e-3 * (1 + bottom)).below(bottom + 1.1e-3 * (1 + bottom))


def test_it_is_used_where_the_kernel_lift_is_too_wide():
    """Nine units for four inputs: 2N + 1, where q + 1 would be 11."""
    energy = quadratic_energy(4, 9, "squared", rng(4), rows=20)
    a, b = energy.start(2, 0)
    assert lift.refuses(read_chain(energy.network), energy.network) is not None
    path = tl.find_path(energy, a, b, search=tl.theory.Constructive(delta=1e-2))
    assert path.reason is tl.paths.Stop.THEOREM
    higher = float(path.energies[[0, -1]].max())
    assert path.height <= higher + 1e-2 * (1 + higher)


class Nearly(nn.Module):
    def forward(self, x):
        return x**2 + 1e-9 * x


@pytest.mark.parametrize(
    ("units", "outputs", "activation", "sentence"),
    [
        (6, 1, Square(), "p = 6 hidden units are fewer than 2N + 1 = 7"),
        (7, 1, Nearly(), "is not the square"),
        (7, 2, Square(), "there are 2 outputs, not 1"),
    ],
)
def test_hypotheses_are_checked(units, outputs, activation, sentence):
    model = nn.Sequential(nn.Linear(3, units, bias=False), activation, nn.Linear(units, outputs, bias=False))
    energy = energy_of(model, "squared", rng(0), rows=20)
    chain = read_chain(energy.network)
    assert sentence in quadratic.refuses(chain, energy.network)
    if lift.refuses(chain, energy.network) is not None:
        with pytest.raises(tl.InputError, match=sentence.replace("+", r"\+")):
            tl.find_path(energy, *energy.start(2, 0), search=tl.theory.Constructive())
