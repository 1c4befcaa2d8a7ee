"""What every plot owes its caller: the axes back, no window, no touched setting."""

import importlib
import subprocess
import sys
from types import SimpleNamespace

import matplotlib
import matplotlib.pyplot as plt
import numpy as np
import pytest

from tda_landscape import InputError, plot
from tda_landscape.topology import merge_tree, nu_curve, persistence, rips_by_level

GRAPH = ([0.0, 0.5, 0.2], [(0, 1), (1, 2)], [1.0, 0.7])
PATH = SimpleNamespace(profile=[[0, 0.0], [1, 2.0], [2, 0.5]], height=2.0, status="refined")
LENGTHS = SimpleNamespace(levels=[0.1, 0.2, 0.5], normalized_length=[None, 1.3, 1.0])
PLOTS = {
    "disconnectivity": (plot.disconnectivity, merge_tree(GRAPH)),
    "nu_curves": (plot.nu_curves, {"a": nu_curve(GRAPH)}),
    "persistence_diagram": (plot.persistence_diagram, persistence(GRAPH)),
    "barcode": (plot.barcode, persistence(GRAPH)),
    "path_profile": (plot.path_profile, PATH),
    "geodesic_curve": (plot.geodesic_curve, LENGTHS),
    "level_heatmap": (plot.level_heatmap, rips_by_level(np.eye(4), energies=[0.0, 0.5, 1.0, 2.0], levels=2)),
}
each = pytest.mark.parametrize(("draw", "data"), PLOTS.values(), ids=PLOTS)


def test_every_plot_is_in_the_list():
    assert sorted(PLOTS) == sorted(plot.__all__)


@each
def test_axes_given_are_drawn_into_and_returned(ax, draw, data):
    assert draw(data, ax=ax) is ax
    assert ax.has_data()
    assert plt.get_fignums() == []


@each
def test_no_axes_make_one_new_figure(draw, data):
    try:
        ax = draw(data)
        assert [plt.figure(number) for number in plt.get_fignums()] == [ax.figure]
    finally:
        plt.close("all")


@each
def test_no_global_setting_is_touched(ax, draw, data):
    before, backend = dict(matplotlib.rcParams), matplotlib.get_backend()
    draw(data, ax=ax)
    assert dict(matplotlib.rcParams) == before
    assert matplotlib.get_backend() == backend


@each
def test_nothing_is_shown(ax, draw, data, monkeypatch):
    monkeypatch.setattr(plt, "show", lambda *args, **kwargs: pytest.fail("show was called"))
    draw(data, ax=ax)


@each
def test_the_data_are_left_as_they_were(ax, draw, data):
    before = repr(data)
    draw(data, ax=ax)
    assert repr(data) == before


@each
def test_options_go_by_name_only(ax, draw, data):
    with pytest.raises(TypeError):
        draw(data, ax)


@each
@pytest.mark.parametrize("size", [(3.4, 3.0), (6.0, 4.0)])
def test_all_text_lies_on_the_paper(draw, data, size):
    figure = plt.figure(figsize=size, layout="constrained")
    try:
        ax = draw(data, ax=figure.subplots())
        figure.draw_without_rendering()
        box, paper = ax.get_tightbbox(), figure.bbox
        assert box.x0 >= paper.x0 - 1
        assert box.y0 >= paper.y0 - 1
        assert box.x1 <= paper.x1 + 1
        assert box.y1 <= paper.y1 + 1
    finally:
        plt.close(figure)


@each
def test_pictures_are_the_same_twice(draw, data):
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    pixels = []
    for _ in range(2):
        figure = Figure(figsize=(3, 3), dpi=60)
        draw(data, ax=figure.subplots())
        canvas = FigureCanvasAgg(figure)
        canvas.draw()
        pixels.append(np.asarray(canvas.buffer_rgba()))
    assert (pixels[0] < 128).any()
    assert np.array_equal(*pixels)


def test_a_missing_matplotlib_is_one_sentence(monkeypatch):
    for name in [name for name in sys.modules if name.startswith("tda_landscape.plot")]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, "matplotlib", None)
    with pytest.raises(InputError, match=r"plots need matplotlib: pip install 'tda-landscape\[plot\]'"):
        importlib.import_module("tda_landscape.plot")


def test_importing_the_plots_loads_no_torch():
    code = "import sys, tda_landscape.plot; sys.exit('torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
