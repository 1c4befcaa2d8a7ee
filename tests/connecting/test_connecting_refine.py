"""connect(refine=True): merges become verified saddles, and minima that were missing join the graph."""

import numpy as np
import pytest

import tda_landscape as tl


def mueller_brown(leaves):
    energy = tl.zoo.mueller_brown()
    minima = tl.quench(energy, tl.sample(energy, chains=40))
    return energy, minima.select(leaves)


def test_merges_become_saddles_to_eight_digits():
    energy, minima = mueller_brown([0, 1, 2])
    plain, refined = (tl.connect(energy, minima, refine=refine) for refine in (False, True))
    assert set(plain.saddle_index) == {-1}
    tree = tl.merge_tree(refined)
    assert tree.height.tolist() == pytest.approx([-72.24894011232522, -40.6648435086574], abs=1e-8)
    assert np.abs(tl.merge_tree(plain).height - tree.height).max() > 1e-6, "control: path search alone is no saddle"
    assert set(refined.saddle_index[tree.edge]) == {1}
    assert (refined.saddle_gradient[tree.edge] < 1e-6).all()
    assert (refined.confirmations[tree.edge] > 1).all()


def test_a_minimum_that_was_missing_becomes_a_verified_leaf():
    energy, minima = mueller_brown([0, 1])
    graph = tl.connect(energy, minima, refine=True)
    assert sorted(graph.births.tolist())[2] == pytest.approx(-80.76781812965903, abs=1e-8)
    assert set(graph.leaf_status) == {"minimum"}
    assert tl.merge_tree(graph).height.tolist() == pytest.approx([-72.24894011232522, -40.6648435086574], abs=1e-8)
