"""How many points to evaluate at once: one after another, all together, or in chunks; measured, not guessed."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch

from samplers._arrays import Array
from samplers._kernel import Potential

SIZES = (1, 4, 16, 64, 256, 1024, 4096)
REPEATS, PATIENCE = 5, 0.3
"""The probe times a size at most so often, and stops repeating after so many seconds."""


@dataclass(frozen=True, slots=True)
class Chunked:
    """A potential that is given so many points at a time; for those that cannot do it themselves (`in_chunks`)."""

    potential: Potential
    rows: int

    @property
    def dim(self) -> int:
        """Number of coordinates."""
        return self.potential.dim

    def __call__(self, points: Array) -> Array:
        """Return the energies (k,)."""
        return torch.cat([self.potential(part) for part in points.split(self.rows)])

    def value_and_grad(self, points: Array) -> tuple[Array, Array]:
        """Return energies (k,) and gradients (k, d)."""
        parts = [self.potential.value_and_grad(part) for part in points.split(self.rows)]
        return torch.cat([energies for energies, _ in parts]), torch.cat([gradients for _, gradients in parts])

    def draw_batch(self, rng: torch.Generator, chains: int) -> Potential:
        """Return itself where there are no minibatches, else theirs, for all chains at once."""
        batch = self.potential.draw_batch(rng, chains)
        return self if batch is self.potential else batch


def planned(potential: Potential, rows: int, chains: int) -> Any:
    """The potential, evaluating `rows` points at once."""
    if hasattr(potential, "in_chunks"):
        return potential.in_chunks(rows)
    return potential if rows >= chains else Chunked(potential, rows)


def probe(potential: Potential, points: Array) -> int:
    """Time a gradient at 1, 4, 16, ... points at once and return the size that is cheapest for each point.

    Sizes grow until a point becomes clearly dearer. Nothing is drawn from the generator of the run.
    """
    chains = len(points)
    if chains == 1 or isinstance(points, np.ndarray):
        return chains
    best, cheapest = chains, float("inf")
    for rows in sorted({*(size for size in SIZES if size < chains), chains}):
        cost = _seconds(planned(potential, rows, rows), points[:rows]) / rows
        if cost < 0.97 * cheapest:
            best, cheapest = rows, cost
        elif cost > 1.15 * cheapest:
            break
    return best


def _seconds(potential: Potential, points: Array) -> float:
    """Shortest time of a gradient, after one that may have to prepare something."""
    generator = torch.Generator().manual_seed(0)
    potential.draw_batch(generator, len(points)).value_and_grad(points)
    shortest, begun = float("inf"), time.perf_counter()
    for _ in range(REPEATS):
        start = time.perf_counter()
        potential.draw_batch(generator, len(points)).value_and_grad(points)
        now = time.perf_counter()
        shortest = min(shortest, now - start)
        if now - begun > PATIENCE:
            break
    return shortest
