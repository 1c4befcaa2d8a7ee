"""summary() and to_arviz(): what cannot be decided is n/a, what has not mixed is said in sentences."""

import sys

import numpy as np
import pytest
import torch
from arviz_stats.base.array import array_stats

from samplers import MALA, Chains, Langevin, NumpyPotential, RunState, run
from tda_landscape.energy import Energy, zoo


def chains_of(points, start=None, diverged=None):
    """Chains made of given numbers (chain, draw, dim)."""
    points = torch.as_tensor(points, dtype=torch.float64)
    start = points[:, 0] if start is None else torch.as_tensor(start, dtype=torch.float64)
    k = len(points)
    none = torch.zeros(k, dtype=torch.bool) if diverged is None else diverged
    state = RunState(None, None, None, k, start, none, 0)
    return Chains(points, (points**2).sum(2), torch.arange(k), none, None, None, 1, state)


def noise(*shape, seed=0):
    return np.random.default_rng(seed).standard_normal(shape)


def test_independent_draws_are_fine():
    for seed in range(5):
        chains = chains_of(noise(8, 1000, 3, seed=seed), noise(8, 3, seed=100 + seed))
        summary = chains.summary()
        assert summary.ok, str(summary)
        assert summary.rhat < 1.01
        assert [d.name for d in summary.diagnostics] == ["energy", "coordinate 0", "coordinate 1", "coordinate 2"]


def test_the_numbers_are_those_of_arviz():
    points = noise(4, 300, 1).cumsum(1) * 0.1 + noise(4, 300, 1, seed=1)
    found = chains_of(points).summary().diagnostics[1]
    assert found.rhat == pytest.approx(float(array_stats.rhat(points[:, :, 0], chain_axis=0, draw_axis=1)))
    assert found.ess_bulk == pytest.approx(float(array_stats.ess(points[:, :, 0], chain_axis=0, draw_axis=1)))
    tail = array_stats.ess(points[:, :, 0], chain_axis=0, draw_axis=1, method="tail", prob=(0.05, 0.95))
    assert found.ess_tail == pytest.approx(float(tail))


@pytest.mark.parametrize(
    ("points", "what"),
    [
        (noise(1, 500, 2), "One chain alone"),
        (noise(4, 3, 2), "cannot be decided"),
        (np.zeros((4, 500, 2)), "cannot be decided"),
        (np.where(np.arange(4)[:, None, None] == 1, 0.5, noise(4, 500, 2)), "cannot be decided"),
    ],
    ids=["one chain", "three draws", "constant", "one stuck chain"],
)
def test_what_cannot_be_decided_is_na_and_never_ok(points, what):
    summary = chains_of(points).summary()
    assert summary.rhat is None
    assert "R-hat n/a" in str(summary)
    assert not summary.ok
    assert any(what in sentence for sentence in summary.warnings)
    assert "nan" not in str(summary)


def test_a_coordinate_that_never_moves_spoils_only_itself():
    points = noise(4, 500, 2)
    points[:, :, 1] = 3.0
    summary = chains_of(points).summary()
    assert summary.diagnostics[1].rhat is not None
    assert summary.diagnostics[2].rhat is None
    assert summary.rhat is None


def test_chains_in_two_wells_have_not_mixed():
    points = noise(8, 500, 1) * 0.1 + np.where(np.arange(8) % 2, 1.0, -1.0)[:, None, None]
    summary = chains_of(points).summary()
    assert summary.rhat > 1.5
    assert any("have not mixed" in sentence for sentence in summary.warnings)


def test_a_start_that_is_not_forgotten_is_said():
    """Chains that begin in two wells and are too cold to leave them; hot ones do forget."""

    def both(x):
        return ((x * x - 1) ** 2).sum(1), 4 * x * (x * x - 1)

    wells = NumpyPotential(1, lambda x: both(x)[0], lambda x: both(x)[1], both)
    start = np.where(np.arange(64) % 2, 1.0, -1.0)[:, None]
    cold = run(wells, MALA(0.05, temperature=0.05), start, draws=200, warmup=100, seed=0).summary()
    assert any("start is not forgotten" in sentence for sentence in cold.warnings)
    hot = run(wells, MALA(0.3, temperature=2.0), start, draws=200, warmup=100, seed=0).summary()
    assert not any("start" in sentence for sentence in hot.warnings), str(hot)


def test_drift_is_said():
    bowl = Energy.from_function(lambda x: (x**2).sum(1) / 2, 1)
    start = torch.full((64, 1), 10.0, dtype=torch.float64)
    drifting = run(bowl, Langevin(0.005, 1.0), start, draws=300, seed=0, plan=64).summary()
    assert any("still drift" in sentence for sentence in drifting.warnings)
    settled = run(bowl, Langevin(0.1, 1.0), start, draws=300, warmup=300, seed=0, plan=64).summary()
    assert not any("drift" in sentence for sentence in settled.warnings), str(settled)


def test_false_alarms_are_rare():
    alarms = 0
    for seed in range(100):
        points = noise(16, 40, 4, seed=seed)
        warnings = chains_of(points, noise(16, 4, seed=1000 + seed)).summary().warnings
        alarms += any("start" in sentence or "drift" in sentence for sentence in warnings)
    assert alarms <= 2


def test_many_coordinates_are_sampled_and_that_is_said():
    summary = chains_of(noise(4, 50, 200)).summary()
    assert len(summary.diagnostics) == 65
    assert "64 of 200 coordinates" in summary.text
    assert summary.diagnostics[-1].name == "coordinate 199"


def test_arviz_gets_chains_draws_and_energies():
    energy = zoo.double_well(2)
    start = energy.start(5, 0)
    start[2] = torch.nan
    chains = run(energy, MALA(0.1, 0.3), start, draws=30, warmup=10, plan=5)
    tree = chains.to_arviz()
    assert tree["posterior"]["points"].dims == ("chain", "draw", "dim")
    assert np.array_equal(tree["posterior"]["points"].values, chains.points.numpy())
    assert np.array_equal(tree["sample_stats"]["potential_energy"].values, chains.energies.numpy())
    assert tree["posterior"]["chain"].values.tolist() == [0, 1, 3, 4]


def test_arviz_missing_is_one_sentence(monkeypatch):
    monkeypatch.setitem(sys.modules, "arviz_base", None)
    chains = run(zoo.double_well(2), MALA(0.1, 0.3), zoo.double_well(2).start(5, 0), draws=3, plan=5)
    with pytest.raises(ModuleNotFoundError, match=r"tda-landscape\[arviz\]") as caught:
        chains.to_arviz()
    assert len(str(caught.value).splitlines()) == 1
