"""What cannot be an energy is refused at the door, in one sentence that says what to do."""

import numpy as np
import pytest
import torch
from torch import nn
from torch.nn import functional as F

from tda_landscape import InputError
from tda_landscape.energy import Energy, datasets, networks, zoo


def rows(n=8):
    generator = torch.Generator().manual_seed(0)
    return torch.randn(n, 3, generator=generator), torch.randint(0, 2, (n,), generator=generator)


def one_sentence(call, *words):
    with pytest.raises(InputError) as caught:
        call()
    message = str(caught.value)
    assert message
    assert len(message.splitlines()) == 1
    for word in words:
        assert word in message, message


class Bare(nn.Module):
    """A layer of one's own, without reset_parameters."""

    def __init__(self):
        super().__init__()
        self.scale = nn.Parameter(torch.ones(3, 2))

    def forward(self, x):
        return x @ self.scale


@pytest.mark.parametrize(
    ("layer", "name"),
    [
        (lambda: nn.Dropout(0.5), "Dropout"),
        (lambda: nn.AlphaDropout(0.5), "AlphaDropout"),
        (lambda: nn.BatchNorm1d(4), "BatchNorm1d"),
    ],
)
def test_train_mode_is_refused_and_eval_mode_taken(layer, name):
    model = nn.Sequential(nn.Linear(3, 4), layer(), nn.Linear(4, 2))
    one_sentence(lambda: Energy.from_model(model, F.cross_entropy, rows()), f"1 {name}", "eval()")
    energy = Energy.from_model(model.eval(), F.cross_entropy, rows())
    x = energy.start(2, 0)
    assert torch.equal(energy(x), energy(x))


def test_two_layers_in_train_mode_are_both_named():
    model = nn.Sequential(nn.Linear(3, 4), nn.BatchNorm1d(4), nn.Dropout(), nn.Dropout(), nn.Linear(4, 2))
    one_sentence(lambda: Energy.from_model(model, F.cross_entropy, rows()), "1 BatchNorm1d", "2 Dropout")


def test_rare_dropout_is_refused_as_well_whatever_the_random_state():
    # Two evaluations agree by luck when no unit was dropped in either; the answer must not depend on the luck.
    taken = 0
    for seed in range(20):
        torch.manual_seed(seed)
        model = nn.Sequential(nn.Linear(3, 4), nn.Dropout(0.02), nn.Linear(4, 2))
        try:
            Energy.from_model(model, F.cross_entropy, rows(3))
        except InputError:
            continue
        taken += 1
    assert taken == 0


def test_dropout_with_rate_zero_is_no_dropout():
    model = nn.Sequential(nn.Linear(3, 4), nn.Dropout(0.0), nn.Linear(4, 2))
    assert Energy.from_model(model, F.cross_entropy, rows()).dim == 26


@pytest.mark.parametrize(
    ("data", "word"),
    [
        ((torch.full((8, 3), torch.nan), rows()[1]), "NaN"),
        ((torch.full((8, 3), torch.inf), rows()[1]), "inputs"),
        ((rows()[0], torch.full((8,), torch.nan)), "targets"),
        ((rows()[0][:0], rows()[1][:0]), "0 inputs"),
        ((rows()[0], rows()[1][:5]), "5 targets"),
        ((rows()[0], torch.tensor(1)), "targets"),
        (rows()[0], "pair"),
        ((*rows(), rows()[1]), "pair"),
        ((rows()[0][:, :2], rows()[1]), "(8, 2)"),
        ((rows()[0], rows()[1] + 7), "targets"),
    ],
)
def test_data_that_do_not_fit(data, word):
    one_sentence(lambda: Energy.from_model(networks.mlp([3, 2]), F.cross_entropy, data), word)


