"""The main job as one composition: sample, quench, connect, and every view of the graph."""

from __future__ import annotations

import platform
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Any

import torch

from samplers import SGD
from tda_landscape import __version__
from tda_landscape._errors import InputError, Interrupted, described, expect, expect_number
from tda_landscape.connecting import connect as connect_verb
from tda_landscape.connecting._chart_graph import minima_of
from tda_landscape.connecting._explore import explore_chart, joined, left_of
from tda_landscape.energy import Energy, Tally, tally
from tda_landscape.minima import Cloud, Minima
from tda_landscape.minima import quench as quench_verb
from tda_landscape.minima import sample as sample_verb
from tda_landscape.minima._describe import hessian_cost
from tda_landscape.topology import (
    Diagrams,
    LandscapeGraph,
    MergeTree,
    NuCurve,
    merge_tree,
    nu_curve,
    persistence,
)

EXPLORE_DIM = 64
"""Up to this dimension a Hessian costs no more than a descent, and exploring is the better way."""

CHAINS, FEWEST, EACH = 64, 4, 2000
"""Trained networks; fewer, but not below the fewest, where a budget has not so many gradients for each and three times
what its Hessian takes: what is not trained to the end, or of unknown kind, is no minimum."""


@dataclass(frozen=True, slots=True, eq=False)
class Survey:
    """What a survey found; None for stages it had no need of or, interrupted, did not reach.

    Attributes
    ----------
    cloud : Cloud or None
    minima : Minima or None
    graph : LandscapeGraph or None
    cost : Tally
        Evaluations spent.
    provenance : dict
        Versions, threads, dimension, precision, and the plan: ``energy.in_chunks(plan)`` repeats the same bits.
    """

    cloud: Cloud | None
    minima: Minima | None
    graph: LandscapeGraph | None
    cost: Tally
    provenance: dict[str, Any]

    def __repr__(self) -> str:
        spent = f"{self.cost.gradient_equivalents:.6g} gradient equivalents"
        found = [noun for noun in (self.cloud, self.minima, self.graph) if noun is not None]
        views = ["interrupted before it had a graph"] if self.graph is None else [self.curve]
        return "\n".join(map(str, [f"survey in {self.provenance['dim']} dimensions, {spent}", *found, *views]))

    @property
    def tree(self) -> MergeTree:
        """The merge tree of the graph."""
        return merge_tree(self._found)

    @property
    def curve(self) -> NuCurve:
        """N_u at every level, once a status."""
        return nu_curve(self._found)

    @property
    def diagrams(self) -> Diagrams:
        """The H0 diagram."""
        return persistence(self._found)

    @property
    def reason(self) -> str:
        """How the searches ended, where their rule stood, and how many pairs of minima have a path of their own."""
        return self._found.reason

    @property
    def diagnosis(self) -> str:
        """Not built yet."""
        raise InputError("diagnosis is not built yet; look at minima.status, cloud.diverged and curve.counts")

    @property
    def _found(self) -> LandscapeGraph:
        if self.graph is None:
            raise InputError("this survey was interrupted before it had a graph; run it again")
        return self.graph


