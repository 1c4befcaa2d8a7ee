"""Laws of a network's symmetry, on every kind of network."""

import itertools
import math
from dataclasses import replace

import pytest
import torch
from symmetry_networks import NETWORKS, XOR, energy_of, noisy, normalised_tanh

import tda_landscape as tl
from tda_landscape.energy.symmetry import NetworkSymmetry, find_symmetry, isotropy
from tda_landscape.energy.symmetry._units import move

CASES = [(name, decay) for name in NETWORKS for decay in (0.0, 1e-3)]


@pytest.fixture(scope="session")
def xor():
    """The 2-4-1 tanh network of the XOR problem, BCE + 1e-3 |theta|^2."""

    def loss(outputs, targets):
        return torch.nn.functional.binary_cross_entropy_with_logits(outputs[:, 0], targets)

    return tl.Energy.from_model(tl.zoo.networks.mlp([2, 4, 1]), loss, XOR, weight_decay=1e-3)


@pytest.fixture(params=CASES, ids=lambda case: f"{case[0]}, decay {case[1]}", scope="module")
def found(request):
    name, decay = request.param
    energy = energy_of(NETWORKS[name](), weight_decay=decay)
    return energy, find_symmetry(energy)


def norms(rows):
    return rows.norm(dim=1)


def test_the_function_is_the_same_and_the_point_is_not(found):
    energy, symmetry = found
    points = noisy(energy, 40)
    images, _ = symmetry.scramble(points, torch.Generator().manual_seed(1))
    assert torch.allclose(energy(images), energy(points), rtol=1e-10, atol=1e-10)
    if symmetry.structure.units or symmetry.structure.frames:
        assert norms(images - points).min() > 1e-3


def test_align_takes_every_image_back(found):
    energy, symmetry = found
    points = noisy(energy, 100)
    images, out = symmetry.scramble(points, torch.Generator().manual_seed(1))
    back, home = symmetry.align(images, points)
    assert norms(back - points).max() < 1e-9
    assert torch.equal(home.gather(1, out), torch.arange(symmetry.degree).expand(100, -1))


def nearest_of_all(symmetry, points, references):
    """Try every permutation with every sign of one layer of units."""
    (units,) = symmetry.structure.units
    signs = torch.tensor(list(itertools.product((1.0, -1.0), repeat=units.size * len(units.signs))))
    signs = signs.double().view(len(signs), len(units.signs), units.size)
    best = torch.full((len(points),), torch.inf, dtype=torch.float64)
    for permutation in itertools.permutations(range(units.size)):
        for row, (point, reference) in enumerate(zip(points, references, strict=True)):
            images = point.repeat(len(signs), 1)
            move(units, images, torch.tensor(permutation).expand(len(signs), -1), signs)
            best[row] = torch.minimum(best[row], norms(images - reference).min())
    return best


@pytest.mark.parametrize("name", ["tanh", "relu", "two signs"])
def test_with_one_layer_of_units_the_nearest_image_of_all_is_found(name):
    model = normalised_tanh(2) if name == "two signs" else tl.zoo.networks.mlp([3, 4, 2], activation=name)
    symmetry = find_symmetry(energy_of(model, weight_decay=0.0 if name == "two signs" else 1e-3))
    points, references = (noisy(energy_of(model), 15, seed=seed) for seed in (0, 1))
    structure = replace(symmetry.structure, folds=())  # distances as `match` measures them
    bare = NetworkSymmetry(replace(structure, units=tuple(replace(u, scales=()) for u in structure.units)), None)
    found = norms(bare.align(points, references)[0] - references)
    assert torch.allclose(found, nearest_of_all(bare, points, references), rtol=1e-12)
    assert (found < norms(points - references) - 1e-6).any()


def test_other_points_are_not_taken_for_images(found):
    energy, symmetry = found
    points, others = noisy(energy, 40), noisy(energy, 40, seed=9)
    images, _ = symmetry.align(others, points)
    assert torch.allclose(energy(images), energy(others), rtol=1e-10, atol=1e-10)
    assert norms(images - points).min() > 0.1


