"""Descents that end early end where they would have ended anyway, and near minima are not taken for each other."""

import pytest
import torch

import tda_landscape as tl
from tda_landscape.energy._batching import drive
from tda_landscape.energy.symmetry import find_symmetry
from tda_landscape.minima import _atlas
from tda_landscape.minima._atlas import Atlas
from tda_landscape.minima._climb import push_up
from tda_landscape.minima._descend import descend, push_off
from tda_landscape.minima._settle import settle

XOR = (torch.tensor([[0.0, 0], [0, 1], [1, 0], [1, 1]]), torch.tensor([[0.0], [1], [1], [0]]))


def points(*rows):
    return torch.tensor(rows, dtype=torch.float64)


def xor():
    loss = torch.nn.functional.binary_cross_entropy_with_logits
    return tl.Energy.from_model(
        tl.zoo.networks.mlp([2, 4, 1]),
        loss,
        XOR,
        weight_decay=1e-3,
        start=lambda k, generator: 2 * torch.randn(k, 17, generator=generator, dtype=torch.float64),
    )


def close_wells(gap=0.02, tilt=0.0):
    """Two wells, very near to each other in a wide bowl; of equal energy without a tilt."""

    def function(x):
        wells = (x[:, 0] ** 2 - gap**2).square() / gap**2 + tilt * x[:, 0]
        return wells + x.square().sum(1) ** 2 / 10 + x[:, 1] ** 2

    return tl.Energy.from_function(function, 2, bounds=(-1, 1))


def atlas_of(energy, minima, length):
    atlas = Atlas(energy, minima.symmetry, length)
    for point in minima.leaves.points:
        end = settle(energy, point[None], minima.symmetry, length, 1e-10)
        atlas.add(end.points, end.energies, end.spectrum)
    return atlas


def descents(energy, starts, tolerance, atlas=None):
    counted, cost = tl.tally(energy)
    (found,) = drive(counted, [descend(starts, 0.1, tolerance, atlas)])
    return found, cost.gradient_equivalents


def compare(energy, starts, atlas, tolerance=1e-9):
    """Recognized minima against those of the same descents to their ends: how many, and how many wrong."""
    early, cost = descents(energy, starts, tolerance, atlas)
    late, full = descents(energy, starts, tolerance)
    rows = torch.nonzero(early.known >= 0).flatten().tolist()
    assert bool(late.arrived[rows].all())
    ends, energies = late.walkers.points, late.walkers.energies
    wrong = [i for i in rows if atlas.find(energy.wrap(ends[i, None]), energies[i, None]) != int(early.known[i])]
    return len(rows), len(wrong), cost / full


CASES = {
    "mueller_brown": (tl.zoo.mueller_brown, 60, 0.5),
    "fourier 2-D": (lambda: tl.zoo.fourier(0, dim=2), 60, 0.1),
    "double well 4-D": (lambda: tl.zoo.double_well(4), 60, 0.5),
    "seven atoms": (lambda: tl.zoo.lennard_jones(7), 20, 0.3),
    "XOR": (xor, 40, 1.0),
}


@pytest.mark.parametrize("name", CASES)
def test_early_ends_are_the_ends(name):
    make, number, length = CASES[name]
    energy = make()
    minima = tl.quench(energy, energy.start(2 * number, 1))
    recognized, wrong, share = compare(energy, energy.start(number, 2), atlas_of(energy, minima, length))
    print(f"{name}: {recognized} of {number} recognized, {wrong} wrong, {share:.2f} of the full cost")
    assert recognized >= number / 2
    assert wrong == 0
    assert share < 1


@pytest.mark.parametrize("name", ["double well 4-D", "seven atoms", "XOR"])
def test_a_minimum_that_is_not_known_is_not_taken_for_one_that_is(name):
    """Only the first minimum is known; others, some of them of equal energy, are near."""
    make, number, length = CASES[name]
    energy = make()
    minima = tl.quench(energy, energy.start(2 * number, 1))
    recognized, wrong, _ = compare(energy, energy.start(number, 2), atlas_of(energy, minima.select([0]), length))
    assert 0 < recognized < number
    assert wrong == 0


