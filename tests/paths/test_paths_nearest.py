"""The nearest point of a sublevel set within a hyperplane, against answers in closed form."""

import pytest
import torch
from scipy.optimize import brentq

import tda_landscape as tl
from tda_landscape.energy._batching import Meter, drive
from tda_landscape.paths._nearest import nearest_below
from tda_landscape.paths._plane import Plane

PRECISION = 1e-6


def solve(energy, plane, level, start, *, tolerance=PRECISION):
    meter = Meter()
    (nearest,) = drive(energy, [nearest_below(plane, level, start, 0.1, meter, scale=1.0, tolerance=tolerance)])
    return nearest, meter.spent


def random_plane(dim, seed):
    a, b = torch.randn(2, dim, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)
    return Plane.between(a, b)


def on_plane(weights, plane, t):
    """The point of the plane where (1 + t w) x = m - s n, with s such that <x - m, n> = 0."""
    scale, m, n = 1 / (1 + t * weights), plane.middle, plane.normal
    s = ((scale * m) @ n - m @ n) / ((scale * n) @ n)
    return scale * (m - s * n)


def nearest_of_ellipsoid(weights, plane, level):
    """Lagrange: the multiplier t makes sum w x^2 / 2 the level."""

    def excess(t):
        return float((weights * on_plane(weights, plane, t) ** 2).sum()) / 2 - level

    t = brentq(excess, 0, 1e9, xtol=1e-14, rtol=1e-14)
    return on_plane(weights, plane, t), t


@pytest.mark.parametrize("condition", [1.0, 30.0, 1000.0])
@pytest.mark.parametrize("share", [0.5, 0.1])
def test_an_ellipsoid(condition, share):
    weights = torch.logspace(0, torch.log10(torch.tensor(condition)).item(), 20, dtype=torch.float64)
    energy = tl.Energy.from_function(lambda x: (weights * x * x).sum(1) / 2, 20)
    plane = random_plane(20, 0)
    lowest, highest = energy(torch.stack([on_plane(weights, plane, 1e9), plane.middle])).tolist()
    level = lowest + share * (highest - lowest)
    exact, multiplier = nearest_of_ellipsoid(weights, plane, level)
    nearest, _ = solve(energy, plane, level, plane.middle)
    assert nearest.inside
    assert nearest.residual <= PRECISION
    assert float((nearest.point - exact).norm()) <= 1e-5 * float((exact - plane.middle).norm())
    assert nearest.multiplier == pytest.approx(multiplier, rel=1e-4)
    assert abs(float((nearest.point - plane.middle) @ plane.normal)) < 1e-12


def test_the_outside_of_a_ball():
    """Not convex: from a middle within the ball the nearest point lies straight away from the center."""
    plane = random_plane(6, 1)
    center = plane.middle + plane.flatten(torch.ones(6, dtype=torch.float64) / 4)
    energy = tl.Energy.from_function(lambda x: -(x - center).square().sum(1), 6)
    away = plane.middle - center
    nearest, _ = solve(energy, plane, -4.0, plane.middle)
    assert torch.allclose(nearest.point, center + 2 * away / away.norm(), atol=1e-5)
    assert nearest.residual <= PRECISION


@pytest.mark.parametrize("level", [0.3, 0.1, 0.01, 0.001])
def test_an_annulus(level):
    """Around the center of a shell in space, any point of its inner sphere is nearest."""
    energy = tl.Energy.from_function(lambda x: (x.square().sum(1) - 1).square(), 3)
    plane = Plane.between(*torch.tensor([[1.0, 0, 0], [-1.0, 0, 0]], dtype=torch.float64))
    start = torch.tensor([0.0, 0.02, 0.01], dtype=torch.float64)
    nearest, spent = solve(energy, plane, level, start)
    radius = (1 - level**0.5) ** 0.5
    assert float(nearest.point.norm()) == pytest.approx(radius, abs=2e-6 / radius / level**0.5)
    assert nearest.inside
    assert spent < 60


def test_a_middle_inside_is_the_answer_at_once():
    energy, plane = tl.zoo.double_well(3), Plane.between(-torch.ones(3).double(), torch.ones(3).double())
    nearest, spent = solve(energy, plane, 10.0, plane.middle)
    assert torch.equal(nearest.point, plane.middle)
    assert (nearest.residual, nearest.multiplier, spent) == (0.0, 0.0, 1.0)


def test_an_empty_set_is_said_to_be_missed():
    """The plane x_0 = 0 has no point below its own minimum, 1."""
    energy = tl.Energy.from_function(lambda x: 1 - x[:, 0] ** 2 + x[:, 1] ** 2, 2)
    plane = Plane.between(*torch.tensor([[1.0, 1.0], [-1.0, 1.0]], dtype=torch.float64))
    nearest, _ = solve(energy, plane, 0.9, plane.middle)
    assert not nearest.inside
    assert nearest.residual >= 1


def test_a_symmetric_middle_needs_another_start():
    """Control of the kick: where the gradient vanishes within the plane there is no way to go."""
    energy = tl.Energy.from_function(lambda x: (x.square().sum(1) - 1).square(), 2)
    plane = Plane.between(*torch.tensor([[1.0, 0], [-1.0, 0]], dtype=torch.float64))
    assert not solve(energy, plane, 0.1, plane.middle)[0].inside


def test_the_residual_tells_a_point_inside_that_is_not_nearest():
    """A loose tolerance ends inside, and its residual is no smaller than its true distance from the conditions."""
    weights = torch.tensor([1.0, 10.0, 100.0, 1000.0], dtype=torch.float64)
    energy = tl.Energy.from_function(lambda x: (weights * x * x).sum(1) / 2, 4)
    plane = random_plane(4, 0)
    level = 0.01 * float(energy(plane.middle[None])[0])
    loose, _ = solve(energy, plane, level, plane.middle, tolerance=0.5)
    gradient = plane.flatten(weights * loose.point)
    offset = loose.point - plane.middle
    cosine = -float(offset @ gradient) / float(offset.norm() * gradient.norm())
    assert loose.residual >= (1 - cosine**2) ** 0.5 - 1e-9
    assert loose.residual > 1e-3
    exact, _ = nearest_of_ellipsoid(weights, plane, level)
    assert float(offset.norm()) > float((exact - plane.middle).norm()) * (1 + 1e-6)


def test_a_hole_in_the_energy_is_stepped_around():
    """Where the energy is not finite no step may end."""

    def function(x):
        r = x.square().sum(1)
        return torch.where((r > 0.3) & (r < 0.35), torch.nan, (r - 1).square())

    plane = Plane.between(*torch.tensor([[1.0, 0], [-1.0, 0]], dtype=torch.float64))
    start = torch.tensor([0.0, 0.3], dtype=torch.float64)
    nearest, _ = solve(tl.Energy.from_function(function, 2), plane, 0.3, start)
    assert nearest.energy < torch.inf
    assert nearest.inside == (nearest.energy <= 0.3)
