"""Minima that found paths lead past: where the descent from a path below its lower end stops becomes a leaf."""

from __future__ import annotations

from collections.abc import Iterator

import torch

from tda_landscape.connecting._edges import between, edges_of
from tda_landscape.connecting._refine import leaf_at
from tda_landscape.energy import Energy
from tda_landscape.energy._batching import drive
from tda_landscape.energy.symmetry import Symmetry
from tda_landscape.minima._descend import descend
from tda_landscape.paths import Path
from tda_landscape.paths._path import arc_lengths
from tda_landscape.paths._verify import locate, verify
from tda_landscape.topology import LandscapeGraph

NOISE = 1e-6
"""How far a path must be below its lower end, relative to 1 + |E|: end points of descents are not better known."""

FIRST_RADIUS = 0.02
"""First trust radius, relative to the length of the path."""

TOLERANCE = 1e-8
"""Gradient at which a descent has arrived, relative to 1 + |E|."""


def open_wells(energy: Energy, graph: LandscapeGraph, symmetry: Symmetry | None) -> Iterator[LandscapeGraph]:
    """Yield the graph after each path that leads past another minimum: with that leaf, and edges to both ends."""
    for edge, path in enumerate(graph.paths):
        if path is None:
            continue
        at, lowest = path.profile[path.profile[:, 1].argmin()].tolist()
        ends = min(float(path.energies[0]), float(path.energies[-1]))
        if not lowest < ends - NOISE * (1 + abs(ends)):
            continue
        to, back = _past_the_bottom(energy, path, at, TOLERANCE * (1 + abs(lowest)))
        leaf, larger = leaf_at(energy, graph, to, -1, symmetry)
        i, j = graph.edges[edge].tolist()
        if leaf is None or leaf[0] in (i, j):
            continue
        over = graph.transform[edge]
        sheets = [leaf[1], between(leaf[1], None if over is None else torch.as_tensor(over))]
        sheets[0] = None if leaf[1] is None else leaf[1].numpy()
        graph = larger.with_edges(edges_of(larger, [(i, leaf[0]), (leaf[0], j)], [to, back], sheets))
        yield graph


def _past_the_bottom(energy: Energy, path: Path, at: float, tolerance: float) -> list[Path]:
    """The path up to an arc length and down from there to a minimum, and from that minimum back and on."""
    corners = arc_lengths(path.points)
    start = locate(path.points, corners, corners.new_tensor([at]))
    (descent,) = drive(energy, [descend(start, FIRST_RADIUS * path.length, tolerance, None)])
    trail = torch.stack(descent.trails[0].points)
    before, after = path.points[corners < at], path.points[corners > at]
    shift = energy.wrap(trail[-1:]) - trail[-1]
    lines = [torch.cat([before, trail]), torch.cat([trail.flip(0), after]) + shift]
    steps = len(trail) - 1
    walked = [torch.arange(len(lines[0]) - 1) >= len(before), torch.arange(len(lines[1]) - 1) < steps]
    return verify(energy, lines, [path.reason] * 2, settled=walked)
