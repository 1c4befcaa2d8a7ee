"""Quench modulo symmetry: copies are one, different minima are two, and what was not looked at is no minimum."""

import pytest
import torch
from torch import nn
from torch.nn import functional as F

import tda_landscape as tl

DATA = (
    torch.randn(12, 3, generator=torch.Generator().manual_seed(0)),
    torch.randint(2, (12,), generator=torch.Generator().manual_seed(1)),
)


def tanh_net(width=4):
    return tl.Energy.from_model(tl.zoo.networks.mlp([3, width, 2]), F.cross_entropy, DATA, weight_decay=1e-2)


def points(*rows):
    return torch.tensor(rows, dtype=torch.float64)


def test_a_network_and_its_images_are_one_quotient_point_and_several_raw_ones():
    energy = tanh_net()
    found = tl.quench(energy, energy.start(1, 0))
    assert found.status == ("minimum",)
    images, sheets = found.symmetry.scramble(found.points.repeat(12, 1), torch.Generator().manual_seed(1))
    assert len(torch.unique(sheets, dim=0)) > 1
    both = torch.cat([found.points, images])
    quotient = tl.quench(energy, both)
    assert len(quotient) == 1
    assert quotient.hits.tolist() == [13]
    assert quotient.symmetry is not None
    raw = tl.quench(energy, both, symmetry=None)
    assert raw.symmetry is None
    assert 1 < len(raw) <= len(torch.unique(sheets, dim=0)) + 1
    assert int(raw.hits.sum()) == 13
    assert torch.allclose(raw.energies, quotient.energies.expand(len(raw)), rtol=0, atol=1e-10)


def test_quotient_points_are_really_different():
    """No two of them can be moved onto each other, and every raw point can be moved onto one of them."""
    energy = tanh_net(3)
    starts = energy.start(40, 2)
    quotient, raw = tl.quench(energy, starts).leaves, tl.quench(energy, starts, symmetry=None).leaves
    assert len(quotient) < len(raw)

    def gaps(point):
        images, _ = quotient.symmetry.align(quotient.points, point.expand(len(quotient), -1))
        return (images - point).norm(dim=1)

    for i, point in enumerate(quotient.points):
        others = torch.cat([gaps(point)[:i], gaps(point)[i + 1 :]])
        assert float(torch.cat([others, points((1.0,))[0]]).min()) > 1e-3
    assert max(float(gaps(point).min()) for point in raw.points) < 1e-5


def test_two_symmetric_wells_of_equal_energy_stay_two():
    """A reflection of the energy that nobody declared is no symmetry of the search."""
    energy = tl.zoo.double_well(1)
    minima = tl.quench(energy, energy.start(20, 0))
    assert len(minima) == 2
    assert float(minima.energies.diff()) == pytest.approx(0, abs=1e-12)
    assert int(minima.hits.sum()) == 20
    assert minima.symmetry is None


@pytest.mark.parametrize("steps", [1, 3])
def test_an_optimiser_stopped_early_yields_no_minimum(steps):
    energy = tanh_net()
    minima = tl.quench(energy, energy.start(10, 0), max_steps=steps)
    assert set(minima.status) == {"descending"}
    assert len(minima.leaves) == 0
    assert set(tl.quench(energy, energy.start(10, 0)).status) == {"minimum"}, "control"


@pytest.mark.parametrize("budget", [40, 400, 1500])
def test_the_budget_bounds_the_evaluations(budget):
    energy, cost = tl.tally(tanh_net())
    starts = energy.start(10, 0)
    minima = tl.quench(energy, starts, budget=budget)
    one_round = len(starts) * (1 + energy.dim)
    assert cost.gradient_equivalents <= budget + 2 * one_round
    assert "minimum" not in minima.status or bool((minima.gradient_norm < 1e-6).any())
    if budget == 40:
        assert set(minima.status) == {"descending"}


def test_a_small_gradient_whose_hessian_was_not_paid_for_is_unverified_and_no_leaf():
    energy = tl.zoo.double_well(6)
    starts = tl.quench(energy, energy.start(8, 0)).points
    assert len(starts) == 8
    minima = tl.quench(energy, starts, budget=26)
    assert set(minima.status) == {"minimum", "unverified"}
    assert 1 <= minima.status.count("minimum") <= 4
    assert len(minima.leaves) == minima.status.count("minimum")
    rest = torch.tensor([status == "unverified" for status in minima.status])
    assert bool(minima.eigenvalues[rest].isnan().all())


def relu_net():
    model = tl.zoo.networks.mlp([3, 4, 2], activation="relu")
    return tl.Energy.from_model(model, F.cross_entropy, DATA, weight_decay=1e-2)


