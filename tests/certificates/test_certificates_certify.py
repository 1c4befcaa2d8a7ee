"""The public door: what is promised, what is refused, and what a dense measurement of the path says."""

import itertools
from functools import partial

import pytest
import torch
from networks import LOSSES, NETWORKS, Residual, energy_of
from torch import Tensor, nn
from torch.nn import functional

import tda_landscape as tl
from tda_landscape.certificates import Outcome
from tda_landscape.certificates._bisect import Bisection, decide, level
from tda_landscape.certificates._node import Node, Stretch


def dense(energy: tl.Energy, points: Tensor, many: int = 401) -> float:
    """The highest of many values on each piece: a lower bound of the maximum."""
    shares = torch.linspace(0, 1, many, dtype=points.dtype)[:, None]
    return max(float(energy(a + shares * (b - a)).max()) for a, b in itertools.pairwise(points))


def short_path(energy: tl.Energy, seed: int, vertices: int = 2) -> Tensor:
    points = energy.start(vertices, seed)
    return points[:1] + 0.3 * (points - points[:1])


@pytest.mark.parametrize("network", NETWORKS)
def test_the_bounds_hold_the_dense_maximum_within_the_tolerance(network):
    energy = energy_of(network, "cross-entropy", seed=5)
    path = short_path(energy, 1)
    certificate = tl.certify(energy, path, rtol=0.02)
    assert certificate.status == "certified"
    assert certificate.reason is Outcome.TOLERANCE
    assert certificate.upper - certificate.lower <= 0.02 * certificate.upper
    assert certificate.lower * (1 - 1e-9) <= dense(energy, path) * (1 + 1e-3)
    assert dense(energy, path) <= certificate.upper


@pytest.mark.parametrize("loss", LOSSES)
def test_every_loss_is_certified(loss):
    energy = energy_of("tanh", loss, seed=2)
    path = short_path(energy, 3, vertices=4)
    certificate = tl.certify(energy, path, atol=1e-3)
    assert certificate.upper - certificate.lower <= 1e-3
    assert certificate.lower - 1e-3 <= dense(energy, path) <= certificate.upper


def test_a_level_is_decided_either_way_and_no_further():
    energy = energy_of("relu", "cross-entropy", seed=1)
    path = short_path(energy, 1)
    top = dense(energy, path)
    below, above = (tl.certify(energy, path, level=factor * top) for factor in (1.2, 0.8))
    assert below.reason is Outcome.BELOW
    assert below.below(1.2 * top)
    assert not below.below(0.99 * top)
    assert above.reason is Outcome.ABOVE
    assert above.lower > 0.8 * top
    assert not above.below(0.8 * top)
    tight = tl.certify(energy, path, rtol=1e-4)
    assert max(below.evaluations, above.evaluations) < tight.evaluations


def test_rounding_is_part_of_both_bounds():
    energy = energy_of("tanh", "squared", seed=4)
    point = energy.start(1, 0)
    certificate = tl.certify(energy, point, rtol=1e-8)
    value = float(energy(point))
    assert certificate.lower < value < certificate.upper
    assert certificate.upper - certificate.lower < 1e-8 * value
    # Exactly at its own value a level cannot be decided: the answer is open, and neither yes nor no.
    undecided = tl.certify(energy, torch.cat([point, point]), level=value)
    assert undecided.reason is Outcome.FLOOR
    assert not undecided.below(value)


def test_a_path_and_its_vertices_are_the_same_thing():
    energy = energy_of("relu", "squared", seed=0)
    a, b = short_path(energy, 2)
    path = tl.find_path(energy, a, b, search=tl.paths.Straight())
    assert tl.certify(energy, path) == tl.certify(energy, path.points)


def test_evaluations_and_cost_are_counted():
    counted, cost = tl.tally(energy_of("relu", "cross-entropy", seed=0))
    certificate = tl.certify(counted, short_path(counted, 0))
    assert certificate.evaluations > 2
    # One forward pass a node, two and a half a stretch, of which there are at least as many less one, and the reading.
    assert cost.values >= certificate.evaluations + 2.5 * (certificate.evaluations - 1) + 1
    assert cost.gradients == 0


