"""Lennard-Jones clusters: energies against the literature, and a start law that makes clusters."""

import itertools

import pytest
import torch

import tda_landscape as tl

PAIR = 2 ** (1 / 6)


def nearest(points):
    """Distance from each atom to its nearest neighbour (k, n)."""
    atoms = points.view(len(points), -1, 3)
    n = atoms.shape[1]
    return (torch.cdist(atoms, atoms) + 1e9 * torch.eye(n, dtype=points.dtype)).amin(2)


@pytest.mark.parametrize(
    ("places", "value"),
    [
        ([(0, 0, 0), (PAIR, 0, 0)], -1.0),
        ([(0, 0, 0), (PAIR, 0, 0), (PAIR / 2, PAIR * 0.75**0.5, 0)], -3.0),
        ([(0, 0, 0), (1.0, 0, 0)], 0.0),
        ([(0, 0, 0), (2.0, 0, 0)], 4 * (2.0**-12 - 2.0**-6)),
    ],
    ids=["pair", "triangle", "zero crossing", "far pair"],
)
def test_energies_by_hand(places, value):
    point = torch.tensor(places, dtype=torch.float64).flatten()[None]
    assert float(tl.zoo.lennard_jones(len(places))(point)) == pytest.approx(value, abs=1e-12)


def test_the_energy_is_the_sum_over_pairs():
    energy, rows = tl.zoo.lennard_jones(5), tl.zoo.lennard_jones(5).start(3, 0)
    for value, point in zip(energy(rows).tolist(), rows.view(3, 5, 3).tolist(), strict=True):
        r2 = [sum((a - b) ** 2 for a, b in zip(p, q, strict=True)) for p, q in itertools.combinations(point, 2)]
        assert value == pytest.approx(sum(4 * (s**-6 - s**-3) for s in r2), rel=1e-12)


@pytest.mark.parametrize(
    ("n", "known"),
    [
        (4, [-6.0]),
        (5, [-9.103852]),
        (6, [-12.712062, -12.302928]),
        (7, [-16.505384, -15.935043, -15.593211, -15.533060]),
    ],
)
def test_the_known_minima_and_no_others(n, known):
    energy = tl.zoo.lennard_jones(n)
    minima = tl.quench(energy, energy.start(80, 1)).leaves
    assert minima.status == ("minimum",) * len(known)
    assert minima.energies.tolist() == pytest.approx(known, abs=1e-6)


@pytest.mark.parametrize("n", [2, 7, 20])
def test_starts_are_clusters_without_overlap(n):
    points = tl.zoo.lennard_jones(n).start(100, 3)
    assert points.shape == (100, 3 * n)
    assert points.dtype == torch.float64
    distance = nearest(points)
    assert float(distance.amin()) > 1.05
    assert float(distance.amax()) <= 1.12 + 1e-12


def test_starts_differ_in_how_compact_they_are():
    atoms = tl.zoo.lennard_jones(13).start(100, 0).view(100, 13, 3)
    radius = (atoms - atoms.mean(1, keepdim=True)).square().sum(2).mean(1).sqrt()
    assert float(radius.max() / radius.min()) > 1.5


def test_starts_come_from_the_generator_alone():
    energy = tl.zoo.lennard_jones(6)
    before = torch.get_rng_state()
    first = energy.start(4, 7)
    assert torch.equal(torch.get_rng_state(), before)
    torch.randn(3)
    assert torch.equal(energy.start(4, 7), first)
    assert not torch.equal(energy.start(4, 8), first)


@pytest.mark.parametrize("n", [1, 0, -3, 2.0, True, "7"])
def test_a_number_of_atoms_that_is_none_is_refused(n):
    with pytest.raises(tl.InputError, match="at least 2 atoms"):
        tl.zoo.lennard_jones(n)


def test_atoms_on_top_of_each_other_are_not_finite():
    energy = tl.zoo.lennard_jones(2)
    assert not torch.isfinite(energy(torch.zeros(1, 6, dtype=torch.float64))).any()
