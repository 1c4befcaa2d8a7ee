"""Positively homogeneous units on a line: two features, one for each sign of the weight, so all bars are exact."""

from __future__ import annotations

import torch
from torch import Tensor

from tda_landscape.theory._facts import Facts, above
from tda_landscape.theory._statement import Hypothesis, Statement
from tda_landscape.theory.theorems._common import OWN, common

SCALES = (1e-3, 0.5, 7.0, 1e3)


def one_unit(facts: Facts) -> Statement | None:
    """P = 1: a valley for each sign of the weight, which meet where the unit is off."""
    if not _on_a_line(facts) or facts.hidden != (1,):
        return None
    (plus, minus, top), size = _levels(facts, (0,), (1,), ())
    return Statement(
        source=OWN,
        conclusion=f"one homogeneous unit on a line: one valley from {plus:.6g}, one from {minus:.6g}, "
        f"which meet at {top:.6g}",
        hypotheses=(
            *common(facts, squared=True),
            Hypothesis(
                f"each side improves on the level {top:.6g} of a unit that is off", above(top - max(plus, minus), size)
            ),
            Hypothesis("the two sides differ", above(abs(plus - minus), size)),
        ),
        simple=False,
        no_spurious_valley=False,
        n_global_components=1,
    )


def two_units(facts: Facts) -> Statement | None:
    """P = q = 2: the units cannot trade places below the level of one side alone."""
    if not _on_a_line(facts) or facts.hidden != (2,):
        return None
    (plus, minus, lowest), size = _levels(facts, (0,), (1,), (0, 1))
    level = min(plus, minus)
    return Statement(
        source=OWN,
        conclusion=f"two homogeneous units on a line: N_u = 2 for u from the minimum {lowest:.6g} to {level:.6g}",
        hypotheses=(
            *common(facts, squared=True),
            Hypothesis("one side alone comes less low than both", above(level - lowest, size)),
        ),
        simple=False,
        n_global_components=2,
        at_least=2,
    )


def _on_a_line(facts: Facts) -> bool:
    """One input, no hidden bias, squared error and rho(c z) = c rho(z) for c > 0, but not linear."""
    chain = facts.chain
    if len(facts.hidden) != 1 or chain.widths[0] != 1 or chain.biased[0] or not facts.squared or chain.linear:
        return False
    z = torch.linspace(-2, 2, 41, dtype=torch.float64)[:, None]
    with torch.no_grad():
        scaled = [(chain.activations[0](c * z), c * chain.activations[0](z)) for c in SCALES]
    return all(torch.allclose(a, b, rtol=1e-12, atol=0) for a, b in scaled)


def _levels(facts: Facts, *sides: tuple[int, ...]) -> tuple[tuple[float, ...], float]:
    """The least squared error with the features of some sides, for each choice; and the size of such numbers."""
    assert facts.loss is not None
    x, y = facts.chain.features, facts.loss.targets
    with torch.no_grad():
        both = torch.cat([facts.chain.activations[0](x), facts.chain.activations[0](-x)], dim=1)
    constant = torch.ones_like(x) if facts.chain.biased[1] else x[:, :0]
    levels = [facts.loss.scale * _residual(torch.cat([both[:, list(s)], constant], dim=1), y) for s in sides]
    return tuple(levels), facts.loss.scale * float(y.square().sum())


def _residual(features: Tensor, y: Tensor) -> float:
    """Least squared distance of y (n, m) from the span of features (n, f)."""
    if features.shape[1] == 0:
        return float(y.square().sum())
    left, values, _ = torch.linalg.svd(features, full_matrices=False)
    left = left[:, values > 1e-12 * values[0]]
    return float((y - left @ (left.T @ y)).square().sum())