@pytest.mark.parametrize(
    ("change", "word"),
    [
        ({"loss": nn.CrossEntropyLoss(reduction="none")}, "mean"),
        ({"loss": lambda o, t: o}, "one number"),
        ({"model": nn.Tanh()}, "no parameters"),
        ({"model": lambda x: x}, "Module"),
        ({"weight_decay": -1.0}, "weight_decay"),
        ({"weight_decay": float("nan")}, "weight_decay"),
        ({"batch_size": 0}, "batch_size"),
        ({"batch_size": 9}, "in [1, 8] or None, got 9"),
        ({"regularizer": lambda p: float("nan")}, "own weights"),
        ({"loss": lambda o, t: torch.tensor(torch.inf)}, "inf"),
        ({"loss": lambda o, t: F.cross_entropy(o, t) + torch.rand(())}, "deterministic"),
    ],
)
def test_models_and_losses_that_do_not_fit(change, word):
    arguments = {"model": networks.mlp([3, 2]), "loss": F.cross_entropy, "data": rows(), **change}
    one_sentence(lambda: Energy.from_model(**arguments), word)


def test_a_loss_of_one_row_without_reduction_is_still_no_number():
    one_sentence(
        lambda: Energy.from_model(networks.mlp([3, 2]), nn.CrossEntropyLoss(reduction="none"), rows(1)), "(1,)"
    )


@pytest.mark.parametrize("cut", ["detach", "item", "no_grad"])
def test_a_loss_that_cuts_the_gradient_is_refused(cut):
    # Taken as it is, its gradient is exactly zero and every point would pass for stationary.
    class Frozen(nn.Linear):
        def forward(self, x):
            with torch.no_grad():
                return super().forward(x)

    model = Frozen(3, 2) if cut == "no_grad" else nn.Linear(3, 2)
    loss = {
        "detach": lambda o, t: F.cross_entropy(o, t).detach(),
        "item": lambda o, t: F.cross_entropy(o, t).item(),
        "no_grad": F.cross_entropy,
    }[cut]
    one_sentence(lambda: Energy.from_model(model, loss, rows()))


def test_a_module_with_a_counter_is_refused():
    class Counting(nn.Linear):
        def __init__(self):
            super().__init__(3, 2)
            self.register_buffer("calls", torch.zeros(()))

        def forward(self, x):
            self.calls += 1
            return super().forward(x)

    one_sentence(lambda: Energy.from_model(Counting(), F.cross_entropy, rows()), "buffers")


def test_a_layer_without_reset_parameters_is_refused_at_the_start_only():
    energy = Energy.from_model(Bare(), F.cross_entropy, rows())
    assert energy(torch.zeros(1, 6)).shape == (1,)
    one_sentence(lambda: energy.start(2, 0), "Bare", "start=")
    law = lambda k, generator: torch.randn(k, 6, generator=generator)  # noqa: E731
    stated = Energy.from_model(Bare(), F.cross_entropy, rows(), start=law)
    assert torch.equal(stated.start(2, 3), torch.randn(2, 6, generator=torch.Generator().manual_seed(3)).double())


