"""A finished chart as a landscape graph."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np
import torch
from torch import Tensor

from tda_landscape.connecting._chart import Chart
from tda_landscape.connecting._copies import copies
from tda_landscape.connecting._edges import between, numbers
from tda_landscape.minima import Minima
from tda_landscape.paths import Path
from tda_landscape.paths._path import Stop, arc_lengths
from tda_landscape.paths._verify import verify
from tda_landscape.topology import LandscapeGraph, merge_tree

UNLIMITED = partial(float, "inf")


def graph_of(chart: Chart, reason: str, left: Callable[[], float] = UNLIMITED) -> LandscapeGraph:
    """Return the chart as a graph, lowest leaf first; the paths of its merges are verified while budget is `left`."""
    order = chart.minima.energies.argsort(stable=True)
    place = torch.empty_like(order).scatter(0, order, torch.arange(len(order)))
    births = numbers(chart.minima.energies[order])
    joined = [k for k, (a, b) in enumerate(chart.sides) if min(a.minimum, b.minimum) >= 0]
    edges = [[int(place[side.minimum]) for side in chart.sides[k]] for k in joined]
    paths = [_path(chart, k) for k in joined]
    leaves: dict[str, Any] = {
        "points": numbers(chart.minima.points[order]),
        "leaf_status": np.full(len(births), "minimum"),
        "hits": np.array([chart.minima.hits[i] for i in order.tolist()], dtype=np.intp),
        "order": None if chart.symmetry is None else chart.symmetry.order,
        "reason": reason,
    }
    while True:
        graph = LandscapeGraph.from_arrays(
            births,
            edges,
            [max(path.height, *births[edge]) for path, edge in zip(paths, edges, strict=True)],
            status=[path.status for path in paths],
            paths=paths,
            saddle_index=np.ones(len(joined), dtype=np.intp),
            saddle_gradient=[chart.steepness[k] for k in joined],
            confirmations=np.array([chart.saddles.hits[k] for k in joined], dtype=np.intp),
            transform=[between(*(side.sheet for side in chart.sides[k])) for k in joined],
            **leaves,
        )
        open_ = [e for e in merge_tree(graph).edge.tolist() if paths[e].status == "sampled"]
        for e in open_:
            if left() < len(paths[e].points):
                open_ = []
                break
            paths[e] = _verified(chart, joined[e])
        if not open_:
            return graph.with_edges(copies(chart.symmetry, graph))


def minima_of(chart: Chart) -> Minima:
    """Return the minima of a chart, lowest first."""
    order = chart.minima.energies.argsort(stable=True)
    points = chart.minima.points[order]
    energies, gradients = chart.energy.value_and_grad(points)
    values = chart.minima.spectra.values[order]
    lowest = values[:, :2] if values.shape[1] > 1 else torch.cat([values, torch.full_like(values, torch.inf)], 1)
    return Minima(
        points=points,
        energies=energies,
        gradient_norm=gradients.norm(dim=1),
        eigenvalues=lowest,
        near_kink=torch.full_like(energies, torch.nan),
        status=("minimum",) * len(order),
        hits=torch.tensor([chart.minima.hits[i] for i in order.tolist()]),
        symmetry=chart.symmetry,
    )


def _path(chart: Chart, saddle: int) -> Path:
    """The polyline from minimum to minimum through a saddle."""
    points, energies, _ = _vertices(chart, saddle)
    return Path(points, energies, "sampled", Stop.SADDLE, torch.stack([arc_lengths(points), energies], dim=1))


def _verified(chart: Chart, saddle: int) -> Path:
    """The same, with its maximum measured wherever the slopes at the vertices leave room for a higher one."""
    points, energies, gradients = _vertices(chart, saddle)
    return verify(chart.energy, [points], [Stop.SADDLE], known=[(energies, gradients)])[0]


def _vertices(chart: Chart, saddle: int) -> tuple[Tensor, Tensor, Tensor]:
    """Points (m, d), energies (m,) and gradients (m, d) from one minimum over a saddle to the other."""
    one, other = (side.trail for side in chart.sides[saddle])
    top = chart.saddles.points[saddle]
    points = torch.stack([*one.points[::-1], top, *other.points])
    energies = torch.stack([*one.energies[::-1], chart.saddles.energies[saddle], *other.energies])
    return points, energies, torch.stack([*one.gradients[::-1], torch.zeros_like(top), *other.gradients])
