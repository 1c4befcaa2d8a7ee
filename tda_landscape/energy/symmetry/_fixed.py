"""Points that an element of a network's symmetry leaves where they are: one unit is zero, or two are equal."""

from __future__ import annotations

from itertools import permutations

import torch
from torch import Tensor

from tda_landscape.energy.symmetry._units import Structure, Units


def fixed(structure: Structure, folded: Tensor) -> Tensor:
    """Make one folded point (1, d) a fixed point of one element in every way, (m, d).

    An element that flips a unit fixes what has that unit at zero; one that exchanges two units, what has the first as
    a copy of the second. A copy with the sign changed is an image of the copy.
    """
    images = [folded[:0]]
    for units in structure.units:
        if units.signs:
            images += [_cleared(units, folded, i) for i in range(units.size)]
        if units.permuted:
            images += [_copied(units, folded, i, j) for i, j in permutations(range(units.size), 2)]
    return torch.cat(images)


def _cleared(units: Units, folded: Tensor, unit: int) -> Tensor:
    """The point with all weights that a sign of the unit flips at zero."""
    image = folded.clone()
    for place in units.places:
        if any(gauge.places.count(place) % 2 for gauge in units.signs):
            place.of(image)[:, :, unit] = 0
    return image


def _copied(units: Units, folded: Tensor, unit: int, other: int) -> Tensor:
    """The point with all weights of the unit those of the other."""
    image = folded.clone()
    for place in units.places:
        view = place.of(image)
        view[:, :, unit] = view[:, :, other]
    return image
