"""Quenching: from samples to distinct, verified minima."""

from __future__ import annotations

import torch
from torch import Tensor

from tda_landscape._errors import InputError, expect, expect_number, expect_whole
from tda_landscape.energy import Energy, tally
from tda_landscape.energy._batching import Meter, drive
from tda_landscape.energy._bfgs import ends_of_descents
from tda_landscape.energy.symmetry import Symmetry, find_symmetry
from tda_landscape.minima._cloud import Cloud
from tda_landscape.minima._describe import describe, hessian_cost, settled
from tda_landscape.minima._hessian import newton_correction
from tda_landscape.minima._minima import Minima
from tda_landscape.minima._subgradients import descend_along_kinks

FIRST_RADIUS = 0.1
"""First trust radius, relative to the root mean square of the coordinates' spread."""


def quench(
    energy: Energy,
    cloud: Cloud | Tensor,
    *,
    symmetry: str | Symmetry | None = "auto",
    tolerance: float = 1e-8,
    max_steps: int = 5000,
    budget: float | None = None,
) -> Minima:
    """Descend from every point and return the distinct points where the descents end.

    Parameters
    ----------
    energy : Energy
    cloud : Cloud or Tensor (k, d)
        Start points, descended from all at once; of a cloud, each chain counts once in `hits`.
    symmetry : "auto", None or Symmetry
        Points that it maps onto each other are one minimum. "auto": what the energy declares, else what the layers
        of its network show, verified on the data; for any other function none is known. None: symmetric copies
        are different minima.
    tolerance : float
        Descent has ended where |grad E| <= tolerance (1 + |E|).
    max_steps : int
        Steps of each descent.
    budget : float, optional
        Gradient equivalents. Descents stop where they are when it is used up, and are `descending`; the Hessians of
        the lowest points are looked at first, the others' kinds stay `unverified`.

    Returns
    -------
    Minima
        Lowest first. The status of each is decided from its gradient and its two lowest Hessian eigenvalues,
        never from how the optimiser stopped.

    Raises
    ------
    InputError
        A symmetry that the energy does not have, a network whose layers are not understood under "auto", or points
        that do not fit the energy.

    Notes
    -----
    Trust-region BFGS of each point by itself (of limited memory above 40 dimensions), then, up to 600 dimensions, one
    Newton step. Where a kink stops a descent it goes on along the directions that cross none; its end is `stationary`
    if zero lies in the hull of the gradients sampled within 1e-7 around it (Burke, Lewis and Overton, SIAM J. Optim.
    15, 751, 2005). Two end points are one minimum when, moved onto each other by the symmetry, their distance is
    within what is left of their descents and their energies agree; or, where they are flat or at a kink, when a
    verified path joins them at their own level.

    Examples
    --------
    >>> import tda_landscape as tl
    >>> energy = tl.zoo.double_well(2)
    >>> minima = tl.quench(energy, tl.sample(energy, chains=40))
    >>> len(minima), set(minima.status), int(minima.hits.sum())
    (4, {'minimum'}, 40)
    """
    expect(Energy, energy=energy)
    expect_number("(0, inf)", tolerance=tolerance)
    expect_whole("[0, inf)", max_steps=max_steps)
    expect_number("[0, inf] or None", budget=budget)
    points, chain = (cloud.points, cloud.chain) if isinstance(cloud, Cloud) else (energy.as_points(cloud), None)
    if len(points) == 0:
        raise InputError("there are no points to quench; sample some first")
    group = find_symmetry(energy, symmetry)
    counted, cost = tally(energy)
    total = torch.inf if budget is None else float(budget)
    # Half of a budget that is short is kept for Hessians: a low point of unknown kind is no minimum.
    descents = max(total / 2, total - len(points) * hessian_cost(energy))
    radius = FIRST_RADIUS * (float((points - points.mean(0)).square().mean()) ** 0.5 or 1.0)
    (found,) = drive(counted, [ends_of_descents(points, radius, tolerance, max_steps, Meter(), descents)])
    ends = energy.wrap(found)
    if energy.kinks:
        ends = _down_to_kinks(counted, ends, tolerance, total - cost.gradient_equivalents)
    elif total == torch.inf:
        ends = _polish(counted, ends, tolerance)
    return describe(counted, ends, tolerance, group, chain, total - cost.gradient_equivalents)


def _down_to_kinks(energy: Energy, points: Tensor, tolerance: float, budget: float) -> Tensor:
    """Finish the descents that a kink stopped, as many as the budget pays for, lowest first."""
    energies, gradients = energy.value_and_grad(points)
    rows = torch.nonzero(torch.isfinite(energies) & ~settled(energies, gradients, tolerance)).flatten()
    affordable = len(rows) if budget == torch.inf else int(budget / hessian_cost(energy))
    rows = rows[energies[rows].argsort(stable=True)][:affordable]
    points[rows] = energy.wrap(descend_along_kinks(energy, points[rows], tolerance))
    return points


def _polish(energy: Energy, points: Tensor, tolerance: float) -> Tensor:
    """One Newton step of each settled point, kept where it lowers the gradient."""
    energies, gradients = energy.value_and_grad(points)
    rows = torch.nonzero(settled(energies, gradients, tolerance)).flatten()
    if not len(rows):
        return points
    trial = energy.wrap(points[rows] + newton_correction(energy, points[rows], gradients[rows]))
    _, after = energy.value_and_grad(trial)
    better = after.norm(dim=1) < gradients[rows].norm(dim=1)
    points[rows[better]] = trial[better]
    return points
