"""How long is a step? Our samplers beside blackjax, posteriors and a plain loop over torch modules.

    python -m benchmarks.samplers                 everything (about four minutes)
    python -m benchmarks.samplers tiny            energies of one or two coordinates, 100 to 10^4 chains
    python -m benchmarks.samplers networks        an MLP, a small convolutional network, a larger one

CPU time on one thread, best of several rounds in one run: compare ratios, never numbers of different runs. Needs
``pip install -e '.[bench]'``; peers that are missing are left out. Everyone runs the same law with the same step,
draws its own noise and, for networks, its own minibatch for each chain and step; positions and energies of the draws
are kept. Compilation of blackjax, and our probe and recording, are not counted: they happen once.
"""

from __future__ import annotations

import os
import sys
import time
import warnings
from collections.abc import Callable

import numpy as np
import torch
from torch import nn
from torch.nn import functional as F

import samplers
import tda_landscape as tl

warnings.filterwarnings("ignore")
torch.set_num_threads(1)
os.environ["XLA_FLAGS"] = "--xla_cpu_multi_thread_eigen=false intra_op_parallelism_threads=1"  # read at its first use

try:
    import blackjax
    import jax
    import jax.numpy as jnp
except ImportError:
    jax = None
try:
    import posteriors
except ImportError:
    posteriors = None

ROUNDS = 5
Timed = Callable[[int], object]
"""Does so many steps."""


def per_step(contestants: dict[str, Timed], steps: int) -> dict[str, float]:
    """Seconds of CPU time a step, from the difference of a long and a short run; rounds alternate."""
    best: dict[str, list[float]] = {name: [] for name in contestants}
    for run in contestants.values():
        run(steps)
        run(3 * steps)
    for _ in range(ROUNDS):
        for name, run in contestants.items():
            times = []
            for n in (steps, 3 * steps):
                start = time.process_time()
                run(n)
                times.append(time.process_time() - start)
            best[name].append((times[1] - times[0]) / (2 * steps))
    return {name: float(np.median(times)) for name, times in best.items()}


# --- energies of one or two coordinates -------------------------------------------------------------------------------

A, P, Q, R = (-200.0, -100.0, -170.0, 15.0), (-1.0, -1.0, -6.5, 0.7), (0.0, 0.0, 11.0, 0.6), (-10.0, -10.0, -6.5, 0.7)
CX, CY = (1.0, 0.0, -0.5, -1.0), (0.0, 0.5, 1.5, 1.0)


def double_well_both(x):
    """Energy and gradient in numpy."""
    q = x * x - 1
    return np.vecdot(q, q), 4 * q * x


a, p, q, r, cx, cy = (np.array(row) for row in (A, P, Q, R, CX, CY))
TO_EXPONENTS = np.array([p * cx**2 + q * cx * cy + r * cy**2, -2 * p * cx - q * cy, -q * cx - 2 * r * cy, p, q, r])
TO_SUMS = np.array([np.ones(4), 2 * p, q, 2 * r, 2 * p * cx + q * cy, q * cx + 2 * r * cy]).T


def mueller_brown_both(z):
    """Energy and gradient in numpy: two products of small matrices around the exponentials."""
    x, y = z[:, 0], z[:, 1]
    powers = np.empty((len(z), 6))
    powers[:, 0] = 1
    powers[:, 1:3] = z
    np.multiply(z, z[:, :1], powers[:, 3:5])
    np.multiply(y, y, powers[:, 5])
    sums = (np.exp(powers @ TO_EXPONENTS) * a) @ TO_SUMS
    gradient = np.empty_like(z)
    gradient[:, 0] = x * sums[:, 1] + y * sums[:, 2] - sums[:, 4]
    gradient[:, 1] = x * sums[:, 2] + y * sums[:, 3] - sums[:, 5]
    return sums[:, 0], gradient


def double_well(x):
    """Energy of torch or jax arrays (..., 1)."""
    return ((x * x - 1) ** 2).sum(-1)


def mueller_brown(z, lib=torch):
    """Energy of torch or jax arrays (..., 2)."""
    a, p, q, r, cx, cy = (lib.asarray(row, dtype=lib.float64) for row in (A, P, Q, R, CX, CY))
    dx, dy = z[..., :1] - cx, z[..., 1:] - cy
    return (a * lib.exp(p * dx * dx + q * dx * dy + r * dy * dy)).sum(-1)


