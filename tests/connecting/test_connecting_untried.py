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
    energy, symmetry, minima = xor
    for point in minima.points:
        queue = Untried(symmetry)
        queue.add(point[None], generator())
        points = torch.cat([point[None], queue.take(100, energy)])
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
    energy, symmetry, minima = xor
    queue = Untried(symmetry)
    for point in minima.points[[0, 1, 3]]:
        queue.add(point[None], generator())
    sizes = [len(points) for points in queue.points]
    queue.take(3, energy)
    assert queue.taken == [1, 1, 1]
    assert queue.idle == 3
    rest = queue.take(1000, energy)
    assert len(rest) == sum(sizes) - 3
    assert queue.taken == sizes
    assert len(queue.take(1, energy)) == 0
    assert queue.idle == sum(sizes)
    queue.add(minima.points[4:], generator())
    assert queue.idle == 0


def test_variants_of_networks_come_highest_first_and_images_by_symmetries_of_the_data_last(xor):
    """Exchanging the inputs of XOR leaves the energy as it is, but is no symmetry of the network."""
    energy, symmetry, minima = xor
    exchanged = minima.points.clone()
    exchanged[:, :8] = exchanged[:, :8].unflatten(1, (4, 2)).flip(2).flatten(1)
    assert torch.allclose(energy(exchanged), energy(minima.points), atol=1e-12)
    images, _ = symmetry.align(minima.points, exchanged)
    other = int((images - exchanged).norm(dim=1).argmax())
    assert float((images - exchanged)[other].norm()) > 0.1
    ends = torch.stack([minima.points[other], exchanged[other]])
    queue = Untried(symmetry)
    for point in ends:
        queue.add(point[None], generator())
    of_one = len(queue.points[0])
    levels = energy(queue.take(1000, energy))
    assert len(levels) == 2 * of_one
    new = [i for i, level in enumerate(levels) if not bool(((levels[:i] - level).abs() < 1e-9).any())]
    assert new == list(range(len(new))), "those of an energy that was seen come last"
    assert 5 < len(new) <= of_one
    assert bool((levels[: len(new)].diff() < 0).all()), "highest first"


def test_variants_without_an_energy_are_dropped(xor):
    energy, symmetry, minima = xor
    queue = Untried(symmetry)
    queue.add(minima.points[:1], generator())
    finite = queue.points[0].clone()
    queue.points[0] = torch.cat([finite, torch.full((1, 17), torch.nan, dtype=torch.float64)])
    points = queue.take(1000, energy)
    assert len(points) == len(finite) == queue.tried
    assert bool(points.isfinite().all())


def test_variants_of_clusters_come_in_any_order_and_cost_nothing():
    energy, cost = tl.tally(tl.zoo.lennard_jones(7))
    minimum = tl.quench(energy, energy.start(20, 0)).leaves.points[-1:]
    queue = Untried(find_symmetry(energy))
    before = cost.gradient_equivalents
    queue.add(minimum, generator())
    points = queue.take(1000, energy)
    assert cost.gradient_equivalents == before
    steps = energy(points).diff()
    assert bool((steps < 0).any())
    assert bool((steps > 0).any())


@pytest.mark.parametrize("limit", ["COMPARED", "KEPT"])
def test_of_very_many_variants_some_are_kept(limit, monkeypatch):
    energy = tl.zoo.lennard_jones(7)
    symmetry = find_symmetry(energy)
    minimum = tl.quench(energy, energy.start(20, 0)).leaves.points[-1:]
    kept = []
    for most in (64, 10):
        monkeypatch.setattr(f"tda_landscape.connecting._untried.{limit}", most)
        queue = Untried(symmetry)
        queue.add(minimum, generator())
        kept.append(queue.left)
    assert kept[0] > 10 >= kept[1] > 0


def test_without_a_symmetry_there_is_nothing_to_try():
    queue = Untried(None)
    queue.add(torch.zeros(1, 2, dtype=torch.float64), generator())
    assert queue.take(5, tl.zoo.mueller_brown()).shape == (0, 2)


def test_descents_stay_in_the_subspace_and_end_in_a_saddle_that_is_then_recognized(xor):
    """One unit of the lowest minimum at zero: the descent ends in a saddle, from the side too."""
    energy, symmetry, minima = xor
    chart = first_chart(energy, symmetry, generator(), 8, 1e-5, 0.5)
    start = minima.points[:1].clone()
    start[0, [0, 1, 8, 12]] = 0
    chart.untried.points[0] = start
    before = len(chart.saddles)
    chart.start_variants(1)
    assert chart.untried.tried == 1
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
    monkeypatch.setattr("tda_landscape.connecting._round.VARIANTS_SHARE", 0.0)
    without = found()
    assert with_them > without
