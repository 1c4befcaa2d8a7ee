"""What a computation cost, in gradient equivalents."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from tda_landscape._errors import expect

if TYPE_CHECKING:
    from tda_landscape.energy._energy import Energy

VALUE, GRADIENT, HVP = 1 / 3, 1.0, 2.0


@dataclass(slots=True)
class Tally:
    """Counts of evaluations; one full-batch point counts 1, a minibatch point its fraction of the data."""

    values: float = 0.0
    gradients: float = 0.0
    hvps: float = 0.0
    hessian_columns: float = 0.0

    @property
    def gradient_equivalents(self) -> float:
        """Total cost: value 1/3, gradient 1, Hessian-vector product 2, Hessian d."""
        return VALUE * self.values + GRADIENT * (self.gradients + self.hessian_columns) + HVP * self.hvps


def tally(energy: Energy) -> tuple[Energy, Tally]:
    """Return the same energy with a counter of its evaluations.

    Parameters
    ----------
    energy : Energy

    Returns
    -------
    counted : Energy
        Gives the same numbers, and counts.
    cost : Tally
        `values`, `gradients`, `hvps` and their sum in gradient equivalents; grows while `counted` is used. If
        `energy` is counted already, its own counter goes on as well.

    Examples
    --------
    >>> import tda_landscape as tl
    >>> counted, cost = tl.tally(tl.zoo.mueller_brown())
    >>> _ = counted.value_and_grad(counted.start(3, 0))
    >>> cost.gradients, cost.gradient_equivalents
    (3.0, 3.0)
    """
    from tda_landscape.energy._energy import Energy  # which counts in Tallies

    expect(Energy, energy=energy)
    cost = Tally()
    return replace(energy, counters=(*energy.counters, cost)), cost
