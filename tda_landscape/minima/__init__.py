"""From samples to distinct, verified minima and saddles."""

from tda_landscape.minima._cloud import Cloud, sample
from tda_landscape.minima._minima import LEAVES, Minima
from tda_landscape.minima._minimize import minimize
from tda_landscape.minima._quench import quench
from tda_landscape.minima._saddle import Saddles, refine_saddle

__all__ = ["LEAVES", "Cloud", "Minima", "Saddles", "minimize", "quench", "refine_saddle", "sample"]
