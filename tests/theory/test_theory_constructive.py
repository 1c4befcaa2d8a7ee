"""Constructions as a path search: conformance, counts of 1 by construction, certificates, refusals."""

import numpy as np
import pytest
import torch
from torch.nn import functional

import tda_landscape as tl
from tda_landscape.energy.symmetry import find_symmetry
from tda_landscape.minima import Minima
from tda_landscape.paths import Stop
from tda_landscape.theory import Constructive
from tda_landscape.topology import LandscapeGraph
from tests.theory.theory_networks import linear_energy, rng


def iris():
    inputs, labels = tl.zoo.datasets.load("iris")
    model = tl.zoo.networks.mlp([4, 4, 3], activation="identity")
    targets = functional.one_hot(labels.long(), 3).double()
    return tl.Energy.from_model(model, functional.mse_loss, (inputs, targets))


def bottoms(energy, number):
    """Global minima, each reached from a start of its own."""
    return torch.stack([tl.theory.descend(energy, p, delta=1e-2).points[-1] for p in 3 * energy.start(number, 1)])


def leaves(energy, points, symmetry):
    """Points as leaves, whatever they are."""
    order = energy(points).argsort()
    n, nothing = len(points), torch.zeros(len(points), 2, dtype=torch.float64)
    hits = torch.ones(n, dtype=torch.int64)
    return Minima(
        points[order], energy(points)[order], nothing[:, 0], nothing, nothing[:, 0], ("flat",) * n, hits, symmetry
    )


def test_conformance():
    tl.testing.check_search(Constructive(), energy=linear_energy((3, 4, 2), "squared", rng(0), bias=True))


def test_the_quotient_count_is_one_by_construction():
    energy = iris()
    minima = leaves(energy, bottoms(energy, 3), find_symmetry(energy, "auto"))
    graph = tl.connect(energy, minima, search=Constructive())
    tree = tl.merge_tree(graph)
    assert len(tree.height) == 2
    assert np.allclose(tree.height, graph.births[0], rtol=1e-12)
    assert tl.nu_curve(graph)(float(graph.births[0]) * (1 + 1e-12)) == 1


def test_the_raw_count_is_one_by_construction():
    """Copies under GL(3), as leaves of their own, and as loops that narrow the bounds to 1."""
    energy = linear_energy((2, 3, 2), "squared", rng(1))
    symmetry = find_symmetry(energy, "auto")
    point = tl.quench(energy, energy.start(1, 0), symmetry=None).points
    copies, sheets = symmetry.scramble(point.expand(8, -1), rng(2))
    apart = tl.connect(energy, leaves(energy, torch.cat([point, copies]), None), search=Constructive())
    assert tl.nu_curve(apart)(float(apart.births.max()) * (1 + 1e-12)) == 1

    pairs = point.expand(8, -1), copies, [rng(i) for i in range(8)]
    straight = tl.paths.Straight().find(energy, *pairs)
    assert max(path.height for path in straight) > 1.1 * float(apart.births.max()), "the control joins the copies too"
    paths = Constructive().find(energy, *pairs)
    birth = energy(point).numpy()
    heights = np.maximum([path.height for path in paths], birth[0])
    assert (heights <= birth[0] * (1 + 1e-12)).all()
    options = {"transform": list(sheets.numpy()), "order": symmetry.order}
    looped = LandscapeGraph.from_arrays(birth, [(0, 0)] * 8, heights, **options)
    lower, upper = tl.nu_curve(looped).raw
    assert (lower[-1], upper[-1]) == (1, 1)
    assert tl.nu_curve(LandscapeGraph.from_arrays(birth, [], [], order=symmetry.order)).raw[1][-1] == 2


@pytest.mark.parametrize("loss", ["squared", "absolute", "logistic"])
def test_paths_are_certified(loss):
    energy = linear_energy((3, 4, 3, 2), loss, rng(3), bias=True)
    path = tl.find_path(energy, *energy.start(2, 1), search=Constructive())
    certificate = tl.certify(energy, path, level=float(path.energies[[0, -1]].max()) * (1 + 1e-6))
    assert certificate.status == "certified"
    assert certificate.reason is tl.certify(energy, path.points[:2], level=100.0).reason


def test_merges_are_certified_at_the_births():
    energy = linear_energy((2, 3, 2), "squared", rng(5))
    minima = leaves(energy, bottoms(energy, 3), None)
    graph = tl.connect(energy, minima, search=Constructive(), certify=True)
    merged = tl.merge_tree(graph).edge
    assert set(graph.status[merged]) == {"certified"}
    assert np.allclose(graph.uppers[merged], graph.births[0], rtol=1e-5)


def test_what_no_theorem_covers_is_searched_or_refused():
    energy = tl.zoo.double_well(2)
    a, b = energy.start(2, 0)
    assert tl.find_path(energy, a, b, search=Constructive(otherwise=tl.paths.Straight())).reason is Stop.STRAIGHT
    with pytest.raises(tl.InputError, match=r"theorems speak of networks; make the energy with Energy\.from_model"):
        tl.find_path(energy, a, b, search=Constructive())
    with pytest.raises(tl.InputError, match=r"delta must be a number in .*, got 0\.0"):
        Constructive(delta=0.0)


def test_points_that_are_not_finite_are_refused():
    energy = linear_energy((2, 3, 2), "squared", rng(0))
    a, b = energy.start(2, 0)
    b[0] = torch.inf
    with pytest.raises(tl.InputError, match="some points have entries that are not finite"):
        Constructive().find(energy, a[None], b[None], [rng(0)])
    with pytest.raises(tl.InputError, match="the point has the entry inf"):
        tl.theory.descend(energy, b)


def test_single_precision_is_kept():
    x = torch.randn(6, 2, generator=rng(0))
    model = tl.zoo.networks.mlp([2, 3, 2], activation="identity")
    energy = tl.Energy.from_model(model, functional.mse_loss, (x, x.flip(0)), dtype=torch.float32)
    a, b = energy.start(2, 0)
    path = tl.find_path(energy, a, b, search=Constructive())
    assert path.points.dtype == torch.float32
    assert path.height <= float(path.energies[[0, -1]].max()) * (1 + 1e-5)
    assert tl.theory.descend(energy, a, delta=1e-4).energies[-1] <= energy(a[None])
