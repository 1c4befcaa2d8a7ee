"""Sections are the verbs' keywords, all of them, and nothing that TOML holds breaks the reader."""

import inspect
import math

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import tda_landscape as tl
from samplers import KERNELS, SGD
from tda_landscape.cli import _app
from tda_landscape.cli._config import ENERGIES, NETWORKS, STEPS, read_config
from tda_landscape.cli._errors import ConfigError
from tda_landscape.cli._schema import form_of
from tda_landscape.connecting.pairs import PLANS
from tda_landscape.paths import SEARCHES

# What a configuration cannot carry: it comes from other sections, or is an object of Python.
ELSEWHERE = {
    "sample": {"energy", "start"},
    "quench": {"energy", "cloud"},
    "connect": {"energy", "minima", "progress"},
    "BasinHopping": {"minimize"},
    "from_model": {"model", "data", "regularizer", "start"},
}

VERBS = [*STEPS.values(), tl.Energy.from_model, tl.zoo.datasets.load, *NETWORKS.values(), *ENERGIES.values()]


@pytest.mark.parametrize("verb", [*VERBS, *KERNELS, *SEARCHES, *PLANS], ids=lambda verb: verb.__name__)
def test_a_section_has_every_keyword_of_its_verb(verb):
    keywords = set(inspect.signature(verb).parameters)
    assert set(form_of(verb).model_fields) == keywords - ELSEWHERE.get(verb.__name__, set())


def test_control_a_new_keyword_is_there_by_itself_or_found_missing():
    def verb(energy: tl.Energy, *, new: float = 1.0, strange: complex = 1j): ...

    assert set(form_of(verb).model_fields) == {"new"}


def test_every_builtin_has_a_name():
    surfaces = {"double_well", "quartic", "tilted_wells", "fourier", "lennard_jones", "mueller_brown", "plateau"}
    relu = {"freeman_bruna", "relu_counterexample", "relu_mixture", "relu_two_points", "permuted_teacher"}
    others = {"digits", "xor", "square_linear", "scalar_chain", "quadratic_unit"}
    assert set(ENERGIES) == surfaces | relu | others
    assert set(NETWORKS) == set(tl.zoo.networks.BUILTIN)


def test_arguments_arrive(tmp_path):
    path = tmp_path / "c.toml"
    path.write_text(
        """
[model]
name = "mlp"
sizes = [4, 2, 3]
activation = "relu"
[data]
name = "iris"
[energy]
loss = "mse_loss"
dtype = "float32"
weight_decay = 1
[sample]
kernel = { name = "SGD", lr = 0.05, momentum = 0.9 }
level = 1
[connect]
search = { name = "Ladder", budget = 400 }
pairs = "All"
"""
    )
    config = read_config(path)
    assert config.steps["sample"] == {"kernel": SGD(0.05, 0.9), "level": 1.0}
    assert config.steps["connect"] == {"search": tl.paths.Ladder(budget=400), "pairs": tl.pairs.All()}
    assert "quench" not in config.steps
    assert config.energy.arguments["weight_decay"] == 1.0
    assert str(config.energy.arguments["dtype"]) == "torch.float32"
    assert config.models[0].label == "mlp 4-2-3 activation=relu"
    assert config.folder.folder == "runs/c"


def run_text(tmp_path, capsys, text):
    path = tmp_path / "fuzz.toml"
    path.write_bytes(text.encode("utf-8", "surrogatepass"))
    code = _app.run(["survey", str(path)])
    _, err = capsys.readouterr()
    assert code in (0, 2), err
    assert "Traceback" not in err
    assert code == 0 or err.count("\n") == 1
    return code


fuzz = settings(
    max_examples=150,
    deadline=None,
    derandomize=True,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)


@fuzz
@given(st.text(max_size=2000))
def test_any_text(tmp_path, capsys, text):
    run_text(tmp_path, capsys, text)


@fuzz
@given(st.text(max_size=30), st.integers(1, 20_000))
def test_huge_keys_and_values(tmp_path, capsys, text, times):
    long = "".join(c for c in text * times if c.isprintable() and c not in "\\\"'")[:200_000]
    for toml in (f'"{long}" = 1', f'[sample]\n"{long}" = 1', f'[energy]\nname = "{long}"', f'sample = "{long}"'):
        run_text(tmp_path, capsys, toml)


scalar = st.one_of(
    st.booleans(), st.integers(), st.floats(), st.text(max_size=12), st.dates(), st.just(["a", 1]), st.just({})
)
value = st.recursive(scalar, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner))
keys = sorted({name for verb in VERBS for name in inspect.signature(verb).parameters} | {"label", "factory"})
tables = st.dictionaries(st.sampled_from(keys) | st.text(max_size=8), value, max_size=4)
documents = st.dictionaries(
    st.sampled_from(["model", "data", "energy", "sample", "quench", "connect", "output"]), tables | value
)


def toml(value):
    """Write a value as TOML."""
    if isinstance(value, dict):
        return "{" + ", ".join(f"{quoted(key)} = {toml(part)}" for key, part in value.items()) + "}"
    if isinstance(value, list):
        return "[" + ", ".join(map(toml, value)) + "]"
    if isinstance(value, str):
        return quoted(value)
    if isinstance(value, float):
        if not math.isfinite(value):
            return str(value)
        return repr(value) if any(c in repr(value) for c in ".e") else f"{value!r}.0"
    return str(value).lower() if isinstance(value, bool) else str(value)


def quoted(text):
    return '"' + "".join(f"\\U{ord(c):08X}" for c in text if not "\ud800" <= c <= "\udfff") + '"'


def refusal(path):
    """Read a configuration; return why it was refused, or that it was not."""
    try:
        return f"{len(read_config(path).raw)} sections accepted"
    except ConfigError as error:
        return str(error)


@settings(fuzz, max_examples=300)
@given(documents)
def test_any_document_is_read_or_refused_in_one_sentence(tmp_path, document):
    path = tmp_path / "fuzz.toml"
    path.write_text("\n".join(f"{key} = {toml(part)}" for key, part in document.items()), encoding="utf-8")
    sentence = refusal(path)
    assert sentence.isprintable()
    assert "TOML" not in sentence  # the document itself is well formed
    assert len(sentence) < 1000
