"""The counter-examples of the zoo: their barcodes by exact grids, and surveys that agree with them."""

from functools import partial
from math import factorial

import numpy as np
import pytest
import torch

import tda_landscape as tl
from tda_landscape.theory import Constructive, variable_projection

INF = np.inf
zoo = tl.zoo


def sort(bars):
    bars = np.asarray(bars, dtype=float).reshape(-1, 2)
    return bars[np.lexsort((-bars[:, 1], bars[:, 0]))]


def same(found, exact, tolerance=1e-12):
    found, exact = sort(found), sort(exact)
    assert found.shape == exact.shape, f"{len(found)} bars, not {len(exact)}: {found.tolist()}"
    assert np.allclose(found, exact, rtol=0, atol=tolerance), found.tolist()


def bars(values, periodic=False, least=1e-9):
    return tl.persistence(tl.cubical_merge_tree(values, periodic=periodic), min_persistence=least)[0]


def grid(energy, ticks):
    points = torch.cartesian_prod(*[ticks] * energy.dim).view(-1, energy.dim)
    return energy(points).view([len(ticks)] * energy.dim).numpy()


def line(low, high, n):
    return torch.linspace(low, high, n, dtype=torch.float64)


WALL = (5 - 8 / 3**0.5) / 3  # exact: the minimum of E(b, b); a grid of b by itself ends 1.1e-6 above it
TRIPLE = {1: [(0.25, INF), (1.0, 1.25)], 2: [(0.0, INF), (0.0, 0.25)], 3: [(0.0, INF)], 4: [(0.0, INF)]}


@pytest.mark.parametrize("hidden", TRIPLE)
def test_relu_two_points_is_sharp_for_theorem_5_and_for_one_spare_unit(hidden):
    """With the outgoing weights at their best only the signs of the incoming ones matter: a grid of signs is exact."""
    g = variable_projection(zoo.relu_two_points(hidden), semicontinuous=True)
    same(bars(grid(g, line(-1, 1, 3))), TRIPLE[hidden])


def test_relu_two_points_hypotheses():
    for hidden, refused in {1: True, 2: True, 3: False}.items():
        energy = zoo.relu_two_points(hidden)
        assert tl.theory.kernel_lift(energy).dimension.value == 2
        a, b = energy.start(2, 0)
        if refused:
            with pytest.raises(tl.InputError, match="fewer than q"):
                tl.find_path(energy, a, b, search=Constructive())
        else:
            high = float(energy(torch.stack([a, b])).max())
            assert tl.find_path(energy, a, b, search=Constructive()).height <= high + 1e-12
    assert float(tl.theory.descend(zoo.relu_two_points(2), [1.0, 1.0, 0.0, 0.0]).energies[-1]) <= 1e-20


@pytest.mark.parametrize(("first", "second"), [(2.0, 1.0), (1.0, 3.0)])
def test_relu_mixture_theorem_13_of_venturi_bandeira_bruna(first, second):
    g = variable_projection(zoo.relu_mixture(first, second), angles=True, semicontinuous=True)
    low, high = sorted([first**2 / 4, second**2 / 4])
    phi = 2 * torch.pi * torch.arange(360, dtype=torch.float64) / 360
    same(bars(grid(g, phi), True), [(low, INF), (high, low + high)], 2e-4)


@pytest.mark.parametrize("layers", [2, 3, 4])
def test_scalar_chain_has_a_component_for_each_choice_of_signs(layers):
    """Width 1 is not strict (Freeman-Bruna Proposition 2.2). Off a grid's points hyperbolas break into short bars."""
    values = grid(zoo.scalar_chain(layers), line(-1.5, 1.5, 13))
    same(bars(values, least=0.5), [(0.0, INF)] + [(0.0, 1.0)] * (2 ** (layers - 1) - 1))


