"""Variable projection keeps H0: grids of the hidden weights alone have the tree of the whole energy."""

from functools import partial

import numpy as np
import pytest
import torch
from torch.nn.functional import cross_entropy, huber_loss, l1_loss, mse_loss

import tda_landscape as tl
from tda_landscape.theory import variable_projection

SUM_OF_SQUARES = partial(mse_loss, reduction="sum")


def grid(energy, n, low=0.0, high=2 * torch.pi, offset=0.0):
    """Values on a grid; by default of a torus, off 0 by a share of the step."""
    ticks = low + (torch.arange(n, dtype=torch.float64) + offset) * (high - low) / n
    points = torch.cartesian_prod(*[ticks] * energy.dim).view(-1, energy.dim)
    return energy(points).view([n] * energy.dim).numpy()


def bars(values, periodic, least):
    return tl.persistence(tl.cubical_merge_tree(values, periodic=periodic), min_persistence=least)[0]


def make(widths, data, loss=SUM_OF_SQUARES, activation="relu", bias=False, **options):
    model = tl.zoo.networks.mlp(widths, activation=activation, bias=bias)
    return tl.Energy.from_model(model, loss, data, **options)


TWO_POINTS = (torch.tensor([[1.0], [-1.0]]), torch.tensor([[1.0], [0.5]]))


def test_two_linear_layers_with_ridge_have_their_closed_form():
    """(ab - 1)^2 + (a^2 + b^2) / 4: balanced minima at 7/16 twice, merging at 1 (nuclear norm)."""
    energy = make([1, 1, 1], (torch.ones(1, 1), torch.ones(1, 1)), activation="identity", weight_decay=0.25)
    g = variable_projection(energy)
    a = torch.tensor([[0.3], [-2.0]], dtype=torch.float64)
    assert torch.allclose(g(a), a[:, 0] ** 2 / 4 + 0.25 / (a[:, 0] ** 2 + 0.25), rtol=1e-14)
    found = bars(grid(g, 4001, -2, 2, 0.5), False, 1e-6)
    assert np.allclose(found, [[7 / 16, np.inf], [7 / 16, 1.0]], atol=1e-6)


def test_the_tree_is_that_of_the_full_energy():
    """relu_two_points(1) with weight decay 1/20, both by grids and by hand: s = u w is 1 - 1/20 or 1/2 - 1/20."""
    energy = make([1, 1, 1], TWO_POINTS, weight_decay=0.05)
    full = bars(grid(energy, 801, -2, 2, 0.5), False, 0.01)
    projected = bars(grid(variable_projection(energy), 4001, -2, 2, 0.5), False, 1e-6)
    exact = [[0.0025 + 0.25 + 0.095, np.inf], [0.0025 + 1 + 0.045, 1.25]]
    assert np.allclose(projected, exact, atol=1e-5)
    assert np.allclose(full, exact, atol=1e-4)


def test_a_two_unit_network_is_an_image_and_two_grids_agree():
    """ReLU 2-2-1 with ridge |U|^2 / 20: a 2-torus of directions. The data lie at 0, 120, 240 and 300 degrees, so that
    the kinks lie on both grids."""
    phi = torch.pi / 6 * torch.tensor([0.0, 4.0, 8.0, 10.0], dtype=torch.float64)
    energy = make([2, 2, 1], (torch.stack([phi.cos(), phi.sin()], 1), torch.tensor([[1.0], [1.0], [-0.5], [0.3]])))
    g = variable_projection(energy, ridge=0.05, angles=True)
    coarse, fine = (bars(grid(g, n), True, 0.05) for n in (60, 120))
    assert len(coarse) == len(fine) == 6
    move = np.abs(coarse[:, 0] - fine[:, 0]).max(), np.abs(coarse[1:, 1] - fine[1:, 1]).max()
    print(f"births move {move[0]:.1e}, deaths {move[1]:.1e}")
    assert max(move) < 2e-3


def test_freeman_bruna_e1_approaches_one_sixth_from_above():
    """Least energy of features of rank 2, an infimum: 1/6 + c / n on grids, since g jumps where the rank falls."""
    g = variable_projection(tl.zoo.freeman_bruna(2), angles=True, semicontinuous=True)
    least = {n: float(grid(g, n, offset=0.5).min()) for n in (48, 96, 192)}
    print(least)
    assert least[48] == pytest.approx(0.19331971447673035, abs=1e-11)
    assert least[192] == pytest.approx(0.17305437819373734, abs=1e-11)
    assert least[48] > least[96] > least[192] > 1 / 6
    assert 2 * least[192] - least[96] == pytest.approx(1 / 6, abs=2e-4)


