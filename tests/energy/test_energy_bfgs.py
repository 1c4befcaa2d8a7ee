"""Descents by matrices: where they end, what they need, and that each point goes by itself."""

import pytest
import torch

from tda_landscape.energy import Energy, tally, zoo
from tda_landscape.energy._batching import Meter, drive
from tda_landscape.energy._bfgs import DIM, dense_descents, ends_of_descents
from tda_landscape.energy._downhill import minimize


def dense(energy, points, tolerance=1e-8, max_steps=500, budget=torch.inf, radius=0.1):
    counted, cost = tally(energy)
    meter = Meter()
    (ends,) = drive(counted, [dense_descents(points, radius, tolerance, max_steps, meter, budget)])
    assert meter.spent == pytest.approx(cost.gradient_equivalents)
    return ends, cost.gradients


def by_pairs(energy, points, tolerance=1e-8):
    counted, cost = tally(energy)
    (walkers,) = drive(counted, [minimize(points, 0.1, tolerance, 500, Meter())])
    return walkers.points, cost.gradients


def test_a_badly_scaled_bowl():
    scales = torch.tensor([1.0, 30.0, 1000.0], dtype=torch.float64)
    bowl = Energy.from_function(lambda x: (scales * (x - 1) ** 2).sum(1), 3)
    x = 5 * bowl.start(4, 0)
    assert torch.allclose(dense(bowl, x, 1e-9, radius=1.0)[0], torch.ones_like(x), atol=1e-7)
    assert not torch.allclose(dense(bowl, x, 1e-9, 2)[0], torch.ones_like(x), atol=1e-3)  # control


@pytest.mark.parametrize(("make", "share"), [(zoo.xor, 0.95), (lambda: zoo.lennard_jones(7), 1.0)])
def test_every_descent_ends_at_rest_after_fewer_gradients_than_by_pairs(make, share):
    energy = make()
    x = energy.start(32, 0)
    ends, needed = dense(energy, x)
    energies, gradients = energy.value_and_grad(ends)
    assert (gradients.norm(dim=1) <= 1e-8 * (1 + energies.abs())).all()
    assert needed < share * by_pairs(energy, x)[1]


def test_both_ways_end_in_the_same_minima():
    energy = zoo.mueller_brown()
    near = torch.tensor([[-0.55, 1.43], [0.62, 0.04], [-0.06, 0.46]], dtype=torch.float64)
    assert torch.allclose(dense(energy, near)[0], by_pairs(energy, near)[0], atol=1e-8)


def test_a_budget_ends_them_where_they_are():
    energy = zoo.xor()
    x = energy.start(8, 0)
    ends, needed = dense(energy, x, budget=50)
    assert needed <= 50
    assert (energy(ends) < energy(x)).all()
    assert (energy.value_and_grad(ends)[1].norm(dim=1) > 1e-8).any()


def test_infinite_energies_stay_where_they_are():
    walled = Energy.from_function(
        lambda x: torch.where(x[:, 0] > 5, torch.inf, torch.where(x[:, 0] < -5, torch.nan, x.square().sum(1))),
        2,
        bounds=(-1, 1),
    )
    start = torch.tensor([[4.9, 1.0], [9.0, 0.0], [-9.0, 0.0]], dtype=torch.float64)
    ends, _ = dense(walled, start)
    assert torch.allclose(ends[0], torch.zeros(2, dtype=torch.float64), atol=1e-7)
    assert torch.equal(ends[1:], start[1:])


def test_no_point_sees_the_others():
    energy = zoo.xor()
    x = energy.start(9, 3)
    whole = dense(energy, x, max_steps=40)[0]
    assert torch.equal(dense(energy, x[2:7], max_steps=40)[0], whole[2:7])


@pytest.mark.parametrize("dim", [DIM, DIM + 1])
def test_many_dimensions_go_by_pairs(dim):
    bowl = Energy.from_function(lambda x: (x.square() * torch.arange(1, dim + 1)).sum(1), dim)
    x = bowl.start(3, 0)
    (ends,) = drive(bowl, [ends_of_descents(x, 0.1, 1e-8, 500, Meter())])
    assert ends.abs().max() < 1e-7
    assert torch.equal(ends, dense(bowl, x)[0]) == (dim == DIM)
