"""What the kernels do in numbers: closed forms, torch's own optimiser, stationary laws."""

import math

import pytest
import torch
from torch.nn import functional as F

from samplers import SGD, GradientDescent, Langevin
from tda_landscape.energy import Energy, networks
from tda_landscape.energy._minibatches import distinct_rows

CURVATURE = torch.tensor([1.0, 4.0], dtype=torch.float64)


def bowl(center=0.0):
    return Energy.from_function(lambda x: (CURVATURE * (x - center) ** 2).sum(1) / 2, 2)


def run(kernel, energy, points, steps, seed=0):
    generator = torch.Generator().manual_seed(seed)
    state = kernel.init(energy, points, generator)
    track = [state.points]
    for _ in range(steps):
        state, _ = kernel.step(energy, state, generator)
        track.append(state.points)
    return torch.stack(track)


def test_gradient_descent_on_a_bowl_is_a_power():
    x = bowl().start(4, 0)
    track = run(GradientDescent(lr=0.3), bowl(), x, 15)
    powers = torch.stack([(1 - 0.3 * CURVATURE) ** n for n in range(16)])
    assert torch.allclose(track, powers[:, None] * x, rtol=1e-12)
    assert not torch.allclose(track[1], (1 - 0.6 * CURVATURE) * x)  # control: another rate


def test_gradient_descent_is_stable_up_to_two_over_the_curvature():
    x = torch.ones(1, 2, dtype=torch.float64)
    assert run(GradientDescent(lr=0.49), bowl(), x, 200)[-1].norm() < 1e-3
    assert run(GradientDescent(lr=0.51), bowl(), x, 200)[-1].norm() > 1e3


def test_without_momentum_and_batches_sgd_is_gradient_descent():
    x = bowl().start(3, 0)
    assert torch.equal(run(SGD(lr=0.1), bowl(), x, 10), run(GradientDescent(lr=0.1), bowl(), x, 10))
    assert not torch.equal(run(SGD(lr=0.1, momentum=0.5), bowl(), x, 10), run(SGD(lr=0.1), bowl(), x, 10))


def model_energy(batch_size):
    generator = torch.Generator().manual_seed(0)
    data = torch.randn(12, 3, generator=generator, dtype=torch.float64), torch.arange(12) % 2
    model = networks.mlp([3, 4, 2], seed=1).double()
    return model, Energy.from_model(model, F.cross_entropy, data, weight_decay=0.02, batch_size=batch_size)


def rows_of(energy, generator):
    """The rows that a single chain trains on in its next step."""
    batch = energy.draw_batch(generator, 1)
    return torch.arange(12) if batch is energy else batch.evaluator.rows[0]


def by_torch(model, energy, decay, momentum, steps=25, seed=0):
    """torch.optim.SGD on the same minibatches; its weight decay is w -> decay/2 |w|^2."""
    optimizer = torch.optim.SGD(model.parameters(), lr=0.2, momentum=momentum, weight_decay=decay)
    generator, track = torch.Generator().manual_seed(seed), []
    for _ in range(steps):
        batch = energy.network.on_rows(rows_of(energy, generator))
        optimizer.zero_grad()
        F.cross_entropy(model(batch.inputs), batch.targets).backward()
        optimizer.step()
        track.append(torch.cat([p.detach().reshape(-1) for p in model.parameters()]))
    return torch.stack(track)


@pytest.mark.parametrize("batch_size", [None, 4])
@pytest.mark.parametrize("momentum", [0.0, 0.9])
def test_sgd_is_torchs_sgd(batch_size, momentum):
    model, energy = model_energy(batch_size)
    start = energy.network.flatten(model)[None]
    ours = run(SGD(lr=0.2, momentum=momentum), energy, start, 25)[1:, 0]
    assert torch.allclose(ours, by_torch(model, energy, 0.04, momentum), rtol=1e-9, atol=1e-11)
    model, _ = model_energy(batch_size)  # control: the other convention of weight decay, or other batches
    assert not torch.allclose(ours, by_torch(model, energy, 0.02, momentum), rtol=1e-3)
    if batch_size:
        model, _ = model_energy(batch_size)
        assert not torch.allclose(ours, by_torch(model, energy, 0.04, momentum, seed=1), rtol=1e-3)


