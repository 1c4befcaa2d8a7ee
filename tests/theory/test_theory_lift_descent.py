"""The kernel lift: with p >= q hidden units every point has a way down to a global minimum that never rises."""

from functools import partial

import pytest
import torch
from torch.nn.functional import huber_loss, l1_loss, mse_loss, smooth_l1_loss

import tda_landscape as tl
from tda_landscape.theory import lift_descent
from tda_landscape.theory._curve import joints, rise
from tda_landscape.theory._least import OutputLoss, least
from tests.theory.lift_networks import LOSSES, SMOOTH, draw, lowest

EXACT, JOINT, OPTIMUM = 1e-12, 1e-10, 1e-9


def check_descent(case):
    """Of a case with p >= q: the end, and how far it is above the least loss."""
    assert lift_descent.refuses(case.chain, case.energy.network) is None
    curve = lift_descent.descend(case.chain, case.energy.network, case.ends[0], case.generator)
    assert rise(case.energy, curve, 17) <= EXACT
    assert joints(curve, case.ends[0], curve.end) <= JOINT
    left = float(case.energy(curve.end[None])) - lowest(case.energy, case.chain)
    assert left <= OPTIMUM
    return left


@pytest.mark.parametrize("loss", LOSSES)
def test_theorem_5_descent_never_rises_and_ends_at_the_global_minimum(loss):
    for seed in range(5):
        left = check_descent(draw(seed, lambda q, extra: q.upper + extra, (loss,)))
        if loss in (mse_loss, l1_loss):  # whose least loss is known exactly
            assert abs(left) <= 1e-11


@pytest.mark.parametrize("loss", LOSSES)
def test_theorem_5_with_no_unit_to_spare(loss):
    """Where the point's own features nearly depend on each other, those that do are unloaded on a way down."""
    for seed in range(300, 305):
        check_descent(draw(seed, lambda q, extra: q.upper, (loss,)))


@pytest.mark.slow
def test_500_random_architectures():
    left = [check_descent(draw(seed, lambda q, extra: q.upper + extra)) for seed in range(2000, 2500)]
    print(f"500 architectures: at most {max(left):.1e} above the least loss")


def test_far_away_a_huber_loss_has_no_curvature():
    """Where Newton steps once stalled: every error far out on the linear part of the loss."""
    cases = (draw(seed, lambda q, extra: q.upper + extra, (huber_loss,)) for seed in range(100))
    check_descent(next(case for case in cases if float(case.energy(case.ends[:1])) > 1e6))


def test_the_end_of_a_descent_is_below_what_any_optimizer_reaches():
    case = draw(1, lambda q, extra: q.upper + extra, SMOOTH)
    trained = tl.minimize(case.energy, case.energy.start(6, 1), max_steps=300)
    curve = lift_descent.descend(case.chain, case.energy.network, case.ends[0], case.generator)
    assert float(case.energy(curve.end[None])) <= float(case.energy(trained).min()) + 1e-9


def test_least_absolute_errors_of_a_constant_are_those_of_the_median():
    x, y = torch.ones(5, 1, dtype=torch.float64), torch.tensor([[0.0], [1.0], [5.0], [2.0], [100.0]]).double()
    model = torch.nn.Linear(1, 1, bias=False).double()
    for loss in (l1_loss, partial(smooth_l1_loss, beta=0.0), torch.nn.L1Loss()):
        output = OutputLoss.of(tl.Energy.from_model(model, loss, (x, y)).network)
        assert output.absolute
        assert least(output, x.T, torch.zeros(1, 1, dtype=torch.float64)).tolist() == [[2.0]]
    for loss in (huber_loss, smooth_l1_loss, mse_loss):
        assert not OutputLoss.of(tl.Energy.from_model(model, loss, (x, y)).network).absolute


def test_a_network_that_sees_nothing_still_goes_down():
    x, y = torch.zeros(4, 2), torch.arange(4.0)[:, None]
    for bias, value in ((False, 3.5), (True, 1.25)):
        model = torch.nn.Sequential(
            torch.nn.Linear(2, 3, bias=False), torch.nn.Tanh(), torch.nn.Linear(3, 1, bias=bias)
        )
        energy = tl.Energy.from_model(model, mse_loss, (x, y))
        path = tl.theory.descend(energy, energy.start(1, 0)[0])
        assert float(path.energies[-1]) == pytest.approx(value, abs=1e-12)


def test_control_below_q_units_it_refuses():
    for seed in range(10):
        case = draw(seed, lambda q, extra: q.lower - 1)
        if case.q.lower > 1:
            assert "fewer than q" in lift_descent.refuses(case.chain, case.energy.network)


def test_what_would_drown_in_rounding_is_refused():
    """Two units for two data that differ by 1e-11: the targets need weights of 1e11, in which rounding is 1e-5."""
    x = torch.tensor([[1.0], [1 + 1e-11]], dtype=torch.float64)
    model = tl.zoo.networks.mlp([1, 2, 1], activation="tanh", bias=False)
    energy = tl.Energy.from_model(model, l1_loss, (x, torch.tensor([[-1.0], [1.0]])))
    with pytest.raises(tl.InputError, match="nearly depend on each other"):
        tl.theory.descend(energy, torch.tensor([1.0, 2.0, 0.0, 0.0]))
