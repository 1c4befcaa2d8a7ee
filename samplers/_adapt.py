"""The warm-up: a step size that brings the acceptance to its target, by dual averaging."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import Any, NamedTuple

GAMMA, SHIFT, DECAY = 0.05, 10.0, 0.75
"""Settings of Hoffman and Gelman (2014), section 3.2."""


class DualAveraging(NamedTuple):
    """Logarithms of the step in use and of its average, and the mean shortfall of the acceptance."""

    anchor: float
    log_step: float
    log_average: float
    shortfall: float = 0.0
    updates: int = 0

    def update(self, acceptance: float, target: float) -> DualAveraging:
        """Take account of the mean acceptance of one step."""
        updates = self.updates + 1
        weight = 1 / (updates + SHIFT)
        shortfall = (1 - weight) * self.shortfall + weight * (target - acceptance)
        log_step = self.anchor - math.sqrt(updates) / GAMMA * shortfall
        fade = updates**-DECAY
        return DualAveraging(self.anchor, log_step, fade * log_step + (1 - fade) * self.log_average, shortfall, updates)


def begin(kernel: Any) -> DualAveraging:
    """Start at the kernel's own step size."""
    log_step = math.log(_inner(kernel).step_size)
    return DualAveraging(log_step, log_step, log_step)


def with_step(kernel: Any, log_step: float) -> Any:
    """The kernel with another step size; a kernel that wraps another hands it on."""
    if hasattr(kernel, "kernel"):
        return replace(kernel, kernel=with_step(kernel.kernel, log_step))
    return replace(kernel, step_size=math.exp(min(max(log_step, -300.0), 300.0)))


def _inner(kernel: Any) -> Any:
    return _inner(kernel.kernel) if hasattr(kernel, "kernel") else kernel
