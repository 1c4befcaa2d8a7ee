"""Ways to evaluate many points: the same numbers as torch's own, recorded with the same bits, or torch's own."""

import copy
from functools import partial

import pytest
import torch
from torch import nn
from torch.func import functional_call
from torch.nn import functional as F

from tda_landscape import InputError, tally
from tda_landscape.energy import Energy, networks, zoo
from tda_landscape.energy import _recording as recording
from tda_landscape.energy._account import SHARE, Account
from tda_landscape.energy._derivatives import hessian_products
from tda_landscape.energy._recording import _needed, recorded
from tda_landscape.energy._tape import Unrecordable
from tda_landscape.energy._ways import (
    AGAIN,
    ALONE,
    CHECK,
    FIRST_CHECK,
    ONCE,
    PATIENCE,
    Way,
    cheaper,
    gradients_of,
)


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
    own = batch.evaluator.rows if batch_size else torch.arange(40).expand(5, 40)
    for i in range(5):
        value, gradient = torch_s_own(energy, x[i], own[i])
        assert torch.allclose(energies[i], value, rtol=1e-12)
        assert torch.allclose(gradients[i], gradient, rtol=1e-9, atol=1e-13)
    assert torch.allclose(batch(x), energies, rtol=1e-12)


TARGETS = torch.randn(40, 3, generator=torch.Generator().manual_seed(1))


@pytest.mark.parametrize(
    ("loss", "targets"),
    [
        (F.cross_entropy, data()[1]),
        (F.cross_entropy, torch.where(torch.arange(40) % 5 == 0, -100, data()[1])),  # rows that torch leaves out
        (F.cross_entropy, torch.softmax(TARGETS, 1)),
        (nn.CrossEntropyLoss(label_smoothing=0.1), data()[1]),
        (F.mse_loss, TARGETS),
        (F.binary_cross_entropy_with_logits, (TARGETS > 0).double()),
        (F.binary_cross_entropy_with_logits, torch.sigmoid(TARGETS)),
    ],
    ids=["numbers", "ignored", "probabilities", "smoothed", "squares", "yes or no", "chances"],
)
def test_every_loss(loss, targets):
    energy = Energy.from_model(networks.mlp([6, 4, 3], seed=0), loss, (data()[0], targets), weight_decay=0.01)
    x = 30 * energy.start(4, 0)  # saturated: where a loss that is written out could overflow
    for scale in (1.0, 1 / 30):
        energies, gradients = energy.in_chunks(4).value_and_grad(scale * x)
        for i in range(4):
            value, gradient = torch_s_own(energy, scale * x[i], torch.arange(40))
            assert torch.allclose(energies[i], value, rtol=1e-12)
            assert torch.allclose(gradients[i], gradient, rtol=1e-9, atol=1e-13)


def ways(energy):
    return {
        name: way.recording is not None and all(way.trusted.values()) for name, way in energy.evaluator.ways.items()
    }


def test_a_recording_is_made_once_for_every_number_of_points_and_not_where_it_cannot_be():
    smooth = Energy.from_model(networks.mlp([6, 4, 3], seed=0), F.cross_entropy, data()).in_chunks(64)
    for k in (3, 1, 7, 20, 3):
        smooth.value_and_grad(smooth.start(k, 0))
    assert ways(smooth) == {("gradients", False): True, ("gradients", True): True}
    rough = Energy.from_model(Branching(), F.cross_entropy, data()).in_chunks(3)
    for seed in range(4):
        rough.value_and_grad(rough.start(3, seed))
    assert ways(rough) == {("gradients", True): False}


@pytest.mark.parametrize("name", ["mlp", "conv", "norm"])
def test_a_recording_has_the_bits_of_what_was_recorded(name):
    network = cheaper(Energy.from_model(MODELS[name](), F.cross_entropy, data(), weight_decay=0.01).network)
    energy = Energy.from_model(MODELS[name](), F.cross_entropy, data())
    plain = gradients_of(network)
    fast = recorded(plain, lambda rows: [energy.start(rows, 0)])
    for k in (1, 2, 8, 33, 100):
        x = energy.start(k, k)
        with torch.no_grad():
            assert all(torch.equal(a, b) for a, b in zip(fast(x), plain(x), strict=True))