def test_each_chain_draws_its_own_minibatches():
    """Chains that share minibatches share their noise: an average over them would have no honest error bar."""
    _, energy = model_energy(3)
    twins = energy.start(1, 0).repeat(200, 1)
    own = run(SGD(lr=0.1), energy, twins, 1)[1] - twins
    gradients = -own / 0.1
    center = energy.value_and_grad(twins[:1])[1]
    error = gradients.std(0) / 200**0.5
    assert ((gradients.mean(0) - center).abs() < 5 * error + 1e-12).all()  # unbiased
    shared = torch.stack(  # control: one minibatch for all leaves the average as noisy as a single chain
        [energy.draw_batch(seed).value_and_grad(twins[:1])[1][0] for seed in range(200)]
    )
    assert torch.allclose(shared.std(0), gradients.std(0), rtol=0.3, atol=1e-3)
    assert len(torch.unique(own, dim=0)) > 100


def test_minibatches_are_uniform_subsets():
    for size, total in ((2, 12), (5, 8)):  # by redrawing repeated rows, and by sorting
        rows = distinct_rows(20_000, size, total, torch.Generator().manual_seed(0)).sort(1).values
        assert (rows.diff(dim=1) > 0).all()
        assert rows.min() == 0
        assert rows.max() == total - 1
        _, counts = torch.unique(rows, dim=0, return_counts=True)
        subsets = math.comb(total, size)
        assert len(counts) == subsets
        expected = 20_000 / subsets
        chi = float(((counts - expected) ** 2 / expected).sum())
        assert abs(chi - (subsets - 1)) < 5 * (2 * (subsets - 1)) ** 0.5


@pytest.mark.parametrize("step", [0.1, 0.4])
def test_langevin_has_the_variance_of_its_step_size(step):
    temperature, chains = 0.5, 20_000
    zero = torch.zeros(chains, 2, dtype=torch.float64)
    steps = math.ceil(14 / step)  # the slow coordinate forgets its start as (1 - h)^(2 n)
    end = run(Langevin(step_size=step, temperature=temperature), bowl(), zero, steps)[-1]
    variance = end.var(0)
    expected = 2 * temperature / (CURVATURE * (2 - step * CURVATURE))
    error = 5 * (2 / chains) ** 0.5 * expected
    assert ((variance - expected).abs() < error).all()
    assert (end.mean(0).abs() < 5 * (expected / chains) ** 0.5).all()
    continuous = temperature / CURVATURE  # control: the law that the step only approaches is rejected
    assert (variance - continuous).abs()[1] > error[1]
    assert abs(float(torch.corrcoef(end.T)[0, 1])) < 5 / chains**0.5


def test_langevin_in_one_step_is_a_gaussian_around_the_gradient_step():
    chains, h, temperature = 20_000, 0.05, 0.7
    x = torch.full((chains, 2), 2.0, dtype=torch.float64)
    end = run(Langevin(h, temperature), bowl(center=0.5), x, 1)[-1]
    mean = 2 - h * CURVATURE * 1.5
    sd = math.sqrt(2 * h * temperature)
    assert ((end.mean(0) - mean).abs() < 5 * sd / chains**0.5).all()
    assert ((end.std(0) / sd - 1).abs() < 5 / (2 * chains) ** 0.5).all()
    standard = ((end - mean) / sd).flatten()
    assert abs(float((standard**4).mean()) - 3) < 5 * (96 / (2 * chains)) ** 0.5
    assert abs(float((standard**3).mean())) < 5 * (15 / (2 * chains)) ** 0.5


def test_langevin_weighs_two_wells_by_boltzmann():
    # E = (x^2 - 1)^2 + x / 4 at T = 0.6: share of x < 0 by quadrature, against the uniform share 1/2.
    def energy_of(x):
        return (x**2 - 1) ** 2 + x / 4

    grid = torch.linspace(-3, 3, 6001, dtype=torch.float64)
    weight = torch.exp(-energy_of(grid) / 0.6)
    share = float(weight[grid < 0].sum() / weight.sum())
    energy = Energy.from_function(lambda x: energy_of(x[:, 0]), 1)
    chains = 4000
    start = torch.where(torch.arange(chains)[:, None] % 2 == 0, 1.0, -1.0).to(torch.float64)
    end = run(Langevin(0.01, 0.6), energy, start, 1500)[-1]
    found = float((end < 0).double().mean())
    error = 4 * (share * (1 - share) / chains) ** 0.5
    assert abs(found - share) < error + 0.01  # 0.01: the bias of the step
    assert abs(found - 0.5) > error + 0.01
