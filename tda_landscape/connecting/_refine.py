"""Attacking the merges of a tree until it stops changing: saddles behind path tops, and other pairs across the cut."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import numpy as np
import torch
from torch import Tensor

from tda_landscape.connecting._edges import between, edges_of
from tda_landscape.connecting._lines import images_near
from tda_landscape.energy import Energy
from tda_landscape.energy._random import as_generator
from tda_landscape.energy.symmetry import Symmetry
from tda_landscape.minima import Saddles, refine_saddle
from tda_landscape.minima._describe import describe
from tda_landscape.paths import Path, Search
from tda_landscape.paths._path import Stop
from tda_landscape.paths._verify import verify
from tda_landscape.topology import LandscapeGraph, merge_graphs, merge_tree

KICK = 0.1
"""Random displacement of a second search around each top, relative to the way that its path went."""

SMALL = 1e-6
"""Gradient, relative to 1 + |E|, up to which the end of a way down can be a minimum."""

NEAR = 1e-4
"""Distance, relative to 1 + |x|, within which the end of a way down is a leaf, or two saddles are one."""


def refine_merges(
    energy: Energy, graph: LandscapeGraph, symmetry: Symmetry | None, search: Search, seed: int
) -> Iterator[LandscapeGraph]:
    """Yield the graph after each round on merges that were not attacked yet, until none is left."""
    attacked: set[int] = set()
    generator = as_generator(seed)
    while True:
        edges = [e for e in merge_tree(graph).edge.tolist() if e not in attacked and graph.paths[e] is not None]
        if not edges:
            return
        attacked |= set(edges)
        tops = torch.stack([_top(graph.paths[e]) for e in edges])
        kicks = torch.randn(tops.shape, generator=generator, dtype=tops.dtype) / tops.shape[1] ** 0.5
        lengths = torch.tensor([graph.paths[e].length for e in edges], dtype=tops.dtype)[:, None]
        starts = torch.cat([tops, tops + KICK * lengths * kicks])
        graph = _enter(energy, graph, refine_saddle(energy, starts, symmetry=symmetry).accepted, symmetry)
        yield graph
        graph = _across(energy, graph, edges, symmetry, search, generator)
        yield graph


def _top(path: Path) -> Tensor:
    """The highest point of a path."""
    return path.points[path.energies.argmax()]


def _enter(energy: Energy, graph: LandscapeGraph, saddles: Saddles, symmetry: Symmetry | None) -> LandscapeGraph:
    """Add an edge for each new saddle, and the leaves that its ways down end in; a known one is confirmed."""
    ways = [way for way in saddles.ways if way is not None]
    verified = verify(energy, [way.points for way in ways], [Stop.SADDLE] * len(ways))
    for top, height, gradient, way in zip(
        saddles.points, saddles.energies.tolist(), saddles.gradient_norm.tolist(), verified, strict=True
    ):
        known = _known(graph, top, height, symmetry, energy)
        if known is not None:
            confirmations = graph.confirmations.copy()
            confirmations[known] += 1
            graph = replace(graph, confirmations=confirmations)
            continue
        start, larger = leaf_at(energy, graph, way.points[0], float(way.energies[0]), symmetry)
        end, larger = leaf_at(energy, larger, way.points[-1], float(way.energies[-1]), symmetry)
        if start is None or end is None:
            continue
        saddle = {"saddle_index": [1], "saddle_gradient": [gradient]}
        pair, sheet = (start[0], end[0]), between(start[1], end[1])
        graph = larger.with_edges(edges_of(larger, [pair], [way], [sheet], **saddle))
    return graph


def _known(graph: LandscapeGraph, top: Tensor, height: float, symmetry: Symmetry | None, energy: Energy) -> int | None:
    """The edge that already stands for this saddle."""
    close = np.abs(graph.heights - height) <= 1e-7 * (1 + abs(height))
    for e in np.flatnonzero((graph.saddle_index == 1) & close).tolist():
        other = images_near(symmetry, _top(graph.paths[e])[None], top[None])[0][0]
        if float(energy.displacement(top, other).norm()) <= NEAR * (1 + float(top.norm())):
            return int(e)
    return None


def leaf_at(
    energy: Energy, graph: LandscapeGraph, end: Tensor, value: float, symmetry: Symmetry | None
) -> tuple[tuple[int, Tensor | None] | None, LandscapeGraph]:
    """The leaf where a way ends, a new one if there is none, and the sheet of its image; None for no leaf at all."""
    points = torch.as_tensor(graph.points)
    ends = end.expand(len(points), -1)
    images, sheets = images_near(symmetry, points, ends)
    distance = energy.displacement(ends, images).norm(dim=1)
    near = int(distance.argmin())
    same_height = abs(float(graph.births[near]) - value) <= 1e-6 * (1 + abs(value))
    if float(distance[near]) <= NEAR * (1 + float(end.norm())) and same_height:
        return (near, sheets[near]), graph
    found = describe(energy, energy.wrap(end[None]), SMALL, symmetry, None)
    if not len(found.leaves):
        return None, graph
    new = LandscapeGraph.from_arrays(
        [value], [], [], points=found.points.numpy(), leaf_status=list(found.status), order=graph.order
    )
    sheet = None if symmetry is None else torch.arange(symmetry.degree)
    return (len(graph.births), sheet), replace(merge_graphs(graph, new), reason=graph.reason)


def _across(
    energy: Energy,
    graph: LandscapeGraph,
    edges: list[int],
    symmetry: Symmetry | None,
    search: Search,
    generator: torch.Generator,
) -> LandscapeGraph:
    """Search the nearest pair of leaves on both sides of each merge that no edge joins yet."""
    points = torch.as_tensor(graph.points)
    tried = {tuple(sorted(edge)) for edge in graph.edges.tolist()}
    for e in edges:
        below = merge_tree(graph).cut(float(np.nextafter(graph.heights[e], -np.inf)))
        i, j = graph.edges[e]
        one, other = np.flatnonzero(below == below[i]), np.flatnonzero(below == below[j])
        pairs = [(a, b) for a in one.tolist() for b in other.tolist() if a != b and (min(a, b), max(a, b)) not in tried]
        if not pairs or below[i] == below[j]:
            continue
        at = torch.tensor(pairs)
        images, sheets = images_near(symmetry, points[at[:, 1]], points[at[:, 0]])
        ways = energy.displacement(points[at[:, 0]], images)
        best = int(ways.norm(dim=1).argmin())
        a, b = pairs[best]
        tried.add((min(a, b), max(a, b)))
        (path,) = search.find(energy, points[a, None], points[a, None] + ways[best, None], [generator])
        sheet = None if sheets[best] is None else sheets[best].numpy()
        graph = graph.with_edges(edges_of(graph, [(a, b)], [path], [sheet]))
    return graph
