"""Quenching: from samples to distinct, verified minima."""

from __future__ import annotations

import torch
from torch import Tensor

from tda_landscape._errors import InputError
from tda_landscape.energy import Energy
from tda_landscape.energy._batching import Meter, drive
from tda_landscape.energy._downhill import minimize
from tda_landscape.minima._cloud import Cloud
from tda_landscape.minima._hessian import lowest_eigenvalues, newton_correction
from tda_landscape.minima._identity import same_minimum
from tda_landscape.minima._minima import Minima

FIRST_RADIUS = 0.1
"""First trust radius, relative to the root mean square of the coordinates' spread."""


def quench(
    energy: Energy,
    cloud: Cloud | Tensor,
    *,
    symmetry: None = None,
    tolerance: float = 1e-8,
    max_steps: int = 5000,
) -> Minima:
    """Descend from every point and return the distinct points where the descents end.

    Parameters
    ----------
    energy : Energy
    cloud : Cloud or Tensor (k, d)
        Start points, descended from all at once; of a cloud, each chain counts once in `hits`.
    symmetry : None
        Symmetric copies are different minima.
    tolerance : float
        Descent has ended where |grad E| <= tolerance (1 + |E|).
    max_steps : int
        Steps of each descent.

    Returns
    -------
    Minima
        Lowest first. The status of each is decided from its gradient and its two lowest Hessian eigenvalues,
        never from how the optimiser stopped.

    Raises
    ------
    InputError
        `symmetry` other than None, or points that do not fit the energy.

    Notes
    -----
    Trust-region L-BFGS of each point by itself, then, up to 600 dimensions, one Newton step. Two end points are
    one minimum when their distance is within what is left of their descents and their energies agree.

    Examples
    --------
    >>> import tda_landscape as tl
    >>> energy = tl.zoo.double_well(2)
    >>> minima = tl.quench(energy, tl.sample(energy, chains=40))
    >>> len(minima), set(minima.status), int(minima.hits.sum())
    (4, {'minimum'}, 40)
    """
    if symmetry is not None:
        raise InputError(
            f"symmetry={symmetry!r} is not built yet; symmetry=None works and counts symmetric copies one by one"
        )
    points, chain = (cloud.points, cloud.chain) if isinstance(cloud, Cloud) else (energy.as_points(cloud), None)
    if len(points) == 0:
        raise InputError("there are no points to quench; sample some first")
    radius = FIRST_RADIUS * (float((points - points.mean(0)).square().mean()) ** 0.5 or 1.0)
    (walkers,) = drive(energy, [minimize(points, radius, tolerance, max_steps, Meter())])
    ends = energy.wrap(walkers.points)
    energies, gradients = energy.value_and_grad(ends)
    settled = _settled(energies, gradients, tolerance)
    if not energy.kinks and settled.any():
        ends[settled] = _polish(energy, ends[settled], gradients[settled])
        energies, gradients = energy.value_and_grad(ends)
    return _describe(energy, ends, energies, gradients, tolerance, chain)


def _settled(energies: Tensor, gradients: Tensor, tolerance: float) -> Tensor:
    """Where the gradient is as small as asked for."""
    settled: Tensor = torch.isfinite(energies) & (gradients.norm(dim=1) <= tolerance * (1 + energies.abs()))
    return settled


def _polish(energy: Energy, points: Tensor, gradients: Tensor) -> Tensor:
    """One Newton step, kept where it lowers the gradient."""
    trial = energy.wrap(points + newton_correction(energy, points, gradients))
    _, after = energy.value_and_grad(trial)
    better = after.norm(dim=1) < gradients.norm(dim=1)
    return torch.where(better[:, None], trial, points)


def _describe(
    energy: Energy,
    points: Tensor,
    energies: Tensor,
    gradients: Tensor,
    tolerance: float,
    chain: Tensor | None,
) -> Minima:
    """Decide statuses, put copies together, count the starts, sort by energy."""
    size = gradients.norm(dim=1)
    settled = _settled(energies, gradients, tolerance)
    eigenvalues = points.new_full((len(points), 2), torch.nan)
    error = torch.zeros_like(energies)
    status = ["descending" if ok else "nonfinite" for ok in torch.isfinite(energies).tolist()]
    rows = torch.nonzero(settled).flatten()
    if energy.kinks:
        kinds = ["stationary"] * len(rows)
    elif len(rows):
        eigenvalues[rows], bound = lowest_eigenvalues(energy, points[rows])
        lowest = eigenvalues[rows, 0]
        kinds = [
            "flat" if abs(v) <= b else "saddle" if v < 0 else "minimum" for v, b in zip(lowest, bound, strict=True)
        ]
        error[rows] = torch.where(lowest > bound, size[rows] / lowest, torch.zeros_like(lowest))
    for row, kind in zip(rows.tolist(), kinds if len(rows) else [], strict=True):
        status[row] = kind
    label = same_minimum(energy, points, energies, error)
    starts = torch.arange(len(points)) if chain is None else chain
    everything = Minima(points, energies, size, eigenvalues, tuple(status), torch.ones_like(label))
    chosen = [_best(torch.nonzero(label == k).flatten(), size) for k in range(int(label.max()) + 1)]
    chosen.sort(key=lambda row: (float(energies[row]), row))
    hits = torch.tensor([len(torch.unique(starts[label == label[row]])) for row in chosen])
    kept = everything.select(chosen)
    return Minima(kept.points, kept.energies, kept.gradient_norm, kept.eigenvalues, kept.status, hits)


def _best(rows: Tensor, size: Tensor) -> int:
    """Of several copies, the one with the smallest gradient."""
    return int(rows[size[rows].argmin()])
