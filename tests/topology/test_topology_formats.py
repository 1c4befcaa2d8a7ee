"""Diagrams to and from gudhi, ripser, giotto and persim."""

import gudhi
import numpy as np
import pytest

from tda_landscape import InputError
from tda_landscape.topology import Diagrams, as_diagrams, persistence, rips

POINTS = np.random.default_rng(0).normal(size=(20, 3))
GRAPH = ([0.0, 0.5, 0.2, 3.0], [(0, 1), (1, 2)], [1.0, 0.7])


def equal(one, other):
    return len(one) == len(other) and all(np.array_equal(a, b) for a, b in zip(one, other, strict=True))


def sorted_bars(diagrams):
    return [d[np.lexsort((-d[:, 1], d[:, 0]))] for d in diagrams]


@pytest.mark.parametrize("convert", [Diagrams.to_gudhi, Diagrams.to_ripser, Diagrams.to_persim])
@pytest.mark.parametrize("make", [lambda: rips(POINTS), lambda: persistence(GRAPH)])
def test_there_and_back(make, convert):
    diagrams = make()
    assert equal(sorted_bars(as_diagrams(convert(diagrams))), sorted_bars(diagrams))


def test_gudhi_lists_are_in_its_order():
    tree = gudhi.SimplexTree()
    for simplex, level in (([0], 0.0), ([1], 0.5), ([2], 0.2), ([0, 1], 1.0), ([1, 2], 0.7)):
        tree.insert(simplex, level)
    theirs = tree.persistence()
    assert persistence((GRAPH[0][:3], *GRAPH[1:])).to_gudhi() == theirs
    assert equal(sorted_bars(as_diagrams(theirs)), persistence((GRAPH[0][:3], *GRAPH[1:])))


def test_gudhi_estimators_give_lists_of_arrays():
    from gudhi.sklearn import RipsPersistence

    (sample,) = RipsPersistence(homology_dimensions=[0, 1]).fit_transform([POINTS])
    assert equal(sorted_bars(as_diagrams(sample)), rips(POINTS))


def test_giotto_is_reduced_and_padded():
    diagrams = rips(POINTS)
    array = diagrams.to_giotto()
    assert array.shape == (1, 19 + len(diagrams[1]), 3)
    assert np.isfinite(array).all()
    padded = np.concatenate([array, [[[0.0, 0.0, 0.0], [1.0, 1.0, 1.0]]]], axis=1)
    back = as_diagrams(padded)
    assert np.array_equal(sorted_bars(back)[0], diagrams[0][1:])
    assert np.array_equal(sorted_bars(back)[1], diagrams[1])
    whole = as_diagrams(diagrams.to_giotto(reduced=False))
    assert equal(sorted_bars(whole), diagrams)


def test_reduced_homology_drops_one_class_only():
    forest = persistence(GRAPH)
    assert np.isinf(forest[0][:, 1]).sum() == 2
    reduced = as_diagrams(forest.to_giotto())
    assert reduced[0][np.isinf(reduced[0][:, 1])].tolist() == [[3.0, np.inf]]


def test_an_empty_dimension_between_others_is_kept():
    diagrams = as_diagrams([(2, (0.5, 1.0)), (0, (0.0, np.inf))])
    assert [d.shape for d in diagrams] == [(1, 2), (0, 2), (1, 2)]
    assert as_diagrams(np.array([[0.5, 1.0, 2.0]]))[1].shape == (0, 2)


def test_ripser_itself_is_read_and_is_single_precision():
    ripser = pytest.importorskip("ripser", reason="a peer of the extra `bench`").ripser
    theirs = as_diagrams(ripser(POINTS))
    for a, b in zip(theirs, rips(POINTS), strict=True):
        assert a.shape == b.shape
        assert np.allclose(sorted_bars([a])[0], b, rtol=1e-6)
    gap = 2.3 + 1e-8
    matrix = np.array([[0.0, gap], [gap, 0.0]])
    assert rips(distances=matrix)[0][1, 1] == gap
    assert ripser(matrix, distance_matrix=True)["dgms"][0][0, 1] != gap


def test_persim_itself_takes_them():
    persim = pytest.importorskip("persim", reason="a peer of the extra `bench`")
    from tda_landscape.topology import bottleneck

    one, other = rips(POINTS), rips(POINTS * 1.1)
    assert persim.bottleneck(one.to_persim()[1], other.to_persim()[1]) == pytest.approx(
        bottleneck(one, other, dimension=1)
    )


def test_giotto_ph_itself_is_read():
    gph = pytest.importorskip("gph", reason="a peer of the extra `bench`")
    theirs = as_diagrams(gph.ripser_parallel(POINTS, n_threads=1))
    assert np.allclose(sorted_bars(theirs)[1], rips(POINTS)[1], rtol=1e-6)


def test_copies_are_given_away():
    diagrams = persistence(GRAPH)
    diagrams.to_ripser()["dgms"][0][:] = 7
    diagrams.to_persim()[0][:] = 7
    assert diagrams[0][0].tolist() == [0.0, np.inf]


def test_print_says_what_a_diagram_is():
    text = str(persistence(GRAPH))
    assert text.splitlines()[0] == "H0: 4 bars, 2 of them essential, longest finite one 0.8"
    assert "sublevel sets" in text
    assert str(Diagrams([np.empty((0, 2))])) == "H0: 0 bars"


@pytest.mark.parametrize(
    ("diagrams", "sentence"),
    [
        (np.zeros((2, 5, 3)), "2 samples of giotto-tda"),
        ([[[0.0, 1.0], [0.0, np.nan]]], "H0 contain NaN, first in bar 1"),
        (persistence(GRAPH).to_ripser()["dgms"][0][:, ::-1], "minus the diagram"),
        ({"diagrams": []}, "key 'dgms'"),
        (7, "no list of diagrams"),
    ],
)
def test_refused_in_one_sentence(diagrams, sentence):
    with pytest.raises(InputError, match=sentence) as caught:
        as_diagrams(diagrams)
    assert len(str(caught.value).splitlines()) == 1
