"""The benchmark runs, compares answers, and can tell a wrong one."""

import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from benchmarks import topology, topology_fuzz

ROOT = Path(__file__).resolve().parent.parent.parent


def test_the_graphs_of_the_benchmark_find_no_difference():
    assert set(topology_fuzz.differences(40).values()) == {0}


def test_a_wrong_engine_is_counted(monkeypatch):
    right = topology_fuzz.by_brute_force
    monkeypatch.setattr(topology_fuzz, "by_brute_force", lambda *graph: right(*graph) + 1e-9)
    assert topology_fuzz.differences(10)["brute force"] == 10


def test_single_precision_is_compared_as_such():
    mine = np.array([[0.1, 0.7], [0.2, 0.2 + 1e-9], [0.3, np.inf]])
    theirs = mine[[2, 0]].astype(np.float32)
    assert topology.equal(mine, theirs, single=True)
    assert not topology.equal(mine, theirs, single=False)
    assert not topology.equal(mine, theirs[:1], single=True)


def test_an_engine_reports_seconds_memory_and_bars(tmp_path):
    target = tmp_path / "bars.npy"
    command = [sys.executable, "-m", "benchmarks.topology_engines", "grid", "ours", "30", str(target)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True)
    assert set(json.loads(done.stdout)) == {"seconds", "above", "peak"}
    assert np.load(target).shape == (4, 2)


@pytest.mark.slow
def test_every_target_is_reached():
    done = subprocess.run([sys.executable, "-m", "benchmarks.topology"], cwd=ROOT, check=False)
    assert done.returncode == 0
