"""SGD resembles Langevin when its noise is additive, and selects nothing when its noise vanishes at the minima.

    python examples/lecture/sgd_noise.py sgd_noise.png

The same kernel, `samplers.SGD`, on two kinds of minibatch losses whose mean is the landscape V:
- additive: V_i(z) = V(z) + sigma xi_i . z with signs xi_i: noise of covariance sigma^2 everywhere, which at learning
  rate h acts like a temperature h sigma^2 / 2. At a large h the noise is not Gaussian enough and SGD overshoots.
- vanishing: V_i(z) = (1 + sigma xi_i) V(z): every minibatch has the same minima, so the noise is zero there (as for an
  interpolating network), and chains stay in the minimum where they began.
Both statements are true; which one describes a network depends on its noise.
"""

from __future__ import annotations

import sys

import matplotlib.pyplot as plt
from flat_and_sharp import TEMPERATURE, balanced_start, both, exact_flat, landscape, share_flat

import samplers

DIMENSIONS = (2, 4, 8, 16)


class AdditiveNoise(samplers.NumpyPotential):
    """V with a random slope for each chain and step."""

    sigma = 0.0

    def draw_batch(self, rng, chains):
        slopes = self.sigma * (2.0 * rng.integers(0, 2, (chains, self.dim)) - 1)
        return samplers.NumpyPotential(self.dim, self.value, self.gradient, lambda z: _sum(both(z), slopes, z))


class VanishingNoise(samplers.NumpyPotential):
    """V times a random factor for each chain and step."""

    sigma = 0.0

    def draw_batch(self, rng, chains):
        factors = 1 + self.sigma * rng.standard_normal(chains)
        return samplers.NumpyPotential(self.dim, self.value, self.gradient, lambda z: _scaled(both(z), factors))


def _sum(answer, slopes, z):
    return answer[0] + (slopes * z).sum(1), answer[1] + slopes


def _scaled(answer, factors):
    return answer[0] * factors, answer[1] * factors[:, None]


def share(kind: type, dim: int, lr: float, time: float = 60.0, chains: int = 600, seed: int = 0):
    """Share of the flat minimum after a given time (steps times learning rate), half of the chains from each."""

    class Noisy(kind):
        sigma = (2 * TEMPERATURE / lr) ** 0.5

    plain = landscape(dim)
    noisy = Noisy(dim, plain.value, plain.gradient, plain.both)
    steps = round(time / lr)
    start, thin = balanced_start(chains, dim), steps // 40
    found = samplers.run(noisy, samplers.SGD(lr=lr), start, draws=20, warmup=steps // 2, thin=thin, seed=seed)
    return share_flat(found.points.numpy())


def main(figure: str) -> None:
    """Print the table and draw it."""
    cases = (
        ("additive noise, lr 0.04", AdditiveNoise, 0.04, "o"),
        ("additive noise, lr 0.01", AdditiveNoise, 0.01, "s"),
        ("noise that vanishes at the minima, lr 0.04", VanishingNoise, 0.04, "x"),
    )
    fig, axes = plt.subplots(figsize=(5.5, 3.6), layout="constrained")
    odds = [exact_flat(dim) / (1 - exact_flat(dim)) for dim in DIMENSIONS]
    axes.plot(DIMENSIONS, odds, color="black", lw=1, label="Boltzmann law")
    for label, kind, lr, marker in cases:
        shares = [share(kind, dim, lr) for dim in DIMENSIONS]
        ratios = [p / (1 - p) for p, _ in shares]
        errors = [e / (1 - p) ** 2 for p, e in shares]
        axes.errorbar(DIMENSIONS, ratios, errors, fmt=marker, ms=4, capsize=3, label=label)
        for dim, exact, (p, e) in zip(DIMENSIONS, odds, shares, strict=True):
            print(f"{label}, d = {dim:2d}: P(flat) {p:.4f} +- {e:.4f}, odds {p / (1 - p):6.2f}, Boltzmann {exact:6.2f}")
    axes.set(xlabel="dimension d", ylabel="odds flat : sharp", xscale="log", yscale="log")
    axes.set(xticks=DIMENSIONS, xticklabels=DIMENSIONS)
    axes.minorticks_off()
    axes.legend(frameon=False, fontsize=8)
    fig.savefig(figure, dpi=150)


if __name__ == "__main__":
    main(sys.argv[1] if len(sys.argv) > 1 else "sgd_noise.png")
