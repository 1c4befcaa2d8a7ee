"""One representative a class of equivalent points."""

from __future__ import annotations

import torch
from torch import Tensor

from tda_landscape.energy.symmetry._balance import balance
from tda_landscape.energy.symmetry._match import settled_places
from tda_landscape.energy.symmetry._units import Place, Structure, Units, move

DEAD = 1e-6
"""Length of a unit's weights, relative to |theta|, below which it counts as dead."""


def canonical(structure: Structure, points: Tensor) -> Tensor:
    """Balance, flip and sort the units of points (k, d), from input to output, dead units last.

    Units are flipped and sorted by a fixed generic linear function of their weights.
    """
    folded, _ = balance(structure, structure.fold(points))
    for index, units in enumerate(structure.units):
        settled = settled_places(structure, index, set(range(index))) or list(units.places)
        k = len(folded)
        still = torch.arange(units.size).repeat(k, 1)
        for g, gauge in enumerate(units.signs):
            undecided = {place for later in units.signs[g + 1 :] for place in later.places}
            own = [place for place in gauge.places if place in settled and place not in undecided]
            negative = _generic(own or list(gauge.places), folded) < 0
            signs = folded.new_ones(k, len(units.signs), units.size)
            signs[:, g] = torch.where(negative, -1.0, 1.0)
            move(units, folded, still, signs)
        if units.permuted:
            order = _generic(settled, folded).argsort(dim=1, descending=True, stable=True)
            order = order.gather(1, _dead(units, folded).gather(1, order).to(torch.int8).argsort(dim=1, stable=True))
            move(units, folded, order, folded.new_ones(k, len(units.signs), units.size))
    return structure.unfold(folded)


def _generic(places: list[Place], points: Tensor) -> Tensor:
    """A fixed generic linear function of each unit's weights, (k, size)."""
    total = points.new_zeros(len(points), places[0].size)
    for place in places:
        rows = place.rows(points)
        total += rows @ torch.randn(
            rows.shape[2], generator=torch.Generator().manual_seed(place.start), dtype=points.dtype
        )
    return total


def _dead(units: Units, points: Tensor) -> Tensor:
    """Units whose incoming or outgoing weights vanish, (k, size)."""
    scale = DEAD * points.norm(dim=1, keepdim=True)
    dead = torch.zeros(len(points), units.size, dtype=torch.bool)
    for incoming in (True, False):
        lengths = [p.of(points).square().sum((1, 3)) for p in units.places if p.incoming == incoming]
        if lengths:
            dead |= torch.stack(lengths).sum(0).sqrt() <= scale
    return dead
