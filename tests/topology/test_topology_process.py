"""What only a fresh interpreter can show: NaN never reaches gudhi, and the ground floor needs no torch."""

import subprocess
import sys

import pytest

CASES = """
import networkx as nx, numpy as np
from scipy.sparse import coo_array
from tda_landscape import InputError
from tda_landscape.topology import *
nan, inf = np.nan, np.inf
bad_node, bad_edge = nx.Graph(), nx.Graph()
bad_node.add_node(0, energy=nan)
bad_edge.add_node(0, energy=0.0); bad_edge.add_node(1, energy=0.0); bad_edge.add_edge(0, 1, height=nan)
graphs = [([0.0, nan], [(0, 1)], [1.0]), ([0.0, 0.5], [(0, 1)], [nan]), ([0.0, -inf], [(0, 1)], [1.0]),
          ([0.0, inf], [(0, 1)], [inf]), bad_node, bad_edge]
calls = [lambda v=v, g=g: v(g) for v in (merge_tree, nu_curve, persistence, barrier_rips) for g in graphs]
calls += [lambda: rips([[0.0, nan], [1.0, 1.0]]), lambda: rips(distances=[[0.0, nan], [nan, 0.0]]),
          lambda: rips(distances=[[0.0, 1.0], [1.0, nan]]), lambda: cubical_merge_tree([[0.0, nan], [1.0, 2.0]]),
          lambda: rips_by_level([[0.0], [nan]], [0.0, 1.0]), lambda: rips_by_level([[0.0], [1.0]], [0.0, nan]),
          lambda: bottleneck([[[0.0, nan]]], [[[0.0, 1.0]]]), lambda: wasserstein([[[nan, 1.0]]], [[[0.0, 1.0]]]),
          lambda: merge_tree_of_chunks([0.0, 1.0], [([(0, 1)], [nan])]), lambda: merge_tree_of_chunks([nan], []),
          lambda: barrier_rips(coo_array([[0.0, nan], [nan, 0.0]])), lambda: stability_bound(graphs[0], graphs[0])]
for i, call in enumerate(calls):
    try:
        call()
    except InputError as error:
        assert len(str(error).splitlines()) == 1
    else:
        raise SystemExit(f"call {i} took NaN")
print(len(calls), "refused")
"""

CONTROL = """
import gudhi
tree = gudhi.SimplexTree()
tree.insert([0, 1], float("nan"))
tree.compute_persistence()
print(tree.persistence_intervals_in_dimension(0).tolist())
"""


def fresh(code):
    return subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=120)


def test_nan_never_reaches_gudhi():
    done = fresh(CASES)
    assert (done.returncode, done.stdout.strip(), done.stderr) == (0, "36 refused", "")


def test_control_gudhi_itself_does_not_survive_nan():
    done = fresh(CONTROL)  # gudhi 3.13 dies of a segmentation fault; a later one may answer or refuse
    assert done.returncode != 0 or "nan" in done.stdout or done.stdout.strip() in ("[]", "[[nan, inf]]")


@pytest.mark.parametrize(
    "use",
    [
        "import tda_landscape.topology",
        "import tda_landscape; tda_landscape.merge_tree(([0.0], [], []))",
        "import tda_landscape as tl; tl.nu_curve(tl.cubical_merge_tree([0.0, 1.0, 0.5]))(0.7)",
        "import tda_landscape as tl; tl.InputError",
        "from tda_landscape import rips; rips([[0.0, 0.0], [1.0, 1.0]])",
    ],
)
def test_the_ground_floor_loads_no_torch(use):
    done = fresh(f"{use}\nimport sys; print('torch' in sys.modules, 'matplotlib' in sys.modules)")
    assert (done.returncode, done.stdout.strip()) == (0, "False False"), done.stderr


def test_control_the_energies_load_torch():
    done = fresh("import tda_landscape as tl; tl.Energy\nimport sys; print('torch' in sys.modules)")
    assert done.stdout.strip() == "True", done.stderr
