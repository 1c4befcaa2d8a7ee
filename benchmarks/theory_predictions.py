"""What the theorems predict on real data, beside what a survey of the same network finds.

    python -m benchmarks.theory_predictions            every case
    python -m benchmarks.theory_predictions relu       the cases with that word in their name

Diabetes (regression) and digits (two classes as one-hot targets), a few rows and columns of each where a threshold
needs that. Survey: descents from the start law, and between each two of their ends the path of the theorem where one
applies (`tl.theory.Constructive`), else the ladder. No symmetry: N_u counts raw components. A prediction agrees where
- "N_u is 1": no pair is left unresolved, every path comes within TOLERANCE of its higher end;
- "N_u > 1": the survey counts more than one component below some level;
- "no spurious valley": no component ends above the lowest energy; "spurious valley": one does;
- a number of global components above 1: at least as many are counted (more are pairs left unresolved).
TOLERANCE is relative to what the lowest energy gains over outputs of zero. A failed search proves nothing: "N_u > 1" is
the theorem's, and the survey only fails to refute it.
"""

from __future__ import annotations

import argparse
import itertools
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import torch
from sklearn.datasets import load_diabetes
from torch import Tensor
from torch.nn import functional

import tda_landscape as tl
from tda_landscape.energy import datasets, networks

TOLERANCE = 1e-4
STARTS = 6
BUDGET = 200.0  # gradient equivalents of the ladder for each pair
SEED = 0

Data = tuple[Tensor, Tensor]


@dataclass(frozen=True)
class Case:
    """A network with data: widths, activation, biases."""

    name: str
    sizes: list[int]
    activation: str
    data: Callable[[], Data]
    bias: bool = False
    weight_decay: float = 0.0


def diabetes(columns: list[int], outputs: list[int] = [], rows: int = 100) -> Data:  # noqa: B006
    """Standardized columns; the targets are the progression and the columns named in `outputs`."""
    x, y = load_diabetes(return_X_y=True)
    table = torch.tensor(x, dtype=torch.float64) * len(x) ** 0.5
    progression = torch.tensor((y - y.mean()) / y.std(), dtype=torch.float64)
    targets = torch.cat([progression[:, None], table[:, outputs]], dim=1)
    return table[:rows, columns], targets[:rows]


def digits(rows: int, classes: int) -> Data:
    """The first pictures of some digits, 8 x 8 pooled to 2 x 2, with one-hot targets."""
    x, y = datasets.load("digits")
    few = torch.nonzero(y < classes).flatten()[:rows]
    pictures = functional.avg_pool2d(x[few].view(-1, 1, 8, 8), 4).flatten(1)
    return pictures, functional.one_hot(y[few], classes).to(torch.float64)


CASES = [
    Case("linear 10-1-1, diabetes", [10, 1, 1], "identity", lambda: diabetes(list(range(10)))),
    Case("linear 10-2-1, diabetes", [10, 2, 1], "identity", lambda: diabetes(list(range(10)))),
    Case("linear 8-1-2, diabetes", [8, 1, 2], "identity", lambda: diabetes([0, 1, 4, 5, 6, 7, 8, 9], [2])),
    Case("linear 8-2-2, diabetes", [8, 2, 2], "identity", lambda: diabetes([0, 1, 4, 5, 6, 7, 8, 9], [2])),
    Case("linear 8-3-2, diabetes", [8, 3, 2], "identity", lambda: diabetes([0, 1, 4, 5, 6, 7, 8, 9], [2])),
    Case("linear 4-1-1-1, diabetes", [4, 1, 1, 1], "identity", lambda: diabetes([0, 2, 3, 8])),
    Case("linear 4-2-2-1, diabetes", [4, 2, 2, 1], "identity", lambda: diabetes([0, 2, 3, 8])),
    Case("linear 4-2-2, digits", [4, 2, 2], "identity", lambda: digits(300, 2)),
    Case("linear 4-3-2, digits", [4, 3, 2], "identity", lambda: digits(300, 2)),
    Case("linear 4-2-1 with ridge, diabetes", [4, 2, 1], "identity", lambda: diabetes([0, 2, 3, 8]), weight_decay=0.01),
    Case("linear 4-2-2-1 with ridge", [4, 2, 2, 1], "identity", lambda: diabetes([0, 2, 3, 8]), weight_decay=0.01),
    Case("relu 1-1-1, diabetes", [1, 1, 1], "relu", lambda: diabetes([2])),
    Case("relu 1-2-1, diabetes", [1, 2, 1], "relu", lambda: diabetes([2])),
    Case("relu 1-3-1, diabetes", [1, 3, 1], "relu", lambda: diabetes([2])),
    Case("squares 1-1-1-1, diabetes", [1, 1, 1, 1], "square", lambda: diabetes([2])),
    Case("squares 1-2-1-1, diabetes", [1, 2, 1, 1], "square", lambda: diabetes([2])),
    Case("squares 1-2-2-1, diabetes", [1, 2, 2, 1], "square", lambda: diabetes([2])),
    Case("squares 1-3-3-1, diabetes", [1, 3, 3, 1], "square", lambda: diabetes([2])),
    Case("relu 4-7-1, 6 rows of diabetes", [4, 7, 1], "relu", lambda: diabetes([0, 2, 3, 8], rows=6)),
    Case("tanh 4-5-2, 5 digits", [4, 5, 2], "tanh", lambda: digits(5, 2), bias=True),
    Case("tanh 4-6-2, 5 digits", [4, 6, 2], "tanh", lambda: digits(5, 2), bias=True),
    Case("tanh 4-2-2, 40 digits", [4, 2, 2], "tanh", lambda: digits(40, 2), bias=True),
]


