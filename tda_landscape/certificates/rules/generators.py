"""Shared errors: the largest radii become generators, so that later layers can cancel them."""

from __future__ import annotations

import torch

from tda_landscape.certificates._enclosure import Enclosure
from tda_landscape.certificates._rounding import gamma


def regenerated(v: Enclosure, keep: int, symbols: tuple[int, ...]) -> Enclosure:
    """Keep the `keep` largest of old generators and radii, row by row, as generators; the rest goes to the radius.

    A radius r_i as a generator is r_i ε times the i-th unit vector. Nothing is lost: what stops being a
    generator is added to the radii with its absolute value.
    """
    segments, rows = v.start.shape[:2]
    shape = v.start.shape[2:]
    radius = v.radius.reshape(segments * rows, -1)
    units = radius.shape[1]
    many = 0 if v.generators is None else v.generators.shape[2]
    old = radius.new_zeros(segments * rows, many, units)
    if v.generators is not None:
        old = v.generators.reshape(segments * rows, many, units)
    sizes = torch.cat([old.abs().sum(2), radius], dim=1)
    count = min(keep, many + units)
    chosen = sizes.topk(count, dim=1).indices
    kept = torch.zeros_like(sizes, dtype=torch.bool).scatter_(1, chosen, True)
    folded = (old.abs() * (~kept[:, :many]).unsqueeze(2)).sum(1)
    new = radius.new_zeros(segments * rows, count, units)
    is_unit = chosen >= many
    if many:
        picked = chosen.clamp(max=many - 1).unsqueeze(2).expand(-1, -1, units)
        new = torch.gather(old, 1, picked) * (~is_unit).unsqueeze(2)
    unit = (chosen - many).clamp(min=0)
    new = new.scatter_add(2, unit.unsqueeze(2), (torch.gather(radius, 1, unit) * is_unit).unsqueeze(2))
    rest = (radius * (~kept[:, many:]) + folded) * (1 + gamma(many + 4))
    return Enclosure(v.start, v.end, v.bend, rest.view_as(v.start), new.view(segments, rows, count, *shape), symbols)
