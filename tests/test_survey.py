"""The main job as one call: same numbers as its steps, nothing lost, honest about what is not built."""

from functools import partial

import numpy as np
import pytest
import torch

import samplers
import tda_landscape as tl


def network(width=2):
    X, y = tl.zoo.datasets.load("iris")
    model = tl.zoo.networks.mlp([4, width, 3])
    return tl.Energy.from_model(model, torch.nn.functional.cross_entropy, (X, y), weight_decay=1e-2)


STEPS = {
    "sample": partial(tl.sample, kernel=samplers.SGD(lr=0.1, momentum=0.9), chains=8, steps=50, seed=3),
    "connect": partial(tl.connect, search=tl.paths.Ladder(budget=100), budget=1500, seed=3),
}


def test_survey_equals_its_steps():
    energy = network()
    survey = tl.survey(energy, **STEPS)
    minima = tl.quench(energy, STEPS["sample"](energy))
    graph = STEPS["connect"](energy, minima)
    assert torch.equal(survey.minima.points, minima.points)
    assert np.array_equal(survey.graph.heights, graph.heights)
    assert np.array_equal(survey.tree.height, tl.merge_tree(graph).height)
    assert survey.curve.levels.tolist() == tl.nu_curve(graph).levels.tolist()
    assert survey.cost.gradient_equivalents > 1000


def test_a_budget_is_spent_on_as_many_networks_as_it_can_train(monkeypatch):
    energy = network(8)  # 67 parameters: more than an exploration takes
    survey = tl.survey(energy, budget=9000)
    assert len(survey.cloud.points) == 4
    assert "minimum" in survey.minima.status
    assert survey.cost.gradient_equivalents <= 1.05 * 9000
    monkeypatch.setattr("tda_landscape._survey.FEWEST", 64)
    with pytest.raises(tl.InputError, match=r"none of 64 points .* raise max_steps of quench or its budget"):
        tl.survey(energy, budget=9000)


def test_every_view_says_the_same_number():
    survey = tl.survey(network(), **STEPS)
    bars = survey.diagrams[0]
    for u in np.linspace(survey.curve.levels[0] - 0.1, survey.curve.levels[-1] + 0.1, 50):
        alive = int(((bars[:, 0] <= u) & (u < bars[:, 1])).sum())
        assert int(survey.curve(u)) == int(survey.tree.n_components(u)) == alive


def test_symmetric_copies_are_one_minimum_and_without_the_symmetry_two():
    energy = network()
    minima = tl.survey(energy, **STEPS).minima
    parameters = energy.network.unflatten(minima.points[0])
    swapped = {name: p.flip(0) if name.startswith("0") else p for name, p in parameters.items()}
    swapped["2.weight"] = parameters["2.weight"].flip(1)
    copy = torch.cat([p.reshape(-1) for p in swapped.values()])
    both = tl.quench(energy, torch.stack([minima.points[0], copy]), symmetry=None)
    assert len(tl.quench(energy, torch.stack([minima.points[0], copy]))) == 1
    assert len(both) == 2
    assert float(both.energies[0]) == pytest.approx(float(both.energies[1]), abs=1e-12)


def test_an_interrupt_keeps_the_stages_that_ended():
    def interrupted(energy, minima):
        raise KeyboardInterrupt

    with pytest.raises(tl.Interrupted) as caught:
        tl.survey(network(), **{**STEPS, "connect": interrupted})
    partial_survey = caught.value.partial
    assert partial_survey.cloud is not None
    assert len(partial_survey.minima) > 0
    assert partial_survey.graph is None
    assert str(partial_survey).endswith("interrupted before it had a graph")
    with pytest.raises(tl.InputError, match="interrupted before it had a graph"):
        _ = partial_survey.tree


def test_every_noun_prints_in_a_few_lines_without_its_arrays():
    energy = network()
    survey = tl.survey(energy, **STEPS)
    a, b = survey.minima.points[[0, -1]] if len(survey.minima) > 1 else energy.start(2, 0)
    path = tl.find_path(energy, a, b, search=tl.paths.Straight())
    saddles = tl.refine_saddle(tl.zoo.quartic(), [[0.2]])
    chains = samplers.run(energy, samplers.GradientDescent(lr=0.1), energy.start(2, 0), draws=2)
    views = (survey.tree, survey.curve, path, saddles, chains, tl.certify(energy, path))
    for noun in (energy, energy.network, survey, survey.cloud, survey.minima, survey.graph, *views):
        for text in (str(noun), repr(noun)):
            assert len(text.splitlines()) <= 8
            assert len(text) < 1200
            assert "tensor(" not in text
            assert "array(" not in text
    for part in (survey.cloud, survey.minima, survey.graph, survey.curve):
        assert str(part) in str(survey)


def test_progress_names_the_stages():
    told = []
    tl.survey(network(), **STEPS, progress=lambda stage, sentence: told.append(stage))
    assert list(dict.fromkeys(told)) == ["sample", "quench", "connect"]


def test_the_budget_bounds_the_cost():
    energy = tl.zoo.fourier(1, dim=2)
    small, large = tl.survey(energy, budget=400), tl.survey(energy)
    assert small.cost.gradient_equivalents < large.cost.gradient_equivalents
    assert "the budget was used up" in small.graph.reason
    assert "the rule is met" in large.graph.reason
    assert len(small.graph.edges) < len(large.graph.edges)


def test_pairs_that_a_budget_left_out_are_said():
    """Each of the leaves of the plateau is a minimum of its own until a path is found."""
    short = tl.survey(tl.zoo.plateau(), budget=4000)
    n = len(short.graph.births)
    assert short.reason.startswith(f"the budget was used up: 0 of {n * (n - 1) // 2} pairs have a path")
    assert f"{n} parts are left that no path joins" in short.reason
    done = tl.survey(tl.zoo.double_well(1), explore=False)
    assert "1 of 1 pairs have a path" in done.reason
    assert "parts are left" not in done.reason


@pytest.mark.parametrize("request_", [lambda: tl.survey(tl.zoo.quartic(), store="runs/x")])
def test_what_is_not_built_says_what_works(request_):
    with pytest.raises(tl.InputError, match="store=None works"):
        request_()


def test_diagnosis_says_what_to_look_at():
    survey = tl.survey(tl.zoo.quartic())
    with pytest.raises(tl.InputError, match="not built yet"):
        _ = survey.diagnosis
    assert survey.provenance["dim"] == 1
