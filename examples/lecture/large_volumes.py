"""Large volumes win: of two equally deep minima Langevin prefers the flat one, almost surely in high dimension.

    python examples/lecture/large_volumes.py large_volumes.png

Prints, for d = 2 to 32, the Boltzmann probability of the flat minimum by quadrature and its share among the points of
replica exchange, with standard errors, and draws both. Half of the chains start in each minimum. Without replica
exchange the last column shows what chains that cannot cross in time report, and what their summary says about it.
"""

from __future__ import annotations

import sys

import matplotlib.pyplot as plt
from flat_and_sharp import TEMPERATURE, balanced_start, exact_flat, landscape, share_flat

import samplers

DIMENSIONS = (2, 4, 8, 16, 32)
LADDER = (TEMPERATURE, 0.8, 1.6, 4.0)


def sample(dim: int, chains: int = 400, draws: int = 200, seed: int = 0) -> samplers.Chains:
    """Points of the Boltzmann law, by MALA at four temperatures."""
    kernel = samplers.ReplicaExchange(samplers.MALA(0.3, TEMPERATURE), LADDER, every=2)
    start = balanced_start(chains, dim)
    return samplers.run(landscape(dim), kernel, start, draws=draws, warmup=200, thin=2, seed=seed)


def short_runs(dim: int, chains: int = 400, seed: int = 0) -> samplers.Chains:
    """A few small steps of MALA alone: the start is not forgotten, and `summary` must say so."""
    kernel = samplers.MALA(0.02, TEMPERATURE)
    return samplers.run(landscape(dim), kernel, balanced_start(chains, dim), draws=50, thin=1, seed=seed)


def main(figure: str) -> None:
    """Print the table and draw it."""
    found = []
    for dim in DIMENSIONS:
        share, error = share_flat(sample(dim).points.numpy())
        short = short_runs(dim)
        found.append((share, error))
        print(
            f"d = {dim:2d}: exact {exact_flat(dim):.5f}, replica exchange {share:.5f} +- {error:.5f}, "
            f"short runs {share_flat(short.points.numpy())[0]:.3f}"
        )
    print(f"what the summary says of the short runs:\n{short.summary()}")
    fig, axes = plt.subplots(figsize=(5.5, 3.6), layout="constrained")
    axes.plot(DIMENSIONS, [exact_flat(dim) for dim in DIMENSIONS], color="black", lw=1, label="quadrature")
    shares, bars = [share for share, _ in found], [3 * error for _, error in found]
    axes.errorbar(DIMENSIONS, shares, bars, fmt="o", ms=4, capsize=3, label="sampled, 3 standard errors")
    axes.axhline(0.5, color="0.7", lw=1, ls=":")
    axes.set(xlabel="dimension d", ylabel="P(flat minimum)", xscale="log", xticks=DIMENSIONS, xticklabels=DIMENSIONS)
    axes.minorticks_off()
    axes.legend(frameon=False)
    fig.savefig(figure, dpi=150)


if __name__ == "__main__":
    main(sys.argv[1] if len(sys.argv) > 1 else "large_volumes.png")
