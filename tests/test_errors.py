"""What a user may give by mistake is refused at every public door, in one sentence that says what was given."""

from collections.abc import Callable
from functools import partial
from itertools import count

import numpy as np
import pytest
import torch

import samplers
import tda_landscape as tl
from tda_landscape._errors import expect, expect_number, expect_whole
from tda_landscape.energy import Energy

NAN, INF = float("nan"), float("inf")
ENERGY = tl.zoo.double_well(2)
CORNERS = torch.tensor([[-1.0, -1.0], [1.0, 1.0]], dtype=torch.float64)
MINIMA = tl.Minima.from_points(ENERGY, CORNERS)
PATH = tl.find_path(ENERGY, *CORNERS, search=tl.paths.Straight())
MODEL = tl.zoo.networks.mlp([2, 1])
CALLS = count()
GRAPH = ([0.0, 0.5], [(0, 1)], [1.0])

FOREST, CURVE = tl.LandscapeGraph.from_arrays(*GRAPH), tl.nu_curve(GRAPH)

find, connect = partial(tl.find_path, ENERGY, *CORNERS), partial(tl.connect, ENERGY, MINIMA)

DOORS = {
    "a model to survey": (lambda: tl.survey(MODEL), "a Sequential", "Energy.from_model"),
    "a model to explore": (lambda: tl.explore(MODEL), "a Sequential", "Energy.from_model"),
    "a model to sample": (lambda: tl.sample(MODEL), "a Sequential", "Energy.from_model"),
    "a model to quench": (lambda: tl.quench(MODEL, CORNERS), "a Sequential", "Energy.from_model"),
    "a model to minimize": (lambda: tl.minimize(MODEL, CORNERS), "a Sequential", "Energy.from_model"),
    "a model to refine": (lambda: tl.refine_saddle(MODEL, CORNERS), "a Sequential", "Energy.from_model"),
    "a model to connect": (lambda: tl.connect(MODEL, MINIMA), "a Sequential", "Energy.from_model"),
    "a model to look at": (lambda: tl.Minima.from_points(MODEL, CORNERS), "a Sequential", "Energy.from_model"),
    "a model to path": (lambda: tl.find_path(MODEL, *CORNERS), "a Sequential", "Energy.from_model"),
    "a model to shorten": (lambda: tl.shorten(MODEL, PATH), "a Sequential", "Energy.from_model"),
    "a model to certify": (lambda: tl.certify(MODEL, PATH), "a Sequential", "Energy.from_model"),
    "a model to measure": (lambda: tl.geodesic_curve(MODEL, *CORNERS, [1.0]), "a Sequential", "Energy.from_model"),
    "a model to descend": (lambda: tl.descend_path(MODEL, CORNERS[0]), "a Sequential", "Energy.from_model"),
    "a model to go down": (lambda: tl.theory.descend(MODEL, CORNERS[0]), "a Sequential", "Energy.from_model"),
    "a model to count": (lambda: tl.tally(MODEL), "a Sequential", "Energy.from_model"),
    "an energy to predict": (
        lambda: tl.predict(ENERGY, torch.nn.functional.mse_loss, (CORNERS, CORNERS)),
        "an Energy",
        "torch.nn.Module",
    ),
    "a loss by name": (lambda: tl.predict(MODEL, "mse", (CORNERS, CORNERS)), "'mse'", "function"),
    "data in one": (lambda: tl.predict(MODEL, torch.nn.functional.mse_loss, CORNERS), "a Tensor", "pair"),
    "a class of search": (lambda: connect(search=tl.paths.Ladder), "the class Ladder", "Ladder()"),
    "a search by name": (lambda: connect(search="Ladder"), "'Ladder'", "Ladder()"),
    "a level as pairs": (lambda: connect(pairs=0.2), "0.2", "pairs.AtLevel(u)"),
    "a class of pairs": (lambda: connect(pairs=tl.pairs.All), "the class All", "pairs.SpanningTree()"),
    "a flag as progress": (lambda: connect(progress=True), "True", "function"),
    "no budget": (lambda: connect(budget=NAN), "budget", "nan"),
    "points as minima": (lambda: tl.connect(ENERGY, CORNERS), "a Tensor", "Minima.from_points"),
    "a class of kernel": (lambda: tl.sample(ENERGY, samplers.SGD), "the class SGD", "SGD(lr=0.1)"),
    "half a chain": (lambda: tl.sample(ENERGY, chains=2.5), "chains must be a whole number in [1, inf)", "2.5"),
    "minima to quench": (lambda: tl.quench(ENERGY, MINIMA), "a Minima", "array of numbers"),
    "a list of tensors": (lambda: tl.quench(ENERGY, list(CORNERS)), "a list", "torch.stack"),
    "words to evaluate": (lambda: ENERGY("abc"), "'abc'", "array of numbers"),
    "a word to explore": (lambda: tl.survey(ENERGY, explore="no"), "explore must be True, False or None", "'no'"),
    "no end": (lambda: tl.explore(ENERGY, patience=INF), "patience=inf never ends", "budget"),
    "an endless budget": (lambda: tl.explore(ENERGY, patience=INF, budget=INF), "patience=inf never ends", "budget"),
    "a tolerance in words": (lambda: tl.valleys(GRAPH, tolerance="a"), "tolerance must be a number in [0, inf)", "'a'"),
    "chunks in words": (lambda: ENERGY.in_chunks("a"), "plan must be a whole number in [1, inf)", "'a'"),
    "half a chunk": (lambda: ENERGY.in_chunks({8: 2.5}), "plan must be a whole number in [1, inf)", "2.5"),
    "a step as a number": (lambda: tl.survey(ENERGY, sample=3), "sample", "got 3"),
    "points to shorten": (lambda: tl.shorten(ENERGY, PATH.points), "a Tensor", "find_path"),
    "a class of path search": (lambda: find(search=tl.paths.String), "the class String", "Ladder()"),
    "a level in words": (lambda: find(level="0.1"), "level must be a number", "'0.1'"),
    "no level to find": (lambda: find(level=NAN), "level must be a number", "nan"),
    "no target": (lambda: tl.descend_path(ENERGY, CORNERS[0], target=NAN), "target must be a number", "nan"),
    "no budget to shorten": (lambda: tl.shorten(ENERGY, PATH, budget=NAN), "budget", "nan"),
    "a negative budget": (lambda: tl.shorten(ENERGY, PATH, budget=-1), "budget must be a number in [0, inf]", "-1"),
    "one level for many": (lambda: tl.geodesic_curve(ENERGY, *CORNERS, 1.0), "levels must be a list", "1.0"),
    "a level that is none": (lambda: tl.geodesic_curve(ENERGY, *CORNERS, [2.0, NAN]), "levels[1]", "nan"),
    "an answer to nothing": (lambda: PATH.answer(NAN), "level must be a number", "nan"),
    "a cloud below nothing": (lambda: tl.sample(ENERGY, chains=3).below(NAN), "level must be a number", "nan"),
    "a count of nothing": (lambda: tl.nu_curve(GRAPH)(NAN), "level must hold numbers", "nan"),
    "proved of nothing": (lambda: tl.nu_curve(GRAPH).n_proved([0.1, NAN]), "level must hold numbers", "nan"),
    "a count in words": (lambda: tl.nu_curve(GRAPH)("low"), "level must hold numbers", "'low'"),
    "components of nothing": (lambda: tl.merge_tree(GRAPH).n_components(NAN), "level must hold numbers", "nan"),
    "a cut at nothing": (lambda: tl.merge_tree(GRAPH).cut(NAN), "level must be a number", "nan"),
    "minima as a graph": (lambda: tl.nu_curve(MINIMA), "a Minima is not a weighted graph", "LandscapeGraph"),
    "an energy as a graph": (lambda: tl.merge_tree(ENERGY), "an Energy is not a weighted graph", "LandscapeGraph"),
    "three instead of two": (lambda: tl.paths.Ladder(max_beads=2), "max_beads must be a whole number in [3, inf)", "2"),
    "a budget in words": (lambda: tl.paths.NudgedElasticBand(budget="much"), "budget", "'much'"),
    "a spring that pushes": (lambda: tl.paths.NudgedElasticBand(spring=-1.0), "spring", "-1.0"),
    "a share of two": (lambda: tl.paths.Hyperplane(precision=2), "precision must be a number in (0, 1)", "2"),
    "distances one way": (lambda: tl.rips(distances=[[0, 1], [2, 0]]), "symmetric", "1.0 from 0 to 1 and 2.0 back"),
    "no cloud": (lambda: tl.rips(), "points or distances=", "neither"),
    "words as a cloud": (lambda: tl.rips("points"), "array of numbers", "'points'"),
    "chance as an energy": (
        lambda: tl.Energy.from_function(lambda x: x.sum(1) + next(CALLS), 2),
        "two identical calls (",
        "then",
    ),
    "rows that depend": (lambda: tl.Energy.from_function(lambda x: x.sum(1) - x.mean(), 2), "other rows", "alone"),
    "nothing as a function": (lambda: tl.Energy.from_function(None, 2), "function must be of type Callable", "None"),
    "a dimension in words": (lambda: tl.Energy.from_function(len, "2"), "dim must be a whole number", "'2'"),
    "bounds in words": (lambda: tl.Energy.from_function(len, 2, bounds=("low", 1)), "bounds must be", "'low'"),
    "half a start": (lambda: ENERGY.start(2.5, 0), "k must be a whole number", "2.5"),
    "too few vectors": (lambda: ENERGY.hvp(CORNERS, CORNERS[:1]), "2 points and 1 vectors", "one vector a point"),
    "a class of loss": (
        lambda: tl.Energy.from_model(MODEL, torch.nn.MSELoss, (CORNERS, CORNERS)),
        "the class MSELoss",
        "write MSELoss()",
    ),
    "words as data": (
        lambda: tl.Energy.from_model(MODEL, torch.nn.functional.mse_loss, ([["a", "b"]], CORNERS)),
        "inputs must be a tensor or an array of numbers",
        "a list",
    ),
    "a minibatch in words": (
        lambda: tl.Energy.from_model(MODEL, torch.nn.functional.mse_loss, (CORNERS, CORNERS[:, :1]), batch_size="all"),
        "batch_size must be a whole number in [1, 2] or None",
        "'all'",
    ),
    "all samples": (lambda: tl.zoo.datasets.load("iris", samples="all"), "samples must be a whole number", "'all'"),
    "a start that is no law": (lambda: tl.Energy.from_function(len, 2, start=[0, 0]), "start must be", "a list"),
    "a gradient by name": (lambda: tl.Energy.from_function(len, 2, grad="auto"), "grad must be", "'auto'"),
    "a precision in words": (
        lambda: tl.Energy.from_model(MODEL, torch.nn.functional.mse_loss, (CORNERS, CORNERS[:, :1]), dtype="float32"),
        "dtype must be torch.float64",
        "'float32'",
    ),
    "a penalty as a number": (
        lambda: tl.Energy.from_model(MODEL, torch.nn.functional.mse_loss, (CORNERS, CORNERS[:, :1]), regularizer=0.1),
        "regularizer must be of type Callable",
        "0.1",
    ),
    "a model to lift": (lambda: tl.theory.kernel_lift(MODEL), "a Sequential", "Energy.from_model"),
    "bars longer than words": (lambda: tl.persistence(GRAPH, min_persistence="a"), "min_persistence must be", "'a'"),
    "a root in words": (lambda: tl.merge_tree(GRAPH).to_linkage(root="top"), "root must be a number", "'top'"),
    "one width": (lambda: tl.zoo.networks.mlp(64), "at least two widths", "64"),
    "half a width": (lambda: tl.zoo.networks.mlp([4, 2.5, 1]), "sizes[1]", "2.5"),
    "one state dict": (lambda: tl.Minima.from_state_dicts(tl.zoo.xor(), MODEL.state_dict()), "[model.state_dict()]"),
    "a tree beside a graph": (lambda: tl.merge_graphs(FOREST, tl.merge_tree(GRAPH)), "second", "a MergeTree"),
    "a grid in words": (lambda: tl.cubical_merge_tree("grid"), "a grid must hold numbers", "'grid'"),
    "a window of one end": (lambda: tl.nu_distance(CURVE, CURVE, window=3), "window must be (low, high)", "3"),
    "simplified by nothing": (lambda: tl.merge_tree(GRAPH).simplify("a bit"), "eps must be a number", "'a bit'"),
    "a class to check": (lambda: tl.testing.check_search(tl.paths.Ladder), "the class Ladder", "Ladder()"),
    "a level that is no number": (lambda: tl.pairs.AtLevel(None), "level", "None"),
}


