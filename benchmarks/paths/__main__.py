"""Path searches beside each other, on networks whose minima are frozen by hash.

    python -m benchmarks.paths                    every block
    python -m benchmarks.paths reach              cost until a path is at 50 ... 1 % of the straight line's excess
    python -m benchmarks.paths shortening         share of the detour removed on C, exact geodesics of an annulus
    python -m benchmarks.paths trees              merge trees of 8 minima: connections, error of the levels
    python -m benchmarks.paths growth             connections that 8 to 64 minima take
    python -m benchmarks.paths reach --problems C --methods Ladder --seeds 101 102

G = gradient equivalents counted by `tl.tally`: a gradient 1, a value 1/3; all that a search looks at is charged.
Seeds 101 to 105 were not used while the searches were built; 1 to 20 were.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable

import torch

from benchmarks.paths import problems, reach, shortening, trees

BLOCKS: dict[str, Callable[[argparse.Namespace], None]] = {
    "reach": lambda given: reach.report(given.problems, given.methods, given.seeds),
    "shortening": lambda given: shortening.report([name for name in given.problems if name == "C"], given.seeds),
    "trees": lambda given: trees.report([name for name in given.problems if name in "CAN"], given.seeds[:2]),
    "growth": lambda given: trees.growth("N", given.seeds[0]),
}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("blocks", nargs="*", metavar="block", help=", ".join(BLOCKS))
    parser.add_argument("--problems", nargs="+", default=list(problems.MODELS), choices=list(problems.MODELS))
    parser.add_argument("--methods", nargs="+", default=list(reach.METHODS), choices=list(reach.METHODS))
    parser.add_argument("--seeds", nargs="+", type=int, default=list(problems.HELD_OUT))
    given = parser.parse_args()
    torch.set_num_threads(1)
    for name in given.blocks or BLOCKS:
        BLOCKS[name](given)


if __name__ == "__main__":
    main()
