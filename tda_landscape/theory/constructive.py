"""A path search that searches nothing: it builds the path that a theorem promises."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from tda_landscape._errors import InputError, expect_number
from tda_landscape.energy import Energy
from tda_landscape.energy._batching import Watch
from tda_landscape.paths import Path, Search
from tda_landscape.theory._construction import Construction, first_that_applies
from tda_landscape.theory._curve import follow
from tda_landscape.theory.deep_lift import DEEP_LIFT
from tda_landscape.theory.lift import KERNEL_LIFT
from tda_landscape.theory.linear import DEEP_LINEAR
from tda_landscape.theory.quadratic import QUADRATIC
from tda_landscape.theory.ridge import RIDGE

CONSTRUCTIONS: tuple[Construction, ...] = (DEEP_LINEAR, RIDGE, KERNEL_LIFT, QUADRATIC, DEEP_LIFT)
"""Every construction, in the order in which they are tried; a new one is one line."""


@dataclass(frozen=True, slots=True)
class Constructive:
    r"""Build the path of the first theorem whose hypotheses hold.

    The path is no higher than its higher end, up to `delta`: any two minima merge at the higher one's energy, and
    the count of components is 1 at every level where there is one.

    Parameters
    ----------
    otherwise : Search, optional
        What searches where no theorem applies; without it that is an error.
    delta : float
        How far the polyline may exceed the maximum of the exact curve, relative to 1 + abs(maximum). Polylines of
        straight pieces do not exceed it at all.

    Examples
    --------
    >>> import torch, tda_landscape as tl
    >>> inputs, labels = tl.zoo.datasets.load("iris")
    >>> model = tl.zoo.networks.mlp([4, 5, 4, 3], activation="identity")
    >>> energy = tl.Energy.from_model(model, torch.nn.functional.cross_entropy, (inputs, labels))
    >>> a, b = energy.start(2, 0)
    >>> path = tl.find_path(energy, a, b, search=tl.theory.Constructive())
    >>> higher = float(energy(torch.stack([a, b])).max())
    >>> path.height <= higher * (1 + 1e-12), path.reason.value
    (True, 'constructed as a theorem promises')
    """

    otherwise: Search | None = None
    delta: float = 1e-6

    def __post_init__(self) -> None:
        expect_number("(0, inf)", delta=self.delta)

    def find(
        self,
        energy: Energy,
        starts: Tensor,
        ends: Tensor,
        generators: Sequence[torch.Generator],
        *,
        level: float | None = None,
        watch: Watch | None = None,
    ) -> list[Path]:
        """Return a verified path for each pair of rows (p, d)."""
        try:
            chain, _, construction = first_that_applies(energy, CONSTRUCTIONS, "give `otherwise` a search")
        except InputError:
            if self.otherwise is None:
                raise
            return self.otherwise.find(energy, starts, ends, generators, level=level, watch=watch)
        if not torch.isfinite(torch.cat([starts, ends])).all():
            raise InputError("some points have entries that are not finite; leave them out, no path leads there")
        pairs = list(zip(starts.double(), ends.double(), strict=True))
        curves = [construction.connect(chain, *pair, rng) for pair, rng in zip(pairs, generators, strict=True)]
        return follow(energy, curves, list(zip(starts, ends, strict=True)), self.delta)
