"""The theorems, one file a family: each is a function of the facts, None where it is about other networks."""

from __future__ import annotations

from collections.abc import Callable

from tda_landscape.theory._facts import Facts
from tda_landscape.theory._statement import Statement
from tda_landscape.theory.theorems import deep, lift, line, linear, quadratic

Theorem = Callable[[Facts], Statement | None]

THEOREMS: tuple[Theorem, ...] = (
    linear.convex,
    linear.overparametrized,
    linear.ridge,
    linear.any_widths,
    linear.bottleneck,
    linear.kawaguchi,
    lift.no_spurious_valley,
    lift.one_global_valley,
    lift.simple,
    lift.polynomial,
    lift.sharp,
    line.one_unit,
    line.two_units,
    quadratic.twice_inputs,
    quadratic.deep,
    deep.every_layer,
    deep.relu_exists,
    deep.relu_asymptotic,
    deep.wider_than_data,
)
"""Every theorem that `predict` looks at: a new one is a function and one line."""
