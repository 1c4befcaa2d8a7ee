"""From samples to distinct, verified minima."""

from tda_landscape.minima._cloud import Cloud, sample
from tda_landscape.minima._minima import LEAVES, Minima
from tda_landscape.minima._quench import quench

__all__ = ["LEAVES", "Cloud", "Minima", "quench", "sample"]
