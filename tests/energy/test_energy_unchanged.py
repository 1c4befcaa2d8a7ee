"""Nothing that belongs to the user changes: weights, buffers, flags, data, and the three global random states."""

import copy
import random

import numpy as np
import pytest
import torch
from torch import nn
from torch.nn import functional as F

import samplers
from tda_landscape import InputError, sample
from tda_landscape.energy import Energy, datasets, networks, tally, zoo


def random_states():
    return torch.get_rng_state(), np.random.get_state()[1].copy(), random.getstate()  # noqa: NPY002


def same(before, after):
    return torch.equal(before[0], after[0]) and np.array_equal(before[1], after[1]) and before[2] == after[2]


def snapshot(model):
    return {
        "state": {name: value.clone() for name, value in model.state_dict().items()},
        "dtypes": {name: value.dtype for name, value in model.state_dict().items()},
        "training": [m.training for m in model.modules()],
        "requires_grad": [p.requires_grad for p in model.parameters()],
        "grads": [p.grad is None for p in model.parameters()],
        "ids": [id(p) for p in model.parameters()],
    }


def unchanged(before, after):
    values = all(torch.equal(before["state"][k], after["state"][k]) for k in before["state"])
    return values and all(before[k] == after[k] for k in before if k != "state")


def network():
    model = nn.Sequential(nn.Linear(3, 4), nn.BatchNorm1d(4), nn.Tanh(), nn.Dropout(0.5), nn.Linear(4, 2))
    model[0].weight.requires_grad_(False)
    model.eval()
    model[2].train()
    return model


def toy():
    generator = torch.Generator().manual_seed(0)
    return torch.randn(8, 3, generator=generator), torch.randint(0, 2, (8,), generator=generator)


def uses(model, inputs, targets):
    energy = Energy.from_model(model, F.cross_entropy, (inputs, targets), batch_size=4, weight_decay=0.1)
    x = energy.start(3, 0)
    generator = torch.Generator().manual_seed(1)
    return [
        lambda: Energy.from_model(model, F.cross_entropy, (inputs, targets), batch_size=2),
        lambda: Energy.from_function(lambda p: p.square().sum(1), 2, bounds=(-1, 1)),
        lambda: energy.start(4, 0),
        lambda: energy.start(4, generator),
        lambda: energy.draw_batch(3).value_and_grad(x),
        lambda: energy(x),
        lambda: energy.value_and_grad(x),
        lambda: energy.hvp(x, x),
        lambda: energy.hessian(x[:1]),
        lambda: sample(energy, samplers.SGD(lr=0.1), chains=3, steps=5),
        lambda: sample(zoo.double_well(2), samplers.Langevin(0.01, 0.1), chains=3, steps=5, seed=generator),
        lambda: networks.mlp([3, 2], seed=3),
        lambda: networks.mlp([3, 2], seed=generator),
        lambda: datasets.load("iris", samples=10, seed=2),
        lambda: zoo.fourier(seed=4, dim=2),
        lambda: zoo.mueller_brown().start(2, 0),
        lambda: tally(energy)[0].hvp(x, x),
    ]


@pytest.mark.parametrize("which", range(17))
def test_every_use_leaves_everything_as_it_was(which):
    model, given = network(), toy()
    before, states = snapshot(model), random_states()
    copies = [part.clone() for part in given]
    calls = uses(model, *given)
    assert len(calls) == 17
    default = torch.get_default_dtype()
    calls[which]()
    assert same(states, random_states())
    assert unchanged(before, snapshot(model))
    assert all(torch.equal(a, b) and a.dtype == b.dtype for a, b in zip(copies, given, strict=True))
    assert torch.is_grad_enabled()
    assert torch.get_default_dtype() == default


def test_control_the_comparisons_see_a_change():
    states = random_states()
    for draw in (lambda: torch.rand(1), np.random.rand, random.random):
        draw()
        assert not same(states, random_states())
        states = random_states()
    model = network()
    before = snapshot(model)
    changed = copy.deepcopy(model).double()
    assert not unchanged(before, snapshot(changed))
    model.train()
    assert not unchanged(before, snapshot(model))


class Bare(nn.Module):
    def __init__(self):
        super().__init__()
        self.scale = nn.Parameter(torch.ones(2))

    def forward(self, x):
        return x * self.scale


def test_refusals_leave_the_random_states_alone():
    model = nn.Sequential(nn.Linear(3, 2), nn.Dropout(0.5))
    states = random_states()
    with pytest.raises(InputError, match="Dropout"):
        Energy.from_model(model, F.cross_entropy, toy())
    with pytest.raises(InputError, match="reset_parameters"):
        networks.reinitialize(Bare(), torch.Generator())
    assert same(states, random_states())


@pytest.mark.parametrize("part", ["model", "inputs", "targets"])
def test_the_energy_does_not_follow_later_changes(part):
    model = networks.mlp([3, 2])
    inputs, targets = toy()
    inputs = inputs.double()  # already at the precision of the energy: nothing forces a copy
    energy = Energy.from_model(model, F.cross_entropy, (inputs, targets))
    x = energy.start(2, 0)
    before = energy(x)
    with torch.no_grad():
        {"model": model[0].weight, "inputs": inputs, "targets": targets}[part].zero_()
    assert torch.equal(energy(x), before)


def test_generators_of_the_caller_advance_and_seeds_repeat():
    energy = Energy.from_model(networks.mlp([3, 2]), F.cross_entropy, toy(), batch_size=4)
    for draw in (lambda g: energy.start(2, g), lambda g: energy.draw_batch(g)(energy.start(2, 0))):
        generator = torch.Generator().manual_seed(5)
        first, second = draw(generator), draw(generator)
        assert not torch.equal(first, second)
        assert torch.equal(first, draw(5))
        assert torch.equal(first, draw(torch.Generator().manual_seed(5)))


def test_points_given_are_not_written_to():
    energy = zoo.double_well(2)
    x = energy.start(3, 0)
    copy_of_x = x.clone()
    energy.value_and_grad(x), energy.hvp(x, x), energy.hessian(x), energy.wrap(x)
    sample(energy, samplers.GradientDescent(0.1), start=x, steps=3)
    assert torch.equal(x, copy_of_x)
    assert not x.requires_grad
