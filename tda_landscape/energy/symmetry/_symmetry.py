"""What the rest of the house needs to know of a symmetry group."""

from __future__ import annotations

from typing import Protocol, runtime_checkable

import torch
from torch import Tensor


class Symmetry(Protocol):
    """A group G of maps of R^d that leave an energy as it is.

    Components of G matter for raw counts, so an element carries a *sheet*: the permutation of `degree` things by
    which the finite group pi_0(G) acts, faithfully. Neurons 0..n-1 with signs act on 2n things, atoms with
    inversion on n + 2. Sheets compose as permutations do: g after h has the sheet ``sheet_g[sheet_h]``.

    Attributes
    ----------
    order : int
        Number of components |pi_0(G)|.
    degree : int
        Number of things that sheets permute.
    """

    @property
    def order(self) -> int: ...

    @property
    def degree(self) -> int: ...

    def describe(self) -> str:
        """Say in a few words what the group is, e.g. "permutations of 7 atoms, rotations, translations"."""
        ...

    def scramble(self, points: Tensor, generator: torch.Generator) -> tuple[Tensor, Tensor]:
        """Apply a random element to each point; return the images (k, d) and the sheets (k, degree)."""
        ...

    def invariants(self, points: Tensor) -> Tensor:
        """Continuous functions (k, m) that are equal for equivalent points; to tell different points apart quickly."""
        ...

    def align(self, points: Tensor, references: Tensor) -> tuple[Tensor, Tensor]:
        """Move each point, by the group, as near as can be found to the reference of the same row.

        Returns the images (k, d) and the sheets (k, degree) of the elements that moved them.
        """
        ...

    def zero_modes(self, points: Tensor) -> Tensor:
        """Orthonormal tangents (k, z, d) of each point's orbit under continuous elements; rows of zeros fill up."""
        ...


@runtime_checkable
class Varying(Protocol):
    """A symmetry that can name starts near a point: one of the parts that it exchanges is changed.

    A unit of a network vanishes or becomes a copy of another one, an atom is taken to another place. Descents from
    there are short, and lead to minima and saddles that fresh starts and climbs reach rarely.

    Attributes
    ----------
    highest_first : bool
        Whether to try those of the highest energies first, and last those of an energy that was seen before; else
        they are tried in any order.
    """

    @property
    def highest_first(self) -> bool: ...

    def variants(self, point: Tensor) -> Tensor:
        """Points (m, d) made from one point (1, d), each by changing one part."""
        ...
