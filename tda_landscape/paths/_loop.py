"""The loop that all iterative searches share."""

from __future__ import annotations

from collections.abc import Sequence

from torch import Tensor

from tda_landscape.energy import Energy
from tda_landscape.energy._batching import Task, Watch, drive
from tda_landscape.paths._path import Path, Stop
from tda_landscape.paths._verify import verify


def search_all(energy: Energy, tasks: Sequence[Task[tuple[Tensor, Stop]]], watch: Watch | None = None) -> list[Path]:
    """Run the tasks of many pairs side by side and verify what they find.

    Each task searches one pair and returns its best polyline (m, d) and why it stopped; on the way it says
    ``yield from meter.report(polyline)`` whenever it knows a lower one than before.
    """
    found = drive(energy, tasks, watch)
    return verify(energy, [line for line, _ in found], [reason for _, reason in found])
