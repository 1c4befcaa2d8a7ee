"""The command line: `tda-landscape survey CONFIG.toml`, `certify A B --model pkg:factory --level u`, `predict`."""

from __future__ import annotations

import os
import sys
from importlib.util import find_spec

EXTRAS = ("matplotlib", "pydantic", "rich", "typer")

__all__ = ["main"]


def main() -> None:
    """Run the command line on `sys.argv` and leave with its exit code.

    0 ok or yes, 1 unresolved, 2 bad input, 4 out of memory or disk, 70 internal error, 130 interrupted.
    """
    if any(find_spec(name) is None for name in EXTRAS):
        sys.stderr.write("error: the command line needs extras: pip install 'tda-landscape[cli]'\n")
        sys.exit(2)
    # Threads that spin while they wait take the cores from each other: ten times slower on a shared machine.
    os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
    from tda_landscape.cli._app import run

    sys.exit(run(sys.argv[1:]))
