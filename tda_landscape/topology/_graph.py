"""The landscape graph: leaves with their energies, edges with their heights, as plain arrays."""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from dataclasses import dataclass, replace
from typing import Any

import networkx as nx
import numpy as np
from numpy.typing import ArrayLike, NDArray

from tda_landscape._errors import InputError, expect
from tda_landscape.topology._checks import attribute, check, column, pairs, same_order
from tda_landscape.topology._words import kinds, many, number

EDGE_ARRAYS = ("edges", "heights", "status", "uppers", "proved", "saddle_index", "saddle_gradient", "confirmations")
"""Fields that hold one number or word for each edge."""


@dataclass(frozen=True, slots=True, eq=False)
class LandscapeGraph:
    """Leaves and the paths between them, as plain arrays.

    Parallel edges and loops are allowed; a missing edge says that no path was found, never that none exists.
    Build one with `LandscapeGraph.from_arrays`, which fills in and checks what is left out.

    Attributes
    ----------
    births : ndarray (n,)
        Energy of each leaf.
    edges : ndarray of int (m, 2)
        The two leaves that each path joins.
    heights : ndarray (m,)
        Measured maximum of the energy along each path.
    status : ndarray of str (m,)
        One of `certified`, `refined`, `sampled`.
    uppers : ndarray (m,)
        Certified upper bound of the height, `inf` where there is none.
    proved : ndarray of bool (m,)
        Whether it is proved that the component which dies at this edge is joined to no other below its height.
    saddle_index : ndarray of int (m,)
        Morse index of the highest point where it is a verified saddle, else -1: then the height is an upper bound.
    saddle_gradient : ndarray (m,)
        |grad E| at that saddle, NaN where there is none.
    confirmations : ndarray of int (m,)
        How many independent searches ended in this edge.
    transform : tuple (m,)
        Permutation of sheets by which some g in G acts where edge (i, j) runs from leaf i to g applied to leaf j;
        `None` for the identity.
    paths : tuple (m,)
        The path behind each edge, `None` where only the height is known.
    points : ndarray (n, d) or None
        Parameters of the leaves.
    leaf_status : ndarray of str (n,)
        `minimum`, `flat`, `stationary`, ... or `given`.
    hits : ndarray of int (n,)
        Independent starts that ended in each leaf.
    labels : tuple (n,)
        Names of the leaves in the graph that they came from; `0 .. n-1` by default.
    order : int or None
        |pi_0(G)| of the symmetry group G modulo which the leaves are distinct; None where none was used.
    reason : str
        Why the search that made the graph ended; empty where nothing is known of it.

    Examples
    --------
    >>> graph = LandscapeGraph.from_arrays([0.0, 0.5], [(0, 1)], [1.0])
    >>> graph.births.tolist(), graph.heights.tolist(), graph.status.tolist()
    ([0.0, 0.5], [1.0], ['sampled'])
    """

    births: NDArray[np.float64]
    edges: NDArray[np.intp]
    heights: NDArray[np.float64]
    status: NDArray[np.str_]
    uppers: NDArray[np.float64]
    proved: NDArray[np.bool_]
    saddle_index: NDArray[np.intp]
    saddle_gradient: NDArray[np.float64]
    confirmations: NDArray[np.intp]
    transform: tuple[Any, ...]
    paths: tuple[Any, ...]
    points: NDArray[np.float64] | None
    leaf_status: NDArray[np.str_]
    hits: NDArray[np.intp]
    labels: tuple[Hashable, ...]
    order: int | None = None
    reason: str = ""

    @classmethod
    def from_arrays(
        cls,
        births: ArrayLike,
        edges: ArrayLike | Sequence[tuple[int, int]],
        heights: ArrayLike,
        *,
        status: ArrayLike | str = "sampled",
        uppers: ArrayLike | None = None,
        proved: ArrayLike | bool = False,
        points: ArrayLike | None = None,
        **others: Any,
    ) -> LandscapeGraph:
        """Build a graph from births, edges and heights; every other field has a neutral default.

        Parameters
        ----------
        births : array_like (n,)
            Energies of the leaves, finite.
        edges : array_like of int (m, 2)
            Pairs of leaves.
        heights : array_like (m,)
            Path heights, each at least the births of its two ends; `inf` is allowed and never merges.
        status, uppers, proved, points
            As in the class; a scalar `status` or `proved` stands for all edges.
        **others
            Any further field of the class.

        Raises
        ------
        InputError
            A NaN, a height below one of its ends, or arrays whose shapes do not fit.

        Examples
        --------
        >>> LandscapeGraph.from_arrays([0.0, 0.5], [(0, 1)], [0.2])
        Traceback (most recent call last):
        tda_landscape._errors.InputError: edge 0 has height 0.2 below the energy 0.5 of one of its ends; ...
        """
        born, tall = column(births, "births", np.float64), column(heights, "heights", np.float64)
        joined = pairs(edges)
        n, m = len(born), len(joined)
        fields: dict[str, Any] = {
            "births": born,
            "edges": joined,
            "heights": tall,
            "status": column(status, "status", np.str_, m),
            "uppers": np.full(m, np.inf) if uppers is None else column(uppers, "uppers", np.float64),
            "proved": column(proved, "proved", np.bool_, m),
            "saddle_index": np.full(m, -1, dtype=np.intp),
            "saddle_gradient": np.full(m, np.nan),
            "confirmations": np.ones(m, dtype=np.intp),
            "transform": (None,) * m,
            "paths": (None,) * m,
            "points": None if points is None else np.array(np.asarray(points), dtype=np.float64),
            "leaf_status": np.full(n, "given"),
            "hits": np.zeros(n, dtype=np.intp),
            "labels": tuple(range(n)),
            "order": None,
            "reason": "",
        }
        unknown = sorted(set(others) - set(fields))
        if unknown:
            raise InputError(f"LandscapeGraph has no field {unknown[0]!r}; it has {', '.join(fields)}")
        plain = {name: others.pop(name, fields[name]) for name in ("order", "reason")}
        given = {k: tuple(v) if isinstance(fields[k], tuple) else np.asarray(v) for k, v in others.items()}
        graph = cls(**{**fields, **given, **plain})
        check(graph)
        return graph

    def __repr__(self) -> str:
        leaves = f" ({kinds(self.leaf_status.tolist())}), lowest {self.births.min():.6g}" if len(self.births) else ""
        first, second = self.edges.T
        own = (first == second) & (self.heights <= self.births[first])  # what a symmetry's elements that fix a leaf are
        edges = many(int((~own).sum()), "edge", "edges")
        if not own.all():
            heights = self.heights[~own]
            edges += f" ({kinds(self.status[~own].tolist())}), heights {heights.min():.6g} to {heights.max():.6g}"
        if own.any():
            edges += f", {many(int(own.sum()), 'loop', 'loops')} at the height of a leaf"
        modulo = "" if self.order is None else f"; copies under a symmetry of order {number(self.order)} are one leaf"
        reason = f"\n{self.reason}" if self.reason else ""
        return f"landscape graph of {many(len(self.births), 'leaf', 'leaves')}{leaves}; {edges}{modulo}{reason}"

    def with_edges(self, other: LandscapeGraph) -> LandscapeGraph:
        """Return the graph with the edges of `other`, a graph over the same leaves, added to its own.

        Examples
        --------
        >>> a = LandscapeGraph.from_arrays([0.0, 0.5], [(0, 1)], [1.0])
        >>> a.with_edges(LandscapeGraph.from_arrays([0.0, 0.5], [(1, 0)], [0.8])).heights.tolist()
        [1.0, 0.8]
        """
        expect(LandscapeGraph, other=other)
        if not np.array_equal(self.births, other.births):
            sizes = f"{len(self.births)} and {len(other.births)}"
            raise InputError(f"the graphs have {sizes} leaves, not the same; edges are added over the same leaves only")
        joined: dict[str, Any] = {n: np.concatenate([getattr(self, n), getattr(other, n)]) for n in EDGE_ARRAYS}
        joined |= {"transform": self.transform + other.transform, "paths": self.paths + other.paths}
        return replace(self, **joined, order=same_order(self, other))

    def to_networkx(self) -> nx.MultiGraph[Any]:
        """Return a networkx MultiGraph: nodes carry `energy` and `status`, edges `height` and `status`.

        Examples
        --------
        >>> g = LandscapeGraph.from_arrays([0.0, 0.5], [(0, 1)], [1.0]).to_networkx()
        >>> g.nodes[1]["energy"], [h for *_, h in g.edges(data="height")]
        (0.5, [1.0])
        """
        graph: nx.MultiGraph[Any] = nx.MultiGraph()
        for label, energy, status in zip(self.labels, self.births, self.leaf_status, strict=True):
            graph.add_node(label, energy=float(energy), status=str(status))
        columns = (self.edges, self.heights, self.status, self.uppers, self.proved)
        for (i, j), height, status, upper, proved in zip(*columns, strict=True):
            data = {"height": float(height), "status": str(status), "upper": float(upper), "proved": bool(proved)}
            graph.add_edge(self.labels[i], self.labels[j], **data)
        return graph

    @classmethod
    def from_networkx(cls, graph: nx.Graph[Any], *, energy: str = "energy", height: str = "height") -> LandscapeGraph:
        """Read any networkx graph whose nodes carry `energy` and whose edges carry `height`.

        Parameters
        ----------
        graph : networkx.Graph or networkx.MultiGraph
            Node names become the labels.
        energy, height : str
            Names of the two attributes.

        Raises
        ------
        InputError
            A node or an edge lacks its attribute.

        Examples
        --------
        >>> import networkx as nx
        >>> g = nx.Graph()
        >>> g.add_node("a", energy=0.0); g.add_node("b", energy=0.5); g.add_edge("a", "b", height=1.0)
        >>> LandscapeGraph.from_networkx(g).labels
        ('a', 'b')
        """
        labels = tuple(graph.nodes)
        index = {label: i for i, label in enumerate(labels)}
        births = [attribute(graph.nodes[label], energy, f"node {label!r}") for label in labels]
        data = [(index[a], index[b], d, f"edge {a!r}-{b!r}") for a, b, d in graph.edges(data=True)]
        return cls.from_arrays(
            births,
            [(i, j) for i, j, *_ in data],
            [attribute(d, height, where) for *_, d, where in data],
            status=[d.get("status", "sampled") for _, _, d, _ in data],
            uppers=[float(d.get("upper", np.inf)) for _, _, d, _ in data],
            proved=[bool(d.get("proved", False)) for _, _, d, _ in data],
            leaf_status=np.array([graph.nodes[label].get("status", "given") for label in labels], dtype=np.str_),
            labels=labels,
        )


