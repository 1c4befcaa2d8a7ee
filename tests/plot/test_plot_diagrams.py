"""Persistence diagrams and barcodes: every format, every point, essential classes and ties."""

import gudhi
import numpy as np
import pytest
from numpy.testing import assert_array_equal

from tda_landscape import InputError
from tda_landscape.plot import barcode, persistence_diagram
from tda_landscape.topology import Diagrams, barrier_rips, persistence

H0 = np.array([[0.0, np.inf], [0.0, 2.0], [0.5, 1.0], [0.5, 1.0], [0.5, 1.0]])
H1 = np.array([[1.0, 1.5], [1.2, np.inf]])
FORMATS = {
    "ours": Diagrams([H0, H1], "a cloud"),
    "list": [H0, H1],
    "ripser": {"dgms": [H0, H1], "cocycles": []},
    "gudhi": [(0, tuple(bar)) for bar in H0.tolist()] + [(1, tuple(bar)) for bar in H1.tolist()],
    "nested lists": [H0.tolist(), H1.tolist()],
}


def markers(ax):
    """Drawn points of each dimension."""
    return [np.asarray(c.get_offsets()) for c in ax.collections if str(c.get_label()).startswith("$H")]


def bars(ax):
    return [np.array(c.get_segments()) for c in ax.collections]


@pytest.mark.parametrize("name", FORMATS)
def test_every_format_gives_the_same_points(ax, name):
    persistence_diagram(FORMATS[name], ax=ax)
    zero, one = markers(ax)
    infinity = zero[:, 1].max()
    assert_array_equal(zero, [[0.0, 2.0], [0.0, infinity], [0.5, 1.0]])
    assert_array_equal(one, [[1.0, 1.5], [1.2, infinity]])
    assert [text.get_text() for text in ax.get_legend().get_texts()] == ["$H_0$ (5)", "$H_1$ (2)"]


def test_gudhi_itself_is_read(ax):
    tree = gudhi.SimplexTree()
    for simplex, level in (([0], 0.0), ([1], 0.5), ([0, 1], 1.0)):
        tree.insert(simplex, level)
    persistence_diagram(tree.persistence(), ax=ax)
    assert_array_equal(markers(ax)[0][1], [0.5, 1.0])


def test_essential_classes_lie_above_all_on_the_line_of_infinity(ax):
    persistence_diagram([H0], ax=ax)
    (line,) = [line for line in ax.lines if len(set(line.get_ydata())) == 1]
    height = line.get_ydata()[0]
    assert height > 2.0
    assert [0.0, height] in markers(ax)[0].tolist()
    (sign,) = [text for text in ax.texts if text.get_text() == r"$\infty$"]
    assert sign.xy[1] == height
    assert ax.get_ylim()[0] < height < ax.get_ylim()[1]


def test_without_essential_classes_there_is_no_infinity(ax):
    persistence_diagram([H0[1:]], ax=ax)
    assert not [text for text in ax.texts if text.get_text() == r"$\infty$"]


def test_points_that_coincide_are_counted_and_larger(ax):
    persistence_diagram([H0], ax=ax)
    (points,) = [c for c in ax.collections if str(c.get_label()).startswith("$H")]
    sizes = points.get_sizes()
    assert sizes[2] > sizes[0] == sizes[1]
    (count,) = [text for text in ax.texts if "×" in text.get_text()]
    assert count.get_text() == "×3"
    assert count.xy == (0.5, 1.0)


def test_axes_are_equal_and_carry_the_diagonal(ax):
    persistence_diagram([H0, H1], ax=ax)
    assert ax.get_aspect() == 1.0
    assert ax.get_xlim() == ax.get_ylim()
    assert_array_equal(ax.get_xticks(), ax.get_yticks())
    assert any(np.array_equal(line.get_xdata(), line.get_ydata()) for line in ax.lines)


def test_dimensions_differ_in_colour_and_in_marker(ax):
    persistence_diagram([H0, H1, H1], ax=ax)
    drawn = [c for c in ax.collections if str(c.get_label()).startswith("$H")]
    assert len({tuple(c.get_facecolor()[0]) for c in drawn}) == 3
    assert len({len(c.get_paths()[0].vertices) for c in drawn}) == 3


@pytest.mark.parametrize("plot", [persistence_diagram, barcode])
def test_the_note_says_what_was_filtered(ax, plot):
    graph = ([0, 0, 0, 0], [(0, 1), (1, 2), (2, 3), (3, 0)], [1, 1, 1, 2])
    plot(barrier_rips(graph), ax=ax)
    assert "is not the H1 of the sublevel sets" in ax.get_title(loc="left").replace("\n", " ")


@pytest.mark.parametrize("name", FORMATS)
def test_bars_are_sorted_by_birth_and_run_to_their_death(ax, name):
    barcode(FORMATS[name], ax=ax)
    zero, one = bars(ax)
    end = ax.get_xlim()[1]
    assert_array_equal(zero[:, :, 0], [[0, end], [0, 2], [0.5, 1], [0.5, 1], [0.5, 1]])
    assert_array_equal(one[:, :, 0], [[1, 1.5], [1.2, end]])
    assert_array_equal(np.concatenate([zero, one])[:, 0, 1], np.arange(7))
    assert [len(line.get_xdata()) for line in ax.lines] == [1, 1]
    assert [text.get_text() for text in ax.get_yticklabels()] == ["$H_0$ (5)", "$H_1$ (2)"]


def test_a_diagram_from_a_landscape(ax):
    diagrams = persistence(([0.0, 0.5, 0.2], [(0, 1), (1, 2)], [1.0, 0.7]))
    persistence_diagram(diagrams, ax=ax)
    assert {tuple(point) for point in markers(ax)[0][1:].tolist()} == {(0.2, 1.0), (0.5, 0.7)}


def test_one_bare_array_is_a_diagram_of_h0(ax):
    persistence_diagram(H0, ax=ax)
    assert len(markers(ax)) == 1


@pytest.mark.parametrize("plot", [persistence_diagram, barcode])
def test_an_empty_dimension_is_fine(ax, plot):
    plot([H0, np.empty((0, 2)), []], ax=ax)


@pytest.mark.parametrize("plot", [persistence_diagram, barcode])
def test_a_single_essential_class_is_drawn(ax, plot):
    plot([[[1.0, np.inf]]], ax=ax)
    ax.figure.draw_without_rendering()


@pytest.mark.parametrize("plot", [persistence_diagram, barcode])
@pytest.mark.parametrize(
    ("diagrams", "sentence"),
    [
        ([[[0.0, np.nan]]], "H0 contain NaN"),
        ([H0, [[2.0, 1.0]]], "H1 has .* a death below its birth"),
        ([[[-np.inf, 1.0]]], "birth that is not finite"),
        ([[[0.0, 1.0, 2.0]]], "H0 has shape"),
        ({"diagrams": []}, "key 'dgms'"),
        ("diagram", "'diagram' is no list of diagrams"),
        (3.0, "3.0 is no list of diagrams"),
        ([["a", "b"]], "must be numbers"),
        ([], "no bar"),
        ([np.empty((0, 2))], "no bar"),
    ],
)
def test_bad_diagrams_are_refused_in_one_sentence(ax, plot, diagrams, sentence):
    with pytest.raises(InputError, match=sentence):
        plot(diagrams, ax=ax)
