"""What a landscape graph must satisfy, and how its fields are read."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from tda_landscape._errors import InputError, described, shown
from tda_landscape.topology._forest import kernels
from tda_landscape.topology._forest_numpy import Ints

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
        column = np.array(np.asarray(values), dtype=kind)  # a tensor is to be read before it is copied
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


def ends_of(edges: Any) -> Ints:
    """Edges (m, 2) as they are where they hold whole numbers; other shapes are not read as something else."""
    array = np.asarray(edges)
    if array.size and np.issubdtype(array.dtype, np.signedinteger) and array.ndim == 2 and array.shape[1] == 2:
        return array
    return pairs(array)


def numbers(values: ArrayLike, name: str) -> NDArray[np.float64]:
    """A float64 vector, not copied where it is one."""
    try:
        return np.asarray(values, dtype=np.float64).reshape(-1)
    except (TypeError, ValueError):
        raise InputError(f"{name} must hold numbers, got {values!r:.60}") from None


def levels_of(values: ArrayLike, name: str = "level") -> NDArray[np.float64]:
    """One or many levels as they are; a count at NaN would be a count of nothing."""
    try:
        levels = np.asarray(values, dtype=np.float64)
    except (TypeError, ValueError):
        raise InputError(f"{name} must hold numbers, got {described(values)}") from None
    if np.isnan(levels).any():
        raise InputError(f"{name} must hold numbers, got {shown(values)}; leave NaN out")
    return levels


def check_births(births: NDArray[np.float64], sign: float = 1.0) -> None:
    """Refuse an energy that is not finite."""
    if not np.isfinite(births).all():
        bad = int(np.flatnonzero(~np.isfinite(births))[0])
        raise InputError(f"leaf {bad} has energy {sign * births[bad]}; leave non-finite points out of the graph")


def check_edges(
    births: NDArray[np.float64], edges: Ints, heights: NDArray[np.float64], *, first: int = 0, sign: float = 1.0
) -> None:
    """Refuse ends that do not exist and heights below an end; `first` is the number of the first edge."""
    if len(heights) != len(edges):
        raise InputError(f"heights has {len(heights)} entries for {len(edges)} edges; give one per edge")
    e = kernels(len(heights)).first_low(births, edges, heights)
    if e < 0:
        return
    ends = edges[e]
    stray = ends[(ends < 0) | (ends >= len(births))]
    if len(stray):
        raise InputError(f"edges name leaf {stray[0]} but there are {len(births)} leaves, numbered from 0")
    side, highest = ("below", "at least as high as") if sign > 0 else ("above", "at most as high as")
    raise InputError(
        f"edge {first + e} has height {sign * heights[e]} {side} the energy {sign * births[ends].max()} of one of its "
        f"ends; a path is {highest} both ends, and NaN is not a height"
    )


def check(graph: LandscapeGraph) -> None:
    """Refuse what would poison every later step."""
    n, m = len(graph.births), len(graph.edges)
    check_births(graph.births)
    for name in (
        "heights",
        "status",
        "uppers",
        "proved",
        "saddle_index",
        "saddle_gradient",
        "confirmations",
        "transform",
        "paths",
    ):
        if len(getattr(graph, name)) != m:
            raise InputError(f"{name} has {len(getattr(graph, name))} entries for {m} edges; give one per edge")
    for name in ("leaf_status", "hits", "labels"):
        if len(getattr(graph, name)) != n:
            raise InputError(f"{name} has {len(getattr(graph, name))} entries for {n} leaves; give one per leaf")
    if graph.points is not None and len(graph.points) != n:
        raise InputError(f"points has {len(graph.points)} rows for {n} leaves; give one per leaf")
    check_edges(graph.births, graph.edges, graph.heights)
    loose = np.flatnonzero(~(graph.uppers >= graph.heights))
    if len(loose):
        e = int(loose[0])
        raise InputError(
            f"edge {e} has upper bound {graph.uppers[e]}, not at least its measured height {graph.heights[e]}"
        )
    if graph.order is not None and (not isinstance(graph.order, int) or graph.order < 1):
        raise InputError(f"order must be a positive int or None, got {graph.order!r}")
    strange = set(graph.status.tolist()) - set(EDGE_STATUSES)
    if strange:
        raise InputError(f"edge status {sorted(strange)[0]!r} is not one of {', '.join(EDGE_STATUSES)}")
