"""Clusters of identical atoms: rotations, mirrors and permutations are found again; what is no symmetry is refused."""

import math

import pytest
import torch

import tda_landscape as tl
from tda_landscape.energy.symmetry import Atoms, find_symmetry, verify

IDENTITY = torch.eye(3, dtype=torch.float64)


def cluster(n, k=1, seed=0):
    return torch.randn(k, 3 * n, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


def flattened(points, axes):
    """The same clusters with only the first `axes` coordinates of each atom."""
    atoms = points.view(len(points), -1, 3).clone()
    atoms[:, :, axes:] = 0
    return atoms.flatten(1)


def norms(rows):
    return rows.norm(dim=1)


def icosahedron():
    golden = (1 + math.sqrt(5)) / 2
    corners = [(0, a, b * golden) for a in (1, -1) for b in (1, -1)]
    atoms = [(0, 0, 0), *corners, *[c[1:] + c[:1] for c in corners], *[c[2:] + c[:2] for c in corners]]
    return torch.tensor(atoms, dtype=torch.float64).flatten()[None]


@pytest.mark.parametrize("n", [3, 4, 7, 13])
@pytest.mark.parametrize("axes", [1, 2, 3])
def test_align_takes_every_image_back(n, axes):
    symmetry, points = Atoms(n), flattened(cluster(n, 12), axes)
    images, out = symmetry.scramble(points, torch.Generator().manual_seed(1))
    assert norms(images - points).min() > 0.1
    back, home = symmetry.align(images, points)
    assert norms(back - points).max() < 1e-9
    product = home.gather(1, out)
    atoms, hands = product[:, :n], product[:, n:]
    assert torch.equal(atoms, torch.arange(n).expand(12, -1))
    if axes == 3 and n > 3:  # a flat cluster is its own mirror image
        assert torch.equal(hands, torch.tensor([n, n + 1]).expand(12, -1))


def test_scramble_turns_every_way_and_mirrors_half_of_the_time():
    """The images of three unit vectors are a matrix whose entries have mean 0 and mean square 1/3."""
    frame = torch.cat([torch.zeros(1, 3), torch.eye(3)]).double().flatten().expand(4000, -1)
    images, sheets = Atoms(4).scramble(frame, torch.Generator().manual_seed(0))
    atoms = images.view(-1, 4, 3).gather(1, sheets[:, :4, None].expand(-1, -1, 3))  # where each atom went
    turns, mirrored = atoms[:, 1:] - atoms[:, :1], sheets[:, 4] == 5
    assert torch.allclose(turns @ turns.mT, torch.eye(3, dtype=torch.float64), atol=1e-12)
    assert torch.equal(torch.linalg.det(turns) < 0, mirrored)
    assert 0.46 < mirrored.double().mean() < 0.54
    assert (turns.mean(0).abs() < 0.04).all()
    assert ((turns.square().mean(0) - 1 / 3).abs() < 0.03).all()


def test_two_atoms_are_aligned():
    symmetry, points = Atoms(2), cluster(2, 20)
    images, _ = symmetry.scramble(points, torch.Generator().manual_seed(1))
    back, sheets = symmetry.align(images, points)
    assert norms(back - points).max() < 1e-9
    assert sheets.shape == (20, 4)


@pytest.mark.parametrize("mirror", [False, True])
def test_both_hands_are_found_and_said(mirror):
    symmetry, points = Atoms(5), cluster(5, 10)
    signs = torch.tensor([1.0, 1.0, -1.0 if mirror else 1.0], dtype=torch.float64)
    images = (points.view(10, 5, 3) * signs).flatten(1)
    back, sheets = symmetry.align(images, points)
    assert norms(back - points).max() < 1e-9
    assert sheets[:, 5:].tolist() == [[6, 5] if mirror else [5, 6]] * 10


def test_sheets_compose_as_permutations_do():
    symmetry, points = Atoms(6), cluster(6, 20)
    once, h = symmetry.scramble(points, torch.Generator().manual_seed(1))
    twice, g = symmetry.scramble(once, torch.Generator().manual_seed(2))
    _, home = symmetry.align(twice, points)
    product = g.gather(1, h)
    assert torch.equal(home.gather(1, product), torch.arange(8).expand(20, -1))
    assert not torch.equal(h.gather(1, g), product)


@pytest.mark.parametrize("noise", [1e-6, 1e-2])
@pytest.mark.parametrize("make", [lambda: cluster(7, 10), lambda: icosahedron().expand(10, -1)], ids=["7", "13"])
def test_align_with_noise_leaves_only_the_noise(make, noise):
    points = make()
    symmetry = Atoms(points.shape[1] // 3)
    images, _ = symmetry.scramble(points, torch.Generator().manual_seed(1))
    moved = images + noise * torch.randn(images.shape, generator=torch.Generator().manual_seed(2), dtype=images.dtype)
    back, _ = symmetry.align(moved, points)
    assert (norms(back - points) <= norms(moved - images) + 1e-12).all()


def test_aligned_points_are_images():
    """Whatever `align` returns has the same pair distances, also for clusters that are not alike."""
    symmetry = Atoms(6)
    points, others = cluster(6, 10), cluster(6, 10, seed=5)
    images, _ = symmetry.align(points, others)
    assert torch.allclose(symmetry.invariants(images), symmetry.invariants(points), atol=1e-10)
    assert norms(images - others).min() > 0.1
    assert (norms(images - others) <= norms(points - others)).all()


def test_align_of_no_points():
    images, sheets = Atoms(4).align(torch.empty(0, 12).double(), torch.empty(0, 12).double())
    assert images.shape == (0, 12)
    assert sheets.shape == (0, 6)


@pytest.mark.parametrize(
    ("points", "rank"),
    [
        (cluster(6, 4), 6),
        (flattened(cluster(6, 4), 2), 6),
        (flattened(cluster(6, 4), 1), 5),
        (cluster(2, 4), 5),
        (icosahedron(), 6),
    ],
    ids=["6 atoms", "planar", "linear", "pair", "icosahedron"],
)
def test_zero_modes_are_orthonormal_tangents(points, rank):
    n = points.shape[1] // 3
    modes = Atoms(n).zero_modes(points)
    gram = modes @ modes.mT
    wanted = torch.diag(torch.tensor([1.0] * rank + [0.0] * (6 - rank), dtype=torch.float64))
    assert torch.allclose(gram, wanted.expand_as(gram), atol=1e-12)
    distances = torch.func.vmap(torch.func.jacfwd(Atoms(n).invariants))(points[:, None])
    assert torch.allclose(distances[:, 0, :, 0] @ modes.mT, torch.zeros((), dtype=torch.float64), atol=1e-10)


def test_invariants_agree_on_an_orbit_and_differ_off_it():
    symmetry, points = Atoms(5), cluster(5, 10)
    images, _ = symmetry.scramble(points, torch.Generator().manual_seed(1))
    here = symmetry.invariants(points)
    assert here.shape == (10, 10)
    assert torch.allclose(symmetry.invariants(images), here, atol=1e-12)
    assert norms(symmetry.invariants(cluster(5, 10, seed=3)) - here).min() > 0.1


def test_invariants_move_less_than_the_point():
    symmetry, points = Atoms(5), cluster(5, 50)
    step = 1e-3 * cluster(5, 50, seed=1)
    change = (symmetry.invariants(points + step) - symmetry.invariants(points)).abs().amax(1)
    assert (change <= math.sqrt(2) * norms(step) + 1e-12).all()


@pytest.mark.parametrize("n", [2, 3, 6])
def test_lennard_jones_declares_its_verified_symmetry(n):
    symmetry = find_symmetry(tl.zoo.lennard_jones(n))
    assert isinstance(symmetry, Atoms)
    assert (symmetry.order, symmetry.degree) == (2 * math.factorial(n), n + 2)


def distinguishable():
    """Springs of different strength between atoms: turned and mirrored, but not exchanged."""

    def function(x):
        atoms = x.view(-1, 4, 3)
        return sum((i + 1) * (atoms[:, i] - atoms[:, i + 1]).square().sum(1) for i in range(3))

    return tl.Energy.from_function(function, 12)


def in_a_trap():
    return tl.Energy.from_function(lambda x: x.square().sum(1), 12)


@pytest.mark.parametrize("make", [distinguishable, in_a_trap])
def test_atoms_that_differ_or_are_held_are_refused(make):
    with pytest.raises(tl.InputError, match="not invariant"):
        find_symmetry(make(), Atoms(4))


def test_a_wrong_number_of_atoms_is_refused():
    with pytest.raises(tl.InputError, match="3 atoms have 9 coordinates, but points have 12"):
        find_symmetry(tl.zoo.lennard_jones(4), Atoms(3))


class TooFlat(Atoms):
    """Calls the first coordinate a zero mode."""

    def zero_modes(self, points):
        return torch.eye(points.shape[1], dtype=points.dtype)[None, :1].expand(len(points), -1, -1)


class Rigid(Atoms):
    """Says that coordinates themselves do not change."""

    def invariants(self, points):
        return points


class WrongSheets(Atoms):
    def scramble(self, points, generator):
        images, sheets = Atoms.scramble(self, points, generator)
        return images, torch.zeros_like(sheets)


@pytest.mark.parametrize(("kind", "says"), [(TooFlat, "zero mode"), (Rigid, "invariants"), (WrongSheets, "sheets")])
def test_a_symmetry_with_one_wrong_part_is_refused(kind, says):
    energy = tl.zoo.lennard_jones(4)
    verify(energy, Atoms(4))
    with pytest.raises(tl.InputError, match=says):
        find_symmetry(energy, kind(4))
