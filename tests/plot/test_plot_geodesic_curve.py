"""Geodesic curves: steps that hold up to the next level, and what is unresolved at the bottom."""

from types import SimpleNamespace

import numpy as np
import pytest

import tda_landscape.plot as plot

LEVELS = [0.1, 0.2, 0.5, 0.9]
ONE = SimpleNamespace(levels=LEVELS, normalized_length=[None, 1.3, 1.05, 1.0])
TWO = SimpleNamespace(levels=LEVELS, normalized_length=[None, None, 1.25, 1.02])
NONE = SimpleNamespace(levels=LEVELS, normalized_length=[None] * 4)


def test_between_two_levels_the_length_is_that_of_the_lower_one(ax):
    line = plot.geodesic_curve(ONE, ax=ax).get_lines()[0]
    x, y = (np.asarray(values, dtype=float) for values in line.get_data())
    assert line.get_drawstyle() == "steps-post"
    assert x.tolist() == LEVELS
    assert y[1:].tolist() == [1.3, 1.05, 1.0]
    assert np.isnan(y[0])


@pytest.mark.parametrize(("curves", "rows"), [({"one": ONE, "two": TWO}, [[0.1], [0.1, 0.2]]), ({"x": NONE}, [LEVELS])])
def test_unresolved_levels_are_marked_at_the_bottom_in_the_colour_of_their_curve(ax, curves, rows):
    lines = plot.geodesic_curve(curves, ax=ax).get_lines()
    marks = [line for line in lines if line.get_marker() == "|" and len(line.get_xdata())]
    assert [list(line.get_xdata()) for line in marks] == rows
    ax.figure.canvas.draw()
    floor, top = ax.bbox.y0, ax.bbox.y1
    pixels = [line.get_transform().transform(line.get_xydata())[:, 1] for line in marks]
    assert all(floor < y < floor + 0.1 * (top - floor) for row in pixels for y in row)
    assert len({row[0] for row in pixels}) == len(marks), "rows do not lie on each other"
    curve_colors = [line.get_color() for line in lines if line.get_label() in curves]
    assert [line.get_color() for line in marks] == curve_colors
    assert [t.get_text() for t in ax.get_legend().get_texts()].count("unresolved") == 1


def test_where_nothing_was_measured_there_is_no_scale(ax):
    assert len(plot.geodesic_curve(NONE, ax=ax).get_yticks()) == 0


def test_control_a_scale_where_something_was(ax):
    assert len(plot.geodesic_curve(ONE, ax=ax).get_yticks()) > 0