def test_near_kink_is_a_fraction_for_relu_and_not_a_number_for_tanh():
    relu, tanh = relu_net(), tanh_net()
    fraction = tl.quench(relu, relu.start(4, 0), max_steps=200).near_kink
    assert bool(((fraction >= 0) & (fraction <= 1)).all())
    assert bool(tl.quench(tanh, tanh.start(4, 0)).near_kink.isnan().all())


def test_near_kink_counts_units_that_are_exactly_there():
    energy = relu_net()
    point = energy.start(1, 0)
    assert float(tl.Minima.from_points(energy, point).near_kink) == 0
    dead = point.clone()
    dead[0, :3], dead[0, 12] = 0, 0  # weights and bias of the first of four units
    assert float(tl.Minima.from_points(energy, dead).near_kink) == pytest.approx(1 / 4)


class Unreadable(nn.Module):
    def __init__(self):
        super().__init__()
        self.layer = nn.Linear(3, 2)
        self.mystery = nn.Parameter(torch.ones(2))

    def reset_parameters(self):
        nn.init.ones_(self.mystery)

    def forward(self, x):
        return torch.cumsum(self.layer(x), 1) * torch.erf(self.mystery).flip(0)


def test_a_network_that_cannot_be_read_is_refused_under_auto_with_a_sentence():
    energy = tl.Energy.from_model(Unreadable(), F.cross_entropy, DATA, weight_decay=1e-2)
    with pytest.raises(tl.InputError, match="symmetry=None") as refused:
        tl.quench(energy, energy.start(2, 0))
    assert "\n" not in str(refused.value)
    assert set(tl.quench(energy, energy.start(2, 0), symmetry=None).status) <= {"minimum", "flat"}


@pytest.mark.parametrize("choice", ["full", 3])
def test_a_symmetry_that_is_none_is_refused(choice):
    energy = tl.zoo.double_well(2)
    with pytest.raises(tl.InputError):
        tl.quench(energy, energy.start(2, 0), symmetry=choice)


def test_given_points_are_described_and_not_moved():
    energy = tl.zoo.mueller_brown()
    found = tl.quench(energy, energy.start(20, 0))
    given = torch.cat([found.points, found.points[:1], points((0.0, 0.0))])
    minima = tl.Minima.from_points(energy, given)
    assert minima.status.count("minimum") == 3
    assert minima.status.count("descending") == 1
    assert minima.hits.tolist() == [0] * 4
    assert {tuple(p) for p in minima.points.tolist()} <= {tuple(p) for p in given.tolist()}
    assert torch.equal(minima.leaves.energies, found.energies)


def test_given_copies_of_a_network_are_one_under_auto():
    energy = tanh_net()
    point = tl.quench(energy, energy.start(1, 0)).points
    images, _ = tl.quench(energy, point).symmetry.scramble(point.repeat(3, 1), torch.Generator().manual_seed(4))
    assert len(tl.Minima.from_points(energy, torch.cat([point, images]))) == 1
    assert len(tl.Minima.from_points(energy, torch.cat([point, images]), symmetry=None)) > 1


def test_no_points_are_refused():
    energy = tl.zoo.double_well(2)
    with pytest.raises(tl.InputError, match="no points to quench"):
        tl.quench(energy, torch.empty(0, 2))


def test_copies_of_seven_atoms_are_one_each_and_four_in_all():
    """Every minimum, turned, shifted, inverted and with its atoms renamed, is quenched with the others."""
    energy = tl.zoo.lennard_jones(7)
    minima = tl.quench(energy, energy.start(60, 0)).leaves
    assert minima.energies.tolist() == pytest.approx([-16.505384, -15.935043, -15.593211, -15.533060], abs=1e-6)
    assert set(minima.status) == {"minimum"}, "six zero modes set aside"
    generator = torch.Generator().manual_seed(1)
    copies, sheets = minima.symmetry.scramble(minima.points.repeat(3, 1), generator)
    assert len(torch.unique(sheets, dim=0)) == 12
    assert float((copies - minima.points.repeat(3, 1)).norm(dim=1).min()) > 0.5
    noise = 1e-2 * torch.randn(copies.shape, generator=generator, dtype=copies.dtype)
    found = tl.quench(energy, torch.cat([minima.points, copies + noise]))
    assert found.hits.tolist() == [4] * 4
    assert torch.allclose(found.energies, minima.energies, rtol=0, atol=1e-9)
    raw = tl.quench(energy, torch.cat([minima.points[:1], copies[::4]]), symmetry=None)
    assert len(raw) == 4, "control: without the symmetry each copy is another point"
    assert set(raw.status) == {"flat"}, "and none of them a minimum"
