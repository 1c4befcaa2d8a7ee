"""Is one merge tree faster than every engine, and right? Side by side, each engine in its own process.

    python -m benchmarks.topology                       all rows, about ten minutes
    python -m benchmarks.topology --only merge fuzz     some of: merge large stream rips grid fuzz
    python -m benchmarks.topology --landscaper PYTHON   also landscaper, in an interpreter with numpy 1 and landscaper

CPU seconds of one thread, best of up to five, imports and compilation left out. Peers come with the extra `bench`;
one that is not installed is left out, and its target with it. Answers are compared bar by bar: in float64 bit for bit;
those of float32 engines with ours rounded to float32, which is what an exact engine makes of rounded input.
Exits with 1 if a target is missed or an answer differs.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
from pathlib import Path

import numpy as np

from benchmarks import topology_fuzz
from benchmarks.topology_engines import grid

FLOAT32 = {"giotto-ph", "ripser"}
ROOT = Path(__file__).resolve().parent.parent

LANDSCAPER = """
import json, sys, time
import numpy as np
from landscaper.tda import merge_tree
values = np.load(sys.argv[1])
ticks = np.linspace(-1.5, 1.5, len(values))
points = np.stack(np.meshgrid(ticks, ticks, indexing="ij"), axis=-1).reshape(-1, 2)
merge_tree(values[:5, :5], points.reshape(len(values), -1, 2)[:5, :5].reshape(-1, 2))
start = time.process_time()
tree = merge_tree(values, points)
seconds = time.process_time() - start
degree = {}
for edge in tree.edges:
    for node in edge:
        degree[node] = degree.get(node, 0) + 1
levels = [sorted(float(v) for k, v in tree.nodes.items() if degree[k] == d) for d in (1, 3)]
print(json.dumps({"seconds": seconds, "minima": levels[0][:-1], "merges": levels[1]}))
"""


class Report:
    """Prints what was measured and remembers what was missed."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.missed = 0

    def run(self, case: str, engine: str, size: int) -> dict[str, object] | None:
        """One engine on one input; its bars are kept, and compared with ours, which come first."""
        target = self.folder / f"{case}-{size}-{engine}.npy".replace(" ", "-")
        command = [sys.executable, "-m", "benchmarks.topology_engines", case, engine, str(size), str(target)]
        done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
        if done.returncode:
            reason = (done.stderr.strip().splitlines() or [f"exit code {done.returncode}"])[-1]
            print(f"    {engine:20s} left out: {reason[:110]}", flush=True)
            self.missed += "ModuleNotFoundError" not in reason
            return None
        found = json.loads(done.stdout.splitlines()[-1])
        bars = np.load(target)
        words = f"{len(bars)} bars"
        if engine != "ours":
            mine = np.load(self.folder / f"{case}-{size}-ours.npy")
            same = equal(mine, bars, single=engine in FLOAT32)
            self.missed += not same
            words = ("same answer" if same else "DIFFERENT ANSWER") + (" in float32" if engine in FLOAT32 else "")
        print(
            f"    {engine:20s} {found['seconds']:9.4f} s   {found['above']:7.0f} MB above input   {words}", flush=True
        )
        return found

    def target(self, sentence: str, value: float, most: float) -> None:
        """One row of the table of targets."""
        self.missed += value > most
        verdict = "reached" if value <= most else "MISSED"
        print(f"  -> {sentence}: {value:.4g} (to reach: {most:g})  {verdict}", flush=True)

    def compare(self, case: str, size: int, engines: list[str], targets: list[tuple[str, str, float]]) -> dict:
        """All engines on one input, then the ratios (who, to whom, at most)."""
        found = {engine: self.run(case, engine, size) for engine in engines}
        for who, whom, most in targets:
            a, b = found.get(who), found.get(whom)
            if a and b:
                self.target(f"{who} / {whom}", a["seconds"] / b["seconds"], most)
        return found


