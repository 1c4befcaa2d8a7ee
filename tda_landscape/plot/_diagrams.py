"""What plots need to know of persistence diagrams."""

from __future__ import annotations

import numpy as np

from tda_landscape._errors import InputError
from tda_landscape.topology import Diagrams


def span_of(bars: Diagrams) -> tuple[float, float]:
    """Lowest and highest finite value; of one single value, an interval that starts there."""
    every = np.concatenate([np.empty(0), *(diagram.ravel() for diagram in bars)])
    finite = every[np.isfinite(every)]
    if len(finite) == 0:
        raise InputError("there is no bar in these diagrams, so there is nothing to draw")
    low, high = float(finite.min()), float(finite.max())
    return low, high if high > low else low + 1.0
