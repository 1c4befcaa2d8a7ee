"""Names below the leaves of a disconnectivity graph."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from matplotlib.axes import Axes

from tda_landscape._errors import InputError
from tda_landscape.plot._axes import points_tall
from tda_landscape.plot._layout import TreeLayout
from tda_landscape.topology import MergeTree

Labels = Sequence[object] | Mapping[int, object]


def leaf_names(labels: Labels | None, n: int) -> dict[int, str]:
    """Labels by leaf."""
    if labels is None:
        return {}
    if isinstance(labels, Mapping):
        strange = [key for key in labels if key not in range(n)]
        if strange:
            raise InputError(f"labels name leaf {strange[0]!r} but there are {n} leaves, numbered from 0")
        return {int(leaf): str(name) for leaf, name in labels.items()}
    if isinstance(labels, str) or len(labels) != n:
        raise InputError(f"labels have {len(labels)} entries for {n} leaves; give one per leaf or a dict of some")
    return {leaf: str(name) for leaf, name in enumerate(labels)}


def draw_names(ax: Axes, tree: MergeTree, layout: TreeLayout, names: dict[int, str], room: float) -> float:
    """Write names below the leaves, upright where they would touch; return their height in points."""
    if not names:
        return 0.0
    gap = room * float(np.diff(np.sort(layout.x[list(names)])).min(initial=50.0))
    size = float(np.clip(0.85 * gap, 4.5, 8.0))
    longest = 0.64 * size * max(map(len, names.values()))
    upright = longest > min(0.95 * gap, 1.7 * room)
    for leaf, name in names.items():
        ax.annotate(
            name,
            (layout.x[leaf], tree.births[leaf]),
            (0, 3 if tree.superlevel else -3),
            textcoords="offset points",
            ha="center",
            va="bottom" if tree.superlevel else "top",
            rotation=90 if upright else 0,
            fontsize=size,
            clip_on=True,
        )
    return (longest if upright else 1.2 * size) + 5


def make_room(ax: Axes, tree: MergeTree, points: float) -> None:
    """Move the end of the energies until so many printer's points are free beyond the deepest leaf."""
    low, high = ax.get_ylim()
    share = min(0.6, points / points_tall(ax))
    if tree.superlevel:
        ax.set_ylim(low, max(high, (float(tree.births.max()) - share * low) / (1 - share)))
    else:
        ax.set_ylim(min(low, (float(tree.births.min()) - share * high) / (1 - share)), high)
