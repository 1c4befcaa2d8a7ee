"""Paths between points of a landscape: one file a search, one measurement for all."""

from tda_landscape.paths._descend import descend_path
from tda_landscape.paths._geodesics import GeodesicCurve, geodesic_curve
from tda_landscape.paths._path import Path, Stop
from tda_landscape.paths._search import Search, find_path
from tda_landscape.paths._shorten import shorten
from tda_landscape.paths._verify import verify
from tda_landscape.paths.bezier import Bezier
from tda_landscape.paths.hyperplane import Hyperplane
from tda_landscape.paths.ladder import Ladder
from tda_landscape.paths.nudged_elastic_band import NudgedElasticBand
from tda_landscape.paths.polychain import Polychain
from tda_landscape.paths.straight import Straight
from tda_landscape.paths.string_method import String
from tda_landscape.paths.string_sampling import StringSampling

SEARCHES = (Bezier, Hyperplane, Ladder, NudgedElasticBand, Polychain, Straight, String, StringSampling)
"""Every search; the conformance tests and the configuration files read this list."""

__all__ = [
    "SEARCHES",
    "Bezier",
    "GeodesicCurve",
    "Hyperplane",
    "Ladder",
    "NudgedElasticBand",
    "Path",
    "Polychain",
    "Search",
    "Stop",
    "Straight",
    "String",
    "StringSampling",
    "descend_path",
    "find_path",
    "geodesic_curve",
    "shorten",
    "verify",
]
