"""Set up and check a clone of tda_landscape; needs only Python 3.11 or newer.

    python tools/dev.py setup    make .venv here and install the package in it
    python tools/dev.py demo     survey the small example problem
    python tools/dev.py test     run the tests:   test -k ladder,  test -m slow
    python tools/dev.py check    lint and types:  check --fix,  check samplers

The last three set up first where that is still to be done. Further arguments
go to the tool behind the command: pip, the survey, pytest, or ruff and mypy.
"""

from __future__ import annotations

import hashlib
import os
import platform
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
VENV = ROOT / ".venv"
PYTHON = VENV / ("Scripts/python.exe" if os.name == "nt" else "bin/python")
STAMP = VENV / "setup.sha256"
EDITABLE = ".[cli,plot,test]"
OLDEST = (3, 11)
BAD_USAGE, INTERRUPTED = 2, 130


def say(sentence: str) -> None:
    """Print to stderr: stdout belongs to the tools."""
    print(sentence, file=sys.stderr, flush=True)


def run(*command: str | Path) -> int:
    """Run a command in the repository root and return its exit code."""
    process = subprocess.Popen([str(part) for part in command], cwd=ROOT)
    try:
        code = process.wait()
    except KeyboardInterrupt:
        process.wait()  # The child heard Ctrl-C too: let it finish what it stores. A second one ends us.
        raise
    return code if code >= 0 else 128 - code  # killed by a signal: as a shell reports it


def wanted_stamp() -> str:
    """Hash everything that the installation depends on."""
    digest = hashlib.sha256()
    for name in ("pyproject.toml", "constraints.txt"):
        digest.update((ROOT / name).read_bytes() + b"\0")
    # The root too: a copied folder brings a .venv along that still imports the original.
    digest.update(f"{platform.python_version()}\0{ROOT}".encode())
    return digest.hexdigest()


def venv_works() -> bool:
    """Say whether .venv holds a Python of this version that starts and has pip."""
    probe = "import platform, pip; print(platform.python_version())"
    try:
        answer = subprocess.run([str(PYTHON), "-I", "-c", probe], capture_output=True, text=True, check=False)
    except OSError:
        return False
    return answer.returncode == 0 and answer.stdout.strip() == platform.python_version()


def setup(arguments: list[str]) -> int:
    """Bring .venv up to date; at once when nothing has changed."""
    stamp = wanted_stamp()
    works = venv_works()
    if works and not arguments and STAMP.is_file() and STAMP.read_text() == stamp:
        return 0
    say("Setting up .venv (PyTorch is large: a minute or more, once).")
    STAMP.unlink(missing_ok=True)
    code = 0 if works else run(sys.executable, "-m", "venv", "--clear", VENV)
    if code == 0:
        install = ("install", "--disable-pip-version-check", "-c", "constraints.txt", "-e", EDITABLE)
        code = run(PYTHON, "-m", "pip", *install, *arguments)
    if code == 0 and not arguments:  # with arguments of its own, pip may have done something else
        STAMP.write_text(stamp)
    elif code:
        say("The set-up failed, see above; the next command tries again.")
    return code


def demo(arguments: list[str]) -> int:
    """Survey the small example problem."""
    return run(PYTHON, "-m", "tda_landscape.cli", "survey", "examples/digits.toml", *arguments)


def test(arguments: list[str]) -> int:
    """Run the tests: all of them on all processors, a choice of them on one."""
    return run(PYTHON, "-m", "pytest", *(arguments or ("-n", "auto", "--dist", "loadfile")))


def check(arguments: list[str]) -> int:
    """Run the linter, the formatter and the type checker: all three, also when one fails."""
    rest = [argument for argument in arguments if argument != "--fix"]
    if len(rest) < len(arguments):
        run(PYTHON, "-m", "ruff", "check", "--fix", "--quiet", "--exit-zero", *(rest or ["."]))
        run(PYTHON, "-m", "ruff", "format", *(rest or ["."]))
    codes = [
        run(PYTHON, "-m", "ruff", "check", *(rest or ["."])),
        run(PYTHON, "-m", "ruff", "format", "--check", *(rest or ["."])),
        run(PYTHON, "-m", "mypy", *rest),  # without paths: the packages named in pyproject.toml
    ]
    return max(codes)


COMMANDS = {"setup": setup, "demo": demo, "test": test, "check": check}


def main(arguments: list[str]) -> int:
    """Run one command and return the exit code for the shell."""
    if sys.version_info < OLDEST:
        say(f"tda_landscape needs Python 3.11 or newer, this is {platform.python_version()}.")
        return BAD_USAGE
    name, *rest = arguments or ["--help"]
    if name in ("-h", "--help"):
        print(__doc__)
        return 0 if arguments else BAD_USAGE
    if name not in COMMANDS:
        say(f"Unknown command {name!r}: use one of {', '.join(COMMANDS)}.")
        return BAD_USAGE
    try:
        code = 0 if name == "setup" else setup([])
        return code or COMMANDS[name](rest)
    except KeyboardInterrupt:
        return INTERRUPTED


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
