"""What a convex loss has to say about itself."""

from __future__ import annotations

from typing import Protocol

from torch import Tensor


class ConvexLoss(Protocol):
    """A loss l(y) >= 0 of outputs y, convex in y, that sums over rows, times `scale`.

    Arrays are (..., q) with targets (n, q) that broadcast against them; results are (...), one a row.
    """

    @property
    def scale(self) -> float:
        """What the sum over rows is multiplied by."""

    @property
    def targets(self) -> Tensor:
        """One row each, (n, q)."""

    def value(self, y: Tensor, t: Tensor) -> Tensor:
        """l(y) of each row."""

    def tangent(self, y: Tensor, t: Tensor) -> tuple[Tensor, Tensor]:
        """l(y) of each row, and a subgradient (..., q) at y, right to `slope_error`."""

    def remainder(self, y: Tensor, t: Tensor, down: Tensor, up: Tensor) -> Tensor:
        """A bound of l(y + x) - l(y) - slope x over all down <= x <= up."""

    def box(self, y: Tensor, t: Tensor, down: Tensor, up: Tensor) -> Tensor | None:
        """A bound of l(y + x) over all down <= x <= up; None where the tangent is surely better."""

    def error(self, size: Tensor, t: Tensor) -> Tensor:
        """A bound of the rounding in `value`, `remainder` and `box` for |y| <= size, besides 64u |value|."""

    def slope_error(self, outputs: int) -> float:
        """A bound of the rounding in each entry of `slope`, relative to 1 + |slope|."""
