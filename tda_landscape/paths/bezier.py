"""Bezier curves trained to be low on average, or at their highest."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from tda_landscape.energy import Energy
from tda_landscape.energy._batching import Watch
from tda_landscape.paths._curve import Curve, Objective, bernstein, check_curve
from tda_landscape.paths._path import Path
from tda_landscape.paths._relax import Terms, check_terms, relax_all

VERTICES = 33  # of the polyline that stands for the curve


@dataclass(frozen=True, slots=True)
class Bezier:
    """Move the control points of a Bezier curve down the mean energy along it, or a soft maximum.

    Each step draws a point in each of `draws` equal parts of the parameter and moves the control points by Adam,
    whose rate falls along a cosine until the budget is spent. The mean is the published objective and does not ask
    for a low maximum. The path is the polyline through 33 points of the curve.

    Garipov, Izmailov, Podoprikhin, Vetrov and Wilson, Loss surfaces, mode connectivity, and fast ensembling of DNNs,
    NeurIPS 2018.

    Parameters
    ----------
    budget : float
        Gradient equivalents a pair.
    bends : int
        Control points between the ends.
    objective : {"mean", "softmax"}
        The soft maximum weights the draws by the exponential of their energy, over the range of the energies drawn.
    draws : int
        Points drawn along the curve in each step.
    rate : float
        Of Adam, relative to the distance of the ends over sqrt(d).
    kick : float
        Random displacement of the control points at the start, relative to the distance of the ends; without it a
        symmetric landscape is never left.

    Examples
    --------
    >>> import torch, tda_landscape as tl
    >>> annulus = tl.Energy.from_function(lambda x: (x.square().sum(1) - 1).square(), 2)
    >>> a, b = torch.tensor([1.0, 0.0]), torch.tensor([-1.0, 0.0])
    >>> tl.find_path(annulus, a, b, search=Bezier(bends=3, objective="softmax")).height < 0.01
    True
    """

    budget: float = 800.0
    bends: int = 1
    objective: Objective = "mean"
    draws: int = 8
    rate: float = 0.03
    kick: float = 0.01

    def __post_init__(self) -> None:
        check_terms(self.budget, self.rate, 1.0, self.kick)
        check_curve(self.bends, self.draws, self.objective)

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
        terms = Terms(self.budget, self.rate, 0.0, self.kick, level)
        curve = Curve(bernstein, self.objective, self.draws, VERTICES)
        return relax_all(curve, self.bends + 2, terms, energy, starts, ends, generators, watch)
