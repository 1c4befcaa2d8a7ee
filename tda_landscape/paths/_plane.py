"""Moving within a hyperplane: points, the descent into a sublevel set, and what is learned of the curvature."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from tda_landscape.energy._batching import Meter, Task
from tda_landscape.energy._downhill import Walkers, step_down

ENTRY_STEPS = 60  # of the descent into a set
FLAT = 1e-4  # share of the first gradient at which that descent has come to a minimum
MEMORY = 20  # pairs that are kept, and no more than two a dimension
SHORTEST = 1e-8  # step, relative to 1 + |x|: the change of the gradient along a shorter one is mostly rounding

Pairs = list[tuple[Tensor, Tensor]]
"""Steps and the changes of the gradient of E along them, oldest first."""


@dataclass(frozen=True, slots=True)
class Plane:
    """Points x with <x - middle, normal> = 0, for a unit normal."""

    middle: Tensor
    normal: Tensor

    @classmethod
    def between(cls, a: Tensor, b: Tensor) -> Plane:
        """The points that are as far from a as from b."""
        return cls((a + b) / 2, (b - a) / (b - a).norm().clamp(min=1e-300))

    def flatten(self, vector: Tensor) -> Tensor:
        """The part of a vector that lies in the plane."""
        return vector - (vector @ self.normal) * self.normal


@dataclass(frozen=True, slots=True)
class State:
    """A point of the plane, its offset from the middle, and energy and gradient there."""

    point: Tensor
    offset: Tensor
    energy: float
    gradient: Tensor

    def penalty(self, level: float, weight: float) -> float:
        """The exact penalty function."""
        return float(self.offset @ self.offset) / 2 + weight * max(0.0, self.energy - level)


class Within(Meter):
    """Asks for gradients within a plane, at the cost of another meter."""

    def __init__(self, plane: Plane, meter: Meter) -> None:
        self.plane, self.meter = plane, meter

    def gradients(self, points: Tensor) -> Task[tuple[Tensor, Tensor]]:
        """Ask for energies (k,) and the parts of the gradients (k, d) that lie in the plane."""
        energies, gradients = yield from self.meter.gradients(points)
        return energies, gradients - (gradients @ self.plane.normal)[:, None] * self.plane.normal


def enter(
    plane: Plane, level: float, aim: float, start: Tensor, radius: float, meter: Meter, budget: float
) -> Task[tuple[State, Pairs]]:
    """Descend within the plane until the energy is at the level or below, aiming a little lower, or at a minimum."""
    walker, within, row = Walkers.at(start[None], radius), Within(plane, meter), torch.tensor([0])
    yield from walker.evaluate_new(within)
    steepest = float(walker.gradients[0].norm())
    for _ in range(ENTRY_STEPS):
        # At a minimum above the level, further steps would only follow rounding.
        flat = not float(walker.gradients[0].norm()) > FLAT * steepest
        arrived = flat or float(walker.energies[0]) <= level
        if arrived or meter.spent >= budget or not bool(torch.isfinite(walker.energies[0])):
            break
        yield from step_down(walker, row, walker.energies - aim, within)
    point, energy, gradient = walker.points[0], float(walker.energies[0]), walker.gradients[0]
    known = zip(walker.steps[0], walker.changes[0], strict=True)
    state = State(point, plane.flatten(point - plane.middle), energy, gradient.nan_to_num(nan=0.0))
    pairs = [(step, change) for step, change in known if bool((step != 0).any())]
    return state, pairs[-min(MEMORY, 2 * len(point)) :]


def evaluate(plane: Plane, point: Tensor, meter: Meter) -> Task[State]:
    """Energy and gradient within the plane; what is not finite is outside, and pulls nowhere."""
    energies, gradients = yield from meter.gradients(point[None])
    finite = bool(torch.isfinite(energies[0]) and torch.isfinite(gradients[0]).all())
    gradient = plane.flatten(gradients[0]) if finite else torch.zeros_like(point)
    return State(point, plane.flatten(point - plane.middle), float(energies[0]) if finite else torch.inf, gradient)


def remember(pairs: Pairs, here: State, there: State) -> None:
    """Keep a step and the change of the gradient along it."""
    step = there.point - here.point
    if there.energy < torch.inf and float(step.norm()) > SHORTEST * (1 + float(there.point.norm())):
        pairs.append((step, there.gradient - here.gradient))
        del pairs[: -min(MEMORY, 2 * len(step))]
