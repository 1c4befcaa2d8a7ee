"""Attacking the merges of a tree until it stops changing: saddles behind path tops, and other pairs across the cut."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import numpy as np
import torch
from torch import Tensor

from tda_landscape.energy import Energy
from tda_landscape.energy.symmetry import Symmetry
from tda_landscape.minima import Saddles, refine_saddle
from tda_landscape.paths import Path, Search
from tda_landscape.paths._path import Stop
from tda_landscape.paths._verify import verify
from tda_landscape.topology import LandscapeGraph, merge_graphs, merge_tree

KICK = 0.1
"""Random displacement of a second search around each top, relative to the way that its path went."""

NEAR = 1e-4
"""Distance, relative to 1 + |x|, within which the end of a way down is a leaf, or two saddles are one."""


def refine_merges(
    energy: Energy, graph: LandscapeGraph, symmetry: Symmetry | None, search: Search, seed: int
) -> Iterator[LandscapeGraph]:
    """Yield the graph after each round on merges that were not attacked yet, until none is left."""
    attacked: set[int] = set()
    generator = torch.Generator().manual_seed(seed)
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
        ends = []
        for end, value in zip(way.points[[0, -1]], way.energies[[0, -1]].tolist(), strict=True):
            leaf, graph = _leaf(energy, graph, end, value, symmetry)
            ends.append(leaf)
        (i, first), (j, second) = ends
        graph = graph.with_edges(
            LandscapeGraph.from_arrays(
                graph.births,
                [(i, j)],
                [max(way.height, graph.births[i], graph.births[j])],
                status=way.status,
                paths=[way],
                saddle_index=[1],
                saddle_gradient=[gradient],
                transform=[_between(first, second)],
                order=graph.order,
            )
        )
    return graph


def _known(graph: LandscapeGraph, top: Tensor, height: float, symmetry: Symmetry | None, energy: Energy) -> int | None:
    """The edge that already stands for this saddle."""
    close = np.abs(graph.heights - height) <= 1e-7 * (1 + abs(height))
    for e in np.flatnonzero((graph.saddle_index == 1) & close).tolist():
        other = _top(graph.paths[e])
        if symmetry is not None:
            other = symmetry.align(other[None], top[None])[0][0]
        if float(energy.displacement(top, other).norm()) <= NEAR * (1 + float(top.norm())):
            return int(e)
    return None


def _leaf(
    energy: Energy, graph: LandscapeGraph, end: Tensor, value: float, symmetry: Symmetry | None
) -> tuple[tuple[int, Tensor | None], LandscapeGraph]:
    """The leaf at the end of a way down, a new one if there is none, and the sheet of its image there."""
    points = torch.as_tensor(graph.points)
    ends, sheets = end.expand(len(points), -1), None
    images = points
    if symmetry is not None:
        images, sheets = symmetry.align(points, ends)
    distance = energy.displacement(ends, images).norm(dim=1)
    near = distance.argmin()
    same_height = abs(float(graph.births[int(near)]) - value) <= 1e-6 * (1 + abs(value))
    if float(distance[near]) <= NEAR * (1 + float(end.norm())) and same_height:
        return (int(near), None if sheets is None else sheets[near]), graph
    kind = "minimum"
    new = LandscapeGraph.from_arrays(
        [value], [], [], points=energy.wrap(end[None]).numpy(), leaf_status=[kind], order=graph.order
    )
    sheet = None if symmetry is None else torch.arange(symmetry.degree)
    return (len(graph.births), sheet), replace(merge_graphs(graph, new), reason=graph.reason)


def _between(first: Tensor | None, second: Tensor | None) -> object:
    """The sheet by which the image at the end of a path differs from its leaf, seen from its start."""
    if first is None or second is None:
        return None
    return np.argsort(first.numpy())[second.numpy()]


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
        images, sheets = points[at[:, 1]], None
        if symmetry is not None:
            images, sheets = symmetry.align(images, points[at[:, 0]])
        ways = energy.displacement(points[at[:, 0]], images)
        best = int(ways.norm(dim=1).argmin())
        a, b = pairs[best]
        tried.add((min(a, b), max(a, b)))
        (path,) = search.find(energy, points[a, None], points[a, None] + ways[best, None], [generator])
        graph = graph.with_edges(
            LandscapeGraph.from_arrays(
                graph.births,
                [(a, b)],
                [max(path.height, graph.births[a], graph.births[b])],
                status=path.status,
                paths=[path],
                transform=[None if sheets is None else sheets[best].numpy()],
                order=graph.order,
            )
        )
    return graph
