"""Order of a group of permutations, by the algorithm of Schreier and Sims."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
from numpy.typing import ArrayLike, NDArray

from tda_landscape._errors import InputError

Permutation = NDArray[np.intp]


def product(a: Permutation, b: Permutation) -> Permutation:
    """Apply b, then a: i -> a[b[i]]."""
    both: Permutation = a[b]
    return both


def inverse(g: Permutation) -> Permutation:
    """Return the permutation that undoes g."""
    back = np.empty_like(g)
    back[g] = np.arange(len(g))
    return back


def as_permutation(values: ArrayLike) -> Permutation:
    """Read a permutation of 0 .. n-1."""
    g = np.asarray(values)
    if g.ndim != 1 or not np.array_equal(np.sort(g), np.arange(len(g))):
        raise InputError(f"a permutation must hold each of 0 .. n-1 once, got {np.asarray(values).tolist()}")
    return g.astype(np.intp)


def group_order(generators: Iterable[ArrayLike]) -> int:
    """Count the elements of the group that permutations generate.

    Parameters
    ----------
    generators : iterable of array_like of int (n,)
        Images of 0 .. n-1 under each generator.

    Returns
    -------
    int

    Notes
    -----
    A chain of stabilisers with transversals, completed by Schreier generators (Seress, Permutation Group Algorithms,
    2003, chapter 4).

    Examples
    --------
    >>> group_order([[1, 2, 3, 0], [1, 0, 2, 3]])
    24
    """
    group: PermutationGroup | None = None
    for generator in generators:
        g = as_permutation(generator)
        group = PermutationGroup(len(g)) if group is None else group
        group.add(g)
    return 1 if group is None else group.order


class PermutationGroup:
    """A group of permutations of `degree` things that grows by generators.

    The one base point is moved by the group; `transversal` holds for each point of its orbit an element that takes
    the base there, and `stabiliser` is the subgroup that leaves the base where it is.
    """

    def __init__(self, degree: int) -> None:
        self.degree = degree
        self.generators: list[Permutation] = []
        self.transversal: dict[int, Permutation] = {}
        self.base = -1
        self.stabiliser: PermutationGroup | None = None

    @property
    def order(self) -> int:
        """Number of elements: the product of the lengths of the orbits along the chain."""
        return 1 if self.stabiliser is None else len(self.transversal) * self.stabiliser.order

    def __contains__(self, g: Permutation) -> bool:
        return bool((self._remainder(g) == np.arange(self.degree)).all())

    def add(self, g: Permutation) -> None:
        """Let the group grow by one generator; one that it holds already changes nothing."""
        if g in self:
            return
        if self.stabiliser is None:
            self.base = int(np.flatnonzero(g != np.arange(self.degree))[0])
            self.transversal = {self.base: np.arange(self.degree)}
            self.stabiliser = PermutationGroup(self.degree)
        self.generators.append(g)
        todo = [(point, g) for point in self.transversal]
        while todo:
            point, generator = todo.pop()
            goal = int(generator[point])
            path = product(generator, self.transversal[point])
            if goal in self.transversal:
                self.stabiliser.add(product(inverse(self.transversal[goal]), path))  # Schreier's lemma
            else:
                self.transversal[goal] = path
                todo += [(goal, other) for other in self.generators]

    def _remainder(self, g: Permutation) -> Permutation:
        """Divide by elements of the transversals as far as it goes: the identity is left of a member."""
        group = self
        while group.stabiliser is not None and int(g[group.base]) in group.transversal:
            g = product(inverse(group.transversal[int(g[group.base])]), g)
            group = group.stabiliser
        return g
