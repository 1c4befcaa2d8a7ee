"""The two lowest eigenvalues from products alone: against known spectra, among them those that are hard to tell."""

import pytest
import torch

import tda_landscape as tl
from tda_landscape.minima import _lanczos
from tda_landscape.minima._hessian import lowest_modes
from tda_landscape.minima._lanczos import MOST, two_lowest

DIM = 700


def look(spectrum, tolerance=1e-9):
    """Eigenvalues, error and eigenvectors of a symmetric matrix of this spectrum in random axes, and the products."""
    generator = torch.Generator().manual_seed(1)
    axes = torch.linalg.qr(torch.randn(len(spectrum), len(spectrum), generator=generator, dtype=torch.float64))[0]
    matrix = axes @ torch.diag(spectrum) @ axes.T
    made = []

    def product(vectors):
        made.append(len(vectors))
        return vectors @ matrix

    starts = torch.randn(2, len(spectrum), generator=generator, dtype=torch.float64)
    values, error, modes = two_lowest(product, starts, tolerance)
    assert float((modes @ matrix - values[:, None] * modes).norm(dim=1).max()) <= float(error) * (1 + 1e-6)
    assert torch.allclose(modes @ modes.T, torch.eye(2, dtype=torch.float64), atol=1e-10)
    return values.tolist(), float(error), sum(made)


def spread(*lowest):
    """A spectrum with these below the others, which lie between 1 and 20."""
    return torch.cat([torch.tensor(lowest, dtype=torch.float64), torch.linspace(1, 20, DIM - len(lowest))]).double()


@pytest.mark.parametrize("lowest", [(-2.0, 0.5), (0.1, 0.2), (-1.0, -1.0), (0.3, 0.3), (-3.0, -1e-3)])
def test_eigenvalues_double_ones_included(lowest):
    values, error, products = look(spread(*lowest))
    assert values == pytest.approx(lowest, abs=1e-6)
    assert error < 1e-3 * min(map(abs, lowest))
    assert products < MOST


def test_zero_is_within_the_error():
    values, error, _ = look(spread(0.0, 0.5))
    assert abs(values[0]) <= error <= 1e-7
    values, error, _ = look(spread(0.0, 0.0, 0.0))
    assert max(map(abs, values)) <= error <= 1e-7


def test_what_is_left_after_the_last_product_is_told():
    """Half of the eigenvalues are within a millionth of zero: no space of so few directions tells them apart."""
    spectrum = torch.rand(DIM, generator=torch.Generator().manual_seed(0), dtype=torch.float64) ** 20
    values, error, products = look(spectrum)
    assert products <= MOST + 2
    assert abs(values[0]) <= error


def test_a_space_that_is_full_goes_on_with_its_lowest_directions(monkeypatch):
    whole, _, _ = look(spread(0.1, 0.2))
    monkeypatch.setattr(_lanczos, "SPACE", 50)
    monkeypatch.setattr(_lanczos, "KEPT", 20)
    again, error, more = look(spread(0.1, 0.2))
    assert more > 50
    assert again == pytest.approx(whole, abs=1e-6)
    assert error < 1e-4


def test_few_different_eigenvalues_exhaust_the_space_at_once():
    values, error, products = look(torch.ones(DIM, dtype=torch.float64))
    assert values == pytest.approx([1, 1])
    assert error < 1e-6
    assert products <= 4


def test_a_network_of_610_parameters_takes_fewer_products_than_columns():
    """ARPACK, which restarts, took 1,800 of them: three times what the whole Hessian takes."""
    energy = tl.zoo.digits()
    x = tl.minimize(energy, energy.start(1, 0), tolerance=1e-5)
    counted, cost = tl.tally(energy)
    values, error, _ = lowest_modes(counted, x)
    full = torch.linalg.eigvalsh(energy.hessian(x))[0, :2]
    print(f"{cost.hvps:.0f} products, error {float(error):.1e}")
    assert cost.hvps <= 300
    assert torch.allclose(values[0], full, rtol=0, atol=float(error))
