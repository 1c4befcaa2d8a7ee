"""Configurations that run in about a second, and the command line as a function."""

from dataclasses import dataclass
from pathlib import Path

import pytest

from tda_landscape.cli._app import run

WELLS = """
[energy]
name = "double_well"
dim = 2

[sample]
chains = 20
seed = 3

[connect]
search = { name = "Ladder", budget = 60 }
budget = 600
seed = 4

[output]
folder = "out"
dpi = 40
"""

NETWORKS = """
[[model]]
label = "one"
name = "mlp"
sizes = [4, 1, 3]

[[model]]
label = "two"
name = "mlp"
sizes = [4, 2, 3]

[data]
name = "iris"
samples = 30

[energy]
loss = "cross_entropy"
weight_decay = 1e-2

[sample]
kernel = { name = "GradientDescent", lr = 0.1 }
chains = 4
steps = 20

[connect]
search = "Straight"
budget = 100

[output]
folder = "out"
dpi = 40
"""


@dataclass(frozen=True)
class Result:
    """How a command ended."""

    code: int
    out: str
    err: str

    @property
    def error(self):
        """The one sentence of a user's mistake."""
        lines = self.err.splitlines()
        assert "Traceback" not in self.err + self.out
        assert self.out == ""
        assert [line for line in lines if not line.startswith("note: ")][-1:] == lines[-1:]
        errors = [line for line in lines if line.startswith("error: ")]
        assert len(errors) == 1
        return errors[0]


@pytest.fixture
def survey(tmp_path, monkeypatch, capsys):
    """Run `tda-landscape survey` on a text, in a folder of its own."""
    monkeypatch.chdir(tmp_path)

    def command(text, *options):
        Path("config.toml").write_bytes(text if isinstance(text, bytes) else text.encode())
        capsys.readouterr()
        code = run(["survey", "config.toml", *options])
        return Result(code, *capsys.readouterr())

    return command


@pytest.fixture
def refused(survey):
    """Run on a text that must be refused: exit code 2, one line on stderr; return that line."""

    def command(text, *options):
        result = survey(text, *options)
        assert result.code == 2
        assert result.err.count("\n") == 1, result.err
        return result.error

    return command


@pytest.fixture
def wells():
    return WELLS


@pytest.fixture
def networks():
    return NETWORKS
