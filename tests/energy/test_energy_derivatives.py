"""Values, gradients, Hessian-vector products and Hessians against formulas written a second time, and against
finite differences."""

from dataclasses import replace

import numpy as np
import pytest
import torch
from torch import nn
from torch.nn import functional as F

from tda_landscape.energy import Energy, networks, zoo

DECAY = 0.03


def data(rows=7, seed=0):
    generator = torch.Generator().manual_seed(seed)
    inputs = torch.randn(rows, 3, generator=generator, dtype=torch.float64)
    return inputs, torch.randint(0, 2, (rows,), generator=generator)


def penalty(parameters):
    return 0.1 * (parameters["0.weight"] ** 4).sum() + parameters["2.bias"][0]


def model_energy(**options):
    model = networks.mlp([3, 4, 2], seed=1)
    return Energy.from_model(model, F.cross_entropy, data(), weight_decay=DECAY, regularizer=penalty, **options)


def by_hand(theta):
    """The same energy of one flat vector, from matrix products, log and exp."""
    inputs, targets = data()
    w1, b1, w2, b2 = theta[:12].view(4, 3), theta[12:16], theta[16:24].view(2, 4), theta[24:26]
    logits = torch.tanh(inputs @ w1.T + b1) @ w2.T + b2
    log_z = torch.log(torch.exp(logits).sum(1))
    loss = (log_z - logits[torch.arange(len(targets)), targets]).mean()
    return loss + DECAY * (theta * theta).sum() + 0.1 * (w1**4).sum() + b2[0]