def survey(
    energy: Energy,
    *,
    seed: int = 0,
    budget: float | None = None,
    sample: Callable[[Energy], Cloud] | None = None,
    quench: Callable[[Energy, Cloud], Minima] | None = None,
    connect: Callable[[Energy, Minima], LandscapeGraph] | None = None,
    explore: bool | None = None,
    store: None = None,
    progress: Callable[[str, str], None] | None = None,
) -> Survey:
    """Run the main job; the merge tree, N_u and the diagram follow from the graph that it ends in.

    Where Hessians can be afforded, up to 64 dimensions without kinks, that is `explore`; elsewhere, or if steps are
    given, it is sample, quench and connect.

    Parameters
    ----------
    energy : Energy
    seed, budget : int, float
        Of the default steps; a step that is given brings its own. The budget is in gradient equivalents, in
        total: a quarter of it goes to sampling at most, half of what that leaves to quench, the rest to paths. Of a
        network so many copies are trained as that pays for, from 4 to 64.
    sample, quench, connect : callable, optional
        Steps to use instead of the default ones, such as
        ``functools.partial(tl.sample, kernel=SGD(lr=0.1), chains=100)``.
    explore : bool, optional
        Whether to explore; by default where it can be afforded and no step is given.
    store : None
        Only None works now.
    progress : callable, optional
        Called with the name of each stage and a sentence on where it stands.

    Returns
    -------
    Survey

    Raises
    ------
    InputError
        A step refuses its input.
    Interrupted
        On Ctrl-C; `.partial` is the Survey of the stages that had ended.

    Examples
    --------
    >>> import tda_landscape as tl
    >>> survey = tl.survey(tl.zoo.double_well(2), seed=0)
    >>> survey.diagrams[0].round(3).tolist()
    [[0.0, inf], [0.0, 1.0], [0.0, 1.0], [0.0, 1.0]]
    """
    expect(Energy, energy=energy)
    expect(Callable | None, sample=sample, quench=quench, connect=connect, progress=progress)
    expect_number("[0, inf] or None", budget=budget)
    if not isinstance(explore, bool | None):
        raise InputError(f"explore must be True, False or None, got {described(explore)}")
    if store is not None:
        raise InputError(f"store={store!r} is not built yet; store=None works, keep the Survey that is returned")
    counted, cost = tally(energy)
    tell = progress or (lambda stage, sentence: None)
    found: dict[str, Any] = {"cloud": None, "minima": None, "graph": None}
    if explore is None:
        explore = not (sample or quench or connect) and explorable(energy)
    try:
        if explore:
            tell("explore", "descending from the first starts")
            chart, reason = explore_chart(counted, budget, seed, progress=partial(tell, "explore"))
            found["minima"] = minima_of(chart)
            found["graph"] = joined(chart, reason, left_of(budget, cost), seed)
        else:
            tell("sample", "drawing points")
            found["cloud"] = (sample or _default_sample(energy, seed, budget))(counted)
            tell("quench", f"descending from {len(found['cloud'].points)} points")
            half = None if budget is None else max(budget - cost.gradient_equivalents, 0.0) / 2
            found["minima"] = (quench or partial(quench_verb, budget=half))(counted, found["cloud"])
            tell("connect", f"searching paths between {found['minima']}")
            left = None if budget is None else max(budget - cost.gradient_equivalents, 0.0)
            found["graph"] = (connect or partial(connect_verb, budget=left, seed=seed))(counted, found["minima"])
    except KeyboardInterrupt as stopped:
        if isinstance(stopped, Interrupted):
            found["graph"] = stopped.partial
        raise Interrupted(Survey(**found, cost=cost, provenance=_provenance(energy))) from None
    return Survey(**found, cost=cost, provenance=_provenance(energy))


def explorable(energy: Energy) -> bool:
    """Whether a survey explores this energy where nothing else is asked for."""
    return energy.dim <= EXPLORE_DIM and not energy.kinks


def _default_sample(energy: Energy, seed: int, budget: float | None) -> Callable[[Energy], Cloud]:
    """Trained networks for a network; for any other energy, whose scale nobody knows, the start law itself."""
    if energy.network is None:
        return partial(sample_verb, chains=256, seed=seed)
    chains, steps = CHAINS, 500
    if budget is not None:
        chains = max(FEWEST, min(CHAINS, int(budget / (EACH + 3 * hessian_cost(energy)))))
        steps = min(steps, int(budget / 4 / chains))
    return partial(sample_verb, kernel=SGD(lr=0.05, momentum=0.9), chains=chains, steps=steps, seed=seed)


def _provenance(energy: Energy) -> dict[str, Any]:
    """What else the numbers depend on."""
    return {
        "tda_landscape": __version__,
        "torch": torch.__version__,
        "python": platform.python_version(),
        "threads": torch.get_num_threads(),
        "plan": energy.plan,
        "dim": energy.dim,
        "dtype": str(energy.dtype).removeprefix("torch."),
    }
