"""Counting components on any weighted graph or grid: numpy, scipy, networkx and gudhi, no torch."""

from tda_landscape.topology._checks import EDGE_STATUSES, LEAF_STATUSES
from tda_landscape.topology._cubical import cubical_merge_tree
from tda_landscape.topology._diagram import Diagrams, persistence
from tda_landscape.topology._graph import LandscapeGraph, merge_graphs
from tda_landscape.topology._merge_tree import MergeTree, merge_tree
from tda_landscape.topology._nu import NuCurve, nu_curve
from tda_landscape.topology._permutations import group_order
from tda_landscape.topology._raw import RawBounds, raw_bounds
from tda_landscape.topology._rips import barrier_rips, rips

__all__ = [
    "EDGE_STATUSES",
    "LEAF_STATUSES",
    "Diagrams",
    "LandscapeGraph",
    "MergeTree",
    "NuCurve",
    "RawBounds",
    "barrier_rips",
    "cubical_merge_tree",
    "group_order",
    "merge_graphs",
    "merge_tree",
    "nu_curve",
    "persistence",
    "raw_bounds",
    "rips",
]
