"""N_u curves: the lines are the curves, and no count goes without its status."""

from dataclasses import replace

import numpy as np
import pytest
from matplotlib.figure import Figure
from numpy.testing import assert_array_equal

from tda_landscape import InputError
from tda_landscape.plot import nu_curves
from tda_landscape.topology import LandscapeGraph, cubical_merge_tree, nu_curve


def random_landscape(n, seed, status="refined", **fields):
    rng = np.random.default_rng(seed)
    births = rng.normal(size=n)
    edges = rng.integers(0, n, (3 * n, 2))
    heights = births[edges].max(axis=1) + rng.exponential(size=len(edges))
    states = np.where(rng.random(len(edges)) < 0.5, "certified", "refined") if status == "mixed" else status
    uppers = np.where(np.asarray(states) == "certified", heights + 0.1, np.inf)
    return LandscapeGraph.from_arrays(births, edges, heights, status=states, uppers=uppers, **fields)


def evaluate(line, level):
    """What a reader sees at a level: the last drawn point not right of it."""
    assert line.get_drawstyle() == "steps-post"
    x, y = line.get_data()
    return np.concatenate([[0], y])[np.searchsorted(x, level, side="right")]


def legend(ax):
    title = ax.get_legend().get_title().get_text()
    return title, [text.get_text() for text in ax.get_legend().get_texts()]


@pytest.mark.parametrize("status", ["sampled", "refined", "certified"])
def test_lines_equal_their_curves_at_every_level(ax, status):
    curves = {f"width {n}": nu_curve(random_landscape(n, n, "mixed")) for n in (4, 12, 25)}
    nu_curves(curves, ax=ax, status=status)
    rng = np.random.default_rng(0)
    assert len(ax.lines) == 3
    for line, curve in zip(ax.lines, curves.values(), strict=True):
        levels = np.concatenate([rng.uniform(*ax.get_xlim(), 500), curve.levels])
        assert_array_equal(evaluate(line, levels), curve(levels, status))


def test_lines_reach_a_common_right_end(ax):
    nu_curves({"a": nu_curve(random_landscape(5, 0)), "b": nu_curve(random_landscape(9, 1))}, ax=ax)
    assert len({line.get_xdata()[-1] for line in ax.lines}) == 1
    assert ax.lines[0].get_xdata()[-1] == ax.get_xlim()[1]


def test_lines_differ_in_grey(ax):
    nu_curves({str(i): nu_curve(random_landscape(5, i)) for i in range(12)}, ax=ax)
    dashes = [str(line._unscaled_dash_pattern) for line in ax.lines]
    assert len(set(dashes[:6])) == 6
    assert len(set(zip(dashes, [line.get_color() for line in ax.lines], strict=True))) == 12


def test_the_count_axis_has_whole_numbers(ax):
    nu_curves(nu_curve(([0.0, 0.5], [(0, 1)], [1.0])), ax=ax)
    ax.figure.draw_without_rendering()
    assert all(tick == round(tick) for tick in ax.get_yticks())
    assert ax.get_ylabel() == "$N_u$"


def test_a_common_status_is_the_title_of_the_legend(ax):
    curves = {"a": nu_curve(random_landscape(5, 0)), "b": nu_curve(random_landscape(9, 1))}
    assert legend(nu_curves(curves, ax=ax)) == ("refined merges, upper bounds", ["a", "b"])


def test_different_status_stands_beside_each_curve(ax):
    curves = {"a": nu_curve(random_landscape(9, 0)), "b": nu_curve(random_landscape(9, 1, "sampled"))}
    title, texts = legend(nu_curves(curves, ax=ax))
    assert title == ""
    assert texts == ["a: refined merges, upper bounds", "b: sampled merges, upper bounds"]


def two_wells(**fields):
    return nu_curve(LandscapeGraph.from_arrays([0.0, 0.5], [(0, 1)], [1.0], **fields))


