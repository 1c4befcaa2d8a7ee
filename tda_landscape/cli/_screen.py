"""What the user sees while the surveys run: on stderr, one line a network."""

from __future__ import annotations

from types import TracebackType
from typing import Self

from rich.console import Console
from rich.progress import Progress, SpinnerColumn, TaskID, TextColumn, TimeElapsedColumn
from rich.table import Column


class Screen:
    """A spinner with stage, sentence and time where stderr is a terminal; plain lines elsewhere; or nothing."""

    def __init__(self, quiet: bool) -> None:
        self._console = Console(stderr=True, quiet=quiet, markup=False, highlight=False)
        self._live = self._console.is_terminal and not quiet
        self._label = ""
        self._task: TaskID | None = None
        self._progress = Progress(
            SpinnerColumn(finished_text="✓" if self._console.encoding.startswith("utf") else "+"),
            TextColumn("{task.fields[label]}", markup=False),
            TextColumn(
                "{task.description}",
                markup=False,
                table_column=Column(ratio=1, no_wrap=True, overflow="ellipsis"),
            ),
            TimeElapsedColumn(),
            console=self._console,
            expand=True,
        )

    def __enter__(self) -> Self:
        """Start the spinner."""
        if self._live:
            self._progress.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Leave the terminal as it was, the lines of the networks in it."""
        if self._live:
            self._progress.stop()

    def begin(self, label: str) -> None:
        """Start the line of a network."""
        self._label = label
        if self._live:
            self._task = self._progress.add_task("", label=label, total=None)

    def tell(self, stage: str, sentence: str) -> None:
        """Say what is being done."""
        if self._task is not None:
            self._progress.update(self._task, description=f"{stage}: {sentence}")
        else:
            self._console.print(f"{self._label}: {stage}: {sentence}", soft_wrap=True)

    def tell_pairs(self, searched: int) -> None:
        """Say how far the path searches are."""
        if self._task is not None:
            self._progress.update(self._task, description=f"connect: {searched} paths searched")

    def end(self, sentence: str) -> None:
        """Finish the line of a network."""
        if self._task is not None:
            self._progress.update(self._task, description=sentence, total=1, completed=1)
        else:
            self._console.print(f"{self._label}: {sentence}", soft_wrap=True)
