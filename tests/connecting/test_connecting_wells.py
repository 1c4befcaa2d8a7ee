"""Minima that a found path leads past become leaves of the graph."""

import numpy as np
import pytest
import torch

import tda_landscape as tl
from tda_landscape.paths import Straight


def three_wells(middle):
    """Wells at x = -1, 0, 1 of a line in the plane; the middle one lies at `middle`, the others at 0."""

    def function(x):
        wells = 4 * x[:, 0] ** 2 * (x[:, 0] ** 2 - 1) ** 2
        return wells + middle * torch.exp(-20 * x[:, 0] ** 2) + (x[:, 1] - 0.2 * (1 - x[:, 0] ** 2)) ** 2

    return tl.Energy.from_function(function, 2)


def outer_minima(energy):
    return tl.quench(energy, torch.tensor([[-1.0, 0.0], [1.0, 0.0]], dtype=torch.float64))


@pytest.mark.parametrize("search", [Straight(), tl.paths.Ladder()], ids=["straight", "ladder"])
def test_a_deeper_well_on_the_way_becomes_a_leaf(search):
    energy = three_wells(-0.5)
    minima = outer_minima(energy)
    assert len(minima) == 2
    graph = tl.connect(energy, minima, search=search)
    (truth,) = tl.quench(energy, torch.zeros(1, 2, dtype=torch.float64)).energies.tolist()
    assert len(graph.births) == 3
    assert graph.births[2] == pytest.approx(truth, abs=1e-9)
    assert graph.leaf_status[2] == "minimum"
    pairs = {tuple(sorted(edge)) for edge in graph.edges.tolist()}
    assert {(0, 2), (1, 2)} <= pairs
    for (i, j), path, height in zip(graph.edges.tolist(), graph.paths, graph.heights, strict=True):
        assert np.allclose(path.points[0], graph.points[i], atol=1e-4)
        assert np.allclose(path.points[-1], graph.points[j], atol=1e-4)
        assert height >= float(energy(path.points).max()) - 1e-12
        assert path.status == "refined"
    assert len(tl.persistence(graph)[0]) == 3


def test_control_a_well_above_the_lower_end_or_a_known_one_is_no_new_leaf():
    for middle in (0.1, 0.0):
        energy = three_wells(middle)
        assert len(tl.connect(energy, outer_minima(energy), search=Straight()).births) == 2
    energy = three_wells(-0.5)
    all_three = tl.quench(energy, torch.tensor([[-1.0, 0.0], [1.0, 0.0], [0.0, 0.1]], dtype=torch.float64))
    assert len(tl.connect(energy, all_three, search=Straight(), pairs=tl.pairs.All()).births) == 3


def test_it_costs_nothing_where_no_path_falls_below_its_ends():
    energy = tl.zoo.double_well(2)
    minima = tl.quench(energy, tl.sample(energy, chains=30))
    counted, cost = tl.tally(energy)
    graph = tl.connect(counted, minima, search=Straight())
    before = cost.gradient_equivalents
    assert list(tl.connecting._wells.open_wells(counted, graph, None)) == []
    assert cost.gradient_equivalents == before
