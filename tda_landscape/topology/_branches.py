"""Views of a merge tree: branches, simplification, an order of the leaves, and the formats of scipy and networkx."""

from __future__ import annotations

from collections.abc import Hashable
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import networkx as nx
import numpy as np
from numpy.typing import NDArray

from tda_landscape._errors import InputError, expect_number

if TYPE_CHECKING:
    from tda_landscape.topology._merge_tree import MergeTree


@dataclass(frozen=True, slots=True, eq=False)
class Branches:
    """A branch decomposition: one branch a leaf, by falling persistence, then by birth.

    Attributes
    ----------
    leaf : ndarray of int (n,)
        The minimum that each branch starts from.
    parent : ndarray of int (n,)
        Leaf of the branch that it ends in, -1 for a root; of all that meet at exactly one height, the eldest.
    birth, death : ndarray (n,)
        Where the branch starts and ends; `inf` for a root.
    depth : ndarray of int (n,)
        Branches between this one and its root.
    size : ndarray of int (n,)
        Leaves on the branch and on all that hang from it.
    """

    leaf: NDArray[np.intp]
    parent: NDArray[np.intp]
    birth: NDArray[np.float64]
    death: NDArray[np.float64]
    depth: NDArray[np.intp]
    size: NDArray[np.intp]


def eldest(tree: MergeTree) -> NDArray[np.intp]:
    """Leaf that each leaf merges into, -1 for roots; of all that meet at one height the eldest, however ties broke."""
    parent = np.full(len(tree.births), -1, dtype=np.intp)
    parent[tree.dying] = tree.elder
    deaths = tree.deaths
    while True:
        tied = np.flatnonzero(parent >= 0)
        tied = tied[(deaths[parent[tied]] == deaths[tied])]
        if len(tied) == 0:
            return parent
        parent[tied] = parent[parent[tied]]


def branches(tree: MergeTree) -> Branches:
    """The table of branches."""
    n, parent, deaths = len(tree.births), eldest(tree), tree.deaths
    depth, size = np.zeros(n, dtype=np.intp), np.ones(n, dtype=np.intp)
    for leaf in tree.dying[::-1].tolist():
        depth[leaf] = depth[parent[leaf]] + 1
    for leaf in tree.dying.tolist():
        size[parent[leaf]] += size[leaf]
    up = tree.upwards
    order = np.lexsort((np.arange(n), up.births, -(up.deaths - up.births)))
    return Branches(order, parent[order], tree.births[order], deaths[order], depth[order], size[order])


def simplify(tree: MergeTree, eps: float) -> MergeTree:
    """Drop merges of persistence at most eps: what merged into such a branch is shorter still, and goes as well."""
    expect_number("[0, inf]", eps=eps)
    kept = np.abs(tree.height - tree.births[tree.dying]) > eps
    stays = np.ones(len(tree.births), dtype=bool)
    stays[tree.dying[~kept]] = False
    number = np.cumsum(stays) - 1
    labels = [tree.labels[i] for i in np.flatnonzero(stays).tolist()]
    return replace(
        tree,
        births=tree.births[stays],
        dying=number[tree.dying[kept]],
        elder=number[tree.elder[kept]],
        height=tree.height[kept],
        edge=tree.edge[kept],
        proved=tree.proved[kept],
        vertices=tree.vertices[stays],
        labels=labels,
        status=None if tree.status is None else tree.status[kept],
    )


@dataclass(frozen=True, slots=True, eq=False)
class LeafOrder:
    """Leaves in an order in which every component at every level is one block.

    The level that joins two leaves is the highest of the gaps between them: n numbers hold the (n, n) matrix.
    """

    births: NDArray[np.float64]
    leaves: NDArray[np.intp]
    place: NDArray[np.intp]
    gaps: NDArray[np.float64]

    def row(self, leaf: int) -> NDArray[np.float64]:
        """Level at which `leaf` is joined to each leaf, (n,); its own birth at itself."""
        at, levels = int(self.place[leaf]), np.empty(len(self.leaves))
        levels[self.leaves[at + 1 :]] = np.maximum.accumulate(self.gaps[at:])
        levels[self.leaves[:at]] = np.maximum.accumulate(self.gaps[:at][::-1])[::-1]
        levels[leaf] = self.births[leaf]
        return levels


def leaf_order(tree: MergeTree) -> LeafOrder:
    """Concatenate the blocks of leaves that merge, lowest merge first; for a tree in sublevel order."""
    n = len(tree.births)
    last = list(range(n))  # of the block that starts at its elder
    after = [-1] * n
    gap = np.full(n, np.inf)
    for dying, elder, height in zip(tree.dying.tolist(), tree.elder.tolist(), tree.height.tolist(), strict=True):
        after[last[elder]] = dying
        gap[last[elder]] = height
        last[elder] = last[dying]
    order: list[int] = []
    for root in tree.roots.tolist():
        leaf = root
        while leaf >= 0:
            order.append(leaf)
            leaf = after[leaf]
    leaves = np.array(order, dtype=np.intp)
    place = np.empty(n, dtype=np.intp)
    place[leaves] = np.arange(n)
    return LeafOrder(tree.births, leaves, place, gap[leaves[:-1]])


def linkage(tree: MergeTree, root: float | None) -> NDArray[np.float64]:
    """One row a merge, and one for each further tree of a forest."""
    expect_number("[-inf, inf] or None", root=root)
    tree, n, roots = tree.upwards, len(tree.births), tree.roots.tolist()
    if n < 2:
        raise InputError(f"a linkage matrix needs at least two leaves, this tree has {n}")
    if len(roots) > 1 and root is None:
        raise InputError(
            f"a linkage matrix is one tree, and this is a forest of {len(roots)}; "
            "give the height that joins them, such as root=numpy.inf"
        )
    if len(roots) > 1 and not (root is not None and root >= tree.height.max(initial=tree.births.max())):
        raise InputError(f"root={root} is below merges of the forest; give a height above all of them, or numpy.inf")
    cluster, size = list(range(n)), [1] * n
    rows = np.empty((n - 1, 4))
    joins = list(zip(tree.dying.tolist(), tree.elder.tolist(), tree.height.tolist(), strict=True))
    joins += [(other, roots[0], float(root if root is not None else np.inf)) for other in roots[1:]]
    for k, (dying, elder, height) in enumerate(joins):
        size[elder] += size[dying]
        rows[k] = (*sorted((cluster[dying], cluster[elder])), height, size[elder])
        cluster[elder] = n + k
    return rows


def to_networkx(tree: MergeTree) -> nx.DiGraph[Any]:
    """Leaves and merges as nodes; a merge at the height of the one below it adds to that node."""
    graph: nx.DiGraph[Any] = nx.DiGraph()
    top: list[Hashable] = list(tree.labels)
    for i, (label, birth) in enumerate(zip(top, tree.births.tolist(), strict=True)):
        graph.add_node(label, height=birth, leaf=i)
    columns = (tree.dying.tolist(), tree.elder.tolist(), tree.height.tolist(), tree.edge.tolist())
    for k, (dying, elder, height, edge) in enumerate(zip(*columns, strict=True)):
        ends = [top[dying], top[elder]]
        same = [end for end in ends if "edge" in graph.nodes[end] and graph.nodes[end]["height"] == height]
        node = same[-1] if same else ("merge", k)
        if not same:
            graph.add_node(node, height=height, edge=edge)
        for end in ends:
            if end in same and end != node:
                graph.add_edges_from((node, child) for child in list(graph.successors(end)))
                graph.remove_node(end)
            elif end != node:
                graph.add_edge(node, end)
        top[elder] = node
    return graph
