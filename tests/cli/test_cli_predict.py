"""tda-landscape predict: a sheet on stdout, and one sentence for what has none."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

import tda_landscape.cli
from tda_landscape.cli._app import run

FACTORY = """
import torch
import tda_landscape as tl

def line(width=2):
    print("a factory may print")
    data = torch.tensor([[1.0], [-1.0]]), torch.tensor([[1.0], [0.5]])
    model = tl.zoo.networks.mlp([1, width, 1], activation="relu", bias=False)
    return tl.Energy.from_model(model, torch.nn.MSELoss(reduction="sum"), data)

def recurrent():
    class Net(torch.nn.Module):
        def __init__(self):
            super().__init__()
            self.cell = torch.nn.Linear(2, 2)

        def forward(self, x):
            return self.cell(torch.tanh(self.cell(x)))

    return tl.Energy.from_model(Net(), torch.nn.functional.mse_loss, (torch.eye(2), torch.eye(2)))

def box():
    return tl.zoo.double_well(2)

def number():
    return 3

def broken():
    return 1 / 0
"""


@pytest.fixture
def ask(tmp_path, monkeypatch, capsys):
    (tmp_path / "predicted_factory.py").write_text(FACTORY)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", [*sys.path, str(tmp_path)])
    monkeypatch.delitem(sys.modules, "predicted_factory", raising=False)

    def command(model):
        code = run(["predict", "--model", model])
        return code, *capsys.readouterr()

    return command


def test_the_sheet_is_printed(ask):
    code, out, err = ask("predicted_factory:line")
    assert code == 0
    assert out.startswith("network 1-2-1 (ReLU; layers with biases: none), MSELoss on 2 rows, weight decay 0\n")
    assert "simple (N_u is 1 for every u): no\nno spurious valley: yes\ncomponents of the global minima: 2\n" in out
    assert "N_u = 2 for u from the minimum 0 to 0.25" in out
    assert "a factory may print" in err


def test_a_network_that_no_theorem_speaks_of_gets_a_sheet_that_says_so(ask):
    code, out, _ = ask("predicted_factory:recurrent")
    assert code == 0
    assert "a linear layer is used twice" in out
    assert out.count("not decided") == 3


@pytest.mark.parametrize(
    ("model", "words"),
    [
        ("predicted_factory:box", "the energy of a function"),
        ("predicted_factory:number", "predicted_factory:number must return the Energy of a network, got 3"),
        ("predicted_factory:broken", "ZeroDivisionError"),
        ("predicted_factory:nothing", "has no"),
        ("no_such_module:x", "cannot be imported"),
        ("nonsense", "pkg:function"),
    ],
)
def test_what_is_no_network_is_bad_input(ask, model, words):
    code, out, err = ask(model)
    assert (code, out) == (2, "")
    assert words in err.splitlines()[-1]
    assert "Traceback" not in err


@pytest.mark.parametrize(
    "command", [["predict"], ["certify", "a.pt", "b.pt", "--level", "1"]], ids=["predict", "certify"]
)
def test_a_name_without_a_colon_is_refused_before_torch_is_loaded(command):
    code = (
        "import sys; sys.modules['torch'] = None; from tda_landscape.cli._app import run; sys.exit(run(sys.argv[1:]))"
    )

    def ask(model):
        arguments = [sys.executable, "-c", code, *command, "--model", model]
        root = {**os.environ, "PYTHONPATH": str(Path(tda_landscape.cli.__file__).parents[2])}
        return subprocess.run(arguments, env=root, capture_output=True, text=True, check=False)

    refused = ask("nonsense")
    assert refused.returncode == 2
    assert refused.stderr == "error: --model must read \"pkg:function\", got 'nonsense'\n"
    control = ask("good:enough")
    assert control.returncode == 70
    assert "torch" in control.stderr