@dataclass(frozen=True)
class Row:
    """A case with its prediction, the flags of its survey, and whether the two agree; None if nothing is predicted."""

    case: Case
    sheet: tl.Predictions
    flags: tl.Valleys
    by_theorem: int
    pairs: int

    @property
    def agrees(self) -> bool | None:
        """Whether each flag that is predicted is the surveyed one."""
        said, seen = self.sheet, self.flags
        decided = [
            getattr(said, name) == getattr(seen, name)
            for name in ("simple", "no_spurious_valley")
            if getattr(said, name) is not None
        ]
        if said.n_global_components is not None or said.global_components_at_least > 1:
            decided.append(seen.n_global_components >= (said.n_global_components or said.global_components_at_least))
        return all(decided) if decided else None


def run(case: Case, seed: int = SEED) -> Row:
    """Predict and survey one case."""
    data = case.data()
    model = networks.mlp(case.sizes, activation=case.activation, bias=case.bias)
    sheet = tl.predict(model, functional.mse_loss, data, case.weight_decay)
    energy = tl.Energy.from_model(model, functional.mse_loss, data, weight_decay=case.weight_decay)
    points = tl.minimize(energy, energy.start(STARTS, seed))
    births = energy(points)
    tolerance = TOLERANCE * (float(functional.mse_loss(0 * data[1], data[1])) - float(births.min()))
    search = tl.theory.Constructive(otherwise=tl.paths.Ladder(budget=BUDGET))
    edges = list(itertools.combinations(range(STARTS), 2))
    starts, ends = (points[list(side)] for side in zip(*edges, strict=True))
    generators = [torch.Generator().manual_seed(seed + k) for k in range(len(edges))]
    paths = search.find(energy, starts, ends, generators)
    heights, by_theorem = [path.height for path in paths], sum(p.reason is tl.paths.Stop.THEOREM for p in paths)
    flags = tl.valleys((births.numpy(), edges, heights), tolerance=tolerance)
    return Row(case, sheet, flags, by_theorem, len(edges))


def rows(word: str = "", seed: int = SEED) -> Iterator[Row]:
    """Every case with a word in its name."""
    for case in CASES:
        if word in case.name:
            yield run(case, seed)


def _told(simple: bool | None, valley: bool | None, count: int | None, fewest: int = 1) -> str:
    """Three flags in a column."""
    words = {True: "yes", False: "no", None: "?"}
    return f"{words[simple]:>4} {words[valley]:>4} {count or ('>=' + str(fewest) if fewest > 1 else '?'):>4}"


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("word", nargs="?", default="")
    parser.add_argument("--seed", type=int, default=SEED)
    options = parser.parse_args()
    print(f"{'':36} predicted       surveyed        paths by")
    print(f"{'case':36} N=1  P.1  glob  N=1  P.1  glob  theorem   agrees               CPU")
    answers = {True: "yes", False: "NO", None: "nothing predicted"}
    for row in rows(options.word, options.seed):
        said = _told(
            row.sheet.simple,
            row.sheet.no_spurious_valley,
            row.sheet.n_global_components,
            row.sheet.global_components_at_least,
        )
        seen = _told(row.flags.simple, row.flags.no_spurious_valley, row.flags.n_global_components)
        how, spent = f"{row.by_theorem:>3} of {row.pairs}", f"{time.process_time():.0f} s"
        print(f"{row.case.name:36}{said} {seen} {how:>9}  {answers[row.agrees]:18} {spent:>6}", flush=True)


if __name__ == "__main__":
    main()
