"""What a path search is, and the public door to all of them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Protocol, runtime_checkable

import torch
from torch import Tensor

from tda_landscape._errors import InputError, expect, expect_number
from tda_landscape.energy import Energy
from tda_landscape.energy._batching import Watch
from tda_landscape.energy._function import as_tensor
from tda_landscape.energy._random import Seed, as_generator
from tda_landscape.paths._path import Path
from tda_landscape.paths._verify import verify


@runtime_checkable
class Search(Protocol):
    """A path search: a frozen dataclass with this one method.

    An iterative search writes itself as a task for one pair and has `search_all` run all pairs side by side and
    verify what they found; a constructive one may return its paths directly.
    """

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
        """Return a verified path for each row of `starts` and `ends` (p, d), one generator a pair.

        On a torus the ends are not wrapped: the line between the two rows says which way around it goes.
        With `level`, a search may stop as soon as it is below it. An iterative search calls
        ``watch(pair, polyline, spent)`` whenever it has a lower polyline (m, d) than before, `spent` gradient
        equivalents after its start; the last one is the path that it returns.
        """


def find_path(
    energy: Energy,
    a: Tensor,
    b: Tensor,
    *,
    search: Search | None = None,
    level: float | None = None,
    metric: Energy | None = None,
    seed: Seed = 0,
    watch: Callable[[Tensor, float], None] | None = None,
) -> Path:
    """Search a low path between two points.

    Parameters
    ----------
    energy : Energy
    a, b : Tensor (d,)
        The two ends; on a torus the search starts from the shortest straight line.
    search : Search, optional
        `Ladder()` by default.
    level : float, optional
        Stop as soon as the path lies at or below this level; ask ``path.below(level)`` or print
        ``path.answer(level)``.
    metric : Energy, optional
        Another energy of the same points, on which level and height are measured, e.g. the mean absolute error of
        a network trained on squares. The search goes down `energy` as far as its budget lets it.
    seed : int or torch.Generator
    watch : callable, optional
        Called as ``watch(polyline, spent)`` whenever an iterative search has a lower polyline (m, d) than before,
        `spent` gradient equivalents after its start.

    Returns
    -------
    Path
        Its height is an upper bound of the barrier (on `metric`, where given). A path that stays above `level`
        leaves the pair unresolved: it never shows that the two are disconnected.

    Raises
    ------
    InputError
        Points that do not fit the energy, or an end above `level`.

    Examples
    --------
    >>> import torch, tda_landscape as tl
    >>> path = tl.find_path(tl.zoo.double_well(2), torch.tensor([-1.0, -1.0]), torch.tensor([1.0, 1.0]))
    >>> round(path.height, 2), path.status, path.below(1.01)
    (1.0, 'refined', True)
    """
    from tda_landscape.paths.ladder import Ladder

    expect(Energy, energy=energy)
    expect(Energy | None, metric=metric)
    expect(Search | None, search=search)
    expect(Callable | None, watch=watch)
    expect_number("[-inf, inf] or None", level=level)
    starts, ends = _ends(energy, a, b)
    measured = energy if metric is None else metric
    if measured.dim != energy.dim:
        raise InputError(f"the metric has dimension {measured.dim}, the energy {energy.dim}; they must agree")
    if level is not None:
        high = float(measured(torch.cat([starts, ends])).max())
        if not high <= level:
            raise InputError(f"an end has energy {high:.6g}, above the level {level:.6g}; raise the level")
    ends = starts + energy.displacement(starts, ends)
    goal = level if metric is None else None
    told = None if watch is None else lambda _, line, spent: watch(line, spent)
    (path,) = (search or Ladder()).find(energy, starts, ends, [as_generator(seed)], level=goal, watch=told)
    return path if metric is None else verify(metric, [path.points], [path.reason])[0]


def _ends(energy: Energy, a: Tensor, b: Tensor) -> tuple[Tensor, Tensor]:
    """The two ends as batches of one point (1, d), checked."""
    start, end = as_tensor(a, "a", energy.dtype), as_tensor(b, "b", energy.dtype)
    if not start.shape == end.shape == (energy.dim,):
        raise InputError(
            f"the ends must be points of shape ({energy.dim},), the dimension of the energy, "
            f"got shapes {tuple(start.shape)} and {tuple(end.shape)}"
        )
    for name, point in (("a", start), ("b", end)):
        bad = torch.nonzero(~torch.isfinite(point)).flatten().tolist()
        if bad:
            raise InputError(f"coordinate {bad[0]} of {name} is {float(point[bad[0]])}; give two finite points")
    return start[None], end[None]
