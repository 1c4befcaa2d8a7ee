"""Paths between points of a landscape: one file a search, one measurement for all."""

from tda_landscape.paths._descend import descend_path
from tda_landscape.paths._path import Path, Stop
from tda_landscape.paths._search import Search, find_path
from tda_landscape.paths._verify import verify
from tda_landscape.paths.ladder import Ladder
from tda_landscape.paths.straight import Straight

SEARCHES = (Ladder, Straight)
"""Every search; the conformance tests and the configuration files read this list."""

__all__ = ["SEARCHES", "Ladder", "Path", "Search", "Stop", "Straight", "descend_path", "find_path", "verify"]
