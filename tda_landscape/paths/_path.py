"""Paths: polylines with the energies measured along them."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum

import torch
from torch import Tensor

from tda_landscape._errors import expect_number
from tda_landscape.topology._words import many


class Stop(Enum):
    """Why a search stopped; the value is the sentence that a user reads."""

    STRAIGHT = "the straight line, no search was made"
    FLAT = "the path is no higher than its higher end"
    CONVERGED = "no lower path was found within the tolerance; the height is still an upper bound of the barrier"
    LEVEL = "the path lies below the level asked for"
    MISSED = "verified anew, the path rises above the level asked for; the height is an upper bound of the barrier"
    BUDGET = "the budget was used up; the height is an upper bound of the barrier, raise `budget` to lower it"
    DOWN = "the path descends to the level asked for, or to the lowest one known"
    STUCK = "no way further down was found that never rises; this refutes nothing"
    SADDLE = "the ways down from a saddle to both sides"
    SHORTEST = "the length stopped changing; another way around an obstacle may still be shorter"
    LONG = "the budget was used up before the length stopped changing; raise `budget` for a shorter path"
    THEOREM = "constructed as a theorem promises"
    NONFINITE = "an end or the straight line between the ends has a non-finite energy; no search was made"


@dataclass(frozen=True, slots=True, eq=False)
class Path:
    """A polyline between two points, with its verified height.

    Attributes
    ----------
    points : Tensor (m, d)
        Vertices, among them the highest point that the verification met. On a torus they are not wrapped, so
        that the polyline is the one that was searched.
    energies : Tensor (m,)
        Energy at each vertex.
    status : str
        `refined`: measured anew by bisection until the maximum was stable; `sampled`: at fixed points only.
    reason : Stop
        Why the search stopped.
    profile : Tensor (p, 2)
        Arc length and energy of all points that the verification evaluated, in order along the path.
    """

    points: Tensor
    energies: Tensor
    status: str
    reason: Stop
    profile: Tensor

    @property
    def height(self) -> float:
        """The verified maximum of the energy along the path."""
        return float(self.energies.max())

    @property
    def length(self) -> float:
        """Length of the polyline."""
        return float(self.points.diff(dim=0).norm(dim=1).sum())

    @property
    def normalized_length(self) -> float:
        """Length over the distance of the ends: 1 for a straight line, also for one of no length.

        A path that leaves a point and comes back to it has infinitely many times the length of the straight line.
        """
        chord = float((self.points[-1] - self.points[0]).norm())
        if chord == 0:
            return 1.0 if self.length == 0 else float("inf")
        return self.length / chord

    def below(self, level: float) -> bool:
        """Whether this path stays at or below `level`; False means unresolved, never disconnected."""
        expect_number("[-inf, inf]", level=level)
        return self.height <= level

    def answer(self, level: float) -> str:
        """Whether the ends are connected at `level`, in words: a failed search leaves them unresolved.

        Examples
        --------
        >>> import torch, tda_landscape as tl
        >>> path = tl.find_path(tl.zoo.double_well(1), torch.tensor([-1.0]), torch.tensor([1.0]))
        >>> path.answer(1.1), path.answer(0.5)
        ('connected at 1.1', 'unresolved, best height 1')
        """
        return f"connected at {level:.6g}" if self.below(level) else f"unresolved, best height {self.height:.6g}"

    def __repr__(self) -> str:
        return (
            f"path of {many(len(self.points), 'point', 'points')}: height {self.height:.6g} ({self.status}), "
            f"normalized length {self.normalized_length:.4g}; {self.reason.value}"
        )


def arc_lengths(points: Tensor) -> Tensor:
    """Arc length (m,) at each vertex of a polyline."""
    steps = points.diff(dim=0).norm(dim=1)
    return torch.cat([steps.new_zeros(1), steps.cumsum(0)])
