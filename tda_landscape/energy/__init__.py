"""Energies: what a landscape is a landscape of."""

from tda_landscape.energy import datasets, networks, zoo
from tda_landscape.energy._energy import Energy
from tda_landscape.energy._tally import Tally, tally

__all__ = ["Energy", "Tally", "datasets", "networks", "tally", "zoo"]
