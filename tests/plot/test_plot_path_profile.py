"""Energy along a path: over its own length, with the verified maximum and its status."""

from types import SimpleNamespace

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal

from tda_landscape import InputError
from tda_landscape.plot import path_profile


def bump(length=4.0, top=2.0, status="refined"):
    at = np.linspace(0, length, 41)
    energy = top * np.sin(np.pi * at / length) ** 2 + 0.1 * at
    return SimpleNamespace(profile=np.column_stack([at, energy]), height=float(energy.max()), status=status)


def legend(ax):
    return [text.get_text() for text in ax.get_legend().get_texts()]


def test_a_line_is_the_profile_over_the_normalised_length(ax):
    path = bump()
    path_profile(path, ax=ax)
    (line,) = ax.lines
    assert_allclose(line.get_xdata(), path.profile[:, 0] / 4.0)
    assert_array_equal(line.get_ydata(), path.profile[:, 1])


def test_the_maximum_is_marked_and_named_with_its_status(ax):
    paths = {"straight": bump(top=3.0, status="sampled"), "found": bump(2.0)}
    path_profile(paths, ax=ax)
    for line, path, text in zip(ax.lines, paths.values(), legend(ax), strict=True):
        (marked,) = line.get_markevery()
        assert line.get_ydata()[marked] == path.height
        assert f"max {path.height:.5g} ({path.status})" in text
    assert [text.split(":")[0] for text in legend(ax)] == ["straight", "found"]


def test_a_level_is_a_line_across(ax):
    path_profile(bump(), ax=ax, level=-1.5)
    assert_array_equal(ax.lines[-1].get_ydata(), [-1.5, -1.5])
    assert legend(ax)[-1] == "level $u$ = −1.5"


def test_a_non_finite_energy_is_a_gap_and_stays_in_the_words(ax):
    path = SimpleNamespace(profile=[[0, 0.0], [1, np.inf], [2, 0.5]], height=np.inf, status="refined")
    path_profile(path, ax=ax)
    assert np.isnan(ax.lines[0].get_ydata()[1])
    assert legend(ax) == ["max inf (refined)"]
    ax.figure.draw_without_rendering()


def test_a_path_of_length_zero_is_drawn(ax):
    path_profile(SimpleNamespace(profile=[[0, 1.0], [0, 1.0]], height=1.0, status="refined"), ax=ax)
    assert_array_equal(ax.lines[0].get_xdata(), [0, 0])


def test_a_found_path_is_drawn(ax):
    torch = pytest.importorskip("torch")
    from tda_landscape.paths._path import Path, Stop

    points, energies = torch.tensor([[0.0], [1.0]]), torch.tensor([0.0, 1.0])
    profile = torch.tensor([[0.0, 0.0], [0.5, 0.3], [1.0, 1.0]], dtype=torch.float64)
    path_profile(Path(points, energies, "refined", Stop.STRAIGHT, profile), ax=ax)
    assert_array_equal(ax.lines[0].get_ydata(), [0.0, 0.3, 1.0])


@pytest.mark.parametrize(
    ("paths", "options", "sentence"),
    [
        ({}, {}, "an empty dict"),
        (3, {}, "the path is 3, not a Path"),
        ({"a": 3}, {}, "path 'a' is 3, not a Path"),
        (SimpleNamespace(profile=[1, 2], height=1, status="refined"), {}, r"profile of shape \(2,\)"),
        (SimpleNamespace(profile=[[0, np.nan]], height=1, status="refined"), {}, "contain NaN"),
        (bump(), {"level": np.nan}, "the level"),
        (bump(), {"level": np.inf}, "the level must be finite"),
    ],
)
def test_bad_input_is_refused_in_one_sentence(ax, paths, options, sentence):
    with pytest.raises(InputError, match=sentence):
        path_profile(paths, ax=ax, **options)
