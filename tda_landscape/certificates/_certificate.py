"""The certificate of a path."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum

from tda_landscape._errors import expect_number


class Outcome(Enum):
    """Why certifying stopped; the value is the sentence that a user reads."""

    BELOW = "the path is proved to stay at or below the level"
    ABOVE = "the path is proved to rise above the level"
    TOLERANCE = "the maximum is known within the tolerance"
    FLOOR = "the bounds are as close as the rounding of float64 lets them be"
    BUDGET = "the budget was used up; the bounds hold, raise `budget` to bring them closer"
    NONFINITE = "the energy is not finite somewhere on the path, so that nothing bounds it"
    MEASURED = "nothing is known of the energy between points, so that its maximum is measured and not proved"


@dataclass(frozen=True, slots=True)
class Certificate:
    """Proved bounds of the maximum of an energy along a polyline.

    Attributes
    ----------
    upper : float
        No point of the polyline has a higher energy; `inf` where nothing is proved.
    lower : float
        Some point has at least this energy; with status `refined`, the highest energy that was measured.
    evaluations : int
        Full-data evaluations of the energy, both ends included.
    status : str
        `certified`: both bounds are proved; `refined`: measured by adaptive bisection, not proved.
    reason : Outcome
        Why certifying stopped.

    Examples
    --------
    >>> certificate = Certificate(1.01, 1.0, 7, "certified", Outcome.TOLERANCE)
    >>> certificate.below(1.05), certificate.below(1.0)
    (True, False)
    """

    upper: float
    lower: float
    evaluations: int
    status: str
    reason: Outcome

    def __str__(self) -> str:
        bounds = f"{self.lower:.9g} to {self.upper:.9g}" if self.status == "certified" else f"about {self.lower:.9g}"
        return f"maximum {bounds} ({self.status}) after {self.evaluations} evaluations: {self.reason.value}"

    def below(self, level: float) -> bool:
        """Whether the path is proved to stay at or below `level`; False means unresolved."""
        expect_number("[-inf, inf]", level=level)
        return self.status == "certified" and self.upper <= level