@pytest.mark.parametrize("name", ["double well 4-D", "XOR"])
def test_control_a_careless_reach_takes_minima_for_others(name, monkeypatch):
    make, number, length = CASES[name]
    energy = make()
    minima = tl.quench(energy, energy.start(2 * number, 1))
    monkeypatch.setattr(_atlas, "AGREES", 3.0)
    _, wrong, _ = compare(energy, energy.start(number, 2), atlas_of(energy, minima.select([0]), length))
    assert wrong > 0


def sides(energy, starts, known):
    """Points where a well was recognized, by the side they are on and by the side of that well."""
    found, _ = descents(energy, starts, 1e-9, atlas_of(energy, known, 0.5))
    rows = found.known >= 0
    return torch.sign(found.walkers.points[rows, 0]), torch.sign(known.points[found.known[rows], 0])


def test_two_near_wells_of_equal_energy_are_not_taken_for_each_other(monkeypatch):
    """x = 0 divides them, and no descent is recognized on the other side."""
    energy = close_wells()
    minima = tl.quench(energy, energy.start(40, 1))
    assert len(minima) == 2
    far, near = energy.start(60, 2), 0.04 * energy.start(60, 2)
    for starts, chosen in ((far, [0, 1]), (near, [0]), (near, [1])):
        here, there = sides(energy, starts, minima.select(chosen))
        assert len(here) > 10
        assert torch.equal(here, there)
    monkeypatch.setattr(_atlas, "AGREES", 3.0)
    assert not torch.equal(*sides(energy, near, minima.select([0]))), (
        "control: a careless reach takes one for the other"
    )


@pytest.mark.parametrize("tilt", [0.0, 0.01])
def test_from_far_away_one_well_that_is_known_is_not_taken_for_the_other(tilt, monkeypatch):
    """However far away along y: 2 in 100 still are, where the slope along x happens to be that of a parabola."""
    energy = close_wells(tilt=tilt)
    minima = tl.quench(energy, energy.start(40, 1))
    assert len(minima) == 2
    far = energy.start(300, 2)

    def mistaken():
        rows = [sides(energy, far, minima.select([one])) for one in (0, 1)]
        return sum(int((here != there).sum()) for here, there in rows) / sum(len(here) for here, _ in rows)

    assert mistaken() <= 0.03
    monkeypatch.setattr(_atlas, "APART", 1e9)
    assert mistaken() > 0.03, "control: the offset as a whole, not mode by mode"


def test_a_push_ends_within_its_well():
    """As far as asked where the well is as wide, shortened until the energy is what the Hessian says elsewhere."""
    energy = close_wells()
    along, up = points((1.0, 0.0)), points((0.0, 1.0))
    minimum = points((0.02, 0.0))
    floor, hessian = energy(minimum), energy.hessian(minimum)
    for mode in (along, -along):
        push = push_up(energy, minimum, floor, mode, hessian, 0.1)
        assert 1e-3 < float(push) < 0.02
    assert push_up(energy, minimum, floor, up, hessian, 0.1).tolist() == [0.1]


def swapped(point):
    """The XOR network with its two inputs exchanged: same energy, another function."""
    other = point.clone()
    other[:, :8] = point[:, :8].view(-1, 4, 2).flip(2).flatten(1)
    return other


def test_xor_pair_of_equal_energy_stays_two():
    """Minima whose inputs are exchanged have equal energies and spectra; no element of the group joins them."""
    energy = xor()
    symmetry = find_symmetry(energy)
    minima = tl.quench(energy, energy.start(60, 1)).leaves
    generator = torch.Generator().manual_seed(0)
    pairs = 0
    for row in range(len(minima)):
        point = minima.points[row, None]
        image, _ = symmetry.align(swapped(point), point)
        if float((image - point).norm()) < 1e-3:
            continue  # its own mirror image
        pairs += 1
        atlas = atlas_of(energy, minima.select([row]), 1.0)
        near = swapped(point) + 0.03 * torch.randn(20, 17, generator=generator, dtype=torch.float64)
        both = torch.cat([near, swapped(near)])
        both, _ = symmetry.scramble(both, generator)
        found, _ = descents(energy, both, 1e-9, atlas)
        assert (found.known[:20] == -1).all(), "the pair is another minimum"
        assert (found.known[20:] == 0).any(), "the minimum itself is recognized"
        found = tl.quench(energy, torch.cat([point, swapped(point)]))
        assert len(found) == 2
        assert float(found.energies.diff()) == pytest.approx(0, abs=1e-9)
    assert pairs > 0


