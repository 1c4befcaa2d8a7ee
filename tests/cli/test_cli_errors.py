"""Every mistake of a user is one sentence on stderr and exit code 2; nothing that was found is lost."""

import inspect
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

import tda_landscape.cli
from tda_landscape.cli import _app, _config, _energies, _run

SAMPLE = '[energy]\nname = "double_well"\n[sample]\n'

MISTAKES = {
    "": ("nothing to survey",),
    "[sampel]\nchains = 3": ("section 'sampel'", "'sample'"),
    "[sample]\nchain = 3": ("[sample]", "'chain'", "'chains'"),
    "[quench]\ntolerence = 1": ("[quench]", "'tolerance'"),
    "[connect]\nbudgets = 1": ("[connect]", "'budget'"),
    '[output]\nfolders = "x"': ("[output]", "'folder'"),
    '[energy]\nname = "fourrier"': ("[energy]", "'fourier'"),
    '[energy]\nname = "fourier"\ndims = 2': ("[energy] fourier", "'dim'"),
    '[energy]\nlos = "x"': ("[energy]", "'loss'"),
    '[energy]\nloss = "cross_entropi"': ("[energy] loss", "'cross_entropy'"),
    "[energy]\nweight_decay = 0.1": ("[energy]", "lacks", "'loss'"),
    '[energy]\nloss = "mse_loss"\ndtype = "float16"': ("[energy] dtype", "float64", "'float16'"),
    '[model]\nname = "mpl"\nsizes = [1, 1]': ("[model]", "'mlp'"),
    '[model]\nname = "mlp"\nsize = [1, 1]': ("[model] mlp", "'sizes'"),
    '[model]\nname = "mlp"': ("[model] mlp", "lacks", "'sizes'"),
    '[model]\nname = "mlp"\nsizes = [1, "a"]': ("[model] mlp", "sizes.1", "'a'"),
    '[model]\nname = "mlp"\nfactory = "a:b"\nsizes = [1, 1]': ("[model]", "one of the two"),
    '[model]\nname = "mlp"\nsizes = [4, 3]': ("[model] needs data",),
    '[model]\nname = "mlp"\nsizes = [4, 3]\n[data]\nname = "iris"': ("needs a loss",),
    '[data]\nnam = "iris"': ("[data]", "'name'"),
    "model = 3": ("[model] must be a table", "3"),
    "sample = 3": ("[sample] must be one table", "3"),
    "[[sample]]\nchains = 3": ("[sample] must be one table",),
    '[model]\nlabel = 3\nname = "mlp"\nsizes = [1, 1]': ("[model] label", "3"),
    SAMPLE + 'chains = "many"': ("[sample] chains", "integer", "'many'"),
    SAMPLE + "chains = 2.5": ("[sample] chains", "integer", "2.5"),
    SAMPLE + "chains = true": ("[sample] chains", "integer", "True"),
    SAMPLE + "level = nan": ("[sample] level", "finite"),
    SAMPLE + f"seed = {10**30}": ("[sample] seed", "less than"),
    SAMPLE + "seed = -1": ("seed", "-1"),
    SAMPLE + "chains = 0": ("chains", "0"),
    SAMPLE + "start = [1.0]": ("[sample]", "'start'"),
    SAMPLE + 'kernel = "SDG"': ("[sample] kernel", "'SGD'"),
    SAMPLE + "kernel = 3": ("[sample] kernel", "SGD", "3"),
    SAMPLE + "kernel = { lr = 3 }": ("[sample] kernel", "name"),
    SAMPLE + 'kernel = { name = "SGD" }': ("[sample] kernel SGD", "lacks", "'lr'"),
    SAMPLE + 'kernel = { name = "SGD", rl = 1 }': ("[sample] kernel SGD", "'lr'"),
    SAMPLE + 'kernel = { name = "SGD", lr = -1 }': ("[sample] kernel SGD: lr must be positive", "got -1"),
    SAMPLE + 'kernel = { name = "SGD", lr = "a" }': ("[sample] kernel SGD lr", "number", "'a'"),
    SAMPLE + '[connect]\nsearch = "Lader"': ("[connect] search", "'Ladder'"),
    SAMPLE + '[connect]\nsearch = { name = "Ladder", ratio = 2 }': ("[connect] search Ladder", "ratio"),
    SAMPLE + '[connect]\npairs = "Tree"': ("[connect] pairs", "'SpanningTree'"),
    SAMPLE + "[connect]\ncertify = true": ("certify=True", "made from a model"),
    SAMPLE + '[quench]\nsymmetry = "mirror"': ("symmetry", "'mirror'", '"auto"'),
    SAMPLE + '[output]\nformats = ["jpg"]': ("[output] formats", "'jpg'"),
    SAMPLE + '[output]\nformats = "png"': ("[output] formats", "list"),
    SAMPLE + "[output]\ndpi = 100000": ("[output] dpi", "1200"),
    SAMPLE + '[data]\nname = "iris"': ("by itself", "[data]"),
    SAMPLE + '[output]\nfolder = "a\\u0000b"': ("[output] folder",),
    "[sample\n": ("TOML", "line 1"),
    "a = 1\na = 2\n": ("TOML", "line 2"),
    "a = " + "[" * 100_000: ("TOML",),
    "a = " + "9" * 5000: ("TOML",),
    b"a = \xff": ("UTF-8",),
}


