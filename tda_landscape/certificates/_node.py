"""Points of a polyline by piece and share, and what a bounder does with them."""

from __future__ import annotations

from typing import NamedTuple, Protocol


class Node(NamedTuple):
    """The point at share `t` of piece `piece` of a polyline; t is a dyadic fraction, so it is exact."""

    piece: int
    t: float


class Stretch(NamedTuple):
    """A part of one piece of a polyline."""

    piece: int
    begin: float
    end: float

    @property
    def middle(self) -> float:
        """Where it is cut."""
        return (self.begin + self.end) / 2

    def halves(self) -> tuple[Stretch, Stretch]:
        """Both halves."""
        return Stretch(self.piece, self.begin, self.middle), Stretch(self.piece, self.middle, self.end)


class Bounder(Protocol):
    """Knows an energy on a polyline: values at nodes, proved bounds on stretches.

    `evaluations` counts full-data evaluations of the energy, or what costs as much.
    """

    evaluations: int

    def values(self, nodes: list[Node]) -> list[float]:
        """The energy at nodes, in floats."""

    def above(self, stretches: list[Stretch]) -> list[float]:
        """Proved upper bounds of the energy on stretches; inf where there is none."""

    def below(self, node: Node) -> float:
        """A proved lower bound of the energy at a node."""
