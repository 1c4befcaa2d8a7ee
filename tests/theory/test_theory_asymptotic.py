"""The fit of gaps against widths: on made-up gaps, and a small measurement in the setting of the theorem."""

import numpy as np
import pytest
import torch

import tda_landscape as tl
from tda_landscape.theory._asymptotic import BoundedReLU, _fitted

SHAPE = torch.Size([400, 2])
WIDTHS = np.array([2, 4, 8, 16])


def fitted(gaps, floor=1e-6, seed=0):
    return _fitted(WIDTHS, gaps, np.full_like(gaps, floor), SHAPE, np.random.default_rng(seed))


def noisy(power, seed=0, pairs=20):
    rng = np.random.default_rng(seed)
    return WIDTHS[:, None] ** power * rng.lognormal(0, 0.3, (len(WIDTHS), pairs))


@pytest.mark.parametrize(("power", "consistent"), [(-1.5, True), (-0.05, False)])
def test_the_exponent_of_made_up_gaps_is_found_and_read_one_sided(power, consistent):
    found = fitted(noisy(power))
    low, high = found.interval
    assert low <= found.exponent <= high
    assert abs(found.exponent - power) < 0.25
    assert found.theorem == -0.5
    assert found.consistent is consistent
    assert ("as the theorem says" in str(found)) == consistent


def test_the_interval_covers_the_truth_about_as_often_as_it_says():
    hits = [low <= -1 <= high for low, high in (fitted(noisy(-1.0, seed), seed=seed).interval for seed in range(60))]
    assert np.mean(hits) > 0.8


def test_censored_widths_are_left_out_and_said():
    gaps = noisy(-1.0)
    gaps[3] = 1e-9
    found = fitted(gaps)
    assert found.used.tolist() == [True, True, True, False]
    assert found.censored[3].all()
    assert (found.gaps[3] == 1e-6).all()
    assert abs(found.exponent + 1) < 0.3
    assert "20 of 20 below the resolution" in str(found)
    none = fitted(np.full_like(gaps, 1e-9))
    assert (none.exponent, none.interval, none.consistent) == (None, None, None)
    assert "no exponent" in str(none)


def test_hidden_weights_are_no_longer_than_1():
    model = BoundedReLU(3, 5).double()
    with torch.no_grad():
        model.hidden.mul_(7)
        before = model(torch.eye(3, dtype=torch.float64))
        model.hidden.mul_(2)
        assert torch.allclose(model(torch.eye(3, dtype=torch.float64)), before)
        model.hidden.mul_(0.01)
        assert not torch.allclose(model(torch.eye(3, dtype=torch.float64)), before)


@pytest.mark.parametrize(
    ("rows", "widths", "options", "words"),
    [
        (30, [2, 4], {}, "too few for 4 hidden units"),
        (100, [2], {}, "two different positive numbers, got"),
        (100, [2, 4], {"penalty": 0.0}, "penalty must be a number in .*, got 0.0"),
        (100, [2, 4], {"pairs": 1}, "pairs must be a whole number in .*, got 1"),
    ],
)
def test_what_makes_no_fit_is_refused(rows, widths, options, words):
    x = torch.randn(rows, 2, generator=torch.Generator().manual_seed(0))
    with pytest.raises(tl.InputError, match=words):
        tl.theory.asymptotic_exponent((x, x[:, 0]), widths, **options)
