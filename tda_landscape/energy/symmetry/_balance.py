"""Positive rescaling: the balanced form of each point, and the tangents of its orbit."""

from __future__ import annotations

import torch
from torch import Tensor

from tda_landscape.energy.symmetry._units import Gauge, Structure

SWEEPS = 2000
CONVERGED = 1e-14


def gauges(structure: Structure) -> list[Gauge]:
    """All gauges that take positive factors."""
    return [gauge for units in structure.units for gauge in units.scales]


def balance(structure: Structure, points: Tensor) -> tuple[Tensor, list[Tensor]]:
    """Rescale folded points (k, d) to the shortest vectors of their orbits; return these and the log factors.

    |c . theta|^2 is convex in log c, so that the shortest vector is unique where it exists (Kempf and Ness 1979);
    there the weights that make a unit are as long as those that read it. A unit that is read or made by zeros
    alone has no shortest vector: its other weights get length one.
    """
    balanced, scales = points.clone(), gauges(structure)
    logs = [points.new_zeros(len(points), gauge.places[0].size) for gauge in scales]
    for _ in range(SWEEPS if scales and len(points) else 0):
        largest = 0.0
        for gauge, total in zip(scales, logs, strict=True):
            step = _step(gauge, balanced)
            gauge.multiply(balanced, step.exp())
            total += step
            largest = max(largest, float(step.abs().max()))
        if largest <= CONVERGED:
            break
    return balanced, logs


def rescale(structure: Structure, points: Tensor, logs: list[Tensor]) -> Tensor:
    """Multiply folded points by exp of log factors, one (k, size) a gauge."""
    images = points.clone()
    for gauge, log in zip(gauges(structure), logs, strict=True):
        gauge.multiply(images, log.exp())
    return images


def tangents(structure: Structure, points: Tensor) -> Tensor:
    """Derivatives of the rescaled points by each log factor, (k, z, d), in the coordinates of `points` (k, d)."""
    folded = structure.fold(points)
    rows = []
    for gauge in gauges(structure):
        for unit in range(gauge.places[0].size):
            row = torch.zeros_like(folded)
            for place, power in zip(gauge.places, gauge.powers, strict=True):
                place.of(row)[:, :, unit] += power * place.of(folded)[:, :, unit]
            rows.append(structure.unfold(row))
    return torch.stack(rows, 1) if rows else points.new_zeros(len(points), 0, points.shape[1])


def orthonormal(vectors: Tensor) -> Tensor:
    """Orthonormal rows with the span of vectors (k, z, d); rows of zeros fill up."""
    if vectors.shape[1] == 0:
        return vectors
    _, lengths, rows = torch.linalg.svd(vectors, full_matrices=False)
    independent = lengths > 1e-10 * lengths.amax(1, keepdim=True).clamp(min=1e-300)
    filled = torch.zeros_like(vectors)
    filled[:, : rows.shape[1]] = rows * independent[..., None]
    return filled


def _step(gauge: Gauge, points: Tensor) -> Tensor:
    """Log factors (k, size) that bring each unit towards balance: exact where all powers are equal."""
    made = read = points.new_zeros(len(points), gauge.places[0].size)
    for place, power in zip(gauge.places, gauge.powers, strict=True):
        weight = abs(power) * place.of(points).square().sum((1, 3))
        made, read = (made + weight, read) if power > 0 else (made, read + weight)
    up, down = (max((s * p for p in gauge.powers if s * p > 0), default=0) for s in (1, -1))
    goal = torch.where(read > 0, read, 1.0), torch.where(made > 0, made, 1.0)
    return torch.where((made > 0) | (read > 0), (goal[0].log() - goal[1].log()) / (2 * (up + down)), 0.0)
