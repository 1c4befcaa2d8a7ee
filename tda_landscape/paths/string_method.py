"""The string method: evenly spaced images that move across their path only."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from tda_landscape._errors import expect_whole
from tda_landscape.energy import Energy
from tda_landscape.energy._batching import Watch
from tda_landscape.paths._band import Band
from tda_landscape.paths._path import Path
from tda_landscape.paths._relax import Terms, check_terms, relax_all


@dataclass(frozen=True, slots=True)
class String:
    """Pull a string of images downhill across itself and space them evenly after each step.

    Images follow Adam, whose rate falls along a cosine until the budget is spent. From half of the budget on, the
    highest image may climb to the saddle; the images on either side of it are then spaced evenly by themselves.

    E, Ren and Vanden-Eijnden, J. Chem. Phys. 126, 164103 (2007), with the tangent of Henkelman and Jonsson,
    J. Chem. Phys. 113, 9978 (2000). A nudged elastic band with infinitely stiff springs, as AutoNEB uses it.

    Parameters
    ----------
    budget : float
        Gradient equivalents a pair.
    images : int
        Images between the ends.
    rate : float
        Of Adam, relative to the distance of the ends over sqrt(d).
    climbing : bool
        Whether the highest image climbs.
    kick : float
        Random displacement of the images at the start, relative to the distance of the ends; without it a
        symmetric landscape is never left.
    tolerance : float
        Stop when no image is pulled harder than this, relative to the mean slope of the straight line.

    Examples
    --------
    >>> import tda_landscape as tl
    >>> energy = tl.zoo.mueller_brown()
    >>> minima = tl.quench(energy, tl.sample(energy, chains=50))
    >>> path = tl.find_path(energy, minima.points[0], minima.points[1], search=String(budget=3000))
    >>> abs(path.height + 40.66484) < 0.01
    True
    """

    budget: float = 800.0
    images: int = 9
    rate: float = 0.03
    climbing: bool = True
    kick: float = 0.01
    tolerance: float = 1e-3

    def __post_init__(self) -> None:
        check_terms(self.budget, self.rate, self.tolerance, self.kick)
        expect_whole("[1, inf)", images=self.images)

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
        terms = Terms(self.budget, self.rate, self.tolerance, self.kick, level)
        band = Band(self.images, None, self.climbing)
        return relax_all(band, self.images + 2, terms, energy, starts, ends, generators, watch)