@pytest.mark.parametrize(("text", "words"), MISTAKES.items(), ids=range(len(MISTAKES)))
def test_mistake_is_one_sentence(refused, text, words):
    sentence = refused(text, "--quiet")
    for word in words:
        assert word in sentence


def test_two_models_of_one_name(refused, networks):
    assert "'one'" in refused(networks.replace('label = "two"', 'label = "one"'))


def test_model_that_does_not_fit_its_data(refused, networks):
    sentence = refused(networks.replace("[4, 2, 3]", "[5, 2, 3]"))
    assert "[model] 2" in sentence
    assert "(30, 4)" in sentence


def test_number_of_samples(refused, networks):
    assert "[data]" in refused(networks.replace("samples = 30", "samples = 0"))


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["survey"], "CONFIG.toml"),
        (["surve", "x.toml"], "surve"),
        (["survey", "x.toml", "--jsn"], "--jsn"),
        ([], "command"),
        (["survey", "nothing.toml"], "nothing.toml"),
        (["survey", "."], "cannot be read"),
    ],
)
def test_wrong_command_line(capsys, monkeypatch, tmp_path, arguments, words):
    monkeypatch.chdir(tmp_path)
    assert _app.run(arguments) == 2
    out, err = capsys.readouterr()
    assert out == ""
    assert err.count("\n") == 1
    assert words in err


FACTORIES = {
    "no_colon": "pkg:function",
    "no such module:f": "pkg:function",
    "good_of_test_cli.py:wrong": "write 'good_of_test_cli:wrong', got 'good_of_test_cli.py:wrong'",
    "module_that_is_not_there:f": "cannot be imported",
    "broken_of_test_cli:f": "SyntaxError",
    "leaving_of_test_cli:f": "SystemExit",
    "good_of_test_cli:nothing": "has no 'nothing'",
    "good_of_test_cli:number": "good_of_test_cli:number is 3, not a function",
    "good_of_test_cli:wrong": "must return an Energy, got 3",
    "good_of_test_cli:failing": "ZeroDivisionError",
    "good_of_test_cli:greedy": "argument",
}


@pytest.mark.parametrize(("factory", "words"), FACTORIES.items())
def test_factory_that_fails(survey, tmp_path, monkeypatch, factory, words):
    monkeypatch.setattr(sys, "path", list(sys.path))
    (tmp_path / "broken_of_test_cli.py").write_text("def f(:\n")
    (tmp_path / "leaving_of_test_cli.py").write_text("import sys\nsys.exit(3)\n")
    (tmp_path / "good_of_test_cli.py").write_text(
        "number = 3\ndef wrong(): return 3\ndef failing(): return 1 / 0\ndef greedy(a): return a\n"
    )
    result = survey(f'[energy]\nfactory = "{factory}"\n')
    assert result.code == 2
    assert words in result.error
    assert "[energy] factory" in result.error
    assert all(line.startswith(("error: ", "note: ")) for line in result.err.splitlines())


@pytest.mark.parametrize("folder", ["taken", "taken/below", "/proc/nothing/here"])
def test_folder_is_tried_before_the_work_starts(refused, wells, monkeypatch, folder):
    if folder.startswith("/proc") and not Path("/proc").exists():
        pytest.skip("no /proc here")
    Path("taken").write_text("a file")
    monkeypatch.setattr(_run, "survey", lambda *args, **kwargs: pytest.fail("work began"))
    monkeypatch.setattr(_energies, "call", lambda *args, **kwargs: pytest.fail("an energy was built"))
    assert folder in refused(wells.replace('"out"', f'"{folder}"'))
    assert Path("taken").read_text() == "a file"


def test_control_a_good_folder_lets_the_work_begin(survey, wells, monkeypatch):
    begun = []

    def begin(*args, **kwargs):
        begun.append(1)
        raise KeyboardInterrupt

    monkeypatch.setattr(_run, "survey", begin)
    assert survey(wells).code == 130
    assert begun == [1]


def stop_second_connect(monkeypatch, error):
    """Let `connect` fail when it is called for the second network."""
    real, calls = _config.STEPS["connect"], []

    def connect(*args, **kwargs):
        calls.append(1)
        if len(calls) == 2:
            raise error
        return real(*args, **kwargs)

    monkeypatch.setitem(_config.STEPS, "connect", connect)
    # The sections are read off the signature of the verb itself.
    connect.__signature__ = inspect.signature(real, eval_str=True)


def test_interrupt_leaves_what_was_computed(survey, networks, monkeypatch):
    stop_second_connect(monkeypatch, KeyboardInterrupt())
    result = survey(networks)
    assert result.code == 130
    assert "'one'" in result.error
    assert "'two' (in part)" in result.error
    assert str(Path("out/results.json")) in result.error
    stored = json.loads(Path("out/results.json").read_text())
    first, second = stored["networks"]
    assert not stored["complete"]
    assert first["complete"]
    assert first["nu"]["levels"]
    assert Path("out/one-disconnectivity.png").exists()
    assert (second["complete"], second["starts"], "nu" in second) == (False, 4, False)
    assert sum(second["status_counts"].values()) >= 1


