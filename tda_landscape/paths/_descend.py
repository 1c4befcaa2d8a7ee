"""Property P.1 from one point: a path to a low level along which the energy never rises."""

from __future__ import annotations

import torch
from numpy.typing import ArrayLike
from torch import Tensor

from tda_landscape._errors import InputError, expect, expect_number, expect_whole
from tda_landscape.energy import Energy
from tda_landscape.energy._batching import Meter, drive
from tda_landscape.energy._downhill import minimize
from tda_landscape.energy._function import as_tensor
from tda_landscape.energy._random import Seed, as_generator
from tda_landscape.paths._path import Path, Stop
from tda_landscape.paths._search import Search
from tda_landscape.paths._slide import falls, slide
from tda_landscape.paths._verify import verify
from tda_landscape.paths._walk import walk

FLAT = 1e-8
"""Gradient, relative to 1 + |E|, at which a descent has ended."""

KICKS, SIZES = 64, (1e-3, 1e-2, 0.1, 0.3, 1.0, 3.0)
"""Directions that are tried from where a descent ended, and their lengths relative to 1 + |theta|."""

TURNS, PARTNERS = 12, 2
"""Times that a path goes on from where a descent ended, and lower points that it looks for ways to each time."""


def descend_path(
    energy: Energy,
    theta0: ArrayLike | Tensor,
    target: float | None = None,
    *,
    search: Search | None = None,
    starts: int = 8,
    noise: float = 1e-5,
    seed: Seed = 0,
) -> Path:
    """Look for a path from a point down to a level, along which the energy never rises.

    Parameters
    ----------
    energy : Energy
    theta0 : array_like (d,)
    target : float, optional
        The level to reach. By default the lowest known one: the lowest energy at which any descent ends, from here or
        from the start law; then the path goes on until its own descent ends.
    search : Search, optional
        Asked for a way at one level, such as a `Ladder`, where walks along the level find none.
    starts : int
        Descents from the start law that show where lower points are.
    noise : float
        What counts as not rising, relative to 1 + |E(theta0)|: the energy is nowhere by more than that above the
        lowest value so far.
    seed : int or torch.Generator

    Returns
    -------
    Path
        As low as it gets, verified by adaptive bisection with slopes. Its `reason` is ``Stop.DOWN`` where it reaches
        the target, and ``Stop.STUCK`` where it does not: that is unresolved, and refutes nothing. (That no such path
        exists is a matter of theorems, see `predict`, or of exact trees of grids, see `valleys`.)

    Raises
    ------
    InputError
        A point that does not fit the energy or has none, or settings that make no search.

    Notes
    -----
    Property P.1 of Venturi, Bandeira and Bruna (2018): from every point such a path leads to a global minimum. A
    descent that ends above the target goes on along ways that stay at its own level, up to `noise`, until they go down:
    in random directions, off saddles, or pulled towards lower points that descents from elsewhere found.

    Examples
    --------
    >>> import tda_landscape as tl
    >>> energy = tl.zoo.quartic()                       # minima -32 at -2 and -5 at 1
    >>> path = tl.descend_path(energy, [-0.5])
    >>> round(float(path.energies[-1]), 6), path.reason.value
    (-32.0, 'the path descends to the level asked for, or to the lowest one known')
    >>> tl.descend_path(energy, [0.5]).reason.value
    'no way further down was found that never rises; this refutes nothing'
    """
    expect(Energy, energy=energy)
    expect(Search | None, search=search)
    expect_number("[-inf, inf] or None", target=target)
    expect_whole("[0, inf)", starts=starts)
    expect_number("(0, inf)", noise=noise)
    point = energy.as_points(as_tensor(theta0, "theta0", energy.dtype).reshape(1, -1))[0]
    here = float(energy(point[None])[0])
    if not abs(here) < torch.inf:
        raise InputError(f"the energy at theta0 is {here}; begin where it is finite")
    generator, slack = as_generator(seed), noise * (1 + abs(here))
    lower = _low_points(energy, starts, generator)
    goal = -torch.inf if target is None else float(target)
    line, level = slide(energy, point, goal, FLAT, 0.1)
    known = min([level, *energy(lower).tolist()]) if target is None else goal
    for _ in range(TURNS):
        if level <= known + slack:
            break
        way = _level_way(energy, line[-1], level, lower, search, slack, generator)
        if way is None:
            break
        below, level = slide(energy, way[-1], goal, FLAT, 0.1)
        line = torch.cat([line, way[1:], below[1:]])
    if len(line) == 1:
        line = line.repeat(2, 1)
    line, _ = falls(energy, line, slack)
    line = line if len(line) > 1 else line.repeat(2, 1)
    reached = float(energy(line[-1:])[0]) <= known + slack
    return verify(energy, [line], [Stop.DOWN if reached else Stop.STUCK])[0]