def ours(potential, kernel, start, thin) -> Timed:
    """A run of our own, from a state that has its plan."""
    begun = samplers.run(potential, kernel, start, draws=1, seed=0).state
    return lambda steps: samplers.run(potential, kernel, begun, draws=steps // thin, thin=thin)


def by_blackjax(energy, algorithm, start, thin) -> Timed:
    """A scan over steps, all compiled; keeps positions and energies of each `thin`-th step."""
    begin, step, position = algorithm

    def block(state, key):
        keys = jax.random.split(key, thin)
        state, _ = jax.lax.scan(lambda s, k: (jax.vmap(step)(jax.random.split(k, len(start)), s), None), state, keys)
        return state, (position(state), jax.vmap(energy)(position(state)))

    scan = jax.jit(lambda state, keys: jax.lax.scan(block, state, keys))
    state = jax.vmap(begin)(jnp.asarray(start))
    return lambda steps: jax.block_until_ready(scan(state, jax.random.split(jax.random.PRNGKey(0), steps // thin)))


def in_double(wanted: bool) -> None:
    """The precision that jax computes in."""
    if jax is not None:
        jax.config.update("jax_enable_x64", wanted)


def blackjax_kernels(energy, h, temperature):
    """(init, step, position) of the same steps: epsilon = h T with log p = -E / T."""
    drift = jax.grad(lambda x: -energy(x))
    sgld = blackjax.sgld(lambda x, _: drift(x))
    mala = blackjax.mala(lambda x: -energy(x) / temperature, h * temperature)
    return {
        "sgld": (lambda x: x, lambda k, x: sgld.step(k, x, None, h, temperature), lambda x: x),
        "mala": (mala.init, lambda k, s: mala.step(k, s)[0], lambda s: s.position),
    }


def by_posteriors(energy, start, h, temperature, thin) -> Timed:
    """All chains as one batched parameter, which is the fastest way to use it."""
    sgld = posteriors.sgmcmc.sgld.build(lambda x, _: (-energy(x).sum(), torch.tensor(0.0)), h, temperature=temperature)

    def run(steps):
        state, kept = sgld.init(start.clone()), []
        for step in range(steps):
            state, _ = sgld.update(state, None)
            if step % thin == 0:
                kept.append((state.params, energy(state.params)))
        return kept

    return run


def tiny() -> None:
    """The table of tiny energies."""
    in_double(True)
    cases = (
        ("double well", 1, double_well, double_well_both, double_well, 0.02, 0.4),
        (
            "Mueller-Brown",
            2,
            mueller_brown,
            mueller_brown_both,
            lambda x: mueller_brown(x, jnp) if jax else None,
            2e-5,
            10.0,
        ),
    )
    print("us a step of all chains (ratio to blackjax)")
    for title, dim, energy, both, energy_jax, h, temperature in cases:
        in_torch = tl.Energy.from_function(energy, dim)
        in_numpy = samplers.NumpyPotential(dim, lambda x, f=both: f(x)[0], lambda x, f=both: f(x)[1], both)
        for chains, thin in ((100, 1), (100, 10), (1000, 10), (10_000, 10)):
            start = np.full((chains, dim), 0.5)
            for kind, kernel in (("sgld", samplers.Langevin(h, temperature)), ("mala", samplers.MALA(h, temperature))):
                runs = {
                    "torch": ours(in_torch, kernel, torch.from_numpy(start), thin),
                    "numpy": ours(in_numpy, kernel, start, thin),
                }
                if jax is not None:
                    kernels = blackjax_kernels(energy_jax, h, temperature)
                    runs["blackjax"] = by_blackjax(energy_jax, kernels[kind], start, thin)
                if posteriors is not None and kind == "sgld":
                    runs["posteriors"] = by_posteriors(energy, torch.from_numpy(start), h, temperature, thin)
                seconds = per_step(runs, 60_000 // chains // 10 * 10 + 60)
                show(f"{title} {kind} {chains:6d} chains, keep 1 in {thin:2d}", seconds)


def show(label: str, seconds: dict[str, float], against: str = "blackjax") -> None:
    """One line: times, and ratios to a peer."""
    unit = seconds.get(against)
    parts = [f"{name} {1e6 * s:9.1f}" + (f" ({s / unit:5.2f})" if unit else "") for name, s in seconds.items()]
    print(f"{label:48s}" + "  ".join(parts), flush=True)


# --- networks ---------------------------------------------------------------------------------------------------------


def mlp() -> nn.Module:
    """64-32-10."""
    return nn.Sequential(nn.Linear(64, 32), nn.Tanh(), nn.Linear(32, 10))


def small_cnn() -> nn.Module:
    """Two small convolutions on 8 x 8 images."""
    return nn.Sequential(
        nn.Unflatten(1, (1, 8, 8)),
        *(nn.Conv2d(1, 8, 3, padding=1), nn.ReLU(), nn.MaxPool2d(2)),
        *(nn.Conv2d(8, 16, 3, padding=1), nn.ReLU(), nn.MaxPool2d(2)),
        *(nn.Flatten(), nn.Linear(64, 10)),
    )


def cifar_quick() -> nn.Module:
    """The three convolutions of cifar10_quick, 145,578 parameters."""
    pool = {"kernel_size": 3, "stride": 2, "ceil_mode": True}
    return nn.Sequential(
        *(nn.Conv2d(3, 32, 5, padding=2), nn.MaxPool2d(**pool), nn.ReLU()),
        *(nn.Conv2d(32, 32, 5, padding=2), nn.ReLU(), nn.AvgPool2d(**pool)),
        *(nn.Conv2d(32, 64, 5, padding=2), nn.ReLU(), nn.AvgPool2d(**pool)),
        *(nn.Flatten(), nn.Linear(1024, 64), nn.Linear(64, 10)),
    )


def plain_loop(build, data, size, replicas, h, temperature, dtype) -> Timed:
    """What one writes without a library: modules one after another."""
    modules = [build().to(dtype) for _ in range(replicas)]
    inputs, targets = data[0].to(dtype), data[1]
    generator = torch.Generator().manual_seed(0)

    def run(steps):
        for _ in range(steps):
            for module in modules:
                rows = torch.randint(len(inputs), (size,), generator=generator)
                module.zero_grad()
                F.cross_entropy(module(inputs[rows]), targets[rows]).backward()
                with torch.no_grad():
                    for p in module.parameters():
                        noise = torch.randn(p.shape, generator=generator, dtype=dtype)
                        p.add_(p.grad, alpha=-h).add_(noise, alpha=(2 * h * temperature) ** 0.5)

    return run


def mlp_by_blackjax(data, size, replicas, h, temperature, dtype) -> Timed:
    """The MLP as a function of its flat parameters, compiled."""
    in_double(dtype == torch.float64)
    inputs, targets = jnp.asarray(data[0].to(dtype).numpy()), jnp.asarray(data[1].numpy())

    def loss(p, rows):
        hidden = jnp.tanh(inputs[rows] @ p[:2048].reshape(32, 64).T + p[2048:2080])
        logits = hidden @ p[2080:2400].reshape(10, 32).T + p[2400:]
        return -jnp.take_along_axis(jax.nn.log_softmax(logits), targets[rows][:, None], 1).mean()

    sgld = blackjax.sgld(lambda p, rows: -jax.grad(loss)(p, rows))

    def one(key, p):
        keys = jax.random.split(key)
        return sgld.step(keys[0], p, jax.random.randint(keys[1], (size,), 0, len(inputs)), h, temperature)

    def sweep(points, key):
        return jax.vmap(one)(jax.random.split(key, replicas), points), None

    scan = jax.jit(lambda points, keys: jax.lax.scan(sweep, points, keys)[0])
    start = jnp.asarray(np.random.default_rng(0).normal(size=(replicas, 2410)) * 0.1, inputs.dtype)
    return lambda steps: jax.block_until_ready(scan(start, jax.random.split(jax.random.PRNGKey(0), steps)))


def networks() -> None:
    """The table of networks: speed-up over the loop, and time relative to blackjax."""
    generator = torch.Generator().manual_seed(0)
    images = torch.randn(512, 3, 32, 32, generator=generator), torch.randint(10, (512,), generator=generator)
    digits = torch.randn(1797, 64, generator=generator), torch.randint(10, (1797,), generator=generator)
    h, temperature = 1e-3, 1e-4
    cases = [
        *(
            ("MLP 64-32-10", mlp, digits, 64, k, dtype)
            for dtype in (torch.float32, torch.float64)
            for k in (1, 4, 16, 64)
        ),
        *(("MLP 64-32-10", mlp, digits, 1797, k, torch.float32) for k in (1, 16)),
        *(("small CNN", small_cnn, digits, 64, k, torch.float32) for k in (1, 4, 16, 64)),
        *(("cifar_quick", cifar_quick, images, 32, k, torch.float32) for k in (1, 4)),
    ]
    print("us a step of one replica; speed-up over the loop, time relative to blackjax")
    for title, build, data, size, replicas, dtype in cases:
        energy = tl.Energy.from_model(build(), F.cross_entropy, data, batch_size=size, dtype=dtype)
        start = energy.start(replicas, 0)
        fast, begun = _begun(energy, samplers.Langevin(h, temperature), start)
        runs: dict[str, Timed] = {"ours": fast, "loop": plain_loop(build, data, size, replicas, h, temperature, dtype)}
        if jax is not None and build is mlp:
            runs["blackjax"] = mlp_by_blackjax(data, size, replicas, h, temperature, dtype)
        budget = {mlp: 51_200, small_cnn: 6400, cifar_quick: 64}[build] // size
        seconds = per_step(runs, max(2, budget // replicas))
        label = f"{title} {str(dtype)[6:]} B={size} K={replicas} (plan {begun.plan})"
        text = "  ".join(f"{name} {1e6 * s / replicas:9.1f}" for name, s in seconds.items())
        gain = f"  x{seconds['loop'] / seconds['ours']:.2f} of the loop"
        peer = f", {seconds['ours'] / seconds['blackjax']:.2f} of blackjax" if "blackjax" in seconds else ""
        print(f"{label:48s}{text}{gain}{peer}", flush=True)


def _begun(energy, kernel, start) -> tuple[Timed, samplers.RunState]:
    """Steps of the kernel with the plan that a run's probe chose, without keeping every point."""
    begun = samplers.run(energy, kernel, start, draws=1, seed=0).state
    fast = energy.in_chunks(begun.plan)
    generator = torch.Generator().manual_seed(0)

    def steps(count):
        walk = samplers.trajectory(fast, kernel, begun.state, generator)
        for _ in range(count):
            next(walk)

    return steps, begun


if __name__ == "__main__":
    chosen = sys.argv[1:] or ["tiny", "networks"]
    for part in chosen:
        {"tiny": tiny, "networks": networks}[part]()
