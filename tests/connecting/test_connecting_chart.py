"""Where climbs begin, and what those see that begin farther out."""

import math

import pytest
import torch

import tda_landscape as tl
from tda_landscape.connecting import _chart
from tda_landscape.connecting._explore import explore_chart


@pytest.fixture
def chart():
    """A random landscape on the 3-torus, where one of 30 saddles of the tree is hit thirty times less than the next."""
    return explore_chart(tl.zoo.fourier(1, dim=3), 5000, seed=0, symmetry=None, patience=math.inf)[0]


def starts(chart, below):
    """How far climbs begin from their minima, in first displacements; their energies; the longest steps, in radii."""
    which = torch.zeros(200, dtype=torch.int64)
    modes, hessians = chart._directions(which), chart.minima.spectra[which].hessians()
    points, longest = chart._climb_starts(which, modes, hessians, below)
    away = (points - chart.minima.points[which]).norm(dim=1) / (_chart.PUSH * chart.radius)
    return away, chart.energy(points), longest / chart.radius


def test_half_of_the_climbs_begin_farther_out_below_a_level(chart):
    away, energies, longest = starts(chart, 0.0)
    far = away > 1 + 1e-9
    assert 60 <= int(far.sum()) <= 110
    assert float(away.max()) <= 16 + 1e-9
    assert float(energies[far].max()) < 0.0
    assert bool((longest[far] == 1).all())
    fewer, energies, _ = starts(chart, float(chart.minima.energies[0]) + 1.0)
    assert int((fewer > 1 + 1e-9).sum()) < 20, "little is as low as that"
    assert bool((starts(chart, -math.inf)[0] <= 1 + 1e-9).all()), "none while there is no merge"


def test_from_farther_out_a_saddle_behind_a_fork_is_reached_more_often(chart, monkeypatch):
    """It joins the minima at -5.42 and -5.39, whose other ways up begin along the same valleys."""
    height, ends = -3.2426397464739756, (-5.4232274528706945, -5.387)
    pair = [int((chart.minima.energies - energy).abs().argmin()) for energy in ends]
    monkeypatch.setattr(_chart.Chart, "_least_climbed", lambda self, number: torch.tensor(pair * number)[:number])

    def hits():
        return sum(chart.saddles.hits[i] for i, e in enumerate(chart.saddles.energies) if abs(e - height) < 1e-6)

    counts = []
    for share in (0.5, 0.0):
        monkeypatch.setattr(_chart, "FAR", share)
        before = hits()
        for _ in range(12):
            chart.search(32, 0.0, math.inf)
        counts.append(hits() - before)
    assert counts[0] >= 1.5 * counts[1]
    assert counts[0] >= 10
