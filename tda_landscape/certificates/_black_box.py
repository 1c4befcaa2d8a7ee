"""Energies of which only values are known, with a bound of their slope or curvature from the user."""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch
from torch import Tensor

from tda_landscape.certificates._node import Node, Stretch
from tda_landscape.energy import Energy

VALUE_ERROR = 2.0**-40
"""Assumed relative error of an energy that is not read but called, against the larger value at hand."""


@dataclass
class BlackBoxBounder:
    """E <= mean of the ends + L h / 2 for slopes up to L; E'' >= -K gives chord + K h^2 s (1 - s) / 2."""

    energy: Energy
    points: Tensor
    lipschitz: float
    curvature: float
    evaluations: int = 0

    def __post_init__(self) -> None:
        self._known: dict[Node, float] = {}
        self._lengths = self.points.to(torch.float64).diff(dim=0).norm(dim=1).tolist()

    def values(self, nodes: list[Node]) -> list[float]:
        """Values in one batch."""
        new = [node for node in map(self._canonical, nodes) if node not in self._known]
        if new:
            pieces = torch.tensor([node.piece for node in new])
            a, b = self.points[pieces], self.points[pieces + 1]
            shares = torch.tensor([node.t for node in new], dtype=self.points.dtype)[:, None]
            found = self.energy(torch.where(shares == 1, b, a + shares * (b - a))).to(torch.float64)
            self._known.update(zip(new, found.tolist(), strict=True))
            self.evaluations += len(new)
        return [self._known[self._canonical(node)] for node in nodes]

    def above(self, stretches: list[Stretch]) -> list[float]:
        """The smaller of both bounds."""
        return [self._above(stretch) for stretch in stretches]

    def below(self, node: Node) -> float:
        """The value, less what it may be wrong by."""
        value = self.values([node])[0]
        return value - VALUE_ERROR * abs(value)

    def _above(self, stretch: Stretch) -> float:
        low, high = sorted(self.values([Node(stretch.piece, t) for t in (stretch.begin, stretch.end)]))
        length = self._lengths[stretch.piece] * (stretch.end - stretch.begin) * (1 + VALUE_ERROR)
        sloped = (low + high) / 2 + self.lipschitz * length / 2
        sag = self.curvature * length**2
        steep = high - low >= sag / 2  # then the parabola is highest at an end
        bent = high if steep else (low + high) / 2 + sag / 8 + (high - low) ** 2 / (2 * sag)
        bound = max(min(sloped, bent) if math.isfinite(sag) else sloped, high)
        return float(bound + VALUE_ERROR * max(abs(low), abs(high), abs(bound)))

    def _canonical(self, node: Node) -> Node:
        last = node.piece == len(self.points) - 2
        return Node(node.piece + 1, 0.0) if node.t == 1 and not last else node
