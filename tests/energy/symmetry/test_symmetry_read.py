"""What each operation does to units: each rule keeps what is true, and promises nothing that is not."""

import operator

import pytest
import torch
import torch.nn.functional as F
from symmetry_networks import NETWORKS, Residual, energy_of
from torch import nn

import tda_landscape as tl
from tda_landscape.energy.symmetry import NetworkSymmetry, find_symmetry
from tda_landscape.energy.symmetry._read import read_structure


class Between(nn.Module):
    """A function between two layers."""

    def __init__(self, function, first=None, last=None):
        super().__init__()
        self.first, self.last, self.function = first or nn.Linear(3, 4), last or nn.Linear(4, 2), function

    def forward(self, x):
        return self.last(self.function(self.first(x)))


def kinds(structure):
    """(permuted, number of sign gauges, powers of the scales) of each layer of units."""
    return [(u.permuted, len(u.signs), sorted({abs(p) for g in u.scales for p in g.powers})) for u in structure.units]


ODD, POSITIVE, NEITHER, BOTH = (True, 1, []), (True, 0, [1]), (True, 0, []), (True, 1, [1])
ACTIVATIONS = {
    "tanh": (torch.tanh, ODD),
    "tanh method": (lambda x: x.tanh(), ODD),
    "Tanh": (nn.Tanh(), ODD),
    "softsign": (F.softsign, ODD),
    "erf": (torch.erf, ODD),
    "relu": (F.relu, POSITIVE),
    "relu in place": (nn.ReLU(inplace=True), POSITIVE),
    "leaky relu": (nn.LeakyReLU(0.1), POSITIVE),
    "prelu": (nn.PReLU(), POSITIVE),
    "prelu, a slope a unit": (nn.PReLU(4), POSITIVE),
    "abs": (torch.abs, BOTH),
    "abs by operator": (operator.abs, BOTH),
    "square": (torch.square, (True, 1, [1, 2])),
    "x ** 2": (lambda x: x**2, (True, 1, [1, 2])),
    "x * x": (lambda x: x * x, (True, 1, [1, 2])),
    "x ** 3": (lambda x: x**3, (True, 1, [1, 3])),
    "relu ** 1.5": (lambda x: F.relu(x) ** 1.5, (True, 0, [1, 1.5])),
    "method pow": (lambda x: x.pow(2), (True, 1, [1, 2])),
    "sigmoid": (torch.sigmoid, NEITHER),
    "silu": (F.silu, NEITHER),
    "gelu": (nn.GELU(), NEITHER),
    "softplus": (F.softplus, NEITHER),
    "elu": (nn.ELU(), NEITHER),
    "softmax": (nn.Softmax(dim=1), NEITHER),
    "identity": (nn.Identity(), BOTH),
    "-x": (operator.neg, BOTH),
    "3 x": (lambda x: -3.0 * x, BOTH),
    "x / 2": (lambda x: x / 2, BOTH),
    "x + 1": (lambda x: x + 1, NEITHER),
    "gate x tanh(x)": (lambda x: x * torch.tanh(x), NEITHER),
    "gate x sigmoid(x)": (lambda x: x * torch.sigmoid(x), NEITHER),
    "skip x + relu(x)": (lambda x: x + F.relu(x), POSITIVE),
    "skip x + tanh(x)": (lambda x: x + torch.tanh(x), ODD),
    "skip x + x ** 2": (lambda x: x + x**2, NEITHER),
    "dropout in eval": (nn.Dropout(0.5).eval(), BOTH),
    "unsqueeze and back": (lambda x: x.unsqueeze(1).squeeze(1), BOTH),
    "view": (lambda x: F.relu(x).view(x.size(0), -1), POSITIVE),
    "layer norm": (nn.Sequential(nn.Tanh(), nn.LayerNorm(4)), (True, 1, [1])),
    "layer norm without weights": (nn.LayerNorm(4, elementwise_affine=False), NEITHER),
    "batch norm without statistics": (nn.BatchNorm1d(4, track_running_stats=False), (True, 2, [1])),
}


LINEAR = ("identity", "-x", "3 x", "x / 2", "dropout in eval", "unsqueeze and back")


def all_hold(energy):
    """Whether the data confirm every kind of element that the structure promises."""
    promised, kept = read_structure(energy.network), find_symmetry(energy).structure
    return kinds(kept) == kinds(promised.framed(kept.frames)) and len(kept.frames) == len(promised.frames)


