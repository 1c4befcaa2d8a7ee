"""Peers as they are published, without what this package would add: AutoNEB and the string method.

Both report what they have at fixed intervals; the measurements of these reports are not charged to them.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

import tda_landscape as tl
from tda_landscape.energy._batching import Meter, Task
from tda_landscape.paths import Stop
from tda_landscape.paths._adam import Adam
from tda_landscape.paths._band import tangents
from tda_landscape.paths._loop import search_all

EVERY = 5  # steps between two reports
SUBPOINTS, THRESHOLD, INSERTIONS = 9, 0.1, 2  # of AutoNEB, a gap, over the range of the band, a cycle
MOMENTUM = 0.9


@dataclass(frozen=True)
class AutoNEB:
    """Draxler, Veschgini, Salmhofer and Hamprecht, ICML 2018; schedule and rules of their code (PyTorch-AutoNEB).

    3 images, then up to 2 more before each of 14 cycles, where a gap rises above the line between its images by a
    tenth of the range of the band; SGD with momentum; the images are put back to their places along the band before
    each gradient (infinite springs); the tangent with the weights of an extremum as that code has them. All steps
    of the published schedule are divided by `shortened`, and its rates multiplied by `faster`.
    """

    shortened: float = 25.0
    faster: float = 1.0

    def cycles(self) -> list[tuple[int, float]]:
        """Steps and rates."""
        published = [(1000, 0.1)] * 4 + [(2000, 0.1)] * 2 + [(1000, 0.01)] * 4 + [(1000, 0.001)] * 4
        return [(max(1, round(steps / self.shortened)), rate * self.faster) for steps, rate in published]

    def find(self, energy, starts, ends, generators, *, level=None, watch=None) -> Sequence[tl.Path]:
        tasks = [self.search(a, b) for a, b in zip(starts, ends, strict=True)]
        return search_all(energy, tasks, watch)

    def search(self, a: Tensor, b: Tensor) -> Task[tuple[Tensor, Stop]]:
        meter = Meter()
        x, shares = line_between(a, b, 3), torch.full((4,), 0.25, dtype=a.dtype)
        ends = yield from meter.values(torch.stack([a, b]))
        yield from meter.report(x)
        for cycle, (steps, rate) in enumerate(self.cycles()):
            if cycle:
                x, shares = yield from insert_highest(x, shares, meter)
            momentum = torch.zeros_like(x[1:-1])
            for step in range(steps):
                x = put_back(x, shares)
                energies, gradients = yield from meter.gradients(x[1:-1])
                along = swapped_tangents(x, torch.cat([ends[:1], energies, ends[1:]]))
                momentum = MOMENTUM * momentum + across(gradients, along)
                x = torch.cat([x[:1], x[1:-1] - rate * momentum, x[-1:]])
                if (step + 1) % EVERY == 0 or step + 1 == steps:
                    yield from meter.report(x)
        return x, Stop.BUDGET


@dataclass(frozen=True)
class PublishedString:
    """E, Ren and Vanden-Eijnden 2007, with Adam on a cosine schedule and the tangent of Henkelman and Jonsson 2000."""

    images: int = 9
    steps: int = 240
    rate: float = 0.02

    def find(self, energy, starts, ends, generators, *, level=None, watch=None) -> Sequence[tl.Path]:
        tasks = [self.search(a, b) for a, b in zip(starts, ends, strict=True)]
        return search_all(energy, tasks, watch)

    def search(self, a: Tensor, b: Tensor) -> Task[tuple[Tensor, Stop]]:
        meter = Meter()
        x = line_between(a, b, self.images)
        shares = torch.full((self.images + 1,), 1 / (self.images + 1), dtype=a.dtype)
        ends = yield from meter.values(torch.stack([a, b]))
        yield from meter.report(x)
        adam = Adam.of(self.images, a)
        for step in range(self.steps):
            x = put_back(x, shares)
            energies, gradients = yield from meter.gradients(x[1:-1])
            along = tangents(x, torch.cat([ends[:1], energies, ends[1:]]))
            adam = adam.note(-across(gradients, along))
            rate = self.rate * (0.5 + 0.5 * math.cos(math.pi * step / self.steps))
            x = torch.cat([x[:1], x[1:-1] + rate * adam.step, x[-1:]])
            if (step + 1) % EVERY == 0 or step + 1 == self.steps:
                yield from meter.report(x)
        return x, Stop.BUDGET


def line_between(a: Tensor, b: Tensor, images: int) -> Tensor:
    t = torch.linspace(0, 1, images + 2, dtype=a.dtype)[:, None]
    return torch.cat([a[None], (a + t * (b - a))[1:-1], b[None]])


def across(gradients: Tensor, along: Tensor) -> Tensor:
    return gradients - (gradients * along).sum(1, keepdim=True) * along


def put_back(x: Tensor, shares: Tensor) -> Tensor:
    """Move the images along the band (m, d) until its segments have these shares of its length."""
    lengths = torch.nn.functional.pad(x.diff(dim=0).norm(dim=1).cumsum(0), (1, 0))
    wanted = shares.cumsum(0)[:-1] * lengths[-1]
    segment = (torch.searchsorted(lengths, wanted) - 1).clamp(0, len(shares) - 1)
    t = ((wanted - lengths[segment]) / lengths.diff()[segment].clamp(min=1e-300))[:, None]
    return torch.cat([x[:1], x[segment] + t * (x[segment + 1] - x[segment]), x[-1:]])


def swapped_tangents(x: Tensor, energies: Tensor) -> Tensor:
    """Tangents as PyTorch-AutoNEB has them: unit vectors, and the two weights of an extremum exchanged."""
    steps = x.diff(dim=0)
    steps = steps / steps.norm(dim=1, keepdim=True).clamp(min=1e-300)
    before, here, after = energies[:-2], energies[1:-1], energies[2:]
    rise, fall = (after - here).abs(), (before - here).abs()
    larger, smaller = torch.maximum(rise, fall), torch.minimum(rise, fall)
    back, ahead = torch.where(before > after, smaller, larger), torch.where(before > after, larger, smaller)
    extremum = ((before < here) & (here > after)) | ((before > here) & (here < after))
    back = torch.where(extremum, back, (before > after).to(x.dtype))
    ahead = torch.where(extremum, ahead, (before <= after).to(x.dtype))
    tangent = back[:, None] * steps[:-1] + ahead[:, None] * steps[1:]
    return tangent / tangent.norm(dim=1, keepdim=True).clamp(min=1e-300)


def insert_highest(x: Tensor, shares: Tensor, meter: Meter) -> Task[tuple[Tensor, Tensor]]:
    """Put an image at the highest point of those gaps that rise most above the line between their images."""
    gaps = len(x) - 1
    t = torch.arange(SUBPOINTS + 1, dtype=x.dtype) / (SUBPOINTS + 1)
    points = torch.cat([(x[:-1, None] + t[:, None] * x.diff(dim=0)[:, None]).flatten(0, 1), x[-1:]])
    values = yield from meter.values(points)
    pivots, inner = values[:: SUBPOINTS + 1], values[:-1].view(gaps, SUBPOINTS + 1)
    straight = pivots[:-1, None] * (1 - t) + pivots[1:, None] * t
    rise, where = ((inner - straight)[:, 1:] / (pivots.max() - pivots.min() + 1e-12)).max(1)
    chosen = [i for i in rise.argsort()[-INSERTIONS:].tolist() if rise[i] > THRESHOLD]
    for gap in sorted(chosen, reverse=True):
        share = t[1:][where[gap]]
        image = x[gap] + share * (x[gap + 1] - x[gap])
        x = torch.cat([x[: gap + 1], image[None], x[gap + 1 :]])
        shares = torch.cat(
            [shares[:gap], (share * shares[gap])[None], ((1 - share) * shares[gap])[None], shares[gap + 1 :]]
        )
    return x, shares / shares.sum()


PEERS: dict[str, tl.paths.Search] = {
    "AutoNEB, rates as published": AutoNEB(),
    "AutoNEB, rates x 6": AutoNEB(faster=6.0),
    "AutoNEB, rates x 12": AutoNEB(faster=12.0),
    "9 images, rate .02": PublishedString(),
    "9 images, rate .05": PublishedString(rate=0.05),
}
"""Peers with the rates that they are published or commonly used with, and with those best on tuning seeds of C.

The rates x 6 reach 10 and 5 % first, x 12 reach 2 and 1 % first; the published ones are far from their best here.
"""
