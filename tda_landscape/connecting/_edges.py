"""Found paths as edges over the leaves of a graph."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray
from torch import Tensor

from tda_landscape.paths import Path
from tda_landscape.topology import LandscapeGraph
from tda_landscape.topology._permutations import inverse, product

ROUNDING = 1e-12
"""Relative to 1 + |E|."""


def edges_of(
    graph: LandscapeGraph, pairs: Sequence[tuple[int, int]], paths: Sequence[Path], sheets: Sequence[Any], **saddle: Any
) -> LandscapeGraph:
    """Return the paths between pairs of leaves as a graph of edges, each at its verified height.

    A path that rises above its higher end by rounding alone is as high as that end.
    """
    ends = graph.births[np.array(pairs)].max(axis=1)
    heights = np.array([path.height for path in paths])
    flat = heights <= ends + ROUNDING * (1 + np.abs(ends))
    return LandscapeGraph.from_arrays(
        graph.births,
        pairs,
        np.where(flat, ends, heights),
        status=[path.status for path in paths],
        paths=tuple(paths),
        transform=sheets,
        order=graph.order,
        **saddle,
    )


def between(start: Tensor | None, end: Tensor | None) -> NDArray[np.intp] | None:
    """The sheet by which the image at a path's end differs from its leaf, seen from the image at its start."""
    if start is None or end is None:
        return None
    return product(inverse(start.numpy()), end.numpy())


def numbers(tensor: Tensor) -> NDArray[np.float64]:
    """A tensor as a float64 array."""
    return tensor.double().numpy()
