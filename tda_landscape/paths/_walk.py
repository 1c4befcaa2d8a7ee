"""Walking along a level: pulled towards a lower point, never above where the walk began."""

from __future__ import annotations

import torch
from torch import Tensor

from tda_landscape.energy import Energy
from tda_landscape.paths._path import Stop
from tda_landscape.paths._slide import slide
from tda_landscape.paths._verify import verify

STRIDES, SHORTEST = 120, 1e-3
"""Strides of a walk, and the shortest one relative to 1 + |theta| that is worth taking."""

CORRECTION, CORRECTIONS = 1e-10, 12


def walk(energy: Energy, point: Tensor, level: float, goal: Tensor, slack: float) -> Tensor | None:
    """A polyline from a point (d,) at a level that stays below level + slack / 2 and ends below level - slack.

    Each stride goes straight for the goal; a descent brings its end back to the level, and the stride becomes the chord
    between the two ends. Chords that rise too high are shortened; a walk that comes no nearer to the goal has failed.
    """
    line, stride = [point], 0.05 * (1 + float(point.norm()))
    distance = float((goal - point).norm())
    for _ in range(STRIDES):
        here = line[-1]
        way = goal - here
        trial = here + way * min(1.0, stride / float(way.norm()))
        back, reached = slide(energy, trial, level + slack / 4, CORRECTION, stride, CORRECTIONS)
        left = float((goal - back[-1]).norm())
        if reached > level + slack / 4 or left >= distance or not _below(energy, here, back[-1], level + slack / 2):
            stride /= 3
            if stride < SHORTEST * (1 + float(here.norm())):
                return None
            continue
        line.append(back[-1])
        distance, stride = left, 1.5 * stride
        if reached < level - slack:
            return torch.stack(line)
        if distance < 1e-6:
            return None
    return None


def _below(energy: Energy, a: Tensor, b: Tensor, level: float) -> bool:
    """Whether the straight line between two points stays at or below a level, as far as slopes tell."""
    return verify(energy, [torch.stack([a, b])], [Stop.LEVEL])[0].below(level)
