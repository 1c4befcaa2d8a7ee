"""The nearest point of a sublevel set within a hyperplane, by sequential quadratic programming.

minimize |x - m|^2 / 2  subject to  <x - m, n> = 0  and  E(x) <= u.

The objective is a quadratic whose Hessian is the identity and there is one inequality, so that each quadratic
program has a closed solution. The Hessian of the Lagrangian, 1 + multiplier x Hessian of E, is built up by BFGS from
the identity; steps go down the exact penalty function |x - m|^2 / 2 + weight x max(0, E - u), and where its curvature
turns a good step away, a second-order correction is tried first: Nocedal and Wright, Numerical Optimization (2006),
chapter 18.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from tda_landscape.energy._batching import Meter, Task

ARMIJO, SHRINK, GROW = 1e-4, 0.4, 2.0
MEMORY, CURVED = 20, 0.1  # pairs that are kept; least curvature of one, that of the objective being 1
OVER = 1.5  # weight of the penalty over the multiplier


@dataclass(frozen=True, slots=True)
class Nearest:
    """Where the solver ended.

    `residual` is that of the Karush-Kuhn-Tucker conditions: the larger of the sine of the angle between m - x and
    the gradient of E within the hyperplane, and of the distance of E from the level aimed at, over the scale of the
    energy; 1 at least outside the set, 0 where m itself is in it. A point is `inside` when E <= u; with a small
    residual as well, it is a local solution.
    """

    point: Tensor
    energy: float
    multiplier: float
    residual: float
    inside: bool


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


Pairs = list[tuple[Tensor, Tensor]]
"""Steps and the changes of the gradient of E along them, oldest first."""


def nearest_below(
    plane: Plane,
    level: float,
    start: Tensor,
    radius: float,
    meter: Meter,
    *,
    scale: float,
    tolerance: float = 1e-3,
    max_steps: int = 100,
    budget: float = torch.inf,
) -> Task[Nearest]:
    """Solve from a start in the plane, to a tolerance of the residual.

    No step is longer than `radius`, which grows while steps do what they promise. Energies are seen relative to
    `scale`; the level that is aimed at lies half the tolerance below `level`, so that the end is inside.
    """
    middle = yield from _evaluate(plane, plane.middle, meter)
    if middle.energy <= level:
        return Nearest(plane.middle, middle.energy, 0.0, 0.0, True)
    here = middle if torch.equal(start, plane.middle) else (yield from _evaluate(plane, start, meter))
    aim, weight = level - tolerance * scale / 2, 0.0
    pairs: Pairs = []
    for _ in range(max_steps):
        stuck = radius <= 1e-14 * (1 + float(here.point.norm())) or meter.spent >= budget
        if stuck or _residual(here, level, aim, scale) <= tolerance:
            break
        step, multiplier = _program(here, here.energy - aim, pairs)
        weight = max(weight, OVER * multiplier)
        here, radius = yield from _try(plane, here, step, multiplier, weight, aim, radius, pairs, meter)
    return Nearest(here.point, here.energy, _multiplier(here), _residual(here, level, aim, scale), here.energy <= level)


def _try(
    plane: Plane,
    here: State,
    step: Tensor,
    multiplier: float,
    weight: float,
    aim: float,
    radius: float,
    pairs: Pairs,
    meter: Meter,
) -> Task[tuple[State, float]]:
    """Take a step, or that step corrected, or none; return where it led, and the next radius."""
    length = float(step.norm())
    share = min(1.0, radius / max(length, 1e-300))
    excess = here.energy - aim
    # The slope of the penalty function along the step, with its kink where the linear model meets the level.
    linear = max(0.0, excess) - max(0.0, excess + float(here.gradient @ step))
    promised = ARMIJO * share * (weight * linear - float(here.offset @ step))
    now = here.penalty(aim, weight)
    there = yield from _evaluate(plane, here.point + share * step, meter)
    _remember(pairs, here, there)
    if now - there.penalty(aim, weight) < promised and share == 1 and there.energy > aim:
        correction, _ = _program(here, there.energy - aim, pairs, at_rest=True)
        if float(correction.norm()) < length:
            there = yield from _evaluate(plane, here.point + step + correction, meter)
            _remember(pairs, here, there)
    if now - there.penalty(aim, weight) >= promised:
        return there, radius if share == 1 else GROW * radius
    return here, SHRINK * share * length


def _evaluate(plane: Plane, point: Tensor, meter: Meter) -> Task[State]:
    """Energy and gradient within the plane; what is not finite is outside, and pulls nowhere."""
    energies, gradients = yield from meter.gradients(point[None])
    finite = bool(torch.isfinite(energies[0]) and torch.isfinite(gradients[0]).all())
    gradient = plane.flatten(gradients[0]) if finite else torch.zeros_like(point)
    return State(point, plane.flatten(point - plane.middle), float(energies[0]) if finite else torch.inf, gradient)


def _program(here: State, excess: float, pairs: Pairs, *, at_rest: bool = False) -> tuple[Tensor, float]:
    """Minimize offset.s + s.B s / 2 subject to excess + gradient.s <= 0; return s and the multiplier.

    At rest, the offset is left out: the shortest step, as B measures it, that mends the excess.
    """
    pull = torch.zeros_like(here.offset) if at_rest else here.offset
    usable = _curvatures(pairs, _multiplier(here))
    to_middle, downhill = _inverse(pull, usable), _inverse(here.gradient, usable)
    steep = max(float(here.gradient @ downhill), 1e-300)
    multiplier = max(0.0, (excess - float(here.gradient @ to_middle)) / steep)
    return -(to_middle + multiplier * downhill), multiplier


def _multiplier(here: State) -> float:
    """The multiplier that makes the gradient of the Lagrangian smallest."""
    return max(0.0, -float(here.offset @ here.gradient) / max(float(here.gradient @ here.gradient), 1e-300))


def _residual(here: State, level: float, aim: float, scale: float) -> float:
    """How far a point is from the Karush-Kuhn-Tucker conditions."""
    distance = float(here.offset.norm())
    if distance == 0 or here.energy == torch.inf:
        return torch.inf
    across = float((here.offset + _multiplier(here) * here.gradient).norm()) / distance
    return max(across, abs(here.energy - aim) / scale, 1.0 if here.energy > level else 0.0)


def _remember(pairs: Pairs, here: State, there: State) -> None:
    """Keep a step and the change of the gradient along it."""
    step = there.point - here.point
    if there.energy < torch.inf and float(step.norm()) > 0:
        pairs.append((step, there.gradient - here.gradient))
        del pairs[:-MEMORY]


def _curvatures(pairs: Pairs, multiplier: float) -> Pairs:
    """Steps with the changes of the gradient of the Lagrangian, where these are curved enough."""
    changes = [(step, step + multiplier * change) for step, change in pairs]
    return [(s, y) for s, y in changes if float(s @ y) > max(CURVED * float(s @ s), 1e-3 * float(s.norm() * y.norm()))]


def _inverse(vector: Tensor, pairs: Pairs) -> Tensor:
    """Inverse BFGS matrix, begun at the identity, times a vector (two-loop recursion)."""
    result, kept = vector.clone(), []
    for step, change in reversed(pairs):
        factor = float(step @ result) / float(step @ change)
        result = result - factor * change
        kept.append(factor)
    for (step, change), factor in zip(pairs, reversed(kept), strict=True):
        result = result + (factor - float(change @ result) / float(step @ change)) * step
    return result
