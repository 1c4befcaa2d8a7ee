"""The three flags of a surveyed tree, and what would overturn each of them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from tda_landscape._errors import InputError, expect_number
from tda_landscape.topology._graph import LandscapeGraph
from tda_landscape.topology._merge_tree import MergeTree
from tda_landscape.topology._raw import raw_bounds
from tda_landscape.topology._sweep import merge_tree
from tda_landscape.topology._weighted import GraphLike

LISTED = 3
"""Sentences of one kind that are spelled out; the others are counted."""


ANSWERS = {
    "grid": ("yes, on the grid", "no, on the grid"),
    "seen": ("yes, of what was seen", ""),
    "proved": ("", "no, proved"),
    "unresolved": ("", "unresolved, the paths that it takes were not found"),
}
"""What a flag that is true, or false, comes to, by how it is known."""


@dataclass(frozen=True, slots=True, eq=False)
class Valleys:
    """What a tree says of the landscape, as far as it was seen.

    Attributes
    ----------
    simple : bool
        N_u = 1 at every level u from the lowest energy on.
    no_spurious_valley : bool
        Every component of every sublevel set reaches the lowest energy (property P.1 of Venturi, Bandeira and Bruna).
    n_global_components : int
        Components that reach the lowest energy and are apart at it.
    known : dict of str to str
        How each flag is known. "grid": within delta of the energy on a grid. "seen": true of the leaves and paths that
        were found. "proved": false, since separations are proved that no path undoes. "unresolved": a False that says
        no more than that searches failed; the number is then what is left after them, at most so many of those seen.
    tolerance : float
        Difference of levels that counts as none.
    lowest : float
        The lowest energy seen.
    global_leaves : ndarray of int
        One leaf for each global component.
    spurious : ndarray of int
        Leaves whose components end above the lowest energy, and merge later.
    overturned_by : dict of str to tuple of str
        For each flag, the discoveries that would change it; empty where nothing would.
    quotient : bool
        Whether symmetric copies are one leaf: `simple` and the number are then modulo the symmetry, and a simple
        quotient may have a raw N_u above 1; `no_spurious_valley` is the same for both.
    raw : tuple of int or None
        Bounds of the number of global components before symmetric copies were put together; None where no symmetry
        was used, and of a tree, which has lost what the bounds are made of: give the graph.
    """

    simple: bool
    no_spurious_valley: bool
    n_global_components: int
    known: dict[str, str]
    tolerance: float
    lowest: float
    global_leaves: NDArray[np.intp]
    spurious: NDArray[np.intp]
    overturned_by: dict[str, tuple[str, ...]]
    quotient: bool = False
    raw: tuple[int, int] | None = None

    def __str__(self) -> str:
        """The flags as readable text, each with how it is known."""
        modulo = " modulo symmetry" if self.quotient else ""
        lines = [f"levels within {self.tolerance:.3g} count as one"]
        for name, claim in (
            ("simple", f"N_u{modulo} is 1 at every level"),
            ("no_spurious_valley", "no spurious valley"),
            ("n_global_components", f"components{modulo} at the lowest energy {self.lowest:.6g}"),
        ):
            lines.append(f"{claim}: {self._answer(name)}")
            lines += [f"  overturned by {sentence}" for sentence in self.overturned_by[name] or ("nothing",)]
        if self.quotient:
            bounds = "n/a of a tree; valleys(graph) has bounds" if self.raw is None else "{} to {}".format(*self.raw)
            lines.append(f"raw components there, symmetric copies counted one by one: {bounds}")
        return "\n".join(lines)

    def _answer(self, name: str) -> str:
        """A flag in words, or the number with what it is worth."""
        known, value = self.known[name], getattr(self, name)
        if name != "n_global_components":
            return ANSWERS[known][0 if value else 1]
        words = {"grid": "{}, on the grid", "seen": "{} of those seen", "unresolved": "at most {} of those seen"}
        return words.get(known, "{} of those seen, apart by proof").format(value)


def valleys(tree: MergeTree | GraphLike, *, tolerance: float | None = None) -> Valleys:
    """Read the three flags of a surveyed tree, with what would overturn each.

    Parameters
    ----------
    tree : MergeTree or any graph that `merge_tree` takes
    tolerance : float, optional
        Difference of levels that counts as none: bars at most this long are no components, and leaves this near to
        the lowest energy are global. Of a tree of a grid 2 delta by default, the error of its bars; of any other it
        has to be given, 0 for exact numbers.

    Returns
    -------
    Valleys

    Raises
    ------
    InputError
        A tree without leaves, a negative or missing tolerance, or superlevel order.

    Notes
    -----
    Of the bars [birth, death) longer than the tolerance: N_u = 1 throughout if there is one; no valley is spurious
    (P.1) if every birth is the lowest energy; the global components are the births at the lowest energy. Simple
    implies P.1 and one global component; two equally deep copies violate "simple" alone. A tree of samples knows no
    more than was seen: what it says is True until one of `overturned_by` is found.

    Examples
    --------
    (ab - 1)^2 has two global components and no spurious valley.

    >>> flags = valleys(([0.0, 0.0], [(0, 1)], [1.0]), tolerance=0)
    >>> flags.simple, flags.no_spurious_valley, flags.n_global_components
    (False, True, 2)
    >>> flags.overturned_by["simple"]
    ('a path from leaf 1 to leaf 0 at or below 0; the lowest known rises to 1',)
    """
    raw_of = tree if isinstance(tree, LandscapeGraph) and tree.order is not None else None
    whole = tree if isinstance(tree, MergeTree) else merge_tree(tree)
    allowed = _tolerance(whole, tolerance)
    lowest = float(whole.births.min())
    bars = whole.simplify(allowed)
    deep = bars.births <= lowest + allowed
    kept = np.searchsorted(whole.vertices, bars.vertices)
    overturned = _overturned(whole, bars, deep, allowed)
    raw = None if raw_of is None else raw_bounds(raw_of).at(np.array([lowest + allowed]))
    return Valleys(
        simple=len(bars) == 1,
        no_spurious_valley=bool(deep.all()),
        n_global_components=int(deep.sum()),
        known=_known(whole, bars, deep, overturned),
        tolerance=allowed,
        lowest=lowest,
        global_leaves=kept[deep],
        spurious=kept[~deep],
        overturned_by=overturned,
        quotient=whole.order is not None and whole.order > 1,
        raw=None if raw is None else (int(raw[0][0]), int(raw[1][0])),
    )


def _tolerance(tree: MergeTree, tolerance: float | None) -> float:
    """The tolerance asked for, or that of a grid."""
    expect_number("[0, inf) or None", tolerance=tolerance)
    if tree.superlevel:
        raise InputError("valleys are those of sublevel sets; take tree.upwards, which is the tree of -E")
    if not len(tree):
        raise InputError("a tree without leaves has no valleys; survey more points")
    if tolerance is None and tree.delta is None:
        raise InputError(
            "a tree of a graph has no error bound of its own; give tolerance=, the difference of levels that counts as "
            "none, such as the tolerance of the path search"
        )
    return 2 * float(tree.delta or 0) if tolerance is None else float(tolerance)


def _overturned(
    whole: MergeTree, bars: MergeTree, deep: NDArray[np.bool_], tolerance: float
) -> dict[str, tuple[str, ...]]:
    """What would change each flag."""
    later = ~np.isin(np.arange(len(bars)), bars.roots[:1])
    if whole.delta is not None:
        of_grid = _of_grid(bars, whole.delta)
        return dict.fromkeys(("simple", "no_spurious_valley", "n_global_components"), of_grid)
    lowest = float(whole.births.min())
    unseen = f"a minimum that was not seen, below {lowest:.6g} or behind a barrier of more than {tolerance:.3g}"
    if_true = (unseen, *_loose(whole, tolerance))
    return {
        "simple": _joins(bars, later, tolerance) if later.any() else if_true,
        "no_spurious_valley": if_true if deep.all() else _joins(bars, ~deep, tolerance),
        "n_global_components": (*if_true, *_joins(bars, later & deep, tolerance, every=False)),
    }


def _known(
    whole: MergeTree, bars: MergeTree, deep: NDArray[np.bool_], overturned: dict[str, tuple[str, ...]]
) -> dict[str, str]:
    """How each flag is known; a flag that is false is proved where nothing would overturn it."""
    if whole.delta is not None:
        return dict.fromkeys(overturned, "grid")
    apart = np.flatnonzero(deep)[~np.isin(np.flatnonzero(deep), bars.roots[:1])]
    proved = bool(np.isin(apart, bars.dying[bars.proved]).all())
    true = {"simple": len(bars) == 1, "no_spurious_valley": bool(deep.all()), "n_global_components": not len(apart)}
    undone = {**overturned, "n_global_components": () if proved else overturned["n_global_components"]}
    return {name: "seen" if true[name] else "unresolved" if undone[name] else "proved" for name in overturned}


def _of_grid(bars: MergeTree, delta: float) -> tuple[str, ...]:
    """What a grid does not exclude."""
    beyond = (f"a minimum or a way outside of the grid, or an energy farther than delta = {delta:.3g} from the grid's",)
    lengths = bars.deaths - bars.births
    short = float(lengths.min())
    return beyond if short > 2 * delta else (*beyond, f"a finer grid: a bar of {short:.3g} is within 2 delta")


def _joins(bars: MergeTree, chosen: NDArray[np.bool_], tolerance: float, *, every: bool = True) -> tuple[str, ...]:
    """Paths that would take away bars: all of them if `every`, any of them otherwise; none where that is excluded."""
    proved = np.zeros(len(bars), dtype=bool)
    proved[bars.dying] = bars.proved
    if every and (proved & chosen).any():
        return ()
    open_ = np.flatnonzero(chosen & ~proved)
    told = [_join(bars, int(leaf), tolerance) for leaf in open_[:LISTED]]
    if len(open_) > LISTED:
        told.append(f"such paths from {len(open_) - LISTED} further leaves")
    return (" together with ".join(told),) if told and every else tuple(told)


def _join(bars: MergeTree, leaf: int, tolerance: float) -> str:
    """The path that would take away the bar of one leaf."""
    at = np.flatnonzero(bars.dying == leaf)
    known = f"the lowest known rises to {bars.height[at[0]]:.6g}" if len(at) else "none is known"
    other = bars.elder[at[0]] if len(at) else bars.roots[0]
    level = bars.births[leaf] + tolerance
    return f"a path from leaf {bars.labels[leaf]} to leaf {bars.labels[other]} at or below {level:.6g}; {known}"


def _loose(tree: MergeTree, tolerance: float) -> Iterator[str]:
    """Merges that count as none, but whose heights are measured only."""
    if tree.status is None:
        return
    none = tree.height - tree.births[tree.dying] <= tolerance
    measured = int((none & (tree.status != "certified")).sum())
    if measured:
        paths = "a path that is" if measured == 1 else f"one of {measured} paths that are"
        yield f"{paths} higher between the measured points than at them; `certify` excludes that"
