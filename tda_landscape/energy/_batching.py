"""Many searches at once: each is written for itself, their evaluations are made together.

A search is a generator that yields `Values` or `Gradients` requests and is sent the answers. `drive` runs any
number of them side by side and joins what they ask for at the same time into one batch. A search may also `Report`
what it has so far, which costs nothing and changes nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Generator, Sequence
from typing import Any, NamedTuple, TypeVar

import torch
from torch import Tensor

from tda_landscape.energy._energy import Energy
from tda_landscape.energy._tally import GRADIENT, VALUE


class Values(NamedTuple):
    """Please evaluate the energy at these points (k, d); the answer is (k,)."""

    points: Tensor


class Gradients(NamedTuple):
    """Please evaluate energy and gradient at these points (k, d); the answer is (k,), (k, d)."""

    points: Tensor


class Report(NamedTuple):
    """Please note: this is the best found so far, at this cost; the answer is None and comes at once."""

    best: Tensor
    spent: float


Result = TypeVar("Result")
Task = Generator[Values | Gradients | Report, Any, Result]
Watch = Callable[[int, Tensor, float], None]
"""Called with the number of a task, the best that it has found and the gradient equivalents that it has spent."""


class Meter:
    """Asks for evaluations on behalf of one task and adds up what they cost."""

    def __init__(self) -> None:
        self.spent = 0.0

    def values(self, points: Tensor) -> Task[Tensor]:
        """Ask for energies (k,)."""
        self.spent += VALUE * len(points)
        energies: Tensor = yield Values(points)
        return energies

    def gradients(self, points: Tensor) -> Task[tuple[Tensor, Tensor]]:
        """Ask for energies (k,) and gradients (k, d)."""
        self.spent += GRADIENT * len(points)
        answer: tuple[Tensor, Tensor] = yield Gradients(points)
        return answer

    def report(self, best: Tensor) -> Task[None]:
        """Tell whoever watches what has been found by now."""
        yield Report(best, self.spent)


def finite_or_inf(energies: Tensor) -> Tensor:
    """Put what is not finite outside every sublevel set: no comparison can then take it for low."""
    return torch.where(torch.isfinite(energies), energies, torch.inf)


def drive(energy: Energy, tasks: Sequence[Task[Result]], watch: Watch | None = None) -> list[Result]:
    """Run all tasks to their ends and return their results in order; hand their reports to `watch`."""
    results: dict[int, Result] = {}
    requests: dict[int, Values | Gradients] = {}

    def resume(i: int, answer: Any) -> None:
        try:
            request = tasks[i].send(answer)
            while isinstance(request, Report):
                if watch is not None:
                    watch(i, request.best, request.spent)
                request = tasks[i].send(None)
            requests[i] = request
        except StopIteration as end:
            results[i] = end.value

    for i in range(len(tasks)):
        resume(i, None)
    while requests:
        asked = dict(requests)
        requests.clear()
        answers: dict[int, Any] = {}
        for kind in (Values, Gradients):
            who = [i for i, request in asked.items() if isinstance(request, kind)]
            if who:
                sizes = [len(asked[i].points) for i in who]
                answers.update(zip(who, _answer(energy, kind, [asked[i].points for i in who], sizes), strict=True))
        for i, answer in answers.items():
            resume(i, answer)
    return [results[i] for i in range(len(tasks))]


def _answer(energy: Energy, kind: type, points: list[Tensor], sizes: list[int]) -> list[Any]:
    """Evaluate joined requests once and cut the answer up again."""
    if len(points) == 1:
        return [energy(points[0]) if kind is Values else energy.value_and_grad(points[0])]
    joined = torch.cat(points)
    if kind is Values:
        return list(energy(joined).split(sizes))
    energies, gradients = energy.value_and_grad(joined)
    return list(zip(energies.split(sizes), gradients.split(sizes), strict=True))
