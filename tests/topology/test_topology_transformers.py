"""scikit-learn estimators: the conventions, pipelines, clones, names of columns."""

import gudhi.representations
import numpy as np
import pytest
from sklearn.base import clone
from sklearn.exceptions import NotFittedError
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GridSearchCV, cross_val_score
from sklearn.pipeline import Pipeline, make_pipeline, make_union
from sklearn.utils import estimator_checks

from tda_landscape import InputError
from tda_landscape.topology import MergeTree, merge_tree, persistence
from tda_landscape.topology.transformers import MergeTreeTransformer, NuCurveTransformer, PersistenceTransformer

ALL = [MergeTreeTransformer, NuCurveTransformer, PersistenceTransformer]
each = pytest.mark.parametrize("kind", ALL)


def landscape(seed, wells):
    """A ring of wells with high walls, and the noise of shallow ones."""
    rng = np.random.default_rng(seed)
    births = np.concatenate([rng.uniform(0, 0.1, wells), rng.uniform(0.4, 0.5, 10)])
    n = len(births)
    edges = np.array([(i, (i + 1) % n) for i in range(n)])
    walls = np.where((edges < wells).all(axis=1), 2.0, 0.6)
    return births, edges, np.maximum(walls, births[edges].max(axis=1)) + rng.uniform(0, 0.2, n)


SAMPLES = [landscape(seed, 2 + 3 * (seed % 2)) for seed in range(24)]
CLASSES = np.arange(24) % 2

CONVENTIONS = [
    "check_no_attributes_set_in_init",
    "check_parameters_default_constructible",
    "check_get_params_invariance",
    "check_set_params",
    "check_estimator_repr",
    "check_mixin_order",
    "check_estimator_cloneable",
]


@each
@pytest.mark.parametrize("name", CONVENTIONS)
def test_the_checks_of_scikit_learn_that_need_no_table(kind, name):
    getattr(estimator_checks, name)(kind.__name__, kind())


@each
def test_fit_returns_self_and_changes_no_parameter(kind):
    estimator = kind()
    before = estimator.get_params()
    assert estimator.fit(SAMPLES) is estimator
    assert estimator.get_params() == before


@each
def test_fit_and_transform_is_fit_transform(kind):
    one, other = kind().fit(SAMPLES).transform(SAMPLES), kind().fit_transform(SAMPLES)
    assert len(one) == len(other) == len(SAMPLES)
    for a, b in zip(one, other, strict=True):
        if isinstance(a, MergeTree):
            a, b = a.height, b.height
        assert np.array_equal(a, b)


@each
def test_graphs_and_their_trees_give_the_same(kind):
    by_graph = kind().fit_transform(SAMPLES)
    by_tree = kind().fit_transform([merge_tree(g) for g in SAMPLES])
    for a, b in zip(by_graph, by_tree, strict=True):
        assert np.array_equal(getattr(a, "births", a), getattr(b, "births", b))


@each
def test_before_fit_there_is_no_transform(kind):
    with pytest.raises(NotFittedError):
        kind().transform(SAMPLES)


@each
def test_clones_and_jobs(kind):
    estimator = clone(kind(n_jobs=1).fit(SAMPLES))
    with pytest.raises(NotFittedError):
        estimator.transform(SAMPLES)
    assert estimator.get_params()["n_jobs"] == 1


@each
@pytest.mark.parametrize("samples", [[], "graphs", SAMPLES[0][0], merge_tree(SAMPLES[0]), 3])
def test_no_list_of_landscapes_is_refused_in_one_sentence(kind, samples):
    with pytest.raises(InputError) as caught:
        kind().fit(samples)
    assert len(str(caught.value).splitlines()) == 1


@each
def test_the_bad_landscape_is_named(kind):
    with pytest.raises(InputError, match=r"landscape 1: edge 0 has height nan"):
        kind().fit([SAMPLES[0], ([0.0, 1.0], [(0, 1)], [np.nan])])


def test_counts_are_those_of_the_trees_at_the_levels_of_the_fit():
    curves = NuCurveTransformer(n_levels=50).fit(SAMPLES[:12])
    rows = curves.transform(SAMPLES[12:])
    assert rows.shape == (12, 50)
    for row, graph in zip(rows, SAMPLES[12:], strict=True):
        assert row.tolist() == merge_tree(graph).n_components(curves.levels_).tolist()
    names = curves.get_feature_names_out()
    assert len(names) == len(set(names)) == 50
    assert names[0] == f"nu_{curves.levels_[0]:.6g}"


def test_levels_can_be_given():
    curves = NuCurveTransformer(levels=[0.3, 1.0]).fit(SAMPLES)
    assert curves.levels_.tolist() == [0.3, 1.0]
    assert curves.get_feature_names_out().tolist() == ["nu_0.3", "nu_1"]
    for bad in ([], [np.nan]):
        with pytest.raises(InputError, match="levels must be"):
            NuCurveTransformer(levels=bad).fit(SAMPLES)
    with pytest.raises(InputError, match="n_levels"):
        NuCurveTransformer(n_levels=0).fit(SAMPLES)


def test_diagrams_are_those_of_persistence():
    for bars, graph in zip(PersistenceTransformer(min_persistence=0.3).fit_transform(SAMPLES), SAMPLES, strict=True):
        assert np.array_equal(bars, persistence(graph, min_persistence=0.3)[0])
    assert all(np.isfinite(bars).all() for bars in PersistenceTransformer(finite=True).fit_transform(SAMPLES))
    assert PersistenceTransformer().get_feature_names_out().tolist() == ["H0"]


def test_trees_are_simplified():
    for tree, graph in zip(MergeTreeTransformer(eps=0.5).fit_transform(SAMPLES), SAMPLES, strict=True):
        assert np.array_equal(tree.births, merge_tree(graph).simplify(0.5).births)


def test_a_pipeline_tells_two_wells_from_five():
    pipeline = make_pipeline(NuCurveTransformer(n_levels=20), LogisticRegression())
    assert cross_val_score(pipeline, SAMPLES, CLASSES, cv=4).mean() > 0.95
    shuffled = np.random.default_rng(0).permutation(CLASSES)  # control: no classes, no score
    assert cross_val_score(pipeline, SAMPLES, shuffled, cv=4).mean() < 0.8


def test_trees_then_counts_in_a_search_over_parameters():
    steps = [("tree", MergeTreeTransformer()), ("nu", NuCurveTransformer()), ("class", LogisticRegression())]
    search = GridSearchCV(Pipeline(steps), {"tree__eps": [None, 0.3], "nu__n_levels": [3, 10]}, cv=2)
    search.fit(SAMPLES, CLASSES)
    assert search.best_score_ > 0.9


def test_diagrams_go_into_the_vectorisers_of_gudhi():
    pipeline = make_pipeline(
        PersistenceTransformer(finite=True),
        gudhi.representations.Landscape(num_landscapes=2, resolution=20, keep_endpoints=True),
        LogisticRegression(),
    )
    assert cross_val_score(pipeline, SAMPLES, CLASSES, cv=3).mean() > 0.9


def test_columns_of_a_union_have_names():
    union = make_union(NuCurveTransformer(levels=[0.3]), NuCurveTransformer(levels=[1.0]))
    assert union.fit_transform(SAMPLES).shape == (24, 2)
    assert union.get_feature_names_out().tolist() == ["nucurvetransformer-1__nu_0.3", "nucurvetransformer-2__nu_1"]
