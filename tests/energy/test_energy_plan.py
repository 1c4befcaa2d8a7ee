"""Plans: how many points are evaluated at once is measured once, can be given, and changes no number."""

import pytest
import torch
from torch.nn import functional as F

from tda_landscape import InputError, find_path, minimize, paths, quench, tally
from tda_landscape.energy import Energy, networks, zoo
from tda_landscape.energy import _evaluator as evaluating
from tda_landscape.energy import _plan as plans
from tda_landscape.energy._account import SHARE

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
        with pytest.raises(InputError, match=r"whole number in \[1, inf\)"):
            energy.in_chunks(wrong)


def counted_measurements(monkeypatch):
    """Each measurement of a plan leaves an entry in the list."""
    measuring = []
    monkeypatch.setattr(evaluating, "quickest", lambda *given: (measuring.append(1), plans.quickest(*given))[1])
    return measuring


def test_a_plan_is_measured_once_and_shared_by_copies_and_lookalikes(monkeypatch):
    energy = large()
    counted, cost = tally(energy)
    measuring = counted_measurements(monkeypatch)
    counted.value_and_grad(energy.start(30, 0))
    assert cost.gradients == 30  # what is measured is not charged
    assert list(energy.plan) == [64]
    assert counted.plan == energy.plan
    counted.value_and_grad(energy.start(64, 1))
    again = large()
    again.value_and_grad(energy.start(25, 2))
    assert again.plan == energy.plan
    assert len(measuring) == 1
    large(hidden=5)(large(hidden=5).start(30, 0))
    assert len(measuring) == 2


class Clock:
    """Time that passes only where it is told to."""

    def __init__(self, monkeypatch):
        self.now = 0.0
        for place in (plans, evaluating):
            monkeypatch.setattr(place, "clock", lambda: lambda: self.now)

    def evaluate(self, cost):
        """An evaluation of points that takes cost(number of points)."""

        def run(points):
            self.now += cost(len(points))
            return (points[:, 0].clone(),)

        return run


@pytest.mark.parametrize(
    ("dearest", "first", "best"), [(4, 4, 1), (16, 16, 4), (16, 4, 4), (1000, 4, 16), (1000, 64, 64)]
)
def test_the_quickest_is_taken_with_its_answer(monkeypatch, dearest, first, best):
    clock, points = Clock(monkeypatch), torch.arange(100.0).view(50, 2)
    evaluate = clock.evaluate(lambda rows: rows * (5.0 if rows >= dearest else 1.0) + 2)
    rows, answer = plans.quickest(evaluate, points, first, 4096, loop=20.0)
    assert rows == best
    assert torch.equal(answer[0], points[:best, 0])
    rows, answer = plans.quickest(evaluate, points, 4, 2, loop=20.0)
    assert len(answer[0]) == min(rows, 2), "two at once are as many as may be"


def test_a_guess_that_a_plain_loop_beats_is_given_up_at_once(monkeypatch):
    clock, points = Clock(monkeypatch), torch.arange(100.0).view(50, 2)
    for loop, best in ((1.1, 4), (0.9, 1)):
        rows, answer = plans.quickest(clock.evaluate(float), points, 4, 4096, loop=loop)
        assert rows == best
        assert torch.equal(answer[0], points[:best, 0])


def test_a_near_tie_keeps_the_first_guess(monkeypatch):
    clock, points = Clock(monkeypatch), torch.zeros(300, 2)
    for gain, best in ((0.9, 16), (0.8, 64)):
        evaluate = clock.evaluate(lambda rows, gain=gain: rows * (gain if rows > 16 else 1.0))
        assert plans.quickest(evaluate, points, 16, 4096, loop=3.0)[0] == best


def test_a_batch_with_its_trials_takes_no_longer_than_a_plain_loop(monkeypatch):
    """For any times of a point, as long as the first guess is no slower than the loop, nor a trial than reckoned."""
    generator = torch.Generator().manual_seed(0)
    clock, tried = Clock(monkeypatch), 0
    for _ in range(300):
        k = int(torch.randint(20, 400, (1,), generator=generator))
        first = int(torch.randint(plans.SIZES.index(plans.size_of(k)) + 1, (1,), generator=generator))
        costs = 0.3 + 1.2 * torch.rand(len(plans.SIZES), generator=generator)
        costs[first] = costs[first].clamp(max=1.0)
        costs = dict(zip(plans.SIZES, costs.clamp(max=plans.WORST * float(costs[first])).tolist(), strict=True))
        evaluate = clock.evaluate(lambda rows, costs=costs: rows * costs[plans.size_of(rows)])
        begun = clock.now
        best, answer = plans.quickest(evaluate, torch.zeros(k, 2), plans.SIZES[first], 4096, loop=1.0)
        tried += clock.now - begun > costs[best] * len(answer[0]) + 1e-9
        assert clock.now - begun + (k - len(answer[0])) * costs[best] <= (1 + SHARE) * k + 1e-9
    assert tried > 100


def test_without_credit_nothing_is_tried(monkeypatch):
    clock, calls = Clock(monkeypatch), []
    evaluate = clock.evaluate(lambda rows: (calls.append(rows), float(rows))[1])
    plans.quickest(evaluate, torch.zeros(64, 2), 16, 4096, loop=1.0)
    assert calls == [16]
    plans.quickest(evaluate, torch.zeros(64, 2), 16, 4096, loop=3.0)
    assert calls == [16, 16, 64, 4], "control"


def test_the_first_guess_is_what_fits_in_the_cache():
    assert [plans.guess(width, 256) for width in (1, 5000, 50_000, 100_000, 10**7)] == [256, 16, 1, 1, 1]
    assert plans.guess(1, 16) == 16


def test_the_widest_tensor_is_that_of_activations():
    energy = large(rows=500, hidden=7)
    net, point = energy.network, energy.start(1, 0)[0].requires_grad_()
    assert plans.widest(lambda: net.value(point), net.inputs, net.targets) == 500 * 7
    assert net.activations == net.on_rows(torch.arange(20)).activations == 7
    assert energy.evaluator._width(point[None]) == 500 * 7
    wide = Energy.from_function(lambda x: (x[:, :, None] * x[:, None]).sin().sum((1, 2)), 30)
    assert wide.evaluator._width(wide.start(1, 0)) == 900


def test_nothing_is_measured_where_that_costs_more_than_it_brings(monkeypatch):
    measuring = counted_measurements(monkeypatch)
    for energy in (zoo.mueller_brown(), zoo.xor()):
        for k in (1, 5, 256):
            energy.value_and_grad(energy.start(k, 0))
        assert energy.plan == {1: 1, 16: 16, 256: 256}
    large().value_and_grad(large().start(10, 0))  # too few points to pay for it
    assert not measuring
    large().value_and_grad(large().start(30, 0))
    assert measuring, "control"


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