def test_a_recording_leaves_out_what_makes_no_difference(monkeypatch):
    """Constants made of constants, products with one; not where anything is changed in place."""
    constant = torch.arange(3.0)

    def plain(x, changed=False):
        a, b = x.split([1, 3], 1)
        b = (b * 1).view(len(x), 1, 3) + torch.sin(constant * 2) * x[:, None, :1]
        return ((b.mul_(2) if changed else b * 2).sum((1, 2)) + a[:, 0],)

    taken = []
    monkeypatch.setattr(recording, "_needed", lambda steps, results: taken.append(len(steps)) or needed(steps, results))
    needed, x = _needed, torch.randn(7, 4, generator=torch.Generator().manual_seed(0))
    for function in (plain, partial(plain, changed=True)):
        fast = recording.recorded(function, lambda rows: [x[:rows].clone()])
        assert torch.equal(fast(x)[0], function(x.clone())[0])
    assert taken[0] <= taken[1] - 3


def test_a_shorter_recording_that_does_not_repeat_is_not_taken(monkeypatch):
    monkeypatch.setattr(recording, "_any_strides", lambda *given: True)
    x = torch.randn(7, 4, generator=torch.Generator().manual_seed(0))
    function = lambda x: ((x[:, :2] * 1).reshape(-1, 1).view(len(x), 2).t().contiguous().t().sum(1),)  # noqa: E731
    assert torch.equal(recording.recorded(function, lambda rows: [x[:rows]])(x)[0], function(x)[0])


def test_early_calls_are_not_recorded_and_have_the_same_bits():
    energy = Energy.from_model(networks.mlp([6, 4, 3], seed=0), F.cross_entropy, data())
    x = energy.start(5, 0)
    first = energy.value_and_grad(x)
    assert ways(energy) == {("gradients", False): False}
    last = first
    while not ways(energy)["gradients", False] and energy.evaluator.ways["gradients", False].calls < 10_000:
        last = energy.value_and_grad(x)
    assert ways(energy)["gradients", False]
    assert all(torch.equal(a, b) for a, b in zip(first, last, strict=True))


@pytest.mark.parametrize(
    ("points", "took", "least"), [(1, 1.0, 480), (8, 3.0, 14), (8, 8.0, 181), (2, 4.0, PATIENCE + 1)]
)
def test_a_recording_is_made_once_it_is_paid_for(monkeypatch, points, took, least):
    """Out of what was saved against a plain loop of 1 a point, its share, or where the loop is quicker than that."""
    made, account = [], Account(alone=1.0, times=1)
    way = Way(lambda x: (x.sum(1),), points == 1, account=account)
    monkeypatch.setattr(Way, "prepare", lambda self, *given: made.append(way.calls))
    while not made:
        way(torch.zeros(points, 2))
        account.spent, account.points = account.spent + took, account.points + points
    cost = (ALONE if points == 1 else ONCE) + AGAIN * points
    assert made[0] >= least
    assert account.spent - took + cost <= (1 + SHARE) * (account.points - points) + 1e-9 or took > points


@pytest.mark.parametrize("make", [zoo.xor, zoo.mueller_brown, lambda: zoo.lennard_jones(4)])
def test_hessian_products_are_recorded_with_the_same_bits(make):
    energy = make()
    x, v = energy.start(6, 0), energy.start(6, 1)
    plain = hessian_products(energy.function, energy.gradient, x, v)
    energy.hvp(x, v)
    energy.evaluator.ways["products", False].prepare(x, v)
    for k in (6, 6, 2, 2):
        assert torch.equal(energy.hvp(x[:k], v[:k]), plain[:k])
    assert ways(energy) == {("products", False): True}


HIDDEN = {"scale": 1.0}


def beside(x):
    """Depends on a number that the caller may change."""
    return (x * HIDDEN["scale"]).square().sum(1)


def unseen(x):
    """A branch on values that are read past torch."""
    return x.square().sum(1) if x.detach().numpy().max() < 3 else x.abs().sum(1)


