"""Minima, saddles and merge trees by exploration: what is right, and what it cost.

    python -m benchmarks.minima                      every block, at its full number of seeds
    python -m benchmarks.minima mueller_brown lj7    some blocks
    python -m benchmarks.minima lj8 --seeds 3000 3010

G = gradient equivalents counted by `tl.tally`: value and gradient 1, Hessian d, Hessian-vector product 2; everything
is charged, verification included. A run ends by its own rule and never by knowing the answer, but in lj8_first. Seeds
from 3000 on were not used while the search was built.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable

import torch

from benchmarks.minima import fourier, networks, trees

BLOCKS: dict[str, tuple[Callable[[range], None], range]] = {
    "mueller_brown": (trees.mueller_brown, range(3000, 3100)),
    "fourier2": (fourier.fourier2, range(50)),
    "fourier3": (fourier.fourier3, range(10)),
    "lj7": (trees.lj7, range(3000, 3100)),
    "lj8": (trees.lj8, range(3000, 3030)),
    "lj8_first": (trees.lj8_first, range(4000, 4010)),
    "lj8_reference": (trees.lj8_reference, range(1, 3)),
    "xor": (networks.xor, range(4000, 4005)),
    "xor_rule": (networks.xor_rule, range(4000, 4005)),
    "xor_reference": (networks.xor_reference, range(1, 3)),
    "digits": (networks.digits, range(3000, 3001)),
    "lj13": (trees.lj13, range(3000, 3003)),
}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("blocks", nargs="*", metavar="block", help=", ".join(BLOCKS))
    parser.add_argument("--seeds", nargs=2, type=int, metavar=("FIRST", "STOP"))
    given = parser.parse_args()
    torch.set_num_threads(1)
    for name in given.blocks or BLOCKS:
        block, seeds = BLOCKS[name]
        block(range(*given.seeds) if given.seeds else seeds)


if __name__ == "__main__":
    main()
