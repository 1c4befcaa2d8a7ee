"""The output folder: found usable before the work starts, and never left with half a file."""

from __future__ import annotations

import json
import os
import re
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import Field

from tda_landscape._errors import shown
from tda_landscape.cli._errors import ConfigError, WriteError

Format = Literal["png", "pdf", "svg"]


@dataclass(frozen=True, slots=True)
class Folder:
    """The [output] section.

    Parameters
    ----------
    folder : str
        Relative to the current directory; made if it is not there.
    formats : sequence of str
        Of the pictures: png, pdf, svg.
    dpi : int
        Dots per inch of png pictures.
    """

    folder: str
    formats: Sequence[Format] = ("png",)
    dpi: Annotated[int, Field(ge=30, le=1200)] = 200

    @property
    def path(self) -> Path:
        """The folder."""
        return Path(self.folder)

    def prepare(self) -> None:
        """Make the folder, and write to it once to see whether that works."""
        try:
            self.path.mkdir(parents=True, exist_ok=True)
            _replace(self.path / "results.json.try", b"", keep=False)
        except (OSError, ValueError) as error:
            why = getattr(error, "strerror", None) or str(error)
            raise ConfigError(
                f"[output] folder {shown(self.folder)} cannot be written to ({why}); choose another"
            ) from None

    def write(self, name: str, content: bytes) -> str:
        """Write a file, whole or not at all; return its path."""
        try:
            _replace(self.path / name, content)
        except OSError as error:
            raise WriteError(f"{shown(str(self.path / name))} could not be written: {error.strerror}") from error
        return str(self.path / name)

    def write_json(self, name: str, content: dict[str, Any]) -> str:
        """Write strict JSON."""
        text = json.dumps(content, indent=1, ensure_ascii=False, allow_nan=False, default=str)
        return self.write(name, text.encode())


def file_stems(labels: Sequence[str]) -> list[str]:
    """Make labels into file names: safe on every system, and different from each other."""
    stems: list[str] = []
    for label in labels:
        stem = re.sub(r"[^\w.+-]+", "-", label).strip(".-") or "network"
        stem = stem.encode()[:120].decode(errors="ignore")
        taken, number, first = {s.casefold() for s in stems}, 1, stem
        while stem.casefold() in taken:
            number += 1
            stem = f"{first}-{number}"
        stems.append(stem)
    return stems


def _replace(target: Path, content: bytes, keep: bool = True) -> None:
    """Write beside the target, then rename."""
    beside = target.with_name(f".{os.getpid()}.tmp")
    try:
        beside.write_bytes(content)
        if keep:
            beside.replace(target)
    finally:
        with suppress(OSError):
            beside.unlink(missing_ok=True)
