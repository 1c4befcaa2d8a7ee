"""Property P.1 from a point: paths that never rise, where they exist, and no more than "unresolved" where not."""

import pytest
import torch
from torch import nn

import tda_landscape as tl
from tda_landscape.paths import Stop
from tda_landscape.paths._slide import falls, slide

SUM = nn.MSELoss(reduction="sum")
LINE = torch.tensor([[1.0], [-1.0]]), torch.tensor([[1.0], [0.5]])


def relu(width, data=LINE, inputs=1):
    model = tl.zoo.networks.mlp([inputs, width, data[1].shape[1]], activation="relu", bias=False)
    normal = lambda k, g: torch.randn(k, width * (inputs + data[1].shape[1]), generator=g, dtype=torch.float64)  # noqa: E731
    return tl.Energy.from_model(model, SUM, data, start=normal)


def rise(energy, path, pieces=200):
    """Largest rise above the lowest value so far, sampled densely along the path."""
    t = torch.linspace(0, 1, pieces, dtype=torch.float64)[:, None]
    a, b = path.points[:-1, None], path.points[1:, None]
    values = energy(torch.cat([(a + t * (b - a)).flatten(0, 1), path.points[-1:]]))
    return float((values - values.cummin(0).values).max())


def check(energy, start, path, noise=1e-5):
    start = torch.as_tensor(start, dtype=torch.float64)
    high = float(energy(start[None])[0])
    assert torch.equal(path.points[0], start)
    assert rise(energy, path) <= noise * (1 + abs(high))
    assert path.height <= high + noise * (1 + abs(high))


@pytest.mark.parametrize("start", [-3.0, -1.0, -0.1])
def test_on_the_side_of_the_global_minimum_it_is_reached(start):
    energy = tl.zoo.quartic()
    path = tl.descend_path(energy, [start])
    check(energy, [start], path)
    assert path.reason is Stop.DOWN
    assert path.energies[-1] == pytest.approx(-32, abs=1e-5)


@pytest.mark.parametrize("start", [0.1, 1.0])
def test_from_the_other_well_it_is_unresolved(start):
    """Case quartic1d: the component of {E <= E(start)} has no global minimum below 0."""
    energy = tl.zoo.quartic()
    path = tl.descend_path(energy, [start])
    check(energy, [start], path)
    assert path.reason is Stop.STUCK
    assert path.energies[-1] == pytest.approx(-5, abs=1e-5)
    assert tl.descend_path(energy, [start], target=-4.9).reason is Stop.DOWN


def test_a_saddle_and_a_maximum_are_left_by_a_kick():
    energy = tl.zoo.double_well(2)
    for start in ([0.0, 0.0], [1.0, 0.0]):
        path = tl.descend_path(energy, start)
        check(energy, start, path)
        assert path.reason is Stop.DOWN
        assert path.energies[-1] <= 1e-4


def test_a_plateau_is_crossed_on_its_level():
    """Case plateau1d: flat from 1 to 2, then down to 0 at the origin."""

    def plateau(x):
        r = x.abs()[:, 0]
        return torch.where(r < 1, r**2, torch.where(r < 2, torch.ones_like(r), (r - 1) ** 2))

    energy = tl.Energy.from_function(plateau, dim=1, bounds=(-3, 3))
    path = tl.descend_path(energy, [2.5])
    check(energy, [2.5], path)
    assert path.reason is Stop.DOWN
    assert path.energies[-1] <= 1e-4


def test_the_spurious_valley_of_one_relu_unit_stays_unresolved():
    """Case relu_1_1_1: bars (1/4, inf) and (1, 5/4); the unit that looks the wrong way comes to 1 and no further."""
    energy = relu(1)
    wrong, right = [-0.5, 0.4], [0.5, 0.4]
    path = tl.descend_path(energy, wrong)
    check(energy, wrong, path)
    assert path.reason is Stop.STUCK
    assert path.energies[-1] == pytest.approx(1, abs=1e-6)
    assert tl.descend_path(energy, right).reason is Stop.DOWN
    assert tl.descend_path(energy, wrong, target=1.01).reason is Stop.DOWN


