"""Minima that found paths lead past: where the descent from a path below its lower end stops becomes a leaf."""

from __future__ import annotations

from collections.abc import Iterator

import torch
from torch import Tensor

from tda_landscape.connecting._edges import between, edges_of
from tda_landscape.connecting._lines import images_near
from tda_landscape.connecting._refine import leaf_at
from tda_landscape.energy import Energy
from tda_landscape.energy._batching import drive
from tda_landscape.energy.symmetry import Symmetry
from tda_landscape.minima._descend import Trail, descend
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
        trail = _way_down(energy, path, at, TOLERANCE * (1 + abs(lowest)))
        leaf, larger = leaf_at(energy, graph, trail.points[-1], float(trail.energies[-1]), symmetry)
        i, j = graph.edges[edge].tolist()
        if leaf is None or leaf[0] in (i, j):
            continue
        bottom = torch.as_tensor(larger.points)[leaf[0]]
        to, back = _past_the_bottom(
            energy, path, at, trail, images_near(symmetry, bottom[None], trail.points[-1][None])[0][0]
        )
        over = graph.transform[edge]
        sheets = [leaf[1], between(leaf[1], None if over is None else torch.as_tensor(over))]
        sheets[0] = None if leaf[1] is None else leaf[1].numpy()
        graph = larger.with_edges(edges_of(larger, [(i, leaf[0]), (leaf[0], j)], [to, back], sheets))
        yield graph


def _way_down(energy: Energy, path: Path, at: float, tolerance: float) -> Trail:
    """The descent from an arc length of a path."""
    start = locate(path.points, arc_lengths(path.points), path.points.new_tensor([at]))
    (descent,) = drive(energy, [descend(start, FIRST_RADIUS * path.length, tolerance, None)])
    return descent.trails[0]


def _past_the_bottom(energy: Energy, path: Path, at: float, trail: Trail, bottom: Tensor) -> list[Path]:
    """The path up to an arc length and down from there to a leaf, and from that leaf back and on."""
    corners, way = arc_lengths(path.points), torch.stack(trail.points)
    end = way[-1] + energy.displacement(way[-1:], bottom[None])[0]
    way = torch.cat([way, end[None]])
    before, after = path.points[corners < at], path.points[corners > at]
    lines = [
        torch.cat([before, way]),
        torch.cat([bottom[None], way[:-1].flip(0) + (bottom - end), after + (bottom - end)]),
    ]
    walked = [torch.arange(len(lines[0]) - 1) >= len(before), torch.arange(len(lines[1]) - 1) < len(way) - 1]
    return verify(energy, lines, [path.reason] * 2, settled=walked)
