"""Evaluating many points at once, in the quickest way there is."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Any

import torch
from torch import Tensor

from tda_landscape.energy._derivatives import value_and_grad
from tda_landscape.energy._network import Network
from tda_landscape.energy._plan import SMALL, TINY, measured, quickest, size_of
from tda_landscape.energy._ways import NEVER, PATIENCE, Both, Way, cheaper, energies_of, gradients_of, one_alone

Function = Callable[[Tensor], Tensor]


@dataclass(frozen=True, slots=True, eq=False)
class Evaluator:
    """Energies and gradients of a function or a network; what it learns of them on the way is kept.

    Attributes
    ----------
    plan : dict of int
        Size of a batch -> points evaluated at once, as far as known; key 0 stands for every size.
    ways : dict
        How values and gradients are evaluated, of one point or of many.
    times : dict
        Seconds a point when so many are evaluated at once.
    """

    dim: int
    function: Function
    gradient: Function | None
    network: Network | None
    plan: dict[int, int] = field(default_factory=dict)
    ways: dict[Any, Way] = field(default_factory=dict)
    times: dict[int, float] = field(default_factory=dict)

    def with_plan(self, plan: dict[int, int]) -> Evaluator:
        """The same with another plan."""
        return replace(self, plan=plan)

    def values(self, points: Tensor, most: int) -> Tensor:
        """Energies (k,)."""
        if len(points) == 0:
            return points.sum(1)
        parts = points.split(self._rows(points, most))
        answers = [self._way("values", part)(part)[0] for part in parts]
        return answers[0] if len(answers) == 1 else torch.cat(answers)

    def gradients(self, points: Tensor, most: int) -> Both:
        """Energies (k,) and gradients (k, d)."""
        if len(points) == 0:
            return points.sum(1), points.clone()
        parts = points.split(self._rows(points, most))
        answers = [self._way("gradients", part)(part) for part in parts]
        if len(answers) == 1:
            return answers[0][0], answers[0][1]
        return torch.cat([answer[0] for answer in answers]), torch.cat([answer[1] for answer in answers])

    def _rows(self, points: Tensor, most: int) -> int:
        """How many points to evaluate at once."""
        size = size_of(len(points))
        if self.network is not None and not self.network.vmap:
            return 1
        if 0 not in self.plan and size not in self.plan:
            self.plan[size] = self._planned(points, size, most)
        return min(self.plan.get(0, self.plan.get(size, 1)), most)

    def _planned(self, points: Tensor, size: int, most: int) -> int:
        """How many points to evaluate at once in batches of a size, by measuring where that takes long enough."""
        if size == 1 or size * self._width <= SMALL or self.gradient is not None:
            return size
        key = self._looks(size)
        if key not in measured:
            finite = points.nan_to_num(0.0, 0.0, 0.0)
            for part in (finite[:1], finite[:2]):
                self._way("gradients", part).prepare(part)
            best = quickest(lambda part: self._way("gradients", part)(part), finite, most, self.times)
            if key is None:
                return best
            measured[key] = best
        return measured[key]

    @property
    def _width(self) -> int:
        """Numbers that the evaluation of one point goes through, about."""
        if self.network is None:
            return self.dim
        return max(self.dim, self.network.inputs.numel())

    def _looks(self, size: int) -> Any:
        """What the time of a network depends on; None for a function, which tells nothing."""
        net = self.network
        if net is None:
            return None
        data = net.inputs.shape, net.targets.shape, net.inputs.dtype
        return repr(net.module), data, repr(net.loss), repr(net.regularizer), torch.get_num_threads(), size

    def _way(self, what: str, points: Tensor) -> Way:
        """The way to evaluate so many points.

        A single point of a large network goes the way of a plain loop, which is quicker; one of a small network the way
        of its batches, so that its last bits do not depend on its company.
        """
        net = self.network
        alone = net is not None and len(points) == 1 and (self._width > TINY or not net.vmap)
        if (what, alone) not in self.ways:
            self.ways[what, alone] = self._new_way(what, alone)
        if 0 in self.plan:  # who gives a plan means to evaluate often
            self.ways[what, alone].prepare(points)
        return self.ways[what, alone]

    def _new_way(self, what: str, alone: bool) -> Way:
        function, gradient, net = self.function, self.gradient, self.network
        if net is None:
            patience = PATIENCE if gradient is None else NEVER
            if what == "values":
                return Way(lambda x: (function(x),), patience=patience)
            return Way(lambda x: value_and_grad(function, gradient, x.detach()), patience=patience)
        if what == "values":
            return Way((lambda x: (net.values(x),)) if alone else energies_of(cheaper(net)), alone)
        return Way(one_alone(net) if alone else gradients_of(cheaper(net)), alone)