@pytest.mark.parametrize("function", [beside, unseen])
def test_what_a_recording_cannot_see_is_noticed_and_told(monkeypatch, function):
    monkeypatch.setitem(HIDDEN, "scale", 1.0)
    energy = Energy.from_function(function, 2, bounds=(-1, 1)).in_chunks(8)
    inside, far = energy.start(4, 0), 10 * torch.ones(4, 2, dtype=torch.float64)
    for _ in range(5):
        assert torch.equal(energy(inside), function(inside))
    assert ways(energy) == {("values", False): True}
    HIDDEN["scale"] = 3.0
    given = inside if function is beside else far
    assert not torch.equal(energy(given), function(given)), "control: the recording does not see it"
    with pytest.warns(RuntimeWarning, match="something besides its points"):
        [energy(given) for _ in range(FIRST_CHECK)]
    assert torch.equal(energy(given), function(given))
    assert torch.equal(energy(inside), function(inside))


def test_a_recording_that_is_right_is_checked_again_and_again_and_kept():
    calls = []
    way = Way(lambda x: (calls.append(len(x)), (x.sin().sum(1),))[1], patience=0)
    x = torch.randn(4, 2, generator=torch.Generator().manual_seed(0))
    for _ in range(5):
        way(x)
    calls.clear()
    for _ in range(4 * CHECK):
        way(x)
    assert 8 <= len(calls) <= 12
    assert way.recording is not None


def test_a_recording_that_disagrees_is_not_used(monkeypatch):
    wrong = lambda *arguments, **names: lambda points: (points.sum(1), points)  # noqa: E731
    monkeypatch.setattr("tda_landscape.energy._ways.recorded", wrong)
    energy = Energy.from_model(networks.mlp([6, 4, 3], seed=0), F.cross_entropy, data())
    x = energy.start(3, 0)
    fast = energy.in_chunks(3)
    for _ in range(3):
        assert torch.equal(fast.value_and_grad(x)[1], energy.value_and_grad(x)[1])


@pytest.mark.parametrize(
    "function",
    [
        lambda x: (x + torch.rand(len(x), 1),),
        lambda x: (x * float(x[0, 0]),),
        lambda x: (x[x[:, 0] > 0],),
        lambda x: (x * (1 / len(x)),),
        lambda x: (x if len(x) < 4 else x + 1,),
        lambda x: (x,),
        lambda x: (x.add_(1).clone(),),
        lambda x: (torch.ones(2),),
    ],
    ids=["chance", "number", "mask", "average", "branch", "input", "in place", "constant of a given size"],
)
def test_what_depends_on_values_or_on_the_number_of_points_is_refused(function):
    x = torch.randn(9, 2, generator=torch.Generator().manual_seed(0))
    if "ones" in function.__code__.co_names:
        assert recorded(function, lambda rows: [x[:rows].clone()])(x)[0].shape == (2,)
        return
    with pytest.raises(Unrecordable):
        recorded(function, lambda rows: [x[:rows].clone()])


def test_sizes_follow_the_number_of_points():
    function = lambda x: (torch.cat([x, x.new_zeros(2 * len(x) + 1, 3)]).cumsum(0), x.t().reshape(-1, 1) / len(x))  # noqa: E731
    fast = recorded(function, lambda rows: [torch.randn(rows, 3)])
    for k in (1, 4, 11):
        x = torch.randn(k, 3, generator=torch.Generator().manual_seed(k))
        assert all(torch.equal(a, b) for a, b in zip(fast(x), function(x), strict=True))


def test_a_branch_on_sizes_beyond_those_recorded_is_seen():
    way = Way(lambda x: (x.square() if len(x) < 50 else x.square() + 1,), patience=0)
    for k in (3, 20, 70, 20, 70):
        x = torch.randn(k, 2, generator=torch.Generator().manual_seed(k))
        assert torch.equal(way(x)[0], x.square() + (k >= 50))
    assert way.recording is not None


