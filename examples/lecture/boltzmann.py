"""The lecture's dw = -gamma grad V dt + gamma' dB settles in the Boltzmann law exp(-V / T), T = gamma'^2 / (2 gamma).

    python examples/lecture/boltzmann.py boltzmann.png

Prints the total-variation distance between the histogram of the chains and the law, for two starts, and draws both.
The law is that of small steps: a step dt leaves an error of order dt.
"""

from __future__ import annotations

import sys

import matplotlib.pyplot as plt
import numpy as np

import samplers

GAMMA, GAMMA_PRIME, DT = 2.0, 1.4, 0.004
EDGES = np.linspace(-2, 2, 41)


def both(x: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """A tilted double well, (x^2 - 1)^2 + x / 4, with its gradient."""
    return ((x * x - 1) ** 2 + x / 4).sum(1), 4 * x * (x * x - 1) + 0.25


WELL = samplers.NumpyPotential(1, lambda x: both(x)[0], lambda x: both(x)[1], both)
KERNEL = samplers.Langevin.from_equation(GAMMA, GAMMA_PRIME, DT)


def law() -> np.ndarray:
    """Boltzmann probability of each bin."""
    fine = np.linspace(-2, 2, 40 * 200 + 1)
    fine = (fine[1:] + fine[:-1]) / 2
    weight = np.exp(-both(fine[:, None])[0] / KERNEL.temperature).reshape(40, 200).sum(1)
    return weight / weight.sum()


def histogram(start: float, chains: int = 2000, warmup: int = 5000, seed: int = 0) -> np.ndarray:
    """Share of the points in each bin, of chains that all start at one place."""
    found = samplers.run(WELL, KERNEL, np.full((chains, 1), start), draws=40, warmup=warmup, thin=20, seed=seed)
    return np.histogram(found.points.numpy(), EDGES)[0] / found.points.numel()


def distance(a: np.ndarray, b: np.ndarray) -> float:
    """Total variation."""
    return float(np.abs(a - b).sum() / 2)


def main(figure: str) -> None:
    """Print the distances and draw the histograms."""
    centers = (EDGES[1:] + EDGES[:-1]) / 2
    fig, axes = plt.subplots(figsize=(5.5, 3.6), layout="constrained")
    for start, marker in ((1.0, "o"), (-1.5, "x")):
        share = histogram(start, seed=int(start > 0))
        print(f"start {start:+.1f}: total variation to the Boltzmann law {distance(share, law()):.4f}")
        axes.plot(centers, share, marker, ms=4, label=f"chains started at {start:+.1f}")
    early = histogram(1.0, warmup=0)
    print(f"without a warm-up: {distance(early, law()):.4f}")
    axes.plot(centers, early, ":", color="0.5", label="the same, no warm-up")
    axes.plot(centers, law(), color="black", lw=1, label=r"$\exp(-V/T)$")
    axes.set(xlabel="w", ylabel="share of a bin", title=f"T = γ'²/2γ = {KERNEL.temperature:.2f}")
    axes.legend(frameon=False, fontsize=8)
    fig.savefig(figure, dpi=150)


if __name__ == "__main__":
    main(sys.argv[1] if len(sys.argv) > 1 else "boltzmann.png")
