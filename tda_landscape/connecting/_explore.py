"""Exploring a landscape by single-ended search: from each minimum uphill to saddles, and down on their other side."""

from __future__ import annotations

from collections.abc import Callable

from tda_landscape._errors import InputError, Interrupted, expect, expect_number
from tda_landscape.connecting._chart import Chart, first_chart
from tda_landscape.connecting._chart_graph import graph_of, minima_of
from tda_landscape.connecting._growth import join
from tda_landscape.connecting._round import affordable, work
from tda_landscape.connecting._rule import PATIENCE, Rule
from tda_landscape.energy import Energy, Tally, tally
from tda_landscape.energy._random import as_generator
from tda_landscape.energy.symmetry import Symmetry, find_symmetry
from tda_landscape.topology import LandscapeGraph

FIRST_STARTS, MORE_STARTS = 8, 10
"""Fresh starts at first, and times that as many are made where they ended in no minimum."""

STUCK = "climbs join no more minima"

STEEPNESS, REACH = 1e-5, 0.5
"""A gradient that is small, relative to its median at the first starts; the longest step of a climb, relative to the
way that one coordinate typically goes in a descent. Measured on clusters of 7 to 13 atoms, where half or twice as far
makes climbs dearer by a tenth to a third."""


def explore(
    energy: Energy,
    *,
    budget: float | None = None,
    seed: int = 0,
    symmetry: str | Symmetry | None = "auto",
    patience: float = PATIENCE,
    progress: Callable[[str], None] | None = None,
) -> LandscapeGraph:
    """Find minima and the saddles between them by single-ended search, until a rule on what was found is met.

    For energies whose Hessian can be afforded (tens of parameters). Rounds of descents from fresh starts and of
    climbs by eigenvector following from the minima that were climbed from least; both ways down from every new
    saddle of index 1 bring new minima. Descents also start from variants of each minimum, which lead to minima and
    saddles that fresh starts and climbs reach rarely: in a network one unit is set to zero or to a copy of another, and
    the descent stays in that symmetric subspace; in a cluster one atom is taken to another place on the surface.

    Parameters
    ----------
    energy : Energy
        Without kinks.
    budget : float, optional
        Gradient equivalents in total (value and gradient 1, Hessian d). The last rounds are small, and what it takes
        to verify the merges is held back. The first descents are not held by it, and a last round that takes far more
        than those before it goes beyond it by a few hundredths. None: until the rule is met.
    seed : int
    symmetry : "auto", None or Symmetry
        Copies that it makes are one leaf, and the number of them bounds the raw counts.
    patience : float
        Work without a change that the rule asks for, relative to all the work before the last change; inf searches
        until the budget ends, which finds more where minima are hard to reach.
    progress : callable, optional
        Called with a sentence after each round.

    Returns
    -------
    LandscapeGraph
        An edge for each saddle, at its energy: `saddle_index` 1, `confirmations` the number of independent
        searches that ended there, `paths` the way down to both sides (with a symmetry, between images of its
        leaves). Saddles with the same minimum on both sides are loops. Edges of the merge tree are `refined`, the
        others `sampled`. ``graph.reason`` says how the search ended and where the rule stood.

    Raises
    ------
    InputError
        An energy with kinks, or of so many parameters that one Hessian exceeds the budget; no minimum found.
    Interrupted
        On Ctrl-C; `.partial` is the graph found so far.

    Notes
    -----
    The rule: every merge of the tree confirmed by at least 5 searches; of all saddles at most three for every four
    minima seen only once; four fifths of the variants of minima tried, of which at most 64 a minimum are kept; the tree
    unchanged for `patience` times as much work as was spent before it last changed, and as long again for each saddle
    below the highest merge that was seen only once. It is met by evidence, not by proof: what no start and no climb
    reached is not seen. How many minima were reached only once is told beside it: where there are some, others were
    probably missed. Where climbs leave minima apart for five times as long, as they do where the saddle between them
    is degenerate, the ladder searches a path from each part that is left to another one.

    Examples
    --------
    >>> import tda_landscape as tl
    >>> graph = tl.explore(tl.zoo.mueller_brown(), seed=0)
    >>> tl.persistence(graph)[0].round(3).tolist()
    [[-146.7, inf], [-108.167, -40.665], [-80.768, -72.249]]
    >>> graph.saddle_index.tolist()
    [1, 1]
    """
    expect(Energy, energy=energy)
    expect(Callable | None, progress=progress)
    expect_number("[0, inf] or None", budget=budget)
    expect_number("[0, inf]", patience=patience)
    counted, cost = tally(energy)
    chart, reason = explore_chart(counted, budget, seed, symmetry, patience, progress)
    return joined(chart, reason, left_of(budget, cost), seed)


def explore_chart(
    energy: Energy,
    budget: float | None,
    seed: int,
    symmetry: str | Symmetry | None = "auto",
    patience: float = PATIENCE,
    progress: Callable[[str], None] | None = None,
) -> tuple[Chart, str]:
    """Explore; return the chart and, in a sentence, how the search ended."""
    if energy.kinks:
        raise InputError(
            f"explore needs Hessians, which {', '.join(energy.kinks)} does not have everywhere; "
            "use sample, quench and connect"
        )
    if budget in (None, float("inf")) and patience == float("inf"):
        raise InputError("patience=inf never ends by itself; give a budget")
    if budget is not None and not budget >= energy.dim:
        raise InputError(f"budget={budget:g} does not pay for one Hessian of {energy.dim} columns; raise it")
    counted, cost = tally(energy)
    group = find_symmetry(counted, symmetry)
    chart = first_chart(counted, group, as_generator(seed), FIRST_STARTS, STEEPNESS, REACH)
    for _ in range(MORE_STARTS):
        if len(chart.minima):
            break
        chart.start(FIRST_STARTS)
    else:
        raise InputError(
            f"none of {chart.starts} descents ended in a minimum with positive curvature; change the start law, give "
            "the symmetry under which minima are not isolated, or use sample, quench and connect (explore=False in a "
            "survey), which take flat valleys too"
        )
    chart.starts_cost = cost.gradient_equivalents
    rule, left = Rule(patience), left_of(budget, cost)
    try:
        while not (rule.met or rule.stuck) and (climbs := affordable(chart, cost, left)):
            work(chart, rule, cost, left, climbs)
            if progress is not None:
                progress(rule.state(f"{len(chart.minima)} minima, {len(chart.saddles)} saddles"))
    except KeyboardInterrupt:
        raise Interrupted(graph_of(chart, rule.state("interrupted"))) from None
    ended = "the rule is met" if rule.met else STUCK if rule.stuck else "the budget was used up"
    return chart, rule.state(ended)


def joined(chart: Chart, reason: str, left: Callable[[], float], seed: int) -> LandscapeGraph:
    """The chart as a graph; where climbs were given up, with searched paths between the minima that no saddle joins."""
    graph = graph_of(chart, reason, left)
    stuck = reason.startswith(STUCK) and left() > 0
    return join(chart.energy, graph, minima_of(chart), left, seed) if stuck else graph


def left_of(budget: float | None, cost: Tally) -> Callable[[], float]:
    """What a budget has left, asked at any time."""
    return lambda: float("inf") if budget is None else budget - cost.gradient_equivalents
