"""What theorems say about a network and its data, and the paths that their proofs promise."""

from tda_landscape.theory._intrinsic import IntrinsicDimension, intrinsic_dimension
from tda_landscape.theory._predictions import Predictions, predict
from tda_landscape.theory._statement import Hypothesis, Statement

__all__ = ["Hypothesis", "IntrinsicDimension", "Predictions", "Statement", "intrinsic_dimension", "predict"]