def test_a_budget_ends_with_bounds_that_hold():
    energy = energy_of("deep tanh", "cross-entropy", seed=0)
    path = energy.start(2, 0)
    certificate = tl.certify(energy, path, rtol=1e-6, budget=10)
    assert certificate.reason is Outcome.BUDGET
    assert certificate.evaluations <= 5
    assert certificate.lower <= dense(energy, path) <= certificate.upper


def test_weight_decay_is_exact():
    plain, heavy = (energy_of("tanh", "squared", seed=3, weight_decay=w) for w in (0.0, 0.1))
    path = short_path(plain, 0)
    certificate = tl.certify(heavy, path, rtol=1e-5)
    assert certificate.lower - 1e-6 <= dense(heavy, path) <= certificate.upper
    assert dense(plain, path) < certificate.lower


def test_a_float32_model_is_certified_in_float64():
    torch.random.manual_seed(0)
    X, y = torch.randn(8, 6), torch.randint(3, (8,))
    net = nn.Sequential(nn.Linear(6, 5), nn.ReLU(), nn.Linear(5, 3))
    energy = tl.Energy.from_model(net, functional.cross_entropy, (X, y), dtype=torch.float32)
    path = energy.start(2, 0)
    certificate = tl.certify(energy, path, rtol=1e-6)
    assert certificate.lower < dense(energy, path) * (1 + 1e-4) < certificate.upper * (1 + 1e-3)
    double = tl.Energy.from_model(net, functional.cross_entropy, (X, y))
    assert dense(double, path.double()) <= certificate.upper


class Bounds:
    """A bounder that knows nothing."""

    evaluations = 0

    def __init__(self, bound: float, value: float = 0.5) -> None:
        self.bound, self.value = bound, value

    def values(self, nodes: list[Node]) -> list[float]:
        self.evaluations += len(nodes)
        return [self.value] * len(nodes)

    def above(self, stretches: list[Stretch]) -> list[float]:
        return [self.bound] * len(stretches)

    def below(self, node: Node) -> float:
        return self.value


def test_a_nan_bound_is_no_bound():
    bisection = Bisection(Bounds(float("nan")), 1)
    assert decide(bisection, level(1.0), evaluations=50) is not Outcome.BELOW
    assert bisection.upper == float("inf")
    assert decide(Bisection(Bounds(0.9), 1), level(1.0), evaluations=50) is Outcome.BELOW


def test_an_energy_that_is_not_finite_on_the_path_is_not_bounded():
    energy = energy_of("linear", "squared", seed=0)
    path = energy.start(2, 0)
    path[1] = 1e200
    certificate = tl.certify(energy, path)
    assert certificate.reason is Outcome.NONFINITE
    assert certificate.upper == float("inf")
    assert not certificate.below(1e300)
    assert decide(Bisection(Bounds(0.9, float("nan")), 1), level(1.0), 50) is Outcome.NONFINITE


# -- black boxes --------------------------------------------------------------------------------------------------


def test_a_black_box_is_measured_and_never_certified():
    energy = tl.zoo.mueller_brown()
    certificate = tl.certify(energy, torch.tensor([[-0.558, 1.442], [0.623, 0.028]]))
    assert certificate.status == "refined"
    assert certificate.reason is Outcome.MEASURED
    assert certificate.upper == float("inf")
    assert not certificate.below(1e9)


def test_a_bound_of_the_user_certifies_a_black_box():
    energy = tl.Energy.from_function(lambda x: torch.sin(3 * x[:, 0]) + 0.1 * x[:, 1], dim=2)
    path = torch.tensor([[-1.0, 0.0], [1.5, 0.5], [2.0, -1.0]], dtype=torch.float64)
    top = dense(energy, path, 20001)
    for bounds in ({"lipschitz": 3.2}, {"curvature": 9.0}, {"lipschitz": 3.2, "curvature": 9.0}):
        certificate = tl.certify(energy, path, rtol=1e-3, **bounds)
        assert certificate.status == "certified"
        assert certificate.lower <= top <= certificate.upper <= 1.001 * top + 1e-3
    by_slope, by_curvature = (
        tl.certify(energy, path, rtol=1e-3, **b) for b in ({"lipschitz": 3.2}, {"curvature": 9.0})
    )
    assert by_curvature.evaluations < by_slope.evaluations


