"""Minima, saddles and merge trees by exploration: what is right, and what it cost.

    python -m benchmarks.minima                               every block, at its full number of seeds
    python -m benchmarks.minima mueller_brown lj7             some blocks
    python -m benchmarks.minima lj8 --seeds 7200-7209 7220    some seeds: spread them over processes, > lines.jsonl
    python -m benchmarks.minima lj13 --seeds 7 --budget 200000 --seconds 450
    python -m benchmarks.minima --summarize *.jsonl           what the lines of several processes say together

One line of JSON a seed, then a summary (which --summarize skips when it reads). G = gradient equivalents counted by
`tl.tally`: value and gradient 1, Hessian d, Hessian-vector product 2; everything is charged, verification included. A
run ends by its own rule and never by knowing the answer, but in lj8_first, and at a budget in xor, lj13 and the
references, which go round by round and verify no paths. The default seeds were not used while the search
was built; 5000-5019, 6000-6031 and 7000-7131 chose its shares and its rule.
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path

import torch

from benchmarks.minima import cluster13, fourier, networks, trees
from benchmarks.minima._runs import Limits, Row

BLOCKS = {**trees.BLOCKS, **fourier.BLOCKS, **networks.BLOCKS, **cluster13.BLOCKS}


def seeds_of(words: list[str]) -> list[int]:
    """Seeds from numbers and ranges like 3000-3009, both ends included."""
    seeds: list[int] = []
    for word in words:
        first, _, last = word.partition("-")
        seeds += range(int(first), int(last or first) + 1)
    return seeds


def summarize(rows: list[Row]) -> None:
    """Print what the rows of each block say together."""
    for name, block in BLOCKS.items():
        if own := sorted((row for row in rows if row["block"] == name), key=lambda row: row["seed"]):
            print(f"{name}: {block.summarize(own)}\n", flush=True)


def read(paths: list[str]) -> list[Row]:
    """The lines of JSON in some files."""
    return [json.loads(line) for path in paths for line in Path(path).read_text().splitlines() if line.startswith("{")]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("blocks", nargs="*", metavar="block", help=", ".join(BLOCKS))
    parser.add_argument("--seeds", nargs="+", metavar="N or N-M")
    parser.add_argument("--budget", type=float, help="gradient equivalents, where a block ends at a budget")
    parser.add_argument("--seconds", type=float, default=float("inf"), help="xor, lj8_first, lj13: no round after that")
    parser.add_argument("--summarize", nargs="+", metavar="FILE")
    given = parser.parse_args()
    if given.summarize:
        summarize(read(given.summarize))
        return
    torch.set_num_threads(1)
    rows: list[Row] = []
    for name in given.blocks or BLOCKS:
        for seed in seeds_of(given.seeds) if given.seeds else BLOCKS[name].seeds:
            rows.append({"block": name, "seed": seed, **BLOCKS[name].run(seed, Limits(given.budget, given.seconds))})
            print(json.dumps(rows[-1]), flush=True)
    summarize(rows)


if __name__ == "__main__":
    main()
