"""What a landscape graph must satisfy, and how its fields are read."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from tda_landscape._errors import InputError

if TYPE_CHECKING:
    from tda_landscape.topology._graph import LandscapeGraph

EDGE_STATUSES = ("certified", "refined", "sampled")
"""How a merge is known, best first: rigorous, stable under adaptive bisection, sampled."""

LEAF_STATUSES = ("minimum", "flat", "stationary", "saddle", "descending", "nonfinite", "given")
"""What a point is; `given` marks vertices of a graph that came without a landscape."""


def attribute(data: dict[str, Any], name: str, where: str) -> float:
    """Read one number from networkx attributes."""
    if name not in data:
        given = ", ".join(map(str, data)) or "nothing"
        raise InputError(f"{where} has no attribute {name!r} (it has {given}); set it or pass its name")
    try:
        return float(data[name])
    except (TypeError, ValueError):
        raise InputError(f"{where} has {name} {data[name]!r}, which is no number") from None


def column(values: Any, name: str, kind: Any, length: int | None = None) -> NDArray[Any]:
    """A new array (length,); one value stands for all where a length is given."""
    try:
        column = np.array(values, dtype=kind)
        return column.reshape(-1) if length is None else np.broadcast_to(column, (length,)).copy()
    except (TypeError, ValueError):
        many = "numbers" if length is None else f"one entry or {length}"
        raise InputError(f"{name} must hold {many}, got {values!r}") from None


def pairs(edges: Any) -> NDArray[np.intp]:
    """Edges (m, 2) of whole numbers; other shapes are not read as something else."""
    array = np.asarray(edges)
    if array.size == 0:
        return np.empty((0, 2), dtype=np.intp)
    if array.ndim != 2 or array.shape[1] != 2 or not np.issubdtype(array.dtype, np.number):
        raise InputError(f"edges must be pairs of leaves, shape (m, 2), got shape {array.shape}")
    if (array != np.round(array)).any():
        raise InputError(f"edges must be whole numbers, got {array[(array != np.round(array)).any(1)][0].tolist()}")
    return array.astype(np.intp)


def same_order(first: LandscapeGraph, second: LandscapeGraph) -> int | None:
    """Order of the symmetry group of two graphs that are put together."""
    if first.order != second.order:
        raise InputError(
            f"one graph has symmetry order {first.order}, the other {second.order}; "
            "put together only graphs whose leaves are distinct modulo the same group"
        )
    return first.order


def check(graph: LandscapeGraph) -> None:
    """Refuse what would poison every later step."""
    n, m = len(graph.births), len(graph.edges)
    if not np.isfinite(graph.births).all():
        bad = int(np.flatnonzero(~np.isfinite(graph.births))[0])
        raise InputError(f"leaf {bad} has energy {graph.births[bad]}; leave non-finite points out of the graph")
    for name in (
        "heights",
        "status",
        "uppers",
        "proved",
        "saddle_index",
        "confirmations",
        "transform",
        "paths",
    ):
        if len(getattr(graph, name)) != m:
            raise InputError(f"{name} has {len(getattr(graph, name))} entries for {m} edges; give one per edge")
    for name in ("leaf_status", "hits", "labels"):
        if len(getattr(graph, name)) != n:
            raise InputError(f"{name} has {len(getattr(graph, name))} entries for {n} leaves; give one per leaf")
    stray = graph.edges[(graph.edges < 0) | (graph.edges >= n)]
    if len(stray):
        raise InputError(f"edges name leaf {stray[0]} but there are {n} leaves, numbered from 0")
    if graph.points is not None and len(graph.points) != n:
        raise InputError(f"points has {len(graph.points)} rows for {n} leaves; give one per leaf")
    ends = graph.births[graph.edges].max(axis=1, initial=-np.inf)
    for name, heights in (("height", graph.heights), ("upper bound", graph.uppers)):
        wrong = np.flatnonzero(~(heights >= ends))
        if len(wrong):
            e = int(wrong[0])
            raise InputError(
                f"edge {e} has {name} {heights[e]} below the energy {ends[e]} of one of its ends; "
                "a path is at least as high as both ends, and NaN is not a height"
            )
    loose = np.flatnonzero(graph.uppers < graph.heights)
    if len(loose):
        e = int(loose[0])
        raise InputError(f"edge {e} has upper bound {graph.uppers[e]} below its measured height {graph.heights[e]}")
    if graph.order is not None and (not isinstance(graph.order, int) or graph.order < 1):
        raise InputError(f"order must be a positive int or None, got {graph.order!r}")
    strange = set(graph.status.tolist()) - set(EDGE_STATUSES)
    if strange:
        raise InputError(f"edge status {sorted(strange)[0]!r} is not one of {', '.join(EDGE_STATUSES)}")
