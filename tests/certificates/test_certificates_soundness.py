"""Every unit of every layer, every row and every mean against its bound, on random segments of random networks."""

from itertools import product

import networks
import pytest
import torch
from networks import LOSSES, NETWORKS, bounder_of, energy_of, violations

from tda_landscape.certificates.rules import relu

WIDTHS = (1e-3, 3e-2, 0.3, 1.0)


def check(network: str, loss: str, seed: int, width: float, generators: int, rows: int = 8) -> tuple[int, int, int]:
    energy = energy_of(network, loss, seed, rows=rows)
    return violations(bounder_of(energy, seed, width, generators=generators))


@pytest.mark.parametrize("network", NETWORKS)
def test_no_unit_and_no_mean_leaves_its_bound(network):
    for i, (loss, width) in enumerate(product(list(LOSSES)[:: 1 + len(network) % 3], WIDTHS)):
        assert check(network, loss, seed=i, width=width, generators=4 * (i % 2)) == (0, 0, 0), (loss, width)


@pytest.mark.parametrize("loss", LOSSES)
def test_no_row_leaves_its_bound(loss):
    # One row of data: its loss is the mean, so that no other row hides a violation.
    for i, (network, width) in enumerate(product(("relu", "tanh", "layer norm"), WIDTHS * 4)):
        assert check(network, loss, seed=100 + i, width=width, generators=0, rows=1) == (0, 0, 0), (network, width)


@pytest.mark.slow
def test_ten_thousand_segments():
    cases = list(product(NETWORKS, LOSSES))
    found = torch.zeros(3, dtype=torch.int64)
    total = 10_000
    for i in range(total):
        network, loss = cases[i % len(cases)]
        width = 10 ** (-3 * ((i * 0.6180339887) % 1))
        found += torch.tensor(check(network, loss, i, width, generators=4 * (i // len(cases) % 2), rows=4))
    print(f"{total} segments: {found.tolist()} violations by unit, row and mean")
    assert found.tolist() == [0, 0, 0]


def test_the_units_show_a_broken_bound_that_the_mean_hides(monkeypatch):
    # The kink's remainder at half its size: units leave their bounds, the mean of the loss does not.
    tent = relu.tent
    monkeypatch.setattr(relu, "tent", lambda first, last: (tent(first, last)[0], tent(first, last)[1] / 2))
    broken = [check("relu", "cross-entropy", seed, 1.0, 0) for seed in range(12)]
    assert sum(units for units, _, _ in broken) > 10
    assert sum(means for _, _, means in broken) == 0


def test_the_networks_are_those_of_the_issue():
    layers = {type(m).__name__ for make, _ in NETWORKS.values() for m in make().modules()}
    wanted = "Linear Conv1d Conv2d AvgPool2d MaxPool1d MaxPool2d BatchNorm1d BatchNorm2d LayerNorm ReLU LeakyReLU Tanh"
    assert set(wanted.split()) | {"Sigmoid", "SiLU", "GELU", "Softplus", "Residual"} <= layers
    assert networks.WHOLE.middle == 0.5
