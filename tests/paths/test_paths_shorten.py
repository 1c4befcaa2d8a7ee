"""Shortening: exact geodesics, what it must never do, and the models behind it."""

import math
from dataclasses import replace

import numpy as np
import pytest
import torch
from scipy.optimize import minimize

import tda_landscape as tl
from tda_landscape.paths import Stop, verify
from tda_landscape.paths._pull import curvature_directions, pull

ENDS = torch.tensor([[1.0, 0.0], [-1.0, 0.0]], dtype=torch.float64)


def annulus():
    return tl.Energy.from_function(lambda x: (x.square().sum(1) - 1).square(), 2)


def exact(level):
    """Normalized geodesic length between antipodes inside {(|x|^2 - 1)^2 <= level}."""
    r = math.sqrt(1 - math.sqrt(level))
    return math.sqrt(1 - r * r) + r * math.asin(r)


def dense_maximum(energy, path, points=2001):
    t = torch.linspace(0, 1, points, dtype=torch.float64)[:, None]
    return max(float(energy(a + t * (b - a)).max()) for a, b in zip(path.points[:-1], path.points[1:], strict=True))


@pytest.mark.parametrize("level", [0.3, 0.1, 0.01, 0.001])
def test_the_annulus_has_its_exact_geodesics(level):
    energy = annulus()
    path = tl.find_path(energy, *ENDS, level=level)
    counted, cost = tl.tally(energy)
    short = tl.shorten(counted, path, level)
    assert exact(level) < short.normalized_length <= 1.01 * exact(level)
    assert short.height <= level
    assert dense_maximum(energy, short) <= level + 1e-6
    assert cost.gradient_equivalents <= 1050
    assert torch.equal(short.points[[0, -1]], ENDS)
    if level >= 0.1:
        assert path.normalized_length > 1.01 * exact(level), "control: the path as it was found is too long"


def test_the_height_does_not_rise_where_a_saddle_leaves_no_room():
    energy = tl.zoo.mueller_brown()
    minima = tl.quench(energy, tl.sample(energy, chains=50))
    path = tl.find_path(energy, minima.points[0], minima.points[1], seed=1)
    short = tl.shorten(energy, path)
    assert short.height <= path.height
    assert short.length < path.length - 0.1
    wide = tl.shorten(energy, path, -20.0)
    assert path.height < wide.height <= -20.0
    assert wide.length < short.length


@pytest.mark.parametrize("seed", range(4))
def test_never_longer_never_higher_ends_untouched(seed):
    energy = tl.zoo.fourier(seed)
    line = torch.randn(6, 2, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)
    (path,) = verify(energy, [line], [Stop.CONVERGED])
    short = tl.shorten(energy, path, budget=300)
    assert short.length <= path.length
    assert short.height <= path.height
    assert torch.equal(short.points[[0, -1]], line[[0, -1]])
    assert dense_maximum(energy, short) <= path.height + 1e-4 * abs(path.height)


def test_without_an_obstacle_a_detour_becomes_straight():
    energy = tl.Energy.from_function(lambda x: 0.1 * x[:, 1] ** 2, 2)
    line = torch.tensor([[0.0, 0.0], [0.3, 1.0], [0.7, -1.0], [1.0, 0.0]], dtype=torch.float64)
    (path,) = verify(energy, [line], [Stop.CONVERGED])
    short = tl.shorten(energy, path)
    assert short.normalized_length < 1 + 1e-6
    assert short.reason is Stop.SHORTEST


def test_a_straight_or_flat_path_costs_no_more_than_a_look_at_its_energies():
    energy, cost = tl.tally(tl.zoo.double_well(2))
    path = tl.find_path(energy, *ENDS.flip(1), search=tl.paths.Straight())
    before = cost.gradients, cost.values
    short = tl.shorten(energy, path)
    assert (cost.gradients, cost.values) == (before[0], before[1] + len(path.points))
    assert torch.equal(short.points, path.points)
    assert short.reason is Stop.SHORTEST


def test_a_small_budget_is_kept_and_leaves_the_path():
    energy = annulus()
    path = tl.find_path(energy, *ENDS, level=0.1)
    counted, cost = tl.tally(energy)
    short = tl.shorten(counted, path, 0.1, budget=30)
    assert cost.gradient_equivalents <= 30
    assert short.length == path.length
    assert "budget" in short.reason.value


def test_a_path_above_the_level_is_refused():
    path = tl.find_path(annulus(), *ENDS, level=0.3)
    with pytest.raises(tl.InputError, match="above the level"):
        tl.shorten(annulus(), path, 0.5 * path.height)


