"""The lowest strand that a search has had so far."""

from __future__ import annotations

from dataclasses import dataclass

import torch

from tda_landscape.energy._batching import Task
from tda_landscape.paths._strand import Strand


@dataclass(slots=True)
class Lowest:
    """The lowest strand and its height; from `settle` on heights are measured closely before they are compared."""

    strand: Strand
    height: float
    margin: float
    settled: bool = False

    def offer(self, strand: Strand) -> Task[None]:
        """Keep and report a copy of a strand if it is lower, also where half the doubts about it come true.

        Once heights are settled, a difference that measuring cannot tell does not make a strand lower.
        """
        if self.settled:
            lower = yield from strand.sharpen(0, strand.size - 1, self.height - self.margin)
        else:
            lower = strand.bound < self.height
        if lower:
            self.strand, self.height = strand.copy(), strand.height
            yield from strand.meter.report(self.strand.beads.points)

    def settle(self) -> Task[None]:
        """Measure the height closely, from now on."""
        self.settled = True
        yield from self.strand.sharpen(0, self.strand.size - 1, torch.inf)
        self.height = self.strand.height
