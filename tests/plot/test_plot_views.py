"""Bands of error, the certified lower curve, the (u, r) heat map, and pictures for the browser."""

import importlib
import sys

import numpy as np
import pytest

from tda_landscape import InputError
from tda_landscape.plot import level_heatmap, nu_curves, persistence_diagram
from tda_landscape.topology import cubical_merge_tree, merge_tree, nu_curve, persistence, rips_by_level

GRAPH = ([0.0, 0.5, 0.2, 3.0], [(0, 1), (1, 2)], [1.0, 0.7])


def test_the_band_covers_what_an_error_can_undo(ax):
    persistence_diagram([[[0.0, np.inf], [0.0, 0.3], [0.0, 2.0]]], ax=ax, band=0.2)
    (band,) = [c for c in ax.collections if str(c.get_label()).startswith("error")]
    outline = band.get_paths()[0]
    assert outline.contains_point((0.0, 0.3))
    assert outline.contains_point((1.0, 1.39))
    assert not outline.contains_point((1.0, 1.41))
    assert not outline.contains_point((0.0, 2.0))
    assert "error ±0.2" in [text.get_text() for text in ax.get_legend().get_texts()]


def test_a_band_wider_than_the_picture_is_drawn(ax):
    persistence_diagram([[[0.0, 1.0]]], ax=ax, band=50.0)
    ax.figure.draw_without_rendering()


@pytest.mark.parametrize("band", [-1.0, np.nan, np.inf])
def test_a_band_is_a_finite_error(ax, band):
    with pytest.raises(InputError, match="band must be"):
        persistence_diagram([[[0.0, 1.0]]], ax=ax, band=band)


def test_the_lower_curve_of_a_grid_is_a_fine_line(ax):
    curve = nu_curve(cubical_merge_tree([0.0, 1.0, 0.1, 2.0, 0.2], delta=0.1))
    nu_curves(curve, ax=ax)
    (fine,) = [line for line in ax.lines if line.get_label() == "_lower"]
    x, y = fine.get_data()
    levels = np.linspace(-0.5, 2.05, 300)
    read = np.concatenate([[0], y])[np.searchsorted(x, levels, side="right")]
    assert read.tolist() == curve.n_certain(levels).tolist()
    assert "certified lower bound" in ax.get_legend().get_title().get_text()


def test_a_graph_of_samples_gets_no_fine_line(ax):
    nu_curves(nu_curve(GRAPH), ax=ax)
    assert len(ax.lines) == 1


def view(levels=4):
    rng = np.random.default_rng(0)
    angle = rng.uniform(0, 2 * np.pi, 40)
    points = np.column_stack([np.cos(angle), np.sin(angle)]) + 0.05 * rng.normal(size=(40, 2))
    return rips_by_level(points, energies=points[:, 0], levels=levels)


def test_the_heat_map_shows_the_counts_at_their_levels_and_radii(ax):
    rips = view()
    radii = np.linspace(0.05, 1.0, 20)
    level_heatmap(rips, ax=ax, radii=radii)
    (mesh,) = [c for c in ax.collections if c.get_array() is not None]
    counts = mesh.get_array()
    u = np.linspace(rips.energies[0], rips.energies[-1], counts.shape[0])
    assert counts.filled(0).tolist() == rips.n_components(u[:, None], radii).tolist()
    corners = mesh.get_coordinates()
    assert corners[0, 0, 0] < radii[0] < corners[0, 1, 0]
    assert (ax.get_xlabel(), ax.get_ylabel()) == ("radius $r$", "level $u$")


def test_loops_are_drawn_from_each_level_to_the_next(ax):
    rips = view()
    level_heatmap(rips, ax=ax, dimension=1, radii=np.linspace(0.0, 2.0, 41))
    (mesh,) = [c for c in ax.collections if c.get_array() is not None]
    assert mesh.get_array().filled(0).tolist() == rips.betti(np.linspace(0.0, 2.0, 41)).tolist()
    assert mesh.get_coordinates()[:-1, 0, 1].tolist() == rips.levels.tolist()
    assert "4 levels" in ax.get_title(loc="left")


