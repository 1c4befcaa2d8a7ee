"""Basin hopping: all minima from one start, Metropolis over minima, sizes of its own, and the known global minimum."""

import functools
import math
from statistics import NormalDist

import numpy as np
import pytest
import torch

import samplers
import tda_landscape as tl
from samplers import BasinHopping


def hopping(energy, step_size=1.0, temperature=0.5, **settings):
    return BasinHopping(step_size, temperature, functools.partial(tl.minimize, energy), **settings)


def minima_met(energy, kernel, start, draws, seed=0):
    """Distinct points of a run, and whether all of its points are minima."""
    chains = samplers.run(energy, kernel, start, draws=draws, seed=seed)
    points = chains.points.flatten(0, 1)
    energies, gradients = energy.value_and_grad(points)
    settled = bool((gradients.norm(dim=1) <= 1e-8 * (1 + energies.abs())).all())
    return {tuple(row) for row in points.round(decimals=4).tolist()}, settled


def test_all_minima_from_one_start():
    energy = tl.zoo.tilted_wells(3)
    start = torch.full((4, 3), 0.9, dtype=torch.float64)
    met, settled = minima_met(energy, hopping(energy), start, draws=80)
    assert settled
    assert met == {(a, b, c) for a in (-2.0, 1.0) for b in (-2.0, 1.0) for c in (-2.0, 1.0)}
    cold, settled = minima_met(energy, hopping(energy, temperature=1e-3), start, draws=80)  # control: no way up
    assert settled
    assert 1 < len(cold) < 8
    assert (-2.0, -2.0, -2.0) in cold


def test_a_step_that_is_too_small_at_first_grows_until_it_leaves():
    energy = tl.zoo.tilted_wells(2)
    start = torch.full((3, 2), 1.0, dtype=torch.float64)
    met, _ = minima_met(energy, hopping(energy, step_size=0.01), start, draws=80)
    assert len(met) == 4
    frozen, _ = minima_met(energy, hopping(energy, step_size=0.01, leave=1e-6), start, draws=80)  # control
    assert len(frozen) == 1


class TwoWells:
    """Minima at -1 and 1, the second `gap` higher; the boundary is at 0, so both are left equally often."""

    dim = 1

    def __init__(self, gap):
        self.gap = gap

    def __call__(self, points):
        return self.gap * (points[:, 0] > 0) + 0.0 * points[:, 0]

    def value_and_grad(self, points):
        return self(points), points * 0

    def draw_batch(self, rng, chains):
        return self


def test_minima_are_visited_as_their_boltzmann_factors_say():
    gap, temperature = 1.0, 0.7
    start = torch.ones(200, 1, dtype=torch.float64)
    exact = 1 / (1 + math.exp(gap / temperature))
    shares = {}
    for given in (temperature, 2 * temperature):
        chains = samplers.run(TwoWells(gap), BasinHopping(1.0, given, torch.sign), start, draws=300, warmup=50, seed=1)
        shares[given] = float((chains.points > 0).double().mean())
    assert shares[temperature] == pytest.approx(exact, abs=0.01)
    assert abs(shares[2 * temperature] - exact) > 0.1  # control: another temperature is told apart


@pytest.mark.parametrize("leave", [0.15, 0.35])
def test_sizes_go_where_the_stated_share_of_trials_leaves(leave):
    """On the line a trial leaves the lower well of the quartic (from -2 over the top at 0) with chance Q(2 / s)."""
    energy = tl.zoo.quartic()
    kernel = hopping(energy, step_size=0.3, temperature=1e-3, leave=leave)
    chances = []
    generator = torch.Generator().manual_seed(0)
    state = kernel.init(energy, torch.full((64, 1), -2.0, dtype=torch.float64), generator)
    first = float(state.sizes[0])
    for step in range(200):
        state, _ = kernel.step(energy, state, generator)
        if step >= 80:
            chances += [1 - NormalDist().cdf(2 / s) for s in state.sizes.tolist()]
    assert state.points.allclose(torch.tensor(-2.0, dtype=torch.float64), atol=1e-6)  # cold: every leap is refused
    assert sum(chances) / len(chances) == pytest.approx(leave, abs=0.015)
    assert 1 - NormalDist().cdf(2 / first) < 0.01  # control: the size given was far from it


def test_the_public_check_accepts_it_with_a_true_quench():
    energy = tl.zoo.double_well(2)
    tl.testing.check_kernel(hopping(energy), energy=energy)


def test_sample_takes_it_and_a_torus_is_kept():
    energy = tl.zoo.fourier(3)
    cloud = tl.sample(energy, hopping(energy, step_size=0.2, temperature=2.0), chains=6, steps=20, every=5)
    assert cloud.points.shape == (24, 2)
    assert bool(((cloud.points >= 0) & (cloud.points < 1)).all())
    assert bool((energy.value_and_grad(cloud.points)[1].norm(dim=1) < 1e-6).all())


def test_numpy_throughout():
    wells = samplers.NumpyPotential(1, lambda x: ((x**2 - 1) ** 2)[:, 0], lambda x: 4 * x * (x**2 - 1))
    chains = samplers.run(wells, BasinHopping(1.0, 0.5, np.sign), np.full((5, 1), 0.3), draws=40, seed=0)
    assert set(chains.points.flatten().tolist()) == {-1.0, 1.0}


@pytest.mark.parametrize(
    ("settings", "word"),
    [
        ({"minimize": None}, "minimize"),
        ({"step_size": 0.0}, "step_size"),
        ({"temperature": -1.0}, "temperature"),
        ({"leave": 1.0}, "leave"),
        ({"leave": float("nan")}, "leave"),
    ],
)
def test_settings_that_make_no_sense(settings, word):
    with pytest.raises(ValueError, match=word) as caught:
        BasinHopping(**{"step_size": 1.0, "temperature": 1.0, "minimize": torch.sign} | settings)
    assert len(str(caught.value).splitlines()) == 1


def test_a_quench_of_another_shape_is_refused():
    energy = tl.zoo.quartic()
    with pytest.raises(ValueError, match=r"\(3, 1\)"):
        samplers.run(energy, BasinHopping(1.0, 1.0, lambda x: x[:1]), energy.start(3, 0), draws=1)


@pytest.mark.slow
def test_the_global_minimum_of_thirteen_atoms_from_random_starts():
    energy = tl.zoo.lennard_jones(13)
    generator = torch.Generator().manual_seed(0)
    start = torch.randn(8, 39, generator=generator, dtype=torch.float64)  # no cluster: atoms anywhere in a cloud
    quench = functools.partial(tl.minimize, energy, tolerance=1e-5, max_steps=400)
    chains = samplers.run(energy, BasinHopping(0.4, 0.8, quench), start, draws=100, seed=0)
    lowest = chains.energies.min(1).values
    assert lowest.tolist() == pytest.approx([-44.326801] * 8, abs=1e-6)
    assert float(energy(quench(start)).min()) > -42  # control: quenching the starts alone does not find it
