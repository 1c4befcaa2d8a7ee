"""How far two landscapes are apart: by their trees, diagrams or counts."""

from __future__ import annotations

from typing import TypeAlias

import gudhi
import numpy as np
from gudhi.hera import wasserstein_distance

from tda_landscape._errors import InputError, shown
from tda_landscape.topology._branches import leaf_order
from tda_landscape.topology._checks import levels_of
from tda_landscape.topology._diagram import Diagram, Diagrams
from tda_landscape.topology._formats import DiagramsLike, as_diagrams
from tda_landscape.topology._merge_tree import MergeTree
from tda_landscape.topology._nu import NuCurve
from tda_landscape.topology._sweep import merge_tree
from tda_landscape.topology._weighted import GraphLike

TreeLike: TypeAlias = MergeTree | GraphLike


def bottleneck(first: DiagramsLike, second: DiagramsLike, *, dimension: int = 0) -> float:
    """Return the bottleneck distance of two diagrams: the largest move of a bar, in the best matching.

    Parameters
    ----------
    first, second : Diagrams, or any format that `as_diagrams` reads
    dimension : int
        Homology dimension that is compared.

    Returns
    -------
    float
        `inf` where the numbers of essential classes differ: no bar that ends can match one that never does.

    Notes
    -----
    Of two filtrations of one complex it is at most the largest difference of a value (Cohen-Steiner, Edelsbrunner
    and Harer, Discrete Comput. Geom. 37, 2007), see `stability_bound`. Computed by gudhi, to the last bits.

    Examples
    --------
    >>> from tda_landscape.topology import persistence
    >>> a, b = persistence(([0.0, 0.5], [(0, 1)], [1.0])), persistence(([0.0, 0.5], [(0, 1)], [1.25]))
    >>> round(bottleneck(a, b), 12)
    0.25
    """
    # Its e=0, documented as exact, is wrong in gudhi 3.13 for 11 of 300 small random diagrams; the default for none.
    return float(gudhi.bottleneck_distance(_bars(first, dimension), _bars(second, dimension)))


def wasserstein(
    first: DiagramsLike, second: DiagramsLike, *, dimension: int = 0, order: float = 1.0, rtol: float = 1e-6
) -> float:
    """Return the Wasserstein distance of two diagrams, (sum of moves to the power `order`) to the 1/`order`.

    Parameters
    ----------
    first, second : Diagrams, or any format that `as_diagrams` reads
    dimension : int
        Homology dimension that is compared.
    order : float
        At least 1; moves are measured in the sup norm.
    rtol : float
        Relative error of the auction algorithm (Kerber, Morozov and Nigmetov, 2017, by gudhi).

    Returns
    -------
    float
        `inf` where the numbers of essential classes differ.

    Examples
    --------
    >>> from tda_landscape.topology import persistence
    >>> a, b = persistence(([0.0, 0.5], [(0, 1)], [1.0])), persistence(([0.0, 0.5], [(0, 1)], [1.25]))
    >>> round(wasserstein(a, b), 6)
    0.25
    """
    if not order >= 1:
        raise InputError(f"order must be at least 1, got {order}; for the largest move take bottleneck")
    if not rtol > 0:
        raise InputError(f"rtol must be positive, got {rtol}")
    one, other = _bars(first, dimension), _bars(second, dimension)
    return float(wasserstein_distance(one, other, order=order, internal_p=np.inf, delta=rtol))


def labeled_interleaving(first: TreeLike, second: TreeLike) -> float:
    """Return the labeled interleaving distance of two merge trees over the same leaves, exactly.

    Parameters
    ----------
    first, second : MergeTree or any graph that `merge_tree` takes
        Their labels must be the same, in any order: two energies on the same samples, say.

    Returns
    -------
    float
        The largest difference of the levels at which two leaves are joined (births for a leaf with itself); `inf`
        where a pair is joined in one tree only.

    Raises
    ------
    InputError
        Different labels.

    Notes
    -----
    max |M1 - M2| over the matrices of minimax barriers (Gasparovic et al., arXiv 1908.00063), in O(n^2) time and
    O(n) memory. It bounds the bottleneck distance of the H0 diagrams from above.

    Examples
    --------
    >>> labeled_interleaving(([0.0, 0.5], [(0, 1)], [1.0]), ([0.1, 0.5], [(0, 1)], [1.25]))
    0.25
    """
    one, other = _tree(first), _tree(second)
    if set(one.labels) != set(other.labels) or len(one) != len(other):
        raise InputError(
            f"the trees have {len(one)} and {len(other)} leaves whose labels are not the same; "
            "a labeled distance compares trees over the same leaves, bottleneck takes any"
        )
    if one.superlevel != other.superlevel:
        raise InputError("one tree is of sublevel sets and the other of superlevel sets; compare like with like")
    place = {label: i for i, label in enumerate(other.labels)}
    match = np.array([place[label] for label in one.labels], dtype=np.intp)
    a, b = leaf_order(one.upwards), leaf_order(other.upwards)
    farthest = 0.0
    for i, j in enumerate(match.tolist()):
        here, there = a.row(i), b.row(j)[match]
        same = here == there  # inf and inf
        farthest = max(farthest, float(np.abs(here[~same] - there[~same]).max(initial=0.0)))
    return farthest


def nu_distance(
    first: NuCurve,
    second: NuCurve,
    *,
    window: tuple[float, float],
    order: float = 1.0,
    status: str = "sampled",
) -> float:
    """Return the distance of two N_u curves over a window of levels, exactly.

    Parameters
    ----------
    first, second : NuCurve
    window : (low, high)
        Levels that are compared. It has to be stated: beyond all levels the curves go on for ever.
    order : float
        1 for the area between the curves, components times energy; `inf` for the largest difference of counts.
    status : str
        Which counts are compared.

    Raises
    ------
    InputError
        An empty or infinite window, another order, or a status that a curve has not.

    Notes
    -----
    Neither is stable under small changes of the energy in the sup norm: a bar of any small length counts as one.

    Examples
    --------
    >>> from tda_landscape.topology import nu_curve
    >>> a, b = nu_curve(([0.0, 0.5], [(0, 1)], [1.0])), nu_curve(([0.0], [], []))
    >>> nu_distance(a, b, window=(0.0, 2.0)), nu_distance(a, b, window=(0.0, 2.0), order=np.inf)
    (0.5, 1.0)
    """
    ends = levels_of(window, "window")
    if ends.shape != (2,) or not np.isfinite(ends).all() or ends[0] >= ends[1]:
        raise InputError(f"window must be (low, high), finite, with low < high; got {shown(window)}")
    low, high = ends.tolist()
    steps = np.concatenate([first.levels, second.levels])
    levels = np.unique(np.concatenate([[low], steps[(steps > low) & (steps < high)], [high]]))
    apart = np.abs(first(levels, status) - second(levels, status))[:-1]
    if order == 1:
        return float((apart * np.diff(levels)).sum())
    if order == np.inf:
        return float(max(apart.max(), abs(int(first(high, status)) - int(second(high, status)))))
    raise InputError(f"order must be 1 or inf, got {order}")


def _bars(diagrams: DiagramsLike, dimension: int) -> Diagram:
    """One dimension of checked diagrams."""
    read: Diagrams = as_diagrams(diagrams)
    if not 0 <= dimension < len(read):
        raise InputError(f"there is no diagram of dimension {dimension}; the highest is {len(read) - 1}")
    return read[dimension]


def _tree(graph: TreeLike) -> MergeTree:
    """The tree itself, or that of a graph."""
    return graph if isinstance(graph, MergeTree) else merge_tree(graph)
