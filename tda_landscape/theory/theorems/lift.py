"""One hidden layer whose features span q dimensions: what p >= q, q + 1, 2 q hidden units give."""

from __future__ import annotations

from tda_landscape.theory._facts import Facts
from tda_landscape.theory._intrinsic import IntrinsicDimension
from tda_landscape.theory._statement import Hypothesis, Statement, at_least
from tda_landscape.theory.theorems._common import OWN, VBB, common

ERM = "on n data points q is at most n, for any activation"


def no_spurious_valley(facts: Facts) -> Statement | None:
    """As many units as features."""
    if (q := facts.dimension) is None:
        return None
    return Statement(
        source=f"{VBB}, Theorem 5 (squared error); any convex loss: {OWN}",
        conclusion=f"one hidden layer with p >= q: no spurious valley ({ERM})",
        hypotheses=(*common(facts), _wide(facts, q, q.lower, q.upper, "q")),
        no_spurious_valley=True,
        suffices=("no_spurious_valley", q.upper),
    )


def one_global_valley(facts: Facts) -> Statement | None:
    """Twice as many."""
    if (q := facts.dimension) is None:
        return None
    return Statement(
        source=f"{VBB}, Theorem 5 (squared error)",
        conclusion="one hidden layer with p >= 2 q: one global valley",
        hypotheses=(*common(facts), _wide(facts, q, 2 * q.lower, 2 * q.upper, "2 q")),
        n_global_components=1,
        suffices=("n_global_components", 2 * q.upper),
    )


def simple(facts: Facts) -> Statement | None:
    """One more than features: units trade places through the spare one."""
    if (q := facts.dimension) is None:
        return None
    return Statement(
        source=OWN,
        conclusion="one hidden layer with p >= q + 1: N_u is 1 for every u",
        hypotheses=(*common(facts), _wide(facts, q, q.lower + 1, q.upper + 1, "q + 1")),
        simple=True,
        no_spurious_valley=True,
        n_global_components=1,
        suffices=("simple", q.upper + 1),
    )


def polynomial(facts: Facts) -> Statement | None:
    """The closed form of polynomial activations."""
    q = facts.dimension
    if q is None or q.closed_form is None or facts.relu:
        return None
    p = facts.hidden[0]
    return Statement(
        source=f"{VBB}, Corollary 6 (squared error), with 1 more where the polynomial has a constant term",
        conclusion=f"a polynomial activation with p >= {q.closed_form}, the dimension of its forms: no spurious valley",
        hypotheses=(
            *common(facts, squared=True),
            Hypothesis(f"p >= {q.closed_form} by formula (11); p = {p}", p >= q.closed_form, of_width=True),
        ),
        no_spurious_valley=True,
        suffices=("no_spurious_valley", q.closed_form),
    )


def sharp(facts: Facts) -> Statement | None:
    """At p = q the order of the features cannot be undone: q + 1 is sharp."""
    q = facts.dimension
    if q is None or facts.chain.linear or q.lower > facts.hidden[0] or q.upper < facts.hidden[0] or q.upper < 2:
        return None
    p = facts.hidden[0]
    exact = Hypothesis(f"p = q; p = {p}, q = {_number(q)}", True if q.decided and p == q.value else None)
    fewer = Hypothesis(
        f"{q.value - 1} units cannot come as low as {q.value}: e(q - 1), their infimum, is not computed", None
    )
    return Statement(
        source=f"{OWN} (sign of the determinant of the features)",
        conclusion="one hidden layer with p = q >= 2: N_u >= 2 for u from the minimum to e(q - 1)",
        hypotheses=(*common(facts), exact, fewer),
        simple=False,
        at_least=2,
    )


def _wide(facts: Facts, q: IntrinsicDimension, lower: int, upper: int, name: str) -> Hypothesis:
    """Enough hidden units for a q that may not be decided."""
    p = facts.hidden[0]
    return Hypothesis(f"p >= {name}; p = {p}, q = {_number(q)}", at_least(p, lower, upper), of_width=True)


def _number(q: IntrinsicDimension) -> str:
    """A number, or the range in which it is not decided."""
    number = str(q.value) if q.decided else f"{q.lower} to {q.upper}"
    return f"{number} as a numerical rank at {q.tolerance:g}"
