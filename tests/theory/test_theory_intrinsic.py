"""The intrinsic dimension: closed forms, numerical rank, and what lies between (Venturi, Bandeira, Bruna 2018)."""

import itertools
from math import comb

import pytest
import torch
from torch import nn

import tda_landscape as tl


class Apply(nn.Module):
    """U rho(W x) with any rho."""

    def __init__(self, rho, n, p=2, bias=False):
        super().__init__()
        self.one, self.two, self.rho = nn.Linear(n, p, bias=bias), nn.Linear(p, 1, bias=False), rho

    def forward(self, x):
        return self.two(self.rho(self.one(x)))


POLYNOMIALS = {
    "linear": (lambda z: z, (0, 1)),
    "quadratic": (lambda z: z**2, (0, 0, 1)),
    "cubic monomial": (lambda z: z**3, (0, 0, 0, 1)),
    "z + z^3": (lambda z: z + z**3, (0, 1, 0, 1)),
    "1 - 2 z + z^4 / 3": (lambda z: 1 - 2 * z + z**4 / 3, (1, -2, 0, 0, 1 / 3)),
    "with a_0": (lambda z: 3 + z**2, (3, 0, 1)),
}


def normal(*shape, seed=0):
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


def dimension(rho, x, bias=False, **options):
    return tl.theory.intrinsic_dimension(Apply(rho, x.shape[1], bias=bias), (x, torch.zeros(len(x), 1)), **options)


def monomials(x, degrees):
    """All products of i coordinates, a column each, and their rank: an independent route to q."""
    columns = [
        x[:, list(c)].prod(1) if c else torch.ones(len(x), dtype=x.dtype)
        for i in degrees
        for c in itertools.combinations_with_replacement(range(x.shape[1]), i)
    ]
    return int(torch.linalg.matrix_rank(torch.stack(columns, 1), rtol=1e-9))


@pytest.mark.parametrize("n", [1, 2, 3, 4])
@pytest.mark.parametrize("name", POLYNOMIALS)
def test_corollary_6_formula_11_is_the_rank_on_generic_data(name, n):
    rho, coefficients = POLYNOMIALS[name]
    degrees = [i for i, a in enumerate(coefficients) if a]
    formula = sum(comb(n + i - 1, i) for i in degrees if i) + (0 in degrees)
    q = dimension(rho, normal(100, n))
    assert (q.value, q.decided, q.closed_form) == (formula, True, formula)
    assert q.value == monomials(normal(100, n), degrees)
    assert q.gap > 1e5


@pytest.mark.parametrize("bias", [False, True])
@pytest.mark.parametrize("name", POLYNOMIALS)
def test_degenerate_data_have_a_smaller_rank(name, bias):
    """Data on a plane through 0, and on three points only: the closed form is never reached."""
    rho, coefficients = POLYNOMIALS[name]
    plane = normal(100, 2, seed=1) @ normal(2, 4, seed=2)
    degrees = [i for i, a in enumerate(coefficients) if a]
    seen = torch.cat([plane, torch.ones(100, 1)], 1) if bias else plane
    expected = monomials(seen, degrees)
    q = dimension(rho, plane, bias)
    assert (q.value, q.decided) == (expected, True)
    assert q.value < q.closed_form
    few = dimension(rho, plane[:3], bias)
    assert few.value <= 3
    assert few.decided


def test_a_hidden_bias_is_one_more_input():
    """Polynomials of degree <= 3 in two coordinates: 10 of them, whatever else the activation holds."""
    for rho in (lambda z: z**3, lambda z: 1 + z + z**3):
        q = dimension(rho, normal(60, 2), bias=True)
        assert (q.value, q.closed_form, q.decided) == (10, 10, True)


@pytest.mark.parametrize(
    ("points", "expected"),
    [
        ([[1.0], [-1.0]], 2),  # the two sides of one line: z and |z|
        ([[1.0], [3.0], [0.0]], 1),
        ([[1.0, 0.0], [0.0, 1.0], [1.0, 1.0]], 3),
        ([[1.0, 0.0], [-2.0, 0.0], [0.0, 1.0], [0.0, -1.0], [1.0, 1.0], [-1.0, -1.0]], 5),  # 3 lines, 2 linear
        ([[1.0, 0.5], [-1.0, -0.5], [2.0, 1.0], [0.0, 1.0]], 3),
    ],
)
def test_relu_counts_lines_and_the_linear_functions_of_two_sided_ones(points, expected):
    q = dimension(torch.relu, torch.tensor(points))
    assert (q.value, q.closed_form, q.decided) == (expected, expected, True)


@pytest.mark.parametrize("seed", range(3))
def test_relu_with_biases_counts_different_points(seed):
    x = normal(12, 3, seed=seed)
    q = dimension(torch.relu, torch.cat([x, x[:4]]), bias=True)
    assert (q.value, q.closed_form, q.decided) == (12, 12, True)


@pytest.mark.parametrize("rho", [torch.tanh, torch.sigmoid, nn.functional.softplus])
def test_other_activations_have_the_rank_of_the_data(rho):
    q = dimension(rho, normal(7, 3), bias=True)
    assert (q.value, q.decided, q.closed_form) == (7, True, None)


def test_an_odd_activation_sees_a_point_and_its_mirror_image_once():
    x = normal(5, 3)
    assert dimension(torch.tanh, torch.cat([x, -x])).value == 5


def test_near_the_tolerance_nothing_is_decided():
    """A second direction of size s: its singular value falls through the tolerance as s does."""
    sizes = {s: dimension(lambda z: z, torch.tensor([[1.0, s], [1.0, -s], [1.0, 0]])) for s in (1e-3, 1e-8, 1e-14)}
    assert [q.decided for q in sizes.values()] == [True, False, True]
    assert (sizes[1e-3].value, sizes[1e-14].value) == (2, 1)
    assert (sizes[1e-8].lower, sizes[1e-8].upper) == (1, 2)


def test_relu_points_that_nearly_agree_are_not_decided():
    x = torch.tensor([[1.0, 0.0], [1.0, 1e-9], [0.0, 1.0]])
    q = dimension(torch.relu, x)
    assert (q.lower, q.upper, q.decided) == (2, 3, False)


def test_what_has_no_intrinsic_dimension_is_refused():
    x = normal(5, 3)
    for sizes in ([3, 1], [3, 4, 4, 1]):
        with pytest.raises(tl.InputError, match="one hidden layer"):
            tl.theory.intrinsic_dimension(tl.zoo.networks.mlp(sizes), (x, x[:, :1]))
    with pytest.raises(tl.InputError, match="tolerance"):
        dimension(torch.tanh, x, tolerance=0.0)
