"""Quench: statuses are decided from gradients and eigenvalues, identity from positions."""

import pytest
import torch

import tda_landscape as tl
from tda_landscape.minima._hessian import FULL_DIM, lowest_eigenvalues
from tda_landscape.minima._identity import same_minimum


def points(*rows):
    return torch.tensor(rows, dtype=torch.float64)


def test_minima_of_mueller_brown_to_eight_digits():
    energy = tl.zoo.mueller_brown()
    minima = tl.quench(energy, tl.sample(energy, chains=60))
    exact = [-146.699517209954, -108.16672411685235, -80.76781812965903]
    assert minima.energies.tolist() == pytest.approx(exact, abs=1e-8)
    assert minima.status == ("minimum",) * 3
    assert int(minima.hits.sum()) == 60
    assert bool((minima.gradient_norm < 1e-8).all())
    assert bool((minima.eigenvalues > 0).all())
    assert bool((minima.eigenvalues[:, 0] <= minima.eigenvalues[:, 1]).all())


def test_a_descent_that_is_cut_short_is_no_minimum():
    energy = tl.zoo.mueller_brown()
    minima = tl.quench(energy, tl.sample(energy, chains=10), max_steps=2)
    assert set(minima.status) == {"descending"}
    assert len(minima.leaves) == 0
    assert bool(minima.eigenvalues.isnan().all())
    with pytest.raises(tl.InputError, match="is a minimum"):
        tl.connect(energy, minima)


@pytest.mark.parametrize(
    ("function", "start", "status"),
    [
        (lambda x: x[:, 0] ** 2 - x[:, 1] ** 2 + x[:, 1] ** 4, (0.4, 0.0), "saddle"),
        (lambda x: x[:, 0] ** 2 + 0 * x[:, 1], (0.4, 0.3), "flat"),
        (lambda x: (x.square().sum(1) - 1).square(), (0.4, 0.3), "flat"),
        (lambda x: x[:, 0] ** 2 + x[:, 1] ** 2, (0.4, 0.3), "minimum"),
        (lambda x: x[:, 0].relu() + x[:, 1] ** 2 + (-x[:, 0]).relu() ** 2, (-0.4, 0.3), "stationary"),
        (lambda x: x[:, 0] + x[:, 1] ** 2, (0.4, 0.3), "descending"),
    ],
)
def test_status(function, start, status):
    energy = tl.Energy.from_function(function, 2)
    minima = tl.quench(energy, points(start), max_steps=300)
    assert minima.status == (status,)


def test_equal_energies_do_not_make_one_minimum():
    energy = tl.zoo.double_well(1)
    minima = tl.quench(energy, points((-0.9,), (0.9,), (-1.1,), (1.2,)))
    assert len(minima) == 2
    assert minima.hits.tolist() == [2, 2]
    assert minima.energies.tolist() == pytest.approx([0.0, 0.0], abs=1e-12)


def test_identity_explains_distance_by_what_is_left_of_the_descent():
    energy = tl.zoo.double_well(1)
    near = points((1.0,), (1.0 + 1e-4,))
    values = energy(near)
    assert same_minimum(energy, near, values, torch.zeros(2)).tolist() == [0, 1]
    assert same_minimum(energy, near, values, torch.full((2,), 1e-4)).tolist() == [0, 0]


def test_identity_on_the_torus():
    energy = tl.Energy.from_function(lambda x: -torch.cos(2 * torch.pi * x[:, 0]), 1, period=1.0)
    minima = tl.quench(energy, points((0.1,), (0.9,), (0.02,)))
    assert len(minima) == 1
    assert int(minima.hits[0]) == 3


def test_hits_count_chains_not_points():
    energy = tl.zoo.double_well(1)
    cloud = tl.sample(energy, chains=6, start=points(*[(1.0,)] * 6))
    repeated = tl.Cloud(
        cloud.points, cloud.energies, torch.tensor([0, 0, 0, 1, 1, 2]), cloud.step, cloud.reached, cloud.diverged
    )
    assert tl.quench(energy, repeated).hits.tolist() == [3]


def test_nonfinite_energies_are_reported_and_leave_the_others_alone():
    energy = tl.Energy.from_function(lambda x: torch.where(x[:, 0] > 3, torch.nan, x[:, 0] ** 2), 1, bounds=(0, 1))
    minima = tl.quench(energy, points((0.5,), (4.0,)))
    assert sorted(minima.status) == ["minimum", "nonfinite"]


def test_lanczos_agrees_with_the_full_spectrum():
    scales = torch.linspace(0.5, 4.0, FULL_DIM + 20, dtype=torch.float64)
    energy = tl.Energy.from_function(lambda x: (scales * x.square()).sum(1) / 2, len(scales))
    values, error = lowest_eigenvalues(energy, energy.start(1, 0))
    assert values[0].tolist() == pytest.approx(scales[:2].tolist(), abs=1e-4)
    assert float(error) < 1e-2
    minima = tl.quench(energy, energy.start(3, 0))
    assert minima.status == ("minimum",)
    assert int(minima.hits[0]) == 3


def test_descent_in_one_batch_equals_descents_alone():
    energy = tl.zoo.fourier(3, dim=2)
    start = energy.start(12, 5)
    together = tl.quench(energy, start)
    alone = torch.cat([tl.quench(energy, row[None]).points for row in start])
    gaps = torch.stack([energy.displacement(p, together.points).norm(dim=1).min() for p in alone])
    assert float(gaps.max()) < 1e-6


def test_a_network_ends_in_verified_minima():
    X, y = tl.zoo.datasets.load("iris")
    model = tl.zoo.networks.mlp([4, 2, 3])
    energy = tl.Energy.from_model(model, torch.nn.functional.cross_entropy, (X, y), weight_decay=1e-3)
    minima = tl.quench(energy, energy.start(8, 0))
    assert set(minima.status) == {"minimum"}
    step = 1e-3 * torch.randn(minima.points.shape, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    assert bool((energy(minima.points + step) > minima.energies).all())
