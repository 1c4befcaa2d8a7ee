"""scikit-learn estimators at the edge: lists of weighted graphs in; trees, diagrams or rows of numbers out."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Self

import numpy as np
from numpy.typing import ArrayLike, NDArray
from sklearn.base import BaseEstimator, TransformerMixin
from sklearn.utils.parallel import Parallel, delayed
from sklearn.utils.validation import check_is_fitted

from tda_landscape._errors import InputError
from tda_landscape.topology._diagram import Diagram
from tda_landscape.topology._merge_tree import MergeTree
from tda_landscape.topology._sweep import merge_tree
from tda_landscape.topology._weighted import GraphLike

__all__ = ["MergeTreeTransformer", "NuCurveTransformer", "PersistenceTransformer"]

Landscape = MergeTree | GraphLike


class _OverLandscapes(TransformerMixin, BaseEstimator):
    """What the three share: they take lists of graphs or trees, and learn at most a grid of levels."""

    n_jobs: int | None

    def fit(self, X: Iterable[Landscape], y: object = None) -> Self:
        """Remember how many landscapes were seen; there is nothing else to learn.

        Parameters
        ----------
        X : list of MergeTree or any graph that `merge_tree` takes
        y : ignored
        """
        self.n_samples_seen_ = len(self._trees(X))
        return self

    def __sklearn_is_fitted__(self) -> bool:
        return hasattr(self, "n_samples_seen_")

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.input_tags.two_d_array = False
        tags.input_tags.string = False
        return tags

    def _trees(self, X: Iterable[Landscape]) -> list[MergeTree]:
        """One tree a landscape."""
        if isinstance(X, (MergeTree, str)) or not isinstance(X, Iterable):
            raise InputError(f"{type(self).__name__} takes a list of graphs or trees, got one {type(X).__name__}")
        jobs = (delayed(_tree)(item, i) for i, item in enumerate(X))
        trees: list[MergeTree] = Parallel(n_jobs=self.n_jobs)(jobs)
        if not trees:
            raise InputError(f"{type(self).__name__} got an empty list; give at least one graph or tree")
        return trees


class MergeTreeTransformer(_OverLandscapes):
    """Turn graphs into merge trees, simplified if asked for.

    Parameters
    ----------
    eps : float
        Branches of persistence at most eps are dropped; 0 keeps all that are longer than nothing, None all.
    n_jobs : int, optional
        Processes, as in joblib.

    Examples
    --------
    >>> (tree,) = MergeTreeTransformer(eps=0.3).fit_transform([([0.0, 0.5, 0.2], [(0, 1), (1, 2)], [1.0, 0.7])])
    >>> tree.vertices.tolist()
    [0, 2]
    """

    def __init__(self, eps: float | None = None, n_jobs: int | None = None) -> None:
        self.eps = eps
        self.n_jobs = n_jobs

    def transform(self, X: Iterable[Landscape]) -> list[MergeTree]:
        """Return one MergeTree a landscape."""
        check_is_fitted(self)
        trees = self._trees(X)
        return trees if self.eps is None else [tree.simplify(self.eps) for tree in trees]

    def get_feature_names_out(self, input_features: object = None) -> NDArray[np.object_]:
        """Return the name of the one thing that stands for each sample."""
        return np.array(["merge_tree"], dtype=object)


class PersistenceTransformer(_OverLandscapes):
    """Turn graphs or trees into H0 diagrams, as the vectorisers of `gudhi.representations` take them.

    Parameters
    ----------
    min_persistence : float
        Only bars strictly longer than this are kept.
    finite : bool
        Whether to leave out the bars that never die, which most vectorisers cannot take.
    n_jobs : int, optional
        Processes, as in joblib.

    Examples
    --------
    >>> PersistenceTransformer().fit_transform([([0.0, 0.5], [(0, 1)], [1.0])])[0].tolist()
    [[0.0, inf], [0.5, 1.0]]
    """

    def __init__(self, min_persistence: float = 0.0, finite: bool = False, n_jobs: int | None = None) -> None:
        self.min_persistence = min_persistence
        self.finite = finite
        self.n_jobs = n_jobs

    def transform(self, X: Iterable[Landscape]) -> list[Diagram]:
        """Return one array (n, 2) of (birth, death) a landscape."""
        check_is_fitted(self)
        diagrams = [tree.persistence(min_persistence=self.min_persistence)[0] for tree in self._trees(X)]
        return [bars[np.isfinite(bars[:, 1])] for bars in diagrams] if self.finite else diagrams

    def get_feature_names_out(self, input_features: object = None) -> NDArray[np.object_]:
        """Return the name of the one thing that stands for each sample."""
        return np.array(["H0"], dtype=object)


class NuCurveTransformer(_OverLandscapes):
    """Turn graphs or trees into rows of counts: N_u at fixed levels.

    Parameters
    ----------
    levels : array_like (L,), optional
        Levels u; left out, `n_levels` of them are spread over the births and merges seen in `fit`.
    n_levels : int
        How many levels to spread.
    n_jobs : int, optional
        Processes, as in joblib.

    Attributes
    ----------
    levels_ : ndarray (L,)
        The levels of the columns.

    Examples
    --------
    >>> curves = NuCurveTransformer(levels=[0.0, 0.5, 1.0])
    >>> curves.fit_transform([([0.0, 0.5], [(0, 1)], [1.0])]).tolist()
    [[1, 2, 1]]
    >>> curves.get_feature_names_out().tolist()
    ['nu_0', 'nu_0.5', 'nu_1']
    """

    def __init__(self, levels: ArrayLike | None = None, n_levels: int = 64, n_jobs: int | None = None) -> None:
        self.levels = levels
        self.n_levels = n_levels
        self.n_jobs = n_jobs

    def fit(self, X: Iterable[Landscape], y: object = None) -> Self:
        """Choose the levels.

        Parameters
        ----------
        X : list of MergeTree or any graph that `merge_tree` takes
        y : ignored
        """
        trees = self._trees(X)
        if self.levels is None:
            seen = np.concatenate([np.concatenate([tree.births, tree.height]) for tree in trees])
            if isinstance(self.n_levels, bool) or not self.n_levels >= 1 or not len(seen):
                raise InputError(f"n_levels must be at least 1 and some landscape have a leaf, got {self.n_levels!r}")
            levels = np.linspace(seen.min(), seen.max(), self.n_levels)
        else:
            levels = np.asarray(self.levels, dtype=np.float64).reshape(-1)
            if not len(levels) or np.isnan(levels).any():
                raise InputError(f"levels must be numbers, at least one and no NaN, got {self.levels!r:.60}")
        self.levels_ = levels
        self.n_samples_seen_ = len(trees)
        return self

    def transform(self, X: Iterable[Landscape]) -> NDArray[np.intp]:
        """Return the counts, (n_samples, L)."""
        check_is_fitted(self)
        return np.stack([tree.n_components(self.levels_) for tree in self._trees(X)])

    def get_feature_names_out(self, input_features: object = None) -> NDArray[np.object_]:
        """Return the names of the columns, `nu_` and the level."""
        check_is_fitted(self)
        return np.array([f"nu_{level:.6g}" for level in self.levels_], dtype=object)


def _tree(landscape: Landscape, number: int) -> MergeTree:
    """The tree of one landscape; what is wrong with it says which one it was."""
    try:
        return landscape if isinstance(landscape, MergeTree) else merge_tree(landscape)
    except InputError as error:
        raise InputError(f"landscape {number}: {error}") from None
