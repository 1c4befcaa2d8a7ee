"""Lower and lower levels, for searches that connect two points below a given level or fail."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor

from tda_landscape.energy._batching import Meter, Task
from tda_landscape.paths._path import Stop
from tda_landscape.paths._profile import Outset, highest, look

Attempt = Callable[[float, Tensor, float, Outset], Task[Tensor | None]]
"""Given a level, the best polyline so far, its height and the outset: a polyline below the level, or None."""


@dataclass(frozen=True, slots=True)
class Levels:
    """Levels between the height reached (share 1) and the highest level that failed (share 0).

    A level that is asked for is tried first; where it fails, levels above it are.
    """

    budget: float
    tolerance: float
    ratio: float
    level: float | None

    def descend(self, a: Tensor, b: Tensor, attempt: Attempt, meter: Meter) -> Task[tuple[Tensor, Stop]]:
        """Search one pair; return the lowest polyline and why the search stopped."""
        outset = yield from look(a, b, meter)
        best, top = torch.stack([a, b]), outset.top
        reason = outset.reason(self.level)
        if reason is not None:
            return best, reason
        yield from meter.report(best)
        failed, failures, close = outset.floor, 0, self.tolerance * outset.excess
        wanted = self.level
        while top - failed > close:
            if meter.spent >= self.budget:
                return best, Stop.BUDGET
            # The more levels in a row have failed, the nearer to the height the next one is put.
            level = top - (top - failed) * (1 - self.ratio) ** (failures + 1) if wanted is None else wanted
            wanted = None
            line = yield from attempt(level, best, top, outset)
            height = torch.inf if line is None else (yield from highest(line, meter))
            # Few values can miss that a line is no lower; taken for a success, it would be found for ever.
            lower = height < top - 0.1 * close
            if line is not None and lower:
                best, top = line, height
                yield from meter.report(best)
            if self.level is not None and top <= self.level:
                return best, Stop.LEVEL
            failed, failures = (failed, 0) if lower else (level, failures + 1)
        return best, Stop.CONVERGED
