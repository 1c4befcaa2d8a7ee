"""Starts in symmetric subspaces: which points are queued, and where descents from them end."""

import pytest
import torch

import tda_landscape as tl
from tda_landscape.connecting import _chart
from tda_landscape.connecting._chart import first_chart
from tda_landscape.connecting._untried import Untried
from tda_landscape.energy._batching import drive
from tda_landscape.energy.symmetry import find_symmetry
from tda_landscape.minima._descend import descend


@pytest.fixture(scope="module")
def xor():
    energy = tl.zoo.xor()
    return energy, find_symmetry(energy), tl.quench(energy, energy.start(20, 1)).leaves


def generator():
    return torch.Generator().manual_seed(0)


def test_points_are_no_images_of_the_minimum_or_of_each_other(xor):
    _, symmetry, minima = xor
    for point in minima.points:
        queue = Untried()
        queue.add(point[None], symmetry, generator())
        points = torch.cat([point[None], queue.take(100)])
        assert 1 <= len(points) <= 1 + 16
        for i in range(len(points)):
            images, _ = symmetry.align(points[:i], points[i].expand(i, -1))
            assert bool(((images - points[i]).norm(dim=1) > 1e-3).all())
        images, _ = symmetry.align(symmetry.variants(point[None]), point.expand(16, -1))
        left_out = 16 - (len(points) - 1)
        again = sum(
            float((symmetry.align(points, image.expand(len(points), -1))[0] - image).norm(dim=1).min()) < 1e-5
            for image in images
        )
        assert again == 16, f"the {left_out} left out are images of those that are there"


def test_the_minima_take_turns_and_each_point_is_taken_once(xor):
    _, symmetry, minima = xor
    queue = Untried()
    for point in minima.points[:3]:
        queue.add(point[None], symmetry, generator())
    sizes = [len(points) for points in queue.points]
    queue.take(3)
    assert queue.taken == [1, 1, 1]
    rest = queue.take(1000)
    assert len(rest) == sum(sizes) - 3
    assert queue.taken == sizes
    assert len(queue.take(1)) == 0


def test_of_very_many_variants_some_are_kept(monkeypatch):
    energy = tl.zoo.lennard_jones(7)
    symmetry = find_symmetry(energy)
    minimum = tl.quench(energy, energy.start(20, 0)).leaves.points[-1:]
    kept = []
    for most in (512, 10):
        monkeypatch.setattr("tda_landscape.connecting._untried.MOST", most)
        queue = Untried()
        queue.add(minimum, symmetry, generator())
        kept.append(queue.left)
    assert kept[0] > 10 >= kept[1] > 0


def test_without_a_symmetry_there_is_nothing_to_try():
    queue = Untried()
    queue.add(torch.zeros(1, 2, dtype=torch.float64), None, generator())
    assert queue.take(5).shape == (0, 2)


def test_descents_stay_in_the_subspace_and_end_in_a_saddle_that_is_then_recognized(xor):
    """One unit of the lowest minimum at zero: the descent ends in a saddle, from the side too."""
    energy, symmetry, minima = xor
    chart = first_chart(energy, symmetry, generator(), 8, 1e-5, 0.5)
    start = minima.points[:1].clone()
    start[0, [0, 1, 8, 12]] = 0
    chart.untried.points[0] = start
    before = len(chart.saddles)
    assert chart.start_variants(1) == 1
    assert len(chart.saddles) == before + 1
    assert chart.saddles.hits[before] == 1
    assert min(side.minimum for side in chart.sides[before]) >= 0
    (found,) = drive(energy, [descend(start, 0.1, chart.small, chart.minima, saddles=chart.saddles)])
    assert found.saddle.tolist() == [before]
    assert not found.arrived.any(), "without the way to the end"
    near = start + 0.05 * torch.randn(1, 17, generator=generator(), dtype=torch.float64)
    (found,) = drive(energy, [descend(near, 0.1, chart.small, None, saddles=chart.saddles)])
    assert found.saddle.tolist() == [-1], "control: beside the subspace the way goes on down"
    assert float(found.walkers.energies[0]) < float(chart.saddles.energies[before])


def test_ways_down_do_not_stay_on_a_lower_saddle(monkeypatch):
    """From (0, 0) both ways lead along y = 0, a line of symmetry, to saddles at x = -1 and 1."""

    def function(x):
        a, b = x[:, 0].square(), x[:, 1].square()
        return (a - 1).square() + b * (1 - 2 * a) + 2 * b.square()

    energy = tl.Energy.from_function(function, 2)
    top = torch.zeros(1, 2, dtype=torch.float64)

    def ends():
        chart = first_chart(energy, None, generator(), 8, 1e-5, 0.5)
        chart._enter_saddle(top, *energy.value_and_grad(top))
        return [side.minimum for side in chart.sides[0]]

    one, other = ends()
    assert one >= 0
    assert other >= 0
    assert one != other
    monkeypatch.setattr(_chart, "TILT", 0.0)
    assert ends() == [-1, -1], "control: along the mode alone they stay there"


def test_networks_find_more_with_fixed_points(xor, monkeypatch):
    energy, _, _ = xor

    def found():
        graph = tl.explore(energy, seed=1, budget=1800, patience=float("inf"))
        return len(graph.births), int((graph.saddle_index == 1).sum())

    with_them = found()
    monkeypatch.setattr("tda_landscape.connecting._explore.VARIANTS_SHARE", 0.0)
    without = found()
    assert with_them > without
