"""Tallies, minibatches, and searches that share their evaluations."""

from dataclasses import replace
from itertools import combinations

import pytest
import torch
from torch.nn import functional as F

from tda_landscape import InputError
from tda_landscape.energy import Energy, networks, tally, zoo
from tda_landscape.energy._batching import Meter, drive
from tda_landscape.energy._downhill import minimize

ROWS = 6


def batched_energy(loss=F.cross_entropy, batch_size=2, weight_decay=0.01):
    generator = torch.Generator().manual_seed(0)
    data = torch.randn(ROWS, 3, generator=generator), torch.arange(ROWS) % 2
    return Energy.from_model(networks.mlp([3, 2]), loss, data, batch_size=batch_size, weight_decay=weight_decay)


def counts(cost):
    return cost.values, cost.gradients, cost.hvps, cost.hessian_columns


def test_every_evaluation_is_counted_once():
    counted, cost = tally(zoo.double_well(3))
    x = counted.start(4, 0)
    assert counts(cost) == (0, 0, 0, 0)
    counted(x)
    counted.value_and_grad(x[:3])
    counted.hvp(x[:2], x[:2])
    counted.hessian(x[:1])
    assert counts(cost) == (4, 3, 2, 3)
    assert cost.gradient_equivalents == pytest.approx(4 / 3 + 3 + 2 * 2 + 3)
    counted.wrap(x), counted.displacement(x, x), counted.draw_batch(0)
    assert counts(cost) == (4, 3, 2, 3)


def test_counting_gives_the_same_numbers():
    energy = zoo.mueller_brown()
    counted, _ = tally(energy)
    x = energy.start(5, 0)
    assert torch.equal(counted(x), energy(x))
    assert torch.equal(counted.hessian(x), energy.hessian(x))
    assert energy.counters == ()


def test_a_minibatch_counts_its_fraction():
    counted, cost = tally(batched_energy())
    x = counted.start(3, 0)
    batch = counted.draw_batch(0)
    batch.value_and_grad(x)
    assert cost.gradients == pytest.approx(3 * 2 / ROWS)
    batch(x)
    batch.hvp(x, x)
    batch.hessian(x[:1])
    assert (cost.values, cost.hvps) == (pytest.approx(1.0), pytest.approx(1.0))
    assert cost.hessian_columns == pytest.approx(counted.dim / 3)
    counted(x)
    assert cost.values == pytest.approx(4.0)


def test_tallies_nest():
    outer_energy, outer = tally(zoo.double_well(2))
    inner_energy, inner = tally(outer_energy)
    x = outer_energy.start(2, 0)
    outer_energy(x)
    inner_energy(x)
    assert (outer.values, inner.values) == (4, 2)


def test_chunks_are_not_counted_twice():
    counted, cost = tally(replace(zoo.double_well(2), chunk_size=2))
    counted.hessian(counted.start(5, 0))
    assert cost.hessian_columns == 10


def rows_of(batch, energy):
    whole = energy.network.inputs
    return tuple(sorted(int(torch.nonzero((whole == row).all(1))) for row in batch.network.inputs))


def test_a_minibatch_is_the_loss_of_its_rows():
    energy = batched_energy()
    x = energy.start(3, 0)
    batch = energy.draw_batch(4)
    rows = list(rows_of(batch, energy))
    assert len(set(rows)) == 2
    inputs, targets = energy.network.inputs[rows], energy.network.targets[rows]
    for theta, value in zip(x, batch(x), strict=True):
        logits = inputs @ theta[:6].view(2, 3).T + theta[6:]
        assert value.item() == pytest.approx((F.cross_entropy(logits, targets) + 0.01 * theta.square().sum()).item())
    assert not torch.allclose(batch(x), energy(x), rtol=1e-3)  # control: no batch is the whole


def test_every_minibatch_is_equally_likely():
    energy = batched_energy()
    generator = torch.Generator().manual_seed(0)
    seen = dict.fromkeys(combinations(range(ROWS), 2), 0)
    for _ in range(1500):
        seen[rows_of(energy.draw_batch(generator), energy)] += 1
    chi_squared = sum((n - 100) ** 2 / 100 for n in seen.values())
    assert chi_squared < 36.1  # 0.999 quantile with 14 degrees of freedom
    assert min(seen.values()) > 0


