"""The commands, and what every way to end means for the exit code."""

from __future__ import annotations

import contextlib
import json
import os
import sys
import traceback
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from tda_landscape.cli._run import Report

OK, UNRESOLVED, BAD_INPUT, RESOURCES, INTERNAL, INTERRUPTED = 0, 1, 2, 4, 70, 130

app = typer.Typer(add_completion=False, pretty_exceptions_enable=False, rich_markup_mode=None)


@app.callback()
def commands() -> None:
    """Count the components of the sublevel sets of loss landscapes."""


@app.command()
def survey(
    config: Annotated[Path, typer.Argument(metavar="CONFIG.toml", help="What to survey.")],
    json_: Annotated[bool, typer.Option("--json", help="Print the result as JSON.")] = False,
    quiet: Annotated[bool, typer.Option("--quiet", help="No progress, no table.")] = False,
    debug: Annotated[bool, typer.Option("--debug", help="Show the traceback of an error.")] = False,
) -> None:
    """Find minima and barriers, count components at every level, draw pictures."""
    try:
        with contextlib.redirect_stdout(sys.stderr):  # stdout is for the result, whatever a factory prints
            report = _survey(config, quiet)
    except KeyboardInterrupt:  # typer would swallow it
        from tda_landscape.cli._errors import StoppedSurvey

        raise StoppedSurvey("interrupted before anything was computed") from None
    if json_:
        _print(json.dumps(report.as_dict(), indent=1, allow_nan=False, default=str) + "\n")
    elif not quiet:
        from tda_landscape.cli._table import as_text

        _print(as_text(report.networks, report.curve_pictures))


@app.command()
def certify(
    first: Annotated[Path, typer.Argument(metavar="A", help="Weights of one network: .pt, .pth or .safetensors.")],
    second: Annotated[Path, typer.Argument(metavar="B", help="Weights of the other.")],
    model: Annotated[str, typer.Option("--model", metavar="PKG:FACTORY", help="A function that returns the Energy.")],
    level: Annotated[float, typer.Option("--level", help="The level u.")],
    budget: Annotated[float, typer.Option("--budget", help="Gradient equivalents of the path search.")] = 800.0,
    seed: Annotated[int, typer.Option("--seed", help="Of the path search.")] = 0,
    debug: Annotated[bool, typer.Option("--debug", help="Show the traceback of an error.")] = False,
) -> int:
    """Prove that two networks are joined by a path below a level: exit code 0 yes, 1 unresolved."""
    with contextlib.redirect_stdout(sys.stderr):  # stdout is for the answer, whatever a factory prints
        from tda_landscape.cli._factories import parts_of

        parts_of(model, "--model")
        from tda_landscape.cli._certify import answer  # loads torch

        proved, sentence = answer(first, second, model, level, budget, seed)
    _print(sentence + "\n")
    return OK if proved else UNRESOLVED


@app.command()
def predict(
    model: Annotated[str, typer.Option("--model", metavar="PKG:FACTORY", help="A function that returns the Energy.")],
    debug: Annotated[bool, typer.Option("--debug", help="Show the traceback of an error.")] = False,
) -> None:
    """Say what the theorems about N_u say of a network and its data, with their hypotheses and sources."""
    with contextlib.redirect_stdout(sys.stderr):  # stdout is for the answer, whatever a factory prints
        from tda_landscape.cli._factories import parts_of

        parts_of(model, "--model")
        from tda_landscape.cli._predict import sheet  # loads torch

        text = str(sheet(model))
    _print(text + "\n")


def _survey(config: Path, quiet: bool) -> Report:
    """Check everything that can be checked, then work; torch is imported here, not for --help."""
    from tda_landscape.cli._config import read_config
    from tda_landscape.cli._energies import build_energies
    from tda_landscape.cli._run import run_surveys
    from tda_landscape.cli._screen import Screen

    checked = read_config(config)
    checked.folder.prepare()
    energies = build_energies(checked)
    with Screen(quiet) as screen:
        return run_surveys(checked, energies, screen)


def _print(result: str) -> None:
    """Print the result; a reader who has left is no error, since the files are written."""
    try:
        sys.stdout.write(result)
        sys.stdout.flush()
    except OSError as error:
        os.dup2(os.open(os.devnull, os.O_WRONLY), 1)  # nor shall Python try again when it ends
        if isinstance(error, BrokenPipeError):
            return
        from tda_landscape.cli._errors import WriteError

        raise WriteError(f"the result could not be printed: {error.strerror}") from error


def run(arguments: list[str]) -> int:
    """Run one command and return its exit code; every error is one sentence on stderr."""
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):  # a terminal that lacks a letter shows its code, it does not fail
            stream.reconfigure(errors="backslashreplace")
    try:
        code = app(arguments, prog_name="tda-landscape", standalone_mode=False)
        return code if isinstance(code, int) else OK
    except (Exception, KeyboardInterrupt) as error:
        code, sentence = _verdict(error)
        if "--debug" in arguments:
            traceback.print_exc()
        sys.stderr.write(f"error: {' '.join(sentence.split())}\n")
        return code


def _verdict(error: BaseException) -> tuple[int, str]:
    """Exit code and sentence of whatever ended the command."""
    from tda_landscape._errors import InputError
    from tda_landscape.cli._errors import ConfigError, FailedSurvey, StoppedSurvey, WriteError, first_line

    if isinstance(error, StoppedSurvey):
        return INTERRUPTED, str(error)
    if isinstance(error, KeyboardInterrupt) or type(error).__name__ == "Abort":
        return INTERRUPTED, "interrupted; what had been computed is in the output folder"
    if isinstance(error, (ConfigError, InputError, FailedSurvey)):
        return BAD_INPUT, str(error)
    if hasattr(error, "format_message"):  # what typer says of the command line itself
        return BAD_INPUT, f"{error.format_message().rstrip('.')}; see tda-landscape --help"
    notes = "; ".join(["", *getattr(error, "__notes__", [])])
    if isinstance(error, MemoryError) or "DefaultCPUAllocator" in str(error):
        return RESOURCES, f"out of memory{notes}; survey fewer chains or a smaller network"
    if isinstance(error, WriteError):
        return RESOURCES, str(error)
    return INTERNAL, f"internal error, {first_line(error)}{notes}; --debug shows the traceback"
