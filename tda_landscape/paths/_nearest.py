"""The nearest point of a sublevel set within a hyperplane, by sequential quadratic programming.

minimize |x - m|^2 / 2  subject to  <x - m, n> = 0  and  E(x) <= u.

The objective is a quadratic whose Hessian is the identity and there is one inequality, so that each quadratic
program has a closed solution. The Hessian of the Lagrangian, 1 + multiplier x Hessian of E, is built up by BFGS from
the identity; steps go down the exact penalty function |x - m|^2 / 2 + weight x max(0, E - u), and where its curvature
turns a good step away, a second-order correction is tried first: Nocedal and Wright, Numerical Optimization (2006),
chapter 18. Before that, a descent within the plane leads into the set, and what it learned of the curvature is kept.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from tda_landscape.energy._batching import Meter, Task
from tda_landscape.paths._plane import SHORTEST, Pairs, Plane, State, enter, evaluate, remember

ARMIJO, POOR, GOOD, SHRINK, GROW = 1e-4, 0.25, 0.75, 0.4, 2.0
CURVED = 0.1  # least curvature of a pair, that of the objective being 1
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
    middle = yield from evaluate(plane, plane.middle, meter)
    if middle.energy <= level:
        return Nearest(plane.middle, middle.energy, 0.0, 0.0, True)
    aim = level - tolerance * scale / 2
    here, pairs = yield from enter(plane, level, aim, start, radius, meter, budget)
    best, weight = here, OVER * float(here.offset.norm() / here.gradient.norm().clamp(min=1e-300))
    for _ in range(max_steps):
        stuck = radius <= SHORTEST * (1 + float(here.point.norm())) or meter.spent >= budget
        if stuck or (here.energy > level and best.energy > level) or _residual(here, level, aim, scale) <= tolerance:
            break
        step, multiplier = _program(here, here.energy - aim, pairs)
        weight = max(weight, OVER * multiplier)
        here, radius = yield from _try(plane, here, step, weight, aim, radius, pairs, meter)
        best = _nearer(best, here, level)
    if here.energy > level and best.energy <= level:
        # What is left outside is near the solution: so is the point where it enters.
        here, _ = yield from enter(plane, level, aim, here.point, radius, meter, budget)
    end = here if _residual(here, level, aim, scale) <= tolerance else _nearer(best, here, level)
    return Nearest(end.point, end.energy, _multiplier(end), _residual(end, level, aim, scale), end.energy <= level)


def _nearer(first: State, second: State, level: float) -> State:
    """The one inside that is nearer to the middle; the first, where the second is not inside."""
    nearer = second.energy <= level and float(second.offset.norm()) < float(first.offset.norm())
    return second if nearer else first


def _try(
    plane: Plane, here: State, step: Tensor, weight: float, aim: float, radius: float, pairs: Pairs, meter: Meter
) -> Task[tuple[State, float]]:
    """Take a step, or that step corrected, or none; return where it led, and the next radius."""
    length = float(step.norm())
    share = min(1.0, radius / max(length, 1e-300))
    excess = here.energy - aim
    # The slope of the penalty function along the step, with its kink where the linear model meets the level.
    linear = max(0.0, excess) - max(0.0, excess + share * float(here.gradient @ step))
    promised = weight * linear - share * float(here.offset @ step) - share**2 * length**2 / 2
    promised = max(promised, ARMIJO * share * float(step @ step))
    now = here.penalty(aim, weight)
    there = yield from evaluate(plane, here.point + share * step, meter)
    remember(pairs, here, there)
    gain = now - there.penalty(aim, weight)
    if gain < ARMIJO * promised and share == 1 and there.energy > aim:
        correction, _ = _program(here, there.energy - aim, pairs, at_rest=True)
        if float(correction.norm()) < length:
            there = yield from evaluate(plane, here.point + step + correction, meter)
            remember(pairs, here, there)
            gain = now - there.penalty(aim, weight)
    if gain < ARMIJO * promised:
        return here, SHRINK * share * length
    if gain < POOR * promised:
        return there, share * length
    return there, GROW * radius if gain > GOOD * promised and share < 1 else radius


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