def merge_graphs(first: LandscapeGraph, second: LandscapeGraph) -> LandscapeGraph:
    """Put two graphs side by side, as one graph with the leaves and the edges of both.

    The leaves are not identified with each other: that takes a tolerance, see `tda_landscape.quench`.

    Parameters
    ----------
    first, second : LandscapeGraph
        The leaves of `second` come after those of `first`; labels are numbered anew.

    Returns
    -------
    LandscapeGraph

    Examples
    --------
    >>> a = LandscapeGraph.from_arrays([0.0, 0.5], [(0, 1)], [1.0])
    >>> merge_graphs(a, a).edges.tolist()
    [[0, 1], [2, 3]]
    """
    expect(LandscapeGraph, first=first, second=second)
    n = len(first.births)
    shifted = replace(second, edges=second.edges + n)
    joined: dict[str, Any] = {
        name: np.concatenate([getattr(first, name), getattr(shifted, name)])
        for name in ("births", *EDGE_ARRAYS, "leaf_status", "hits")
    }
    both = first.points is not None and second.points is not None
    return replace(
        first,
        **joined,
        transform=first.transform + second.transform,
        paths=first.paths + second.paths,
        points=np.concatenate([first.points, second.points]) if both else None,
        labels=tuple(range(n + len(second.births))),
        order=same_order(first, second),
    )
