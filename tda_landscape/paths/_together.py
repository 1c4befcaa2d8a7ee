"""Several tasks as one: what they ask for at the same time is asked for together."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, TypeVar

import torch

from tda_landscape.energy._batching import Gradients, Task, Values

Result = TypeVar("Result")


def together(tasks: Sequence[Task[Result]]) -> Task[list[Result]]:
    """Run tasks that make no reports side by side, within a task; return their results in order."""
    results: dict[int, Result] = {}
    answers: dict[int, Any] = dict.fromkeys(range(len(tasks)))
    while answers:
        asked: dict[int, Any] = {}
        for i, answer in answers.items():
            try:
                asked[i] = tasks[i].send(answer)
            except StopIteration as end:
                results[i] = end.value
        answers = {}
        for kind in (Values, Gradients):
            who = [i for i, request in asked.items() if isinstance(request, kind)]
            if not who:
                continue
            sizes = [len(asked[i].points) for i in who]
            answer = yield kind(torch.cat([asked[i].points for i in who]))
            if kind is Values:
                answers.update(zip(who, answer.split(sizes), strict=True))
            else:
                energies, gradients = answer
                parts = zip(energies.split(sizes), gradients.split(sizes), strict=True)
                answers.update(zip(who, parts, strict=True))
    return [results[i] for i in range(len(tasks))]