def test_interrupt_before_anything(survey, wells, monkeypatch):
    def stop(path):
        raise KeyboardInterrupt

    monkeypatch.setattr(_config, "read_config", stop)
    result = survey(wells)
    assert result.code == 130
    assert "before anything" in result.error


def test_later_mistake_keeps_earlier_results(survey, networks, monkeypatch):
    stop_second_connect(monkeypatch, ValueError("a surprise"))
    result = survey(networks)
    assert result.code == 70
    assert "ValueError: a surprise" in result.error
    assert "--debug" in result.error
    assert "'one'" in result.error
    assert len(json.loads(Path("out/results.json").read_text())["networks"]) == 1


def test_our_own_mistake_is_no_mistake_of_the_user(survey, wells, monkeypatch):
    def broken(dim: int):
        raise AttributeError("a surprise")

    monkeypatch.setitem(_config.ENERGIES, "double_well", broken)
    result = survey(wells)
    assert result.code == 70
    assert "AttributeError: a surprise" in result.error


def test_debug_shows_the_traceback(survey, networks, monkeypatch):
    stop_second_connect(monkeypatch, ValueError("a surprise"))
    assert "Traceback" in survey(networks, "--debug").err


def test_a_refusal_while_running_names_the_network(refused, networks):
    text = networks.replace("steps = 20", "steps = 20\nlevel = -5.0")
    assert "'one': none of 4 chains" in refused(text, "--quiet")


def test_a_disk_that_fills_up_leaves_no_half_file(survey, wells, monkeypatch):
    Path("out").mkdir()
    Path("out/results.json").write_text("from before")
    write = Path.write_bytes

    def fill_up(path, content):
        if path.parent.name != "out" or not content:
            return write(path, content)
        write(path, content[: len(content) // 2])
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(Path, "write_bytes", fill_up)
    result = survey(wells)
    assert result.code == 4
    assert "results.json" in result.error
    assert "No space left" in result.error
    assert [path.name for path in Path("out").iterdir()] == ["results.json"]
    assert Path("out/results.json").read_text() == "from before"


@pytest.mark.parametrize("error", [MemoryError(), RuntimeError("DefaultCPUAllocator: can't allocate memory")])
def test_out_of_memory(survey, networks, monkeypatch, error):
    stop_second_connect(monkeypatch, error)
    result = survey(networks)
    assert result.code == 4
    assert "memory" in result.error


@pytest.mark.parametrize("name", tda_landscape.cli.EXTRAS)
def test_missing_extra(monkeypatch, capsys, name):
    monkeypatch.setitem(sys.modules, name, None)
    monkeypatch.setattr(sys, "argv", ["tda-landscape", "survey", "x.toml"])
    with pytest.raises(SystemExit) as stopped:
        tda_landscape.cli.main()
    assert stopped.value.code == 2
    assert capsys.readouterr().err == "error: the command line needs extras: pip install 'tda-landscape[cli]'\n"


def test_waiting_threads_do_not_spin_unless_asked_to(monkeypatch):
    monkeypatch.setattr(sys, "argv", ["tda-landscape", "survey", "nothing.toml"])
    for given, kept in ((None, "PASSIVE"), ("ACTIVE", "ACTIVE")):
        monkeypatch.setenv("OMP_WAIT_POLICY", given or "")
        if given is None:
            monkeypatch.delenv("OMP_WAIT_POLICY")
        with pytest.raises(SystemExit):
            tda_landscape.cli.main()
        assert os.environ["OMP_WAIT_POLICY"] == kept


def test_main_leaves_with_the_exit_code(monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "argv", ["tda-landscape", "survey", "nothing.toml"])
    with pytest.raises(SystemExit) as stopped:
        tda_landscape.cli.main()
    assert stopped.value.code == 2


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs /dev/full")
@pytest.mark.parametrize(("sink", "code"), [("/dev/full", 4), ("closed pipe", 0)])
def test_stdout_that_takes_nothing(tmp_path, wells, sink, code):
    (tmp_path / "c.toml").write_text(wells)
    if sink == "closed pipe":
        reader, out = os.pipe()
        os.close(reader)
    else:
        out = os.open(sink, os.O_WRONLY)
    command = [sys.executable, "-m", "tda_landscape.cli", "survey", "c.toml"]
    root = Path(tda_landscape.cli.__file__).parents[2]
    result = subprocess.run(
        command,
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": str(root)},
        stdout=out,
        stderr=subprocess.PIPE,
        text=True,
        timeout=120,
        check=False,
    )
    os.close(out)
    assert result.returncode == code, result.stderr
    assert "Traceback" not in result.stderr
    assert "Exception" not in result.stderr
    assert json.loads((tmp_path / "out/results.json").read_text())["complete"]