@pytest.mark.parametrize("values", [(2.0, 1.0), (2.2882456112707374, 0.8740320488976421)])
def test_square_linear_merges_at_the_square_of_the_smallest_singular_value(values):
    """Eckart-Young from below, a path from above; the second case is M = [[2, 1], [0, 1]] up to rotations."""
    energy, s = zoo.square_linear(values), torch.tensor(values, dtype=torch.float64)
    t = line(1, -1, 41)
    factors = torch.diag_embed(torch.stack([torch.ones_like(t), t], 1) * s.sqrt()).flatten(1)
    along = energy(torch.cat([factors, factors], 1))
    assert along[0] <= 1e-28
    assert float(along.max()) == pytest.approx(values[-1] ** 2, rel=1e-14)
    generator = torch.Generator().manual_seed(0)
    w = torch.randn(200, 8, generator=generator, dtype=torch.float64)
    w[:, 2:4] = w[:, :2] * torch.randn(200, 1, generator=generator, dtype=torch.float64)  # det W_1 = 0
    product = tl.minimize(energy, w[:20])
    assert float(energy(w).min()) >= values[-1] ** 2
    assert float(energy(product).max()) < 1e-8, "control: free of the wall every descent reaches 0"


def test_permuted_teacher_has_a_wall_between_its_copies():
    """Proposition 2.3 of Freeman and Bruna: any path crosses b_1 = b_2, which is least at b = 1 - 2 / sqrt(3)."""
    t = line(-2, 2, 20001)
    wall = zoo.permuted_teacher()(torch.stack([t, t], 1))
    assert float(wall.min()) == pytest.approx(WALL, abs=1e-7)
    assert float(t[wall.argmin()]) == pytest.approx(1 - 2 / 3**0.5, abs=2e-4)
    lowest = torch.full((1, 2), 1 - 2 / 3**0.5, dtype=torch.float64)
    assert float(zoo.permuted_teacher()(lowest)) == pytest.approx(WALL, abs=1e-15)
    same(bars(grid(zoo.permuted_teacher(), line(-2, 2, 61)), least=2e-3), [(0.0, INF), (0.0, WALL)], 1e-3)


def test_permuted_teacher_is_its_integral():
    energy = zoo.permuted_teacher(3)
    points, x = energy.start(5, 0), line(-2, 2, 200_001)
    target = (x - line(-1, 1, 3)[:, None]).relu().sum(0)
    for point, value in zip(points, energy(points), strict=True):
        difference = (x - point[:, None]).relu().sum(0) - target
        assert float(value) == pytest.approx(float(torch.trapezoid(difference**2, x) / 4), rel=1e-8)


def test_permuted_teacher_of_three_has_all_six_copies():
    found = bars(grid(zoo.permuted_teacher(3), line(-2, 2, 41)), least=1e-2)
    assert len(found) == factorial(3)
    assert np.allclose(found[:, 0], 0)


def test_plateau_one_component_and_yet_poor_local_minima_that_are_not_strict():
    energy = zoo.plateau()
    same(bars(grid(energy, line(-3, 3, 6001))), [(0.0, INF)])
    minima = tl.quench(energy, torch.tensor([[1.5], [0.2]]))
    assert sorted(minima.energies.tolist()) == pytest.approx([0.0, 1.0])


def test_freeman_bruna_is_connected_at_width_4_and_not_below_one_sixth_at_width_3():
    for hidden in (3, 4):
        energy = zoo.freeman_bruna(hidden)
        low = tl.theory.descend(energy, energy.start(1, 0)[0]).points[-1]
        w, u = low[: 2 * hidden].view(hidden, 2), low[2 * hidden :].view(2, hidden)
        order = [1, 0, *range(2, hidden)]
        copy = torch.cat([w[order].flatten(), u[:, order].flatten()])
        assert float(energy(torch.stack([low, copy])).max()) <= 1e-20
        if hidden == 3:
            found = tl.find_path(energy, low, copy, search=tl.paths.Ladder(budget=300))
            assert found.height >= 1 / 6, "no path can be lower"
        else:
            assert tl.find_path(energy, low, copy, search=Constructive()).height <= 1e-12


