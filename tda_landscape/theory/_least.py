"""The least loss of outputs that are linear in their coefficients: the convex problem at the end of a way down."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from scipy.optimize import linprog
from torch import Tensor

from tda_landscape._errors import InputError
from tda_landscape.certificates.losses import ConvexLoss, recognise
from tda_landscape.energy._network import Network
from tda_landscape.theory._convex import minimize_convex

MET = 1e-7
"""Errors up to this, relative to 1 + the largest target, are 0 at the corner where a linear program ends."""


SEEN = (1e-2, 1e-4, 1e-6, 1e-8, 1e-10, 1e-12)
"""Shares of the largest singular value of the rows from which on others count; the last is where rounding begins."""

SAME, NEAR = 1e-9, 1e-11
"""Losses that differ by less, relative to 1 + their size, are the same: where there is a start, among directions."""


NOT_FOUND = "the least loss of the output layer was not found; bring inputs and targets to sizes of about 1"


@dataclass(frozen=True, slots=True, eq=False)
class OutputLoss:
    """A convex loss as a function of outputs (m, L): one column a row of data."""

    network: Network
    rule: ConvexLoss
    shape: torch.Size

    @classmethod
    def of(cls, network: Network) -> OutputLoss:
        """That of a network, whose loss is one of those that are recognized."""
        with torch.no_grad():
            shape = network.module(network.inputs).shape
        return cls(network, recognise(network.loss, network.targets, shape), shape)

    def __call__(self, outputs: Tensor) -> Tensor:
        """The loss, as the network has it."""
        return self.network.loss(outputs.T.reshape(self.shape), self.network.targets)

    @property
    def absolute(self) -> bool:
        """Whether it is a sum of absolute errors, the one loss whose slope jumps."""
        y = torch.linspace(-3, 3, 7, dtype=torch.float64)[:, None]
        return torch.equal(self.rule.value(y, 0.4 + 0 * y), (y - 0.4).abs()[:, 0])


def least(loss: OutputLoss, rows: Tensor, start: Tensor, penalty: float = 0.0) -> Tensor:
    """Coefficients (m, r) of rows (r, L) at which the loss is least; from 0, or from `start` (m, r) if that ends lower.

    Absolute errors are a linear program; every other loss has a continuous slope, which Newton steps bring to 0. A
    penalty keeps coefficients small: it multiplies their sizes beside absolute errors, else their squares.
    """
    found = _least(loss, rows, start, penalty)
    if found is None:
        raise InputError(NOT_FOUND)
    return found


def _least(loss: OutputLoss, rows: Tensor, start: Tensor, penalty: float = 0.0) -> Tensor | None:
    """The same; None where slopes do not come down to 0."""
    if not start.numel():
        return start
    if loss.absolute:
        return _least_absolute(loss, rows, penalty)
    starts = torch.stack([torch.zeros_like(start), start]).flatten(1)

    def value(flat: Tensor, _: Tensor) -> Tensor:
        return loss(flat.view(start.shape) @ rows) + penalty * flat.square().sum()

    found = minimize_convex(value, starts, starts.new_zeros(2, 0))
    if not found.solved.any():
        return None
    values = torch.where(found.solved, found.values, torch.inf)
    own = values[1] < values[0] - SAME * (1 + values[0].abs()) or values[0] > value(starts[1], starts[1])
    return found.points[int(own)].view(start.shape)


def least_by(loss: OutputLoss, rows: Tensor, own: Tensor, start: Tensor) -> Tensor:
    """Coefficients (m, r) of rows (r, L) of the least loss, for weights W with coefficients W own that are not large.

    Directions in which large weights change the outputs little are left out, as many as the least loss does not need:
    most where the infimum lies at infinity.
    """
    _, sizes, axes = torch.linalg.svd(rows, full_matrices=False)
    axes = axes[sizes > SEEN[-1] * sizes[:1]]  # the ones of a bias may be among the features
    _, scales, frame = torch.linalg.svd(own @ rows @ axes.T, full_matrices=False)
    back = torch.linalg.pinv(rows @ axes.T)

    def among(count: int) -> Tensor | None:
        inner = frame[:count]
        found = _least(loss, inner @ axes, start @ rows @ axes.T @ inner.T)
        if found is None:
            return None
        whole: Tensor = found @ inner @ back
        return whole

    counts = sorted({int((scales > seen * scales[:1]).sum()) for seen in SEEN})
    finest = among(counts[-1])
    if finest is None:
        raise InputError(NOT_FOUND)
    enough = loss(finest @ rows)
    enough = enough + NEAR * (1 + enough.abs())
    coarser = (among(count) for count in counts[:-1])
    return next((found for found in coarser if found is not None and loss(found @ rows) <= enough), finest)


def _least_absolute(loss: OutputLoss, rows: Tensor, penalty: float) -> Tensor:
    """Of each output by itself; a penalty is so many more errors, of the coefficients to 0."""
    targets, more = loss.rule.targets.T, int(penalty > 0) * len(rows)
    rows = torch.cat([rows, penalty / loss.rule.scale * torch.eye(len(rows), more, dtype=rows.dtype)], dim=1)
    targets = torch.cat([targets, targets.new_zeros(len(targets), more)], dim=1)
    a, tolerance = rows.T.numpy(), MET * (1 + float(targets.abs().max()))
    return torch.from_numpy(np.stack([_corner(a, y, tolerance) for y in targets.numpy()]))


def _corner(a: NDArray[np.float64], y: NDArray[np.float64], tolerance: float) -> NDArray[np.float64]:
    """Minimize |a x - y|_1: at a corner as many errors are 0 as there are free coefficients, which gives it exactly."""
    count, size = a.shape
    cost = np.concatenate([np.zeros(size), np.ones(2 * count)])
    above = np.hstack([a, -np.eye(count), np.eye(count)])  # a x - over + under = y
    bounds = [(None, None)] * size + [(0, None)] * (2 * count)
    found = linprog(cost, A_eq=above, b_eq=y, bounds=bounds, method="highs-ds")
    if found.status != 0:
        raise InputError(f"the least absolute error of the output layer was not found ({found.message})")
    x: NDArray[np.float64] = found.x[:size]
    met = np.abs(a @ x - y) <= tolerance
    if met.any():
        x = x + np.linalg.lstsq(a[met], y[met] - a[met] @ x, rcond=None)[0]
    return x
