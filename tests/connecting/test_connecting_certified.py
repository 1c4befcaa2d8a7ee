"""connect(certify=True): every merge is proved, and the curve and its plot say so."""

import matplotlib.pyplot as plt
import numpy as np
import pytest
import torch

import tda_landscape as tl
from samplers import GradientDescent


@pytest.fixture(scope="module")
def landscape():
    """A small network on iris, its minima, and its graph without and with certificates."""
    X, y = tl.zoo.datasets.load("iris", samples=60)
    net = tl.zoo.networks.mlp([4, 3, 3], activation="tanh")
    energy = tl.Energy.from_model(net, torch.nn.functional.cross_entropy, (X, y), weight_decay=3e-3)
    minima = tl.quench(energy, tl.sample(energy, GradientDescent(lr=0.3), chains=6, steps=50, seed=0), symmetry=None)
    search = tl.paths.Ladder(budget=40)
    plain, certified = (
        tl.connect(energy, minima, search=search, budget=600, certify=certify, seed=0) for certify in (False, True)
    )
    return energy, plain, certified


def test_every_merge_is_certified_to_five_percent_of_its_excess(landscape):
    energy, _, graph = landscape
    tree = tl.merge_tree(graph)
    assert len(tree.edge) > 0
    assert set(graph.status[tree.edge]) == {"certified"}
    for edge in tree.edge:
        path, upper = graph.paths[edge], graph.uppers[edge]
        higher_end = float(path.energies[[0, -1]].max())
        assert path.height <= upper
        assert upper - path.height <= max(0.0501 * (path.height - higher_end), 2e-6 * upper)
        again = tl.certify(energy, path, level=float(upper))
        assert again.below(float(upper))


def test_nothing_else_changes(landscape):
    _, plain, graph = landscape
    assert np.array_equal(plain.heights, graph.heights)
    assert np.array_equal(plain.edges, graph.edges)
    assert set(plain.status) == {"refined"}
    others = np.setdiff1d(np.arange(len(graph.edges)), tl.merge_tree(graph).edge)
    assert set(graph.status[others]) <= {"refined"}
    assert np.isinf(graph.uppers[others]).all()


def test_the_curve_counts_certified_merges_and_the_plot_shows_them(landscape):
    _, plain, graph = landscape
    curve = tl.nu_curve(graph)
    assert curve.counts["certified"][-1] == curve.counts["sampled"][-1] == 1
    assert (curve.counts["certified"] >= curve.counts["refined"]).all()
    assert (tl.nu_curve(plain).counts["certified"][-1]) == len(graph.births)
    figure, ax = plt.subplots()
    try:
        tl.plot.nu_curves({"iris": curve}, ax=ax, status="certified")
        words = ax.get_legend().get_title().get_text()
        assert "certified" in words
    finally:
        plt.close(figure)


def test_a_network_that_cannot_be_read_is_refused_before_anything_is_searched():
    X, y = tl.zoo.datasets.load("iris", samples=20)
    net = torch.nn.Sequential(torch.nn.Linear(4, 3), torch.nn.Softmax(1))
    energy = tl.Energy.from_model(net, torch.nn.functional.cross_entropy, (X, y))
    counted, cost = tl.tally(energy)
    minima = tl.Minima.from_points(energy, energy.start(2, 0), symmetry=None)
    with pytest.raises(tl.InputError, match="Softmax"):
        tl.connect(counted, minima, certify=True)
    assert cost.gradient_equivalents == 0
