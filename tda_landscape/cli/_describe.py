"""What was found, as plain numbers: the content of results.json and of --json."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from tda_landscape._survey import Survey
from tda_landscape.topology import EDGE_STATUSES, LandscapeGraph, MergeTree

NOTE = (
    "A description of what was found, not a test. Counts are of the components that hold the minima found; where "
    "a symmetry is named, its copies are one minimum, and nu.raw bounds the count with copies one by one."
)

WORDS = {
    "certified": "certified merges: an upper bound for the components that hold these minima",
    "refined": "refined merges: an upper bound for the components that hold these minima, as far as bisection "
    "found the maximum of each path",
    "sampled": "sampled merges: heights seen at fixed points only, so neither an upper nor a lower bound",
    "none": "no merge was found: every minimum is counted by itself, an upper bound",
}
"""What a count is, by the worst status of a merge that it uses."""


def describe(label: str, survey: Survey, dim: int, seconds: float, complete: bool) -> dict[str, Any]:
    """Describe a survey, as far as it came."""
    found: dict[str, Any] = {"label": label, "complete": complete, "dim": dim}
    if survey.cloud is not None:
        found |= {"starts": len(survey.cloud.reached), "diverged": int(survey.cloud.diverged.sum())}
    elif survey.minima is not None:
        found |= {"starts": int(survey.minima.hits.sum()), "diverged": 0}
    if survey.minima is not None:
        statuses, group = survey.minima.status, survey.minima.symmetry
        found["symmetry"] = None if group is None else group.describe()
        found["status_counts"] = {status: statuses.count(status) for status in dict.fromkeys(statuses)}
    if survey.graph is not None:
        found |= _of_graph(survey.graph, survey)
    cost = survey.cost
    found["cost"] = {"gradient_equivalents": cost.gradient_equivalents, **asdict(cost)}
    return {**found, "seconds": round(seconds, 3), "provenance": survey.provenance, "pictures": {}}


def _of_graph(graph: LandscapeGraph, survey: Survey) -> dict[str, Any]:
    """Leaves, merges, N_u and H0."""
    tree, curve = survey.tree, survey.curve
    return {
        "leaves": len(graph.births),
        "births": numbers(graph.births),
        "leaf_status": graph.leaf_status.tolist(),
        "hits": graph.hits.tolist(),
        "searched_paths": sum(path is not None for path in graph.paths),
        "search": graph.reason,
        "merges": _merges(tree, graph),
        "saddles": _saddles(graph),
        "nu": {
            "levels": numbers(curve.levels),
            "counts": {status: count.tolist() for status, count in curve.counts.items()},
            "proved_separations": curve.proved.tolist(),
            "raw": None if curve.raw is None else [list(map(int, bound)) for bound in curve.raw],
        },
        "max_nu": _highest_count(survey, graph),
        "h0": [numbers(bar) for bar in survey.diagrams[0]],
    }


def _merges(tree: MergeTree, graph: LandscapeGraph) -> list[dict[str, Any]]:
    """Each merge with its height and what is known of it."""
    return [
        {
            "dying": int(dying),
            "elder": int(elder),
            "height": float(height),
            "edge": graph.edges[edge].tolist(),
            "status": str(graph.status[edge]),
            "separation_proved": bool(proved),
        }
        for dying, elder, height, edge, proved in zip(
            tree.dying, tree.elder, tree.height, tree.edge, tree.proved, strict=True
        )
    ]


def _saddles(graph: LandscapeGraph) -> list[dict[str, Any]]:
    """Each verified saddle of index 1: its energy, what it joins, and how many independent searches ended there."""
    return [
        {"energy": float(graph.heights[e]), "joins": graph.edges[e].tolist(), "hits": int(graph.confirmations[e])}
        for e in np.flatnonzero(graph.saddle_index == 1)
    ]


def _highest_count(survey: Survey, graph: LandscapeGraph) -> dict[str, Any]:
    """The largest N_u, where it is first reached, and what is known of it."""
    curve, tree = survey.curve, survey.tree
    count = curve.counts["sampled"]
    at = int(np.argmax(count))
    used = set(graph.status[tree.edge].tolist())
    status = max(used, key=EDGE_STATUSES.index) if used else "none"
    return {
        "count": int(count[at]),
        "level": float(curve.levels[at]),
        "merge_status": status,
        "meaning": WORDS[status],
        "proved_separations": int(curve.proved[at]),
    }


def numbers(values: ArrayLike) -> list[float | None]:
    """Floats for strict JSON: what is not finite, such as an essential death, is null."""
    return [value if np.isfinite(value) else None for value in np.asarray(values, dtype=np.float64).tolist()]