@pytest.mark.parametrize("name", ACTIVATIONS)
def test_functions_between_two_layers(name):
    function, expected = ACTIVATIONS[name]
    energy = energy_of(Between(function).eval())
    structure = read_structure(energy.network)
    assert kinds(structure) == [expected]
    assert len(structure.frames) == (name in LINEAR)
    assert all_hold(energy)


@pytest.mark.parametrize("name", NETWORKS)
def test_whole_networks_promise_only_what_holds(name):
    assert all_hold(energy_of(NETWORKS[name]()))


class Functional(nn.Module):
    """Parameters of its own, used by functional calls."""

    def __init__(self):
        super().__init__()
        self.weight, self.bias = nn.Parameter(torch.randn(4, 3)), nn.Parameter(torch.randn(4))
        self.temperature = nn.Parameter(torch.tensor(1.5))
        self.last = nn.Linear(4, 2)

    def reset_parameters(self):
        with torch.no_grad():
            for parameter in (self.weight, self.bias, self.temperature):
                parameter.normal_()

    def forward(self, x):
        return self.last(F.relu(F.linear(x, self.weight, self.bias) * self.temperature))


class Recurrent(nn.Module):
    """One layer used twice: both axes of its weight belong to the same units."""

    def __init__(self):
        super().__init__()
        self.first, self.again, self.last = nn.Linear(3, 4), nn.Linear(4, 4), nn.Linear(4, 2)

    def forward(self, x):
        x = torch.tanh(self.first(x))
        for _ in range(2):
            x = torch.tanh(self.again(x))
        return self.last(x)


def depthwise():
    return nn.Sequential(
        nn.Conv2d(1, 4, 3), nn.Tanh(), nn.Conv2d(4, 4, 3, groups=4), nn.Tanh(), nn.Flatten(), nn.Linear(64, 2)
    )


def pooled():
    return nn.Sequential(nn.Conv2d(1, 4, 3), nn.ReLU(), nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(4, 2))


class Mean(nn.Module):
    """Global average by `mean`."""

    def __init__(self):
        super().__init__()
        self.first, self.last = nn.Conv2d(1, 4, 3), nn.Linear(4, 2)

    def forward(self, x):
        return self.last(F.relu(self.first(x)).mean(dim=(2, 3)))


def on_data(norm):
    """A norm of the features of the data: they cannot be exchanged, but flipped and rescaled."""
    norm.running_mean.copy_(torch.zeros(3))
    return nn.Sequential(norm, nn.Linear(3, 4), nn.Tanh(), nn.Linear(4, 1)).eval()


class Squeezed(nn.Module):
    """An output without its axis."""

    def __init__(self):
        super().__init__()
        self.first, self.last = nn.Linear(3, 4), nn.Linear(4, 1)

    def forward(self, x):
        return self.last(torch.tanh(self.first(x))).squeeze(-1)


@pytest.mark.parametrize(
    ("make", "expected"),
    [
        (Functional, [POSITIVE]),
        (Recurrent, [ODD]),
        (depthwise, [(True, 2, [])]),
        (pooled, [POSITIVE]),
        (Mean, [POSITIVE]),
        (lambda: on_data(nn.BatchNorm1d(3)), [(False, 1, [1]), ODD]),
        (Squeezed, [ODD]),
        (lambda: nn.Linear(3, 2), []),
        (lambda: Residual(torch.sigmoid), [NEITHER, NEITHER, NEITHER]),
    ],
    ids=["functional", "recurrent", "depthwise", "pooled", "mean", "norm of data", "squeezed", "linear", "sigmoid"],
)
def test_other_shapes_of_networks(make, expected):
    energy = energy_of(make())
    assert kinds(read_structure(energy.network)) == expected
    assert all_hold(energy)
    assert find_symmetry(energy).describe()


def test_an_image_of_a_recurrent_network_is_found_again():
    energy = energy_of(Recurrent())
    symmetry = find_symmetry(energy)
    points = energy.start(50, 0)
    images, _ = symmetry.scramble(points, torch.Generator().manual_seed(1))
    assert (symmetry.align(images, points)[0] - points).norm(dim=1).max() < 1e-9


