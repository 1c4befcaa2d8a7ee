"""Shortening a path inside {E <= u}."""

from __future__ import annotations

from dataclasses import replace

import torch
from torch import Tensor

from tda_landscape._errors import InputError, expect, expect_number
from tda_landscape.energy import Energy
from tda_landscape.energy._batching import Meter, Task, drive
from tda_landscape.paths._contract import Contraction
from tda_landscape.paths._path import Path, Stop, arc_lengths
from tda_landscape.paths._strand import Strand
from tda_landscape.paths._verify import locate, verify

FEWEST_SWEEPS, MOST_SWEEPS, CYCLE = 6, 20, 0.35  # of a cycle; share of the budget left that its sweeps may take
TOLERANCE = (0.3, 0.05)  # of the models, in the first and in the last sweep of a cycle
MARGIN, LEAST_MARGIN, CLOSER = 0.15, 0.005, 0.4  # distance from the level, relative to the room; factor of the next
SLOW, STATIONARY = 0.02, 5e-4  # gains of length in a cycle, relative
REACH = 0.05  # longest step of a bead, relative to the length of the path
VERIFICATION, BRINGING_BACK = 6, 2  # gradient equivalents a bead that are kept aside

Line = tuple[Tensor, Tensor]
"""A polyline (m, d), and which of its segments (m-1,) are pieces of the path as it was."""


def shorten(energy: Energy, path: Path, level: float | None = None, *, budget: float = 1000.0) -> Path:
    """Contract a path inside the sublevel set {E <= level} until its length is stationary.

    Parameters
    ----------
    energy : Energy
    path : Path
        Below the level; its ends are not touched.
    level : float, optional
        By default the height of the path: it becomes shorter, and no higher.
    budget : float
        Gradient equivalents.

    Returns
    -------
    Path
        Verified anew, never longer than `path` and never above the level. Its length is an upper bound of the
        distance of the ends inside the sublevel set: contraction does not pull a path over an obstacle, so another
        way around may be shorter.

    Raises
    ------
    InputError
        A path above the level.

    Notes
    -----
    Projected gradient with curvature: in each sweep all beads move at once to where the tension of the polyline
    (sum |x_(i+1) - x_i|^2 / |x_(i+1) - x_i| at fixed denominators) is least among the points that a quadratic model of
    each bead, made of its own last gradients, expects below the level. No bead is projected onto the sublevel set: the
    few that are above the level after a cycle of sweeps descend, segments above it get a bead, and a cycle counts only
    when its path is verified. Where the path leaves no room (it crosses a saddle at the level), the stretch near
    its top stays as it is.

    Freeman and Bruna, ICLR 2017, sec. 3.2, measure the geometry of sublevel sets by such lengths.

    Examples
    --------
    >>> import torch, tda_landscape as tl
    >>> ring = tl.Energy.from_function(lambda x: (x.square().sum(1) - 1).square(), 2)
    >>> path = tl.find_path(ring, torch.tensor([1.0, 0.0]), torch.tensor([-1.0, 0.0]), level=0.3)
    >>> short = shorten(ring, path, level=0.3)
    >>> round(short.normalized_length, 2), short.below(0.3), short.length < path.length
    (1.24, True, True)
    """
    expect(Energy, energy=energy)
    expect(Path, path=path)
    expect_number("[-inf, inf] or None", level=level)
    expect_number("[0, inf]", budget=budget)
    if not torch.allclose(energy(path.points), path.energies, rtol=1e-9):  # found, or measured, on another energy
        (path,) = verify(energy, [path.points], [path.reason])
    level = path.height if level is None else float(level)
    if not path.height <= level:
        raise InputError(f"the path has height {path.height:.6g}, above the level {level:.6g}; raise the level")
    (found,) = drive(energy, [_cycles(path, level, budget)])
    lines, reason = found
    for line, settled in reversed(lines):
        # The cycles looked at few points of each segment.
        (verified,) = verify(energy, [line], [reason], settled=[settled])
        if verified.height <= level:
            return verified
    return replace(path, reason=reason)


def _cycles(path: Path, level: float, budget: float) -> Task[tuple[list[Line], Stop]]:
    """Contract in cycles of sweeps, each brought back below the level; return ever shorter polylines."""
    meter, lines, shortest = Meter(), list[Line](), path.length
    room = _room(path, level)
    if room <= 0 or path.length <= (1 + 1e-9) * float((path.points[-1] - path.points[0]).norm()):
        return lines, Stop.SHORTEST
    margin, points, fixed = MARGIN, path.points, torch.zeros(len(path.points), dtype=torch.bool)
    max_beads = max(60, 2 * len(points))
    strand = Strand.through(points, REACH * path.length, meter)
    yield from strand.beads.evaluate_new(meter)
    while meter.spent + (VERIFICATION + BRINGING_BACK + 3) * strand.size < budget:
        contraction = Contraction.of(strand, fixed, level, room, margin, max_beads)
        low = yield from _cycle(contraction, budget)
        strand, fixed = contraction.strand, contraction.fixed
        gain = (shortest - contraction.length) / shortest
        if low and gain > 0:
            lines.append((strand.beads.points.clone(), fixed[1:] & fixed[:-1]))
            shortest = contraction.length
        if low and gain < STATIONARY and margin <= LEAST_MARGIN:
            return lines, Stop.SHORTEST
        if not low or gain < SLOW:
            margin = max(LEAST_MARGIN, margin * (CLOSER if low else CLOSER**2))
        if not low and not lines:
            points, fixed = _fix_top(path, level - margin * room)
            strand = Strand.through(points, REACH * path.length, meter)
            yield from strand.beads.evaluate_new(meter)
    return lines, Stop.LONG


def _cycle(contraction: Contraction, budget: float) -> Task[bool]:
    """Some sweeps, and back below the level."""
    strand = contraction.strand
    moved = 0.0
    affordable = int(CYCLE * (budget - strand.meter.spent) / strand.size)
    sweeps = max(FEWEST_SWEEPS, min(MOST_SWEEPS, affordable))
    for sweep in range(sweeps):
        if strand.meter.spent + (VERIFICATION + BRINGING_BACK + 1) * strand.size > budget:
            break
        share = sweep / (sweeps - 1)
        moved = yield from contraction.sweep(TOLERANCE[0] * (TOLERANCE[1] / TOLERANCE[0]) ** share)
    strand.beads.radius[:] = 2 * moved
    return (yield from contraction.bring_back(budget, VERIFICATION))


def _room(path: Path, level: float) -> float:
    """The scale of energies: from the higher end to the level or, where that is nothing, from the lowest point."""
    ends, lowest = float(path.energies[[0, -1]].max()), float(path.energies.min())
    return level - ends if level - ends > 1e-3 * (level - lowest) else level - lowest


def _fix_top(path: Path, ceiling: float) -> tuple[Tensor, Tensor]:
    """Vertices (n, d) with one more on both sides of each stretch above the ceiling, and which belong to these."""
    corners = arc_lengths(path.points)
    at, high = path.profile[:, 0].contiguous(), path.profile[:, 1] > ceiling
    near = high.clone()
    near[1:] |= high[:-1]
    near[:-1] |= high[1:]
    arcs = torch.unique(torch.cat([corners, at[near]]))
    before = torch.searchsorted(at, arcs, right=True).clamp(1, len(at)) - 1
    after = (before + (at[before] < arcs).long()).clamp(max=len(at) - 1)
    return locate(path.points, corners, arcs), near[before] & near[after]
