"""The searches to compare with: levels, budgets, lengths, symmetry, and what they are published to do."""

import math

import pytest
import torch

import tda_landscape as tl
from tda_landscape.energy._batching import Meter
from tda_landscape.paths import (
    Bezier,
    Hyperplane,
    NudgedElasticBand,
    Polychain,
    Stop,
    String,
    StringSampling,
)
from tda_landscape.paths._curve import bernstein, hats
from tda_landscape.paths._loop import search_all

ENDS = torch.tensor([[1.0, 0.0], [-1.0, 0.0]], dtype=torch.float64)


def annulus():
    return tl.Energy.from_function(lambda x: (x.square().sum(1) - 1).square(), 2)


def geodesic(level):
    """Normalized length of the shortest path between antipodes of the ring within the annulus E <= level."""
    r = math.sqrt(1 - math.sqrt(level))
    return math.sqrt(1 - r * r) + r * math.asin(r)


SYMMETRIC = [
    Bezier(bends=3, objective="softmax"),
    Hyperplane(),
    NudgedElasticBand(),
    Polychain(bends=5, objective="softmax"),
    String(),
    StringSampling(),
]


@pytest.mark.parametrize("search", SYMMETRIC, ids=lambda s: type(s).__name__)
def test_the_kick_leaves_a_symmetric_line(search):
    assert tl.find_path(annulus(), *ENDS, search=search).height < 0.05
    options = {name: getattr(search, name) for name in search.__slots__}
    unkicked = type(search)(**{**options, "kick": 0.0})
    assert tl.find_path(annulus(), *ENDS, search=unkicked).height == pytest.approx(1.0)


@pytest.mark.parametrize("search", SYMMETRIC, ids=lambda s: type(s).__name__)
def test_level_stops_early_and_says_so(search):
    counted, cheap = tl.tally(annulus())
    path = tl.find_path(counted, *ENDS, search=search, level=0.2)
    assert path.reason is Stop.LEVEL
    assert path.below(0.2)
    counted, full = tl.tally(annulus())
    tl.find_path(counted, *ENDS, search=search)
    assert cheap.gradient_equivalents < full.gradient_equivalents
    a, b = torch.tensor([[-1.0, -1.0], [1.0, 1.0]]).double()
    missed = tl.find_path(tl.zoo.double_well(2), a, b, search=search, level=0.9)  # every path climbs to 1
    assert not missed.below(0.9)
    assert "upper bound" in missed.reason.value
    assert 1 - 1e-9 <= missed.height <= 2 + 1e-9


def test_a_level_that_verification_denies_is_not_claimed():
    """A search that saw only the ends of its path believes it low."""

    def believer(line):
        yield from Meter().values(line)
        return line, Stop.LEVEL

    denied, granted = (search_all(annulus(), [believer(ENDS)], level=level)[0] for level in (0.5, 1.0))
    assert (denied.reason, granted.reason) == (Stop.MISSED, Stop.LEVEL)
    assert not denied.below(0.5)


@pytest.mark.parametrize("search", SYMMETRIC, ids=lambda s: type(s).__name__)
def test_budget_is_kept(search):
    options = {name: getattr(search, name) for name in search.__slots__}
    counted, cost = tl.tally(tl.zoo.fourier(1))
    a, b = counted.start(2, 3)
    path = tl.find_path(counted, a, b, search=type(search)(**{**options, "budget": 60.0}))
    assert path.reason is Stop.BUDGET
    assert cost.gradient_equivalents <= 60 + 40 + len(path.profile)


@pytest.mark.parametrize("level", [0.3, 0.1, 0.01])
def test_hyperplane_paths_are_nearly_geodesics(level):
    """The lower the slack, the nearer to the boundary; no path within the annulus is shorter than the geodesic."""
    lengths = []
    for slack in (0.1, 0.6):
        path = tl.find_path(annulus(), *ENDS, search=Hyperplane(slack=slack), level=level)
        assert path.below(level)
        lengths.append(path.normalized_length)
    assert geodesic(level) <= lengths[0] <= 1.03 * geodesic(level)
    assert lengths[0] < lengths[1]


def test_the_length_bound_is_kept():
    bound = geodesic(0.1)
    assert tl.find_path(annulus(), *ENDS, search=Hyperplane(max_length=1.1 * bound), level=0.1).below(0.1)
    short = tl.find_path(annulus(), *ENDS, search=Hyperplane(max_length=0.98 * bound), level=0.1)
    assert not short.below(0.1)
    assert short.normalized_length <= 0.98 * bound
    assert short.height < 0.5  # the best that the bound allows is still looked for


def test_without_slack_no_chord_of_a_hole_is_ever_inside():
    """Points on the boundary of a hole: each chord between two of them cuts it."""
    path = tl.find_path(annulus(), *ENDS, search=Hyperplane(slack=0.0, precision=1e-6, max_depth=5), level=0.1)
    assert path.reason is not Stop.LEVEL


def test_hyperplane_on_double_wells():
    a, b = torch.tensor([[-1.0, -1.0], [1.0, 1.0]]).double()
    path = tl.find_path(tl.zoo.double_well(2), a, b, search=Hyperplane())
    assert 1 - 1e-9 <= path.height <= 1.03


@pytest.mark.parametrize("insertion", ["midpoint", "maximum"])
def test_slack_accepts_what_lies_above(insertion):
    """The published 1.1: the path found is above the level asked for, and says so."""
    strict = StringSampling(insertion=insertion)
    assert tl.find_path(annulus(), *ENDS, search=strict, level=0.1).below(0.1)
    loose = StringSampling(insertion=insertion, slack=1.0, target=0.99, ratio=0.9, tolerance=0.5)
    path = tl.find_path(annulus(), *ENDS, search=loose, level=0.1)
    assert 0.1 < path.height <= 0.2 + 1e-3
    assert path.reason is not Stop.LEVEL