# Ladder ends within a thousandth of what a straight line exceeds its ends by, here up to about 5.
LADDER = 5e-3
EXACT = {  # energy, exact barcode, tolerance, chains
    "relu_two_points(1)": (partial(zoo.relu_two_points, 1), TRIPLE[1], 1e-4, 12),
    "relu_two_points(2)": (partial(zoo.relu_two_points, 2), TRIPLE[2], LADDER, 12),
    "relu_two_points(3)": (partial(zoo.relu_two_points, 3), TRIPLE[3], LADDER, 12),
    "relu_mixture": (zoo.relu_mixture, [(0.25, INF), (1.0, 1.25)], 1e-4, 12),
    "permuted_teacher": (zoo.permuted_teacher, [(0.0, INF), (0.0, WALL)], 1e-4, 12),
    "plateau": (zoo.plateau, [(0.0, INF)], 1e-6, 12),
    "scalar_chain(2)": (partial(zoo.scalar_chain, 2), [(0.0, INF), (0.0, 1.0)], 1e-3, 12),
    "scalar_chain(3)": (partial(zoo.scalar_chain, 3), [(0.0, INF)] + [(0.0, 1.0)] * 3, 1e-3, 12),
    "square_linear": (zoo.square_linear, [(0.0, INF), (0.0, 1.0)], 1e-3, 24),
    "quadratic_unit": (zoo.quadratic_unit, [(8 / 3, INF), (8 / 3, 11), (32 / 3, 11), (32 / 3, 11)], 1e-2, 12),
}
QUICK = "plateau"
SLOW = [pytest.param(name, marks=pytest.mark.slow) for name in EXACT if name != QUICK]


def surveyed(energy, chains):
    """Copies counted one by one: without the symmetry that would count them as one."""
    steps = {"sample": partial(tl.sample, chains=chains, seed=0), "quench": partial(tl.quench, symmetry=None)}
    return tl.survey(energy, seed=0, **steps)


@pytest.mark.parametrize("name", [QUICK, *SLOW])
def test_the_survey_agrees_with_the_exact_barcode(name):
    make, exact, tolerance, chains = EXACT[name]
    survey = surveyed(make(), chains)
    found = tl.persistence(survey.graph, min_persistence=2 * tolerance)[0]
    print(f"{name}: {found.tolist()}, {survey.cost.gradient_equivalents:.0f} gradient equivalents")
    same(found, exact, tolerance)


@pytest.mark.slow
def test_the_survey_of_relu_counterexample_agrees_with_proposition_2_3():
    """Proved are a component for each order of the two kinks, and a merge at 1/6 or above; the rest has no closed form.

    Of 12 starts the first seed draws all in one order, so there are 24.
    """
    found = tl.persistence(surveyed(zoo.relu_counterexample([2, 2, 1]), 24).graph, min_persistence=1e-6)[0]
    assert len(found) == factorial(2)
    assert np.allclose(found[:, 0], 0, atol=1e-12)
    assert found[1, 1] >= 1 / 6


@pytest.mark.slow
def test_the_survey_of_freeman_bruna_is_not_below_its_barrier_that_nothing_attains():
    """Appendix E.1, made exact: no path from one sign of the determinant of the features to the other is below 1/6.

    The barrier is an infimum, so that searches end above it, and they miss ways between points of one sign as well:
    the count of a survey is an upper bound of the two components, which grids of the hidden layer show in tests/theory.
    """
    energy = zoo.freeman_bruna(3)
    graph = surveyed(energy, 8).graph
    features = (graph.points[:, :6].reshape(-1, 3, 2) @ energy.network.inputs.numpy().T).clip(0)
    sign = np.sign(np.linalg.det(features))
    deep = graph.births < 1e-12
    assert set(sign[deep]) == {-1.0, 1.0}, "both components are found"
    together = tl.merge_tree(graph).cut(1 / 6 - 1e-9)
    assert not set(together[deep & (sign > 0)]) & set(together[deep & (sign < 0)])
    assert len(set(together[deep])) >= 2


ARCHITECTURES = {(2, 2, 1): 1 / 6, (3, 3, 2): 1 / 6, (2, 5, 1): 1 / 6, (2, 2, 2, 1): 1 / 2, (4, 3, 2, 3, 2): 1 / 3}


def exchanged(energy, widths):
    """The teacher with its first two last hidden units exchanged."""
    teacher = energy.network.flatten(energy.network.module)
    layers = list(energy.network.unflatten(teacher).values())
    order = [1, 0, *range(2, widths[-2])]
    layers[-2], layers[-1] = layers[-2][order], layers[-1][:, order]
    return teacher, torch.cat([layer.flatten() for layer in layers])


