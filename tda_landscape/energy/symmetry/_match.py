"""Match the units of one point to those of another: assignments layer by layer, iterated, from several starts."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import product

import torch
from scipy.optimize import linear_sum_assignment
from torch import Tensor

from tda_landscape.energy.symmetry._units import Element, Place, Structure, Units, act, identity, move

RANDOM_STARTS = 6
SWEEPS = 50
EXACT = 1e-9
"""Distance, relative to 1 + |reference|, below which no further start is tried."""


def match(structure: Structure, points: Tensor, references: Tensor) -> Element:
    """Find signed permutations that bring folded points (k, d) near their references (k, d).

    With one layer of units the best assignment is found exactly. With more, each layer in turn is assigned given the
    others until nothing changes (the coordinate ascent of Ainsworth et al., Git Re-Basin, 2022), from several
    starts; the nearest image wins, which need not be the nearest of all.
    """
    best, score = identity(structure, points), (points * references).sum(1)
    open_rows = torch.arange(len(points))
    coupled = any(len(axes_of(structure, place)) > 1 for units in structure.units for place in units.places)
    for start in _starts(structure, points, references):
        here = _rows(start, open_rows)
        element = _ascend(structure, points[open_rows], references[open_rows], here)
        images = act(structure, points[open_rows], element)
        found = (images * references[open_rows]).sum(1)
        better = found > score[open_rows]
        winners = open_rows[better]
        for old, new in zip(best.permutations + best.signs, element.permutations + element.signs, strict=True):
            old[winners] = new[better]
        score[winners] = found[better]
        distance = (images - references[open_rows]).norm(dim=1)
        open_rows = open_rows[distance > EXACT * (1 + references[open_rows].norm(dim=1))]
        if len(open_rows) == 0 or not coupled:
            break
    return best


def _starts(structure: Structure, points: Tensor, references: Tensor) -> Iterator[Element]:
    """First guesses: from the input on, from the output back, as it is, and at random (always the same)."""
    indices = range(len(structure.units))
    for order in (indices, indices[::-1]):
        yield _greedy(structure, points, references, list(order))
    yield identity(structure, points)
    generator = torch.Generator().manual_seed(0)
    for _ in range(RANDOM_STARTS):
        yield random_element(structure, points, generator)


def random_element(structure: Structure, points: Tensor, generator: torch.Generator) -> Element:
    """One random signed permutation a point."""
    k, permutations, signs = len(points), [], []
    for units in structure.units:
        keys = torch.rand(k, units.size, generator=generator, dtype=torch.float64)
        permutations.append(keys.argsort(1) if units.permuted else torch.arange(units.size).repeat(k, 1))
        coins = torch.randint(0, 2, (k, len(units.signs), units.size), generator=generator)
        signs.append((2 * coins - 1).to(points.dtype))
    return Element(tuple(permutations), tuple(signs))


def _greedy(structure: Structure, points: Tensor, references: Tensor, order: list[int]) -> Element:
    """Assign one layer after the other, each by the weights that no unassigned layer touches."""
    images, element, done = points.clone(), identity(structure, points), set[int]()
    for index in order:
        units = structure.units[index]
        settled = settled_places(structure, index, done)
        if settled:
            permutation, signs = _assign(units, settled, images, references)
            move(units, images, permutation, signs)
            element.permutations[index].copy_(permutation)
            element.signs[index].copy_(signs)
        done.add(index)
    return element


def axes_of(structure: Structure, place: Place) -> list[int]:
    """The layers of units that own the axes of this parameter, one entry an axis."""
    return [i for i, units in enumerate(structure.units) for p in units.places if p.start == place.start]


def settled_places(structure: Structure, index: int, done: set[int]) -> list[Place]:
    """The places of a layer in parameters whose other axes belong to layers that are done, or to no units."""
    others = [(place, axes_of(structure, place)) for place in structure.units[index].places]
    return [place for place, axes in others if axes.count(index) == 1 and set(axes) <= done | {index}]


def _ascend(structure: Structure, points: Tensor, references: Tensor, start: Element) -> Element:
    """Improve each layer given the others until none changes; a step that is no gain is not made."""
    images, element = act(structure, points, start), _rows(start, torch.arange(len(points)))
    noise = 1e-13 * (1 + references.norm(dim=1) * points.norm(dim=1))
    score = (images * references).sum(1)
    for _ in range(SWEEPS):
        changed = False
        for index, units in enumerate(structure.units):
            permutation, signs = _assign(units, list(units.places), images, references)
            moved = images.clone()
            move(units, moved, permutation, signs)
            found = (moved * references).sum(1)
            gain = found > score + noise
            if not gain.any():
                continue
            changed = True
            images[gain], score[gain] = moved[gain], found[gain]
            before, flips = element.permutations[index][gain], element.signs[index][gain]
            element.permutations[index][gain] = before.gather(1, permutation[gain])
            element.signs[index][gain] = signs[gain] * torch.take_along_dim(flips, permutation[gain][:, None], 2)
        if not changed:
            break
    return element


def _assign(units: Units, places: list[Place], images: Tensor, references: Tensor) -> tuple[Tensor, Tensor]:
    """Best permutation (k, n) and signs (k, gauges, n) of one layer, judged by these places."""
    k, n = len(images), units.size
    products: dict[tuple[int, ...], Tensor] = {}
    for place in places:
        pattern = tuple(sum(place == other for other in gauge.places) % 2 for gauge in units.signs)
        table = torch.bmm(place.rows(references), place.rows(images).mT)
        products[pattern] = products[pattern] + table if pattern in products else table
    best = images.new_full((k, n, n), -torch.inf)
    choice = torch.zeros(k, n, n, dtype=torch.int64)
    combinations = list(product((1, -1), repeat=len(units.signs)))
    for c, flips in enumerate(combinations):
        total = sum(_parity(pattern, flips) * table for pattern, table in products.items())
        assert isinstance(total, Tensor)
        better = total > best
        best, choice = torch.where(better, total, best), torch.where(better, c, choice)
    permutation = torch.arange(n).repeat(k, 1)
    if units.permuted:
        for row, table in enumerate(best.numpy()):
            permutation[row] = torch.from_numpy(linear_sum_assignment(table, maximize=True)[1])
    chosen = choice.gather(2, permutation[..., None])[..., 0]
    signs = images.new_tensor(combinations).reshape(len(combinations), len(units.signs))[chosen]
    return permutation, signs.transpose(1, 2)


def _parity(pattern: tuple[int, ...], flips: tuple[int, ...]) -> int:
    """The sign with which a table of products enters under these flips."""
    sign = 1
    for touched, flip in zip(pattern, flips, strict=True):
        sign *= flip if touched else 1
    return sign


def _rows(element: Element, rows: Tensor) -> Element:
    """The elements of some points, as new tensors."""
    return Element(tuple(p[rows] for p in element.permutations), tuple(s[rows] for s in element.signs))
