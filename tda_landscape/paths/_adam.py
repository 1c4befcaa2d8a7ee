"""Adam, for points that have no energy of their own to search along a line."""

from __future__ import annotations

from dataclasses import dataclass

from torch import Tensor

DECAY, SQUARE_DECAY, TINY = 0.9, 0.99, 1e-8


@dataclass(frozen=True, slots=True)
class Adam:
    """Moments of the forces on points (k, d): Kingma and Ba, ICLR 2015."""

    mean: Tensor
    square: Tensor
    steps: int

    @classmethod
    def of(cls, rows: int, like: Tensor) -> Adam:
        """Nothing is known yet of so many points."""
        return cls(like.new_zeros(rows, len(like)), like.new_zeros(rows, len(like)), 0)

    def take(self, rows: Tensor) -> Adam:
        """Keep some of the points."""
        return Adam(self.mean[rows], self.square[rows], self.steps)

    def note(self, force: Tensor) -> Adam:
        """Take in forces (k, d)."""
        mean = DECAY * self.mean + (1 - DECAY) * force
        square = SQUARE_DECAY * self.square + (1 - SQUARE_DECAY) * force.square()
        return Adam(mean, square, self.steps + 1)

    @property
    def step(self) -> Tensor:
        """Where to go (k, d), of a size near 1 a coordinate."""
        size = (self.square / (1 - SQUARE_DECAY**self.steps)).sqrt()
        return self.mean / (1 - DECAY**self.steps) / (size + TINY)
