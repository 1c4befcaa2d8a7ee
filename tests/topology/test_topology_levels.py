"""Level and radius together: H0 at every (u, r) and H1 by level, against complexes built one at a time."""

import networkx as nx
import numpy as np
import pytest
from scipy.spatial.distance import pdist, squareform

from tda_landscape import InputError
from tda_landscape.topology import rips, rips_by_level


def cloud(seed, n=25, ties=False):
    rng = np.random.default_rng(seed)
    points = rng.integers(0, 4, (n, 2)).astype(float) if ties else rng.normal(size=(n, 2))
    return points, np.round(rng.normal(size=n), 0 if ties else 3)


def components(matrix, energies, level, radius):
    graph = nx.Graph()
    graph.add_nodes_from(np.flatnonzero(energies <= level).tolist())
    rows, columns = np.nonzero(np.triu(matrix <= radius, 1))
    graph.add_edges_from(
        (a, b) for a, b in zip(rows.tolist(), columns.tolist(), strict=True) if max(energies[a], energies[b]) <= level
    )
    return nx.number_connected_components(graph)


@pytest.mark.parametrize("ties", [False, True])
@pytest.mark.parametrize("seed", range(5))
def test_components_are_exact_at_every_level_and_radius(seed, ties):
    points, energies = cloud(seed, ties=ties)
    matrix = squareform(pdist(points))
    view = rips_by_level(points, energies, max_dimension=0)
    levels = np.unique(np.concatenate([energies, [energies.min() - 1, np.inf]]))
    rng = np.random.default_rng(seed)
    radii = np.concatenate([rng.choice(np.unique(matrix), 12), [-1.0, np.inf], np.nextafter(np.unique(matrix)[:5], 9)])
    found = view.n_components(levels[:, None], radii)
    assert found.tolist() == [[components(matrix, energies, u, r) for r in radii] for u in levels]


def test_adding_points_can_join_and_can_separate():
    view = rips_by_level([[0.0], [2.0], [1.0]], energies=[0.0, 1.0, 2.0], max_dimension=0)
    assert view.n_components([0.0, 1.0, 2.0], 1.0).tolist() == [1, 2, 1]
    for level, radius, name in ((np.nan, 1.0, "level"), (1.0, np.nan, "radius")):
        with pytest.raises(InputError, match=f"{name} must hold numbers, got .*nan"):
            view.n_components(level, radius)


@pytest.mark.parametrize("seed", range(3))
def test_each_slice_is_the_rips_of_its_sublevel_set(seed):
    points, energies = cloud(seed, 40)
    view = rips_by_level(points, energies, levels=[-0.5, 0.3, 9.0])
    radii = np.linspace(0, 3, 31)
    for level, diagrams, row in zip(view.levels, view.diagrams, view.betti(radii), strict=True):
        alone = rips(points[energies <= level])
        for a, b in zip(diagrams, alone, strict=True):
            assert np.allclose(a, b, rtol=1e-12)
        loops = alone[1]
        counts = [((loops[:, 0] <= r) & (r < loops[:, 1])).sum() for r in radii]
        assert np.abs(row - counts).sum() <= 1  # a distance may round across a radius
        zero = view.betti(radii, dimension=0)[view.levels == level][0]
        assert zero.tolist() == view.n_components(level, radii).tolist()


def test_distances_serve_as_well_as_points():
    points, energies = cloud(0)
    one = rips_by_level(points, energies, levels=3)
    other = rips_by_level(distances=squareform(pdist(points)), energies=energies, levels=3)
    assert np.array_equal(one.levels, other.levels)
    assert np.allclose(one.lengths[-1], other.lengths[-1])


def test_a_number_of_levels_takes_equal_shares_of_the_points():
    points, _ = cloud(0, 40)
    view = rips_by_level(points, np.arange(40.0), levels=4)
    assert view.levels.tolist() == [9.0, 19.0, 29.0, 39.0]


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        ({"points": None}, "points or distances="),
        ({"energies": [0.0, 1.0]}, "energies must be 3 finite numbers"),
        ({"energies": [0.0, 1.0, np.nan]}, "point 2 has energy nan"),
        ({"points": [[0.0], [np.nan], [1.0]]}, "NaN or infinite numbers, first in row 1"),
        ({"levels": 0}, "at least one"),
        ({"levels": [-1.0]}, "above the lowest energy"),
        ({"levels": [np.nan]}, "levels must be numbers"),
    ],
)
def test_refused_in_one_sentence(options, sentence):
    arguments = {"points": [[0.0], [1.0], [3.0]], "energies": [0.0, 0.5, 1.0], **options}
    with pytest.raises(InputError, match=sentence) as caught:
        rips_by_level(**arguments)
    assert len(str(caught.value).splitlines()) == 1


def test_a_dimension_that_was_not_computed_is_named():
    view = rips_by_level([[0.0], [1.0]], energies=[0.0, 0.5], max_dimension=0)
    with pytest.raises(InputError, match="dimension 1 was not computed"):
        view.betti([1.0])
