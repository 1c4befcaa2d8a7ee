"""The few operations that torch and numpy spell differently: every kernel is written once, for both.

Noise is drawn for all chains at once, a row for each, whatever the number of points evaluated together.
"""

from __future__ import annotations

from typing import Any, TypeAlias

import numpy as np
import torch

Array: TypeAlias = Any
"""A torch.Tensor or a numpy.ndarray."""

Generator: TypeAlias = torch.Generator | np.random.Generator
"""Of the same library as the arrays."""


def normal(like: Array, generator: Any) -> Array:
    """Standard normal numbers of the shape and precision of an array."""
    if isinstance(generator, np.random.Generator):
        return generator.standard_normal(like.shape)
    return torch.randn(like.shape, generator=generator, dtype=like.dtype, device=like.device)


def uniform(like: Array, shape: tuple[int, ...], generator: Any) -> Array:
    """Numbers uniform in [0, 1), float64."""
    if isinstance(like, np.ndarray):
        return generator.random(shape)
    return torch.rand(shape, generator=generator, dtype=torch.float64, device=like.device)


def log_uniform(like: Array, shape: tuple[int, ...], generator: Any) -> Array:
    """Logarithms of uniform numbers, float64: what log acceptance ratios are compared with."""
    if isinstance(like, np.ndarray):
        return -generator.standard_exponential(shape)
    return torch.rand(shape, generator=generator, dtype=torch.float64, device=like.device).log()


def moved(points: Array, gradients: Array, h: float, noise: Array, scale: Any) -> Array:
    """Return points - h gradients + scale noise."""
    if isinstance(points, torch.Tensor) and isinstance(h, float) and isinstance(scale, float):
        return torch.add(points, gradients, alpha=-h).add_(noise, alpha=scale)
    after = gradients * -h
    after += points
    after += noise * scale
    return after


def choose(mask: Array, yes: Array, no: Array) -> Array:
    """Rows of `yes` where the mask (k,) holds, else rows of `no`."""
    if yes.ndim == 2:
        mask = mask[:, None]
    return torch.where(mask, yes, no) if isinstance(yes, torch.Tensor) else np.where(mask, yes, no)


def probability(log_ratio: Array) -> Array:
    """min(1, exp(log ratio)); 0 where the ratio is not a number."""
    if isinstance(log_ratio, np.ndarray):
        return np.fmax(np.exp(np.minimum(log_ratio, 0.0)), 0.0)  # fmax prefers a number to none
    return torch.where(log_ratio <= 0, log_ratio.exp(), (log_ratio > 0).to(log_ratio.dtype))


def outside(log_ratio: Array, inside: Array) -> Array:
    """Log ratios, with -inf where a proposal is not inside."""
    return choose(inside, log_ratio, log_ratio * 0 - float("inf"))


def double(x: Array) -> Array:
    """In float64: verdicts are made in double precision, whatever the energies are."""
    return x if isinstance(x, np.ndarray) else x.double()


def column(setting: Any) -> Any:
    """A setting that differs from chain to chain, (k,), made to multiply points (k, d)."""
    return setting[:, None] if getattr(setting, "ndim", 0) == 1 else setting


def precise(points: Array, like: Array) -> Array:
    """Points at the precision of the gradients or energies."""
    return points if points.dtype == like.dtype else points.to(like.dtype)


def all_finite(x: Array) -> Array:
    """Say of each row (k, ...) whether all its numbers are finite: (k,)."""
    flat = x.reshape(len(x), -1)
    return np.isfinite(flat).all(1) if isinstance(x, np.ndarray) else torch.isfinite(flat).all(1)


def as_tensor(x: Array) -> torch.Tensor:
    """As a torch tensor; a numpy array is not copied."""
    return torch.from_numpy(x) if isinstance(x, np.ndarray) else x