@pytest.mark.parametrize(
    ("curve", "words"),
    [
        (two_wells(), "sampled merges, upper bounds"),
        (two_wells(status="refined"), "refined merges, upper bounds"),
        (two_wells(status="certified", uppers=[1.0]), "certified merges, upper bounds"),
        (two_wells(status="certified", uppers=[1.0], proved=True), "certified merges, separations proved"),
        (nu_curve(cubical_merge_tree([0.0, 2.0, 1.0, 3.0])), "certified merges, separations proved"),
        (nu_curve(([0.0, 0.5], [], [])), "no merges found"),
        (
            nu_curve(LandscapeGraph.from_arrays([0.0, 0.1, 0.2], [(0, 1), (1, 2)], [1, 1], proved=[True, False])),
            "sampled merges, upper bounds, some proved",
        ),
    ],
)
def test_the_words_say_how_the_merges_are_known(ax, curve, words):
    assert legend(nu_curves(curve, ax=ax))[1] == [words]


def test_the_band_reaches_from_all_paths_to_certified_merges(ax):
    curve = nu_curve(random_landscape(20, 3, "mixed"))
    nu_curves(curve, ax=ax)
    (band,) = ax.collections
    corners = band.get_paths()[0].vertices
    assert corners[:, 1].max() == curve.counts["certified"].max()
    gaps = np.flatnonzero(curve.counts["certified"] > curve.counts["sampled"])
    ends = np.append(curve.levels, ax.get_xlim()[1])
    inside = (ends[gaps] + ends[gaps + 1]) / 2
    assert len(gaps) > 5
    low, high = curve(inside), curve(inside, "certified")
    for level, bottom, top in zip(inside, low, high, strict=True):
        assert band.get_paths()[0].contains_point((level, (bottom + top) / 2))
        assert not band.get_paths()[0].contains_point((level, top + 0.5))
        assert not band.get_paths()[0].contains_point((level, bottom - 0.5))
    assert "band: up to certified merges only" in legend(ax)[0]


@pytest.mark.parametrize("curve", [nu_curve(random_landscape(9, 0)), nu_curve(cubical_merge_tree([0.0, 2.0, 1.0]))])
def test_without_certified_merges_that_differ_there_is_no_band(ax, curve):
    nu_curves(curve, ax=ax)
    assert len(ax.collections) == 0
    assert "band" not in legend(ax)[0]


def test_a_count_modulo_symmetry_says_so(ax):
    curve = two_wells()
    assert "symmetry" not in legend(nu_curves(curve, ax=Figure().subplots()))[1][0]
    quotient = replace(curve, raw=(curve.counts["sampled"], 2 * curve.counts["sampled"]))
    assert legend(nu_curves(quotient, ax=ax))[1] == ["sampled merges, upper bounds, modulo symmetry"]


@pytest.mark.parametrize("size", [(3.4, 2.6), (6, 4)])
@pytest.mark.parametrize("seed", range(4))
def test_the_legend_covers_no_line(size, seed):
    ax = Figure(figsize=size, layout="constrained").subplots()
    nu_curves({f"width {n}": nu_curve(random_landscape(n, seed, "mixed")) for n in (4, 12, 25)}, ax=ax)
    ax.figure.draw_without_rendering()
    box = ax.get_legend().get_window_extent().transformed(ax.transData.inverted())
    for line in ax.lines:
        assert evaluate(line, np.linspace(box.x0, min(box.x1, ax.get_xlim()[1]), 300)).max() < box.y0


@pytest.mark.parametrize(
    ("curves", "options", "sentence"),
    [
        ({}, {}, "a dict of them by label"),
        ([1, 2], {}, "a dict of them by label"),
        ({"a": 3}, {}, "'a' is 3, not a NuCurve"),
        ({"a": two_wells()}, {"status": "exact"}, "no count of status 'exact'"),
        (nu_curve(([], [], [])), {}, "no levels"),
    ],
)
def test_bad_input_is_refused_in_one_sentence(ax, curves, options, sentence):
    with pytest.raises(InputError, match=sentence):
        nu_curves(curves, ax=ax, **options)