def _low_points(energy: Energy, starts: int, generator: torch.Generator) -> Tensor:
    """Where descents from the start law end, lowest first (s, d)."""
    first = energy.start(max(starts, 1), generator)[:starts]
    if not starts:
        return first
    (walkers,) = drive(energy, [minimize(first, 0.1, FLAT, 3000, Meter())])
    finite = torch.isfinite(walkers.energies)
    order = walkers.energies[finite].argsort(stable=True)
    points: Tensor = walkers.points[finite][order]
    return points


def _level_way(
    energy: Energy,
    point: Tensor,
    level: float,
    lower: Tensor,
    search: Search | None,
    slack: float,
    generator: torch.Generator,
) -> Tensor | None:
    """A polyline from a point that stays within `slack` / 2 of its level and ends lower; None if none is found."""
    kicked = _kick(energy, point, level, slack, generator)
    if kicked is not None:
        return kicked
    goals = lower[energy(lower) < level - slack][:PARTNERS]
    if not len(goals):
        return None
    for goal in goals:
        way = walk(energy, point, level, point + energy.displacement(point[None], goal[None])[0], slack)
        if way is not None:
            return way
    if search is None:
        return None
    begins, ends = point.expand(len(goals), -1), point + energy.displacement(point.expand(len(goals), -1), goals)
    randoms = [torch.Generator().manual_seed(int(torch.randint(2**31, (), generator=generator))) for _ in goals]
    for path in search.find(energy, begins, ends, randoms, level=level + slack / 4):
        cut = _first_below(energy, path.points, level, slack)
        if cut is not None:
            return cut
    return None


def _first_below(energy: Energy, line: Tensor, level: float, slack: float) -> Tensor | None:
    """The part of a polyline up to where it first comes below a level, if it never rose before."""
    for last in range(1, len(line)):
        at = torch.linspace(0, 1, 17, dtype=line.dtype)[1:, None]
        points = line[last - 1] + at * (line[last] - line[last - 1])
        values = energy(points)
        low = torch.nonzero(values < level - slack / 4).flatten()
        upto = int(low[0]) + 1 if len(low) else len(values)
        if not (values[:upto] <= level + slack / 2).all():
            return None
        if len(low):
            return torch.cat([line[:last], points[upto - 1 : upto]])
    return None


def _kick(energy: Energy, point: Tensor, level: float, slack: float, generator: torch.Generator) -> Tensor | None:
    """A straight way in a random direction that ends lower and never rises: off a saddle, or across a flat part."""
    noise = torch.randn(KICKS, len(point), generator=generator, dtype=point.dtype)
    unit = noise / noise.norm(dim=1, keepdim=True)
    for size in SIZES:
        ends = point + size * (1 + point.norm()) * unit
        values = energy(ends)
        for row in values.argsort(stable=True)[:PARTNERS].tolist():
            if float(values[row]) < level - slack / 2:
                cut = _first_below(energy, torch.stack([point, ends[row]]), level, slack)
                if cut is not None:
                    return cut
    return None
