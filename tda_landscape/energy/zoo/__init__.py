"""Energies whose answer is known: one file a kind."""

from tda_landscape.energy import datasets, networks
from tda_landscape.energy.zoo._clusters import lennard_jones
from tda_landscape.energy.zoo._counterexamples import (
    freeman_bruna,
    permuted_teacher,
    plateau,
    quadratic_unit,
    relu_mixture,
    relu_two_points,
    scalar_chain,
    square_linear,
)
from tda_landscape.energy.zoo._networks import digits, xor
from tda_landscape.energy.zoo._relu_counterexample import relu_counterexample
from tda_landscape.energy.zoo._surfaces import double_well, fourier, mueller_brown, quartic, tilted_wells

__all__ = [
    "datasets",
    "digits",
    "double_well",
    "fourier",
    "freeman_bruna",
    "lennard_jones",
    "mueller_brown",
    "networks",
    "permuted_teacher",
    "plateau",
    "quadratic_unit",
    "quartic",
    "relu_counterexample",
    "relu_mixture",
    "relu_two_points",
    "scalar_chain",
    "square_linear",
    "tilted_wells",
    "xor",
]
