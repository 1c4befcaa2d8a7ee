"""Minimize: a batch of descents, each as if it were alone."""

import pytest
import torch

import tda_landscape as tl


def test_ends_are_those_of_quench():
    energy = tl.zoo.mueller_brown()
    ends = tl.minimize(energy, energy.start(60, 0))
    minima = tl.quench(energy, energy.start(60, 0))
    nearest = torch.cdist(ends, minima.points).amin(1)
    assert len(minima) == 3
    assert bool((nearest < 1e-6).all())
    assert set(torch.cdist(ends, minima.points).argmin(1).tolist()) == {0, 1, 2}
    short = tl.minimize(energy, energy.start(60, 0), max_steps=2)  # control
    assert not bool((torch.cdist(short, minima.points).amin(1) < 1e-6).any())


def test_a_row_does_not_see_the_others_not_even_one_that_is_lost():
    energy = tl.zoo.xor()
    start = energy.start(6, 1)
    lost = start.clone()
    lost[2] = torch.nan
    lost[4] = 1e200
    ends, others = tl.minimize(energy, start), tl.minimize(energy, lost)
    kept = [0, 1, 3, 5]
    assert torch.equal(ends[kept], others[kept])
    assert bool(others[2].isnan().all())
    assert torch.equal(others[4], lost[4])
    alone = torch.cat([tl.minimize(energy, row[None]) for row in start])
    assert torch.allclose(alone, ends, atol=1e-5)
    energies, gradients = energy.value_and_grad(ends)
    assert bool((gradients.norm(dim=1) <= 1e-8 * (1 + energies.abs())).all())


def test_the_start_is_left_as_it_is():
    energy = tl.zoo.quartic()
    start = energy.start(4, 0)
    before = start.clone()
    assert not torch.equal(tl.minimize(energy, start), start)
    assert torch.equal(start, before)


def test_a_torus_is_kept():
    energy = tl.zoo.fourier(2)
    ends = tl.minimize(energy, energy.start(20, 0) + 5)
    assert bool(((ends >= 0) & (ends < 1)).all())


@pytest.mark.parametrize("settings", [{"tolerance": 0.0}, {"max_steps": -1}, {"first_step": float("nan")}])
def test_settings_that_make_no_descent(settings):
    ((name, value),) = settings.items()
    with pytest.raises(tl.InputError, match=f"{name} must be a .*number in .*, got {value}"):
        tl.minimize(tl.zoo.quartic(), [[0.5]], **settings)


def test_points_of_another_dimension_are_refused():
    with pytest.raises(tl.InputError, match=r"\(k, 1\)"):
        tl.minimize(tl.zoo.quartic(), [[0.5, 0.5]])
