"""The law without noise: transition matrices on a grid, their entries computed by the kernels themselves.

The noise that leads from grid point i to grid point j is handed to the kernel, which says where it goes and with
which probability it accepts.
"""

import numpy as np
import pytest

import samplers.langevin
import samplers.mala
from samplers import MALA, Langevin, NumpyPotential

T = 0.4
X = np.linspace(-2.4, 2.4, 481)
DX = X[1] - X[0]


def value(x):
    return ((x**2 - 1) ** 2).sum(1)


def gradient(x):
    return 4 * x * (x**2 - 1)


WELL = NumpyPotential(1, value, gradient)


def boltzmann(level=np.inf):
    energies = value(X[:, None])
    weight = np.where(energies <= level, np.exp(-energies / T), 0)
    return weight / weight.sum()


def stationary(matrix):
    """Left eigenvector at 1, by solving for it: no iteration that might stop early."""
    n = len(matrix)
    system = np.vstack([(matrix.T - np.eye(n)), np.ones(n)])
    return np.linalg.lstsq(system, np.r_[np.zeros(n), 1], rcond=None)[0]


def distance(p, q):
    return np.abs(p - q).sum() / 2


def step_with(kernel, points, noise, monkeypatch):
    """One step of the kernel with chosen noise."""
    for module in (samplers.langevin, samplers.mala):
        monkeypatch.setattr(module, "normal", lambda like, generator: noise)
    generator = np.random.default_rng(0)
    return kernel.step(WELL, kernel.init(WELL, points, generator), generator)


def proposals(kernel, monkeypatch):
    """Mean and standard deviation of a Langevin step from each grid point, read off the kernel."""
    plain = Langevin(kernel.step_size, kernel.temperature)
    mean = step_with(plain, X[:, None], np.zeros((len(X), 1)), monkeypatch)[0].points[:, 0]
    spread = step_with(plain, X[:, None], np.ones((len(X), 1)), monkeypatch)[0].points[:, 0] - mean
    return mean, spread


def densities(mean, spread):
    return np.exp(-(((X - mean[:, None]) / spread[:, None]) ** 2) / 2) / (spread[:, None] * np.sqrt(2 * np.pi)) * DX


def mala_matrix(kernel, monkeypatch, accept=None):
    """Transition matrix of MALA: density of each proposal times the acceptance that the kernel reports."""
    n = len(X)
    mean, spread = proposals(kernel, monkeypatch)
    noise = (X - mean[:, None]) / spread[:, None]
    if accept is None:
        starts = np.repeat(X, n)[:, None]
        _, info = step_with(kernel, starts, noise.reshape(-1, 1), monkeypatch)
        accept = info.acceptance.reshape(n, n)
    matrix = densities(mean, spread) * accept
    np.fill_diagonal(matrix, 0)
    np.fill_diagonal(matrix, 1 - matrix.sum(1))
    return matrix


def test_the_bias_of_unadjusted_langevin_halves_with_the_step(monkeypatch):
    errors = []
    for h in (0.02, 0.01, 0.005):
        matrix = densities(*proposals(Langevin(h, T), monkeypatch))
        errors.append(distance(stationary(matrix / matrix.sum(1, keepdims=True)), boltzmann()))
    orders = np.log2(np.array(errors[:-1]) / errors[1:])
    print(f"ULA: total variation {np.round(errors, 5)} at h = .02, .01, .005; order {np.round(orders, 3)}")
    assert errors[0] > 0.01
    assert (np.abs(orders - 1) <= 0.1).all()
    coarse = densities(*proposals(Langevin(0.08, T), monkeypatch))  # control: a large step is not yet of first order
    coarse = distance(stationary(coarse / coarse.sum(1, keepdims=True)), boltzmann())
    assert coarse > 4.4 * errors[0]


def cut(matrix, keep):
    """The chain that stays on some of the points: moves elsewhere are refused."""
    matrix = matrix[np.ix_(keep, keep)].copy()
    np.fill_diagonal(matrix, 0)
    np.fill_diagonal(matrix, 1 - matrix.sum(1))
    return matrix


@pytest.mark.parametrize(("h", "bound"), [(0.005, 2.4), (0.02, 2.4), (0.08, 2.4), (0.3, 1.5), (1.0, 1.2)])
def test_mala_is_exact_at_every_step_size(h, bound, monkeypatch):
    """Large steps leap out of the steep tails and are never accepted back, so there the grid ends earlier."""
    keep = np.abs(X) <= bound + 1e-9
    wanted = boltzmann()[keep] / boltzmann()[keep].sum()
    energies = value(X[:, None])
    no_ratio = np.exp(np.minimum(0, (energies[:, None] - energies) / T))  # control: forgets q(x | y) / q(y | x)
    rules = {"own": None, "no ratio": no_ratio, "always": np.ones_like(no_ratio)}
    error = {
        name: distance(stationary(cut(mala_matrix(MALA(h, T), monkeypatch, rule), keep)), wanted)
        for name, rule in rules.items()
    }
    print(f"MALA h={h}: total variation {error['own']:.1e}; controls {error['no ratio']:.4f}, {error['always']:.4f}")
    assert error["own"] < 1e-6
    assert error["no ratio"] > 1e-3
    assert error["always"] > 1e-3


def test_mala_below_a_level_has_the_restricted_law(monkeypatch):
    level = 1.2
    inside = value(X[:, None]) <= level
    matrix = mala_matrix(MALA(0.05, T, level=level), monkeypatch)
    assert (matrix[np.ix_(inside, ~inside)] == 0).all()
    kept = matrix[np.ix_(inside, inside)]
    assert distance(stationary(kept), boltzmann(level)[inside]) < 1e-6
    assert distance(boltzmann()[inside], boltzmann(level)[inside]) > 1e-3  # control
