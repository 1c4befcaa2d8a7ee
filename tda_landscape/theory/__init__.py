"""What theorems say about a network and its data, and the paths that their proofs promise."""

from tda_landscape.theory.constructive import Constructive
from tda_landscape.theory.descent import descend

__all__ = ["Constructive", "descend"]
