"""The zoo against numbers and formulas from elsewhere."""

import itertools
import math

import numpy as np
import pytest
import torch

from tda_landscape.energy import datasets, networks, zoo

# Three minima and two saddles of the surface of Mueller and Brown (Theor. Chim. Acta 53, 75, 1979): rounded
# coordinates, energies to six decimals, Morse index. The test finds the points again by Newton's method.
MUELLER_BROWN = [
    ((-0.558, 1.442), -146.699517, 0),
    ((0.623, 0.028), -108.166724, 0),
    ((-0.050, 0.467), -80.767818, 0),
    ((-0.822, 0.624), -40.664844, 1),
    ((0.212, 0.293), -72.248940, 1),
]


@pytest.mark.parametrize(("near", "value", "index"), MUELLER_BROWN)
def test_stationary_points_of_mueller_brown(near, value, index):
    energy = zoo.mueller_brown()
    x = torch.tensor([near], dtype=torch.float64)
    for _ in range(8):
        gradient = energy.value_and_grad(x)[1]
        x = x - torch.linalg.solve(energy.hessian(x), gradient[:, :, None])[:, :, 0]
    assert energy.value_and_grad(x)[1].norm() < 1e-9
    assert torch.allclose(x, torch.tensor([near], dtype=torch.float64), atol=2e-3)
    assert energy(x).item() == pytest.approx(value, abs=1e-6)
    assert (torch.linalg.eigvalsh(energy.hessian(x)) < 0).sum() == index


def test_mueller_brown_is_its_formula():
    parameters = [
        (-200, -1, 0, -10, 1, 0),
        (-100, -1, 0, -10, 0, 0.5),
        (-170, -6.5, 11, -6.5, -0.5, 1.5),
        (15, 0.7, 0.6, 0.7, -1, 1),
    ]
    energy = zoo.mueller_brown()
    for x, y in energy.start(20, 0).tolist():
        total = sum(
            k * math.exp(a * (x - p) ** 2 + b * (x - p) * (y - q) + c * (y - q) ** 2) for k, a, b, c, p, q in parameters
        )
        at = torch.tensor([[x, y]], dtype=torch.float64)
        assert energy(at).item() == pytest.approx(total, rel=1e-12)


def fourier_by_hand(seed, dim, x):
    """The docstring's sum, one wave at a time."""
    waves = [k for k in itertools.product(range(-3, 4), repeat=dim) if any(k)]  # "ij" order is that of product
    rng = np.random.default_rng(seed)
    normals = [rng.standard_normal() for _ in waves]
    phases = [rng.uniform(0, 2 * np.pi) for _ in waves]
    return sum(
        n
        / (1 + sum(i * i for i in k)) ** 0.75
        * math.cos(2 * math.pi * sum(map(math.prod, zip(k, x, strict=True))) + phi)
        for k, n, phi in zip(waves, normals, phases, strict=True)
    )


@pytest.mark.parametrize(("seed", "dim"), [(0, 1), (0, 2), (7, 2), (3, 3)])
def test_fourier_is_its_formula(seed, dim):
    energy = zoo.fourier(seed=seed, dim=dim)
    other = zoo.fourier(seed=seed + 1, dim=dim)  # control
    for x in energy.start(4, 1):
        truth = fourier_by_hand(seed, dim, x.tolist())
        assert energy(x[None]).item() == pytest.approx(truth, abs=1e-10)
        assert other(x[None]).item() != pytest.approx(truth, abs=1e-3)


def test_fourier_has_its_period():
    energy = zoo.fourier(seed=2, dim=3)
    x = energy.start(5, 0)
    shifts = torch.tensor([[1.0, -2.0, 0.0]], dtype=torch.float64)
    assert torch.allclose(energy(x + shifts), energy(x), atol=1e-11)
    assert not torch.allclose(energy(x + shifts / 2), energy(x), atol=1e-2)


def test_wells_have_the_minima_and_barriers_that_they_state():
    well = zoo.double_well(3)
    corners = torch.tensor(list(itertools.product([-1.0, 1.0], repeat=3)))
    assert well(corners).tolist() == [0.0] * 8
    assert well([[0.0, 1.0, 1.0]]).item() == 1.0
    tilted = zoo.tilted_wells(3)
    states = list(itertools.product([-2.0, 1.0], repeat=3))
    assert tilted(states).tolist() == [27 / 32 * state.count(1.0) for state in states]
    for k in (1, 2, 3):  # k coordinates in the upper well; one of them goes over the top at 0
        top = [[0.0] + [1.0] * (k - 1) + [-2.0] * (3 - k)]
        assert tilted(top).item() == 1 + (k - 1) * 27 / 32
    quartic = zoo.quartic()
    assert quartic([[-2.0], [1.0], [0.0]]).tolist() == [-32.0, -5.0, 0.0]
    for energy, x in ((well, corners), (tilted, states), (tilted, top), (quartic, [[-2.0], [1.0], [0.0]])):
        assert energy.value_and_grad(x)[1].abs().max() == 0
    assert torch.linalg.eigvalsh(tilted.hessian(top))[0, 0] < 0 < torch.linalg.eigvalsh(tilted.hessian(states)).min()


@pytest.mark.parametrize(
    ("name", "shape", "classes"),
    [("digits", (1797, 64), 10), ("breast_cancer", (569, 30), 2), ("wine", (178, 13), 3), ("iris", (150, 4), 3)],
)
def test_data_sets(name, shape, classes):
    inputs, targets = datasets.load(name)
    assert inputs.shape == shape
    assert (inputs.dtype, targets.dtype) == (torch.float64, torch.int64)
    assert (float(inputs.min()), float(inputs.max())) == (0.0, 1.0)
    assert sorted(set(targets.tolist())) == list(range(classes))
    some, labels = datasets.load(name, samples=20, seed=1)
    again = datasets.load(name, samples=20, seed=1)
    assert torch.equal(some, again[0])
    assert torch.equal(labels, again[1])
    assert not torch.equal(some, datasets.load(name, samples=20, seed=2)[0])
    for row, label in zip(some, labels, strict=True):
        assert label in targets[(inputs == row).all(1)]


def test_mlps_are_torchs_own_layers():
    model = networks.mlp([3, 5, 2], activation="relu", seed=4)
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(4)
        twin = torch.nn.Sequential(torch.nn.Linear(3, 5), torch.nn.ReLU(), torch.nn.Linear(5, 2))
    assert [type(m) for m in model] == [type(m) for m in twin]
    assert all(torch.equal(a, b) for a, b in zip(model.parameters(), twin.parameters(), strict=True))
    assert not torch.equal(networks.mlp([3, 5, 2], seed=5)[0].weight, model[0].weight)
    assert len(list(networks.mlp([3, 5, 2], bias=False).parameters())) == 2
