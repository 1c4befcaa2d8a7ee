"""Freeman and Bruna, Proposition 2.2, part 2: two wide linear layers with weight decay."""

import pytest
import torch

import tda_landscape as tl
from tda_landscape.theory import ridge
from tda_landscape.theory._chain import read_chain
from tda_landscape.theory._curve import Curve, excess, follow, joints, rise
from tests.theory.theory_networks import linear_energy, point, rng

CASES = [((3, 4, 2), True), ((2, 3, 5), False), ((2, 4, 5), True), ((1, 2, 1), False), ((4, 5, 4), False)]
PAIRS = [("random", "zero"), ("rank one", "nearly rank one"), ("unbalanced", "random")]


@pytest.mark.parametrize(("widths", "bias"), CASES, ids=str)
@pytest.mark.parametrize("decay", [1e-3, 1.0])
def test_the_path_is_no_higher_than_its_higher_end(widths, bias, decay):
    generator = rng(sum(widths))
    for loss, (one, other) in zip(["squared", "cross entropy", "absolute"], PAIRS, strict=True):
        energy = linear_energy(widths, loss, generator, bias, weight_decay=decay)
        chain = read_chain(energy.network)
        assert ridge.refuses(chain, energy.network) is None
        a, b = point(chain, one, generator), point(chain, other, generator)
        curve = ridge.connect(chain, a, b, generator)
        assert excess(energy, curve, 41) <= 1e-12
        assert joints(curve, a, b) <= 1e-7


def test_balancing_never_raises_the_energy_and_ends_at_the_nuclear_norm():
    generator = rng(0)
    energy = linear_energy((3, 4, 3), "squared", generator, weight_decay=0.1)
    chain = read_chain(energy.network)
    for kind in ("random", "unbalanced", "rank one"):
        left, right, bias = ridge._factors(chain, point(chain, kind, generator))
        curve = ridge._balance(left, right, ridge._writer(chain, bias))
        assert rise(energy, curve) < 1e-14
        end = curve.pieces[-1](torch.ones(1, dtype=torch.float64))
        nuclear = float(torch.linalg.matrix_norm(left @ right, "nuc"))
        assert float(end.square().sum()) == pytest.approx(2 * nuclear, rel=1e-9)


def copies(seed):
    """A minimum and its negative: the same function, the other component where n_1 = min(n_0, n_2)."""
    energy = linear_energy((2, 3, 2), "squared", rng(seed), weight_decay=0.02)
    a = tl.quench(energy, energy.start(1, seed), symmetry=None).points[0]
    return energy, a, -a


def test_polylines_keep_to_delta_and_are_certified():
    energy, a, b = copies(0)
    path = tl.find_path(energy, a, b, search=tl.theory.Constructive(delta=1e-4))
    bottom = float(path.energies[0])
    assert path.height <= bottom + 1e-4 * (1 + bottom)
    assert tl.find_path(energy, a, b, search=tl.paths.Straight()).height > bottom + 0.01
    level = bottom + 1.1e-4 * (1 + bottom)
    assert tl.certify(energy, path, level=level).below(level)


def test_a_coarser_delta_takes_fewer_nodes():
    energy, a, b = copies(1)
    curve = ridge.connect(read_chain(energy.network), a, b, rng(0))
    paths = [follow(energy, [curve], [(a, b)], delta)[0] for delta in (1e-3, 1e-5)]
    bottom = float(energy(a[None]))
    assert all(p.height <= bottom + d * (1 + bottom) for p, d in zip(paths, (1e-3, 1e-5), strict=True))
    assert len(paths[0].points) < len(paths[1].points)


def test_without_balancing_the_straight_line_of_products_is_too_high():
    """Control: the norm of the factors is what the balancing is for."""
    energy, a, b = copies(0)
    chain = read_chain(energy.network)
    left, right, bias = ridge._factors(chain, a)
    stretched = ridge._writer(chain, bias)(10 * left, right / 10)
    assert excess(energy, Curve.through([a, stretched, b])) > 0.1


@pytest.mark.parametrize(
    ("widths", "bias", "decay", "sentence"),
    [
        ((3, 3, 3), False, 0.1, r"n_1 = 3 is not above min\(n_0, n_2\) = 3"),
        ((2, 3, 4), True, 0.1, r"n_1 = 3 is not above min\(n_0 \+ 1, n_2\) = 3"),
        ((2, 3, 3, 2), False, 0.1, "there are 3 layers, not 2"),
        ((3, 3, 3), False, 0.0, "weight_decay = 0 is not positive"),
    ],
)
def test_hypotheses_are_checked(widths, bias, decay, sentence):
    energy = linear_energy(widths, "squared", rng(0), bias, weight_decay=decay)
    with pytest.raises(tl.InputError, match=sentence):
        tl.find_path(energy, *energy.start(2, 0), search=tl.theory.Constructive())