def test_invariants_agree_on_an_orbit_and_differ_off_it(found):
    energy, symmetry = found
    points, others = noisy(energy, 40), noisy(energy, 40, seed=9)
    images, _ = symmetry.scramble(points, torch.Generator().manual_seed(1))
    here = symmetry.invariants(points)
    assert torch.allclose(symmetry.invariants(images), here, rtol=1e-9, atol=1e-9)
    assert norms(symmetry.invariants(others) - here).min() > 1e-2


def test_canonical_forms_agree_on_an_orbit(found):
    energy, symmetry = found
    points = noisy(energy, 40)
    images, _ = symmetry.scramble(points, torch.Generator().manual_seed(1))
    forms = symmetry.canonical(points)
    assert norms(symmetry.canonical(images) - forms).max() < 1e-9
    assert torch.allclose(symmetry.canonical(forms), forms, atol=1e-9)
    assert torch.allclose(energy(forms), energy(points), rtol=1e-10, atol=1e-10)


def test_zero_modes_are_orthonormal_and_flat(found):
    energy, symmetry = found
    points = noisy(energy, 10)
    modes = symmetry.zero_modes(points)
    scales = sum(u.size * len(u.scales) for u in symmetry.structure.units)
    scales += sum(f.size**2 if f.general else f.size * (f.size - 1) // 2 for f in symmetry.structure.frames)
    assert modes.shape == (10, scales, energy.dim)
    assert torch.allclose(modes @ modes.mT, torch.eye(scales, dtype=torch.float64).expand(10, -1, -1), atol=1e-12)
    _, gradients = energy.value_and_grad(points)
    assert torch.allclose(modes @ gradients[..., None], torch.zeros((), dtype=torch.float64), atol=1e-10)


def test_sheets_compose_as_permutations_do(found):
    energy, symmetry = found
    points = noisy(energy, 20)
    once, h = symmetry.scramble(points, torch.Generator().manual_seed(1))
    _, g = symmetry.scramble(once, torch.Generator().manual_seed(2))
    twice, _ = symmetry.scramble(once, torch.Generator().manual_seed(2))
    _, home = symmetry.align(twice, points)
    product = g.gather(1, h)  # g after h
    assert torch.equal(home.gather(1, product), torch.arange(symmetry.degree).expand(20, -1))
    if any(units.permuted for units in symmetry.structure.units):  # signs alone commute
        assert not torch.equal(h.gather(1, g), product)


def test_generic_points_have_no_isotropy(found):
    energy, symmetry = found
    assert [len(sheets) for sheets in isotropy(symmetry, noisy(energy, 3))] == [0, 0, 0]


@pytest.mark.parametrize(
    ("name", "decay", "order", "degree", "scales"),
    [
        ("tanh 3-8-2", 0.0, math.factorial(8) * 2**8, 16, 0),
        ("tanh 3-8-2", 1e-3, math.factorial(8) * 2**8, 16, 0),
        ("relu 3-8-2", 0.0, math.factorial(8), 8, 8),
        ("relu 3-8-2", 1e-3, math.factorial(8), 8, 0),
        ("linear 3-2-4", 0.0, 2, 2, 0),
        ("linear 3-2-3-5", 0.0, 4, 4, 0),
        ("linear 3-2-3-5", 1e-3, 4, 4, 0),
        ("residual tanh", 1e-3, math.factorial(6) * math.factorial(5) ** 2 * 2**16, 32, 0),
        ("conv relu", 1e-3, math.factorial(4) * math.factorial(6) * math.factorial(5), 15, 0),
    ],
)
def test_order_and_degree(name, decay, order, degree, scales):
    symmetry = find_symmetry(energy_of(NETWORKS[name](), weight_decay=decay))
    assert (symmetry.order, symmetry.degree) == (order, degree)
    assert sum(u.size * len(u.scales) for u in symmetry.structure.units) == scales


def test_minima_of_equal_energy_and_other_function_stay_apart(xor):
    """Exchanging the two inputs of XOR keeps the energy, but is no symmetry of the network: another function."""
    points = noisy(xor, 20)
    swapped = points.clone()
    swapped[:, :8] = points[:, :8].view(20, 4, 2).flip(2).flatten(1)
    assert torch.allclose(xor(swapped), xor(points), rtol=1e-12)
    symmetry = find_symmetry(xor)
    images, _ = symmetry.align(swapped, points)
    assert norms(images - points).min() > 0.05
    assert norms(symmetry.invariants(swapped) - symmetry.invariants(points)).min() > 0.01


@pytest.mark.parametrize("rest", [0.0, 1e-12, 1e-8])
def test_isotropy_of_dead_and_equal_units(xor, rest):
    """Also where a descent has left the units equal or dead only nearly."""
    symmetry = find_symmetry(xor)
    point = noisy(xor, 1)
    weights, biases, out = point[0, :8].view(4, 2), point[0, 8:12], point[0, 12:16]
    weights[1], biases[1], out[1] = weights[0], biases[0], out[0]
    weights[3], biases[3], out[3] = 0, 0, 0
    point += rest * torch.randn(point.shape, generator=torch.Generator().manual_seed(1), dtype=point.dtype)
    (sheets,) = isotropy(symmetry, point, tries=64)
    assert len(sheets) + 1 == 4  # exchange of 0 and 1, sign of 3
    swap, flip = [1, 0, 2, 3, 5, 4, 6, 7], [0, 1, 2, 7, 4, 5, 6, 3]
    assert swap in sheets.tolist()
    assert flip in sheets.tolist()
    (closer,) = isotropy(symmetry, point, tries=64, tolerance=1e-14)
    assert len(closer) == (3 if rest == 0 else 0)


def test_a_dead_relu_unit_spoils_nothing():
    energy = energy_of(NETWORKS["relu 3-8-2"]())
    symmetry = find_symmetry(energy)
    points = noisy(energy, 10)
    points[:, 32:48].view(10, 2, 8)[:, :, 0] = 0.0  # no output of unit 0
    points[:, 3:6], points[:, 25] = 0.0, 0.0  # no input to unit 1
    images, _ = symmetry.scramble(points, torch.Generator().manual_seed(1))
    forms, modes = symmetry.canonical(points), symmetry.zero_modes(points)
    assert torch.isfinite(modes).all()
    assert norms(symmetry.canonical(images) - forms).max() < 1e-9
    back, _ = symmetry.align(images, points)
    assert norms(back - points).max() < 1e-9
    made = forms[:, :24].view(10, 8, 3).square().sum(2) + forms[:, 24:32].square()
    read = forms[:, 32:48].view(10, 2, 8).square().sum(1)
    assert ((made == 0) | (read == 0)).tolist() == [[False] * 6 + [True] * 2] * 10


def test_align_moves_the_scales_to_those_of_the_reference():
    energy = energy_of(NETWORKS["relu 3-6-7-2"]())
    symmetry = find_symmetry(energy)
    points = noisy(energy, 10)
    far = points.clone()
    far[:, :24] *= 1e3  # first layer up, second layer's weights down: the same function
    far[:, 24:66] /= 1e3
    assert torch.allclose(energy(far), energy(points), rtol=1e-9)
    assert norms(symmetry.align(far, points)[0] - points).max() < 1e-9
    assert norms(symmetry.align(points, far)[0] - far).max() < 1e-6


def test_no_points_are_no_problem(found):
    energy, symmetry = found
    none = torch.empty(0, energy.dim, dtype=torch.float64)
    assert symmetry.align(none, none)[1].shape == symmetry.scramble(none, torch.Generator())[1].shape
    assert symmetry.invariants(none).shape[1] == symmetry.invariants(energy.start(1, 0)).shape[1]
    assert len(symmetry.canonical(none)) == len(symmetry.zero_modes(none)) == len(isotropy(symmetry, none)) == 0


def test_finding_a_symmetry_costs_few_evaluations(xor):
    counted, cost = tl.tally(xor)
    find_symmetry(counted)
    assert cost.gradient_equivalents <= 25


def test_one_class_modulo_symmetry_and_many_copies_raw(xor):
    """Nine images of one point: one class, and no two of them the same point."""
    symmetry = find_symmetry(xor)
    point = noisy(xor, 1)
    images, _ = symmetry.scramble(point.expand(9, -1), torch.Generator().manual_seed(3))
    assert norms(symmetry.align(images, point.expand(9, -1))[0] - point).max() < 1e-12
    assert torch.pdist(images).min() > 1e-3
