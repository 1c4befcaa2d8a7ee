"""The certified lower curve of grids: it holds for the function between the vertices, and plain N_u does not."""

import itertools

import numpy as np
import pytest

from tda_landscape.topology import cubical_merge_tree, merge_tree, nu_curve


def landscape(seed, terms=6, top=3):
    """A random trigonometric function on the square [0, 1)^2, periodic."""
    rng = np.random.default_rng(seed)
    waves, phases = rng.integers(-top, top + 1, (terms, 2)), rng.uniform(0, 2 * np.pi, terms)
    sizes = rng.normal(size=terms)

    def energy(x, y):
        angle = 2 * np.pi * (waves[:, 0] * x[..., None] + waves[:, 1] * y[..., None]) + phases
        return (sizes * np.cos(angle)).sum(-1)

    slope = float((np.abs(sizes) * 2 * np.pi * np.linalg.norm(waves, axis=1)).sum())
    return energy, slope


def grid(energy, n):
    ticks = np.arange(n) / n
    return energy(*np.meshgrid(ticks, ticks, indexing="ij"))


@pytest.mark.parametrize("seed", range(12))
def test_with_a_lipschitz_constant_no_level_is_overcounted(seed):
    energy, slope = landscape(seed)
    coarse, fine = grid(energy, 60), grid(energy, 360)
    tree = cubical_merge_tree(coarse, periodic=True, delta=slope * np.sqrt(2) / 60)
    truth = cubical_merge_tree(fine, periodic=True)
    levels = np.linspace(fine.min() - 0.1, fine.max() + 0.1, 400)
    assert (tree.lower_bound(levels) <= truth.n_components(levels)).all()
    curve = nu_curve(tree)
    assert np.array_equal(curve.n_certain(levels), tree.lower_bound(levels))
    assert (curve.n_certain(levels) <= curve(levels)).all()


def test_the_bound_is_worth_something():
    ticks = np.linspace(-1.5, 1.5, 300)
    x, y = np.meshgrid(ticks, ticks, indexing="ij")
    tree = cubical_merge_tree((x**2 - 1) ** 2 + (y**2 - 1) ** 2)
    assert 0 < tree.delta < 0.1
    assert tree.lower_bound(0.5) == tree.n_components(0.5) == 4
    assert tree.resolved().all()


def test_without_the_shift_the_count_of_a_coarse_grid_is_too_high_or_too_low():
    """Control: plain N_u of the coarse grid is no bound."""
    above = 0
    for seed in range(12):
        energy, _ = landscape(seed)
        levels = np.linspace(-3, 3, 400)
        coarse, fine = (cubical_merge_tree(grid(energy, n), periodic=True) for n in (12, 360))
        above += int((coarse.n_components(levels) > fine.n_components(levels)).any())
    assert above > 0


@pytest.mark.parametrize("seed", range(8))
def test_the_measured_delta_bounds_the_multilinear_interpolation(seed):
    """Between the vertices the interpolated function stays within its cell's values, and so within delta."""
    rng = np.random.default_rng(seed)
    coarse = rng.normal(size=(7, 6))
    k = 8
    rows, columns = np.linspace(0, 6, 6 * k + 1), np.linspace(0, 5, 5 * k + 1)
    along = np.array([np.interp(rows, np.arange(7), column) for column in coarse.T]).T
    fine = np.array([np.interp(columns, np.arange(6), row) for row in along])
    tree, truth = cubical_merge_tree(coarse), cubical_merge_tree(fine)
    levels = np.linspace(-4, 4, 500)
    assert (tree.lower_bound(levels) <= truth.n_components(levels)).all()
    for shift in rng.uniform(0, tree.delta, 5):  # any smaller error, too, is within the bound
        assert (tree.lower_bound(levels, delta=tree.delta + shift) <= truth.n_components(levels)).all()


def cell_oscillation(values, periodic, top):
    """By a loop over cells."""
    axes = [range(n if (wrap and n > 2) else max(n - 1, 1)) for n, wrap in zip(values.shape, periodic, strict=True)]
    largest = 0.0
    for corner in itertools.product(*axes):
        steps = itertools.product(*[(0, 1) if n > 1 else (0,) for n in values.shape])
        cell = [
            values[tuple((c + s) % n for c, s, n in zip(corner, step, values.shape, strict=True))] for step in steps
        ]
        if np.isfinite(cell).all():
            largest = max(largest, min(max(cell), top) - min(min(cell), top))
    return largest


@pytest.mark.parametrize("walls", [False, True])
@pytest.mark.parametrize(
    ("shape", "periodic"), [((9,), [True]), ((5, 6), [True, False]), ((3, 4, 5), [False] * 3), ((1, 7), [False] * 2)]
)
def test_delta_is_the_largest_oscillation_over_a_cell(shape, periodic, walls):
    for seed in range(5):
        rng = np.random.default_rng(seed)
        values = rng.normal(size=shape)
        if walls:
            values[rng.random(shape) < 0.15] = np.inf
        tree = cubical_merge_tree(values, periodic=periodic)
        top = tree.height.max(initial=tree.births.min())
        assert tree.delta == pytest.approx(cell_oscillation(values, periodic, top), abs=1e-15)


def test_what_lies_above_the_highest_merge_costs_nothing():
    values = np.array([0.0, 1.0, 0.2, 1.1, 0.1, 50.0])
    assert cubical_merge_tree(values).delta == pytest.approx(1.0)
    assert cubical_merge_tree(np.array([0.0, 1.0, 0.2, 50.0, 0.1])).delta == pytest.approx(49.9)


def test_short_bars_are_marked():
    tree = cubical_merge_tree([0.0, 2.0, 1.9, 3.0, 0.5], delta=0.5)
    assert tree.resolved().tolist() == [True, False, True]
    assert tree.lower_bound([0.4, 0.5, 1.0, 2.4, 2.5]).tolist() == [0, 1, 2, 2, 1]


def test_a_bound_of_zero_is_the_count_itself():
    tree = cubical_merge_tree(np.random.default_rng(0).normal(size=(8, 8)))
    levels = np.linspace(-3, 3, 100)
    assert np.array_equal(tree.lower_bound(levels, delta=0.0), tree.n_components(levels))


def test_a_graph_of_samples_has_no_such_bound():
    assert merge_tree(([0.0, 1.0], [], [])).delta is None
    assert nu_curve(([0.0, 1.0], [], [])).lower is None


def test_the_vertex_of_a_merge_is_where_it_happens():
    values = np.random.default_rng(1).normal(size=(9, 9))
    tree = cubical_merge_tree(values)
    assert np.array_equal(values.ravel()[tree.edge], tree.height)