def points(k=5, dim=26, seed=3):
    return torch.randn(k, dim, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


def test_a_model_is_its_hand_written_loss():
    energy, x = model_energy(), points()
    truth = torch.stack([by_hand(row) for row in x])
    assert energy.dim == 26
    assert torch.allclose(energy(x), truth, rtol=1e-12)
    assert not torch.allclose(energy(x), truth - DECAY / 2 * x.square().sum(1), rtol=1e-3)  # no hidden 1/2


def test_first_and_second_derivatives_are_those_of_autograd():
    energy, x, v = model_energy(), points(), points(seed=4)
    energies, gradients = energy.value_and_grad(x)
    hessians = energy.hessian(x)
    products = energy.hvp(x, v)
    assert torch.equal(energies, energy(x))
    for i, row in enumerate(x):
        assert torch.allclose(gradients[i], torch.autograd.functional.jacobian(by_hand, row), rtol=1e-10, atol=1e-12)
        truth = torch.autograd.functional.hessian(by_hand, row)
        assert torch.allclose(hessians[i], truth, rtol=1e-9, atol=1e-11)
        assert torch.allclose(products[i], truth @ v[i], rtol=1e-9, atol=1e-11)
    assert torch.equal(hessians, hessians.mT)


def energies_to_differentiate():
    torus = zoo.fourier(seed=1, dim=3)
    black_box = Energy.from_function(
        lambda x: np.cos(np.asarray(x)).sum(axis=1), 2, grad=lambda x: -np.sin(np.asarray(x))
    )
    linear = Energy.from_function(lambda x: 3 * x[:, 0] - x[:, 1], 2)
    return {
        "model": model_energy(),
        "mueller_brown": zoo.mueller_brown(),
        "fourier": torus,
        "numpy": black_box,
        "linear": linear,
        "minibatch": model_energy(batch_size=3).draw_batch(0),
    }


@pytest.mark.parametrize("name", energies_to_differentiate())
def test_finite_differences_agree(name):
    energy = energies_to_differentiate()[name]
    x = energy.start(3, 5)
    v = torch.randn(3, energy.dim, generator=torch.Generator().manual_seed(6), dtype=torch.float64)
    v = v / v.norm(dim=1, keepdim=True)
    h = 1e-5
    along = (energy(x + h * v) - energy(x - h * v)) / (2 * h)
    _, gradients = energy.value_and_grad(x)
    slope = (gradients * v).sum(1)
    scale = 1 + gradients.norm(dim=1)
    assert ((along - slope).abs() < 1e-5 * scale).all()
    assert ((along - 1.01 * slope).abs() > 1e-5 * scale).any()  # control: an error of 1% would be seen
    above, below = energy.value_and_grad(x + h * v)[1], energy.value_and_grad(x - h * v)[1]
    second = (above - below) / (2 * h)
    size = 1 + second.norm(dim=1, keepdim=True)
    assert ((energy.hvp(x, v) - second).abs() < 1e-4 * size).all()
    full = torch.einsum("kij,kj->ki", energy.hessian(x), v)
    assert ((full - second).abs() < 1e-4 * size).all()


@pytest.mark.parametrize("chunk", [1, 2, 3, 1000])
def test_chunks_change_nothing(chunk):
    x, v = points(7), points(7, seed=4)
    energy = model_energy()
    small = replace(energy, chunk_size=chunk)
    assert torch.allclose(small(x), energy(x), rtol=1e-13)
    for a, b in zip(small.value_and_grad(x), energy.value_and_grad(x), strict=True):
        assert torch.allclose(a, b, rtol=1e-11, atol=1e-14)
    assert torch.allclose(small.hvp(x, v), energy.hvp(x, v), rtol=1e-11, atol=1e-13)
    assert torch.allclose(small.hessian(x[:2]), energy.hessian(x[:2]), rtol=1e-11, atol=1e-13)
    wells = zoo.double_well(2)  # one row at a time by construction: the bits are the same
    y = wells.start(7, 0)
    assert torch.equal(replace(wells, chunk_size=chunk).value_and_grad(y)[1], wells.value_and_grad(y)[1])


def test_rows_do_not_see_each_other():
    energy, x = model_energy(), points(6)
    bad = x.clone()
    bad[2] = torch.nan
    values, gradients = energy.value_and_grad(bad)
    others = [0, 1, 3, 4, 5]
    assert torch.isnan(values[2])
    assert torch.allclose(values[others], energy(x[others]), rtol=1e-13)
    assert torch.allclose(gradients[others], energy.value_and_grad(x[others])[1], rtol=1e-11, atol=1e-14)


@pytest.mark.parametrize("which", ["function", "model", "looped"])
def test_no_points_have_no_energies(which):
    energy = {"function": zoo.double_well(2), "model": model_energy(), "looped": stubborn_energy()}[which]
    nothing = torch.empty(0, energy.dim, dtype=torch.float64)
    assert energy(nothing).shape == (0,)
    energies, gradients = energy.value_and_grad(nothing)
    assert energies.shape == (0,)
    assert gradients.shape == (0, energy.dim)


class Branching(nn.Module):
    """Python control flow on values: vmap cannot take it."""

    def __init__(self):
        super().__init__()
        self.layer = nn.Linear(3, 2)

    def forward(self, x):
        h = self.layer(x)
        return 3 * h if h.detach().sum().item() > 0 else h


class WritingInPlace(nn.Module):
    """Writes into a buffer of its own making, which vmap refuses."""

    def __init__(self):
        super().__init__()
        self.layer = nn.Linear(3, 2)

    def forward(self, x):
        out = torch.zeros(len(x), 2, dtype=x.dtype)
        out[:, 0] += self.layer(x)[:, 0]
        out[:, 1] = self.layer(x)[:, 1]
        return out


def stubborn_energy(module=Branching, **options):
    return Energy.from_model(module(), F.cross_entropy, data(), **options)


@pytest.mark.parametrize("module", [Branching, WritingInPlace])
def test_modules_that_vmap_cannot_take_give_the_right_values(module):
    inputs, targets = data()
    energy = stubborn_energy(module)
    x = points(6, energy.dim)

    def truth(theta):
        h = inputs @ theta[:6].view(2, 3).T + theta[6:]
        return F.cross_entropy(3 * h if module is Branching and h.sum() > 0 else h, targets)

    branches = {bool((inputs @ row[:6].view(2, 3).T + row[6:]).sum() > 0) for row in x}
    assert branches == {True, False}  # both ways are taken, so that one way for all would be wrong
    assert torch.allclose(energy(x), torch.stack([truth(row) for row in x]), rtol=1e-12)
    gradients = torch.stack([torch.autograd.functional.jacobian(truth, row) for row in x])
    assert torch.allclose(energy.value_and_grad(x)[1], gradients, rtol=1e-10, atol=1e-13)
    hessian = torch.autograd.functional.hessian(truth, x[0])
    assert torch.allclose(energy.hessian(x[:1])[0], hessian, rtol=1e-9, atol=1e-12)


def test_minibatches_of_a_module_that_vmap_cannot_take():
    energy = stubborn_energy(batch_size=3)
    batch = energy.draw_batch(0)
    theta = points(2, energy.dim)
    values, gradients = batch.value_and_grad(theta)
    assert values.shape == (2,)
    assert torch.isfinite(gradients).all()


class Tied(nn.Module):
    """One matrix used as encoder and, transposed by sharing the parameter, as decoder."""

    def __init__(self):
        super().__init__()
        self.down = nn.Linear(3, 3, bias=False)
        self.up = nn.Linear(3, 3, bias=True)
        self.up.weight = self.down.weight

    def forward(self, x):
        return self.up(torch.tanh(self.down(x)))


def test_tied_weights_are_one_parameter():
    inputs, _ = data()
    energy = Energy.from_model(Tied(), F.mse_loss, (inputs, inputs), weight_decay=DECAY)
    assert energy.dim == 9 + 3
    x = energy.start(3, 0)

    def truth(theta):
        w, b = theta[:9].view(3, 3), theta[9:]
        return (torch.tanh(inputs @ w.T) @ w.T + b - inputs).square().mean() + DECAY * theta.square().sum()

    assert torch.allclose(energy(x), torch.stack([truth(row) for row in x]), rtol=1e-12)
    gradients = torch.stack([torch.autograd.functional.jacobian(truth, row) for row in x])
    assert torch.allclose(energy.value_and_grad(x)[1], gradients, rtol=1e-10, atol=1e-13)


@pytest.mark.parametrize("activation", ["relu", "tanh"])
def test_hessians_of_piecewise_linear_networks_do_not_fail(activation):
    inputs, targets = data()
    energy = Energy.from_model(networks.mlp([3, 4, 1], activation=activation), lambda o, t: o.sum(), (inputs, targets))
    assert energy.hessian(energy.start(2, 0)).shape == (2, energy.dim, energy.dim)


def test_float32_when_asked_for():
    energy = model_energy(dtype=torch.float32)
    assert energy(points()).dtype == torch.float32
    assert torch.allclose(energy(points()).double(), model_energy()(points()), rtol=1e-4)
    assert model_energy()(points().float()).dtype == torch.float64


def test_points_may_be_lists_arrays_and_tensors_that_need_a_gradient():
    energy = zoo.double_well(2)
    truth = energy(torch.tensor([[0.5, 2.0]], dtype=torch.float64))
    tracked = torch.tensor([[0.5, 2.0]], requires_grad=True)
    for given in ([[0.5, 2.0]], np.array([[0.5, 2.0]]), np.array([[0.5, 2.0]], dtype=np.float32), tracked):
        assert torch.equal(energy(given), truth)
        assert not energy.value_and_grad(given)[1].requires_grad
    assert tracked.grad is None
    assert tracked.requires_grad


def test_a_list_of_python_floats_is_the_point_that_it_says():
    # Python floats are doubles; read as float32 first, 0.1 would become 0.10000000149.
    energy = zoo.fourier(seed=0, dim=2)
    exact = torch.tensor([[0.1, 0.2]], dtype=torch.float64)
    assert torch.equal(energy([[0.1, 0.2]]), energy(exact))
    assert torch.equal(energy.value_and_grad([[0.1, 0.2]])[1], energy.value_and_grad(exact)[1])
    assert energy(exact.float()) != energy(exact)  # control: rounding to float32 is seen


@pytest.mark.parametrize("function", [lambda x: x.sum(-1), lambda x: 0 * x.sum(-1)])
def test_gradients_that_are_the_same_everywhere_can_be_written_to(function):
    """Autograd gives one number, seen from all places; what is written to one of them would be in all."""
    energy = Energy.from_function(function, dim=3)
    for tensor in energy.value_and_grad(torch.zeros(4, 3)):
        assert tensor.is_contiguous()
