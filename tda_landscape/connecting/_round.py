"""One round of an exploration: starts from variants of minima, fresh starts, climbs, and what share each gets."""

from __future__ import annotations

from collections.abc import Callable

from tda_landscape.connecting._chart import Chart
from tda_landscape.connecting._rule import Rule
from tda_landscape.energy import Tally

SHARE, FRESH_SHARE = 0.3, 0.1
"""Shares of all work that starts get at least, and that fresh ones get at least."""

VARIANTS_SHARE, IDLE, SHARE_IF_IDLE = 0.5, 2, 0.2
"""What starts from variants of the minima get of all work while there are any, and what they get when so many for each
minimum were tried since the last new one. At first they bring many, in networks some that nothing else brings soon."""

CLIMBS, FEWEST, MOST = 2, 4, 32
"""Climbs of one round: so many a minimum, half of it while variants of minima are left, within bounds."""

CROWDED = 4
"""Where there are fewer climbs a minimum, and more minima than one round climbs from, starts find more minima than
climbs can follow: fresh ones get their least share, and none begins at a variant."""

CLIMB_COST, MARGIN = 50, 1.5
"""What a climb costs about, in gradients: starts are made ahead of the climbs that they go with. Where a budget ends,
climbs are taken to cost so many times what they cost before."""

VERIFICATION = 30
"""What it takes to verify the path of one merge, about: so much is held back for each minimum."""


def climbs_of_round(chart: Chart) -> int:
    """Number of climbs of the next round, whatever they cost."""
    each = CLIMBS // 2 if chart.untried.left else CLIMBS
    return max(FEWEST, min(MOST, each * len(chart.minima)))


def affordable(chart: Chart, cost: Tally, left: Callable[[], float]) -> int:
    """Number of climbs of the next round, fewer where the budget ends."""
    return _within(climbs_of_round(chart), chart, cost, left)


def work(chart: Chart, rule: Rule, cost: Tally, left: Callable[[], float], climbs: int) -> None:
    """Some starts from variants of minima, some fresh ones, some climbs, and a look at the tree."""
    _start(chart, cost, left, climbs)
    if climbs := _within(climbs, chart, cost, left):  # the last starts may have taken more than there was to spare
        chart.search(climbs, *_limits(rule))
    rule.look(
        chart.tree(),
        chart.reached,
        chart.saddles.energies.tolist(),
        chart.saddles.hits,
        (chart.untried.tried, chart.untried.left),
        cost.gradient_equivalents,
    )


def _start(chart: Chart, cost: Tally, left: Callable[[], float], climbs: int) -> None:
    """Descend in batches until starts have had their share of the work, the next climbs included."""
    batch = max(1, climbs // 4)
    crowded = len(chart.minima) > MOST and sum(chart.climbs) < CROWDED * len(chart.minima)

    def due(share: float, spent: float) -> bool:
        below = spent < share * (cost.gradient_equivalents + CLIMB_COST * climbs)
        return below and _spare(chart, cost, left, climbs) > 0

    while chart.untried.left and not crowded and due(_variants_share(chart), chart.variants_cost):
        chart.variants_cost += _took(cost, chart.start_variants, batch)
    share = FRESH_SHARE if crowded else SHARE
    while due(FRESH_SHARE, chart.starts_cost) or due(share, chart.starts_cost + chart.variants_cost):
        chart.starts_cost += _took(cost, chart.start, batch)


def _variants_share(chart: Chart) -> float:
    """What starts from variants may have had of all work by now."""
    return VARIANTS_SHARE if chart.untried.idle < IDLE * len(chart.minima) else SHARE_IF_IDLE


def _within(climbs: int, chart: Chart, cost: Tally, left: Callable[[], float]) -> int:
    """So many climbs, fewer where the budget does not pay for them."""
    while climbs > 0 and _spare(chart, cost, left, climbs) < 0:
        climbs -= 1
    return climbs


def _spare(chart: Chart, cost: Tally, left: Callable[[], float], climbs: int) -> float:
    """What the budget has left beyond so many climbs and the verification of the merges."""
    before = sum(chart.climbs)
    climbing = cost.gradient_equivalents - chart.starts_cost - chart.variants_cost
    each = climbing / before if before else 2 * CLIMB_COST
    return left() - VERIFICATION * len(chart.minima) - MARGIN * each * climbs


def _took(cost: Tally, step: Callable[[int], None], number: int) -> float:
    """Do a step; return what it cost."""
    before = cost.gradient_equivalents
    step(number)
    return cost.gradient_equivalents - before


def _limits(rule: Rule) -> tuple[float, float]:
    """Energies below which climbs may begin far away and above which they are given up: three times the tree's range.

    None begins far away while there is no merge, and none is given up until all minima are joined.
    """
    if rule.tree is None or not len(rule.tree.height):
        return -float("inf"), float("inf")
    low = float(rule.tree.births.min())
    limit = low + 3 * (float(max(rule.tree.height.max(), rule.tree.births.max())) - low)
    return limit, limit if rule.connected else float("inf")
