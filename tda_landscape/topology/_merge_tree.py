"""Merge trees: which component of {E <= u} dies into which, at what height."""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from dataclasses import dataclass, replace

import networkx as nx
import numpy as np
from numpy.typing import ArrayLike, NDArray

from tda_landscape._errors import InputError, expect_number
from tda_landscape.topology import _branches, _diagram
from tda_landscape.topology._checks import levels_of
from tda_landscape.topology._words import kinds, many


@dataclass(frozen=True, slots=True, eq=False)
class MergeTree:
    """The union-find sweep of a landscape graph; a forest is allowed.

    Of two components that meet, the one with the higher minimum dies (elder rule); ties go by (energy, leaf).

    Attributes
    ----------
    births : ndarray (n,)
        Energy of each leaf.
    dying, elder : ndarray of int (k,)
        Leaf whose component ends at each merge, and the lowest leaf of the component that goes on.
    height : ndarray (k,)
        Level of each merge, ascending.
    edge : ndarray of int (k,)
        Edge of the graph that made the merge; in a grid, the flat index of the vertex where it happens.
    proved : ndarray of bool (k,)
        Whether the separation below `height` is proved.
    vertices : ndarray of int (n,)
        Where each leaf is in the input: its number in a graph, its flat index in a grid.
    labels : sequence (n,)
        Names of the leaves in the graph that they came from; `0 .. n-1` by default.
    status : ndarray of str (k,) or None
        How the height of each merge is known; None where the input says nothing.
    delta : float or None
        Of a grid: how far the energy may be from its values at the vertices, up to the highest merge.
    superlevel : bool
        Whether the sweep went downwards: then `height` descends, and the count at u is that of {E >= u}.
    order : int or None
        As of `LandscapeGraph`: above 1 symmetric copies are one leaf, and all counts are modulo that symmetry.
    """

    births: NDArray[np.float64]
    dying: NDArray[np.intp]
    elder: NDArray[np.intp]
    height: NDArray[np.float64]
    edge: NDArray[np.intp]
    proved: NDArray[np.bool_]
    vertices: NDArray[np.intp]
    labels: Sequence[Hashable] = ()
    status: NDArray[np.str_] | None = None
    delta: float | None = None
    superlevel: bool = False
    order: int | None = None

    def __len__(self) -> int:
        """Return the number of leaves."""
        return len(self.births)

    def __repr__(self) -> str:
        leaves, merges = many(len(self), "leaf", "leaves"), many(len(self.height), "merge", "merges")
        if len(self):
            leaves += f", the first at {self.births.max() if self.superlevel else self.births.min():.6g}"
        if len(self.height):
            status = "as given" if self.status is None else kinds(self.status.tolist())
            merges += f" ({status}), the last at {self.height[-1]:.6g}"
        sets = " of superlevel sets" if self.superlevel else ""
        proved = f"{int(self.proved.sum())} of {many(len(self.height), 'separation', 'separations')} proved"
        return f"merge tree{sets} of {leaves}; {merges}, {proved}; {many(len(self.roots), 'root', 'roots')}"

    @property
    def deaths(self) -> NDArray[np.float64]:
        """Level at which each leaf's component dies, shape (n,); `inf` for the roots (`-inf` in superlevel order)."""
        deaths = np.full(len(self.births), -np.inf if self.superlevel else np.inf)
        deaths[self.dying] = self.height
        return deaths

    @property
    def roots(self) -> NDArray[np.intp]:
        """Leaves whose components never die, lowest first (highest first in superlevel order)."""
        alive = np.flatnonzero(np.isinf(self.deaths))
        births = -self.births[alive] if self.superlevel else self.births[alive]
        order: NDArray[np.intp] = alive[np.argsort(births, kind="stable")]
        return order

    @property
    def upwards(self) -> MergeTree:
        """The tree itself, or in superlevel order that of -E: what all sweeps go by."""
        if not self.superlevel:
            return self
        return replace(self, births=-self.births, height=-self.height, superlevel=False)

    def n_components(self, level: ArrayLike) -> NDArray[np.intp]:
        """Count the components at one or many levels: #{birth <= u < death}.

        Examples
        --------
        >>> from tda_landscape.topology import merge_tree
        >>> merge_tree(([0.0, 0.5], [(0, 1)], [1.0])).n_components([-1.0, 0.0, 0.5, 1.0]).tolist()
        [0, 1, 2, 1]
        """
        tree, levels = self.upwards, levels_of(level)
        levels = -levels if self.superlevel else levels
        born = np.searchsorted(np.sort(tree.births), levels, side="right")
        dead = np.searchsorted(tree.height, levels, side="right")
        return np.asarray(born - dead, dtype=np.intp)

    def lower_bound(self, level: ArrayLike, delta: float | None = None) -> NDArray[np.intp]:
        """Count what is there for certain: #{birth <= u - delta, death > u + delta} <= N_u.

        Parameters
        ----------
        level : array_like
            One or many levels u.
        delta : float, optional
            Bound of |E - E_tree| on the whole space; that of the grid (`delta`) if left out.

        Returns
        -------
        ndarray of int
            A lower bound of the number of components of {E <= u}: the components counted at u - delta that are
            apart at u + delta have images of full rank in H0 at u. It needs the error bound everywhere: a graph of
            samples has none, since nothing is known between its vertices.

        Raises
        ------
        InputError
            No delta where the tree is not that of a grid, or a negative one.

        Examples
        --------
        >>> from tda_landscape.topology import cubical_merge_tree
        >>> tree = cubical_merge_tree([0.0, 1.0, 2.0, 1.0, 0.5])
        >>> tree.delta, tree.n_components(1.0).tolist(), tree.lower_bound([1.0], delta=0.4).tolist()
        (1.0, 2, [2])
        """
        delta = self._error_bound(delta)
        tree, levels = self.upwards, levels_of(level)
        levels = -levels if self.superlevel else levels
        bars = np.column_stack([tree.births + delta, tree.deaths - delta])
        bars = bars[bars[:, 0] < bars[:, 1]]
        born = np.searchsorted(np.sort(bars[:, 0]), levels, side="right")
        dead = np.searchsorted(np.sort(bars[:, 1]), levels, side="right")
        return np.asarray(born - dead, dtype=np.intp)

    def resolved(self, delta: float | None = None) -> NDArray[np.bool_]:
        """Say of each leaf whether its bar is longer than 2 delta, so that no error within delta can undo it.

        Examples
        --------
        >>> from tda_landscape.topology import merge_tree
        >>> merge_tree(([0.0, 0.5, 0.9], [(0, 1), (0, 2)], [2.0, 1.0])).resolved(delta=0.1).tolist()
        [True, True, False]
        """
        delta = self._error_bound(delta)
        return np.asarray(np.abs(self.deaths - self.births) > 2 * delta)

    def _error_bound(self, delta: float | None) -> float:
        """The bound that is given, or that of the grid."""
        known = self.delta if delta is None else delta
        if known is None:
            raise InputError("a tree of a graph has no error bound on the whole space; give delta=, if you know one")
        expect_number("[0, inf]", delta=known)
        return known

    def cut(self, level: float) -> NDArray[np.intp]:
        """Label each leaf by the lowest leaf of its component at `level`; -1 where it is not yet born.

        Examples
        --------
        >>> from tda_landscape.topology import merge_tree
        >>> merge_tree(([0.0, 0.5, 2.0], [(0, 1)], [1.0])).cut(1.0).tolist()
        [0, 0, -1]
        """
        expect_number("[-inf, inf]", level=level)
        tree, level = self.upwards, -level if self.superlevel else level
        labels = np.arange(len(tree.births))
        merged = tree.height <= level
        labels[tree.dying[merged]] = tree.elder[merged]
        while not np.array_equal(further := labels[labels], labels):
            labels = further
        return np.where(tree.births <= level, labels, -1)

    def persistence(self, *, min_persistence: float = 0.0) -> _diagram.Diagrams:
        """Return the H0 diagram, see `tda_landscape.persistence`.

        Examples
        --------
        >>> from tda_landscape.topology import merge_tree
        >>> merge_tree(([0.0, 0.5], [(0, 1)], [1.0])).persistence()[0].tolist()
        [[0.0, inf], [0.5, 1.0]]
        """
        tree = self.upwards
        bars = _diagram.tidy(np.column_stack([tree.births, tree.deaths]), min_persistence)
        if self.superlevel:
            return _diagram.Diagrams([-bars], "superlevel sets: births above deaths, essential classes die at -inf")
        found = "of the energy, as far as paths were found" if self.delta is None else "of the values on a grid"
        return _diagram.Diagrams([bars], f"sublevel sets {found}")

    def branch_decomposition(self) -> _branches.Branches:
        """Return one branch a leaf, longest first, each with the branch that it hangs from.

        Examples
        --------
        >>> from tda_landscape.topology import merge_tree
        >>> branches = merge_tree(([0.0, 0.5, 0.2], [(0, 1), (1, 2)], [1.0, 0.7])).branch_decomposition()
        >>> branches.leaf.tolist(), branches.parent.tolist(), branches.depth.tolist()
        ([0, 2, 1], [-1, 0, 2], [0, 1, 2])
        """
        return _branches.branches(self)

    def simplify(self, eps: float) -> MergeTree:
        """Return the tree without the branches of persistence at most `eps`; `vertices` says which leaves are left.

        Examples
        --------
        >>> from tda_landscape.topology import merge_tree
        >>> tree = merge_tree(([0.0, 0.5, 0.2], [(0, 1), (1, 2)], [1.0, 0.7])).simplify(0.3)
        >>> tree.vertices.tolist(), tree.n_components(0.6).tolist()
        ([0, 2], 2)
        """
        return _branches.simplify(self, eps)

    def barriers(self) -> NDArray[np.float64]:
        """Return the level at which each two leaves are first joined, (n, n); births on the diagonal.

        Entry (i, j) is the lowest maximum over all ways from i to j (minimax); `inf` between separate trees.

        Examples
        --------
        >>> from tda_landscape.topology import merge_tree
        >>> merge_tree(([0.0, 0.5, 0.2], [(0, 1), (1, 2)], [1.0, 0.7])).barriers().tolist()
        [[0.0, 1.0, 1.0], [1.0, 0.5, 0.7], [1.0, 0.7, 0.2]]
        """
        order = _branches.leaf_order(self.upwards)
        rows = [order.row(i) for i in range(len(self.births))]
        levels = np.stack(rows) if rows else np.empty((0, 0))
        return -levels if self.superlevel else levels

    def to_linkage(self, *, root: float | None = None) -> NDArray[np.float64]:
        """Return scipy's linkage matrix (n - 1, 4): clusters, height, number of leaves; births are lost.

        scipy's own functions want non-negative heights: shift the energies where some are below 0. In superlevel
        order the heights are those of -E.

        Parameters
        ----------
        root : float, optional
            Height at which separate trees are joined, `inf` say; without it a forest is refused.

        Raises
        ------
        InputError
            A forest without `root`, or fewer than two leaves.

        Examples
        --------
        >>> from tda_landscape.topology import merge_tree
        >>> merge_tree(([0.0, 0.5, 0.2], [(0, 1), (1, 2)], [1.0, 0.7])).to_linkage().tolist()
        [[1.0, 2.0, 0.7, 2.0], [0.0, 3.0, 1.0, 3.0]]
        """
        return _branches.linkage(self, root)

    def to_networkx(self) -> nx.DiGraph:
        """Return the tree as a networkx DiGraph from roots to leaves; every node carries `height`.

        Leaves are named by their labels and carry `leaf`, their number; merges are named ("merge", k) and carry
        `edge`. What meets at exactly one height is one node with many children.

        Examples
        --------
        >>> from tda_landscape.topology import merge_tree
        >>> graph = merge_tree(([0.0, 0.5, 0.2], [(0, 1), (1, 2)], [1.0, 0.7])).to_networkx()
        >>> sorted((graph.nodes[a]["height"], graph.nodes[b]["height"]) for a, b in graph.edges)
        [(0.7, 0.2), (0.7, 0.5), (1.0, 0.0), (1.0, 0.7)]
        """
        return _branches.to_networkx(self)
