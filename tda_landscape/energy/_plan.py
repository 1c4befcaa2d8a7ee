"""How many points to evaluate at once: one after another, all together, or in chunks.

Together is quicker until the activations leave the cache of the processor by far. So many as fit are the first guess;
it is compared with more and with fewer on the points that were asked for, where a plain loop over them takes longer.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor

from tda_landscape.energy._account import SHARE, clock

SIZES = (1, 4, 16, 64, 256, 1024, 4096)
"""Batches are of so many points, or up to so many: a plan says for each size how many are evaluated at once."""

SMALL = 2**15
"""Numbers of a batch below which calling torch takes longer than its arithmetic: it is then evaluated as one."""

CACHED, BOLD = 2**17, 4
"""Numbers in the largest tensors of one batch that are as quick to come by as fewer, whatever else the machine does;
and how many times as many are guessed at where the guess is measured."""

ENOUGH = 20
"""Points of a batch from which on it is worth comparing: two of them are evaluated alone for that."""

BETTER = 0.85
"""Ratio of times per point from which on another number at once is taken instead of the first guess."""

WORST = 1.5
"""Another number at once is reckoned to take so much longer a point, before it is tried."""

measured: dict[Any, int] = {}
"""What was measured in this process: an energy that looks like an earlier one gets its plan, and so the same bits."""

Answer = tuple[Tensor, ...]


def size_of(points: int) -> int:
    """The size that a batch counts as."""
    return next((size for size in SIZES if points <= size), SIZES[-1])


def guess(width: int, size: int) -> int:
    """The most points, in a batch of a size, whose largest tensors of so many numbers each stay in the cache."""
    return max(rows for rows in SIZES if rows == 1 or (rows <= size and rows * width <= CACHED))


def widest(evaluate: Callable[[], Any], *apart: Tensor) -> int:
    """Numbers in the largest tensor that is kept for the gradient of one evaluation; some are left out."""
    sizes, own = [1], {tensor.untyped_storage().data_ptr() for tensor in apart}

    def keep(tensor: Tensor) -> Tensor:
        if tensor.untyped_storage().data_ptr() not in own:
            sizes.append(tensor.numel())
        return tensor

    try:
        with torch.enable_grad(), torch.autograd.graph.saved_tensors_hooks(keep, lambda tensor: tensor):
            evaluate()
    except RuntimeError:  # inside torch.func there are no such hooks
        return 1
    return max(sizes)


def quickest(
    evaluate: Callable[[Tensor], Answer], points: Tensor, first: int, most: int, loop: float
) -> tuple[int, Answer]:
    """The number of points at once that takes least time a point, and its answer for the first of the points.

    Starts from a first guess, which is given up where it is slower than a plain loop, which takes `loop` seconds a
    point. Each trial must be paid for by what the whole batch saves against that.
    """
    spent, answers = 0.0, {}

    def seconds(size: int) -> float:
        """Of one point, so many at once."""
        nonlocal spent
        now, part = clock(), points[: min(size, most)]
        begun = now()
        answers[size] = evaluate(part)
        took = now() - begun
        spent += took
        return took / len(part)

    best, cheapest = first, seconds(first)
    if first > 1 and cheapest > loop:
        return 1, evaluate(points[:1])
    for step in (1, -1):
        at = SIZES.index(best)
        while 0 <= (at := at + step) < len(SIZES) and SIZES[at - 1 if at else 0] < min(len(points), most):
            bill = spent + WORST * cheapest * min(SIZES[at], len(points)) + cheapest * len(points)
            if bill > (1 + SHARE) * loop * len(points):
                break
            found = seconds(SIZES[at])
            if found > BETTER * cheapest:
                break
            best, cheapest = SIZES[at], found
        if best != first:
            break
    return best, answers[best]
