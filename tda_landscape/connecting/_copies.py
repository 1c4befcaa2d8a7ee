"""What raw counts need to know of each leaf: the elements of the symmetry that fix it."""

from __future__ import annotations

import numpy as np
import torch
from numpy.typing import NDArray

from tda_landscape.energy.symmetry import Symmetry, isotropy
from tda_landscape.topology import LandscapeGraph


def copies(symmetry: Symmetry | None, graph: LandscapeGraph) -> LandscapeGraph:
    """Loops at the height of each leaf, for the elements that fix it: there are order / |them| copies of it."""
    loops: list[tuple[int, NDArray[np.intp]]] = []
    if symmetry is not None:
        fixing = isotropy(symmetry, torch.as_tensor(graph.points))
        loops = [(leaf, sheet.numpy()) for leaf, sheets in enumerate(fixing) for sheet in sheets]
    return LandscapeGraph.from_arrays(
        graph.births,
        [(leaf, leaf) for leaf, _ in loops],
        graph.births[[leaf for leaf, _ in loops]],
        transform=[sheet for _, sheet in loops],
        order=graph.order,
    )
