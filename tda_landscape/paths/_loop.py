"""The loop that all iterative searches share."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from torch import Tensor

from tda_landscape.energy import Energy
from tda_landscape.energy._batching import Task, Watch, drive
from tda_landscape.paths._path import Path, Stop
from tda_landscape.paths._verify import verify


def search_all(
    energy: Energy,
    tasks: Sequence[Task[tuple[Tensor, Stop]]],
    watch: Watch | None = None,
    level: float | None = None,
) -> list[Path]:
    """Run the tasks of many pairs side by side and verify what they find.

    Each task searches one pair and returns its best polyline (m, d) and why it stopped; on the way it says
    ``yield from meter.report(polyline)`` whenever it knows a lower one than before. A path that a search believed
    to be below the level asked for, and that is not, says so.
    """
    found = drive(energy, tasks, watch)
    paths = verify(energy, [line for line, _ in found], [reason for _, reason in found])
    if level is None:
        return paths
    missed = [path.reason is Stop.LEVEL and not path.below(level) for path in paths]
    return [replace(path, reason=Stop.MISSED) if m else path for path, m in zip(paths, missed, strict=True)]
