"""Points at kinks: stationary where zero lies in the hull of the gradients around them, else descending."""

import pytest
import torch

import tda_landscape as tl
from tda_landscape.minima._subgradients import descend_along_kinks, shortest_gradients

CURVATURES = torch.tensor([1.0, 10.0, 100.0], dtype=torch.float64)
TILTED = torch.tensor([[1.0, 0.5], [0.5, 2.0]], dtype=torch.float64)

ENDS = {
    "|x| + y^2": (lambda x: x[:, 0].abs() + x[:, 1] ** 2, 2),
    "|x| + |y|": (lambda x: x.abs().sum(1), 2),
    "two kinks and a stiff bowl": (lambda x: x[:, :2].abs().sum(1) + (x[:, 2:] ** 2) @ CURVATURES, 5),
    "a slanted kink": (lambda x: (x[:, 0] - x[:, 1]).relu() + (x[:, 1] - x[:, 0]).relu() + x[:, 0] ** 2, 2),
    "a lasso": (lambda x: ((x @ TILTED) * x).sum(1) - x[:, 0] + x.abs().sum(1), 2),
    "a bent kink": (lambda x: (x[:, 0] - x[:, 1] ** 2).abs() + x.square().sum(1), 2),
}
SLIDES = {
    "|x| - y": lambda x: x[:, 0].abs() - x[:, 1],
    "|x| + y / 10": lambda x: x[:, 0].abs() + x[:, 1] / 10,
    "x / 2 + relu(y) + y^2": lambda x: x[:, 0] / 2 + x[:, 1].relu() + x[:, 1] ** 2,
}


def points(*rows):
    return torch.tensor(rows, dtype=torch.float64)


@pytest.mark.parametrize("name", ENDS)
def test_a_minimum_at_a_kink_is_one_stationary_leaf(name):
    function, dim = ENDS[name]
    energy = tl.Energy.from_function(function, dim, bounds=(-1, 1))
    minima = tl.quench(energy, energy.start(12, 0), max_steps=300)
    assert minima.status == ("stationary",)
    assert int(minima.hits[0]) == 12
    assert float(minima.points.abs().max()) < 1e-6
    assert float(minima.gradient_norm[0]) < 1e-6
    assert bool(minima.eigenvalues.isnan().all())
    assert len(minima.leaves) == 1


@pytest.mark.parametrize("name", SLIDES)
def test_control_a_slide_along_a_kink_is_descending(name):
    energy = tl.Energy.from_function(SLIDES[name], 2, bounds=(-1, 1))
    minima = tl.quench(energy, energy.start(3, 0), max_steps=60)
    assert set(minima.status) == {"descending"}
    on_the_kink = tl.Minima.from_points(energy, points((0.0, 0.3), (0.0, 0.0)))
    assert set(on_the_kink.status) == {"descending"}


def test_control_near_a_kink_is_not_at_it():
    energy = tl.Energy.from_function(lambda x: x[:, 0].abs() + x[:, 1] ** 2, 2)
    given = points((0.0, 0.0), (1e-12, -1e-10), (1e-5, 0.0), (0.0, 1e-5), (0.3, 0.0))
    looked = tl.Minima.from_points(energy, given)
    status = dict(zip(map(tuple, looked.points.tolist()), looked.status, strict=True))
    assert [status.get(tuple(row)) for row in given[2:].tolist()] == ["descending"] * 3
    assert list(status.values()).count("stationary") == 1


def test_a_ridge_is_no_leaf():
    """-|x|: zero is in the hull there too, but no descent ends on a ridge; two wells, |y| between them, stay two."""
    energy = tl.Energy.from_function(lambda x: (x[:, 0].abs() - 1).abs() + x[:, 1] ** 2, 2, bounds=(-2, 2))
    minima = tl.quench(energy, energy.start(20, 0), max_steps=300)
    assert minima.status == ("stationary",) * 2
    assert sorted(minima.points[:, 0].round().tolist()) == [-1.0, 1.0]


