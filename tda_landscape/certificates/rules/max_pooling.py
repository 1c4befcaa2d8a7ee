"""Maximum pooling: a tournament of maxima of two."""

from __future__ import annotations

from dataclasses import dataclass, replace

import torch
from torch import Tensor
from torch.nn import functional

from tda_landscape.certificates._enclosure import Enclosure
from tda_landscape.certificates._rounding import TINY, U
from tda_landscape.certificates._segments import Segments
from tda_landscape.certificates.rules._kink import tent
from tda_landscape.certificates.rules._rule import Known, enclosed


@dataclass(frozen=True, slots=True)
class MaxPool:
    """The maximum over windows of one or two spatial axes, without padding."""

    kernel: tuple[int, ...]
    stride: tuple[int, ...]

    def value(self, inputs: tuple[Tensor, ...], theta: Tensor) -> Tensor:
        """The maximum, exact in floats."""
        (x,) = inputs
        flat = x.flatten(0, 1)
        one_axis = len(self.kernel) == 1
        pool = functional.max_pool1d if one_axis else functional.max_pool2d
        largest: Tensor = pool(flat, self.kernel, self.stride).unflatten(0, x.shape[:2])
        return largest

    def enclose(self, inputs: tuple[Known, ...], segments: Segments, ends: tuple[Tensor, Tensor]) -> Enclosure:
        """Play the windows out in pairs."""
        v = enclosed(inputs[0])
        players = [v]
        for axis, (size, step) in enumerate(zip(self.kernel, self.stride, strict=True), start=3):
            players = [_slice(p, axis, i, size, step) for p in players for i in range(size)]
        while len(players) > 1:
            pairs = zip(players[::2], players[1::2], strict=False)
            winners = [maximum(a, b) for a, b in pairs]
            players = winners + players[len(winners) * 2 :]
        return players[0].at(ends)


def maximum(v: Enclosure, w: Enclosure) -> Enclosure:
    """max(v, w): the one that is surely larger; else one plus what the other rises above it, or a tent.

    max of the two chords is its own chord minus a tent; max(v, w) minus that lies between the two errors, since
    the maximum changes by a mean of what its arguments change by.
    """
    d_start, d_end = v.start - w.start, v.end - w.end
    reach = (v.reach + w.reach) * (1 + 4 * U)
    slack = 8 * U * (v.start.abs() + w.start.abs() + v.end.abs() + w.end.abs()) + TINY
    difference = Enclosure(d_start, d_end, v.bend - w.bend, reach + slack + 4 * U * (v.bend.abs() + w.bend.abs()))
    low, high = difference.hull()
    v_wins, w_wins = low >= 0, high <= 0
    cut, kink = tent(d_start, d_end)
    mixed = (v.bend + w.bend) * 0.5
    apart = 0.5 * (v.bend - w.bend).abs()
    spread = torch.maximum(v.reach, w.reach)
    # Three enclosures that hold where neither surely wins, the narrowest is taken.
    v_rest, w_rest = v.reach + (-low).clamp(min=0), w.reach + high.clamp(min=0)
    both = spread + apart + kink
    v_best = (v_rest <= both) & (v_rest <= w_rest) & (d_start >= 0) & (d_end >= 0)
    w_best = (w_rest <= both) & ~v_best & (d_start <= 0) & (d_end <= 0)
    take_v, take_w = v_wins | v_best, w_wins | w_best
    bend = torch.where(take_v, v.bend, torch.where(take_w, w.bend, mixed + cut))
    error = torch.where(v_best, v_rest, torch.where(w_best, w_rest, both))
    error = torch.where(v_wins, v.reach, torch.where(w_wins, w.reach, error))
    radius = error * (1 + 16 * U) + 16 * U * (v.bend.abs() + w.bend.abs() + cut.abs()) + slack
    start, end = torch.maximum(v.start, w.start), torch.maximum(v.end, w.end)
    return Enclosure(start, end, bend, radius)


def _slice(v: Enclosure, axis: int, first: int, size: int, step: int) -> Enclosure:
    """Every `step`-th entry along an axis, one player of each window."""
    stop = v.start.shape[axis] - size + first + 1
    index = (slice(None),) * axis + (slice(first, stop, step),)
    folded = v.folded()
    parts = {name: getattr(folded, name)[index] for name in ("start", "end", "bend", "radius")}
    return replace(folded, **parts)
