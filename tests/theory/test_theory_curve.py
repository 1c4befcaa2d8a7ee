"""Curves and their polylines: measures that find what they look for, and nodes that keep to what is asked."""

import math

import pytest
import torch

import tda_landscape as tl
from tda_landscape.paths import Stop
from tda_landscape.theory._curve import Curve, Line, excess, follow, joints, polyline, rise

ONE = torch.tensor([1.0, 0.0], dtype=torch.float64)


def annulus():
    return tl.Energy.from_function(lambda x: (x.square().sum(1) - 1).square(), 2)


def arc(begin, end):
    def piece(t):
        angle = begin + t * (end - begin)
        return torch.stack([angle.cos(), angle.sin()], dim=1)

    return piece


HALF = Curve((arc(0, 2), arc(2, math.pi)))


def test_an_arc_is_flat_and_closed():
    assert excess(annulus(), HALF) < 1e-15
    assert joints(HALF, ONE, -ONE) < 1e-15


def test_a_gap_and_a_hill_are_seen():
    broken = Curve((arc(0, 2), arc(2.01, math.pi)))
    assert joints(broken, ONE, -ONE) == pytest.approx(2 * math.sin(0.005))
    assert joints(HALF, ONE, -1.5 * ONE) == pytest.approx(0.5)
    assert excess(annulus(), Curve.through([ONE, -ONE])) == pytest.approx(1.0)
    slope = tl.Energy.from_function(lambda x: x[:, 0] - 4 * x[:, 0].clamp(min=0), 2)
    assert rise(slope, Curve.through([ONE, -ONE])) == pytest.approx(3 / 4)
    assert rise(slope, Curve.through([-ONE, 0 * ONE])) == pytest.approx(1 / 2)
    assert rise(slope, Curve.through([0 * ONE, ONE])) == 0


@pytest.mark.parametrize("delta", [1e-2, 1e-4, 1e-6])
def test_a_polyline_keeps_to_delta_and_spends_no_more_than_it_needs(delta):
    energy = annulus()
    nodes = polyline(energy, HALF, delta)
    (path,) = follow(energy, [HALF], [(ONE, -ONE)], delta)
    assert path.height <= delta
    assert path.reason is Stop.THEOREM
    assert torch.equal(path.points[0], ONE)
    assert torch.equal(path.points[-1], -ONE)
    # A chord of angle w is lowest in its middle, where the energy is sin(w/2)^4.
    needed = math.pi / (2 * math.asin((delta / 2) ** 0.25))
    assert needed <= len(nodes) <= 4 * needed + 4


def test_falling_polylines_follow_a_slope_more_closely():
    energy = tl.Energy.from_function(lambda x: 100 * (x.square().sum(1) - 1).square() + x[:, 0] + 1, 2)
    falling = polyline(energy, HALF, 1e-4, falling=True)
    assert len(falling) > len(polyline(energy, HALF, 1e-4))
    assert rise(energy, HALF) < 1e-15
    assert rise(energy, Curve.through(falling)) <= 1e-4


def test_straight_pieces_keep_two_nodes_and_reverse_exactly():
    corner = Curve.through(torch.eye(3, dtype=torch.float64))
    energy = tl.Energy.from_function(lambda x: x.square().sum(1), 3)
    assert torch.equal(polyline(energy, corner), torch.eye(3, dtype=torch.float64))
    assert all(isinstance(piece, Line) for piece in corner.reversed().pieces)
    t = torch.linspace(0, 1, 5, dtype=torch.float64)
    assert torch.allclose((HALF + HALF.reversed()).at(t).flip(0), (HALF + HALF.reversed()).at(t), atol=1e-15)


def test_a_curve_that_stays_is_a_curve():
    still = Curve.through([ONE, ONE])
    assert joints(still, ONE, ONE) == 0
    assert len(polyline(annulus(), still)) == 2
