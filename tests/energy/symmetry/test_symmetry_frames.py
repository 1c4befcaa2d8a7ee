"""GL(n) of linear layers: what it takes away, where it holds, and what of it a penalty leaves."""

import pytest
import torch
from symmetry_networks import energy_of, noisy
from torch import nn

import tda_landscape as tl
from tda_landscape.energy.symmetry import find_symmetry, isotropy


def linear(sizes, *, bias=False, **penalty):
    return energy_of(tl.zoo.networks.mlp(sizes, activation="identity", bias=bias), **penalty)


def product(energy, points):
    """W_K ... W_1 of linear networks without biases."""
    total = None
    for weight in energy.network.unflatten(points).values():
        total = weight if total is None else weight @ total
    return total


def gaussian(*shape, seed=0):
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


@pytest.mark.parametrize(
    ("model", "decay", "said"),
    [
        (nn.Sequential(nn.Linear(3, 2), nn.Linear(2, 4)), 0.0, "GL(2) on the units of layer '0'"),
        (nn.Sequential(nn.Linear(3, 2), nn.Linear(2, 4)), 1e-3, "O(2) on the units of layer '0'"),
        (
            nn.Sequential(nn.Conv2d(1, 3, 3), nn.AvgPool2d(2), nn.Flatten(), nn.Linear(27, 2)),
            0.0,
            "GL(3) on the units of layer '0'",
        ),
        (  # the weight between them belongs to tanh units as well: permutations, signs and scales are kept there
            nn.Sequential(nn.Linear(3, 2), nn.Linear(2, 3), nn.Tanh(), nn.Linear(3, 4)),
            0.0,
            "permutations, signs and scales of 2 units of layer '0'; permutations and signs of 3 units of layer '1'",
        ),
        (
            nn.Sequential(nn.Linear(3, 2), nn.ReLU(), nn.Linear(2, 4)),
            0.0,
            "permutations and scales of 2 units of layer '0'",
        ),
    ],
)
def test_what_is_found(model, decay, said):
    assert find_symmetry(energy_of(model, weight_decay=decay)).describe() == said


def test_a_penalty_on_single_weights_leaves_permutations_and_signs():
    model = tl.zoo.networks.mlp([3, 2, 4], activation="identity")
    lasso = energy_of(model, regularizer=lambda p: sum(w.abs().sum() for w in p.values()))
    assert find_symmetry(lasso).describe() == "permutations and signs of 2 units of layer '0'"


def test_chains_with_too_many_numbers_keep_permutations_signs_and_scales():
    wide = find_symmetry(linear([3, 33, 2]))
    assert wide.describe() == "permutations, signs and scales of 33 units of layer '0'"
    assert find_symmetry(linear([3, 12, 2])).describe() == "GL(12) on the units of layer '0'"


@pytest.mark.parametrize(("sizes", "decay"), [([3, 2, 4], 0.0), ([3, 2, 3, 5], 0.0), ([3, 4, 2, 3], 1e-3)])
def test_the_product_is_all_that_is_left_of_linear_layers(sizes, decay):
    energy = linear(sizes, weight_decay=decay)
    symmetry, points = find_symmetry(energy), noisy(energy, 20)
    images, _ = symmetry.scramble(points, torch.Generator().manual_seed(1))
    assert torch.allclose(product(energy, images), product(energy, points), atol=1e-10)
    forms = symmetry.canonical(points)
    assert torch.allclose(product(energy, forms), product(energy, points), atol=1e-10)


def test_the_canonical_form_of_two_layers_is_the_balanced_singular_value_decomposition():
    energy = linear([3, 2, 4])
    points = noisy(energy, 10)
    first, second = energy.network.unflatten(find_symmetry(energy).canonical(points)).values()
    values = torch.linalg.svdvals(product(energy, points))[:, :2]
    assert torch.allclose(first @ first.mT, torch.diag_embed(values), atol=1e-12)
    assert torch.allclose(second.mT @ second, torch.diag_embed(values), atol=1e-12)


def test_two_factors_of_one_matrix_are_one_point_and_of_two_matrices_two():
    energy = linear([3, 2, 4])
    symmetry, points = find_symmetry(energy), noisy(energy, 20)
    a, b = (energy.network.unflatten(p) for p in (points[:1], points[1:2]))
    g = torch.tensor([[2.0, 1.0], [0.5, -3.0]], dtype=torch.float64)
    moved = {"0.weight": g @ a["0.weight"], "2.weight": a["2.weight"] @ torch.linalg.inv(g)}
    moved = torch.cat([w.flatten() for w in moved.values()])[None]
    assert (symmetry.align(moved, points[:1])[0] - points[:1]).norm() < 1e-12
    assert (symmetry.align(points[1:2], points[:1])[0] - points[:1]).norm() > 0.1
    assert not torch.allclose(b["0.weight"], a["0.weight"])


def test_more_units_than_the_ranks_need_are_fixed_by_a_reflection():
    """2 units between 1 input and 1 output: det G < 0 fixes every point, so no copies are counted."""
    wide, narrow = linear([1, 2, 1], inputs=gaussian(12, 1)), linear([1, 1, 1], inputs=gaussian(12, 1))
    (found,), (none,) = (isotropy(find_symmetry(e), noisy(e, 1), tries=32) for e in (wide, narrow))
    assert found.tolist() == [[1, 0]]
    assert len(none) == 0


def energy_1_1_1(decay=0.0):
    one = torch.ones(1, 1, dtype=torch.float64)
    model = tl.zoo.networks.mlp([1, 1, 1], activation="identity", bias=False)
    return tl.Energy.from_model(
        model, nn.functional.mse_loss, (one, one), weight_decay=decay, start=lambda k, g: torch.randn(k, 2, generator=g)
    )


@pytest.mark.parametrize("decay", [0.0, 0.25])
def test_the_square_of_ab_minus_1_is_simple_modulo_gl_1(decay):
    """Cases linear_1_1_1 and ridge_1_1_1: two raw components, one modulo GL(1), or O(1) with the ridge."""
    energy = energy_1_1_1(decay)
    cloud = tl.sample(energy, chains=12, seed=0)
    raw = tl.connect(energy, tl.quench(energy, cloud, symmetry=None))
    assert tl.valleys(raw, tolerance=1e-3).n_global_components == 2
    minima = tl.quench(energy, cloud)
    assert set(minima.status) == {"minimum"}, "the orbit is set aside"
    graph = tl.connect(energy, minima)
    flags = tl.valleys(graph, tolerance=1e-3)
    assert (flags.simple, flags.n_global_components, flags.raw) == (True, 1, (1, 2))
    assert graph.order == 2


def test_square_linear_has_one_minimum_modulo_gl_2_and_two_components():
    """Case square_linear: |W2 W1 - M|^2, M = [[2, 1], [0, 1]]."""
    model = tl.zoo.networks.mlp([2, 2, 2], activation="identity", bias=False)
    data = torch.eye(2, dtype=torch.float64), torch.tensor([[2.0, 0.0], [1.0, 1.0]], dtype=torch.float64)
    energy = tl.Energy.from_model(model, nn.MSELoss(reduction="sum"), data)
    minima = tl.quench(energy, tl.sample(energy, chains=12, seed=0))
    assert (len(minima), set(minima.status)) == (1, {"minimum"})
    assert tl.valleys(tl.connect(energy, minima), tolerance=1e-6).raw == (1, 2)
