"""Points that an element of a symmetry fixes: the gradient there lies in the subspace of all of them."""

from itertools import pairwise

import pytest
import torch
from torch.nn import functional as F

import tda_landscape as tl
from tda_landscape.energy.symmetry import Varying, find_symmetry

DATA = (
    torch.randn(12, 3, generator=torch.Generator().manual_seed(0), dtype=torch.float64),
    torch.randint(2, (12,), generator=torch.Generator().manual_seed(1)),
)


def net(widths, activation="tanh"):
    model = tl.zoo.networks.mlp([3, *widths, 2], activation=activation)
    return tl.Energy.from_model(model, F.cross_entropy, DATA, weight_decay=1e-2)


def units(points, widths):
    """For each hidden layer the weights that make and read each unit, (k, n, m)."""
    sizes, at, parts = [3, *widths, 2], 0, []
    for read, made in pairwise(sizes):
        weight = points[:, at : at + made * read].view(-1, made, read)
        at += made * read
        parts.append((weight, points[:, at : at + made, None]))
        at += made
    return [torch.cat([*parts[i], parts[i + 1][0].mT], 2) for i in range(len(widths))]


def in_subspace(point, gradient, widths):
    """Whether a point has a unit at zero, or two equal ones, and the gradient has the same."""
    for x, g in zip(units(point[None], widths), units(gradient[None], widths), strict=True):
        zero = (x[0] == 0).all(1)
        if zero.any():
            return bool(g[0][zero].abs().max() < 1e-12)
        i, j = torch.triu_indices(x.shape[1], x.shape[1], 1)
        equal = (x[0, i] == x[0, j]).all(1)
        if equal.any():
            return bool((g[0, i[equal]] - g[0, j[equal]]).abs().max() < 1e-12)
    return False


@pytest.mark.parametrize(("widths", "number"), [([4], 4 + 12), ([3, 2], 3 + 6 + 2 + 2), ([1], 1)])
def test_gradients_at_fixed_points_do_not_leave_them(widths, number):
    energy = net(widths)
    symmetry = find_symmetry(energy)
    assert isinstance(symmetry, Varying)
    start = energy.start(1, 0) + 0.1
    points = symmetry.variants(start)
    assert points.shape == (number, energy.dim)
    _, gradients = energy.value_and_grad(points)
    assert all(in_subspace(x, g, widths) for x, g in zip(points, gradients, strict=True))
    other = energy.value_and_grad(start)[1][0]
    assert not any(in_subspace(x, other, widths) for x in points), "control: the gradient of another point"


def test_without_signs_units_are_only_copied():
    energy = net([3], "relu")
    start = energy.start(1, 0) + 0.1
    points = find_symmetry(energy).variants(start)
    assert len(points) == 6
    assert not any((x == 0).all(1).any() for x in units(points, [3])[0])