def test_both_halves_are_bisected():
    """Two ridges with gaps on opposite sides: a search that gives up after the first half never gets through."""

    def function(x):
        left = torch.exp(-20 * (x[:, 0] + 0.5) ** 2 - 3 * (x[:, 1] + 0.3) ** 2)
        right = torch.exp(-20 * (x[:, 0] - 0.5) ** 2 - 3 * (x[:, 1] - 0.3) ** 2)
        return left + right

    energy = tl.Energy.from_function(function, 2)
    path = tl.find_path(energy, *ENDS, search=StringSampling(), level=0.2)
    assert path.below(0.2)
    assert float(path.points[:, 1].max()) > 0.3
    assert float(path.points[:, 1].min()) < -0.3


def test_a_bead_that_is_stuck_ends_the_level():
    """The published code has no cap and would go on for ever: no bead on x = 0 comes below 1."""
    energy = tl.Energy.from_function(lambda x: (x[:, 0] ** 2 - 1) ** 2 + x[:, 1] ** 2, 2)
    counted, cost = tl.tally(energy)
    path = tl.find_path(counted, *ENDS, search=StringSampling(max_steps=50, kick=0.0), level=0.5)
    assert path.height == pytest.approx(1.0)
    assert path.reason is Stop.CONVERGED
    assert cost.gradient_equivalents < 800


def test_curves_by_hand():
    points = torch.tensor([[0.0, 0.0], [1.0, 2.0], [2.0, 0.0]], dtype=torch.float64)
    t = torch.tensor([0.0, 0.25, 0.5, 1.0], dtype=torch.float64)
    bezier, chain = bernstein(t, 3) @ points, hats(t, 3) @ points
    assert torch.allclose(bezier, torch.stack([2 * t, 4 * t * (1 - t)], dim=1))
    assert torch.allclose(chain[:, 1], torch.tensor([0.0, 1.0, 2.0, 0.0]).double())


@pytest.mark.parametrize("kind", [Bezier, Polychain])
def test_a_soft_maximum_is_lower_at_its_highest_and_the_mean_on_average(kind):
    energy = tl.zoo.mueller_brown()
    a, b = torch.tensor([[-0.5582, 1.4417], [0.6235, 0.0280]]).double()
    found = {}
    for objective in ("mean", "softmax"):
        lines = []
        search = kind(bends=3, objective=objective, budget=1500)
        path = tl.find_path(energy, a, b, search=search, watch=lambda line, _, lines=lines: lines.append(line))
        t = torch.linspace(0, 1, 41, dtype=torch.float64)[:, None, None]
        line = lines[-1]
        found[objective] = path.height, float(energy((line[:-1] + t * line.diff(dim=0)).flatten(0, 1)).mean())
    assert found["softmax"][0] < found["mean"][0]
    assert found["mean"][1] < found["softmax"][1]


def test_an_infinite_end_is_no_search():
    energy = tl.Energy.from_function(lambda x: torch.where(x[:, 0] > 2, torch.inf, x[:, 0] ** 2), 1, bounds=(0, 1))
    for search in SYMMETRIC:
        path = tl.find_path(energy, torch.tensor([0.0]), torch.tensor([3.0]), search=search)
        assert path.height == torch.inf
        assert path.reason is Stop.NONFINITE


@pytest.mark.parametrize("kind", [Bezier, Hyperplane, NudgedElasticBand, Polychain, String, StringSampling])
def test_a_hole_beside_the_path_is_not_entered(kind):
    """Where the energy is not finite nothing pulls, and no path through it is returned."""

    def function(x):
        hole = (x - torch.tensor([0.0, 0.5])).norm(dim=1) < 0.2
        return torch.where(hole, torch.nan, 1 - x[:, 0] ** 2 + (x[:, 1] - 0.3 * x[:, 0]) ** 2)

    path = tl.find_path(tl.Energy.from_function(function, 2), *ENDS, search=kind(budget=300))
    assert path.height < torch.inf


@pytest.mark.parametrize(
    ("kind", "options"),
    [
        *((kind, {"budget": 0}) for kind in (Bezier, Hyperplane, NudgedElasticBand, Polychain, String, StringSampling)),
        *((kind, {"kick": -1.0}) for kind in (Bezier, Hyperplane, NudgedElasticBand, Polychain, String)),
        *((kind, {"rate": 0.0}) for kind in (Bezier, NudgedElasticBand, Polychain, String, StringSampling)),
        *((kind, {"images": 0}) for kind in (NudgedElasticBand, String)),
        *((kind, {"objective": "max"}) for kind in (Bezier, Polychain)),
        *((kind, {"bends": 0}) for kind in (Bezier, Polychain)),
        (NudgedElasticBand, {"spring": 0.0}),
        (Hyperplane, {"max_length": 0.5}),
        (Hyperplane, {"slack": 1.0}),
        (Hyperplane, {"precision": 0.0}),
        (StringSampling, {"slack": -0.1}),
        (StringSampling, {"target": 1.0}),
        (StringSampling, {"insertion": "end"}),
        (StringSampling, {"checks": 0}),
        (StringSampling, {"max_beads": 2}),
    ],
)
def test_senseless_parameters_are_refused(kind, options):
    with pytest.raises(tl.InputError):
        kind(**options)