@pytest.mark.parametrize(
    ("call", "sentence"),
    [
        (lambda ax: level_heatmap(3, ax=ax), "takes a LevelRips"),
        (lambda ax: level_heatmap(view(), ax=ax, radii=[1.0, 0.0]), "ascending"),
        (lambda ax: level_heatmap(view(), ax=ax, radii=[np.nan, 0.0]), "NaN"),
        (lambda ax: level_heatmap(view(), ax=ax, dimension=2), "dimension 2 was not computed"),
    ],
)
def test_bad_views_are_refused_in_one_sentence(ax, call, sentence):
    with pytest.raises(InputError, match=sentence):
        call(ax)


@pytest.fixture
def interactive():
    pytest.importorskip("plotly", reason="browser plots are the extra `interactive`")
    return importlib.import_module("tda_landscape.plot.interactive")


def segments(trace):
    x, y = (np.asarray(a, dtype=float).reshape(-1, 3)[:, :2] for a in (trace.x, trace.y))
    return np.stack([x, y], axis=2)


@pytest.mark.parametrize("n", [4, 2000])
def test_the_tree_in_the_browser_is_the_tree(interactive, n):
    rng = np.random.default_rng(n)
    births, edges = rng.random(n), rng.integers(0, n, (3 * n, 2))
    tree = merge_tree((births, edges, births[edges].max(axis=1) + rng.random(3 * n)))
    figure = interactive.disconnectivity(tree)
    merges, leaves, minima = figure.data
    assert np.array_equal(segments(merges)[:, :, 1], np.column_stack([tree.height, tree.height]))
    assert np.array_equal(segments(leaves)[:, 0, 1], tree.births)
    assert np.array_equal(np.asarray(minima.y), tree.births)
    died = tree.dying[0]
    assert list(minima.customdata[died]) == [str(died), tree.births[died], tree.height[0], "upper bound"]
    assert len(figure.to_json()) > 100


def test_values_and_groups_in_the_browser(interactive):
    figure = interactive.disconnectivity(GRAPH, values=[1.0, 2.0, 3.0, 4.0], value_label="test error")
    assert figure.data[-1].marker.colorbar.title.text == "test error"
    named = interactive.disconnectivity(GRAPH, groups=["a", "b", "a", "b"], order="energy")
    assert [trace.name for trace in named.data if trace.showlegend] == ["a", "b"]
    many = interactive.disconnectivity((np.arange(9.0), [], []), groups=range(9))
    assert len({trace.line.color for trace in many.data if trace.showlegend}) == 9


def test_diagrams_and_curves_in_the_browser(interactive):
    bars = persistence(GRAPH)
    points = interactive.persistence_diagram(bars).data[-1]
    assert np.asarray(points.customdata).tolist() == bars[0][:, 1].tolist()
    assert np.asarray(points.x).tolist() == bars[0][:, 0].tolist()
    curve = nu_curve(GRAPH)
    line = interactive.nu_curves({"a": curve}).data[0]
    assert list(line.y)[1:] == curve.counts["sampled"].tolist()
    assert line.name == "a (sampled merges)"


@pytest.mark.parametrize("make", ["disconnectivity", "persistence_diagram", "nu_curves"])
def test_bad_input_is_refused_in_the_browser_as_well(interactive, make):
    empty = {"disconnectivity": ([], [], []), "persistence_diagram": [], "nu_curves": {}}[make]
    with pytest.raises(InputError):
        getattr(interactive, make)(empty)


def test_a_missing_plotly_is_one_sentence(monkeypatch):
    monkeypatch.delitem(sys.modules, "tda_landscape.plot.interactive", raising=False)
    monkeypatch.setitem(sys.modules, "plotly", None)
    monkeypatch.setitem(sys.modules, "plotly.graph_objects", None)
    with pytest.raises(InputError, match=r"need plotly: pip install 'tda-landscape\[interactive\]'"):
        importlib.import_module("tda_landscape.plot.interactive")


def test_plots_in_matplotlib_do_not_load_plotly():
    import subprocess

    code = "import sys, tda_landscape.plot; sys.exit('plotly' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