def test_a_diverged_chain_does_not_decide_for_the_others():
    energy = Energy.from_model(networks.mlp([6, 4, 3], seed=0), F.cross_entropy, data()).in_chunks(3)
    x = energy.start(3, 0)
    x[1] = torch.nan
    energies, gradients = energy.value_and_grad(x)
    assert ways(energy) == {("gradients", False): True}
    assert torch.isfinite(energies).tolist() == [True, False, True]
    assert torch.isfinite(gradients).all(1).tolist() == [True, False, True]


def test_minibatches_are_for_their_own_chains():
    energy = Energy.from_model(networks.mlp([6, 4, 3], seed=0), F.cross_entropy, data(), batch_size=8)
    with pytest.raises(InputError, match="5 chains, got 3 points"):
        energy.draw_batch(0, 5).value_and_grad(energy.start(3, 0))
    assert zoo.double_well(2).draw_batch(0, 5) is not None
    with pytest.raises(InputError, match=r"whole number in \[1, inf\)"):
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
    energy.in_chunks(2).value_and_grad(energy.start(2, 0))
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
        x = torch.randn(6, 3, generator=torch.Generator().manual_seed(seed), dtype=torch.float64).requires_grad_()
        energies = torch.cat([function(part) for part in x.split(4)])
        (gradients,) = torch.autograd.grad(energies.sum(), x)
        for a, b in zip(fast.value_and_grad(x), (energies, gradients), strict=True):
            assert torch.allclose(a, b, rtol=1e-12)
    assert ways(fast) == {("gradients", False): kept}


def test_a_gradient_of_one_s_own_is_not_recorded():
    calls = []
    energy = Energy.from_function(lambda x: (x**2).sum(1), 2, grad=lambda x: calls.append(1) or 2 * x)
    calls.clear()
    for _ in range(PATIENCE + 5):
        assert torch.equal(energy.value_and_grad(torch.ones(2, 2))[1], 2 * torch.ones(2, 2, dtype=torch.float64))
    assert len(calls) == PATIENCE + 5


class Tied(nn.Module):
    """Two layers with the same weight, and an input size at which it fails."""

    def __init__(self):
        super().__init__()
        self.first, self.second, self.last = nn.Linear(6, 6), nn.Linear(6, 6), nn.Linear(6, 3)
        self.second.weight = self.first.weight
        self.register_parameter("unused", None)

    def forward(self, x):
        return self.last(torch.tanh(self.second(torch.tanh(self.first(x)))))


def shared():
    """The same layer twice; torch's functional_call does not put its own parameters back."""
    layer = nn.Linear(6, 6)
    return nn.Sequential(layer, nn.Tanh(), layer, nn.Linear(6, 3))


@pytest.mark.parametrize("model", [Tied, shared, lambda: networks.mlp([6, 4, 3])])
def test_other_parameters_are_put_in_place_and_taken_out_again(model):
    network = Energy.from_model(model(), F.cross_entropy, data()).network
    before = {name: (id(p), p.clone()) for name, p in network.module.named_parameters()}
    other = network.unflatten(torch.randn(len(network.flatten(network.module)), dtype=torch.float64))
    own = network.outputs(dict(network.module.named_parameters()), network.inputs)
    twin = copy.deepcopy(network.module)
    assert torch.equal(network.outputs(other, network.inputs), functional_call(twin, other, network.inputs))
    with pytest.raises(RuntimeError, match="shape"):
        network.outputs(other, network.inputs[:, :3])
    assert torch.equal(network.outputs(dict(network.module.named_parameters()), network.inputs), own)
    assert before.keys() == dict(network.module.named_parameters()).keys()
    assert all(
        id(p) == before[name][0] and torch.equal(p, before[name][1]) for name, p in network.module.named_parameters()
    )


def test_a_module_that_keeps_its_parameters_twice_is_called_the_slow_way():
    class Recurrent(nn.Module):
        def __init__(self):
            super().__init__()
            self.rnn, self.last = nn.RNN(2, 3, batch_first=True), nn.Linear(3, 3)

        def forward(self, x):
            return self.last(self.rnn(x.view(-1, 3, 2))[0][:, -1])

    energy = Energy.from_model(Recurrent(), F.cross_entropy, data())
    assert energy.network.places == ()
    assert len(energy(energy.start(2, 0)).unique()) == 2, "the points' own parameters are used"
