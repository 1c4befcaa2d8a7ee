"""Cross-entropy of logits, for classes or for probabilities."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from tda_landscape.certificates._rounding import U

NARROW = 0.5
"""Width of a box of logits below which the tangent is the better bound."""


@dataclass(frozen=True, slots=True, eq=False)
class CrossEntropy:
    """w log Σ_i e^{y_i} - Σ_i t_i y_i with targets t >= 0 of sum w.

    The second derivative along x is w times a variance of x, at most w range(x)^2 / 4 (Popoviciu).
    """

    scale: float
    targets: Tensor

    def value(self, y: Tensor, t: Tensor) -> Tensor:
        """The loss of each row."""
        return t.sum(-1) * torch.logsumexp(y, -1) - (t * y).sum(-1)

    def tangent(self, y: Tensor, t: Tensor) -> tuple[Tensor, Tensor]:
        """The loss, and w softmax(y) - t."""
        largest, weight = y.amax(-1, keepdim=True), t.sum(-1, keepdim=True)
        powers = (y - largest).exp_()
        total = powers.sum(-1, keepdim=True)
        value = weight * (largest + total.log()) - (y * t).sum(-1, keepdim=True)
        return value.squeeze(-1), powers.mul_(weight / total).sub_(t)

    def remainder(self, y: Tensor, t: Tensor, down: Tensor, up: Tensor) -> Tensor:
        """An eighth of w range^2."""
        return t.sum(-1) * 0.125 * (up.amax(-1) - down.amin(-1)).square()

    def box(self, y: Tensor, t: Tensor, down: Tensor, up: Tensor) -> Tensor | None:
        """The loss decreases in the logit of a sole class and increases in the others; else both terms apart.

        Its excess is of first order in the radius, that of the tangent of second order.
        """
        if float((up - down).max()) < NARROW:
            return None
        sole = (t > 0).sum(-1, keepdim=True) == 1
        worst = torch.where(sole & (t > 0), y + down, y + up)
        return t.sum(-1) * torch.logsumexp(worst, -1) - (t * (y + down)).sum(-1)

    def error(self, size: Tensor, t: Tensor) -> Tensor:
        """2 (q + 32) operations on numbers of size (1 + w) (2 + |y|)."""
        return 2 * (size.shape[-1] + 32) * U * (1 + t.sum(-1)) * (2 + size.amax(-1))

    def slope_error(self, outputs: int) -> float:
        """An exponential of differences to the largest logit, a sum of q, a quotient and a product."""
        return (outputs + 64) * U * (1 + float(self.targets.sum(-1).max()))