def equal(mine: np.ndarray, theirs: np.ndarray, *, single: bool) -> bool:
    """Whether two lists hold the same bars, in any order."""
    if single:
        mine, theirs = mine.astype(np.float32), theirs.astype(np.float32)
        mine = mine[mine[:, 1] > mine[:, 0]]
    return np.array_equal(*(bars[np.lexsort((bars[:, 1], bars[:, 0]))] for bars in (mine, theirs)))


def merge(report: Report, _: argparse.Namespace) -> None:
    print("\nMerge tree, 10^6 edges, 10^5 vertices")
    engines = ["ours", "ours without numba", "gudhi", "giotto-ph", "ripser", "higra"]
    targets = [("ours", "gudhi", 0.05), ("ours", "giotto-ph", 0.25), ("ours", "ripser", 0.1)]
    report.compare("merge", 1_000_000, engines, [*targets, ("ours without numba", "gudhi", 0.3)])


def large(report: Report, _: argparse.Namespace) -> None:
    print("\nMerge tree, 10^7 edges, 10^6 vertices")
    found = report.compare("large", 10_000_000, ["ours", "ours without numba", "giotto-ph", "higra"], [])
    peers = [found[name]["seconds"] for name in ("giotto-ph", "higra") if found[name]]
    if peers:
        report.target("ours / better of giotto-ph and higra", found["ours"]["seconds"] / min(peers), 0.3)
    report.target("ours, MB above the input", found["ours"]["above"], 1000)


def stream(report: Report, _: argparse.Namespace) -> None:
    print("\nMerge tree of a stream, 10^8 edges in chunks of 5 x 10^6, 10^6 vertices (time includes making them)")
    found = report.run("stream", "ours", 100_000_000)
    report.target("ours, MB of the whole process", found["peak"], 2000)


def rips(report: Report, _: argparse.Namespace) -> None:
    print("\nRips H1, 1,000 Gaussian points in 10 dimensions, from distances")
    report.compare("rips", 1000, ["ours", "ripser"], [("ours", "ripser", 0.5)])


def grids(report: Report, options: argparse.Namespace) -> None:
    print("\nGrid of 1000 x 1000, four rough wells")
    report.compare("grid", 1000, ["ours", "gudhi"], [("ours", "gudhi", 0.3)])
    print("\nGrid of 30 x 30, four wells")
    found = report.run("grid", "ours", 30)
    if options.landscaper is None:
        print("    landscaper           left out: give --landscaper PYTHON")
        return
    np.save(report.folder / "grid.npy", grid(30))
    command = [options.landscaper, "-c", LANDSCAPER, str(report.folder / "grid.npy")]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    theirs = json.loads(done.stdout.splitlines()[-1])
    bars = np.load(report.folder / "grid-30-ours.npy").astype(np.float32)
    same = sorted(bars[:, 0]) == theirs["minima"] and sorted(bars[np.isfinite(bars[:, 1]), 1]) == theirs["merges"]
    report.missed += not same
    words = "same minima and merges in float32" if same else "DIFFERENT ANSWER"
    print(f"    {'landscaper':20s} {theirs['seconds']:9.4f} s   {words}")
    report.target("ours / landscaper", found["seconds"] / theirs["seconds"], 0.002)


def fuzz(report: Report, _: argparse.Namespace) -> None:
    print("\n500 random graphs: ties, negatives, disconnected, bars of 1e-8, +inf edges; float64, bit for bit")
    for engine, differences in topology_fuzz.differences(500).items():
        report.target(f"graphs on which ours and {engine} differ", differences, 0)


ROWS = {"merge": merge, "large": large, "stream": stream, "rips": rips, "grid": grids, "fuzz": fuzz}


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--only", nargs="+", choices=ROWS, default=list(ROWS))
    parser.add_argument("--landscaper", metavar="PYTHON", help="an interpreter that has landscaper")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        report = Report(Path(folder))
        for name in options.only:
            ROWS[name](report, options)
    print(f"\n{report.missed} targets missed or answers different" if report.missed else "\nAll reached, all the same.")
    return int(report.missed > 0)


if __name__ == "__main__":
    sys.exit(main())
