"""Merge trees of grids against gudhi's cubical complexes and against the explicit grid graph."""

import gudhi
import networkx as nx
import numpy as np
import pytest

from tda_landscape import InputError
from tda_landscape.topology import cubical_merge_tree, nu_curve, persistence

SHAPES = [(1,), (2,), (9,), (1, 5), (4, 5), (2, 2, 2), (3, 4, 3), (1, 1, 4)]
KINDS = ["smooth", "ties", "walls", "both"]


def grid(shape, kind, seed):
    rng = np.random.default_rng(seed)
    values = rng.normal(size=shape) if kind in ("smooth", "walls") else rng.integers(-1, 3, shape).astype(float)
    if kind in ("walls", "both"):
        values[rng.random(shape) < 0.3] = np.inf
    if not np.isfinite(values).any():
        values.flat[0] = 0.0
    return values


def finite_bars(bars):
    bars = np.asarray(bars).reshape(-1, 2)
    bars = bars[np.isfinite(bars[:, 0]) & (bars[:, 1] > bars[:, 0])]
    return bars[np.lexsort((-bars[:, 1], bars[:, 0]))]


def by_gudhi(values, periodic=None):
    if periodic is None:
        complex_ = gudhi.CubicalComplex(vertices=values)
    else:
        complex_ = gudhi.PeriodicCubicalComplex(vertices=values, periodic_dimensions=periodic)
    complex_.compute_persistence(min_persistence=0)
    return finite_bars(complex_.persistence_intervals_in_dimension(0))


def grid_graph(values, periodic):
    """The finite vertices of a grid and the steps of one along an axis."""
    lattice = nx.grid_graph(dim=values.shape[::-1], periodic=periodic[::-1])
    nodes = [(x if isinstance(x, tuple) else (x,)) for x in lattice.nodes]
    number = {node: int(np.ravel_multi_index(node, values.shape)) for node in nodes}
    births = values.ravel()
    pairs = [
        (number[a if isinstance(a, tuple) else (a,)], number[b if isinstance(b, tuple) else (b,)])
        for a, b in lattice.edges
    ]
    kept = [(a, b) for a, b in pairs if np.isfinite(births[[a, b]]).all()]
    compact = {int(v): i for i, v in enumerate(np.flatnonzero(np.isfinite(births)))}
    edges = [(compact[a], compact[b]) for a, b in kept]
    return births[np.isfinite(births)], edges, [max(births[a], births[b]) for a, b in kept]


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("shape", SHAPES)
def test_equal_to_gudhi(shape, kind):
    for seed in range(8):
        values = grid(shape, kind, seed)
        assert np.array_equal(persistence(cubical_merge_tree(values))[0], by_gudhi(values))


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize(
    ("shape", "periodic"),
    [
        ((7,), [True]),
        ((4, 5), [True, True]),
        ((5, 3), [True, False]),
        ((3, 4, 3), [False, True, True]),
        ((3, 3, 3), [True, True, True]),
    ],
)
def test_equal_to_gudhi_on_a_torus(shape, periodic, kind):
    for seed in range(8):
        values = grid(shape, kind, seed)
        assert np.array_equal(persistence(cubical_merge_tree(values, periodic=periodic))[0], by_gudhi(values, periodic))


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize(
    ("shape", "periodic"), [((8,), (True,)), ((4, 5), (False, True)), ((3, 3, 4), (True, False, True))]
)
def test_equal_to_the_merge_tree_of_the_grid_graph(shape, periodic, kind):
    for seed in range(8):
        values = grid(shape, kind, seed)
        tree, graph = cubical_merge_tree(values, periodic=periodic), grid_graph(values, periodic)
        assert np.array_equal(persistence(tree)[0], persistence(graph)[0])
        levels = np.unique(values[np.isfinite(values)])
        assert nu_curve(tree)(levels).tolist() == nu_curve(graph)(levels).tolist()


