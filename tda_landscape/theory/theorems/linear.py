"""Linear networks of any depth: simple above the critical width, without spurious valleys at any."""

from __future__ import annotations

from tda_landscape.theory._facts import TOLERANCE, Facts, Rank, above, least_squares, rank_of
from tda_landscape.theory._statement import Hypothesis, Statement, at_least
from tda_landscape.theory.theorems._common import FB, OWN, VBB, common


def convex(facts: Facts) -> Statement | None:
    """Without a hidden layer the energy is convex, with weight decay as well."""
    if facts.hidden:
        return None
    return Statement(
        source="elementary: a convex function has convex sublevel sets",
        conclusion="no hidden layer: N_u is 1 for every u",
        hypotheses=common(facts, ridge=True),
        simple=True,
        no_spurious_valley=True,
        n_global_components=1,
    )


def overparametrized(facts: Facts) -> Statement | None:
    """Every hidden layer wider than inputs or outputs."""
    if not (facts.hidden and facts.chain.linear) or facts.weight_decay:
        return None
    return Statement(
        source=f"{FB}, Proposition 2.2 (squared error); any convex loss: {OWN}",
        conclusion="a deep linear network with all hidden widths above min(n, m): N_u is 1 for every u",
        hypotheses=(*common(facts), _biases(facts), _wide(facts, _inputs(facts))),
        simple=True,
        no_spurious_valley=True,
        n_global_components=1,
        suffices=("simple", min(_inputs(facts).upper, facts.outputs) + 1),
    )


def ridge(facts: Facts) -> Statement | None:
    """Two layers with weight decay."""
    if not (facts.hidden and facts.chain.linear and facts.weight_decay):
        return None
    two = Hypothesis(f"two layers; there are {len(facts.hidden) + 1}", len(facts.hidden) == 1)
    return Statement(
        source=f"{FB}, Proposition 2.2 (squared error); any convex loss: {OWN}",
        conclusion="two linear layers with weight decay, hidden width above min(n, m): N_u is 1 for every u",
        hypotheses=(*common(facts, ridge=True), two, _wide(facts, facts.inputs)),
        simple=True,
        no_spurious_valley=True,
        n_global_components=1,
        suffices=("simple", min(facts.inputs.upper, facts.outputs) + 1) if two.holds else None,
    )


def any_widths(facts: Facts) -> Statement | None:
    """Squared error has no spurious valley at any widths."""
    if not (facts.hidden and facts.chain.linear):
        return None
    return Statement(
        source=f"{VBB}, Theorem 8",
        conclusion="a linear network of any depth and widths, squared error: no spurious valley",
        hypotheses=(*common(facts, squared=True), _biases(facts)),
        no_spurious_valley=True,
        suffices=("no_spurious_valley", 1),
    )


def bottleneck(facts: Facts) -> Statement | None:
    """At the critical width and below, the signs of determinants hold components apart.

    Let b be the least hidden width, J the layers that have it, U the b first left singular vectors of the white
    least-squares map M. At each of these layers det(U^T W_K ... W_{k+1}) has a sign. Where it vanishes some unit a
    in the span of U has a^T W' = 0, and then |W' - M|^2 >= its minimum + sigma_b^2 - sigma_{b+1}^2. A reflection of
    the layer's units changes this sign and no other, so all 2^J combinations occur at the minimum.
    """
    if not (facts.hidden and facts.chain.linear and facts.squared) or facts.weight_decay:
        return None
    b, inputs = min(facts.hidden), _inputs(facts)
    if b > min(inputs.upper, facts.outputs):
        return None
    scale, lowest, values = least_squares(facts, centered=facts.chain.biased[-1])
    narrow = Hypothesis(
        f"least hidden width at most min(n, m); it is {b}, n = rank of the data = {inputs}, m = {facts.outputs}",
        b <= min(inputs.value, facts.outputs) if inputs.lower == inputs.upper else None,
    )
    kept, next_ = (float(values[i]) if i < len(values) else 0.0 for i in (b - 1, b))
    gap = Hypothesis(
        f"singular values {b} and {b + 1} of the white least-squares map differ: {kept:.6g}, {next_:.6g}",
        above(kept - next_, float(values[0])),
    )
    signs = 2 ** facts.hidden.count(b)
    floor = lowest + scale * float(values[b:].square().sum())
    level = floor + scale * (kept**2 - next_**2)
    exact = set(facts.hidden) == {b}
    return Statement(
        source=f"{OWN} (signs of determinants, Eckart and Young)",
        conclusion=f"a linear network of least width {b} <= min(n, m), {facts.hidden.count(b)} times: "
        f"N_u >= {signs} for u from the minimum {floor:.6g} to {level:.6g}",
        hypotheses=(*common(facts, squared=True), _biases(facts), narrow, gap),
        simple=False,
        n_global_components=signs if exact else None,
        at_least=signs,
    )


