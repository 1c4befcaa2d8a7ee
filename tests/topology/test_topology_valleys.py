"""The three flags on landscapes whose exact bars are known, on surveys of them, and what would overturn each."""

import itertools
import math

import numpy as np
import pytest

from tda_landscape import InputError
from tda_landscape.topology import LandscapeGraph, cubical_merge_tree, merge_tree, persistence, valleys

INF = np.inf
TILT = 27 / 32
EXACT = {  # exact bars, then simple, no spurious valley, global components
    "quartic1d": ([(-32, INF), (-5, 0)], (False, False, 1)),
    "doublewell_d2": ([(0, INF)] + [(0, 1)] * 3, (False, True, 4)),
    "doublewell_d3": ([(0, INF)] + [(0, 1)] * 7, (False, True, 8)),
    "linear_1_1_1": ([(0, INF), (0, 1)], (False, True, 2)),
    "linear_1_1_1_1": ([(0, INF)] + [(0, 1)] * 3, (False, True, 4)),
    "linear_1_2_1": ([(0, INF)], (True, True, 1)),
    "ridge_1_1_1": ([(7 / 16, INF), (7 / 16, 1)], (False, True, 2)),
    "ridge_1_2_1": ([(7 / 16, INF)], (True, True, 1)),
    "relu_1_1_1": ([(1 / 4, INF), (1, 5 / 4)], (False, False, 1)),
    "relu_1_2_1": ([(0, INF), (0, 1 / 4)], (False, True, 2)),
    "relu_1_3_1": ([(0, INF)], (True, True, 1)),
    "tanh_1_1_1": ([(0, INF), (0, math.tanh(1) ** 2)], (False, True, 2)),
    "perm_swap_M2": ([(0, INF), (0, (5 - 8 / math.sqrt(3)) / 3)], (False, True, 2)),
    "quadratic_2_1_1": ([(8 / 3, INF), (8 / 3, 11), (32 / 3, 11), (32 / 3, 11)], (False, False, 2)),
    "tilted_wells_d3": (
        [(0, INF)] + [(TILT, 1)] * 3 + [(2 * TILT, 1 + TILT)] * 3 + [(3 * TILT, 1 + 2 * TILT)],
        (False, False, 1),
    ),
    "plateau1d": ([(0, INF)], (True, True, 1)),
    "square_linear": ([(0, INF), (0, (math.sqrt(5) - 1) ** 2 / 2)], (False, True, 2)),
}


def flags_of(found):
    return found.simple, found.no_spurious_valley, found.n_global_components


def tree_of(bars):
    """A star: each later bar merges into the first one."""
    births, deaths = np.array(bars, float).T
    edges = [(0, i) for i in range(1, len(bars))]
    return merge_tree((births, edges, deaths[1:]))


@pytest.mark.parametrize("name", EXACT)
def test_the_exact_bars_give_the_flags_of_the_theory(name):
    bars, expected = EXACT[name]
    found = valleys(tree_of(bars), tolerance=0)
    assert flags_of(found) == expected
    assert len(found.spurious) == sum(birth > bars[0][0] for birth, _ in bars)


def test_the_flags_are_laws_of_the_diagram():
    """On random graphs: simple, P.1 and the global count as they are defined, from the H0 diagram and N_u alone."""
    seen = set()
    for seed in range(300):
        rng = np.random.default_rng(seed)
        n = int(rng.integers(1, 7))
        births = rng.integers(0, 3, n).astype(float)
        edges = [(i, j) for i, j in itertools.combinations(range(n), 2) if rng.random() < 0.8]
        heights = [max(births[i], births[j]) + int(rng.integers(0, 3)) for i, j in edges]
        graph = births, edges, heights
        found, levels = valleys(graph, tolerance=0), np.unique([*births, *heights])
        bars = persistence(graph)[0]
        assert found.simple == bool((merge_tree(graph).n_components(levels) == 1).all())
        assert found.no_spurious_valley == bool((bars[:, 0] == births.min()).all())
        assert found.n_global_components == int(merge_tree(graph).n_components(births.min()))
        seen.add((found.simple, found.no_spurious_valley))
    assert seen == {(True, True), (False, True), (False, False)}, "simple implies P.1"


def test_a_tolerance_takes_short_bars_and_small_differences_away():
    bars = [(0, INF), (1e-9, 1e-6), (1e-9, 1), (0.5, 0.5000001)]
    assert flags_of(valleys(tree_of(bars), tolerance=1e-5)) == (False, True, 2)
    assert flags_of(valleys(tree_of(bars), tolerance=0)) == (False, False, 1)


def test_each_claim_says_what_would_overturn_it_and_that_discovery_does():
    graph = LandscapeGraph.from_arrays([0.25, 1.0, 0.25], [(0, 1), (0, 2)], [1.25, 0.5], status="refined")
    found = valleys(graph, tolerance=1e-6)
    assert flags_of(found) == (False, False, 2)
    (spurious,) = found.overturned_by["no_spurious_valley"]
    assert "from leaf 1 to leaf 0 at or below 1" in spurious
    assert "the lowest known rises to 1.25" in spurious
    path = LandscapeGraph.from_arrays([0.25, 1.0, 0.25], [(1, 0)], [1.0])
    assert flags_of(valleys(graph.with_edges(path), tolerance=1e-6)) == (False, True, 2)
    (copies,) = valleys(graph.with_edges(path), tolerance=1e-6).overturned_by["simple"]
    assert "from leaf 2 to leaf 0" in copies
    flat = LandscapeGraph.from_arrays([0.25, 1.0, 0.25], [(2, 0)], [0.25])
    joined = valleys(graph.with_edges(path).with_edges(flat), tolerance=1e-6)
    assert flags_of(joined) == (True, True, 1)
    unseen, measured = joined.overturned_by["simple"]
    assert "not seen" in unseen
    assert "2 paths" in measured
    assert "overturned by" in str(joined)
    assert "N_u is 1 at every level: yes, of what was seen" in str(joined)


