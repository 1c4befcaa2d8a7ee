"""Networks: minima and saddles of XOR against the cost, path tops of a net on the digits."""

from __future__ import annotations

import torch

import tda_landscape as tl
from benchmarks.minima._runs import Block, Limits, Row, rounds
from samplers import SGD

BUDGETS = (2_600, 4_400, 20_000)  # a round that goes beyond one counts for the next

XOR = (0.09604851, 0.10273643, 0.10273643, 0.10284116, 0.11471737, 0.11471737, 0.11568896, 0.12938)
"""The eight of the issue, modulo permutation and sign; a ninth is the network that is zero, at log 2."""


def xor(seed: int, limits: Limits) -> Row:
    """Minima and saddles modulo neuron permutation and sign by several costs, in one run that no rule ends."""
    limits = Limits(limits.budget or BUDGETS[-1], limits.seconds)
    by: dict[str, Row] = {}
    complete = None
    for chart, cost in rounds(tl.zoo.xor(), seed, limits):
        known = _of_the_eight(chart.minima.energies.tolist())
        row = {"G": cost, "minima": len(chart.minima), "of_the_eight": known, "saddles": len(chart.saddles)}
        by.update({str(budget): row for budget in BUDGETS if cost <= budget})
        if known == len(XOR) and complete is None:
            complete = cost
    return {"by": by, "all_eight_at": complete, "energies": sorted(round(e, 8) for e in chart.minima.energies.tolist())}


def _of_the_eight(energies: list[float]) -> int:
    """How many distinct minima have energies of the list."""
    return sum(min(abs(e - known) for known in XOR) < 1e-5 for e in energies)


def reached(rows: list[Row]) -> str:
    """Counts by each budget, worst first."""
    said = []
    for budget in BUDGETS:
        at = [row["by"][str(budget)] for row in rows if str(budget) in row["by"]]
        eight, every, saddles = (sorted(row[name] for row in at) for name in ("of_the_eight", "minima", "saddles"))
        each = sorted(round(row["G"] / max(1, row["saddles"])) for row in at)
        said.append(f"  by {budget} G: of the eight {eight}, minima {every}, saddles {saddles}, G a saddle {each}")
    complete = [row["all_eight_at"] for row in rows if row["all_eight_at"] is not None]
    said.append(f"  all eight in {len(complete)} of {len(rows)}, at {sorted(round(cost) for cost in complete)} G")
    return "\n".join([f"{len(rows)} runs", *said])


def xor_rule(seed: int, limits: Limits) -> Row:
    """What the rule alone ends with."""
    energy, cost = tl.tally(tl.zoo.xor())
    graph = tl.explore(energy, budget=limits.budget or 60_000, seed=seed)
    eight = _of_the_eight(graph.births.tolist())
    return {"of_the_eight": eight, "minima": len(graph.births), "G": cost.gradient_equivalents, "reason": graph.reason}


def rule_ended(rows: list[Row]) -> str:
    parts = [f"{row['of_the_eight']} of the eight ({row['minima']} minima) at {row['G']:.0f} G" for row in rows]
    return "; ".join(parts)


def xor_reference(seed: int, limits: Limits) -> Row:
    """All that descents from many independent starts of each width end in, by energy."""
    energy, generator = tl.zoo.xor(), torch.Generator().manual_seed(seed)
    widths: dict[str, dict[str, int]] = {}
    for width in (0.5, 1, 2, 4):
        ends = widths[str(width)] = {}
        for _ in range(3):
            starts = width * torch.randn(1000, energy.dim, generator=generator, dtype=energy.dtype)
            points = tl.minimize(energy, starts, tolerance=1e-6, max_steps=600)
            for value in energy(points).tolist():
                name = f"{value:.5f}"
                ends[name] = ends.get(name, 0) + 1
    return {"widths": widths}


def energies_seen(rows: list[Row]) -> str:
    """Energies that more than one descent in a thousand ended in, for each seed."""
    said = []
    for row in rows:
        total: dict[str, int] = {}
        for ends in row["widths"].values():
            for name, count in ends.items():
                total[name] = total.get(name, 0) + count
        said.append(f"  seed {row['seed']}, 12,000 starts: {dict(sorted(total.items()))}")
    return "\n".join(["descents end at", *said])


def digits(seed: int, limits: Limits) -> Row:
    """Refined path tops of a 64-8-10 tanh network on the digits: how many are saddles of index 1, by products alone."""
    energy = tl.zoo.digits(8)
    cloud = tl.sample(energy, SGD(lr=0.1, momentum=0.9), chains=8, steps=300, seed=seed)
    minima = tl.quench(energy, cloud)
    search = tl.paths.Ladder(budget=2500, tolerance=1e-5)
    graph = tl.connect(energy, minima, search=search, budget=limits.budget or 25_000, seed=seed)
    tops = torch.stack([path.points[path.energies.argmax()] for path in graph.paths if path is not None])
    counted, cost = tl.tally(energy)
    saddles = tl.refine_saddle(counted, tops, steps=120)
    return {"tops": len(tops), "found": str(saddles), "G_each": cost.gradient_equivalents / len(tops)}


def refined(rows: list[Row]) -> str:
    return "; ".join(f"seed {row['seed']}: {row['found']}, {row['G_each']:.0f} G each" for row in rows)


BLOCKS = {
    "xor": Block(xor, reached, range(5040, 5050)),
    "xor_rule": Block(xor_rule, rule_ended, range(5040, 5045)),
    "xor_reference": Block(xor_reference, energies_seen, range(1, 3)),
    "digits": Block(digits, refined, range(3000, 3001)),
}
