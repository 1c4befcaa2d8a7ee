"""The gap between trained two-layer ReLU networks closes as they widen: measured, beside the bound of the theorem.

    python examples/lecture/asymptotic_exponent.py asymptotic_exponent.png

Freeman and Bruna: any two networks below a level u are joined below max(u, eps(m)), eps(m) = O(m^(-1/n)). Here n = 2, a
teacher of four units with noise, 400 points. The bound is one-sided: gaps that fall faster are as it says, and paths
that were found are upper bounds of barriers.
"""

from __future__ import annotations

import sys

import matplotlib.pyplot as plt
import numpy as np
import torch

import tda_landscape as tl

WIDTHS, PAIRS, ROWS = [2, 4, 8, 16], 8, 400


def teacher(rows: int = ROWS, seed: int = 0) -> tuple[torch.Tensor, torch.Tensor]:
    """Normal inputs in the plane, four ReLU units, noise."""
    generator = torch.Generator().manual_seed(seed)
    x = torch.randn(rows, 2, generator=generator, dtype=torch.float64)
    w = torch.tensor([[1.0, 0.0], [-0.5, 0.8], [-0.6, -0.7], [0.4, -0.9]], dtype=torch.float64)
    y = torch.relu(x @ w.T) @ torch.tensor([1.0, -1.0, 1.0, -1.0], dtype=torch.float64)
    return x, y + 0.1 * torch.randn(rows, generator=generator, dtype=torch.float64)


def draw(found: tl.theory.AsymptoticExponent, path: str) -> None:
    """Every gap, the medians, the fit and the slope of the bound."""
    figure, axes = plt.subplots(figsize=(5, 3.6), layout="constrained")
    spread = np.linspace(-0.03, 0.03, found.gaps.shape[1])
    places = found.widths[:, None] * 2**spread
    seen = ~found.censored
    axes.plot(places[seen], found.gaps[seen], "o", color="0.6", ms=4, label="pairs")
    if found.censored.any():
        axes.plot(places[~seen], found.gaps[~seen], "v", color="0.8", ms=4, label="below the resolution")
    axes.plot(found.widths, found.medians, "s-", color="C0", label="medians")
    first = found.medians[0]
    axes.plot(found.widths, first * (found.widths / found.widths[0]) ** found.theorem, "k--", label="width$^{-1/n}$")
    axes.set(xscale="log", yscale="log", xlabel="width m", ylabel="gap: path height above the higher end")
    axes.set_xticks(found.widths, [str(width) for width in found.widths])
    axes.minorticks_off()
    axes.legend(frameon=False)
    figure.savefig(path, dpi=150)


if __name__ == "__main__":
    result = tl.theory.asymptotic_exponent(teacher(), WIDTHS, pairs=PAIRS, search=tl.paths.Ladder(budget=200))
    print(result)
    draw(result, sys.argv[1] if len(sys.argv) > 1 else "asymptotic_exponent.png")
