"""Hypotheses that nearly every theorem has."""

from __future__ import annotations

from tda_landscape.theory._facts import POINTS, REACH, Facts
from tda_landscape.theory._statement import Hypothesis

FB = "Freeman and Bruna 2017, arXiv 1611.01540"
VBB = "Venturi, Bandeira and Bruna 2018, arXiv 1802.06384"
OWN = "derived here"


def common(facts: Facts, *, squared: bool = False, ridge: bool = False) -> tuple[Hypothesis, ...]:
    """Loss, activation and penalties; with `ridge` a weight decay is part of the theorem."""
    return (loss_is(facts, squared), continuous(facts), unpenalized(facts, ridge))


def loss_is(facts: Facts, squared: bool) -> Hypothesis:
    """The loss is convex, or squared error."""
    if squared:
        return Hypothesis(f"squared error; the loss is {facts.loss_name}", facts.squared or _other(facts))
    known = "" if facts.convex is not None else ", of which that is not known"
    return Hypothesis(f"a loss that is convex in the outputs; it is {facts.loss_name}{known}", facts.convex)


def _other(facts: Facts) -> bool | None:
    """A recognized loss is squared error or not; of any other it is not known."""
    return False if facts.loss is not None or facts.convex is False else None


def continuous(facts: Facts) -> Hypothesis:
    """The activation has no jump."""
    names = " and ".join(dict.fromkeys(facts.chain.names)) or "none"
    seen = f"no jump at {POINTS} points of [-{REACH:g}, {REACH:g}]" if facts.continuous else "a jump was found"
    return Hypothesis(f"continuous activations; {names}: {seen}", facts.continuous)


def unpenalized(facts: Facts, ridge: bool) -> Hypothesis:
    """No penalty but what the theorem allows; a chain of plain linear layers has unconstrained weights."""
    found = []
    if facts.weight_decay:
        found.append(f"weight decay {facts.weight_decay:g}")
    if facts.regularized:
        found.append("a regularizer")
    wanted = "weights unconstrained, no regularizer" + ("" if ridge else ", no weight decay")
    holds = not facts.regularized and (ridge or not facts.weight_decay)
    return Hypothesis(f"{wanted}; there is {' and '.join(found) or 'none'}", holds)
