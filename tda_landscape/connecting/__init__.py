"""Growing a landscape graph: where torch results become numpy arrays."""

from tda_landscape.connecting import pairs
from tda_landscape.connecting._connect import connect
from tda_landscape.connecting._explore import explore

__all__ = ["connect", "explore", "pairs"]