@pytest.mark.parametrize("name", DOORS)
def test_a_mistake_is_one_sentence_with_what_was_given(name):
    call, *words = DOORS[name]
    with pytest.raises(tl.InputError) as caught:
        call()
    message = str(caught.value)
    assert len(message.splitlines()) == 1
    for word in words:
        assert word in message, message


SAMPLERS = {
    "a class of kernel": (lambda: samplers.run(ENERGY, samplers.SGD, CORNERS, draws=2), "the class SGD", "SGD(lr=0.1)"),
    "a model": (lambda: samplers.run(MODEL, samplers.SGD(lr=0.1), CORNERS, draws=2), "Sequential", "Energy.from_model"),
    "half a draw": (lambda: samplers.run(ENERGY, samplers.SGD(lr=0.1), CORNERS, draws=2.5), "whole numbers", "2.5"),
    "a step in words": (lambda: samplers.SGD(lr="0.1"), "lr must be positive", "'0.1'"),
}


@pytest.mark.parametrize("name", SAMPLERS)
def test_a_mistake_with_a_sampler_too(name):
    call, *words = SAMPLERS[name]
    with pytest.raises(ValueError, match=words[0]) as caught:
        call()
    assert words[1] in str(caught.value)


def test_control_what_is_right_comes_in():
    assert find(level=torch.tensor(2.0), search=tl.paths.Straight()).below(np.float32(1e9))
    assert len(connect(pairs=tl.pairs.AtLevel(np.float64(2.0)), budget=np.int64(500), seed=np.int32(1)).edges)
    assert tl.nu_curve(GRAPH)([-np.inf, np.inf]).tolist() == [0, 1]