def test_tokens():
    model = nn.Sequential(nn.Embedding(7, 4), nn.Flatten(), nn.Linear(20, 2))
    tokens = torch.randint(0, 7, (9, 5), generator=torch.Generator().manual_seed(0))
    energy = tl.Energy.from_model(model, lambda outputs, _: outputs.square().mean(), (tokens, torch.zeros(9)))
    with pytest.raises(tl.InputError, match=r"Flatten.*mixes the units.*symmetry=None"):
        find_symmetry(energy)
    pooled = Between(lambda x: x.mean(dim=1), nn.Embedding(7, 4))
    energy = tl.Energy.from_model(pooled, lambda outputs, _: outputs.square().mean(), (tokens, torch.zeros(9)))
    assert kinds(read_structure(energy.network)) == [BOTH]
    assert all_hold(energy)
    assert torch.isfinite(find_symmetry(energy).invariants(energy.start(2, 0))).all()


def test_batch_norm_is_folded_because_its_statistics_are_no_parameters():
    """Exchanging channels with their weights and biases alone gives another function; with the fold it does not."""
    energy = energy_of(NETWORKS["batch norm"]())
    structure = read_structure(energy.network)
    points = energy.start(5, 0) + 0.1
    naive, folded = (
        NetworkSymmetry(type(structure)(structure.units, f), energy.network) for f in ((), structure.folds)
    )
    for symmetry, same in ((naive, False), (folded, True)):
        images, _ = symmetry.scramble(points, torch.Generator().manual_seed(0))
        assert torch.allclose(energy(images), energy(points), rtol=1e-10) is same


def parametrized():
    return nn.utils.parametrize.register_parametrization(nn.Linear(3, 4), "weight", nn.Tanh())


def branch(x):
    return x if x.sum() > 0 else -x


@pytest.mark.parametrize(
    ("model", "said"),
    [
        (Between(branch), "Between cannot be traced"),
        (Between(lambda x: torch.cumsum(x, 1)), "operation 'cumsum'.*no rule"),
        (Between(lambda x: x.flip(1)), "operation 'flip'.*no rule"),
        (Between(torch.sin), "operation 'sin'.*no rule"),
        (Between(lambda x: torch.cat([x[:, :2], x[:, 2:]], 1)), "operation 'getitem'.*no rule"),
        (Between(lambda x: x / x.abs(), None), "operation 'truediv'.*division by a number"),
        (Between(lambda x: 2**x), "operation 'pow_1'.*its exponent"),
        (Between(lambda x: x.abs() ** -1), "operation 'pow_1'.*its exponent"),
        (Between(nn.MaxPool1d(2), last=nn.Linear(2, 2)), "MaxPool1d.*mixes the units"),
        (Between(nn.GroupNorm(2, 4)), r"layer 'function' \(GroupNorm\).*no rule"),
        (nn.Sequential(nn.Conv2d(1, 4, 3), nn.Conv2d(4, 4, 3, groups=2), nn.Flatten(), nn.Linear(64, 2)), "2 groups"),
        (nn.Sequential(nn.Conv2d(1, 4, 3), nn.ReLU(), nn.Linear(6, 2)), "another axis"),
        (nn.Sequential(parametrized(), nn.Linear(4, 2)), "'0' .Parametrized"),
    ],
    ids=[
        "branch",
        "cumsum",
        "flip",
        "sin",
        "cut",
        "ratio",
        "2 ** x",
        "1 / x",
        "pool",
        "groupnorm",
        "groups",
        "axis",
        "parametrized",
    ],
)
def test_what_is_not_understood_is_refused_in_one_sentence(model, said):
    energy = energy_of(model)
    with pytest.raises(tl.InputError, match=said) as refusal:
        find_symmetry(energy)
    assert "symmetry=None" in str(refusal.value)
    assert "\n" not in str(refusal.value)
    assert find_symmetry(energy, None) is None


class Tied(nn.Module):
    """The same weight forwards and transposed: its units are joined, or it is refused, never mistaken."""

    def __init__(self):
        super().__init__()
        self.code = nn.Linear(3, 4)

    def forward(self, x):
        return F.linear(torch.tanh(self.code(x)), self.code.weight.t())


class Scaled(nn.Module):
    """A parameter for each unit that is no layer's."""

    def __init__(self):
        super().__init__()
        self.first, self.last, self.gains = nn.Linear(3, 4), nn.Linear(4, 2), nn.Parameter(torch.ones(4))

    def forward(self, x):
        return self.last(self.first(x) * self.gains)


@pytest.mark.parametrize(("make", "said"), [(Tied, "'t'"), (Scaled, "tensor 'gains'")])
def test_loose_parameters_are_refused(make, said):
    with pytest.raises(tl.InputError, match=said):
        read_structure(energy_of(make()).network)
