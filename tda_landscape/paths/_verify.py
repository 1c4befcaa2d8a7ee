"""Measuring a path anew: adaptive bisection with slopes, until its maximum is stable."""

from __future__ import annotations

from collections.abc import Iterable
from itertools import repeat

import torch
from torch import Tensor

from tda_landscape.energy import Energy
from tda_landscape.energy._batching import Meter, Task, drive, finite_or_inf
from tda_landscape.paths._path import Path, Stop, arc_lengths

PIECES, LEAST, ROUNDS = 4, 33, 40
"""Pieces a segment is cut into at first, points that any path gets at least, most rounds of bisection."""


Known = tuple[Tensor, Tensor]
"""Energies (m,) and gradients (m, d) at the vertices of a polyline."""


def verify(
    energy: Energy,
    polylines: list[Tensor],
    reasons: list[Stop],
    *,
    known: Iterable[Known | None] = repeat(None),
    settled: Iterable[Tensor | None] = repeat(None),
    tolerance: float = 1e-6,
) -> list[Path]:
    """Turn polylines (m, d) into paths with fresh, stable maxima, all in one batch.

    Where energies and gradients at the vertices are `known`, from the descents that made them, they are not
    computed again, and only pieces whose slopes leave room for a higher maximum are looked into. The latter goes
    for `settled` segments (m-1,), too: pieces of a path that was measured before.

    Every piece between two evaluated points is bounded by the curvature that its slopes show,
    max(E_0, E_1) + |s_1 - s_0| w / 4, and bisected while that exceeds the best maximum by more than `tolerance`
    of the energy range along the path. Heuristic (`refined`), since a spike between two points can hide its
    slopes; a certificate cannot be fooled.
    """
    return drive(
        energy,
        [
            _measure(line, reason, tolerance, vertices, still)
            for line, reason, vertices, still in zip(polylines, reasons, known, settled, strict=False)
        ],
    )


def _measure(line: Tensor, reason: Stop, tolerance: float, known: Known | None, settled: Tensor | None) -> Task[Path]:
    """Evaluate one polyline; non-finite energies count as inf."""
    meter, corners = Meter(), arc_lengths(line)
    if known is None:
        at = _first_points(corners, settled)
        energy, slope = yield from _evaluate(line, corners, at, meter)
    else:
        at, energy = corners, finite_or_inf(known[0])
        slope = _slopes(line, corners, at, known[1])
    for _ in range(ROUNDS):
        width = at.diff()
        # Slopes jump at vertices: each point carries the slope to its right and the one to its left.
        bend = (slope[1:, 0] - slope[:-1, 1]).abs()
        bound = torch.maximum(energy[1:], energy[:-1]) + bend * width / 4
        finite = energy[torch.isfinite(energy)]
        span = float(finite.max() - finite.min()) if len(finite) else 0.0
        open_ = (bound > energy.max() + tolerance * span) & (width > 1e-12 * (1 + corners[-1]))
        if not torch.isfinite(energy).all() or not open_.any():
            break
        new = (at[1:] + at[:-1])[open_] / 2
        new_energy, new_slope = yield from _evaluate(line, corners, new, meter)
        order = torch.cat([at, new]).argsort()
        at = torch.cat([at, new])[order]
        energy, slope = torch.cat([energy, new_energy])[order], torch.cat([slope, new_slope])[order]
    return _path(line, corners, at, energy, reason)


def _first_points(corners: Tensor, settled: Tensor | None) -> Tensor:
    """Arc lengths of the first evaluations: all vertices, each segment that is not settled in pieces."""
    segments = len(corners) - 1
    pieces = max(PIECES, -(-LEAST // segments))
    within = torch.arange(pieces, dtype=corners.dtype) / pieces
    inner = corners[:-1, None] + within * corners.diff()[:, None]
    cut = inner.flatten() if settled is None else inner[(within == 0) | ~settled[:, None]]
    return torch.cat([cut, corners[-1:]])


def _segment_of(corners: Tensor, at: Tensor, *, right: bool) -> Tensor:
    """Number of the segment that a point of the path belongs to; at a vertex, the right or the left one."""
    return (torch.searchsorted(corners, at, right=right) - 1).clamp(0, len(corners) - 2)


def locate(line: Tensor, corners: Tensor, at: Tensor) -> Tensor:
    """Points (p, d) of the polyline at arc lengths (p,); exactly the vertices at theirs."""
    segment = _segment_of(corners, at, right=True)
    width = corners.diff()[segment].clamp(min=1e-300)
    t = ((at - corners[segment]) / width)[:, None].clamp(0, 1)
    return torch.where(t < 1, line[segment] + t * (line[segment + 1] - line[segment]), line[segment + 1])


def _evaluate(line: Tensor, corners: Tensor, at: Tensor, meter: Meter) -> Task[tuple[Tensor, Tensor]]:
    """Energies (p,) and slopes along the path (p, 2), to the left and to the right of each point."""
    energy, gradient = yield from meter.gradients(locate(line, corners, at))
    return finite_or_inf(energy), _slopes(line, corners, at, gradient)


def _slopes(line: Tensor, corners: Tensor, at: Tensor, gradient: Tensor) -> Tensor:
    """Slopes (p, 2) along the path, to the left and to the right of points with gradients (p, d)."""
    tangent = line.diff(dim=0) / corners.diff().clamp(min=1e-300)[:, None]
    sides = [(gradient * tangent[_segment_of(corners, at, right=right)]).sum(1) for right in (False, True)]
    return torch.stack(sides, dim=1).nan_to_num(nan=0.0)


def _path(line: Tensor, corners: Tensor, at: Tensor, energy: Tensor, reason: Stop) -> Path:
    """The polyline with its highest evaluated point as one more vertex."""
    top = at[energy.argmax()]
    vertices = torch.unique(torch.cat([corners, top[None]]))
    found = torch.searchsorted(at, vertices).clamp(max=len(at) - 1)
    if not torch.isfinite(energy).all():
        reason = Stop.NONFINITE
    points = locate(line, corners, vertices)
    return Path(points, energy[found], "refined", reason, torch.stack([at, energy], dim=1))
