"""What a layer rule is."""

from __future__ import annotations

from typing import Protocol, runtime_checkable

from torch import Tensor

from tda_landscape.certificates._enclosure import Enclosure
from tda_landscape.certificates._polynomial import Polynomial
from tda_landscape.certificates._segments import Segments

Known = Enclosure | Tensor
"""What is known of an input: an enclosure, or a constant (1, n, ...) that no parameter has touched."""


class Rule(Protocol):
    """A layer: a frozen dataclass with these two methods; its docstring says its formula and why it holds."""

    def value(self, inputs: tuple[Tensor, ...], theta: Tensor) -> Tensor:
        """Output (S, n, ...) at S parameter vectors (S, d)."""

    def enclose(self, inputs: tuple[Known, ...], segments: Segments, ends: tuple[Tensor, Tensor]) -> Enclosure:
        """Enclosure of the output on S segments; `ends` are the outputs of `value` at their two ends."""


@runtime_checkable
class PolynomialRule(Protocol):
    """A rule whose output is a polynomial in s where its inputs are: it can also be expanded exactly."""

    def expand(self, inputs: tuple[Polynomial, ...], segments: Segments) -> Polynomial:
        """Bernstein coefficients of the output on one segment."""


def enclosed(known: Known) -> Enclosure:
    """A constant as an enclosure without error."""
    return Enclosure.exact(known) if isinstance(known, Tensor) else known
