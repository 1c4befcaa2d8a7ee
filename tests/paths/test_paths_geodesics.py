"""Geodesic curves, answers at a level, and levels on another energy."""

import math

import pytest
import torch

import tda_landscape as tl

ENDS = torch.tensor([[1.0, 0.0], [-1.0, 0.0]], dtype=torch.float64)


def annulus():
    return tl.Energy.from_function(lambda x: (x.square().sum(1) - 1).square(), 2)


def test_curve_of_the_annulus():
    levels = [1.2, 0.01, 0.3]
    curve = tl.geodesic_curve(annulus(), *ENDS, levels)
    assert curve.levels == (0.01, 0.3, 1.2)
    assert curve.connected == (True, True, True)
    for level, length in zip(curve.levels, curve.normalized_length, strict=True):
        r = math.sqrt(max(0.0, 1 - math.sqrt(level)))
        truth = math.sqrt(1 - r * r) + r * math.asin(r)
        assert truth - 1e-9 <= length <= 1.01 * truth
    assert curve.beads[2] == 3  # the ends and the top of a straight line
    assert all(path.below(level) for level, path in zip(curve.levels, curve.paths, strict=True))


def test_below_the_barrier_the_curve_is_unresolved_and_says_so():
    ends = torch.tensor([[-1.0, -1.0], [1.0, -1.0]], dtype=torch.float64)
    curve = tl.geodesic_curve(tl.zoo.double_well(2), *ends, [0.5, 1.05])
    assert curve.connected == (False, True)
    assert curve.normalized_length[0] is None
    assert curve.beads[0] is None
    assert curve.best_height == pytest.approx(1.0, abs=0.05)
    text = str(curve)
    assert "unresolved" in text
    assert "disconnected" not in text
    assert "nan" not in text.lower()


@pytest.mark.parametrize("levels", [[], [math.nan], [0.5, math.inf]])
def test_senseless_levels_are_refused(levels):
    with pytest.raises(tl.InputError, match=r"levels.* must be a (list of numbers|number in)"):
        tl.geodesic_curve(annulus(), *ENDS, levels)


def test_the_answer_is_connected_or_unresolved():
    ends = torch.tensor([[-1.0, -1.0], [1.0, -1.0]], dtype=torch.float64)
    for level, words in ((1.1, "connected at 1.1"), (0.5, "unresolved, best height 1")):
        path = tl.find_path(tl.zoo.double_well(2), *ends, level=level)
        assert path.answer(level).startswith(words)
        assert path.below(level) == path.answer(level).startswith("connected")
        assert "disconnected" not in str(path) + path.answer(level)
    assert "height" in str(path)


def test_a_level_can_be_measured_on_another_energy():
    energy = annulus()
    metric = tl.Energy.from_function(lambda x: (x.square().sum(1) - 1).abs(), 2)
    path = tl.find_path(energy, *ENDS, level=0.2, metric=metric)
    assert path.below(0.2)
    assert path.height == pytest.approx(float(metric(path.points).max()), rel=1e-6)
    (same,) = tl.paths.verify(energy, [path.points], [path.reason])
    assert same.height < path.height, "control: the search's own energy is another number"
    with pytest.raises(tl.InputError, match="above the level"):
        tl.find_path(energy, ENDS[0], 1.2 * ENDS[1], level=0.2, metric=metric)
    with pytest.raises(tl.InputError, match="dimension"):
        tl.find_path(energy, *ENDS, metric=tl.zoo.double_well(3))


def test_the_plot_marks_unresolved_levels():
    from matplotlib.figure import Figure

    ends = torch.tensor([[-1.0, -1.0], [1.0, -1.0]], dtype=torch.float64)
    curve = tl.geodesic_curve(tl.zoo.double_well(2), *ends, [0.5, 1.05])
    ax = tl.plot.geodesic_curve({"pair": curve}, ax=Figure().subplots())
    assert [text.get_text() for text in ax.get_legend().get_texts()] == ["pair", "unresolved"]
    drawn, marked, _ = ax.get_lines()  # the last one is what the legend shows
    assert list(marked.get_xdata()) == [0.5]
    assert drawn.get_ydata()[1] == pytest.approx(curve.normalized_length[1])
    with pytest.raises(tl.InputError, match="geodesic_curve"):
        tl.plot.geodesic_curve({"pair": 3})