@pytest.mark.parametrize(
    ("function", "options", "word"),
    [
        (lambda x: x.sum(), {}, "(k,)"),
        (lambda x: x, {}, "(k,)"),
        (lambda x: x.sum(1, keepdim=True), {}, "(k,)"),
        (lambda x: x.square().sum(0), {}, "(k,)"),
        (lambda x: 1.0, {}, "(k,)"),
        (lambda x: (x - x.mean(0)).square().sum(1), {}, "other rows"),
        (lambda x: x.square().sum(1).cumsum(0), {}, "other rows"),
        (lambda x: x.sum(1) + torch.rand(len(x)), {}, "deterministic"),
        (lambda x: x.sum(1) * torch.nan, {}, "finite"),
        (lambda x: torch.full((len(x),), torch.inf), {}, "finite"),
        (lambda x: np.asarray(x).sum(1), {}, "grad="),
        (lambda x: np.sin(np.asarray(x)).sum(1), {}, "grad="),
        (lambda x: x.detach().square().sum(1), {}, "torch"),
        (lambda x: x.sum(1), {"grad": lambda x: x.sum(1)}, "grad"),
        (lambda x: x.sum(1), {"dim": 0}, "dim"),
        (lambda x: x.sum(1), {"dim": 2.0}, "dim"),
        (lambda x: x.sum(1), {"dim": True}, "dim"),
        (lambda x: x.sum(1), {"bounds": (1, -1)}, "low < high"),
        (lambda x: x.sum(1), {"bounds": (0, 0)}, "low < high"),
        (lambda x: x.sum(1), {"bounds": (np.nan, 1)}, "low < high"),
        (lambda x: x.sum(1), {"bounds": ([0, 0, 0], 1)}, "bounds"),
        (lambda x: x.sum(1), {"bounds": (0, 1, 2)}, "bounds"),
        (lambda x: x.sum(1), {"bounds": 3}, "bounds"),
        (lambda x: x.sum(1), {"period": 0.0}, "period"),
        (lambda x: x.sum(1), {"period": [1.0, -1.0]}, "period"),
        (lambda x: x.sum(1), {"period": np.nan}, "period"),
        (lambda x: x.sum(1), {"period": np.inf}, "finite"),
        (lambda x: x.sum(1), {"period": [1.0, 1.0, 1.0]}, "period"),
    ],
)
def test_functions_that_do_not_fit(function, options, word):
    arguments = {"dim": 2, **options}
    one_sentence(lambda: Energy.from_function(function, **arguments), word)


@pytest.mark.filterwarnings("ignore:__array_wrap__:DeprecationWarning")
def test_numpy_functions_of_tensors_are_told_to_bring_a_gradient():
    # np.sin of a tensor is a tensor without a gradient: torch's own error would speak of detach().
    one_sentence(lambda: Energy.from_function(lambda x: np.sin(x).sum(1), 2), "grad=")


@pytest.mark.parametrize("dtype", [np.float64, np.float32])
def test_numpy_functions_with_their_gradient(dtype):
    energy = Energy.from_function(
        lambda x: (np.asarray(x, dtype) ** 4).sum(axis=1), 2, grad=lambda x: 4 * np.asarray(x, dtype) ** 3
    )
    x = torch.tensor([[1.0, -2.0], [0.5, 0.0]], dtype=torch.float64)
    values, gradients = energy.value_and_grad(x)
    assert values.tolist() == [17.0, 0.0625]
    assert gradients.tolist() == [[4.0, -32.0], [0.5, 0.0]]
    assert values.dtype == gradients.dtype == torch.float64


def test_numpy_methods_that_tensors_lack_work_too():
    energy = Energy.from_function(
        lambda x: np.einsum("ij,ij->i", x.astype(float), x), 2, grad=lambda x: 2 * x.astype(float)
    )
    assert energy([[3.0, 4.0]]).tolist() == [25.0]


def test_a_constant_is_an_energy_of_tensors():
    flat = Energy.from_function(lambda x: 0 * x.sum(1) + 2, 2)
    assert flat.value_and_grad([[1.0, 2.0]])[1].tolist() == [[0.0, 0.0]]


def test_float32_functions_are_not_refused_for_their_rounding():
    # One row alone and the same row among others differ in the last bits of a float32 matrix product.
    for seed in range(20):
        weights = torch.randn(300, 5, generator=torch.Generator().manual_seed(seed))
        Energy.from_function(lambda x, w=weights: torch.cos(x @ w.T).sum(1), 5, dtype=torch.float32)


def test_energies_come_in_the_precision_that_was_asked_for():
    single = Energy.from_function(lambda x: x.float().square().sum(1), 2)
    assert single([[1.0, 2.0]]).dtype == torch.float64


