"""Minimizing: descents of a batch of points, without a judgement of where they end."""

from __future__ import annotations

from numpy.typing import ArrayLike
from torch import Tensor

from tda_landscape._errors import expect, expect_number, expect_whole
from tda_landscape.energy import Energy
from tda_landscape.energy._batching import Meter, drive
from tda_landscape.energy._bfgs import ends_of_descents


def minimize(
    energy: Energy,
    points: ArrayLike | Tensor,
    *,
    tolerance: float = 1e-8,
    max_steps: int = 5000,
    first_step: float = 0.1,
) -> Tensor:
    """Descend from every point until its gradient is small; all points at once, each by itself.

    `quench` does the same, and then decides what kind of point each descent ended in and which are the same.

    Parameters
    ----------
    energy : Energy
    points : array_like or Tensor (k, d)
    tolerance : float
        A descent ends where |grad E| <= tolerance (1 + |E|).
    max_steps : int
        Steps of each descent at most.
    first_step : float
        Length of the first step and first trust radius, in the units of the coordinates.

    Returns
    -------
    Tensor (k, d)
        In the order of the points, on a torus brought into its cell. A point that is not finite, or whose energy is
        not, stays where it is; a descent that used up its steps is wherever it came to.

    Raises
    ------
    InputError
        Points that do not fit the energy, or settings that make no descent.

    Notes
    -----
    Trust-region BFGS with the upward scaling of Oren and Luenberger, Management Science 20, 845 (1974); above 40
    dimensions L-BFGS in the compact form of Byrd, Nocedal and Schnabel, Math. Program. 63, 129 (1994).

    Examples
    --------
    >>> import tda_landscape as tl
    >>> tl.minimize(tl.zoo.quartic(), [[-3.0], [0.4]]).round(decimals=6).tolist()
    [[-2.0], [1.0]]
    """
    expect(Energy, energy=energy)
    expect_number("(0, inf)", tolerance=tolerance, first_step=first_step)
    expect_whole("[0, inf)", max_steps=max_steps)
    start = energy.as_points(points)
    (ends,) = drive(energy, [ends_of_descents(start, first_step, tolerance, max_steps, Meter())])
    return energy.wrap(ends)