def test_energies_that_do_not_belong_to_the_path_are_measured_anew():
    path = tl.find_path(annulus(), *ENDS, level=0.3)
    lost = replace(path, energies=path.energies * torch.nan)
    assert tl.shorten(annulus(), lost, 0.5).below(0.5)
    with pytest.raises(tl.InputError, match="above the level"):
        tl.shorten(annulus(), lost, 0.5 * path.height)


def test_a_pit_of_infinite_energy_is_not_entered():
    def function(x):
        return torch.where(x.norm(dim=1) < 0.5, torch.inf, (x.square().sum(1) - 1).square())

    energy = tl.Energy.from_function(function, 2, bounds=([0.6, 0.6], [1, 1]))
    path = tl.find_path(annulus(), *ENDS, level=0.3)
    (path,) = verify(energy, [path.points], [path.reason])
    short = tl.shorten(energy, path, 0.5)
    assert short.height <= 0.5
    assert short.length < path.length


def models(seed):
    generator = torch.Generator().manual_seed(seed)
    k, d, m = 4, 6, 3
    points = torch.randn(k + 2, d, generator=generator, dtype=torch.float64).cumsum(0)
    gradients = torch.randn(k, d, generator=generator, dtype=torch.float64)
    curvature = torch.randn(k, m, d, generator=generator, dtype=torch.float64)
    energies, drop, hold = torch.rand(3, k, generator=generator, dtype=torch.float64)
    return points, energies, gradients, curvature, energies - 0.3 * drop + 0.1, hold + 0.1


@pytest.mark.parametrize("seed", range(3))
def test_the_pull_is_the_constrained_minimum(seed):
    points, energies, gradients, curvature, limits, hold = models(seed)
    step = pull(points, energies, gradients, curvature, limits, hold, 1e-12)
    lengths = points.diff(dim=0).norm(dim=1)
    weights = lengths.mean() / lengths.clamp(min=float(lengths.mean()) / 5)

    def objective(flat):
        moved = points.clone()
        moved[1:-1] += torch.as_tensor(flat).view_as(step)
        springs = (weights * moved.diff(dim=0).square().sum(1)).sum() / 2
        return float(springs + (hold * torch.as_tensor(flat).view_as(step).square().sum(1)).sum() / 2)

    def slack(flat):
        d = torch.as_tensor(flat).view_as(step)
        bend = (curvature @ d[:, :, None])[:, :, 0].square().sum(1) / 2
        return (limits - energies - (gradients * d).sum(1) - bend).numpy()

    assert slack(step.flatten().numpy()).min() > -1e-9
    start = np.zeros(step.numel())
    best = minimize(
        objective, start, constraints={"type": "ineq", "fun": slack}, options={"maxiter": 500, "ftol": 1e-12}
    )
    assert objective(step.flatten().numpy()) == pytest.approx(best.fun, rel=1e-6)
    loose = pull(points, energies, gradients, curvature, limits + 1e6, hold, 1e-12)
    assert objective(loose.flatten().numpy()) < best.fun - 1e-3, "control: the limits push"


def test_curvature_directions_explain_the_pairs_of_a_quadratic():
    generator = torch.Generator().manual_seed(0)
    root = torch.randn(8, 8, generator=generator, dtype=torch.float64)
    hessian = root @ root.mT
    steps = torch.randn(1, 3, 8, generator=generator, dtype=torch.float64)
    directions = curvature_directions(steps, steps @ hessian)[0]
    assert torch.allclose(directions.mT @ (directions @ steps[0].mT), hessian @ steps[0].mT)
    other = torch.randn(8, generator=generator, dtype=torch.float64)
    assert (directions @ other).square().sum() < other @ hessian @ other


def test_a_path_found_on_another_energy_is_measured_anew():
    ring = tl.Energy.from_function(lambda x: (x.square().sum(1) - 1).square(), 2)
    steeper = tl.Energy.from_function(lambda x: 5 * (x.square().sum(1) - 1).square(), 2)
    ends = torch.tensor([[1.0, 0.0], [-1.0, 0.0]], dtype=torch.float64)
    path = tl.find_path(ring, *ends, level=0.1)
    short = tl.shorten(steeper, path, budget=300)
    assert path.height < short.height <= 5 * path.height + 1e-9
    with pytest.raises(tl.InputError, match="above the level"):
        tl.shorten(steeper, path, level=path.height)