def test_freeman_bruna_e1_has_two_components_at_width_3_and_one_at_width_4():
    g = variable_projection(tl.zoo.freeman_bruna(3), angles=True, semicontinuous=True)
    found = bars(grid(g, 20, offset=0.5), True, 0.01)
    assert found.shape == (2, 2)
    assert np.allclose(found[:, 0], 0, atol=1e-12)
    assert 1 / 6 < found[1, 1] < 0.3
    wide = variable_projection(tl.zoo.freeman_bruna(4), angles=True, semicontinuous=True)
    assert bars(grid(wide, 10, offset=0.5), True, 0.01).shape == (1, 2)


X = torch.randn(9, 2, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
LABELS = torch.arange(9) % 3
SMOOTH = {
    "cross entropy": (3, cross_entropy, LABELS),
    "squared": (2, mse_loss, X.flip(1)),
    "huber": (2, huber_loss, 2 * X.flip(1)),
}


@pytest.mark.parametrize("name", SMOOTH)
def test_it_is_the_minimum_over_the_output_layer(name):
    outputs, loss, targets = SMOOTH[name]
    energy = make([2, 2, outputs], (X, targets), loss, "tanh", bias=True, weight_decay=0.01)
    g = variable_projection(energy)
    start = energy.start(4, 0)
    start[:, :6] *= 2
    fixed = tl.Energy.from_function(
        lambda u: energy.function(torch.cat([start[:1, :6].expand(len(u), -1), u], 1)), energy.dim - 6
    )
    least = fixed(tl.minimize(fixed, start[:1, 6:], tolerance=1e-10))
    assert float(g(start[:1, :6])) == pytest.approx(float(least), abs=1e-12)
    assert bool((g(start[:, :6]) < energy(start)).all())


@pytest.mark.parametrize("name", SMOOTH)
def test_its_derivatives_are_those_of_differences(name):
    outputs, loss, targets = SMOOTH[name]
    g = variable_projection(make([2, 2, outputs], (X, targets), loss, "tanh", weight_decay=0.01))
    w, step = g.start(1, 0), 1e-4
    axes = step * torch.eye(g.dim, dtype=torch.float64)
    _, gradient = g.value_and_grad(w)
    assert torch.allclose((g(w + axes) - g(w - axes)) / (2 * step), gradient[0], atol=1e-7)
    ahead, behind = g.value_and_grad(w + axes)[1], g.value_and_grad(w - axes)[1]
    assert torch.allclose((ahead - behind) / (2 * step), g.hessian(w)[0], atol=1e-6)


def test_without_a_ridge_it_asks_for_a_word():
    energy = make([1, 1, 1], TWO_POINTS)
    with pytest.raises(tl.InputError, match="upper semicontinuous"):
        variable_projection(energy)
    jump = variable_projection(energy, semicontinuous=True)(torch.tensor([[-1e-9], [0.0], [1e-9]]))
    assert torch.allclose(jump, torch.tensor([1.0, 1.25, 0.25], dtype=torch.float64), atol=1e-9)


def test_what_cannot_be_projected_is_refused():
    circle = make([2, 2, 1], (X, X[:, :1]))
    for energy, options, sentence in (
        (make([1, 1, 1], TWO_POINTS, l1_loss), {"ridge": 0.1}, "slope has no jumps"),
        (make([2, 2, 1], (X, X[:, :1]), activation="tanh"), {"ridge": 0.1, "angles": True}, "Tanh in 2"),
        (make([2, 2, 1], (X, X[:, :1]), bias=True), {"ridge": 0.1, "angles": True}, "in 3"),
        (make([2, 2, 1], (X, X[:, :1]), weight_decay=0.1), {"angles": True}, "directions are not all"),
        (circle, {"ridge": -1.0}, "ridge must be a number in"),
        (tl.zoo.quartic(), {"ridge": 1.0}, "from_model"),
    ):
        with pytest.raises(tl.InputError, match=sentence):
            variable_projection(energy, **options)