@pytest.mark.parametrize("widths", ARCHITECTURES)
def test_relu_counterexample_proposition_2_3_no_path_is_below_the_bound(widths):
    energy = zoo.relu_counterexample(widths)
    teacher, copy = exchanged(energy, widths)
    assert float(energy(torch.stack([teacher, copy])).max()) <= 1e-20
    paths = [tl.find_path(energy, teacher, copy, search=s) for s in (tl.paths.Straight(), tl.paths.Ladder(budget=150))]
    assert min(path.height for path in paths) >= ARCHITECTURES[widths]


def test_relu_counterexample_one_kink_less_costs_a_sixth():
    """The wall itself: p - 1 units on the same data. The bound is for any continuous function with p - 1 kinks."""
    for p in (2, 3):
        data = zoo.relu_counterexample([2, p, 1]).network
        fewer = tl.zoo.networks.mlp([2, p - 1, 1], activation="relu", bias=False)
        energy = tl.Energy.from_model(fewer, data.loss, (data.inputs, data.targets))
        least = float(energy(tl.minimize(energy, 2 * energy.start(40, 0), max_steps=500)).min())
        assert least >= 1 / 6
        assert least < 3, "and the bound is not off by orders of magnitude"


def test_relu_counterexample_with_a_singular_last_layer_costs_one_over_p():
    widths = (3, 3, 3, 2)
    energy = zoo.relu_counterexample(widths)
    teacher, _ = exchanged(energy, widths)
    layers = list(energy.network.unflatten(teacher).values())
    generator, least = torch.Generator().manual_seed(0), []
    for _ in range(20):
        last = torch.randn(3, 3, generator=generator, dtype=torch.float64)
        last[2] = last[1] * 2  # two units with parallel features
        features = (energy.network.inputs @ layers[0].T).relu() @ layers[1].T
        hidden = (features.relu() @ last.T).relu()
        rest = energy.network.targets - hidden @ torch.linalg.pinv(hidden) @ energy.network.targets
        least.append(float(rest.square().sum()))
    assert min(least) >= 1 / 3


def test_relu_counterexample_control_enough_units_connect_the_copies():
    """On the same data, 2 p + 1 points, one unit more than points: Theorem 5 with one spare unit."""
    data = zoo.relu_counterexample([2, 2, 1]).network
    wide = tl.zoo.networks.mlp([2, 6, 1], activation="relu", bias=False)
    energy = tl.Energy.from_model(wide, data.loss, (data.inputs, data.targets))
    low = tl.theory.descend(energy, energy.start(1, 0)[0]).points[-1]
    copy = torch.cat([low[:12].view(6, 2).flip(0).flatten(), low[12:].flip(0)])
    assert tl.find_path(energy, low, copy, search=Constructive()).height <= 1e-12


def test_relu_counterexample_starts_in_every_copy():
    energy = zoo.relu_counterexample([2, 3, 1])
    kinks = -energy.start(200, 0)[:, 1:6:2]
    assert len({tuple(row.argsort().tolist()) for row in kinks}) == factorial(3)


@pytest.mark.parametrize(
    ("widths", "sentence"),
    [([2, 1, 1], "no permuted copy"), ([1, 3, 1], "width 1"), ([2, 4, 4, 2], "at least"), ([2, 2], "one hidden layer")],
)
def test_relu_counterexample_says_where_nothing_is_proved(widths, sentence):
    with pytest.raises(tl.InputError, match=sentence):
        zoo.relu_counterexample(widths)


@pytest.mark.parametrize(
    "make",
    [
        lambda: zoo.relu_two_points(0),
        lambda: zoo.scalar_chain(True),
        lambda: zoo.square_linear(()),
        lambda: zoo.square_linear((1.0, 0.0)),
        lambda: zoo.relu_mixture(0.0),
        lambda: zoo.permuted_teacher(-1),
    ],
)
def test_what_is_no_network_is_refused(make):
    with pytest.raises(tl.InputError, match="positive"):
        make()