def many_kinks(kinks, slope):
    """E = slope.x + |x_0| + |x_1| + ..., with kinks along the first coordinates at 0."""
    mask = (torch.arange(24) < kinks).double()
    return tl.Energy.from_function(lambda x: x @ slope + x.abs() @ mask + 0 * x.relu().sum(1), 24)


@pytest.mark.parametrize("kinks", [0, 1, 3])
def test_the_shortest_gradient_is_exact(kinks):
    """At 0 it is what is left of the slope when each kink takes off up to 1."""
    slope = 3 * torch.rand(24, generator=torch.Generator().manual_seed(kinks), dtype=torch.float64) - 1
    lengths, error, across = shortest_gradients(many_kinks(kinks, slope), torch.zeros(1, 24, dtype=torch.float64))
    left = torch.where(torch.arange(24) < kinks, (slope.abs() - 1).clamp(min=0), slope.abs())
    assert float(lengths[0]) == pytest.approx(float(left.norm()), rel=1e-9)
    assert float(error[0]) < 1e-12
    assert across[0].shape == (24, kinks)
    assert torch.allclose(across[0].T @ across[0], torch.eye(kinks).double(), rtol=0, atol=1e-12)


def test_where_many_kinks_cross_the_sample_decides_on_the_safe_side():
    """Of 2^20 pieces 128 are looked at: zero is found well inside their hull, and never outside the whole one."""
    slope = torch.rand(24, generator=torch.Generator().manual_seed(0), dtype=torch.float64) - 0.5
    slope[20:] = 0
    origin = torch.zeros(1, 24, dtype=torch.float64)
    inside, _, across = shortest_gradients(many_kinks(20, slope / 2), origin)
    assert across[0].shape == (24, 20)
    assert float(inside[0]) < 1e-9
    slope[0] = 1.5
    outside, _, _ = shortest_gradients(many_kinks(20, slope), origin)
    assert float(outside[0]) >= 0.5 - 1e-12


def test_the_last_way_down_keeps_to_the_kink():
    energy = tl.Energy.from_function(lambda x: x[:, 0].abs() + (x[:, 1] - 1) ** 2, 2)
    end = descend_along_kinks(energy, points((1e-17, 0.2), (0.5, 0.2)), 1e-8)
    assert end[0].tolist() == pytest.approx([0.0, 1.0], abs=1e-7)
    assert end[1].tolist() == [0.5, 0.2], "away from kinks there is nothing to finish"


def test_a_short_budget_pays_for_the_lowest_first():
    energy = tl.Energy.from_function(lambda x: x[:, 0].abs() + x[:, 1] ** 2, 2, bounds=(-1, 1))
    counted, cost = tl.tally(energy)
    minima = tl.quench(counted, energy.start(10, 0), budget=1500)
    assert "stationary" in minima.status
    assert cost.gradient_equivalents < 2000
    assert set(tl.quench(energy, energy.start(10, 0), budget=20).status) == {"descending"}


def test_a_network_with_kinks_says_how_near_they_are():
    """Two ReLU units on five points of |x|: the best fit has its kink at a datum."""
    x = torch.tensor([[-2.0], [-1.0], [0.0], [1.0], [2.0]])
    model = torch.nn.Sequential(torch.nn.Linear(1, 2), torch.nn.ReLU(), torch.nn.Linear(2, 1))
    energy = tl.Energy.from_model(model, torch.nn.functional.mse_loss, (x, x.abs()), weight_decay=1e-2)
    minima = tl.quench(energy, energy.start(6, 0), max_steps=500)
    assert "stationary" in minima.status
    assert "minimum" not in minima.status
    assert bool(minima.near_kink.isfinite().all())
    assert float(minima.near_kink.max()) > 0
    assert bool(minima.eigenvalues.isnan().all())
    assert set(tl.Minima.from_points(energy, energy.start(3, 1)).status) == {"descending"}