def test_gradients_of_minibatches_are_unbiased():
    energy = batched_energy(weight_decay=1.0)
    x = energy.start(1, 0)
    full = energy.value_and_grad(x)[1][0]
    generator = torch.Generator().manual_seed(1)
    draws = torch.stack([energy.draw_batch(generator).value_and_grad(x)[1][0] for _ in range(1200)])
    error = (draws.mean(0) - full).abs()
    tolerance = 4.5 * draws.std(0) / len(draws) ** 0.5
    assert (error < tolerance).all()
    assert ((draws[0] - full).abs() > tolerance).any()  # control: one batch is not the mean
    half_decay = full - x[0]  # control: half of the weight decay would be seen
    assert ((draws.mean(0) - half_decay).abs() > tolerance).any()


def test_a_summed_loss_is_refused_with_minibatches_or_scaled():
    # A sum over the rows of a batch is batch/n of the sum over all: its gradient is biased by that factor.
    def summed(outputs, targets):
        return F.cross_entropy(outputs, targets, reduction="sum")

    try:
        energy = batched_energy(summed, weight_decay=0.0)
    except InputError:
        return
    x = energy.start(1, 0)
    generator = torch.Generator().manual_seed(1)
    mean = torch.stack([energy.draw_batch(generator)(x) for _ in range(400)]).mean()
    assert mean.item() == pytest.approx(energy(x).item(), rel=0.1)


def test_without_a_batch_size_the_batch_is_the_energy_itself():
    for energy in (zoo.double_well(2), batched_energy(batch_size=None), batched_energy(batch_size=ROWS)):
        x = energy.start(2, 0)
        batch = energy.draw_batch(0)
        assert torch.equal(batch(x), energy(x))
        assert batch.fraction == 1
    batch = batched_energy().draw_batch(0)
    assert batch.draw_batch(1) is batch


def climb(meter, point, steps):
    """A search that asks for gradients and values in turn, and says what it was answered."""
    heard = []
    for i in range(steps):
        if i % 2:
            heard.append((yield from meter.values(point + i)))
        else:
            heard.append((yield from meter.gradients(point + i))[1].sum(1))
    return torch.stack(heard) if heard else None


def test_searches_side_by_side_get_the_answers_they_would_get_alone():
    counted, cost = tally(zoo.double_well(2))
    x = counted.start(6, 0)
    jobs = [(x[:1], 3), (x[1:4], 5), (x[4:], 0), (x[4:], 2)]
    meters = [Meter() for _ in jobs]
    together = drive(counted, [climb(m, *job) for m, job in zip(meters, jobs, strict=True)])
    assert sum(m.spent for m in meters) == pytest.approx(cost.gradient_equivalents)
    for job, answer in zip(jobs, together, strict=True):
        (alone,) = drive(zoo.double_well(2), [climb(Meter(), *job)])
        assert (alone is None and answer is None) or torch.equal(alone, answer)
    assert drive(counted, []) == []


def test_searches_share_their_batches():
    calls = []

    def watched(x):
        calls.append(len(x))
        return x.square().sum(1)

    energy = Energy.from_function(watched, 2)
    calls.clear()
    drive(energy, [climb(Meter(), energy.start(2, i), 4) for i in range(5)])
    assert calls == [10, 10, 10, 10]


def test_descent_reaches_the_minimum_of_a_badly_scaled_bowl():
    scales = torch.tensor([1.0, 30.0, 1000.0], dtype=torch.float64)
    bowl = Energy.from_function(lambda x: (scales * (x - 1) ** 2).sum(1), 3)
    x = 5 * bowl.start(4, 0)
    (ends,) = drive(bowl, [minimize(x, 1.0, 1e-9, 500, Meter())])
    assert torch.allclose(ends.points, torch.ones_like(x), atol=1e-7)
    (early,) = drive(bowl, [minimize(x, 1.0, 1e-9, 2, Meter())])
    assert not torch.allclose(early.points, torch.ones_like(x), atol=1e-3)  # control


def test_infinite_energies_stay_infinite_on_the_way_down():
    # nan_to_num(nan=inf) also turns +inf into 1.8e308, which is finite, and -inf into a deep minimum.
    walled = Energy.from_function(
        lambda x: torch.where(x[:, 0] > 5, torch.inf, torch.where(x[:, 0] < -5, torch.nan, x.square().sum(1))),
        2,
        bounds=(-1, 1),
    )
    start = torch.tensor([[1.0, 1.0], [9.0, 0.0], [-9.0, 0.0]], dtype=torch.float64)
    (ends,) = drive(walled, [minimize(start, 1.0, 1e-9, 100, Meter())])
    assert torch.isfinite(ends.energies).tolist() == [True, False, False]
    assert torch.equal(ends.points[1:], start[1:])
