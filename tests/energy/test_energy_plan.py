"""Plans: how many points are evaluated at once is measured once, can be given, and changes no number."""

import pytest
import torch
from torch.nn import functional as F

from tda_landscape import InputError, find_path, minimize, paths, quench, tally
from tda_landscape.energy import Energy, networks, zoo
from tda_landscape.energy import _plan as plans

SHORT = paths.Ladder(budget=100)


@pytest.fixture(autouse=True)
def forgotten(monkeypatch):
    monkeypatch.setattr("tda_landscape.energy._evaluator.measured", {})


def large(rows=3000, hidden=4):
    generator = torch.Generator().manual_seed(0)
    data = torch.randn(rows, 6, generator=generator), torch.randint(3, (rows,), generator=generator)
    return Energy.from_model(networks.mlp([6, hidden, 3], seed=0), F.cross_entropy, data, weight_decay=1e-3)


@pytest.mark.parametrize("name", ["network", "mueller_brown", "lennard_jones"])
def test_every_plan_gives_the_same_numbers(name):
    energy = {
        "network": lambda: large(300),
        "mueller_brown": zoo.mueller_brown,
        "lennard_jones": lambda: zoo.lennard_jones(5),
    }
    energy = energy[name]()
    x = energy.start(70, 0)
    alone = [energy.value_and_grad(point[None]) for point in x]
    for plan in (1, 3, 16, 64, 1000, {256: 4}, {256: 256}, None):
        here = energy if plan is None else energy.in_chunks(plan)
        energies, gradients = here.value_and_grad(x)
        scale = torch.cat([g for _, g in alone]).norm(dim=1, keepdim=True)
        assert torch.allclose(energies, torch.cat([e for e, _ in alone]), rtol=1e-12)
        assert ((gradients - torch.cat([g for _, g in alone])) / scale).abs().max() < 1e-12
        assert torch.allclose(here(x), energies, rtol=1e-12)


def batches(energy, monkeypatch):
    """Numbers of points that are evaluated at once, in order."""
    seen, way = [], energy.evaluator._way
    monkeypatch.setattr(
        type(energy.evaluator), "_way", lambda own, what, part: (seen.append(len(part)), way(what, part))[1]
    )
    return seen


def test_a_plan_that_is_given_is_used(monkeypatch):
    energy = large().in_chunks({16: 4, 64: 64})
    seen = batches(energy, monkeypatch)
    energy.value_and_grad(energy.start(10, 0))
    energy(energy.start(20, 0))
    assert seen == [4, 4, 2, 20]
    assert energy.plan == {16: 4, 64: 64}
    for wrong in (0, {16: 0}):
        with pytest.raises(InputError, match="at least 1"):
            energy.in_chunks(wrong)


def test_a_plan_is_measured_once_and_shared_by_copies_and_lookalikes(monkeypatch):
    energy = large()
    counted, cost = tally(energy)
    measuring = []
    monkeypatch.setattr(plans, "_seconds", lambda work: (measuring.append(1), work(), 1.0)[2])
    counted.value_and_grad(energy.start(10, 0))
    assert cost.gradients == 10  # what is measured is not charged
    assert energy.plan == counted.plan == {16: 16}
    first = len(measuring)
    assert first > 1
    counted.value_and_grad(energy.start(16, 1))
    large().value_and_grad(energy.start(5, 2))
    assert len(measuring) == first
    large(hidden=5)(large(hidden=5).start(10, 0))
    assert len(measuring) > first


@pytest.mark.parametrize(("dearest", "best"), [(4, 1), (16, 4), (1000, 64)])
def test_the_quickest_is_taken(monkeypatch, dearest, best):
    seconds = lambda points: len(points) * (100.0 if len(points) >= dearest else 1.0) + 20  # noqa: E731
    monkeypatch.setattr(plans, "_seconds", lambda work: seconds(work.args[0]))
    assert plans.quickest(len, torch.zeros(50, 2), 4096, {}) == best
    assert plans.quickest(len, torch.zeros(50, 2), 2, {}) == 4  # two at once are as many as may be


def test_nothing_is_measured_where_that_costs_more_than_it_brings(monkeypatch):
    monkeypatch.setattr(plans, "_seconds", lambda work: pytest.fail("measured"))
    for energy in (zoo.mueller_brown(), zoo.xor(), zoo.lennard_jones(7)):
        for k in (1, 5, 256):
            energy.value_and_grad(energy.start(k, 0))
        assert energy.plan == {8: 8, 1: 1, 256: 256} or energy.plan == {1: 1, 16: 16, 256: 256}
    with pytest.raises(pytest.fail.Exception):  # control
        large().value_and_grad(large().start(10, 0))


def test_no_random_number_is_drawn():
    energy, state = large(), torch.get_rng_state()
    x = energy.start(10, 0)
    energy.value_and_grad(x)
    assert torch.equal(torch.get_rng_state(), state)


@pytest.mark.parametrize("plan", [1, 4, {}])
def test_the_same_plan_gives_the_same_bits(plan):
    def run():
        energy = large(300).in_chunks(plan)
        ends = minimize(energy, energy.start(4, 1), max_steps=20)
        return quench(energy, ends, max_steps=5).points, find_path(energy, ends[0], ends[1], search=SHORT).points

    assert all(torch.equal(a, b) for a, b in zip(run(), run(), strict=True))


def test_a_run_with_the_plan_of_another_has_its_bits():
    first = large()
    once = minimize(first, first.start(20, 0), max_steps=10)
    again = large().in_chunks(first.plan)
    assert torch.equal(minimize(again, first.start(20, 0), max_steps=10), once)
