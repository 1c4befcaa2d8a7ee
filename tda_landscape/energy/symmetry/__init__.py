"""Symmetries of an energy: groups of maps g of parameter space with E(g theta) = E(theta)."""

from tda_landscape.energy.symmetry._symmetry import Symmetry

__all__ = ["Symmetry"]
