"""Any simulation code can be an Energy: a calculator of ASE, its merge tree, and the minima behind it.

    pip install ase
    python examples/ase_lennard_jones.py            # seven atoms, ten seconds

ASE evaluates one structure at a time and gives forces, no Hessians: `energy_of` makes of it a function of many
points and its gradient, and Hessians become central differences of the forces. Everything else is as for a network.
ASE's Lennard-Jones potential is cut off at `rc` and shifted to be 0 there, so every pair is 4 (rc^-12 - rc^-6)
higher than in the textbook; at rc = 100 that is 4e-12 a pair.
"""

from __future__ import annotations

import sys
from collections.abc import Callable

import numpy as np
import torch
from numpy.typing import NDArray

import tda_landscape as tl
from tda_landscape.energy.symmetry import Atoms

Array = NDArray[np.float64]
Calculator = Callable[[Array], tuple[float, Array]]
"""Positions (n, 3) -> energy and forces (n, 3)."""


def ase_lennard_jones(atoms: int, cutoff: float = 100.0) -> Calculator:
    """ASE's Lennard-Jones calculator for so many atoms, with sigma = epsilon = 1."""
    try:
        from ase import Atoms as Structure
        from ase.calculators.lj import LennardJones
    except ImportError:
        raise SystemExit("this example needs ase, which is not installed; pip install ase") from None
    structure = Structure(numbers=[18] * atoms, positions=np.zeros((atoms, 3)))
    structure.calc = LennardJones(sigma=1.0, epsilon=1.0, rc=cutoff)

    def calculate(positions: Array) -> tuple[float, Array]:
        structure.positions = positions
        return structure.get_potential_energy(), structure.get_forces()

    return calculate


def energy_of(calculate: Calculator, atoms: int) -> tl.Energy:
    """The energy of a cluster of equal atoms, from a calculator that knows one structure at a time."""

    def energies(points: Array) -> Array:
        return np.array([calculate(point.reshape(-1, 3))[0] for point in points])

    def gradients(points: Array) -> Array:
        return np.array([-calculate(point.reshape(-1, 3))[1].ravel() for point in points]).reshape(points.shape)

    clusters = tl.zoo.lennard_jones(atoms)
    return tl.Energy.from_function(energies, 3 * atoms, grad=gradients, start=clusters.start_law, symmetry=Atoms(atoms))


def describe(graph: tl.LandscapeGraph) -> str:
    """The tree in words: one line a minimum, lowest first, with the height at which it joins a lower one."""
    lines = [f"{len(graph.births)} minima, {int((graph.saddle_index == 1).sum())} saddles of index 1", graph.reason]
    for birth, death in tl.persistence(graph)[0].tolist():
        merges = f"joins a lower one at {death:.6f}" if np.isfinite(death) else "is the lowest"
        lines.append(f"  minimum at {birth:.6f} {merges}")
    return "\n".join(lines)


def main(atoms: int = 7) -> None:
    torch.set_num_threads(1)
    energy = energy_of(ase_lennard_jones(atoms), atoms)
    counted, cost = tl.tally(energy)
    print(describe(tl.explore(counted, seed=0)))
    spent = f"{cost.gradient_equivalents:.0f} gradients, {energy.dim} for each Hessian"
    print(f"cost: {spent} (it takes {2 * energy.dim} calls for forces)")


if __name__ == "__main__":
    main(*map(int, sys.argv[1:2]))