def kawaguchi(facts: Facts) -> Statement | None:
    """Every local minimum is global, by the critical points; more than the absence of strict poor minima."""
    if not (facts.hidden and facts.chain.linear and facts.squared):
        return None
    assert facts.loss is not None
    x = facts.chain.features
    n, m, cross = rank_of(x), facts.outputs, rank_of(x.T @ facts.loss.targets)
    values = least_squares(facts, centered=False)[2].square()
    full = x.shape[1]
    gap = float((values[:-1] - values[1:]).min()) if len(values) > 1 else float(values[0])
    return Statement(
        source="Kawaguchi 2016, arXiv 1605.07110, Theorem 2.3; without the eigenvalues Lu and Kawaguchi 2017",
        conclusion="every local minimum is global (no word on valleys at infinity)",
        hypotheses=(
            *common(facts, squared=True),
            Hypothesis("no biases", not any(facts.chain.biased)),
            Hypothesis(f"outputs at most inputs; {m} and {full}", m <= full),
            Hypothesis(f"X X^T of full rank {full}; it is {n}", _full(n, full)),
            Hypothesis(f"X Y^T of full rank {min(full, m)}; it is {cross}", _full(cross, min(full, m))),
            Hypothesis(
                f"distinct eigenvalues of Y X^T (X X^T)^-1 X Y^T; least gap {gap:.3g} of {float(values[0]):.3g}",
                above(gap, float(values[0])),
            ),
        ),
    )


def _full(rank: Rank, full: int) -> bool | None:
    """Whether a numerical rank is full."""
    return True if rank.lower >= full else False if rank.upper < full else None


def _inputs(facts: Facts) -> Rank:
    """The rank n that the product of the layers sees: a free bias of the last layer takes the mean of the data."""
    x = facts.chain.features
    if not facts.chain.biased[-1]:
        return facts.inputs
    centered = x - x.mean(0)
    # The mean leaves rounding behind: data that are all alike are centered at 0.
    if float(centered.abs().max()) <= TOLERANCE * float(x.abs().max()):
        return Rank(0, 0, 0)
    return rank_of(centered)


def _wide(facts: Facts, inputs: Rank) -> Hypothesis:
    """Strictly wider than min(n, m): equality is not enough."""
    b, m = min(facts.hidden), facts.outputs
    return Hypothesis(
        f"hidden widths above min(n, m); the least is {b}, n = rank of the data = {inputs}, m = {m}",
        at_least(b, min(inputs.lower, m) + 1, min(inputs.upper, m) + 1),
        of_width=True,
    )


def _biases(facts: Facts) -> Hypothesis:
    """Biases that change nothing: one of the last layer frees all others, one of the first is one more input."""
    biased = facts.chain.biased
    which = ", ".join(str(k + 1) for k, b in enumerate(biased) if b) or "none"
    return Hypothesis(
        f"biases in the first layer only, or in the last one and any others; layers with one: {which}",
        biased[-1] or not any(biased[1:]),
    )
