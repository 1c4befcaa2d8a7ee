"""Flat valleys: one component for every sample, and two where a wall stands between them."""

import pytest
import torch

import tda_landscape as tl
from tda_landscape.minima import _identity
from tda_landscape.minima._valley import valley_path


def ring(x):
    return (x.square().sum(1) - 1).square()


def cross(x):
    return x[:, 0] ** 2 * x[:, 1] ** 2


def two_lines(x):
    return (x[:, 0] ** 2 - 1).square() + 0 * x[:, 1]


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize(("function", "dim"), [(ring, 2), (ring, 3), (cross, 2)], ids=["ring", "sphere", "cross"])
def test_a_valley_is_one_minimum_for_every_sample(function, dim, seed):
    energy = tl.Energy.from_function(function, dim)
    minima = tl.quench(energy, energy.start(3 + 4 * seed, seed))
    assert minima.status == ("flat",)
    assert minima.hits.tolist() == [3 + 4 * seed]


def test_control_without_walks_the_same_sample_is_many_points(monkeypatch):
    monkeypatch.setattr(_identity, "valley_path", lambda *_: None)
    energy = tl.Energy.from_function(ring, 2)
    assert len(tl.quench(energy, energy.start(7, 1))) == 7


@pytest.mark.parametrize("seed", range(3))
def test_two_valleys_of_equal_energy_stay_two(seed):
    energy = tl.Energy.from_function(two_lines, 2)
    starts = energy.start(10, seed)
    minima = tl.quench(energy, starts)
    assert minima.status == ("flat", "flat")
    left = int((starts[:, 0] < 0).sum())
    assert sorted(minima.hits.tolist()) == sorted([left, 10 - left])


def test_a_walk_stays_at_the_floor_and_is_verified():
    energy = tl.Energy.from_function(ring, 2)
    a, b = torch.tensor([[1.0, 0.0], [-1.0, 1e-3]], dtype=torch.float64)
    path = valley_path(energy, a, b / b.norm(), 1e-7, 0.0)
    assert path is not None
    assert path.status == "refined"
    assert path.height <= 1e-7
    assert 3.1 < path.length < 3.2


def test_no_walk_leads_over_a_wall():
    energy = tl.Energy.from_function(two_lines, 2)
    a, b = torch.tensor([[1.0, 0.0], [-1.0, 0.0]], dtype=torch.float64)
    assert valley_path(energy, a, b, 1e-7, 0.0) is None
