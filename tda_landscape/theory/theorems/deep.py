"""Networks with nonlinear hidden layers: what is known of ReLU, and of layers wider than their features or the data."""

from __future__ import annotations

from itertools import pairwise

import torch

from tda_landscape.theory._facts import Facts
from tda_landscape.theory._statement import Hypothesis, Statement
from tda_landscape.theory.deep_lift import lifts_of
from tda_landscape.theory.theorems._common import FB, OWN, common, continuous, loss_is


def relu_exists(facts: Facts) -> Statement | None:
    """For any widths some data have N_u > 1; no word on the data given."""
    if not facts.relu:
        return None
    return Statement(
        source=f"{FB}, Proposition 2.3",
        conclusion="ReLU at these widths: there are data with N_u > 1; of the data given it says nothing",
        hypotheses=(loss_is(facts, True),),
    )


def relu_asymptotic(facts: Facts) -> Statement | None:
    """The gap closes with the width; an upper bound of an exponent, and nothing at any one width."""
    if not facts.relu or len(facts.hidden) != 1:
        return None
    n = facts.chain.widths[0]
    return Statement(
        source=f"{FB}, Theorem 2.4 and Corollary 2.5",
        conclusion=f"two ReLU layers of width m: ways below max(u, eps(m)), eps(m) = O(m^(-1/{n})) as m grows; the "
        "exponent is an upper bound that is stated, not proved in full, and it says nothing at one width "
        "(`tl.theory.asymptotic_exponent` measures it)",
        hypotheses=(
            loss_is(facts, True),
            Hypothesis("one output", facts.outputs == 1),
            Hypothesis(
                "kappa |W_2|_1 as regularizer and hidden weights |w_i| <= 1"
                + ("; what the given one is cannot be read" if facts.regularized else "; no regularizer is given"),
                None if facts.regularized else False,
            ),
        ),
    )


def wider_than_data(facts: Facts) -> Statement | None:
    """A first layer of twice as many units as data, then narrower and narrower ones."""
    if not facts.hidden or facts.chain.linear:
        return None
    rows, widths = len(facts.chain.features), facts.chain.widths
    leaky = all(_is_leaky(facts, k) for k in range(len(facts.hidden)))
    distinct = len(torch.unique(facts.chain.features, dim=0)) == rows
    return Statement(
        source="Nguyen 2019, arXiv 1901.07417 (piecewise linear activations; hypotheses quoted second hand)",
        conclusion="first hidden layer of at least twice as many units as data, then ever narrower ones, activation "
        "strictly monotonic and onto: N_u is 1 for every u",
        hypotheses=(
            loss_is(facts, False),
            continuous(facts),
            *common(facts)[2:],
            Hypothesis("leaky ReLU activations, the ones whose conditions can be checked here", leaky or None),
            Hypothesis("biases in every layer", all(facts.chain.biased)),
            Hypothesis("no input twice", distinct),
            Hypothesis(f"first width {widths[1]} >= 2 x {rows} data", widths[1] >= 2 * rows),
            Hypothesis("narrower from the second hidden layer on", all(a > b for a, b in pairwise(widths[2:]))),
        ),
        simple=True,
        no_spurious_valley=True,
        n_global_components=1,
    )


def every_layer(facts: Facts) -> Statement | None:
    """More units in each of several hidden layers than the features that it can have."""
    if len(facts.hidden) < 2 or facts.chain.linear:
        return None
    lifts, narrow = lifts_of(facts.chain)
    pairs = enumerate(zip(facts.hidden, lifts, strict=False), 1)
    told = [f"p_{k} = {p}, q_{k} = {lift.dimension.upper}" for k, (p, lift) in pairs]
    enough = None if narrow is not None and narrow.p > narrow.lower else narrow is None
    return Statement(
        source=f"{OWN} (the kernel lift, layer after layer)",
        conclusion="several hidden layers, each with p_k >= q_k + 1 units, where q_k <= the number of data is the "
        "dimension of its features behind layers that are as rich as they can be: N_u is 1 for every u",
        hypotheses=(
            *common(facts),
            Hypothesis("; ".join(told) if narrow is None else str(narrow), enough, of_width=True),
        ),
        simple=True,
        no_spurious_valley=True,
        n_global_components=1,
    )


def _is_leaky(facts: Facts, layer: int) -> bool:
    """Z for z > 0 and a z for z < 0 with 0 < a < 1, up to a factor."""
    z = torch.tensor([1.0, -1.0, 1e-3, -1e-3, 50.0, -50.0], dtype=torch.float64)
    with torch.no_grad():
        slopes = facts.chain.activations[layer](z[:, None])[:, 0] / z
    up, down = float(slopes[0]), float(slopes[1])
    same = torch.allclose(slopes, slopes[:2].repeat(3), rtol=1e-12, atol=0)
    return same and up != down and up * down > 0
