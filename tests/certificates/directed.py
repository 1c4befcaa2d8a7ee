"""Directed checks of single rules: members of an enclosure that are as bad for the rule as they can be.

A member is a function v(s) inside the enclosure of an input. Signs of the radius and of the generators are chosen by
the gradient of one output, so that this output is pushed to where the rule is tight.
"""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor

from tda_landscape.certificates._enclosure import Enclosure
from tda_landscape.certificates._segments import Segments, Whole
from tda_landscape.certificates.losses import ConvexLoss, loss_above
from tda_landscape.certificates.losses._bound import CELLS
from tda_landscape.certificates.rules import Rule

SLACK = 1e-11
POINTS = 17


def enclosure(
    *shape: int, seed: int = 0, many: int = 0, wide: float = 0.4, rows: int = 64, bend: float = 0.5, shift: float = 0.0
) -> Enclosure:
    """A random enclosure (1, rows, *shape) with `many` generators."""
    g = torch.Generator().manual_seed(seed)

    def draw(*size: int) -> Tensor:
        return torch.randn(1, rows, *size, *shape, generator=g, dtype=torch.float64)

    radius = wide * torch.rand(1, rows, *shape, generator=g, dtype=torch.float64)
    generators = 0.2 * draw(many) if many else None
    return Enclosure(shift + draw(), shift + draw(), bend * draw(), radius, generators, (1,) if many else ())


def path(size: int, seed: int = 0, step: float = 1.0) -> Segments:
    """A random segment of parameters."""
    g = torch.Generator().manual_seed(seed + 1000)
    start = torch.randn(1, size, generator=g, dtype=torch.float64)
    end = start + step * torch.randn(1, size, generator=g, dtype=torch.float64)
    return Segments(start, end, Whole(torch.maximum(start.abs(), end.abs())))


def chord(start: Tensor, end: Tensor, s: float) -> Tensor:
    return (1 - s) * start + s * end


def centre(v: Enclosure, s: float) -> Tensor:
    return chord(v.start, v.end, s) + 4 * s * (1 - s) * v.bend


def extreme(vs: tuple[Enclosure, ...], s: float, push: tuple[Tensor, ...]) -> tuple[Tensor, ...]:
    """Members at s with their errors along these directions; inputs that share symbols share their signs."""
    signs: dict[tuple[int, ...], Tensor] = {}
    for v, direction in zip(vs, push, strict=True):
        if v.generators is not None:
            along = (v.generators * direction.unsqueeze(2)).flatten(3).sum(3)
            signs[v.symbols] = signs.get(v.symbols, torch.zeros_like(along)) + along
    members = []
    for v, direction in zip(vs, push, strict=True):
        member = centre(v, s) + v.radius * direction.sign()
        if v.generators is not None:
            sign = signs[v.symbols].sign()
            member = member + (v.generators * sign.view(*sign.shape, *[1] * (v.start.ndim - 2))).sum(2)
        members.append(member)
    return tuple(members)


def worst(
    rule: Rule, vs: tuple[Enclosure, ...], segments: Segments, function: Callable[..., Tensor] | None = None
) -> float:
    """How far outputs of members lie outside the enclosure of the output, relative to 1 + |output|; <= 0 if sound."""
    apply = function or rule.value
    ends = tuple(rule.value(tuple(getattr(v, side) for v in vs), getattr(segments, side)) for side in ("start", "end"))
    found = rule.enclose(vs, segments, (ends[0], ends[1]))
    excess = -float("inf")
    for s in torch.linspace(0, 1, POINTS, dtype=torch.float64).tolist():
        theta = chord(segments.start, segments.end, s)
        middle, reach = centre(found, s), found.reach
        for sign in (1.0, -1.0):
            push = tuple(
                torch.randn(v.start.shape, generator=torch.Generator().manual_seed(7), dtype=v.start.dtype) for v in vs
            )
            for _ in range(3):
                members = tuple(m.requires_grad_() for m in extreme(vs, s, push))
                output = apply(members, theta)
                excess = max(excess, float(inside(output.detach(), middle, reach).max()))
                unit = torch.arange(output[0, :, ...].flatten(1).shape[0]) % output[0].flatten(1).shape[1]
                target = sign * output[0].flatten(1)[torch.arange(len(unit)), unit].sum()
                gradients = torch.autograd.grad(target, members, allow_unused=True)
                push = tuple(torch.zeros_like(m) if g is None else g for g, m in zip(gradients, members, strict=True))
    return excess


def inside(output: Tensor, middle: Tensor, reach: Tensor) -> Tensor:
    return ((output - middle).abs() - reach) / (1 + output.abs())


def worst_loss(loss: ConvexLoss, y: Enclosure) -> float:
    """How far the losses of members rise above the bound, row by row, relative to 1 + the loss."""
    rows = Enclosure(*(part.transpose(0, 1) for part in (y.start, y.end, y.bend, y.radius)))
    if y.generators is not None:
        rows = Enclosure(rows.start, rows.end, rows.bend, rows.radius, y.generators.transpose(0, 1), (1,))
    bounds = loss_above(loss, rows, loss.targets[:1])
    excess = -float("inf")
    for s in torch.linspace(0, 1, 3 * CELLS + 1, dtype=torch.float64).tolist():
        cell = min(int(s * CELLS), CELLS - 1)
        share = s * CELLS - cell
        bound = (1 - share) * bounds[:, cell] + share * bounds[:, cell + 1]
        (member,) = extreme((rows,), s, (torch.ones_like(rows.start),))
        for _ in range(4):
            member = member.detach().requires_grad_()
            value = loss.value(member[:, 0], loss.targets[:1])
            excess = max(excess, float(((value - bound) / (1 + value.abs())).detach().max()))
            (push,) = torch.autograd.grad(value.sum(), member)
            (member,) = extreme((rows,), s, (push,))
    return excess
