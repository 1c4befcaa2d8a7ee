"""What theorems say about a network and its data, and the paths that their proofs promise."""

from tda_landscape.theory.constructive import Constructive

__all__ = ["Constructive"]
