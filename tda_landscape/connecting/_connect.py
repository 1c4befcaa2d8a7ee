"""Growing a landscape graph: plan pairs, search paths, keep everything."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np

from tda_landscape._errors import InputError, Interrupted, expect, expect_number, expect_whole
from tda_landscape.certificates import certify_merge, check_certifiable
from tda_landscape.connecting._copies import copies
from tda_landscape.connecting._edges import numbers
from tda_landscape.connecting._growth import Searches, ended, grow
from tda_landscape.connecting._lines import draw_lines
from tda_landscape.connecting._refine import refine_merges
from tda_landscape.connecting._wells import open_wells
from tda_landscape.connecting.pairs import Pairs, SpanningTree
from tda_landscape.energy import Energy, tally
from tda_landscape.minima import Minima
from tda_landscape.paths import Ladder, Search
from tda_landscape.topology import LandscapeGraph, merge_tree

Progress = Callable[[int], None]


def connect(
    energy: Energy,
    minima: Minima,
    *,
    search: Search | None = None,
    pairs: Pairs | None = None,
    refine: bool = False,
    certify: bool = False,
    budget: float | None = None,
    seed: int = 0,
    progress: Progress | None = None,
) -> LandscapeGraph:
    """Search paths between minima and return the landscape graph.

    Parameters
    ----------
    energy : Energy
    minima : Minima
        Minimum, flat and stationary points become the leaves; points that still descend are left out.
    search : Search, optional
        `Ladder()` by default.
    pairs : Pairs, optional
        Which pairs are searched; `SpanningTree()` by default. `AtLevel(u)` decides the count at one level only:
        pairs that are joined are skipped, and heights are known no better than that takes.
    certify : bool
        Prove an upper bound of every merge of the merge tree, to 5 % of what its path rises above its higher
        end or to a millionth of the energy. Needs an energy made from a model whose layers `certify` knows; takes
        evaluations that the budget does not cover.
    refine : bool
        Attack every merge of the tree until it stops changing: from the top of its path, and from points around it,
        search the saddle of index 1; search the nearest other pair across the cut. Minima found on the way become
        leaves. For energies without kinks.
    budget : float, optional
        Gradient equivalents in total; no batch of pairs is begun that its predecessors show to be too dear.
        Either way the rounds end after four searches a leaf, and four more for each time that a merge was lowered by
        more than a hundredth of its height above the leaf that dies there. So connections grow as the leaves do.
    seed : int
        Each pair has random numbers of its own: up to rounding, its path does not depend on what else is searched.
    progress : callable, optional
        Called with the number of pairs searched so far.

    Returns
    -------
    LandscapeGraph
        Every path found is an edge, at its verified height, with status `refined`. Where its `saddle_index` is 1 the
        height is that of a verified saddle, with its |grad E| in `saddle_gradient`, elsewhere an upper bound;
        `confirmations` counts the searches that ended there. A path that falls below its lower end is descended
        from: a verified minimum where that stops becomes a leaf, with edges to both ends. With a symmetry, paths end
        in the image of their leaf that `transform` names. With `certify=True` the merges have status `certified` and
        their proved bounds in `uppers`. A pair without an edge was not searched. No separation is proved.

    Raises
    ------
    InputError
        No leaf among the minima, or `certify=True` for an energy of which nothing can be proved.
    Interrupted
        On Ctrl-C; `.partial` is the graph found so far.

    Examples
    --------
    >>> import tda_landscape as tl
    >>> energy = tl.zoo.mueller_brown()
    >>> graph = tl.connect(energy, tl.quench(energy, tl.sample(energy, chains=50)))
    >>> tl.persistence(graph)[0].round(2).tolist()
    [[-146.7, inf], [-108.17, -40.66], [-80.77, -72.25]]
    """
    expect(Energy, energy=energy)
    expect(Minima, minima=minima)
    expect(Search | None, search=search)
    expect(Pairs | None, pairs=pairs)
    expect(Callable | None, progress=progress)
    expect_number("[0, inf] or None", budget=budget)
    expect_whole("[0, inf)", seed=seed)
    if certify:
        check_certifiable(energy)
    if refine and energy.kinks:
        raise InputError(f"refine=True needs Hessians, which {', '.join(energy.kinks)} does not have everywhere")
    leaves = minima.leaves
    if len(leaves) == 0:
        raise InputError(
            f"none of {len(minima)} points is a minimum ({', '.join(sorted(set(minima.status)))}); "
            "raise max_steps of quench or its budget, or add weight decay where the energy has no minimum"
        )
    graph = _leaf_graph(leaves)
    counted, cost = tally(energy)
    plan = pairs or SpanningTree()
    searches = Searches(counted, cost, draw_lines(counted, leaves), search or Ladder(), plan.level, seed)
    try:
        for larger in grow(graph, plan, searches, budget):
            graph = larger
            if progress is not None:
                progress(len(graph.edges))
        graph = ended(graph, searches.ended)
        graph = graph.with_edges(copies(leaves.symmetry, graph))
        for larger in open_wells(counted, graph, leaves.symmetry):
            graph = larger
            if budget is not None and cost.gradient_equivalents >= budget:
                break
        for larger in refine_merges(counted, graph, leaves.symmetry, searches.search, seed) if refine else ():
            graph = larger
            if budget is not None and cost.gradient_equivalents >= budget:
                break
        return _certified(counted, graph) if certify else graph
    except KeyboardInterrupt:
        raise Interrupted(ended(graph, "interrupted")) from None


def _certified(energy: Energy, graph: LandscapeGraph) -> LandscapeGraph:
    """The graph with a proved upper bound at every merge of its tree that has one."""
    status, uppers = graph.status.astype("<U9"), graph.uppers.copy()
    for edge in merge_tree(graph).edge.tolist():
        certificate = certify_merge(energy, graph.paths[edge])
        if certificate.status == "certified":
            status[edge], uppers[edge] = "certified", max(certificate.upper, graph.heights[edge])
    return replace(graph, status=status, uppers=uppers)


def _leaf_graph(leaves: Minima) -> LandscapeGraph:
    """The graph of leaves without any edge."""
    return LandscapeGraph.from_arrays(
        numbers(leaves.energies),
        [],
        [],
        points=numbers(leaves.points),
        leaf_status=np.array(leaves.status),
        hits=leaves.hits.numpy().astype(np.intp),
        order=None if leaves.symmetry is None else leaves.symmetry.order,
    )
