"""What predict() says: the exact cases, each theorem on both sides of its threshold, and what voids it."""

import itertools
from functools import partial

import numpy as np
import pytest
import torch
from torch import nn
from torch.nn import functional

import tda_landscape as tl
from tda_landscape.theory._facts import jumps, measure

SUM = nn.MSELoss(reduction="sum")
LINE = torch.tensor([[1.0], [-1.0]]), torch.tensor([[1.0], [0.5]])


class Units(nn.Module):
    """Linear layers with any function between them."""

    def __init__(self, sizes, activation, bias=False):
        super().__init__()
        self.layers = nn.ModuleList(nn.Linear(a, b, bias=bias) for a, b in itertools.pairwise(sizes))
        self.activation = activation

    def forward(self, x):
        for layer in self.layers[:-1]:
            x = self.activation(layer(x))
        return self.layers[-1](x)


def gaussian(rows, columns, seed):
    return torch.randn(rows, columns, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


def linear(sizes, x, y, *, bias=False, loss=SUM, **penalty):
    return tl.predict(tl.zoo.networks.mlp(sizes, activation="identity", bias=bias), loss, (x, y), **penalty)


def flags(sheet):
    return sheet.simple, sheet.no_spurious_valley, sheet.n_global_components


def applied(sheet, words):
    return [s for s in sheet.statements if words in s.conclusion and s.applies]


ONE = torch.ones(1, 1)


@pytest.mark.parametrize(
    ("sizes", "x", "y", "expected"),
    [
        ([1, 1, 1], ONE, ONE, (False, True, 2)),  # (ab - 1)^2
        ([1, 2, 1], ONE, ONE, (True, True, 1)),
        ([1, 1, 1, 1], ONE, ONE, (False, True, 4)),  # scalar chains, 2^(K-1)
        ([1, 1, 1, 1, 1], ONE, ONE, (False, True, 8)),
        ([2, 2, 2], torch.eye(2), torch.tensor([[2.0, 0.0], [1.0, 1.0]]), (False, True, 2)),
    ],
    ids=["linear_1_1_1", "linear_1_2_1", "linear_1_1_1_1", "linear_1_1_1_1_1", "square_linear"],
)
def test_freeman_bruna_proposition_2_2_is_strict(sizes, x, y, expected):
    assert flags(linear(sizes, x, y)) == expected


def test_square_linear_merges_at_the_square_of_the_least_singular_value():
    """The case square_linear of the theory, barrier 0.763932 = sigma_min(M)^2."""
    (found,) = applied(linear([2, 2, 2], torch.eye(2), torch.tensor([[2.0, 0.0], [1.0, 1.0]])), "least width")
    assert "from the minimum 0 to 0.763932" in found.conclusion


@pytest.mark.parametrize(("width", "expected"), [(1, (False, False, 1)), (2, (False, True, 2)), (3, (True, True, 1))])
def test_the_sharp_triple(width, expected):
    """ReLU on (1, 1), (-1, 1/2): bars (1/4, inf), (1, 5/4); (0, inf), (0, 1/4); (0, inf)."""
    sheet = tl.predict(tl.zoo.networks.mlp([1, width, 1], activation="relu", bias=False), SUM, LINE)
    assert flags(sheet) == expected
    assert sheet.widths == {"no_spurious_valley": 2, "simple": 3, "n_global_components": 3}
    levels = {1: "from 0.25, one from 1, which meet at 1.25", 2: "from the minimum 0 to 0.25"}
    assert width == 3 or applied(sheet, levels[width])


def gap_at_a_singular_layer(x, y, width, generator):
    """The energy at weights whose last layer annihilates a direction of the best fit, and is optimal otherwise."""
    white = torch.linalg.svd(x, full_matrices=False)[0].T @ y  # (n, m)
    left, values, _ = torch.linalg.svd(white.T, full_matrices=False)
    a = left[:, :width] @ torch.randn(width, 1, generator=generator, dtype=x.dtype)
    a = a / a.norm()
    rest = white.T - a @ (a.T @ white.T)
    tail = torch.linalg.svdvals(rest)[width:].square().sum()
    least = float(y.square().sum() - white.square().sum())
    found = least + float((a.T @ white.T).square().sum() + tail)
    floor = least + float(values[width:].square().sum())
    below = float(values[width]) if width < len(values) else 0.0
    return found, floor + float(values[width - 1]) ** 2 - below**2


@pytest.mark.parametrize("seed", range(20))
def test_below_the_level_of_the_bottleneck_no_determinant_vanishes(seed):
    """The lower bound of the barrier: where the sign would change, the energy is at least the stated level."""
    rng, generator = np.random.default_rng(seed), torch.Generator().manual_seed(seed)
    n, m = rng.integers(1, 5, 2).tolist()
    x, y = gaussian(12, n, seed), gaussian(12, m, seed + 100)
    width = int(rng.integers(1, min(n, m) + 1))
    sheet = linear([n, width, m], x, y)
    (statement,) = applied(sheet, "least width")
    attained = []
    for _ in range(50):
        found, level = gap_at_a_singular_layer(x, y, width, generator)
        assert found >= level * (1 - 1e-12)
        attained.append(found)
    assert statement.conclusion.endswith(f"to {level:.6g}")
    assert flags(sheet) == (False, True, 2)
    if width == 1:
        assert min(attained) <= level * (1 + 1e-9), "the bound is attained"


def test_narrower_than_the_rank_of_the_target_the_signs_count_only_the_narrowest_layers():
    x, y = gaussian(12, 4, 0), gaussian(12, 3, 1)
    sheet = linear([4, 2, 5, 2, 3], x, y)
    assert flags(sheet) == (False, True, None)
    assert sheet.global_components_at_least == 4
    assert flags(linear([4, 2, 2, 2, 3], x, y)) == (False, True, 8)


def test_a_rank_deficient_target_does_not_separate():
    """(ab - 0)^2 is connected: without a gap between singular values nothing is claimed."""
    assert flags(linear([1, 1, 1], ONE, 0 * ONE)) == (None, True, None)


def test_the_rank_of_the_data_counts_not_their_columns():
    x, y = gaussian(10, 2, 0) @ gaussian(2, 5, 1), gaussian(10, 4, 2)
    assert flags(linear([5, 3, 4], x, y)) == (True, True, 1)
    assert flags(linear([5, 2, 4], x, y)) == (False, True, 2)


@pytest.mark.parametrize(
    ("small", "simple", "sentence"),
    [(1e-8, None, "2 to 3 (near the tolerance)"), (1e-3, False, "n = rank of the data = 3"), (1e-13, True, "= 2,")],
)
def test_near_the_tolerance_of_a_rank_the_answer_is_not_decided(small, simple, sentence):
    x = gaussian(10, 3, 0) * torch.tensor([1.0, 1.0, small])
    sheet = linear([3, 3, 4], x, gaussian(10, 4, 2))
    assert sheet.simple is simple
    assert sentence in str(sheet)


def test_biases_that_change_nothing_and_one_that_does():
    x, y = gaussian(12, 2, 0), gaussian(12, 4, 1)
    with_last = [nn.Linear(2, 3), nn.Linear(3, 3), nn.Linear(3, 4)]
    assert tl.predict(nn.Sequential(*with_last), SUM, (x, y)).simple is True
    middle = [nn.Linear(2, 3, bias=False), nn.Linear(3, 3), nn.Linear(3, 4, bias=False)]
    assert flags(tl.predict(nn.Sequential(*middle), SUM, (x, y))) == (None, None, None)
    first = [nn.Linear(2, 3), nn.Linear(3, 4, bias=False)]  # one more input: 3 is not above it
    assert flags(tl.predict(nn.Sequential(*first), SUM, (x, y))) == (False, True, 2)


def test_a_bias_of_the_last_layer_takes_the_mean():
    """Data on a line through no origin have rank 2, centered 1."""
    x = torch.tensor([[1.0, 1.0], [2.0, 1.0], [3.0, 1.0], [5.0, 1.0]])
    y = gaussian(4, 2, 0)
    assert linear([2, 2, 2], x, y).simple is False
    assert linear([2, 2, 2], x, y, bias=True).simple is True


def test_any_penalty_voids_everything_but_the_ridge_of_two_linear_layers():
    x, y = gaussian(12, 3, 0), gaussian(12, 2, 1)
    none = (None, None, None)
    assert flags(linear([3, 3, 2], x, y, weight_decay=0.1)) == (True, True, 1)
    assert flags(linear([3, 2, 2], x, y, weight_decay=0.1)) == none
    assert flags(linear([3, 3, 3, 2], x, y, weight_decay=0.1)) == none
    assert flags(linear([3, 3, 2], x, y, weight_decay=0.1, regularizer=lambda p: 0 * p["0.weight"].sum())) == none
    wide = tl.zoo.networks.mlp([3, 40, 2], activation="relu")
    assert tl.predict(wide, SUM, (x, y)).simple is True
    ridge = tl.predict(wide, SUM, (x, y), 1e-6)
    assert flags(ridge) == none
    assert "weight decay 1e-06 voids every theorem but those on one or two linear layers" in str(ridge)
    assert not any(s.applies for s in ridge.statements if "ReLU at" not in s.conclusion)
    lasso = tl.predict(wide, SUM, (x, y), regularizer=lambda p: p["2.weight"].abs().sum())
    assert flags(lasso) == none
    assert "a regularizer voids every theorem" in str(lasso)


@pytest.mark.parametrize(
    ("loss", "simple"),
    [
        (functional.l1_loss, True),
        (partial(functional.huber_loss, delta=0.3), True),
        (lambda y, t: (y - t).abs().mean(), None),  # convex, but nobody here knows
        (lambda y, t: (y - t).abs().sqrt().mean(), None),
        (lambda y, t: (y - t).square().clamp(max=1).mean(), None),
    ],
)
def test_the_loss_must_be_known_to_be_convex(loss, simple):
    x, y = gaussian(12, 3, 0), gaussian(12, 2, 1)
    sheet = linear([3, 3, 2], x, y, loss=loss)
    assert sheet.simple is simple


def test_a_loss_that_is_not_convex_is_refuted_and_an_unknown_one_is_not():
    model, data = tl.zoo.networks.mlp([3, 3, 2]), (gaussian(12, 3, 0), gaussian(12, 2, 1))
    convex = {
        name: measure(tl.Energy.from_model(model, loss, data).network).convex
        for name, loss in {
            "known": functional.mse_loss,
            "unknown": lambda y, t: (y - t).abs().mean(),
            "root": lambda y, t: ((y - t).abs() + 0.1).sqrt().mean(),
            "sine": lambda y, t: torch.sin(y - t).mean(),
        }.items()
    }
    assert convex == {"known": True, "unknown": None, "root": False, "sine": False}


@pytest.mark.parametrize(
    ("activation", "jumping"),
    [
        (torch.relu, False),
        (torch.tanh, False),
        (lambda z: torch.tanh(1e4 * z), False),
        (lambda z: z.abs().sqrt(), False),
        (torch.sign, True),
        (lambda z: (z > 0.123).to(z.dtype), True),
        (lambda z: z.round() / 100, True),
        (lambda z: 1 / z, True),
        (torch.log, True),
    ],
)
def test_jumps_of_an_activation_are_found(activation, jumping):
    assert jumps(activation) is jumping


def test_a_discontinuous_activation_voids_the_theorems():
    def steps(z):
        return z + torch.floor(z)

    x, y = gaussian(5, 2, 0), gaussian(5, 1, 1)
    sheet = tl.predict(Units([2, 12, 1], steps), SUM, (x, y))
    assert flags(sheet) == (None, None, None)
    assert "a jump was found" in str(sheet)
    control = tl.predict(Units([2, 12, 1], torch.tanh), SUM, (x, y))
    assert flags(control) == (True, True, 1)


@pytest.mark.parametrize("activation", ["relu", "tanh", "sigmoid", "softplus"])
def test_one_hidden_layer_on_n_points_is_simple_from_n_plus_1_units_on(activation):
    """Venturi, Bandeira and Bruna, Theorem 5, and the stronger p >= q + 1 of this project, with q = n."""
    x, y = gaussian(6, 3, 0), gaussian(6, 2, 1)
    found = {
        p: flags(tl.predict(tl.zoo.networks.mlp([3, p, 2], activation=activation), functional.mse_loss, (x, y)))
        for p in (5, 6, 7, 12)
    }
    assert found == {
        5: (None, None, None),
        6: (None, True, None),
        7: (True, True, 1),
        12: (True, True, 1),
    }


def test_corollary_6_counts_the_forms_of_a_polynomial():
    x, y = gaussian(60, 3, 0), gaussian(60, 1, 1)
    sheet = tl.predict(Units([3, 9, 1], lambda z: z + z**2), SUM, (x, y))  # 3 + 6 forms
    assert sheet.no_spurious_valley is True
    assert applied(sheet, "p >= 9, the dimension of its forms")
    constant = tl.predict(Units([3, 9, 1], lambda z: 1 + z + z**2), SUM, (x, y))
    assert constant.no_spurious_valley is None
    assert constant.widths["no_spurious_valley"] == 10


@pytest.mark.parametrize(("p", "simple"), [(8, None), (9, True), (10, True)])
def test_quadratic_units_are_simple_from_2n_plus_1_on(p, simple):
    """N = 4: 2 N + 1 = 9 units, where q + 1 = 11 and the lecture wants 3 N^2 = 48."""
    x, y = gaussian(60, 4, 0), gaussian(60, 1, 1)
    sheet = tl.predict(Units([4, p, 1], torch.square), functional.mse_loss, (x, y))
    assert sheet.simple is simple
    assert sheet.widths["simple"] == 9
    two = tl.predict(Units([4, 9, 2], torch.square), functional.mse_loss, (x, gaussian(60, 2, 1)))
    assert two.simple is None, "one output only"


LECTURE = "M_k >= 3 N^(2^k)"
EVERY_LAYER = "p_k >= q_k + 1"


def test_deep_quadratic_networks_by_the_widths_of_the_lecture_and_by_fewer():
    """Forms of degree 2 and 4 in N variables: q = 1, 1 for N = 1 and 3, 5 for N = 2."""
    for n, widths, lecture, simple in (
        (1, [3, 3], True, True),
        (1, [3, 2], False, True),
        (1, [3, 1], False, None),
        (1, [1, 3], False, None),
        (2, [12, 48], True, True),
        (2, [12, 47], False, True),
        (2, [4, 6], False, True),
        (2, [4, 5], False, None),
        (2, [3, 6], False, None),
    ):
        data = gaussian(9, n, 0), gaussian(9, 1, 1)
        sheet = tl.predict(Units([n, *widths, 1], torch.square), SUM, data)
        assert (bool(applied(sheet, LECTURE)), sheet.simple) == (lecture, simple), widths
        assert bool(applied(sheet, EVERY_LAYER)) == bool(simple)


def test_deep_networks_with_more_units_in_each_layer_than_data():
    data = gaussian(4, 2, 0), gaussian(4, 2, 1)
    assert tl.predict(Units([2, 5, 5, 5, 2], torch.tanh, bias=True), SUM, data).simple is True
    assert tl.predict(Units([2, 5, 4, 5, 2], torch.tanh, bias=True), SUM, data).simple is None
    assert tl.predict(Units([2, 5, 5, 5, 2], torch.tanh, bias=True), SUM, data, 1e-3).simple is None


def test_a_first_layer_wider_than_twice_the_data():
    x, y = gaussian(4, 2, 0), gaussian(4, 1, 1)
    leaky = partial(functional.leaky_relu, negative_slope=0.2)
    assert tl.predict(Units([2, 8, 3, 1], leaky, bias=True), SUM, (x, y)).simple is True
    assert tl.predict(Units([2, 7, 3, 1], leaky, bias=True), SUM, (x, y)).simple is None
    assert tl.predict(Units([2, 8, 3, 3, 1], leaky, bias=True), SUM, (x, y)).simple is None
    assert tl.predict(Units([2, 8, 3, 1], leaky), SUM, (x, y)).simple is None, "biases"
    assert tl.predict(Units([2, 8, 3, 1], torch.relu, bias=True), SUM, (x, y)).simple is None, "not onto"


def test_kawaguchi_needs_full_ranks_and_distinct_eigenvalues():
    x, y = gaussian(12, 3, 0), gaussian(12, 2, 1)
    words = "every local minimum is global"
    assert applied(linear([3, 2, 2], x, y), words)
    alike = torch.linalg.qr(gaussian(12, 3, 2)).Q
    assert not applied(linear([3, 2, 2], alike, alike[:, :2]), words), "equal eigenvalues"
    assert not applied(linear([3, 2, 2], x @ gaussian(3, 2, 5) @ gaussian(2, 3, 6), y), words), "X X^T of rank 2"
    assert not applied(linear([2, 2, 3], x[:, :2], gaussian(12, 3, 3)), words), "more outputs than inputs"


def test_relu_statements_that_say_nothing_of_the_data_are_told_as_such():
    sheet = tl.predict(
        tl.zoo.networks.mlp([2, 3, 1], activation="relu", bias=False),
        functional.mse_loss,
        (gaussian(40, 2, 0), gaussian(40, 1, 1)),
        regularizer=lambda p: p["2.weight"].abs().sum(),
    )
    text = str(sheet)
    assert "there are data with N_u > 1; of the data given it says nothing" in text
    assert "eps(m) = O(m^(-1/2))" in text
    assert flags(sheet) == (None, None, None)


def test_theorems_never_contradict_each_other_and_their_widths_keep_their_word():
    rng = np.random.default_rng(0)
    decided = dict.fromkeys(itertools.product((True, False, None), repeat=2), 0)
    kept = 0
    for seed in range(50):
        depth = int(rng.integers(1, 4))
        sizes = rng.integers(1, 5, depth + 1).tolist()
        activation = ["identity", "relu", "tanh"][int(rng.integers(3))]
        bias, rows = bool(rng.integers(2)), int(rng.integers(2, 9))
        loss = [functional.mse_loss, functional.l1_loss][int(rng.integers(2))]
        data = gaussian(rows, sizes[0], seed), gaussian(rows, sizes[-1], seed + 1)
        sheet = tl.predict(tl.zoo.networks.mlp(sizes, activation=activation, bias=bias), loss, data)
        decided[sheet.simple, sheet.no_spurious_valley] += 1
        assert not (sheet.simple and sheet.no_spurious_valley is not True)
        assert not (sheet.simple and sheet.n_global_components != 1)
        assert sheet.n_global_components is None or sheet.n_global_components >= sheet.global_components_at_least
        for flag, width in sheet.widths.items():
            wider = [sizes[0], *[width] * (depth - 1), sizes[-1]]
            again = tl.predict(tl.zoo.networks.mlp(wider, activation=activation, bias=bias), loss, data)
            assert getattr(again, flag) == 1
            kept += 1
    assert kept > 40
    assert decided[True, True] > 10
    assert decided[False, True] > 1
    assert decided[None, None] > 10


def test_every_theorem_is_met_by_a_network_and_names_its_source():
    sheets = [
        linear([3, 3, 2], gaussian(9, 3, 0), gaussian(9, 2, 1)),
        tl.predict(tl.zoo.networks.mlp([1, 2, 1], activation="relu", bias=False), SUM, LINE),
    ]
    for statement in itertools.chain(*(s.statements for s in sheets)):
        assert any(name in statement.source for name in ("arXiv", "derived here", "lecture", "elementary"))
        assert statement.hypotheses


def test_without_a_chain_of_layers_nothing_is_predicted():
    model = nn.Sequential(nn.Linear(3, 4), nn.LayerNorm(4), nn.Linear(4, 1))
    sheet = tl.predict(model, functional.mse_loss, (gaussian(9, 3, 0), gaussian(9, 1, 1)))
    assert flags(sheet) == (None, None, None)
    assert sheet.statements == ()
    assert "belongs to no linear layer" in str(sheet)
    bound = nn.utils.parametrizations.weight_norm(nn.Linear(3, 4))
    constrained = tl.predict(
        nn.Sequential(bound, nn.Linear(4, 1)), functional.mse_loss, (gaussian(9, 3, 0), gaussian(9, 1, 1))
    )
    assert constrained.statements == (), "constrained weights are not covered"


def test_infinite_and_unfit_data_are_refused():
    with pytest.raises(tl.InputError, match="model"):
        tl.predict(3, functional.mse_loss, LINE)
    with pytest.raises(tl.InputError, match="weight_decay"):
        tl.predict(tl.zoo.networks.mlp([1, 2, 1]), functional.mse_loss, LINE, weight_decay=-1.0)
