"""Descents that stop as soon as a known minimum explains where they are."""

from __future__ import annotations

from dataclasses import dataclass, field

import torch
from torch import Tensor

from tda_landscape.energy import Energy
from tda_landscape.energy._batching import Meter, Task
from tda_landscape.energy._downhill import Walkers, step_down
from tda_landscape.minima._atlas import Atlas

STEPS = 400
SHORTER = 8


@dataclass(slots=True)
class Trail:
    """Where one descent went: points, with energies and gradients."""

    points: list[Tensor] = field(default_factory=list)
    energies: list[Tensor] = field(default_factory=list)
    gradients: list[Tensor] = field(default_factory=list)

    def append(self, point: Tensor, energy: Tensor, gradient: Tensor) -> None:
        """Add one point (d,)."""
        self.points.append(point.clone())
        self.energies.append(energy.clone())
        self.gradients.append(gradient.clone())


@dataclass(slots=True)
class Descents:
    """Where descents ended, one a row: `known`, `saddle` the minimum or saddle recognized as the end of each, or -1."""

    walkers: Walkers
    known: Tensor  # (k,)
    saddle: Tensor  # (k,)
    arrived: Tensor  # (k,) bool: the gradient is small at a point that is not known
    trails: list[Trail]


def descend(
    points: Tensor,
    radius: float,
    tolerance: float,
    minima: Atlas | None,
    steps: int = STEPS,
    saddles: Atlas | None = None,
) -> Task[Descents]:
    """Descend from points (k, d) until |g| <= tolerance, a known minimum explains the way, or the steps are used up.

    Where the descents may stay in a symmetric subspace, known `saddles` are looked for as well.
    """
    meter = Meter()
    walkers = Walkers.at(points, radius)
    yield from walkers.evaluate_new(meter)
    k = len(points)
    unknown, no = torch.full((k,), -1), torch.zeros(k, dtype=torch.bool)
    found = Descents(walkers, unknown.clone(), unknown.clone(), no, [Trail() for _ in range(k)])
    open_ = torch.isfinite(walkers.energies)
    looks = [
        (a, unknown.clone(), into) for a, into in ((minima, found.known), (saddles, found.saddle)) if a is not None
    ]
    moved = torch.arange(k)
    for _ in range(steps):
        for row in moved.tolist():
            found.trails[row].append(walkers.points[row], walkers.energies[row], walkers.gradients[row])
        for atlas, seen, into in looks:
            here = atlas.recognize(walkers.points[moved], walkers.energies[moved], walkers.gradients[moved], down=True)
            twice = (here >= 0) & (here == seen[moved])
            seen[moved] = here
            into[moved[twice]] = here[twice]
            open_[moved[twice]] = False
        found.arrived |= open_ & (walkers.gradients.norm(dim=1) <= tolerance)
        # A radius at rounding level means that no step can be told from standing still.
        open_ &= ~found.arrived & (walkers.radius > 1e-15 * (1 + walkers.points.norm(dim=1)))
        rows = torch.nonzero(open_).flatten()
        if not len(rows):
            break
        went, _ = yield from step_down(walkers, rows, None, meter)
        moved = rows[went]
    return found


def push_off(energy: Energy, saddles: Tensor, energies: Tensor, modes: Tensor, step: float) -> Tensor:
    """Points (2 k, d) below saddles, first on the side of the modes (k, d), then on the other.

    A step that ends above its saddle has jumped over a near minimum: it is shortened until it does not.
    """
    tops, floor = torch.cat([saddles, saddles]), torch.cat([energies, energies])
    off = step * torch.cat([modes, -modes])
    for _ in range(SHORTER):
        high = ~(energy(tops + off) < floor)
        if not high.any():
            break
        off[high] /= 4
    return tops + off
