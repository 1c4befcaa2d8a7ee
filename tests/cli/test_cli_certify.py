"""tda-landscape certify: an exit code and a sentence, and files that cannot run code."""

import pickle
import sys

import pytest
import torch

import tda_landscape as tl
from tda_landscape.cli._app import run

FACTORY = """
import torch
import tda_landscape as tl

def energy():
    print("a factory may print")
    X, y = tl.zoo.datasets.load("iris", samples=40)
    net = torch.nn.Sequential(torch.nn.Linear(4, 5), torch.nn.BatchNorm1d(5), torch.nn.Tanh(), torch.nn.Linear(5, 3))
    return tl.Energy.from_model(net.eval(), torch.nn.functional.cross_entropy, (X, y))

def number():
    return 3

def box():
    return tl.zoo.double_well(2)
"""


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """A folder with a factory and two checkpoints of networks that are joined by a low path."""
    (tmp_path / "certified_factory.py").write_text(FACTORY)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", [*sys.path, str(tmp_path)])
    monkeypatch.delitem(sys.modules, "certified_factory", raising=False)
    from importlib import import_module

    energy = import_module("certified_factory").energy()
    module = energy.network.module
    for seed, name in enumerate(("a.pt", "b.pt")):
        torch.nn.utils.vector_to_parameters(energy.start(1, seed)[0], module.parameters())
        torch.save(module.state_dict(), tmp_path / name)
    return tmp_path, energy


def heights(folder) -> tuple[float, float]:
    path, energy = folder
    ends = [energy.network.flatten(torch.load(path / name, weights_only=True)) for name in ("a.pt", "b.pt")]
    return float(energy(torch.stack(ends)).max()), tl.certify(energy, torch.stack(ends)).upper


def ask(level: float, *names: str, model: str = "certified_factory:energy", more: tuple[str, ...] = ()) -> int:
    return run(["certify", *(names or ("a.pt", "b.pt")), "--model", model, "--level", str(level), *more])


def test_yes(folder, capsys):
    _, top = heights(folder)
    capsys.readouterr()
    assert ask(1.05 * top) == 0
    out, err = capsys.readouterr()
    assert out.startswith("yes: 'a.pt' and 'b.pt' are joined below")
    assert out.count("\n") == 1
    assert "a factory may print" in err


def test_unresolved(folder, capsys):
    end, _ = heights(folder)
    assert ask(end * (1 + 1e-12), more=("--budget", "1")) == 1
    assert capsys.readouterr().out.startswith("unresolved: ")


def test_safetensors_and_nested_checkpoints(folder, capsys):
    path, _ = folder
    from safetensors.torch import save_file

    weights = torch.load(path / "a.pt", weights_only=True)
    save_file(weights, path / "a.safetensors")
    torch.save({"epoch": 3, "state_dict": weights}, path / "nested.pt")
    assert ask(1e3, "a.safetensors", "nested.pt") == 0


class Evil:
    def __reduce__(self):
        return (print, ("code ran",))


def test_files_that_are_not_plain_weights_are_bad_input(folder, capsys):
    path, energy = folder
    (path / "evil.pt").write_bytes(pickle.dumps({"x": Evil()}))
    torch.save(energy.network.module, path / "whole.pt")
    torch.save([1, 2], path / "list.pt")
    torch.save({"0.weight": torch.zeros(2, 2)}, path / "wrong.pt")
    weights = torch.load(path / "a.pt", weights_only=True)
    torch.save(weights | {"1.running_mean": torch.ones(5)}, path / "buffers.pt")
    (path / "bad.safetensors").write_bytes(b"no")
    for name, word in {
        "missing.pt": "no file",
        "evil.pt": "state_dict",
        "whole.pt": "state_dict",
        "list.pt": "list",
        "wrong.pt": "0.weight",
        "buffers.pt": "running_mean",
        "bad.safetensors": "state_dict",
    }.items():
        capsys.readouterr()
        assert ask(1e3, "a.pt", name) == 2
        out, err = capsys.readouterr()
        assert out == ""
        assert "code ran" not in err
        assert word in err


def test_models_that_cannot_be_certified_are_bad_input(folder, capsys):
    for model, word in (
        ("certified_factory:number", "Energy"),
        ("certified_factory:box", "model"),
        ("nothing:x", "nothing"),
    ):
        assert ask(1.0, model=model) == 2
        assert word in capsys.readouterr().err
    end, _ = heights(folder)
    assert ask(end / 2) == 2
    assert "above the level" in capsys.readouterr().err


def test_without_safetensors_the_error_says_what_to_install(folder, capsys, monkeypatch):
    monkeypatch.setattr("tda_landscape.cli._checkpoints.find_spec", lambda name: None)
    assert ask(1.0, "a.safetensors", "b.pt") == 2
    assert "tda-landscape[safetensors]" in capsys.readouterr().err
