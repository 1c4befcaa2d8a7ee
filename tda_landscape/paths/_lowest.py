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

    def offer(self, string: String) -> Task[None]:
        """Keep and report a copy of a string if it is lower, also where half the doubts about it come true.

        Once heights are settled, a difference that measuring cannot tell does not make a string lower.
        """
        if self.settled:
            lower = yield from string.sharpen(0, string.size - 1, self.height - self.margin)
        else:
            lower = string.bound < self.height
        if lower:
            self.string, self.height = string.copy(), string.height
            yield from string.meter.report(self.string.beads.points)

    def settle(self) -> Task[None]:
        """Measure the height closely, from now on."""
        self.settled = True
        yield from self.string.sharpen(0, self.string.size - 1, torch.inf)
        self.height = self.string.height
