"""Evaluating many points at once, in the quickest way there is."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Any

import torch
from torch import Tensor

from tda_landscape.energy._account import Account, clock
from tda_landscape.energy._derivatives import hessian_products, value_and_grad
from tda_landscape.energy._network import Network
from tda_landscape.energy._plan import BOLD, ENOUGH, SMALL, guess, measured, quickest, size_of, widest
from tda_landscape.energy._tally import GRADIENT, HVP, VALUE
from tda_landscape.energy._ways import NEVER, PATIENCE, Both, Way, cheaper, energies_of, gradients_of, one_alone

Function = Callable[[Tensor], Tensor]
Answer = tuple[Tensor, ...]


@dataclass(frozen=True, slots=True, eq=False)
class Evaluator:
    """Energies and gradients of a function or a network; what it learns of them on the way is kept.

    Attributes
    ----------
    plan : dict of int
        Size of a batch -> points evaluated at once, as far as known; key 0 stands for every size.
    ways : dict
        How values and gradients are evaluated, of one point or of many.
    account : Account
        What that has taken.
    """

    dim: int
    function: Function
    gradient: Function | None
    network: Network | None
    plan: dict[int, int] = field(default_factory=dict)
    ways: dict[Any, Way] = field(default_factory=dict)
    account: Account = field(default_factory=Account)

    def with_plan(self, plan: dict[int, int]) -> Evaluator:
        """The same with another plan."""
        return replace(self, plan=plan)

    def values(self, points: Tensor, most: int) -> Tensor:
        """Energies (k,)."""
        if len(points) == 0:
            return points.sum(1)
        return self._timed("values", points, most)[0]

    def gradients(self, points: Tensor, most: int) -> Both:
        """Energies (k,) and gradients (k, d)."""
        if len(points) == 0:
            return points.sum(1), points.clone()
        energies, gradients = self._timed("gradients", points, most)
        return energies, gradients

    def products(self, points: Tensor, vectors: Tensor) -> Tensor:
        """Hessian at each point times the vector of the same row (k, d)."""
        if ("products", False) not in self.ways:
            self.ways["products", False] = self._new_way("products", False)
        now = clock()
        begun = now()
        (answer,) = self.ways["products", False](points, vectors)
        self.account.spent += now() - begun
        self.account.points += HVP * len(points)
        return answer

    def _timed(self, what: str, points: Tensor, most: int) -> Answer:
        """Evaluate, and keep account of what it takes."""
        now, account = clock(), self.account
        begun = now()
        answer = self._evaluated(what, points, most)
        way = self._way(what, points) if len(points) == 1 else None
        took = now() - begun
        account.spent += took
        account.points += (GRADIENT if what == "gradients" else VALUE) * len(points)
        if what == "gradients" and way is not None and way.recording is None:
            account.note_alone(took)
        elif not account.times and account.points > 2 * ENOUGH and any(w.open for w in self.ways.values()):
            account.spent += sum(self._look_at_one("gradients", points[:1]))
        return answer

    def _evaluated(self, what: str, points: Tensor, most: int) -> Answer:
        rows, first = self._rows(what, points, most)
        if len(points) <= rows:
            return first or self._way(what, points)(points)
        parts = points.split(rows)
        answers = [first] if first else []
        answers += [self._way(what, part)(part) for part in parts[len(answers) :]]
        return tuple(torch.cat(column) for column in zip(*answers, strict=True))

    def _rows(self, what: str, points: Tensor, most: int) -> tuple[int, Answer | None]:
        """How many points to evaluate at once, and the answer for the first of them, where that was measured."""
        size, answer = size_of(len(points)), None
        if self.network is not None and not self.network.vmap:
            return 1, None
        if 0 not in self.plan and size not in self.plan:
            self.plan[size], answer = self._planned(what, points, size, most)
        return min(self.plan.get(0, self.plan.get(size, 1)), most), answer

    def _planned(self, what: str, points: Tensor, size: int, most: int) -> tuple[int, Answer | None]:
        """How many points to evaluate at once in batches of a size, by measuring where that pays."""
        if size == 1 or self.gradient is not None:
            return size, None
        key = self._looks(size)
        if key in measured:
            return measured[key], None
        best, answer, data = size, None, 0 if self.network is None else self.network.inputs.numel()
        if size * max(self.dim, data) > SMALL:
            width, known = self._width(points[:1]), len(points) >= ENOUGH and bool(points.isfinite().all())
            best = min(guess(width // BOLD if known else width, size), size_of(most))
            if known:
                loop = self._look_at_one(what, points[:1])[1]
                best, answer = quickest(lambda part: self._way(what, part)(part), points, best, most, loop)
        if key is not None:
            measured[key] = best
        return best, answer

    def _look_at_one(self, what: str, point: Tensor) -> tuple[float, float]:
        """Seconds that a point takes in a plain loop: at first, and again."""
        plain, now = self._way(what, point).plain, clock()
        begun = now()
        plain(point)
        between = now()
        plain(point)
        again = now() - between
        if what == "gradients":
            self.account.note_alone(again)
        return between - begun, again

    def _width(self, point: Tensor) -> int:
        """Numbers in the largest tensor that the evaluation of one point keeps, but for the data."""
        if self.network is not None:
            return max(self.dim, round(self.network.activations * len(self.network.inputs)))
        return max(self.dim, widest(lambda: self.function(point.detach().requires_grad_())))

    def _looks(self, size: int) -> Any:
        """What the time of a network depends on; None for a function, which tells nothing."""
        net = self.network
        if net is None:
            return None
        data = net.inputs.shape, net.targets.shape, net.inputs.dtype
        return repr(net.module), data, repr(net.loss), repr(net.regularizer), torch.get_num_threads(), size

    def _way(self, what: str, points: Tensor) -> Way:
        """The way to evaluate so many points.

        A single point of a network goes the way of a plain loop, which is quicker as long as there is no recording.
        """
        net = self.network
        alone = net is not None and len(points) == 1
        if (what, alone) not in self.ways:
            self.ways[what, alone] = self._new_way(what, alone)
        if 0 in self.plan:  # who gives a plan means to evaluate often
            self.ways[what, alone].prepare(points)
        return self.ways[what, alone]

    def _new_way(self, what: str, alone: bool) -> Way:
        function, gradient, net = self.function, self.gradient, self.network
        patience = PATIENCE if gradient is None else NEVER
        if what == "products":
            return Way(lambda x, v: (hessian_products(function, gradient, x, v),), False, patience, self.account, HVP)
        if net is None:
            if what == "values":
                return Way(lambda x: (function(x),), False, patience, self.account)
            return Way(lambda x: value_and_grad(function, gradient, x.detach()), False, patience, self.account)
        if what == "values":
            plain = (lambda x: (net.values(x),)) if alone else energies_of(cheaper(net))
            return Way(plain, alone, account=self.account)
        return Way(one_alone(net) if alone else gradients_of(cheaper(net)), alone, account=self.account)
