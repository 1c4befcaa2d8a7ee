"""Symmetries of an energy: groups of maps g of parameter space with E(g theta) = E(theta)."""

from tda_landscape.energy.symmetry._atoms import Atoms
from tda_landscape.energy.symmetry._find import find_symmetry
from tda_landscape.energy.symmetry._isotropy import isotropy
from tda_landscape.energy.symmetry._network import NetworkSymmetry
from tda_landscape.energy.symmetry._symmetry import Symmetry, Varying
from tda_landscape.energy.symmetry._verify import verify

__all__ = ["Atoms", "NetworkSymmetry", "Symmetry", "Varying", "find_symmetry", "isotropy", "verify"]