def test_a_certified_merge_is_not_doubted():
    edge = {"status": "certified", "uppers": [0.2]}
    found = valleys(LandscapeGraph.from_arrays([0.0, 0.2], [(0, 1)], [0.2], **edge), tolerance=1e-6)
    assert found.simple
    assert len(found.overturned_by["simple"]) == 1


def test_a_proved_separation_cannot_be_overturned_and_an_unproved_one_can():
    for proved in (True, False):
        found = valleys(LandscapeGraph.from_arrays([0.25, 1.0], [(0, 1)], [1.25], proved=proved), tolerance=0)
        assert flags_of(found) == (False, False, 1)
        assert (found.overturned_by["simple"] == ()) == proved
        assert (found.overturned_by["no_spurious_valley"] == ()) == proved
        assert found.known["no_spurious_valley"] == ("proved" if proved else "unresolved")
        assert found.known["n_global_components"] == "seen", "there is one"


def test_leaves_without_a_path_are_apart_as_far_as_was_seen():
    found = valleys(([0.0, 0.0, 1.0], [], []), tolerance=0)
    assert flags_of(found) == (False, False, 2)
    assert "none is known" in found.overturned_by["simple"][0]
    assert set(found.known.values()) == {"unresolved"}
    told = str(found)
    assert "no spurious valley: unresolved" in told
    assert "at the lowest energy 0: at most 2 of those seen" in told
    assert ": no" not in told, "failed searches show no valley"


def test_a_number_of_components_says_how_many_are_apart_by_proof():
    edges = [(0, 1), (0, 2)]
    for proved, words in (
        ((True, True), "3 of those seen, apart by proof"),
        ((True, False), "at most 3 of those seen"),
    ):
        found = valleys(LandscapeGraph.from_arrays([0.0] * 3, edges, [1.0, 1.0], proved=proved), tolerance=0)
        assert words in str(found)
        assert "N_u is 1 at every level: no, proved" in str(found)
        assert "no spurious valley: yes, of what was seen" in str(found)


def test_a_grid_brings_its_own_tolerance():
    """(ab - 1)^2 on a grid: hundreds of artefacts along the curved minima, none of them longer than 2 delta."""
    a, b = np.meshgrid(*[np.linspace(-2, 2, 201)] * 2, indexing="ij")
    tree = cubical_merge_tree((a * b - 1) ** 2, delta=0.05)
    found = valleys(tree)
    assert found.tolerance == 0.1
    assert flags_of(found) == (False, True, 2)
    assert "delta = 0.05" in found.overturned_by["simple"][0]
    assert "every level: no, on the grid" in str(found)
    assert "no spurious valley: yes, on the grid" in str(found)
    control = valleys(tree, tolerance=0)
    assert control.n_global_components != 2 or not control.no_spurious_valley
    assert "finer grid" in control.overturned_by["simple"][1]


def test_symmetric_copies_are_bounded_beside_the_quotient():
    """(ab - 1)^2 modulo (a, b) -> (-a, -b): one global component, one or two before the quotient."""
    graph = LandscapeGraph.from_arrays([0.0], [(0, 0)], [1.0], transform=([1, 0],), order=2)
    found = valleys(graph, tolerance=0)
    assert (*flags_of(found), found.raw) == (True, True, 1, (1, 2))
    fixed = LandscapeGraph.from_arrays([0.0], [(0, 0)], [0.0], transform=([1, 0],), order=2)
    assert valleys(fixed, tolerance=0).raw == (1, 1)
    told = str(found)
    assert "N_u modulo symmetry is 1 at every level: yes" in told
    assert "copies counted one by one: 1 to 2" in told


def test_the_tree_of_a_quotient_knows_that_it_is_one():
    """It has lost what bounds of the raw count are made of, and says so; without symmetry there is nothing to say."""
    graph = LandscapeGraph.from_arrays([0.0], [(0, 0)], [1.0], transform=([1, 0],), order=2)
    for tree in (merge_tree(graph), merge_tree(graph).simplify(0.1)):
        found = valleys(tree, tolerance=0)
        assert (found.quotient, found.raw) == (True, None)
        assert "N_u modulo symmetry is 1 at every level: yes" in str(found)
        assert "n/a of a tree" in str(found)
    told = str(valleys(LandscapeGraph.from_arrays([0.0], [], []), tolerance=0))
    assert "N_u is 1 at every level" in told
    assert "raw" not in told


@pytest.mark.parametrize(
    ("tree", "tolerance", "words"),
    [
        (([0.0], [], []), None, "give tolerance="),
        (([0.0], [], []), -1.0, "number in"),
        (([], [], []), 0.0, "without leaves"),
        (merge_tree(([0.0], [], []), superlevel=True), 0.0, "upwards"),
    ],
)
def test_what_has_no_flags_is_refused(tree, tolerance, words):
    with pytest.raises(InputError, match=words):
        valleys(tree, tolerance=tolerance)
