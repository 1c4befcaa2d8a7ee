"""Bands of images: tangents, springs, even spacing and the image that climbs."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from tda_landscape.energy._batching import Meter, Task
from tda_landscape.paths._profile import Outset
from tda_landscape.paths._relax import SETTLED


@dataclass(frozen=True, slots=True)
class Band:
    """Images pulled downhill across the path; along it, springs hold them or, without springs, they are spaced evenly.

    `spring` is relative to the excess of the straight line over its squared length, so that energies and lengths
    may have any scale; None is the string method.
    """

    images: int
    spring: float | None
    climbing: bool

    @property
    def cost(self) -> int:
        """A gradient an image."""
        return self.images

    def pull(
        self, points: Tensor, outset: Outset, share: float, generator: torch.Generator, meter: Meter
    ) -> Task[tuple[Tensor, int | None]]:
        """Force (m, d): downhill across the path, springs along it; the highest image is driven up along it."""
        inner, gradients = yield from meter.gradients(points[1:-1])
        gradients = torch.where(torch.isfinite(gradients).all(1, keepdim=True), gradients, 0.0)
        energies = torch.cat([outset.ends[:1], inner, outset.ends[1:]])
        along = tangents(points, energies)
        slope = (gradients * along).sum(1, keepdim=True)
        force = slope * along - gradients
        if self.spring is not None:
            widths = points.diff(dim=0).norm(dim=1)
            stiffness = self.spring * outset.excess / outset.chord**2
            force = force + stiffness * widths.diff()[:, None] * along
        climber = _climber(energies) if self.climbing and share >= SETTLED else None
        if climber is not None:
            i = climber - 1
            force[i] = 2 * slope[i] * along[i] - gradients[i]
        return torch.nn.functional.pad(force, (0, 0, 1, 1)), climber

    def put_in_order(self, points: Tensor, climber: int | None) -> Tensor:
        """Without springs, space the images evenly, on both sides of one that climbs."""
        if self.spring is not None:
            return points
        if climber is None:
            return evenly(points)
        return torch.cat([evenly(points[: climber + 1]), evenly(points[climber:])[1:]])

    def polyline(self, points: Tensor) -> Tensor:
        """The images are the vertices."""
        return points


def tangents(points: Tensor, energies: Tensor) -> Tensor:
    """Unit tangents (m-2, d) at the inner images of a band (m, d) with energies (m,).

    They point to the higher neighbor; at a maximum or minimum of the band both sides count, the one to the higher
    neighbor with the larger energy difference: Henkelman and Jonsson, J. Chem. Phys. 113, 9978 (2000), eq. 8-11.
    """
    back, ahead = points.diff(dim=0)[:-1], points.diff(dim=0)[1:]
    before, here, after = energies[:-2], energies[1:-1], energies[2:]
    rise, fall = (after - here).abs(), (before - here).abs()
    larger, smaller = torch.maximum(rise, fall), torch.minimum(rise, fall)
    higher_ahead = after > before
    weight_ahead = torch.where(higher_ahead, larger, smaller)
    weight_back = torch.where(higher_ahead, smaller, larger)
    climbs, sinks = (after > here) & (here > before), (after < here) & (here < before)
    weight_ahead = torch.where(climbs, 1.0, torch.where(sinks, 0.0, weight_ahead))
    weight_back = torch.where(climbs, 0.0, torch.where(sinks, 1.0, weight_back))
    # Equal or infinite energies give no weights: then both sides count alike.
    lost = ~torch.isfinite(weight_ahead + weight_back) | (weight_ahead + weight_back == 0)
    weight_ahead, weight_back = (torch.where(lost, 1.0, w)[:, None] for w in (weight_ahead, weight_back))
    tangent = weight_ahead * ahead + weight_back * back
    unit: Tensor = tangent / tangent.norm(dim=1, keepdim=True).clamp(min=1e-300)
    return unit


def evenly(points: Tensor) -> Tensor:
    """Move the inner points of a polyline (m, d) along it until all segments are equally long."""
    widths = points.diff(dim=0).norm(dim=1)
    lengths = torch.cat([widths.new_zeros(1), widths.cumsum(0)])
    wanted = torch.linspace(0, 1, len(points), dtype=points.dtype)[1:-1] * lengths[-1]
    segment = (torch.searchsorted(lengths, wanted) - 1).clamp(0, len(widths) - 1)
    t = ((wanted - lengths[segment]) / widths[segment].clamp(min=1e-300))[:, None]
    inner = points[segment] + t * (points[segment + 1] - points[segment])
    return torch.cat([points[:1], inner, points[-1:]])


def _climber(energies: Tensor) -> int | None:
    """The highest inner image, if it is higher than both ends."""
    highest = int(energies[1:-1].nan_to_num(nan=-torch.inf).argmax()) + 1
    return highest if bool(energies[highest] > energies[[0, -1]].max()) else None
