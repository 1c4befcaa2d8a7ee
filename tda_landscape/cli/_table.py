"""The result as a table for people: quantities down, networks across, so that it fits 80 columns."""

from __future__ import annotations

import io
import sys
from collections.abc import Callable, Sequence
from typing import Any

from rich.console import Console
from rich.table import Table
from rich.text import Text

from tda_landscape.cli._describe import NOTE
from tda_landscape.topology._words import number

ROWS: dict[str, Callable[[dict[str, Any]], str]] = {
    "parameters": lambda r: f"{r['dim']}",
    "starts": lambda r: f"{r['starts']}" + (f" ({r['diverged']} diverged)" if r["diverged"] else ""),
    "distinct points": lambda r: ", ".join(f"{n} {status}" for status, n in r["status_counts"].items()),
    "lowest minimum": lambda r: f"{min(r['births']):.6g}",
    "highest minimum": lambda r: f"{max(r['births']):.6g}",
    "top merge": lambda r: _top(r["merges"]),
    "separate trees": lambda r: f"{r['leaves'] - len(r['merges'])}",
    "max N_u": lambda r: _count(r["max_nu"]),
    "  first at u": lambda r: f"{r['max_nu']['level']:.6g}",
    "  with copies": lambda r: _raw(r["nu"]["raw"]),
    "  proved apart": lambda r: f"{r['max_nu']['proved_separations']} of {r['max_nu']['count'] - 1}",
    "saddles": lambda r: f"{len(r['saddles'])}",
    "paths searched": lambda r: f"{r['searched_paths']}",
    "cost (gradients)": lambda r: f"{r['cost']['gradient_equivalents']:.0f}",
    "seconds": lambda r: f"{r['seconds']:.1f}",
}

NAME_WIDTH, CELL_WIDTH = 18, 19


def as_text(results: Sequence[dict[str, Any]], curves: Sequence[str]) -> str:
    """What is printed, for the terminal that stdout is."""
    terminal, page = Console(), _Page(sys.stdout.encoding)
    console = Console(
        file=page, width=terminal.width, force_terminal=terminal.is_terminal, highlight=False, markup=False
    )
    _print_results(console, results, curves)
    return page.getvalue()


class _Page(io.StringIO):
    """A text in memory that rich draws for the letters that stdout has."""

    def __init__(self, encoding: str | None) -> None:
        super().__init__()
        self._encoding = encoding or "utf-8"

    @property
    def encoding(self) -> str:  # type: ignore[override]
        """That of stdout."""
        return self._encoding


def _print_results(console: Console, results: Sequence[dict[str, Any]], curves: Sequence[str]) -> None:
    """Print one table for as many networks as fit side by side, what the counts mean, and the pictures."""
    across = max(1, (console.width - NAME_WIDTH) // CELL_WIDTH)
    for first in range(0, len(results), across):
        console.print(_table(results[first : first + across]))
    meanings = dict.fromkeys(result["max_nu"]["meaning"] for result in results)
    symmetries = dict.fromkeys(result["symmetry"] for result in results if result["symmetry"])
    groups = [f"Symmetry, verified on the data: {'; '.join(symmetries)}."] if symmetries else []
    for sentence in (*groups, f"N_u counts with {'; with '.join(meanings)}.", NOTE):
        console.print(Text(sentence))
    _print_pictures(console, results, curves)


def _table(results: Sequence[dict[str, Any]]) -> Table:
    """Some networks side by side."""
    table = Table(show_edge=False, pad_edge=False)
    table.add_column("", no_wrap=True)
    for result in results:
        table.add_column(Text(result["label"]), justify="right", overflow="fold")
    for name, cell in ROWS.items():
        table.add_row(name, *(Text(cell(result)) for result in results))
    return table


def _top(merges: list[dict[str, Any]]) -> str:
    """Height of the last merge, with its status."""
    return f"{merges[-1]['height']:.6g} ({merges[-1]['status']})" if merges else "none"


def _count(highest: dict[str, Any]) -> str:
    """A count with its status, never without."""
    status = highest["merge_status"]
    return f"{highest['count']} ({'no merge' if status == 'none' else status})"


def _raw(bounds: list[list[int]] | None) -> str:
    """Largest counts with symmetric copies one by one: a range."""
    if bounds is None:
        return "no symmetry"
    low, high = (max(bound) for bound in bounds)
    return f"{low} to {number(high)}"


def _print_pictures(console: Console, results: Sequence[dict[str, Any]], curves: Sequence[str]) -> None:
    """Where the pictures are, and which there are not."""
    console.print()
    for result in results:
        if "highest-path" not in result["pictures"]:
            console.print(Text(f"{result['label']}: no merge, so there is no highest path to draw"))
    paths = [path for result in results for group in result["pictures"].values() for path in group]
    for path in (*curves, *paths):
        console.print(Text(path), soft_wrap=True)
