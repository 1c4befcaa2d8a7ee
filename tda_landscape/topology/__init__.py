"""Counting components on any weighted graph or grid: numpy, scipy, networkx, gudhi and scikit-learn, no torch."""

from tda_landscape.topology._barrier_rips import barrier_rips
from tda_landscape.topology._branches import Branches
from tda_landscape.topology._checks import EDGE_STATUSES, LEAF_STATUSES
from tda_landscape.topology._cubical import cubical_merge_tree
from tda_landscape.topology._diagram import Diagrams
from tda_landscape.topology._distances import bottleneck, labeled_interleaving, nu_distance, wasserstein
from tda_landscape.topology._formats import as_diagrams
from tda_landscape.topology._graph import LandscapeGraph, merge_graphs
from tda_landscape.topology._levels import LevelRips, rips_by_level
from tda_landscape.topology._merge_tree import MergeTree
from tda_landscape.topology._nu import NuCurve, nu_curve
from tda_landscape.topology._permutations import group_order
from tda_landscape.topology._raw import RawBounds, raw_bounds
from tda_landscape.topology._rips import rips
from tda_landscape.topology._stability import stability_bound
from tda_landscape.topology._sweep import merge_tree, merge_tree_of_chunks, persistence
from tda_landscape.topology._valleys import Valleys, valleys
from tda_landscape.topology.transformers import (
    MergeTreeTransformer,
    NuCurveTransformer,
    PersistenceTransformer,
)

__all__ = [
    "EDGE_STATUSES",
    "LEAF_STATUSES",
    "Branches",
    "Diagrams",
    "LandscapeGraph",
    "LevelRips",
    "MergeTree",
    "MergeTreeTransformer",
    "NuCurve",
    "NuCurveTransformer",
    "PersistenceTransformer",
    "RawBounds",
    "Valleys",
    "as_diagrams",
    "barrier_rips",
    "bottleneck",
    "cubical_merge_tree",
    "group_order",
    "labeled_interleaving",
    "merge_graphs",
    "merge_tree",
    "merge_tree_of_chunks",
    "nu_curve",
    "nu_distance",
    "persistence",
    "raw_bounds",
    "rips",
    "rips_by_level",
    "stability_bound",
    "valleys",
    "wasserstein",
]
