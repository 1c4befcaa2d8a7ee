"""Quadratic units: a symmetric matrix of any rank stands behind 2 N + 1 of them."""

from __future__ import annotations

from tda_landscape.theory._facts import Facts
from tda_landscape.theory._statement import Hypothesis, Statement, at_least
from tda_landscape.theory.theorems._common import OWN, common

LECTURE = (
    "Yao, lecture 'On the landscape of empirical risks' (after Freeman and Bruna); for any convex loss and any outputs "
    f"{OWN}, since layer k has at most binom(N + 2^k - 1, 2^k) < 3 N^(2^k) features"
)


def twice_inputs(facts: Facts) -> Statement | None:
    """Two layers, one output, p >= 2 N + 1."""
    if not facts.quadratic or len(facts.hidden) != 1:
        return None
    n, p = facts.inputs, facts.hidden[0]
    wide = at_least(p, 2 * n.lower + 1, 2 * n.upper + 1)
    return Statement(
        source=OWN,
        conclusion="a quadratic network with one output and p >= 2 N + 1: N_u is 1 for every u",
        hypotheses=(
            *common(facts),
            _one_output(facts),
            Hypothesis(f"p >= 2 N + 1; p = {p}, N = rank of the data = {n}", wide, of_width=True),
        ),
        simple=True,
        no_spurious_valley=True,
        n_global_components=1,
        suffices=("simple", 2 * n.upper + 1) if facts.outputs == 1 else None,
    )


def deep(facts: Facts) -> Statement | None:
    """K hidden layers, M_k >= 3 N^(2^k)."""
    if not facts.quadratic:
        return None
    n = facts.chain.widths[0] + facts.chain.biased[0]
    wanted = [3 * n ** (2**k) for k in range(1, len(facts.hidden) + 1)]
    pairs = ", ".join(f"{m} >= {w}" for m, w in zip(facts.hidden, wanted, strict=True))
    return Statement(
        source=LECTURE,
        conclusion="a quadratic network whose k-th hidden layer has M_k >= 3 N^(2^k) units: N_u is 1 for every u",
        hypotheses=(
            *common(facts, squared=True),
            _one_output(facts),
            Hypothesis("no biases after the first layer but in the last", not any(facts.chain.biased[1:-1])),
            Hypothesis(f"widths: {pairs}", all(m >= w for m, w in zip(facts.hidden, wanted, strict=True))),
        ),
        simple=True,
        no_spurious_valley=True,
        n_global_components=1,
    )


def _one_output(facts: Facts) -> Hypothesis:
    return Hypothesis(f"one output; there are {facts.outputs}", facts.outputs == 1)
