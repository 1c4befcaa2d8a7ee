"""Growing a landscape graph from minima: where torch results become numpy arrays."""

from tda_landscape.connecting import pairs
from tda_landscape.connecting._connect import connect

__all__ = ["connect", "pairs"]
