"""How fast the gap of two-layer ReLU networks closes with their width, beside the exponent of the theorem."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn import functional

from tda_landscape._errors import InputError, expect_number, expect_whole
from tda_landscape.energy import Energy
from tda_landscape.energy._batching import Meter, drive
from tda_landscape.energy._downhill import minimize
from tda_landscape.energy._random import as_generator
from tda_landscape.paths import Ladder, Search, Straight

ROWS = 10
"""Rows of data for each hidden unit: once there are as many units as rows, the gap is 0 by another theorem."""

RESOLUTION = 1e-3
"""What a path search resolves, as a part of what the straight line rises above its higher end."""

RESAMPLES, COVERAGE = 2000, 0.95


class BoundedReLU(nn.Module):
    """x -> sum_i u_i relu(<w_i, x>) with |w_i| <= 1: w is v, shortened to length 1 where v is longer.

    Each w is the image of a connected set of v, so that sublevel sets have as many components as those over w.
    """

    def __init__(self, inputs: int, width: int) -> None:
        super().__init__()
        self.hidden = nn.Parameter(torch.empty(width, inputs))
        self.output = nn.Parameter(torch.empty(width))
        self.reset_parameters()

    def reset_parameters(self) -> None:
        """Draw w uniformly on the sphere, u normal with variance 1 / width."""
        with torch.no_grad():
            self.hidden.normal_()
            self.hidden.div_(self.hidden.norm(dim=1, keepdim=True))
            self.output.normal_(std=len(self.output) ** -0.5)

    def forward(self, x: Tensor) -> Tensor:
        """Outputs (rows,)."""
        w = self.hidden / self.hidden.norm(dim=1, keepdim=True).clamp(min=1)
        return torch.relu(x @ w.T) @ self.output


@dataclass(frozen=True, slots=True, eq=False)
class AsymptoticExponent:
    """Gaps of pairs of networks by width, and the power of the width that they follow.

    Attributes
    ----------
    widths : ndarray of int (w,)
    gaps : ndarray (w, p)
        Height of the path found between the two networks of a pair, above the higher of them.
    censored : ndarray of bool (w, p)
        Which gaps are below what the search resolves; they stand at that floor.
    medians : ndarray (w,)
    used : ndarray of bool (w,)
        Widths in the fit: those whose median is not censored.
    exponent : float or None
        Slope of log median against log width; None with fewer than two widths.
    interval : tuple of float or None
        95 % of bootstrap resamples of the pairs.
    theorem : float
        -1/n, the exponent of the upper bound.
    rows : int
        Of the data.
    """

    widths: NDArray[np.intp]
    gaps: NDArray[np.float64]
    censored: NDArray[np.bool_]
    medians: NDArray[np.float64]
    used: NDArray[np.bool_]
    exponent: float | None
    interval: tuple[float, float] | None
    theorem: float
    rows: int

    @property
    def consistent(self) -> bool | None:
        """Read one-sided: False where all of the interval is above -1/n; None without a fit.

        The theorem bounds the gap from above as the width grows: a steeper fall confirms it, a slower one over these
        widths does not refute it. Heights of paths are upper bounds of barriers.
        """
        return None if self.interval is None else self.interval[0] <= self.theorem

    def __str__(self) -> str:
        """The points and the fit in words."""
        lines = [
            f"width {width:>4}: median gap {median:.3g}, {int(hidden.sum())} of {len(hidden)} below the resolution"
            for width, median, hidden in zip(self.widths, self.medians, self.censored, strict=True)
        ]
        fit = "no exponent: fewer than two widths have gaps above the resolution"
        if self.exponent is not None and self.interval is not None:
            low, high = self.interval
            fit = f"gap ~ width^{self.exponent:.2f}, 95 % between {low:.2f} and {high:.2f}"
        verdict = {
            True: "not above it: as the theorem says",
            False: "above it: slower than the bound at these widths, which the theorem does not exclude",
            None: "not compared",
        }[self.consistent]
        return "\n".join([*lines, fit, f"upper bound of the theorem: width^{self.theorem:.2f}; {verdict}"])


def asymptotic_exponent(
    data: tuple[Any, Any],
    widths: Sequence[int],
    *,
    penalty: float = 1e-3,
    pairs: int = 8,
    search: Search | None = None,
    seed: int = 0,
) -> AsymptoticExponent:
    """Measure the gap between pairs of trained two-layer ReLU networks against their width.

    Parameters
    ----------
    data : (inputs, targets)
        (rows, n) and (rows,), many more rows than hidden units.
    widths : sequence of int
    penalty : float
        kappa, of the sum of abs(output weights).
    pairs : int
        Pairs of networks of each width; each has descents of its own.
    search : Search, optional
        `Ladder()` by default. Gaps below 1e-3 of what the straight line rises are censored.
    seed : int

    Returns
    -------
    AsymptoticExponent
        ``print`` it to read it.

    Raises
    ------
    InputError
        Fewer than ten rows for each hidden unit, or settings that make no fit.

    Notes
    -----
    Freeman and Bruna (2017), Theorem 2.4 and Corollary 2.5: mean squared error + kappa |W_2|_1 with hidden weights
    |w_i| <= 1; any two networks below a level u are joined below max(u, eps(m)), eps(m) = O(m^(-1/n)). That exponent is
    an upper bound, and not proved in full; here it is compared one-sided. No permutation is used. Censored widths are
    left out of the fit, which makes the exponent less steep, not steeper.

    Examples
    --------
    >>> import torch, tda_landscape as tl
    >>> x = torch.randn(80, 2, generator=torch.Generator().manual_seed(0))
    >>> found = tl.theory.asymptotic_exponent((x, x[:, 0].abs() * x[:, 1]), [2, 4], pairs=2,
    ...                                       search=tl.paths.Ladder(budget=60))
    >>> found.gaps.shape, found.theorem
    ((2, 2), -0.5)
    """
    inputs, targets = (torch.as_tensor(part, dtype=torch.float64) for part in data)
    sizes = [int(width) for width in widths]
    if inputs.ndim != 2 or targets.shape != inputs.shape[:1]:
        raise InputError(f"data must be (rows, n) and (rows,), got {tuple(inputs.shape)} and {tuple(targets.shape)}")
    expect_whole("[2, inf)", pairs=pairs)
    expect_number("(0, inf)", penalty=penalty)
    if len(set(sizes)) < 2 or min(sizes) < 1:
        raise InputError(f"widths must be at least two different positive numbers, got {sizes}")
    if len(inputs) < ROWS * max(sizes):
        raise InputError(
            f"{len(inputs)} rows are too few for {max(sizes)} hidden units: from as many units as rows on the gap is 0 "
            f"whatever the exponent; give {ROWS * max(sizes)} or narrower networks"
        )
    rows = [_gaps((inputs, targets), width, penalty, pairs, search or Ladder(), seed) for width in sizes]
    gaps, floors = (np.array(table) for table in zip(*rows, strict=True))
    return _fitted(np.array(sizes), gaps, floors, inputs.shape, np.random.default_rng(seed))


def _gaps(
    data: tuple[Tensor, Tensor], width: int, penalty: float, pairs: int, search: Search, seed: int
) -> tuple[list[float], list[float]]:
    """Gaps of pairs of networks of one width, and what the search resolves of each."""
    model = BoundedReLU(data[0].shape[1], width)

    def lasso(parameters: dict[str, Tensor]) -> Tensor:
        return penalty * parameters["output"].abs().sum()

    energy = Energy.from_model(model, functional.mse_loss, data, regularizer=lasso)
    starts = energy.start(2 * pairs, as_generator(seed))
    (walkers,) = drive(energy, [minimize(starts, 0.1, 1e-6, 1000, Meter())])
    a, b = walkers.points[:pairs], walkers.points[pairs:]
    higher = torch.maximum(walkers.energies[:pairs], walkers.energies[pairs:]).tolist()
    generators = [torch.Generator().manual_seed(seed + k) for k in range(pairs)]
    straight = [path.height for path in Straight().find(energy, a, b, generators)]
    found = [path.height for path in search.find(energy, a, b, generators)]
    floors = [max(RESOLUTION * (s - h), 1e-9 * (1 + abs(h))) for s, h in zip(straight, higher, strict=True)]
    return [top - h for top, h in zip(found, higher, strict=True)], floors


def _fitted(
    widths: NDArray[np.intp],
    gaps: NDArray[np.float64],
    floors: NDArray[np.float64],
    shape: torch.Size,
    rng: np.random.Generator,
) -> AsymptoticExponent:
    """The fit through the medians that are not censored, and its bootstrap interval."""
    censored = gaps <= floors
    gaps = np.maximum(gaps, floors)
    medians = np.median(gaps, axis=1)
    used = censored.mean(axis=1) < 0.5
    exponent, interval = None, None
    if used.sum() >= 2:
        logs = np.log(widths[used])
        drawn = rng.integers(0, gaps.shape[1], (RESAMPLES, int(used.sum()), gaps.shape[1]))
        again = np.median(np.take_along_axis(gaps[used][None], drawn, axis=2), axis=2)
        slopes = np.polyfit(logs, np.log(again).T, 1)[0]
        exponent = float(np.polyfit(logs, np.log(medians[used]), 1)[0])
        low, high = np.quantile(slopes, [(1 - COVERAGE) / 2, (1 + COVERAGE) / 2])
        interval = (float(low), float(high))
    return AsymptoticExponent(widths, gaps, censored, medians, used, exponent, interval, -1 / shape[1], shape[0])
