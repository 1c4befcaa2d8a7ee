"""Networks: minima and saddles of XOR against the cost, path tops of a net on the digits."""

from __future__ import annotations

import re

import torch

import tda_landscape as tl
from samplers import SGD

BUDGETS = (2_600, 4_400, 20_000)

XOR = (0.09604851, 0.10273643, 0.10273643, 0.10284116, 0.11471737, 0.11471737, 0.11568896, 0.12938)
"""The eight of the issue, modulo permutation and sign; a ninth is the network that is zero, at log 2."""


def xor(seeds: range) -> None:
    """Minima and saddles modulo neuron permutation and sign by several costs, each seed in one run."""
    for seed in seeds:
        energy, cost = tl.tally(tl.zoo.xor())
        seen: list[tuple[float, int, int]] = []

        def note(sentence: str, seen: list = seen, cost: tl.Tally = cost) -> None:
            minima, saddles = map(int, re.findall(r"(\d+) (?:minima|saddles)", sentence)[:2])
            seen.append((cost.gradient_equivalents, minima, saddles))

        graph = tl.explore(energy, budget=BUDGETS[-1], seed=seed, patience=float("inf"), progress=note)
        last = [max((row for row in seen if row[0] <= budget), default=(0.0, 0, 0)) for budget in BUDGETS]
        line = [f"{m} minima, {s} saddles by {g:.0f} G ({g / max(1, s):.0f} a saddle)" for g, m, s in last]
        eight = sum(min(abs(b - e) for e in XOR) < 1e-5 for b in graph.births)
        print(f"  XOR 2-4-1 seed {seed}: {'; '.join(line)}; of the eight {eight}", flush=True)


def xor_rule(seeds: range) -> None:
    """What the rule alone ends with."""
    for seed in seeds:
        energy, cost = tl.tally(tl.zoo.xor())
        graph = tl.explore(energy, budget=60_000, seed=seed)
        print(f"  XOR seed {seed}: {len(graph.births)} minima at {cost.gradient_equivalents:.0f} G; {graph.reason}")


def xor_reference(seeds: range) -> None:
    """All that descents from many independent starts of each width end in, by energy."""
    for seed in seeds:
        energy, generator = tl.zoo.xor(), torch.Generator().manual_seed(seed)
        for width in (0.5, 1, 2, 4):
            ends: dict[float, int] = {}
            for _ in range(3):
                starts = width * torch.randn(1000, energy.dim, generator=generator, dtype=energy.dtype)
                points = tl.minimize(energy, starts, tolerance=1e-6, max_steps=600)
                for value in energy(points).tolist():
                    ends[round(value, 5)] = ends.get(round(value, 5), 0) + 1
            print(
                f"  XOR reference seed {seed}, 3,000 starts {width} N(0, 1): {dict(sorted(ends.items()))}", flush=True
            )


def digits(seeds: range) -> None:
    """Refined path tops of a 64-8-10 tanh network on the digits: how many are saddles of index 1, by products alone."""
    energy = tl.zoo.digits(8)
    for seed in seeds:
        cloud = tl.sample(energy, SGD(lr=0.1, momentum=0.9), chains=8, steps=300, seed=seed)
        minima = tl.quench(energy, cloud)
        search = tl.paths.Ladder(budget=2500, tolerance=1e-5)
        graph = tl.connect(energy, minima, search=search, budget=25_000, seed=seed)
        tops = torch.stack([path.points[path.energies.argmax()] for path in graph.paths if path is not None])
        counted, cost = tl.tally(energy)
        saddles = tl.refine_saddle(counted, tops, steps=120)
        print(
            f"  digits 64-8-10 seed {seed}: {saddles}; {cost.gradient_equivalents / len(tops):.0f} G each", flush=True
        )
