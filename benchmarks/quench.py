"""Converged quenches per second of CPU, one thread, all in the same run: all points at once against one at a time.

    python -m benchmarks.quench                 batch 256
    python -m benchmarks.quench --batch 1024

The XOR net (`tl.zoo.xor`, d = 17), descents from its start law until |grad E| <= 1e-6 (1 + |E|); a descent that did not
get there does not count, whatever its optimiser says. Lines:
- batch: `tl.minimize` on all points.
- loop: `tl.minimize` on one point after another, the same optimiser.
- scipy: `scipy.optimize.minimize(method="L-BFGS-B")` on one point after another, with torch autograd through
  `torch.func.functional_call` on the module: what packages for energy landscapes do (topsearch).
- scipy, tl.Energy: the same optimiser with this package's energy for the gradients.
- topsearch: `topsearch.minimisation.lbfgs.minimise`, a box-constrained L-BFGS-B of 5 pairs, with the same autograd
  gradient; numerical: with the gradient that its `Potential` has by default. Only where topsearch can
  be imported.
- torch: `torch.optim.LBFGS` with a strong Wolfe search on the module's own parameters, one point after another.
The slow ones run on the first `--few` points of the same batch, in turns with the fast one.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np
import torch
from scipy.optimize import minimize as scipy_minimize
from torch import Tensor

import tda_landscape as tl

TOLERANCE = 1e-6
REPEATS = 5


@dataclass
class Line:
    """One way to quench, with what was seen of it."""

    name: str
    quench: Callable[[Tensor], Tensor]
    rates: list[float] = field(default_factory=list)
    share: float = 0.0

    def measure(self, energy: tl.Energy, points: Tensor) -> None:
        start = time.process_time()
        ends = self.quench(points)
        seconds = time.process_time() - start
        energies, gradients = energy.value_and_grad(ends)
        done = gradients.norm(dim=1) <= TOLERANCE * (1 + energies.abs())
        self.share = float(done.double().mean())
        self.rates.append(float(done.sum()) / seconds)

    @property
    def rate(self) -> float:
        return float(np.median(self.rates))


def batch(energy: tl.Energy) -> Callable[[Tensor], Tensor]:
    return lambda points: tl.minimize(energy, points, tolerance=TOLERANCE)


def loop(energy: tl.Energy) -> Callable[[Tensor], Tensor]:
    return lambda points: torch.cat([tl.minimize(energy, point[None], tolerance=TOLERANCE) for point in points])


def scipy_loop(value_and_grad: Callable[[np.ndarray], tuple[float, np.ndarray]]) -> Callable[[Tensor], Tensor]:
    settings = {"maxiter": 5000, "maxfun": 10000, "gtol": TOLERANCE / 5, "ftol": 1e-16}

    def quench(points: Tensor) -> Tensor:
        ends = [
            scipy_minimize(value_and_grad, point.numpy(), jac=True, method="L-BFGS-B", options=settings).x
            for point in points
        ]
        return torch.from_numpy(np.array(ends))

    return quench


def by_autograd(energy: tl.Energy) -> Callable[[np.ndarray], tuple[float, np.ndarray]]:
    """Energy and gradient of one point, as a script of one's own would take them."""

    def value_and_grad(x: np.ndarray) -> tuple[float, np.ndarray]:
        vector = torch.from_numpy(x).requires_grad_()
        value = energy.network.value(vector)
        (gradient,) = torch.autograd.grad(value, vector)
        return float(value.detach()), gradient.numpy()

    return value_and_grad


def by_energy(energy: tl.Energy) -> Callable[[np.ndarray], tuple[float, np.ndarray]]:
    def value_and_grad(x: np.ndarray) -> tuple[float, np.ndarray]:
        energies, gradients = energy.value_and_grad(x[None])
        return float(energies[0]), gradients[0].numpy()

    return value_and_grad


def topsearch_lines(energy: tl.Energy) -> list[Line]:
    """The peer's own minimiser, where it is installed."""
    try:
        from topsearch.minimisation.lbfgs import minimise
        from topsearch.potentials.potential import Potential
    except (ImportError, AttributeError):  # the latter beside numpy 2: its nptyping asks for np.bool8
        return []
    autograd = by_autograd(energy)

    class Numerical(Potential):
        def function(self, position: np.ndarray) -> float:
            with torch.no_grad():
                return float(energy.network.value(torch.from_numpy(position)))

    def loop_of(value_and_grad: Callable[[np.ndarray], tuple[float, np.ndarray]]) -> Callable[[Tensor], Tensor]:
        box = [(-100.0, 100.0)] * energy.dim

        def quench(points: Tensor) -> Tensor:
            ends = [minimise(value_and_grad, p.numpy().copy(), box, TOLERANCE / 5, n_steps=5000)[0] for p in points]
            return torch.from_numpy(np.array(ends))

        return quench

    numerical = loop_of(Numerical().function_gradient)
    return [Line("topsearch", loop_of(autograd)), Line("topsearch, numerical", lambda p: numerical(p[:2]))]


def torch_loop(energy: tl.Energy) -> Callable[[Tensor], Tensor]:
    def one(point: Tensor) -> Tensor:
        x = point.clone().requires_grad_()
        optimizer = torch.optim.LBFGS(
            [x], max_iter=2000, tolerance_grad=TOLERANCE / 5, tolerance_change=1e-16, line_search_fn="strong_wolfe"
        )

        def closure() -> Tensor:
            optimizer.zero_grad()
            value = energy.network.value(x)
            value.backward()
            return value

        optimizer.step(closure)
        return x.detach()

    return lambda points: torch.stack([one(point) for point in points])


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--batch", type=int, default=256)
    parser.add_argument("--few", type=int, default=12)
    given = parser.parse_args()
    torch.set_num_threads(1)
    energy = tl.zoo.xor()
    fast = Line("batch", batch(energy))
    slow = [
        Line("loop", loop(energy)),
        Line("scipy", scipy_loop(by_autograd(energy))),
        Line("scipy, tl.Energy", scipy_loop(by_energy(energy))),
        *topsearch_lines(energy),
        Line("torch", torch_loop(energy)),
    ]
    for repeat in range(REPEATS):
        points = energy.start(given.batch, repeat)
        fast.measure(energy, points)
        for line in slow:
            line.measure(energy, points[: given.few])
    print(f"XOR 2-4-1, d = {energy.dim}, batch {given.batch}, medians of {REPEATS} turns, CPU time, one thread")
    for line in (fast, *slow):
        print(
            f"  {line.name:20s} {line.rate:9.1f} converged quenches/s  ({line.share:4.0%} of the last turn converged)"
            f"   batch is {fast.rate / line.rate:6.1f} times as fast"
        )


if __name__ == "__main__":
    main()
