"""Best-first bisection of a polyline: always the stretch with the highest bound is cut."""

from __future__ import annotations

import heapq
import math
from collections.abc import Callable
from dataclasses import dataclass, field

from tda_landscape.certificates._certificate import Outcome
from tda_landscape.certificates._node import Bounder, Node, Stretch

NOISE = 1e-6
"""Share of the energy to which heights are measured anyway: bounds of a flat path need not be closer."""

NARROWEST = 2.0**-30
"""Share of a piece below which nothing is cut: its bound is all rounding by then."""


@dataclass
class Bisection:
    """Bounds of one polyline that get better with every cut."""

    bounder: Bounder
    pieces: int
    lower: float = -math.inf
    finite: bool = True
    _heap: list[tuple[float, Stretch]] = field(default_factory=list)
    _best: Node = field(default_factory=lambda: Node(0, 0.0))
    _proved: dict[Node, float] = field(default_factory=dict)

    def begin(self) -> None:
        """Evaluate all vertices, bound all pieces; few pieces are cut first, since one bound of all says little."""
        parts = {1: 4, 2: 2, 3: 2}.get(self.pieces, 1)
        shares = [k / parts for k in range(parts)]
        self._visit([Node(i, t) for i in range(self.pieces) for t in shares] + [Node(self.pieces - 1, 1.0)])
        if self.finite:
            self._push([Stretch(i, t, t + 1 / parts) for i in range(self.pieces) for t in shares])

    def cut(self) -> None:
        """Halve the stretch with the highest bound: one evaluation, two bounds."""
        _, stretch = heapq.heappop(self._heap)
        self._visit([Node(stretch.piece, stretch.middle)])
        self._push(list(stretch.halves()))

    @property
    def upper(self) -> float:
        """A bound of the energy on the whole polyline."""
        return -self._heap[0][0] if self._heap and self.finite else math.inf

    @property
    def exhausted(self) -> bool:
        """Whether the stretch with the highest bound is too short to be cut."""
        _, stretch = self._heap[0]
        return stretch.end - stretch.begin <= NARROWEST

    def proved_lower(self) -> float:
        """The best value with its rounding taken off."""
        if self._best not in self._proved:
            self._proved[self._best] = self.bounder.below(self._best)
        return self._proved[self._best]

    def _visit(self, nodes: list[Node]) -> None:
        """Evaluate nodes; one that is not finite ends the search for a bound."""
        for node, value in zip(nodes, self.bounder.values(nodes), strict=True):
            self.finite = self.finite and math.isfinite(value)
            if value > self.lower and math.isfinite(value):
                self.lower, self._best = value, node

    def _push(self, stretches: list[Stretch]) -> None:
        """Bound stretches; NaN is no bound."""
        for stretch, bound in zip(stretches, self.bounder.above(stretches), strict=True):
            heapq.heappush(self._heap, (-math.inf if math.isnan(bound) else -bound, stretch))


def decide(bisection: Bisection, question: Question, evaluations: float) -> Outcome:
    """Cut until the question is decided, or as far as rounding or the budget let it."""
    bisection.begin()
    while True:
        if not bisection.finite:
            return Outcome.NONFINITE
        outcome = question(bisection)
        if outcome is not None:
            return outcome
        if bisection.exhausted:
            return Outcome.FLOOR
        if bisection.bounder.evaluations >= evaluations:
            return Outcome.BUDGET
        bisection.cut()


Question = Callable[[Bisection], Outcome | None]


def within(tolerance: Callable[[float, float], float]) -> Question:
    """Ask for bounds no further apart than a tolerance, a function of lower and upper bound."""

    def ask(found: Bisection) -> Outcome | None:
        upper = found.upper
        if not upper - found.lower <= tolerance(found.lower, upper):
            return None
        lower = found.proved_lower()
        return Outcome.TOLERANCE if upper - lower <= tolerance(lower, upper) else None

    return ask


def level(u: float) -> Question:
    """Ask whether the path stays at or below u."""

    def ask(found: Bisection) -> Outcome | None:
        if found.upper <= u:
            return Outcome.BELOW
        return Outcome.ABOVE if found.lower > u and found.proved_lower() > u else None

    return ask


def excess(share: float, higher_end: float) -> Question:
    """Ask for bounds within a share of what the path rises above its higher end, or within the noise floor."""
    return within(lambda lower, upper: max(share * (lower - higher_end), NOISE * abs(upper)))
