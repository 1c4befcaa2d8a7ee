"""Recorded gradients of many copies of a network: the same numbers as torch's own, or torch's own."""

import pytest
import torch
from torch import nn
from torch.nn import functional as F

from tda_landscape import InputError, tally
from tda_landscape.energy import Energy, networks, zoo
from tda_landscape.energy._replicas import Replicas


def data(classes=3, rows=40):
    generator = torch.Generator().manual_seed(0)
    return torch.randn(rows, 6, generator=generator), torch.randint(classes, (rows,), generator=generator)


class Branching(nn.Module):
    """Control flow on values: vmap refuses it, and a recording would fix one branch for ever."""

    def __init__(self):
        super().__init__()
        self.linear = nn.Linear(6, 3)

    def forward(self, x):
        out = self.linear(x)
        return out if out.sum() > 0 else 2 * out


MODELS = {
    "mlp": lambda: networks.mlp([6, 5, 3], seed=1),
    "conv": lambda: nn.Sequential(
        nn.Unflatten(1, (1, 2, 3)), nn.Conv2d(1, 4, 2), nn.ReLU(), nn.MaxPool2d((1, 2)), nn.Flatten(), nn.Linear(4, 3)
    ),
    "norm": lambda: nn.Sequential(nn.Linear(6, 4), nn.LayerNorm(4), nn.GELU(), nn.Linear(4, 3)),
    "branching": Branching,
}


def torch_s_own(energy, point, rows):
    """Energy and gradient by backward() through the module."""
    network = energy.network.on_rows(rows)
    vector = point.clone().requires_grad_()
    value = network.value(vector)
    return value.detach(), torch.autograd.grad(value, vector)[0]


@pytest.mark.parametrize("name", MODELS)
@pytest.mark.parametrize("batch_size", [None, 7])
@pytest.mark.parametrize("rows", [1, 3, 5, 64])
def test_they_are_torch_s_own(name, batch_size, rows):
    energy = Energy.from_model(MODELS[name](), F.cross_entropy, data(), weight_decay=0.01, batch_size=batch_size)
    x = energy.start(5, 0)
    batch = energy.in_chunks(rows).draw_batch(3, 5)
    energies, gradients = batch.value_and_grad(x)
    own = batch.replicas.rows if batch_size else torch.arange(40).expand(5, 40)
    for i in range(5):
        value, gradient = torch_s_own(energy, x[i], own[i])
        assert torch.allclose(energies[i], value, rtol=1e-12)
        assert torch.allclose(gradients[i], gradient, rtol=1e-9, atol=1e-13)
    assert torch.allclose(batch(x), energies, rtol=1e-12)


@pytest.mark.parametrize(
    ("loss", "targets"),
    [
        (F.cross_entropy, data()[1]),
        (F.cross_entropy, torch.where(torch.arange(40) % 5 == 0, -100, data()[1])),  # rows that torch leaves out
        (F.cross_entropy, torch.softmax(torch.randn(40, 3, generator=torch.Generator().manual_seed(1)), 1)),
        (nn.CrossEntropyLoss(label_smoothing=0.1), data()[1]),
        (F.mse_loss, torch.randn(40, 3, generator=torch.Generator().manual_seed(1))),
    ],
    ids=["numbers", "ignored", "probabilities", "smoothed", "squares"],
)
def test_every_loss(loss, targets):
    energy = Energy.from_model(networks.mlp([6, 4, 3], seed=0), loss, (data()[0], targets))
    x = energy.start(4, 0)
    fast, slow = energy.in_chunks(4).value_and_grad(x), energy.value_and_grad(x)
    assert torch.allclose(fast[0], slow[0], rtol=1e-12)
    assert torch.allclose(fast[1], slow[1], rtol=1e-9, atol=1e-13)


def test_a_recording_is_made_once_a_shape_and_not_where_it_cannot_be():
    smooth = Energy.from_model(networks.mlp([6, 4, 3], seed=0), F.cross_entropy, data()).in_chunks(3)
    for _ in range(3):
        smooth.value_and_grad(smooth.start(7, 0))
    assert set(smooth.replicas.recordings) == {(3, None), (1, None)}
    assert {part.__name__ for part in smooth.replicas.recordings.values()} == {"forward"}
    rough = Energy.from_model(Branching(), F.cross_entropy, data()).in_chunks(3)
    rough.value_and_grad(rough.start(3, 0))
    assert {part.__name__ for part in rough.replicas.recordings.values()} == {"plain"}


