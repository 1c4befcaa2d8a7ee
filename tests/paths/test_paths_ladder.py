"""The ladder's own promises: seeds, caps, few values where slopes say enough, close measurement where it matters."""

import pytest
import torch

import tda_landscape as tl
from tda_landscape.energy._batching import Meter, drive
from tda_landscape.energy._downhill import Walkers, step_down
from tda_landscape.paths import Ladder, Stop
from tda_landscape.paths._lowest import Lowest
from tda_landscape.paths._strand import CHECKED, EXPECTED, MEASURED, Strand


def row(*numbers):
    return torch.tensor(numbers, dtype=torch.float64)


def on_a_line(function):
    """An energy of one coordinate."""
    return tl.Energy.from_function(lambda x: function(x[:, 0]), 1)


def checked(energy, ends, threshold):
    """A strand of one segment after one check against a threshold, and the values that it took."""
    meter = Meter()
    strand = Strand.through(ends[:, None], float(ends[1] - ends[0]), meter)
    counted, cost = tl.tally(energy)

    def task():
        yield from strand.beads.evaluate_new(meter)
        yield from strand.check(float(strand.beads.energies.max()), threshold)

    drive(counted, [task()])
    return strand, cost.values


def test_a_seed_names_a_path():
    energy = tl.zoo.fourier(1, dim=3)
    a, b = energy.start(2, 0)
    first, again, other = (tl.find_path(energy, a, b, search=Ladder(budget=200), seed=seed) for seed in (3, 3, 4))
    assert torch.equal(first.points, again.points)
    assert not torch.equal(first.points, other.points)


@pytest.mark.parametrize("most", [3, 6])
def test_a_path_has_no_more_beads_than_allowed(most):
    energy = tl.zoo.fourier(0)
    a, b = energy.start(2, 3)
    path = tl.find_path(energy, a, b, search=Ladder(budget=300, max_beads=most))
    assert len(path.points) <= most + 1, "beads, and the highest point"
    free = tl.find_path(energy, a, b, search=Ladder(budget=300))
    assert len(free.points) > most + 1, "control: without the cap there are more"
    assert free.height <= path.height


def test_a_wall_that_cannot_be_passed_ends_the_search_without_a_budget():
    """In one dimension every bead falls off the barrier: steps, depth and thresholds are bounded all the same."""
    energy = on_a_line(lambda x: (x**2 - 1).square())
    counted, cost = tl.tally(energy)
    path = tl.find_path(counted, row(-1.0), row(1.0), search=Ladder(budget=1e9))
    assert path.reason is Stop.CONVERGED
    assert path.height == pytest.approx(1.0, abs=2e-3)
    assert cost.gradient_equivalents < 3000


def test_a_search_in_single_precision():
    energy = tl.Energy.from_function(lambda x: (x.square().sum(1) - 1).square(), 2, dtype=torch.float32)
    path = tl.find_path(energy, torch.tensor([1.0, 0.0]), torch.tensor([-1.0, 0.0]), search=Ladder(budget=300))
    assert path.points.dtype == torch.float32
    assert path.height < 0.05


def test_one_value_gives_the_maximum_of_a_quartic():
    """End energies, end slopes and one value fix a polynomial of degree four; the cubic alone is wrong by a third."""
    energy = on_a_line(lambda x: 16 * (x * (1 - x)).square() + 0.3 * x)
    strand, values = checked(energy, row(0.0, 1.0), 2.5)
    assert values == 1
    assert int(strand.known[0]) == EXPECTED
    truth = float(energy(torch.linspace(0, 1, 10001, dtype=torch.float64)[:, None]).max())
    assert float(strand.peak[0]) == pytest.approx(truth, abs=2e-3)
    assert float(strand._cubic(torch.tensor([0])).max()) < 0.7 * truth, "control"


def test_a_doubtful_segment_gets_more_values():
    """The expected maximum is 1.15, below a threshold of 1.2, but not by as much as the cubic was wrong."""
    energy = on_a_line(lambda x: 16 * (x * (1 - x)).square() + 0.3 * x)
    strand, values = checked(energy, row(0.0, 1.0), 1.2)
    assert values == 6
    assert int(strand.known[0]) == CHECKED


def test_slopes_alone_show_a_segment_that_is_surely_high():
    strand, values = checked(on_a_line(lambda x: 4 * x * (1 - x)), row(0.0, 1.0), 0.5)
    assert values == 0
    assert float(strand.peak[0]) == pytest.approx(1.0, abs=1e-9)


def test_a_high_segment_is_known_by_one_value():
    strand, values = checked(on_a_line(lambda x: 16 * (x * (1 - x)).square()), row(0.0, 1.0), 0.5)
    assert values == 1
    assert int(strand.known[0]) == MEASURED
    assert float(strand.peak[0]) == pytest.approx(1.0, abs=1e-6)
    assert float(strand.where[0]) == pytest.approx(0.5, abs=0.04)


def test_a_settled_height_is_measured():
    """Two bumps between the ends: one value in the middle sees nothing of them."""
    energy = on_a_line(lambda x: torch.sin(2 * torch.pi * x).square() * (1 + x) + 0.01 * x)
    strand, _ = checked(energy, row(0.0, 1.0), 2.0)
    truth = float(energy(torch.linspace(0, 1, 10001, dtype=torch.float64)[:, None]).max())
    assert strand.height < 0.5 * truth
    lowest = Lowest(strand, strand.height, 1e-9)
    drive(energy, [lowest.settle()])
    assert lowest.height == pytest.approx(truth, rel=1e-3)


def step(energy, start, need):
    """Two steps from a point, the first of which shows curvature along the first axis only; the second step."""
    meter, walkers = Meter(), Walkers.at(start[None], 1e3)

    def task():
        yield from walkers.evaluate_new(meter)
        yield from step_down(walkers, torch.tensor([0]), None if need is None else row(need), meter)
        before = walkers.points.clone()
        yield from step_down(walkers, torch.tensor([0]), None if need is None else row(need), meter)
        return walkers.points[0] - before[0]

    return drive(energy, [task()])[0]


def test_unseen_curvature_is_lowered_until_the_wanted_value_is_in_reach():
    """A steep and a flat direction: the steep one sets the scale, with which the flat one is hardly moved along."""
    energy = tl.Energy.from_function(lambda x: 50 * x[:, 0] ** 2 + 0.05 * x[:, 1] ** 2, 2)
    start = row(0.1, 3.0)
    wanted, modest = step(energy, start, 0.4), step(energy, start, 1e-3)
    assert float(wanted[1].abs()) > 2 * float(modest[1].abs())
