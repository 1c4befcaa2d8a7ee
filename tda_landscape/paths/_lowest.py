"""The lowest string that a search has had so far."""

from __future__ import annotations

from dataclasses import dataclass

import torch

from tda_landscape.energy._batching import Task
from tda_landscape.paths._string import String


@dataclass(slots=True)
class Lowest:
    """The lowest string and its height; from `settle` on heights are measured closely before they are compared."""

    string: String
    height: float
    margin: float
    settled: bool = False

    def offer(self, string: String) -> Task[bool]:
        """Keep and report a copy of a string if it is lower; once settled, by more than measuring can tell."""
        last = string.size - 1
        if self.settled:
            lower = yield from string.sharpen(0, last, self.height - self.margin)
        else:
            lower = string.height < self.height
        if lower:
            self.string, self.height = string.part(0, last), string.height
            yield from string.meter.report(self.string.beads.points)
        return lower

    def settle(self) -> Task[None]:
        """Measure the height closely."""
        self.settled = True
        yield from self.string.sharpen(0, self.string.size - 1, torch.inf)
        self.height = self.string.height
