"""What theorems say about a network and its data, and the paths that their proofs promise."""

from tda_landscape.theory._intrinsic import IntrinsicDimension, intrinsic_dimension

__all__ = ["IntrinsicDimension", "intrinsic_dimension"]