@pytest.mark.parametrize("start", range(6))
def test_with_as_many_units_as_features_every_start_comes_down(start):
    """Case relu_1_2_1: p = q = 2, P.1 holds, also from where both units look the wrong way or are off."""
    points = [*relu(2).start(3, 0).tolist(), [-0.5, -0.7, 0.4, 0.3], [0.0] * 4, [-1.0, -1.0, 0.0, 0.5]]
    energy = relu(2)
    path = tl.descend_path(energy, points[start], target=1e-6)
    check(energy, points[start], path)
    assert path.reason is Stop.DOWN
    assert path.energies[-1] <= 1e-6 + 1e-5 * (1 + path.height)


def test_an_overparametrized_network_on_data_comes_down():
    """p = 8 > q = 6 data points of dimension 3, two outputs."""
    generator = torch.Generator().manual_seed(0)
    data = torch.randn(6, 3, generator=generator), torch.randn(6, 2, generator=generator)
    energy = relu(8, data, inputs=3)
    dead = torch.cat([-data[0].double().mean(0).repeat(8) * 0, torch.ones(16, dtype=torch.float64)])
    for start in energy.start(3, 1):
        path = tl.descend_path(energy, start, target=1e-4)
        check(energy, start, path)
        assert path.reason is Stop.DOWN
    # Where every unit is off a search may fail; the theorem's own way shows that this refutes nothing.
    check(energy, dead, tl.descend_path(energy, dead, target=1e-4))
    way = tl.theory.descend(energy, dead)
    check(energy, dead, way)
    assert way.energies[-1] < 1e-4


def test_the_same_seed_gives_the_same_path():
    energy, start = relu(2), [-0.5, -0.7, 0.4, 0.3]
    one, two = (tl.descend_path(energy, start, seed=3) for _ in range(2))
    assert torch.equal(one.points, two.points)


def test_what_cannot_begin_is_refused():
    energy = tl.Energy.from_function(lambda x: -torch.log(x[:, 0]), dim=1, bounds=(0.5, 2))
    with pytest.raises(tl.InputError, match="begin where it is finite"):
        tl.descend_path(energy, [-1.0])
    with pytest.raises(tl.InputError, match="noise"):
        tl.descend_path(tl.zoo.quartic(), [0.0], noise=0.0)


def hump(height, width=0.02):
    """A slope with a narrow hump at 0.503."""
    return tl.Energy.from_function(
        lambda x: -x[:, 0] + height * torch.exp(-(((x[:, 0] - 0.503) / width) ** 2)), dim=1, bounds=(0, 1)
    )


@pytest.mark.parametrize("height", [0.1, 1e-4])
def test_a_rise_between_two_vertices_is_found(height):
    line = torch.linspace(0, 1, 6, dtype=torch.float64)[:, None]
    kept, rise = falls(hump(height), line, 1e-7)
    risen = height > 0.02  # the slope of the hump beats that of the line
    assert (len(kept) < len(line)) == risen
    assert rise <= 1e-7
    assert len(falls(hump(0.0), line, 1e-7)[0]) == 6


def test_sliding_takes_no_step_across_a_minimum():
    energy = tl.zoo.quartic()
    line, level = slide(energy, torch.tensor([0.1], dtype=torch.float64), -torch.inf, 1e-8, 10.0)
    assert level == pytest.approx(-5)
    assert (line.diff(dim=0) > 0).all()


def test_a_level_stretch_is_checked_with_few_values_and_a_hill_on_it_is_seen():
    """Slopes that hardly change over a level piece once asked for ever finer pieces."""
    line = torch.tensor([[0.0, 1.0], [5.0, 1.0]], dtype=torch.float64)
    for height, kept in ((1e-6, 2), (1e-4, 1)):
        energy = tl.Energy.from_function(lambda x, h=height: x[:, 1] ** 2 + h * torch.sin(7 * x[:, 0]), 2)
        counted, cost = tl.tally(energy)
        part, _ = falls(counted, line, 1e-5)
        assert len(part) == kept
        assert cost.gradients < 5000
