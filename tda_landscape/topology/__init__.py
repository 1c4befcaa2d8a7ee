"""Counting components on any weighted graph or grid: numpy, scipy, networkx and gudhi, no torch."""

from tda_landscape.topology._checks import EDGE_STATUSES, LEAF_STATUSES
from tda_landscape.topology._cubical import cubical_merge_tree
from tda_landscape.topology._diagram import Diagrams
from tda_landscape.topology._graph import LandscapeGraph, merge_graphs
from tda_landscape.topology._merge_tree import MergeTree
from tda_landscape.topology._nu import NuCurve, nu_curve
from tda_landscape.topology._rips import barrier_rips, rips
from tda_landscape.topology._sweep import merge_tree, merge_tree_of_chunks, persistence

__all__ = [
    "EDGE_STATUSES",
    "LEAF_STATUSES",
    "Diagrams",
    "LandscapeGraph",
    "MergeTree",
    "NuCurve",
    "barrier_rips",
    "cubical_merge_tree",
    "merge_graphs",
    "merge_tree",
    "merge_tree_of_chunks",
    "nu_curve",
    "persistence",
    "rips",
]
