"""The layers of the house: imports point down only, and each room keeps to its own libraries."""

import ast
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
LAYERS = [
    {"_errors"},
    {"topology"},
    {"samplers"},
    {"energy"},
    {"paths"},
    {"minima"},
    {"certificates"},
    {"theory"},
    {"connecting"},
    {"_survey"},
    {"plot", "testing"},
    {"cli"},
]
RANK = {room: rank for rank, rooms in enumerate(LAYERS) for room in rooms}
ONLY_IN = {
    "arviz_base": {"samplers"},
    "arviz_stats": {"samplers"},
    "matplotlib": {"plot", "cli"},
    "plotly": {"plot"},
    "numba": {"topology"},
    "sklearn": {"topology", "energy"},
    "typer": {"cli"},
    "rich": {"cli"},
    "pydantic": {"cli"},
    "tomllib": {"cli"},
    "safetensors": {"cli"},
}
NOT_IN = {"torch": {"topology", "_errors", "plot"}, "tda_landscape": {"samplers"}}


def room_of(path: Path) -> str:
    parts = path.relative_to(ROOT).with_suffix("").parts
    return "samplers" if parts[0] == "samplers" else parts[1]


def imports_of(source: str) -> set[str]:
    names = set()
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, "relative import"
            names |= {f"{node.module}.{alias.name}" for alias in node.names} | {str(node.module)}
    return names


def wrong_imports(room: str, source: str) -> list[str]:
    """Every import that the table of layers forbids."""
    wrong = []
    for name in imports_of(source):
        top, _, rest = name.partition(".")
        if top in ONLY_IN and room not in ONLY_IN[top]:
            wrong.append(name)
        if top in NOT_IN and room in NOT_IN[top]:
            wrong.append(name)
        target = rest.split(".")[0] if top == "tda_landscape" else top
        if target in RANK and room in RANK and target != room and RANK[target] >= RANK[room]:
            wrong.append(name)
    return wrong


FILES = [
    path
    for top in ("tda_landscape", "samplers")
    for path in sorted((ROOT / top).rglob("*.py"))
    if path != ROOT / "tda_landscape" / "__init__.py"
]


@pytest.mark.parametrize("path", FILES, ids=lambda p: str(p.relative_to(ROOT)))
def test_imports_point_down(path):
    room = room_of(path)
    assert room in RANK, f"{room} has no row in the table of layers"
    assert wrong_imports(room, path.read_text()) == []


@pytest.mark.parametrize(
    ("room", "line"),
    [
        ("topology", "import torch"),
        ("topology", "from tda_landscape.energy import Energy"),
        ("energy", "from tda_landscape.paths import Path"),
        ("samplers", "from tda_landscape.energy import Energy"),
        ("paths", "import matplotlib.pyplot"),
        ("minima", "from tda_landscape.cli import main"),
    ],
)
def test_the_table_refuses(room, line):
    assert wrong_imports(room, line)


def test_no_file_is_longer_than_300_lines():
    long = {str(p): n for p in FILES if (n := len(p.read_text().splitlines())) > 300}
    assert long == {}


def test_no_pickle_and_no_global_randomness():
    words = ("import pickle", "weights_only=False", "np.random.seed", "torch.manual_seed", "plt.show")
    assert [(p, w) for p in FILES for w in words if w in p.read_text()] == []


def undriven(text):
    """Calls of torch.linalg.lstsq without a driver: the one it chooses pivots by memory that nobody wrote."""
    calls = (node for node in ast.walk(ast.parse(text)) if isinstance(node, ast.Call))
    plain = (call for call in calls if ast.unparse(call.func) == "torch.linalg.lstsq")
    return [ast.unparse(call) for call in plain if "driver" not in [word.arg for word in call.keywords]]


def test_least_squares_name_their_driver():
    assert undriven("torch.linalg.lstsq(a, b)") == ["torch.linalg.lstsq(a, b)"]
    assert [call for path in FILES for call in undriven(path.read_text())] == []


@pytest.mark.parametrize("statement", ["import tda_landscape.topology", "import tda_landscape as tl; tl.merge_tree"])
def test_topology_loads_no_torch(statement):
    code = f"{statement}; import sys; sys.exit('torch' in sys.modules or 'matplotlib' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], cwd=ROOT, check=False).returncode == 0
    control = "import tda_landscape.energy, sys; sys.exit('torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", control], cwd=ROOT, check=False).returncode == 1


def test_every_public_name_can_be_loaded():
    import tda_landscape

    assert len(tda_landscape.__all__) > 25
    for name in tda_landscape.__all__:
        assert getattr(tda_landscape, name) is not None
    with pytest.raises(AttributeError, match="no_such_name"):
        _ = tda_landscape.no_such_name