def test_a_recording_that_disagrees_is_not_used(monkeypatch):
    wrong = lambda *arguments: lambda points, inputs, targets: (points.sum(1), points)  # noqa: E731
    monkeypatch.setattr("tda_landscape.energy._replicas._recorded", wrong)
    energy = Energy.from_model(networks.mlp([6, 4, 3], seed=0), F.cross_entropy, data())
    x = energy.start(3, 0)
    assert torch.allclose(energy.in_chunks(3).value_and_grad(x)[1], energy.value_and_grad(x)[1], rtol=1e-9, atol=1e-13)


def test_a_diverged_chain_does_not_decide_for_the_others():
    energy = Energy.from_model(networks.mlp([6, 4, 3], seed=0), F.cross_entropy, data()).in_chunks(3)
    x = energy.start(3, 0)
    x[1] = torch.nan
    energies, gradients = energy.value_and_grad(x)
    assert next(iter(energy.replicas.recordings.values())).__name__ == "forward"
    assert torch.isfinite(energies).tolist() == [True, False, True]
    assert torch.isfinite(gradients).all(1).tolist() == [True, False, True]


def test_minibatches_are_for_their_own_chains():
    energy = Energy.from_model(networks.mlp([6, 4, 3], seed=0), F.cross_entropy, data(), batch_size=8)
    with pytest.raises(InputError, match="5 chains, got 3 points"):
        energy.draw_batch(0, 5).value_and_grad(energy.start(3, 0))
    assert zoo.double_well(2).draw_batch(0, 5) is not None
    with pytest.raises(InputError, match="at least 1"):
        energy.in_chunks(0)


def test_a_minibatch_counts_its_fraction():
    energy = Energy.from_model(networks.mlp([6, 4, 3], seed=0), F.cross_entropy, data(), batch_size=8)
    counted, cost = tally(energy)
    counted.in_chunks(2).draw_batch(0, 5).value_and_grad(energy.start(5, 0))
    assert cost.gradients == pytest.approx(5 * 8 / 40)


def test_the_users_weights_are_never_touched():
    model = networks.mlp([6, 4, 3], seed=0)
    before = [p.clone() for p in model.parameters()]
    energy = Energy.from_model(model, F.cross_entropy, data())
    Replicas(energy.network).value_and_grad(energy.start(2, 0))
    assert all(torch.equal(a, b) for a, b in zip(before, model.parameters(), strict=True))


COLUMNS, CHOSEN = torch.tensor([0, 2]), torch.tensor([True, False, True])

FUNCTIONS = {
    "plain": (lambda x: ((x**2 - 1) ** 2).sum(1), True),
    "kinks": (lambda x: torch.where(x > 0, x, -2 * x).sum(1) + x.abs().amax(1), True),
    "columns": (lambda x: x[:, torch.tensor([0, 2])].square().sum(1) + torch.roll(x, 1, 1).sin().sum(1), True),
    "columns made before": (lambda x: x[:, COLUMNS].square().sum(1) + x[:, 1], True),
    "mask made before": (lambda x: x[:, CHOSEN].square().sum(1) + x[:, 1], False),
    "branch": (lambda x: x.sum(1) if bool((x[0] > 0).all()) else -x.sum(1), False),
    "mask": (lambda x: torch.zeros(len(x), dtype=x.dtype).index_add(0, (x > 0).nonzero()[:, 0], x[x > 0]), False),
}


@pytest.mark.parametrize("name", FUNCTIONS)
def test_functions_are_recorded_where_their_operations_do_not_depend_on_values(name):
    function, kept = FUNCTIONS[name]
    plain = Energy(3, torch.float64, function, lambda k, generator: torch.randn(k, 3, dtype=torch.float64))
    fast = plain.in_chunks(4)
    for seed in range(5):
        x = torch.randn(6, 3, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)
        for a, b in zip(fast.value_and_grad(x), plain.in_chunks(4).replicas.plain(x[:4]), strict=True):
            assert torch.allclose(a[:4], b, rtol=1e-12)
    assert {part.__name__ for part in fast.replicas.recordings.values()} == {"forward" if kept else "plain"}


def test_a_gradient_of_one_s_own_is_not_recorded():
    energy = Energy.from_function(lambda x: (x**2).sum(1), 2, grad=lambda x: 2 * x).in_chunks(3)
    assert energy.replicas is None
    assert torch.equal(energy.value_and_grad(torch.ones(2, 2))[1], 2 * torch.ones(2, 2, dtype=torch.float64))
