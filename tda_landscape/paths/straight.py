"""The straight line between two points: no search, the baseline of all searches."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from tda_landscape.energy import Energy
from tda_landscape.energy._batching import Watch
from tda_landscape.paths._path import Path, Stop
from tda_landscape.paths._verify import verify


@dataclass(frozen=True, slots=True)
class Straight:
    """Measure the straight line.

    Examples
    --------
    >>> import torch, tda_landscape as tl
    >>> a, b = torch.tensor([-1.0, -1.0]), torch.tensor([1.0, 1.0])
    >>> round(tl.find_path(tl.zoo.double_well(2), a, b, search=Straight()).height, 3)
    2.0
    """

    def find(
        self,
        energy: Energy,
        starts: Tensor,
        ends: Tensor,
        generators: Sequence[torch.Generator],
        *,
        level: float | None = None,
        watch: Watch | None = None,
    ) -> list[Path]:
        """Return the verified straight line for each pair of rows (p, d)."""
        lines = torch.stack([starts, ends], dim=1)
        return verify(energy, list(lines), [Stop.STRAIGHT] * len(lines))
