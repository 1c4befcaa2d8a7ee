"""A survey from the command line is the library call, plus files."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

import tda_landscape as tl
from tda_landscape.cli._folder import file_stems

LONGEST = 20


def strict_json(text):
    def refuse(name):
        raise AssertionError(f"{name} is not JSON")

    return json.loads(text, parse_constant=refuse)


def test_json_agrees_with_the_library_call_of_the_same_seeds(survey, wells):
    result = survey(wells, "--json")
    assert result.code == 0
    (network,) = strict_json(result.out)["networks"]
    energy = tl.zoo.double_well(2)
    minima = tl.quench(energy, tl.sample(energy, chains=20, seed=3))
    graph = tl.connect(energy, minima, search=tl.paths.Ladder(budget=60), budget=600, seed=4)
    tree, curve = tl.merge_tree(graph), tl.nu_curve(graph)
    assert network["births"] == graph.births.tolist()
    assert [m["height"] for m in network["merges"]] == tree.height.tolist()
    assert [m["edge"] for m in network["merges"]] == graph.edges[tree.edge].tolist()
    assert {m["status"] for m in network["merges"]} == {"refined"}
    assert network["nu"]["levels"] == curve.levels.tolist()
    assert network["nu"]["counts"] == {s: c.tolist() for s, c in curve.counts.items()}
    assert network["nu"]["proved_separations"] == curve.proved.tolist()
    diagram = tl.persistence(graph)[0].tolist()
    assert network["h0"] == [[b, None if d == float("inf") else d] for b, d in diagram]
    assert (network["leaves"], network["starts"], network["dim"]) == (4, 20, 2)
    assert network["status_counts"] == {"minimum": 4}
    assert network["max_nu"]["count"] == 4
    assert network["cost"]["gradient_equivalents"] > 0


def test_another_seed_gives_another_result(survey, wells):
    first = strict_json(survey(wells, "--json").out)["networks"][0]
    second = strict_json(survey(wells.replace("seed = 3", "seed = 5"), "--json").out)["networks"][0]
    assert first["hits"] != second["hits"]


def test_results_file_is_what_json_prints(survey, wells):
    printed = strict_json(survey(wells, "--json").out)
    assert strict_json(Path("out/results.json").read_text(encoding="utf-8")) == printed
    assert printed["complete"]
    assert printed["config"]["sample"]["chains"] == 20


def test_pictures_of_each_network_and_one_of_all(survey, networks):
    result = survey(networks)
    assert result.code == 0
    names = {path.name for path in Path("out").iterdir()}
    kinds = ("disconnectivity", "persistence", "highest-path")
    wanted = {f"{label}-{kind}.png" for label in ("one", "two") for kind in kinds}
    merges = {n["label"]: n["merges"] for n in strict_json(Path("out/results.json").read_text())["networks"]}
    wanted -= {f"{label}-highest-path.png" for label, found in merges.items() if not found}
    assert names == wanted | {"nu-curves.png", "results.json"}
    for name in wanted:
        assert Path("out", name).read_bytes().startswith(b"\x89PNG")
        assert str(Path("out", name)) in result.out


def test_other_formats(survey, wells):
    assert survey(wells + 'formats = ["pdf", "svg"]\n', "--quiet").code == 0
    assert Path("out/nu-curves.pdf").read_bytes().startswith(b"%PDF")
    assert "<svg" in Path("out/nu-curves.svg").read_text(encoding="utf-8")
    assert not Path("out/nu-curves.png").exists()


def test_table_never_shows_a_count_without_its_status(survey, wells):
    result = survey(wells)
    (line,) = [line for line in result.out.splitlines() if line.strip().startswith("max N_u")]
    assert "4 (refined)" in line
    assert "upper bound" in result.out
    assert "where a symmetry is named" in result.out.replace("\n", " ")
    assert "not a test" in result.out.replace("\n", " ")


@pytest.mark.parametrize("columns", [40, 80, 120])
def test_table_fits_the_terminal(survey, networks, monkeypatch, columns):
    monkeypatch.setenv("COLUMNS", str(columns))
    result = survey(networks)
    pictures = [line for line in result.out.splitlines() if line.startswith("out")]
    assert max(len(line) for line in result.out.splitlines() if line not in pictures) <= columns
    assert len(pictures) >= 5


def test_only_the_result_on_stdout(survey, wells):
    progress = survey(wells, "--json")
    assert "connect" in progress.err
    quiet = survey(wells, "--quiet")
    assert (quiet.code, quiet.out, quiet.err) == (0, "", "")


def test_one_leaf_is_no_reason_to_fail(survey, wells):
    text = wells.replace("chains = 20", "chains = 1")
    result = survey(text)
    assert result.code == 0
    assert "no highest path" in result.out
    assert "1 (no merge)" in result.out
    assert not list(Path("out").glob("*highest-path*"))
    assert len(list(Path("out").glob("*.png"))) == 3


def test_leaves_without_paths_are_no_reason_to_fail(survey, wells):
    result = survey(wells.replace("budget = 600", "budget = 0"))
    assert result.code == 0
    assert "4 (no merge)" in result.out


@pytest.mark.parametrize(
    "label", ["../../etc/x", "a/b\\\\c", "Netz ß 网络", "$x_1^{$", "_hidden", "[red]x[/red]", "x" * 300]
)
def test_labels_of_all_kinds(survey, networks, label):
    text = networks.replace('label = "one"', f'label = "{label}"')
    before = set(Path.cwd().rglob("*"))
    assert survey(text, "--quiet").code == 0
    made = set(Path.cwd().rglob("*")) - before
    assert {path.parent for path in made} <= {Path.cwd(), Path.cwd() / "out"}
    assert strict_json(Path("out/results.json").read_text(encoding="utf-8"))["networks"][0]["label"]


def test_file_names_are_readable_and_different():
    stems = file_stems(["h = 1", "h: 1", "Netz ß", "...", "H-1", "a" * 300, "a" * 301])
    assert stems[:5] == ["h-1", "h-1-2", "Netz-ß", "network", "H-1-3"]
    assert len({stem.casefold() for stem in stems}) == len(stems)
    assert max(len(stem.encode()) for stem in stems) < 200


def test_factories_of_the_user(survey, networks, tmp_path, monkeypatch):
    code = (
        "import torch\n"
        "def model(width):\n    print('hello')\n    return torch.nn.Sequential(torch.nn.Linear(4, width), "
        "torch.nn.Tanh(), torch.nn.Linear(width, 3))\n"
        "def data(rows):\n    g = torch.Generator().manual_seed(0)\n"
        "    return torch.randn(rows, 4, generator=g), torch.arange(rows) % 3\n"
        "def loss(out, y):\n    return torch.nn.functional.cross_entropy(out, y)\n"
    )
    (tmp_path / "factories_of_test_cli.py").write_text(code)
    monkeypatch.setattr(sys, "path", list(sys.path))
    text = f"""
[model]
factory = "factories_of_test_cli:model"
width = 2
[data]
factory = "factories_of_test_cli:data"
rows = 12
[energy]
loss = "factories_of_test_cli:loss"
weight_decay = 1e-2
{networks[networks.index("[sample]") :]}"""
    result = survey(text, "--json")
    assert result.code == 0
    (network,) = strict_json(result.out)["networks"]
    assert (network["label"], network["dim"]) == ("model", 19)
    assert result.err.count("runs code from factories_of_test_cli") == 3
    assert "hello" in result.err


def test_module_runs_in_a_process_of_its_own(tmp_path, wells):
    (tmp_path / "c.toml").write_text(wells)
    root = Path(tl.__file__).parent.parent
    result = subprocess.run(
        [sys.executable, "-m", "tda_landscape.cli", "survey", "c.toml", "--json"],
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": str(root), "PYTHONIOENCODING": "ascii"},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert result.returncode == 0, result.stderr
    assert strict_json(result.stdout)["networks"][0]["leaves"] == 4
