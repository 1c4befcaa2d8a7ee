"""The ASE example: its wrapping on a calculator of our own, and, where ase is installed, on ASE's."""

import importlib.util
import sys
from pathlib import Path

import numpy as np
import pytest
import torch

import tda_landscape as tl

FILE = Path(__file__).parents[2] / "examples" / "ase_lennard_jones.py"


@pytest.fixture(scope="module")
def example():
    spec = importlib.util.spec_from_file_location("ase_lennard_jones", FILE)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def textbook(positions):
    """Energy and forces of 4 (r^-12 - r^-6) over pairs, one structure, numpy only."""
    apart = positions[:, None] - positions
    squares = (apart**2).sum(2)
    np.fill_diagonal(squares, np.inf)
    inverse = squares**-3.0
    forces = (24 * (2 * inverse**2 - inverse) / squares)[:, :, None] * apart
    return 2 * float((inverse**2 - inverse).sum()), forces.sum(1)


def skewed(positions):
    """The same with forces that belong to another energy."""
    energy, forces = textbook(positions)
    return energy, 1.001 * forces


def outside_field(positions):
    """The same in a field along x, which no rotation leaves alone."""
    energy, forces = textbook(positions)
    return energy + 0.01 * float((positions[:, 0] ** 2).sum()), forces - 0.02 * positions * [1, 0, 0]


def test_a_calculator_becomes_the_energy_that_it_is(example):
    wrapped, exact = example.energy_of(textbook, 5), tl.zoo.lennard_jones(5)
    points = exact.start(6, 1)
    (energies, gradients), (truth, slopes) = wrapped.value_and_grad(points), exact.value_and_grad(points)
    assert torch.allclose(energies, truth, rtol=1e-12)
    assert torch.allclose(gradients, slopes, rtol=1e-9, atol=1e-9)
    bends, bends_exact = wrapped.hessian(points), exact.hessian(points)
    assert (bends - bends_exact).norm() < 1e-6 * bends_exact.norm()
    tl.testing.check_energy(wrapped)
    with pytest.raises(AssertionError, match="gradient disagrees"):  # control
        tl.testing.check_energy(example.energy_of(skewed, 5))


def test_its_tree_is_that_of_the_same_energy_with_exact_hessians(example):
    graph = tl.explore(example.energy_of(textbook, 6), seed=0)
    exact = tl.explore(tl.zoo.lennard_jones(6), seed=1)
    bars, truth = tl.persistence(graph)[0], tl.persistence(exact)[0]
    assert graph.reason.startswith("the rule is met")
    assert bars[:, 0].tolist() == pytest.approx([-12.712062, -12.302928], abs=1e-6)
    assert bars.ravel().tolist() == pytest.approx(truth.ravel().tolist(), abs=1e-8)
    words = example.describe(graph)
    assert "minimum at -12.712062 is the lowest" in words
    assert "minimum at -12.302928 joins a lower one at" in words


def test_minima_of_a_calculator_are_verified_and_one_modulo_motion(example):
    energy = example.energy_of(textbook, 5)
    minima = tl.quench(energy, energy.start(6, 0))
    assert minima.status == ("minimum",)
    assert float(minima.energies[0]) == pytest.approx(-9.103852, abs=1e-6)


def test_a_symmetry_that_the_calculator_lacks_is_refused(example):
    with pytest.raises(tl.InputError, match="not invariant"):
        tl.explore(example.energy_of(outside_field, 5), seed=0)


def test_without_ase_the_example_says_so_in_one_sentence(example, monkeypatch):
    monkeypatch.setitem(sys.modules, "ase", None)
    with pytest.raises(SystemExit, match="needs ase, which is not installed; pip install ase") as caught:
        example.ase_lennard_jones(3)
    assert len(str(caught.value).splitlines()) == 1


def test_the_calculator_of_ase_is_lennard_jones(example):
    pytest.importorskip("ase", reason="compares with ASE's own calculator; pip install ase")
    wrapped, exact = example.energy_of(example.ase_lennard_jones(7), 7), tl.zoo.lennard_jones(7)
    points = exact.start(5, 0)
    (energies, gradients), (truth, slopes) = wrapped.value_and_grad(points), exact.value_and_grad(points)
    assert torch.allclose(energies, truth, atol=1e-9)
    assert torch.allclose(gradients, slopes, rtol=1e-9, atol=1e-9)
    near = example.energy_of(example.ase_lennard_jones(7, cutoff=3.0), 7)  # control: ASE's usual cutoff is seen
    assert float((near(points) - truth).abs().min()) > 1e-2
