"""Rips of clouds in high dimension is printed beside a null: Gaussian clouds of the same covariance."""

import numpy as np
import pytest

from tda_landscape import InputError
from tda_landscape.topology import rips
from tda_landscape.topology._rips import _spread


def gaussian(n, d, seed=0):
    return np.random.default_rng(seed).normal(size=(n, d))


def circle(n, d, noise, seed=0):
    rng = np.random.default_rng(seed)
    angle = rng.uniform(0, 2 * np.pi, n)
    points = noise * rng.normal(size=(n, d))
    points[:, 0] += np.cos(angle)
    points[:, 1] += np.sin(angle)
    return points


@pytest.mark.parametrize("dimension", [2, 10])
def test_few_dimensions_need_no_null(dimension):
    assert rips(gaussian(60, dimension)).note == ""


@pytest.mark.parametrize("seed", [0, 1, 2])
def test_noise_in_high_dimension_is_called_noise(seed):
    diagrams = rips(gaussian(50, 500, seed))
    assert len(diagrams[1]) > 0
    assert "not above all of them" in diagrams.note
    assert "9 Gaussian clouds" in diagrams.note
    assert diagrams.note in str(diagrams)


def test_a_loop_in_high_dimension_stands_out():
    """Control: the comparison does not call everything noise."""
    diagrams = rips(circle(60, 1000, 0.012), null=5)
    assert "above all of them" in diagrams.note
    assert "not above" not in diagrams.note


def test_the_spread_of_distances_shrinks_as_in_the_literature():
    # 200 Gaussian points: 3.88 (d=2), 1.73 (10), 0.56 (100), 0.18 (1000)
    from scipy.spatial.distance import pdist, squareform

    for dimension, expected in ((2, 3.88), (10, 1.73), (100, 0.56), (1000, 0.18)):
        spread = np.mean([_spread(squareform(pdist(gaussian(200, dimension, seed)))) for seed in range(3)])
        assert spread == pytest.approx(expected, rel=0.15)


def test_the_null_has_the_covariance_and_the_distances_of_a_gaussian():
    cloud = gaussian(40, 300) * np.linspace(0.1, 3, 300)
    rng = np.random.default_rng(0)
    centred = cloud - cloud.mean(axis=0)
    draws = np.concatenate([rng.standard_normal((40, 40)) @ centred / np.sqrt(39) for _ in range(400)])
    wanted = np.cov(cloud.T)
    error = np.linalg.norm(np.cov(draws.T) - wanted) / np.linalg.norm(wanted)
    assert error < 0.1
    assert np.linalg.norm(np.cov(cloud.T) - np.diag(np.linspace(0.1, 3, 300) ** 2)) / np.linalg.norm(wanted) > 0.5


def test_a_null_can_be_asked_for_and_turned_off():
    assert rips(gaussian(30, 400), null=0).note.startswith("distances concentrate")
    assert "3 Gaussian clouds" in rips(gaussian(30, 3), null=3).note
    assert rips(gaussian(30, 400), max_dimension=0).note.endswith("all components join at nearly one radius")


def test_distances_alone_get_a_warning():
    from scipy.spatial.distance import pdist, squareform

    note = rips(distances=squareform(pdist(gaussian(30, 400)))).note
    assert "give points" in note
    assert rips(distances=squareform(pdist(gaussian(30, 2)))).note == ""


def test_the_same_seed_gives_the_same_words():
    cloud = gaussian(30, 400)
    assert rips(cloud, seed=1).note == rips(cloud, seed=1).note != rips(cloud, seed=2).note


@pytest.mark.parametrize("null", [-1, 1.5, True])
def test_a_number_of_clouds_is_a_whole_number(null):
    with pytest.raises(InputError, match="null must be"):
        rips(gaussian(5, 2), null=null)