# -- planted spikes -----------------------------------------------------------------------------------------------


def spiked(seed: int) -> tuple[tl.Energy, Tensor, float]:
    """A network whose loss has a spike on the line between two points, the points, and a level under the spike.

    Three units relu(u + 1) - 2 relu(u) + relu(u - 1) with u = (t - t0) / ε, moved along by their biases alone,
    make a hat of width ε in t, from 10^-1.5 down to 10^-5.5; the other units are a random network.
    """
    generator = torch.Generator().manual_seed(seed)
    draw = partial(torch.rand, generator=generator, dtype=torch.float64)
    place, width = 0.02 + 0.96 * float(draw(1)), 10 ** (-1.5 - 4 * float(draw(1)))
    net = nn.Sequential(nn.Linear(2, 11), nn.ReLU(), nn.Linear(11, 1))
    X, y = torch.randn(16, 2, generator=generator, dtype=torch.float64), torch.zeros(16, 1)
    energy = tl.Energy.from_model(net, functional.mse_loss, (X, y))
    ends = energy.start(2, seed) * 0.5
    weight, bias, last = ends[:, :22].view(2, 11, 2), ends[:, 22:33], ends[:, 33:44]
    weight[:, 8:] = 0
    at_ends = torch.tensor([[-place], [1 - place]], dtype=torch.float64) / width
    bias[:, 8:] = at_ends + torch.tensor([1.0, 0.0, -1.0], dtype=torch.float64)
    last[:, 8:] = torch.tensor([0.0, 0.0, 0.0], dtype=torch.float64)
    base = dense(energy, ends, 101)
    last[:, 8:] = 4 * torch.tensor([1.0, -2.0, 1.0], dtype=torch.float64)
    return energy, ends, base + 0.5


def test_no_planted_spike_is_missed():
    wrong, evaluations, sampled = 0, [], {51: 0, 501: 0}
    for seed in range(200):
        energy, ends, u = spiked(seed)
        certificate = tl.certify(energy, ends, level=u)
        wrong += certificate.below(u)
        assert certificate.reason is Outcome.ABOVE
        evaluations.append(certificate.evaluations)
        for points in sampled:
            sampled[points] += dense(energy, ends, points) <= u
    evaluations.sort()
    print(f"wrong merges: certified {wrong} of 200 ({evaluations[100]} evaluations, at most {evaluations[-1]})")
    print(f"wrong merges by sampling: {sampled[51]} with 51 points, {sampled[501]} with 501 points")
    assert wrong == 0
    assert sampled[51] > 100
    assert sampled[501] > 50


# -- refusals -----------------------------------------------------------------------------------------------------


def refused(module: nn.Module, *words: str, loss=functional.mse_loss, shape=(6,), targets=(3,)) -> None:
    X, y = torch.randn(4, *shape, generator=torch.Generator().manual_seed(0)), torch.zeros(4, *targets)
    energy = tl.Energy.from_model(module.eval(), loss, (X, y), start=lambda k, g: None)
    here = energy.network.flatten(energy.network.module)
    with pytest.raises(tl.InputError) as caught:
        tl.certify(energy, torch.stack([here, here]))
    assert all(word in str(caught.value) for word in words), str(caught.value)


class Branch(nn.Linear):
    def forward(self, x):
        return super().forward(x) if x.sum() > 1e9 else 2 * super().forward(x)


class Cosine(nn.Linear):
    def forward(self, x):
        return torch.cos(super().forward(x))


def test_what_is_not_understood_is_refused_by_name():
    refused(nn.Sequential(nn.Linear(6, 3), nn.Softmax(1)), "Softmax (1)", "no certified rule", "lipschitz")
    refused(nn.Sequential(nn.Linear(6, 3), nn.GELU("tanh")), "GELU (1)", "approximate")
    refused(nn.Sequential(nn.Linear(6, 3), nn.Softplus(beta=2)), "Softplus (1)", "beta")
    refused(
        nn.Sequential(nn.Conv2d(2, 3, 3), nn.MaxPool2d(2, padding=1), nn.Flatten()),
        "MaxPool2d (1)",
        "padding",
        shape=(2, 4, 4),
        targets=(12,),
    )
    refused(Cosine(6, 3), "cos")
    refused(Branch(6, 3), "Branch", "branches")
    refused(nn.Linear(6, 3), "lambda", "cross_entropy", loss=lambda o, t: (o - t).square().mean())


