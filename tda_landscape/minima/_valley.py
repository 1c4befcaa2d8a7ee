"""A path along a flat valley: beads are put between the ends and brought down onto its floor."""

from __future__ import annotations

import torch
from torch import Tensor

from tda_landscape.energy import Energy
from tda_landscape.energy._batching import Meter, drive
from tda_landscape.energy._downhill import minimize
from tda_landscape.paths import Path
from tda_landscape.paths._path import Stop
from tda_landscape.paths._verify import verify

BEADS, STEPS = 400, 200
"""Most beads of a path, and steps of a bead on its way down."""


def valley_path(energy: Energy, a: Tensor, b: Tensor, level: float, floor: float) -> Path | None:
    """Walk from a to b (d,) at or below `level`; None where a bead stays above it or beads do not help.

    Every segment whose midpoint is too high gets that midpoint, brought down to the floor of the valley, as a bead;
    on a curved valley the rise of a segment falls with the fourth power of its length.
    """
    line, tolerance = torch.stack([a, b]), 1e-3 * (level - floor) ** 0.5
    while len(line) <= BEADS:
        middle = (line[1:] + line[:-1]) / 2
        high = energy(middle) > floor + (level - floor) / 2
        if not high.any():
            path = verify(energy, [line], [Stop.LEVEL])[0]
            return path if path.below(level) else None
        lengths = line.diff(dim=0).norm(dim=1)[high]
        (down,) = drive(energy, [minimize(middle[high], float(lengths.max()) / 4, tolerance, STEPS, Meter())])
        beads = down.points
        ends = line[:-1][high], line[1:][high]
        stuck = torch.minimum(*[(beads - end).norm(dim=1) for end in ends]) < lengths / 100
        if stuck.any() or (down.energies > level).any():
            return None
        where = torch.nonzero(high).flatten() + 1
        order = torch.cat([torch.arange(len(line)) * 2, where * 2 - 1]).argsort()
        line = torch.cat([line, beads])[order]
    return None
