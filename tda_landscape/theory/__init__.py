"""What theorems say about a network and its data, and the paths that their proofs promise."""

from tda_landscape.theory._asymptotic import AsymptoticExponent, asymptotic_exponent
from tda_landscape.theory._intrinsic import IntrinsicDimension, intrinsic_dimension
from tda_landscape.theory._kernel_lift import KernelLift, kernel_lift
from tda_landscape.theory._predictions import Predictions, predict
from tda_landscape.theory._projection import variable_projection
from tda_landscape.theory._statement import Hypothesis, Statement
from tda_landscape.theory.constructive import Constructive
from tda_landscape.theory.descent import descend

__all__ = [
    "AsymptoticExponent",
    "Constructive",
    "Hypothesis",
    "IntrinsicDimension",
    "KernelLift",
    "Predictions",
    "Statement",
    "asymptotic_exponent",
    "descend",
    "intrinsic_dimension",
    "kernel_lift",
    "predict",
    "variable_projection",
]