def test_chunks_of_rows_give_the_same_bounds(monkeypatch):
    for name in NETWORKS:
        energy = energy_of(name, "squared", seed=3, rows=40)
        path = short_path(energy, 0)
        whole = tl.certify(energy, path, rtol=0.05)
        with monkeypatch.context() as patch:
            patch.setattr("tda_landscape.certificates._network.IN_CACHE", 1)  # sixteen rows at a time
            assert tl.certify(energy, path, rtol=0.05).upper == pytest.approx(whole.upper, rel=1e-9)
            patch.setattr("tda_landscape.certificates._network.KEPT", 1)  # and traces are made anew
            assert tl.certify(energy, path, rtol=0.05).upper == pytest.approx(whole.upper, rel=1e-9)


def test_weights_that_are_computed_are_refused():
    net = nn.Sequential(nn.Linear(6, 4), nn.utils.spectral_norm(nn.Linear(4, 3)))
    refused(net, "(3, 4)", "no parameter of the model")
    net = nn.Sequential(nn.Linear(6, 3))
    nn.utils.parametrizations.orthogonal(net[0])
    refused(net, "ParametrizedLinear (0)")


class Optional(nn.Linear):
    def forward(self, x, mask=None):
        return super().forward(x)


def test_an_option_of_the_forward_may_be_left_alone():
    X, y = torch.randn(8, 6), torch.randint(3, (8,))
    energy = tl.Energy.from_model(Optional(6, 3), functional.cross_entropy, (X, y))
    assert tl.certify(energy, energy.start(2, 0)).status == "certified"


def test_hooks_are_noticed():
    net = nn.Sequential(nn.Linear(6, 3))
    net[0].register_forward_hook(lambda module, given, output: 2 * output)
    refused(net, "read as one with energy", "hooks")


def test_a_regularizer_and_a_wrong_question_are_refused():
    energy = energy_of("relu", "squared", seed=0)
    path = short_path(energy, 0)
    network = energy.network
    data = (network.inputs, network.targets)
    own = tl.Energy.from_model(network.module, network.loss, data, regularizer=lambda p: p["0.weight"].abs().sum())
    with pytest.raises(tl.InputError, match="regularizer"):
        tl.certify(own, path)
    for wrong, word in (
        ({"rtol": 0.1, "level": 1.0}, "one of rtol, atol and level"),
        ({"rtol": 1e-9}, "1e-08"),
        ({"atol": 0.0}, "atol"),
        ({"level": float("nan")}, "nan"),
        ({"lipschitz": -1.0}, "lipschitz"),
        ({"curvature": float("inf")}, "curvature"),
        ({"budget": -1.0}, "budget"),
    ):
        with pytest.raises(tl.InputError, match=word):
            tl.certify(energy, path, **wrong)
    with pytest.raises(tl.InputError, match="at least one point"):
        tl.certify(energy, path[:0])
    with pytest.raises(tl.InputError, match="not finite"):
        tl.certify(energy, path * float("inf"))


def test_flushing_of_small_numbers_is_refused():
    energy = energy_of("relu", "squared", seed=0)
    if not torch.set_flush_denormal(True):
        pytest.skip("this processor cannot flush denormal numbers, so there is nothing to refuse")
    try:
        with pytest.raises(tl.InputError, match="flush_denormal"):
            tl.certify(energy, short_path(energy, 0))
    finally:
        torch.set_flush_denormal(False)


def test_tied_weights_and_shared_layers_are_one_parameter():
    shared = nn.Linear(4, 4)
    net = nn.Sequential(nn.Linear(6, 4), shared, nn.Tanh(), shared, nn.Linear(4, 3))
    X, y = torch.randn(8, 6), torch.randint(3, (8,))
    energy = tl.Energy.from_model(net, functional.cross_entropy, (X, y))
    path = energy.start(2, 0)
    certificate = tl.certify(energy, path, rtol=1e-3)
    assert certificate.lower - 1e-3 <= dense(energy, path) <= certificate.upper
    assert isinstance(Residual(3, 1), nn.Module)
