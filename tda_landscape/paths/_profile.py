"""How high a polyline is: enough values to steer a search by; what is reported is verified apart."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from tda_landscape.energy._batching import Meter, Task, finite_or_inf
from tda_landscape.energy._tally import VALUE
from tda_landscape.paths._path import Stop

PIECES = 32  # that a polyline is cut into at least
NEAR = (-0.5, -0.25, 0.25, 0.5)  # where the values around the highest one are drawn, in pieces


@dataclass(frozen=True, slots=True)
class Outset:
    """What is known before a search: the energies of the two ends and the height of the line between them."""

    ends: Tensor
    top: float
    chord: float

    @property
    def floor(self) -> float:
        """No path is lower than its higher end."""
        return float(self.ends.max())

    @property
    def excess(self) -> float:
        """Height of the straight line over its higher end."""
        return self.top - self.floor

    def reason(self, level: float | None) -> Stop | None:
        """Why no search is to be made, if so."""
        if not self.top < torch.inf:
            return Stop.NONFINITE
        if self.excess <= 1e-12 * (1 + abs(self.top)):
            return Stop.FLAT
        return Stop.LEVEL if level is not None and self.top <= level else None


def look(a: Tensor, b: Tensor, meter: Meter) -> Task[Outset]:
    """Measure the straight line."""
    ends = yield from meter.values(torch.stack([a, b]))
    top = yield from highest(torch.stack([a, b]), meter)
    return Outset(finite_or_inf(ends), top, float((b - a).norm()))


def pieces_of(segments: int) -> int:
    """How many pieces each segment is cut into."""
    return -(-PIECES // segments)


def highest_cost(vertices: int) -> float:
    """Gradient equivalents of one call of `highest`."""
    return VALUE * ((vertices - 1) * pieces_of(vertices - 1) + 1 + len(NEAR) + 1)


def highest(line: Tensor, meter: Meter) -> Task[float]:
    """Maximum along a polyline (m, d): even values, then closer ones around the highest."""
    pieces = pieces_of(len(line) - 1)
    at = torch.arange((len(line) - 1) * pieces + 1, dtype=line.dtype) / pieces
    values = finite_or_inf((yield from meter.values(on(line, at))))
    top = int(values.argmax())
    close = (at[top] + torch.tensor(NEAR, dtype=line.dtype) / pieces).clamp(0, len(line) - 1)
    around = finite_or_inf((yield from meter.values(on(line, close))))
    five = torch.stack([around[0], around[1], values[top], around[2], around[3]])
    peak = int(five[1:4].argmax()) + 1
    vertex = at[top] + (peak - 2 + parabola_top(five[peak - 1 : peak + 2])) / (4 * pieces)
    last = finite_or_inf((yield from meter.values(on(line, vertex.clamp(0, len(line) - 1)[None]))))
    return float(torch.cat([values, around, last]).max())


def on(line: Tensor, at: Tensor) -> Tensor:
    """Points (p, d) at positions (p,): 1.25 is a quarter of the way along the second segment."""
    segment = at.floor().to(torch.int64).clamp(0, len(line) - 2)
    t = (at - segment)[:, None]
    return torch.where(t < 1, line[segment] + t * (line[segment + 1] - line[segment]), line[segment + 1])


def parabola_top(three: Tensor) -> Tensor:
    """Where the parabola through values at -1, 0, 1 is highest, within [-1, 1]; 0 where it opens upwards."""
    bend = three[0] - 2 * three[1] + three[2]
    at = torch.where(bend < 0, (three[0] - three[2]) / (2 * bend), torch.zeros_like(bend))
    return at.nan_to_num(nan=0.0).clamp(-1, 1)


def segments_above(first: Tensor, last: Tensor, level: float, count: int, meter: Meter) -> Task[Tensor]:
    """Which segments, from (s, d) to (s, d), have one of `count` even values inside above a level."""
    values = yield from segment_values(first, last, count, meter)
    return ~(values.amax(1) <= level)


def segment_values(first: Tensor, last: Tensor, count: int, meter: Meter) -> Task[Tensor]:
    """Values (s, count) inside segments, evenly spaced."""
    t = (torch.arange(count, dtype=first.dtype)[:, None] + 1) / (count + 1)
    values = yield from meter.values((first[:, None] + t * (last - first)[:, None]).flatten(0, 1))
    return finite_or_inf(values).view(len(first), count)