def test_find_goes_by_place_not_by_energy():
    energy = tl.zoo.double_well(2)
    atlas = atlas_of(energy, tl.quench(energy, points((1.0, 1.0))), 0.5)
    zero = torch.zeros(1, dtype=torch.float64)
    assert atlas.find(points((1.0, 1.0)), zero) == 0
    assert atlas.find(points((1.0, 1.00001)), zero) == 0
    assert atlas.find(points((1.0, -1.0)), zero) == -1
    assert atlas.find(points((1.0, 1.0)), zero + 0.1) == -1, "another energy at the same place is another point"
    assert Atlas(energy, None, 1.0).find(points((1.0, 1.0)), zero) == -1


def test_find_goes_round_the_torus_and_by_symmetry():
    torus = tl.zoo.fourier(0, dim=2)
    minima = tl.quench(torus, torus.start(20, 0)).leaves
    atlas = atlas_of(torus, minima, 0.1)
    for i in range(len(minima)):
        assert atlas.find(minima.points[i, None] + points((2.0, -1.0)), minima.energies[i, None]) == i
    atoms = tl.zoo.lennard_jones(6)
    minima = tl.quench(atoms, atoms.start(20, 0)).leaves
    atlas = atlas_of(atoms, minima, 0.3)
    images, _ = minima.symmetry.scramble(minima.points, torch.Generator().manual_seed(0))
    assert [atlas.find(images[i, None], minima.energies[i, None]) for i in range(len(minima))] == list(
        range(len(atlas))
    )


def test_an_empty_atlas_recognizes_nothing():
    energy = tl.zoo.double_well(2)
    x = points((1.0, 1.0), (0.3, 0.2))
    assert Atlas(energy, None, 1.0).recognize(x, *energy.value_and_grad(x)).tolist() == [-1, -1]


def test_trails_go_down_and_hold_what_was_evaluated():
    energy = tl.zoo.mueller_brown()
    found, cost = descents(energy, energy.start(10, 0), 1e-6)
    assert bool(found.arrived.all())
    assert sum(len(trail.points) for trail in found.trails) <= cost
    for trail in found.trails:
        x, e = torch.stack(trail.points), torch.stack(trail.energies)
        assert float(e.diff().max()) < 1e-10
        values, gradients = energy.value_and_grad(x)
        assert torch.allclose(values, e, rtol=0, atol=1e-12)
        assert torch.allclose(gradients, torch.stack(trail.gradients), rtol=0, atol=1e-9)


def test_descents_that_are_cut_short_have_not_arrived():
    energy = tl.zoo.mueller_brown()
    (found,) = drive(energy, [descend(energy.start(5, 0), 0.1, 1e-6, None, 3)])
    assert not bool(found.arrived.any())
    assert found.known.tolist() == [-1] * 5


@pytest.mark.parametrize("gap", [0.5, 0.05, 0.02])
def test_a_push_off_a_saddle_does_not_jump_over_a_near_minimum(gap):
    energy = tl.Energy.from_function(lambda x: (x[:, 0] ** 2 - gap**2).square() + x[:, 1] ** 2, 2)
    top, mode = points((0.0, 0.0)), points((1.0, 0.0))
    height = energy(top)
    both = push_off(energy, top, height, mode, 0.6)
    assert bool((energy(both) < height).all())
    assert float(both[0, 0]) > 0 > float(both[1, 0])
    assert bool((both[:, 0].abs() < 2**0.5 * gap).all()), "still on the slope of its own well"
    (found,) = drive(energy, [descend(both, 0.6, 1e-12, None)])
    assert found.walkers.points[:, 0].tolist() == pytest.approx([gap, -gap], abs=1e-4)
    if gap < 0.4:
        assert float(energy(top + 0.6 * mode)) > float(height), "control: the full step is above the saddle"


def test_a_push_off_leaves_good_steps_alone():
    energy = tl.zoo.double_well(2)
    tops, modes = points((0.0, 1.0), (1.0, 0.0)), points((1.0, 0.0), (0.0, 1.0))
    both = push_off(energy, tops, energy(tops), modes, 0.25)
    assert torch.equal(both, torch.cat([tops + 0.25 * modes, tops - 0.25 * modes]))
