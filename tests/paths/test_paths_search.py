"""Searches: conformance, known barriers, and what a failed search may say."""

import pytest
import torch

import tda_landscape as tl
from tda_landscape.paths import SEARCHES, Ladder, Stop, Straight


@pytest.mark.parametrize("search", [kind() for kind in SEARCHES], ids=lambda s: type(s).__name__)
@pytest.mark.parametrize("energy", [tl.zoo.double_well(2), tl.zoo.fourier(0), tl.zoo.fourier(1, dim=3)])
def test_conformance(search, energy):
    tl.testing.check_search(search, energy=energy)


class Shortcut:
    """A search that reports the straight line without looking between its ends."""

    def find(self, energy, starts, ends, generators, *, level=None, watch=None):
        lines = torch.stack([starts, ends], dim=1)
        return [tl.Path(line, energy(line), "sampled", Stop.STRAIGHT, torch.zeros(0, 2)) for line in lines]


def test_conformance_refuses_an_unverified_path():
    with pytest.raises(AssertionError, match="below the energy"):
        tl.testing.check_search(Shortcut(), energy=tl.zoo.fourier(0))


def annulus():
    return tl.Energy.from_function(lambda x: (x.square().sum(1) - 1).square(), 2)


ENDS = torch.tensor([[1.0, 0.0], [-1.0, 0.0]], dtype=torch.float64)


def test_the_kick_leaves_a_symmetric_line():
    """The ends lie opposite each other on a ring of minima: the gradient on the line never leaves it."""
    kicked = tl.find_path(annulus(), *ENDS, search=Ladder())
    assert kicked.height < 0.01
    unkicked = tl.find_path(annulus(), *ENDS, search=Ladder(kick=0.0))
    assert unkicked.height == pytest.approx(1.0)
    assert unkicked.reason in (Stop.CONVERGED, Stop.BUDGET)


def test_the_ladder_beats_the_straight_line():
    energy = tl.zoo.mueller_brown()
    minima = tl.quench(energy, tl.sample(energy, chains=50))
    ladder = tl.find_path(energy, minima.points[0], minima.points[1])
    straight = tl.find_path(energy, minima.points[0], minima.points[1], search=Straight())
    assert ladder.height == pytest.approx(-40.6648435, abs=0.02)
    assert ladder.height >= -40.6648435 - 1e-9, "a path lies below the saddle that every path must cross"
    assert straight.height > ladder.height + 1


@pytest.mark.parametrize("seed", range(8))
def test_no_path_is_lower_than_the_true_barrier(seed):
    energy = tl.zoo.double_well(2)
    ends = torch.tensor([[-1.0, -1.0], [1.0, 1.0]], dtype=torch.float64)
    path = tl.find_path(energy, *ends, seed=seed)
    assert 1 - 1e-9 <= path.height <= 1.01


def test_level_stops_early_and_says_so():
    energy = tl.zoo.mueller_brown()
    minima = tl.quench(energy, tl.sample(energy, chains=50))
    counted, cheap = tl.tally(energy)
    reached = tl.find_path(counted, minima.points[0], minima.points[1], level=-30.0)
    assert reached.below(-30.0)
    assert reached.reason is Stop.LEVEL
    counted, full = tl.tally(energy)
    tl.find_path(counted, minima.points[0], minima.points[1])
    assert cheap.gradient_equivalents < full.gradient_equivalents
    missed = tl.find_path(energy, minima.points[0], minima.points[1], level=-50.0)
    assert not missed.below(-50.0)
    assert "upper bound" in missed.reason.value
    with pytest.raises(tl.InputError, match="above the level"):
        tl.find_path(energy, minima.points[0], minima.points[1], level=-120.0)


def test_budget_is_kept_and_named():
    energy = tl.zoo.fourier(0)
    a, b = energy.start(2, 0)
    counted, cost = tl.tally(energy)
    path = tl.find_path(counted, a, b, search=Ladder(budget=20))
    assert path.reason is Stop.BUDGET
    assert cost.gradient_equivalents < 20 + 100 + len(path.profile)
    longer = tl.find_path(energy, a, b, search=Ladder(budget=500))
    assert longer.height <= path.height


def test_an_infinite_end_is_no_search():
    energy = tl.Energy.from_function(lambda x: torch.where(x[:, 0] > 2, torch.inf, x[:, 0] ** 2), 1, bounds=(0, 1))
    path = tl.find_path(energy, torch.tensor([0.0]), torch.tensor([3.0]))
    assert path.height == torch.inf
    assert path.reason is Stop.NONFINITE


def test_a_flat_line_costs_next_to_nothing():
    energy = tl.Energy.from_function(lambda x: x[:, 1] ** 2, 2)
    counted, cost = tl.tally(energy)
    path = tl.find_path(counted, torch.tensor([0.0, 0.0]), torch.tensor([5.0, 0.0]))
    assert path.reason is Stop.FLAT
    assert path.height == 0
    assert path.normalized_length == pytest.approx(1)
    assert cost.gradient_equivalents < 60


def test_on_a_torus_the_shortest_line_is_taken():
    energy = tl.Energy.from_function(lambda x: torch.cos(2 * torch.pi * x[:, 0]), 1, period=1.0)
    path = tl.find_path(energy, torch.tensor([0.4]), torch.tensor([0.6]), search=Straight())
    assert path.length == pytest.approx(0.2)
    around = tl.find_path(energy, torch.tensor([0.1]), torch.tensor([0.9]), search=Straight())
    assert around.length == pytest.approx(0.2)
    assert around.height == pytest.approx(1.0)


@pytest.mark.parametrize(
    "options", [{"ratio": 1.0}, {"slack": 0.0}, {"kick": -1.0}, {"budget": 0}, {"tolerance": 0}, {"max_beads": 2}]
)
def test_senseless_parameters_are_refused(options):
    with pytest.raises(tl.InputError):
        Ladder(**options)


@pytest.mark.parametrize("shape", [(3,), (1,), (2, 2)])
def test_points_of_another_dimension_are_refused(shape):
    with pytest.raises(tl.InputError, match=r"points of shape \(2,\), the dimension of the energy, got shapes"):
        tl.find_path(tl.zoo.double_well(2), torch.zeros(shape), torch.ones(shape))


def test_ends_that_are_not_finite_are_refused():
    with pytest.raises(tl.InputError, match="coordinate 0 of a is nan; give two finite points"):
        tl.find_path(tl.zoo.double_well(2), torch.tensor([torch.nan, 0.0]), torch.ones(2))


@pytest.mark.parametrize("search", [kind() for kind in SEARCHES], ids=lambda s: type(s).__name__)
def test_a_path_from_a_point_to_itself_is_straight(search):
    point = torch.tensor([1.0, -1.0], dtype=torch.float64)
    path = tl.find_path(tl.zoo.double_well(2), point, point, search=search)
    assert (path.length, path.normalized_length, path.height) == (0.0, 1.0, 0.0)


def test_a_path_that_comes_back_is_infinitely_longer_than_a_straight_one():
    there = torch.tensor([[1.0, 1.0], [-1.0, 1.0], [1.0, 1.0]], dtype=torch.float64)
    (path,) = tl.paths.verify(tl.zoo.double_well(2), [there], [Stop.STRAIGHT])
    assert (path.length, path.normalized_length) == (4.0, float("inf"))
    assert "nan" not in str(path)
