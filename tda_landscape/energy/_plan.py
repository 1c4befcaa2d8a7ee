"""How many points to evaluate at once: one after another, all together, or in chunks; measured, not guessed.

Together is quicker until the activations leave the cache of the processor.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from functools import partial
from typing import Any

import torch
from torch import Tensor

SIZES = (1, 4, 16, 64, 256, 1024, 4096)
"""Batches are of so many points, or up to so many: a plan says for each size how many are evaluated at once."""

SMALL = 2**15
"""Numbers of a batch below which calling torch takes longer than its arithmetic: it is then evaluated as one."""

TINY = SMALL // 256
"""Numbers of one point of a network that is small even 256 times."""

REPEATS, PATIENCE = 3, 5e-3
"""A number of points is timed so often, but not again once that took so many seconds."""

BETTER, WORSE = 0.95, 1.15
"""Ratios of times per point: where more at once are worth it, and where the search for more ends."""

measured: dict[Any, int] = {}
"""What was measured in this process: an energy that looks like an earlier one gets its plan, and so the same bits."""


def size_of(points: int) -> int:
    """The size that a batch counts as."""
    return next((size for size in SIZES if points <= size), SIZES[-1])


def quickest(evaluate: Callable[[Tensor], Any], points: Tensor, most: int, times: dict[int, float]) -> int:
    """The number of points at once that takes least time a point; `times` a point are kept from call to call.

    Numbers grow until a point becomes clearly dearer.
    """
    best, cheapest = 1, float("inf")
    for rows in [size for size in SIZES if size < min(len(points), most)] + [min(len(points), most)]:
        size = size_of(rows)
        if size not in times:
            times[size] = _seconds(partial(evaluate, points[:rows])) / rows
        if times[size] < BETTER * cheapest:
            best, cheapest = size, times[size]
        elif times[size] > WORSE * cheapest:
            break
    return best


def _seconds(work: Callable[[], Any]) -> float:
    """Shortest time of some calls, after one that may have to prepare something."""
    # One thread's own time does not depend on what else the machine does; that of several is no measure of theirs.
    fine = time.get_clock_info("thread_time").resolution < 1e-5 and torch.get_num_threads() == 1
    clock = time.thread_time if fine else time.perf_counter
    begun = clock()
    work()
    shortest = clock() - begun
    for _ in range(REPEATS):
        start = clock()
        work()
        now = clock()
        shortest = min(shortest, now - start)
        if now - begun > PATIENCE:
            break
    return shortest