@pytest.mark.parametrize("both", [(3, 2), (2, 3), (1, 1)])
def test_ends_that_do_not_fit_are_refused_with_both_shapes(both):
    with pytest.raises(tl.InputError) as caught:
        tl.find_path(ENERGY, *(torch.zeros(n) for n in both))
    assert f"shape (2,), the dimension of the energy, got shapes ({both[0]},) and ({both[1]},)" in str(caught.value)


@pytest.mark.parametrize(
    ("interval", "inside", "outside"),
    [
        ("(0, 1)", [0.5, 1e-300], [0, 1, -1, NAN, None, "0.5", True, 0.5j]),
        ("[0, inf]", [0, float("inf"), np.float32(2), torch.tensor(1.0), np.array(3)], [-1e-300, NAN, np.array("1")]),
        ("(0, inf] or None", [None, 1], [0, NAN, torch.ones(1)]),
        ("[-inf, inf]", [-float("inf"), 0], [NAN, None]),
    ],
)
def test_intervals(interval, inside, outside):
    for value in inside:
        expect_number(interval, x=value)
    for value in outside:
        with pytest.raises(tl.InputError, match="x must be a number"):
            expect_number(interval, x=value)


def test_tensors_are_read_as_arrays():
    view = tl.rips_by_level(CORNERS, torch.tensor([0.0, 1.0]), levels=torch.tensor([0.5, 1.5]))
    assert view.levels.tolist() == [0.5, 1.5]
    graph = tl.LandscapeGraph.from_arrays(MINIMA.energies, [(0, 1)], torch.tensor([1.0]), points=MINIMA.points)
    assert graph.points.tolist() == MINIMA.points.tolist()


def test_whole_numbers():
    expect_whole("[1, inf)", n=np.int64(3))
    for value in (3.0, True, 0, torch.tensor(2.5)):
        with pytest.raises(tl.InputError, match="n must be a whole number"):
            expect_whole("[1, inf)", n=value)


def test_kinds():
    expect(Energy | None, a=None, b=ENERGY)
    expect(Callable, f=len)
    with pytest.raises(tl.InputError, match="b must be of type Energy or None, got the class Energy; make one"):
        expect(Energy | None, a=None, b=Energy)
