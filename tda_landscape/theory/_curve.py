"""Curves that a proof promises, and the polylines that follow them as closely as asked."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import pairwise

import torch
from torch import Tensor

from tda_landscape.energy import Energy
from tda_landscape.energy._batching import finite_or_inf
from tda_landscape.paths import Path, Stop, verify

Piece = Callable[[Tensor], Tensor]
"""Numbers t (k,) in [0, 1] -> points (k, d), continuous in t."""

SAMPLES = 201  # points on each piece that its energy is measured at
CHORDS, ROUNDS = 4, 30  # chords that a bent piece is begun with, and how often they are halved
ALONG = torch.linspace(0, 1, 9, dtype=torch.float64)  # where a chord is measured


@dataclass(frozen=True, slots=True, eq=False)
class Line:
    """A straight piece, exactly a polyline. Where it moves one layer, a convex loss is highest at one of its ends."""

    start: Tensor
    end: Tensor

    def __call__(self, t: Tensor) -> Tensor:
        """Points (k, d) at t (k,)."""
        return (1 - t)[:, None] * self.start + t[:, None] * self.end


@dataclass(frozen=True, slots=True, eq=False)
class Curve:
    """A continuous curve of parameter vectors, in pieces; a `Line` is straight, any other piece is bent.

    Attributes
    ----------
    pieces : tuple of callable
        Each maps t (k,) in [0, 1] to points (k, d) and begins where the one before it ends.

    Examples
    --------
    >>> corner = Curve.through(torch.eye(3, dtype=torch.float64))
    >>> len(corner.pieces), corner.at(torch.tensor([0.0, 0.5], dtype=torch.float64)).tolist()
    (2, [[1.0, 0.0, 0.0], [0.5, 0.5, 0.0], [0.0, 1.0, 0.0], [0.0, 0.5, 0.5]])
    """

    pieces: tuple[Piece, ...]

    @property
    def end(self) -> Tensor:
        """The last point (d,)."""
        return self.pieces[-1](torch.ones(1, dtype=torch.float64))[0]

    @classmethod
    def through(cls, points: Tensor | Sequence[Tensor]) -> Curve:
        """The polyline through points (m, d); steps that do not move are left out."""
        lines = tuple(Line(a, b) for a, b in pairwise(points) if not torch.equal(a, b))
        return cls(lines or (Line(points[0], points[-1]),))

    def __add__(self, other: Curve) -> Curve:
        return Curve(self.pieces + other.pieces)

    def reversed(self) -> Curve:
        """The same points from the end to the start."""
        return Curve(tuple(_backwards(piece) for piece in reversed(self.pieces)))

    def at(self, t: Tensor) -> Tensor:
        """Points (pieces * k, d) at t (k,) of each piece, in order."""
        return torch.cat([piece(t) for piece in self.pieces])


def excess(energy: Energy, curve: Curve, samples: int = SAMPLES) -> float:
    """Measure how far the exact curve rises above its higher end, relative to 1 + abs(energy there)."""
    values = _measure(energy, curve, samples)
    higher = max(float(values[0]), float(values[-1]))
    return (float(values.max()) - higher) / (1 + abs(higher))


def rise(energy: Energy, curve: Curve, samples: int = SAMPLES) -> float:
    """Measure how far the energy rises along the exact curve after its lowest point so far, relative to its start."""
    values = _measure(energy, curve, samples)
    return float((values - values.cummin(0).values).max()) / (1 + abs(float(values[0])))


def joints(curve: Curve, start: Tensor, end: Tensor) -> float:
    """Measure the largest gap: between consecutive pieces, and between the curve and the ends it should have."""
    first, last = torch.zeros(1, dtype=start.dtype), torch.ones(1, dtype=start.dtype)
    ends = torch.cat([start[None], *(piece(last) for piece in curve.pieces)])
    begins = torch.cat([*(piece(first) for piece in curve.pieces), end[None]])
    return float((ends - begins).norm(dim=1).max())


def polyline(energy: Energy, curve: Curve, delta: float = 1e-6, *, falling: bool = False) -> Tensor:
    """Nodes (m, d) on the curve, placed so that the polyline through them is hardly higher than the curve.

    Straight pieces keep their two ends. Chords of bent ones are halved until, measured at nine points, they exceed
    the curve's maximum by at most half of ``delta * (1 + abs(maximum))``. With `falling`, where the energy never
    rises along the curve, it rises along each chord by no more than that.
    """
    top = float(_measure(energy, curve, SAMPLES).max())
    slack = delta / 2 * (1 + abs(top))

    def too_high(values: Tensor) -> Tensor:
        if falling:
            return (values - values.cummin(1).values).amax(1) > slack
        return values.amax(1) > top + slack

    nodes = torch.cat([_nodes(energy, piece, too_high) for piece in curve.pieces])
    moved = torch.cat([torch.tensor([True]), (nodes[1:] != nodes[:-1]).any(1)])
    return nodes[moved] if int(moved.sum()) > 1 else nodes[:2]


def follow(
    energy: Energy,
    curves: Sequence[Curve],
    ends: Sequence[tuple[Tensor, Tensor]],
    delta: float,
    *,
    falling: bool = False,
) -> list[Path]:
    """Verified polylines along curves, exactly between the given ends."""
    lines = []
    for curve, (start, end) in zip(curves, ends, strict=True):
        nodes = polyline(energy, curve, delta, falling=falling).to(energy.dtype)
        lines.append(torch.cat([start[None], nodes[1:-1], end[None]]))
    return verify(energy, lines, [Stop.THEOREM] * len(lines))


def _backwards(piece: Piece) -> Piece:
    return Line(piece.end, piece.start) if isinstance(piece, Line) else lambda t: piece(1 - t)


def _measure(energy: Energy, curve: Curve, samples: int) -> Tensor:
    """Energies at equally spaced t of every piece; what is not finite counts as inf."""
    return finite_or_inf(energy(curve.at(torch.linspace(0, 1, samples, dtype=torch.float64))))


def _nodes(energy: Energy, piece: Piece, too_high: Callable[[Tensor], Tensor]) -> Tensor:
    """Nodes (m, d) of one piece: chords whose energies (c, 9) are too high are halved, all at once."""
    if isinstance(piece, Line):
        return torch.stack([piece.start, piece.end])
    t = torch.linspace(0, 1, CHORDS + 1, dtype=torch.float64)
    left, right = t[:-1], t[1:]
    for _ in range(ROUNDS):
        a, b = piece(left)[:, None], piece(right)[:, None]
        along = (a + ALONG[:, None] * (b - a)).flatten(0, 1)
        open_ = too_high(finite_or_inf(energy(along)).view(len(left), -1))
        if not open_.any():
            break
        left, right = left[open_], right[open_]
        middle = (left + right) / 2
        t, left, right = torch.cat([t, middle]), torch.cat([left, middle]), torch.cat([middle, right])
    return piece(t.sort().values)
