"""Displacements and wrapping on a torus, and the start laws."""

import copy

import numpy as np
import pytest
import torch
from hypothesis import example, given, settings
from hypothesis import strategies as st

from tda_landscape.energy import Energy, zoo

SIDES = (1.0, 2.5)


def torus():
    return Energy.from_function(
        lambda x: torch.cos(2 * np.pi * x / torch.tensor(SIDES, dtype=x.dtype)).sum(1), 2, period=SIDES
    )


TORUS = torus()
number = st.floats(-20, 20, allow_subnormal=False)
point = st.tuples(number, number).map(lambda pair: torch.tensor([pair], dtype=torch.float64))


@settings(max_examples=200, deadline=None)
@given(point)
@example(torch.tensor([[-1e-17, -1e-300]], dtype=torch.float64))
@example(torch.tensor([[1.0, 2.5]], dtype=torch.float64))
@example(torch.tensor([[-1.0, -0.0]], dtype=torch.float64))
def test_wrapped_points_lie_in_the_cell_and_are_the_same_points(x):
    inside = TORUS.wrap(x)
    sides = torch.tensor(SIDES, dtype=torch.float64)
    assert (inside >= 0).all()
    assert (inside < sides).all()
    turns = (inside - x) / sides
    assert torch.allclose(turns, turns.round(), atol=1e-12)
    assert torch.equal(TORUS.wrap(inside), inside)
    assert torch.allclose(TORUS(inside), TORUS(x), atol=1e-12)


@settings(max_examples=200, deadline=None)
@given(point, point)
def test_displacements_are_the_shortest_way(a, b):
    sides = torch.tensor(SIDES, dtype=torch.float64)
    step = TORUS.displacement(a, b)
    assert (step.abs() <= sides / 2 + 1e-12).all()
    turns = (a + step - b) / sides
    assert torch.allclose(turns, turns.round(), atol=1e-12)
    if ((step.abs() - sides / 2).abs() > 1e-9).all():  # at the antipode both ways are as short
        assert torch.allclose(TORUS.displacement(b, a), -step, atol=1e-12)
        assert torch.allclose(TORUS.displacement(a + 3 * sides, b - 2 * sides), step, atol=1e-9)


def test_without_a_period_nothing_wraps():
    plane = zoo.double_well(2)
    a, b = torch.tensor([[9.0, -9.0]]), torch.tensor([[0.0, 0.25]])
    assert torch.equal(plane.wrap(a), a)
    assert torch.equal(plane.displacement(a, b), b - a)


def test_start_laws_are_those_stated():
    box = Energy.from_function(lambda x: x.sum(1), 2, bounds=([-2, 5], [3, 6])).start(4000, 0)
    assert (box >= torch.tensor([-2.0, 5.0])).all()
    assert (box <= torch.tensor([3.0, 6.0])).all()
    assert torch.allclose(box.mean(0), torch.tensor([0.5, 5.5], dtype=torch.float64), atol=0.1)
    around = TORUS.start(4000, 0)
    assert torch.equal(TORUS.wrap(around), around)
    assert torch.allclose(around.var(0), torch.tensor([1 / 12, 2.5**2 / 12], dtype=torch.float64), rtol=0.1)
    normal = Energy.from_function(lambda x: x.sum(1), 2).start(4000, 0)
    assert torch.allclose(normal.mean(0), torch.zeros(2, dtype=torch.float64), atol=0.1)
    assert torch.allclose(normal.var(0), torch.ones(2, dtype=torch.float64), atol=0.1)


def test_bounds_are_no_wall_and_win_over_the_period():
    energy = Energy.from_function(lambda x: torch.cos(x).sum(1), 1, bounds=(0.1, 0.2), period=2 * np.pi)
    starts = energy.start(50, 0)
    assert ((starts > 0.1) & (starts < 0.2)).all()
    assert energy([[3.0]]).item() == pytest.approx(np.cos(3.0))


def test_seeds_repeat_and_differ():
    assert torch.equal(TORUS.start(3, 7), TORUS.start(3, 7))
    assert not torch.equal(TORUS.start(3, 7), TORUS.start(3, 8))


def test_the_start_law_of_a_model_is_the_initialisation_of_its_layers():
    model = torch.nn.Sequential(torch.nn.Linear(3, 4), torch.nn.Tanh(), torch.nn.Linear(4, 2))
    data = torch.zeros(2, 3), torch.zeros(2, dtype=torch.int64)
    energy = Energy.from_model(model, torch.nn.functional.cross_entropy, data)
    twin, rows = copy.deepcopy(model).double(), []
    with torch.random.fork_rng(devices=[]):
        for seed in (11, 12):
            torch.manual_seed(seed)
            twin[0].reset_parameters()
            twin[2].reset_parameters()
            rows.append(torch.cat([p.detach().reshape(-1) for p in twin.parameters()]))
    assert torch.equal(energy.start(1, 11)[0], rows[0])
    assert torch.equal(energy.start(1, 12)[0], rows[1])
    both = energy.start(2, 11)
    assert torch.equal(both[0], rows[0])  # chain i does not depend on how many chains there are
    assert not torch.equal(both[0], both[1])
