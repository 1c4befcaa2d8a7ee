"""What evaluating has taken so far, against a plain loop over the points: what may be spent on becoming quicker."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass

import torch

SHARE = 0.05
"""Part of the time of a plain loop that measuring and recording may cost over what they have saved by then."""

FINE = time.get_clock_info("thread_time").resolution < 1e-5


def clock() -> Callable[[], float]:
    """The clock for this thread's work: its own time, which does not depend on what else the machine does.

    That of several threads would be no measure of their work.
    """
    return time.thread_time if FINE and torch.get_num_threads() == 1 else time.perf_counter


@dataclass(slots=True)
class Account:
    """Time spent on so many points, and what a plain loop over them would have taken.

    A plain loop takes `loop` seconds a point, the mean of what single points took; NaN until one was timed.
    """

    points: float = 0.0
    spent: float = 0.0
    alone: float = 0.0
    times: int = 0

    @property
    def loop(self) -> float:
        """Seconds of one point alone."""
        return self.alone / self.times if self.times else float("nan")

    def note_alone(self, seconds: float) -> None:
        """A point was evaluated alone, without a recording."""
        self.alone += seconds
        self.times += 1

    @property
    def credit(self) -> float:
        """Seconds that all time so far is short of what a plain loop would have taken and its share."""
        return (1 + SHARE) * self.points * self.loop - self.spent