def test_wrapping_matters():
    values = np.array([0.0, 5.0, 1.0])
    assert persistence(cubical_merge_tree(values))[0].tolist() == [[0.0, np.inf], [1.0, 5.0]]
    assert persistence(cubical_merge_tree(values, periodic=True))[0].tolist() == [[0.0, np.inf]]


def test_diagonal_neighbours_do_not_touch():
    values = np.array([[0.0, 2.0], [2.0, 1.0]])
    assert persistence(cubical_merge_tree(values))[0].tolist() == [[0.0, np.inf], [1.0, 2.0]]
    eight = gudhi.CubicalComplex(top_dimensional_cells=values)  # control: 8 neighbours give another answer
    eight.compute_persistence()
    assert finite_bars(eight.persistence_intervals_in_dimension(0)).tolist() == [[0.0, np.inf]]


def test_a_wall_of_inf_separates_for_ever():
    tree = cubical_merge_tree([0.0, np.inf, np.inf, -1.0, 0.5])
    assert tree.vertices.tolist() == [0, 3]
    assert np.isinf(tree.deaths).all()
    assert cubical_merge_tree([0.0, 9.0, 9.0, -1.0, 0.5]).deaths.tolist() == [9.0, np.inf]


def test_leaves_are_grid_minima_with_their_flat_indices():
    values = np.random.default_rng(0).normal(size=(6, 7))
    tree = cubical_merge_tree(values)
    assert np.array_equal(values.ravel()[tree.vertices], tree.births)
    padded = np.pad(values, 1, constant_values=np.inf)
    lower = [padded[2:, 1:-1], padded[:-2, 1:-1], padded[1:-1, 2:], padded[1:-1, :-2]]
    assert tree.vertices.tolist() == np.flatnonzero((values < np.minimum.reduce(lower)).ravel()).tolist()
    assert tree.proved.all()


def test_a_constant_grid_is_one_component():
    assert persistence(cubical_merge_tree(np.zeros((3, 4))))[0].tolist() == [[0.0, np.inf]]
    assert int(nu_curve(cubical_merge_tree(np.zeros((3, 4))))(0.0)) == 1


def test_every_separation_of_a_grid_is_proved():
    curve = nu_curve(cubical_merge_tree([0.0, 2.0, 1.0, 3.0, 0.5]))
    assert (curve.proved == curve.counts["sampled"] - 1)[curve.counts["sampled"] > 0].all()
    assert curve.counts["certified"].tolist() == curve.counts["sampled"].tolist()


def test_integers_and_lists_are_grids_too():
    assert cubical_merge_tree([[0, 3], [3, 1]]).height.tolist() == [3.0]


@pytest.mark.parametrize("flag", [np.True_, np.array([True]), [np.True_], (True,)])
def test_numpy_booleans_say_periodic_as_well(flag):
    assert len(persistence(cubical_merge_tree([0.0, 5.0, 1.0], periodic=flag))[0]) == 1
    assert len(persistence(cubical_merge_tree([0.0, 5.0, 1.0], periodic=False))[0]) == 2


@pytest.mark.parametrize(
    ("values", "options"),
    [
        ([0.0, np.nan, 1.0], {}),
        ([], {}),
        (np.zeros((0, 3)), {}),
        ([np.inf, np.inf], {}),
        ([[0.0, 1.0]], {"periodic": [True]}),
        ([0.0, 1.0], {"periodic": [True, False]}),
        (5.0, {}),
        ([0.0, 1.0, 3.0, 2.0, -np.inf], {}),
        ([0.0, 1.0, -np.inf, 2.0, 0.5], {}),
    ],
    ids=lambda given: " ".join(repr(given).split()),
)
def test_refused_in_one_sentence(values, options):
    with pytest.raises(InputError) as caught:
        cubical_merge_tree(values, **options)
    assert len(str(caught.value).splitlines()) == 1