@pytest.mark.parametrize("shape", [(2,), (3, 3), (1, 2, 2), ()])
def test_points_of_another_shape(shape):
    one_sentence(lambda: zoo.double_well(2)(torch.zeros(shape)), "(k, 2)")
    one_sentence(lambda: zoo.double_well(2).value_and_grad(np.zeros(shape)), "(k, 2)")


@pytest.mark.parametrize("seed", [-1, 1.5, "0", None, True, 2**70])
def test_seeds_that_are_none(seed):
    one_sentence(lambda: zoo.double_well(2).start(2, seed), "seed")
    one_sentence(lambda: networks.mlp([2, 2], seed=seed), "seed")


def test_a_numpy_integer_is_a_seed():
    assert torch.equal(zoo.double_well(2).start(2, np.int64(3)), zoo.double_well(2).start(2, 3))


def test_start_laws_of_users_are_checked():
    one_sentence(lambda: Energy.from_function(lambda x: x.square().sum(1), 2, start=lambda k, g: torch.zeros(4, 2)))
    late = Energy.from_function(lambda x: x.square().sum(1), 2, start=lambda k, g: torch.zeros(3, 2))
    one_sentence(lambda: late.start(5, 0))


@pytest.mark.parametrize(
    "call",
    [
        lambda: networks.mlp([3]),
        lambda: networks.mlp([3, 0]),
        lambda: networks.mlp([3, 2], activation="cube"),
        lambda: datasets.load("mnist"),
        lambda: datasets.load("iris", samples=0),
        lambda: datasets.load("iris", samples=151),
        lambda: zoo.fourier(dim=0),
    ],
)
def test_the_zoo_refuses_in_one_sentence(call):
    one_sentence(call)


def test_state_dicts_are_matched_by_name_and_shape():
    network = Energy.from_model(networks.mlp([3, 2]), F.cross_entropy, rows()).network
    vector = torch.arange(8, dtype=torch.float64)
    assert torch.equal(network.flatten(network.unflatten(vector)), vector)
    one_sentence(lambda: network.flatten(networks.mlp([4, 2]).state_dict()), "0.weight", "(2, 3)", "(2, 4)")
    one_sentence(lambda: network.flatten({}), "nothing")


REGRESSION = torch.linspace(-1, 1, 8)
SQUARES = {
    "mse": F.mse_loss,
    "l1": F.l1_loss,
    "smooth": F.smooth_l1_loss,
    "sum": lambda outputs, targets: (outputs - targets).square().sum(),
}


@pytest.mark.parametrize("loss", SQUARES.values(), ids=SQUARES)
@pytest.mark.parametrize("flat", ["outputs", "targets"])
def test_a_column_beside_a_row_is_refused(loss, flat):
    model = nn.Sequential(nn.Linear(3, 1), nn.Flatten(0)) if flat == "outputs" else nn.Linear(3, 1)
    wrong = REGRESSION[:, None] if flat == "outputs" else REGRESSION
    right = REGRESSION if flat == "outputs" else REGRESSION[:, None]
    shapes = ("(8,)", "(8, 1)") if flat == "outputs" else ("(8, 1)", "(8,)")
    one_sentence(
        lambda: Energy.from_model(model, loss, (rows()[0], wrong)),
        f"outputs have shape {shapes[0]}, targets {shapes[1]}",
        f"targets.reshape({shapes[0]})",
    )
    assert Energy.from_model(model, loss, (rows()[0], right)).dim == 4


@pytest.mark.parametrize(
    "loss",
    [
        lambda outputs, targets: (outputs.squeeze(1) - targets).square().mean(),
        lambda outputs, targets: outputs.square().mean(),
        lambda outputs, targets: F.binary_cross_entropy_with_logits(outputs[:, 0], (targets > 0).to(outputs.dtype)),
    ],
)
def test_control_a_loss_that_takes_row_by_row_is_taken(loss):
    assert Energy.from_model(nn.Linear(3, 1), loss, (rows()[0], REGRESSION)).dim == 4
