"""When an exploration may end by itself: a rule on what it found, not a proof that it found everything."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from tda_landscape.topology import MergeTree
from tda_landscape.topology._words import many

CONFIRMATIONS = 5
PATIENCE = 1.25
"""Work without change that is asked for, relative to all the work before the last change."""

RARE = 0.75
"""Saddles of one search, whatever their energy, that are allowed for each minimum: where there are more, climbs still
find new saddles, and a minimum behind one of them was probably missed."""

TRIED = 0.8
"""Share of the variants of minima that is waited for. On a cluster of 8 atoms 2 of 100 searches that waited for half of
them ended without one minimum and none of those that waited for so many, for 2 % more work; all of them would have cost
clusters of 7 atoms a seventh more."""

APART = 5
"""Times as much is given to climbs that are to join the last minima, which they cannot where saddles are degenerate."""


@dataclass(slots=True)
class Rule:
    """Every merge confirmed often enough, few saddles seen only once, variants tried, the tree unchanged for long.

    What was seen once says that other such things were not seen at all (Good and Turing). `rare` counts the saddles of
    one search; for each of them below the last merge, `lonely` ones, the tree is to stay unchanged as long again.
    `single` counts the minima that one search ended in, of descents from starts and from saddles. They are told but
    not waited for: where minima are rare, as in a cluster of 8 atoms, that doubles the work. Most of the variants of
    minima, where there are any, are waited for.
    "k rounds without change" alone ends too early: it was right for 6 of 20 of them.
    """

    patience: float = PATIENCE
    last_change: float = 0.0
    spent: float = 0.0
    fewest: int = 0
    rare: int = 0
    lonely: int = 0
    single: int = 0
    tried: int = 0
    untried: int = 0
    connected: bool = False
    tree: MergeTree | None = None

    def look(
        self,
        tree: MergeTree,
        reached: list[int],
        heights: list[float],
        confirmations: list[int],
        variants: tuple[int, int],
        spent: float,
    ) -> None:
        """Take note, after a round of work, of the tree, how many descents reached each minimum, and all saddles.

        Of `variants` of minima so many were tried, and so many are left.
        """
        if self.tree is None or not _same(self.tree, tree):
            self.last_change = spent
        self.tree, self.spent = tree, spent
        self.tried, self.untried = variants
        self.fewest = min((confirmations[edge] for edge in tree.edge), default=0)
        top = float(tree.height.max()) if len(tree.height) else -np.inf
        self.rare = sum(n == 1 for n in confirmations)
        self.lonely = sum(n == 1 and height <= top for height, n in zip(heights, confirmations, strict=True))
        self.single = sum(n <= 1 for n in reached)
        self.connected = len(tree.height) == len(tree.births) - 1

    @property
    def minima(self) -> int:
        """How many minima the tree has."""
        return 0 if self.tree is None else len(self.tree.births)

    @property
    def most_rare(self) -> int:
        """How many saddles may have been seen only once."""
        return int(RARE * self.minima)

    @property
    def wanted(self) -> float:
        """How many times as much work as before the last change is to pass without one."""
        return self.patience * (1 + self.lonely)

    @property
    def met(self) -> bool:
        """Whether the search may end."""
        confirmed = self.fewest >= CONFIRMATIONS or self.minima == 1
        tried = self.tried >= TRIED * (self.tried + self.untried)
        enough = confirmed and tried and self.rare <= self.most_rare
        return self.connected and enough and self.spent - self.last_change >= self.wanted * self.last_change

    @property
    def stuck(self) -> bool:
        """Whether climbs do not seem to join the minima."""
        if self.tree is None or self.connected:
            return False
        return self.spent - self.last_change >= APART * self.patience * self.last_change

    def state(self, ended: str) -> str:
        """Say how the search ended and where the rule stood, in a sentence."""
        merges = 0 if self.tree is None else len(self.tree.height)
        loose = "" if self.connected else "; the minima are not all joined"
        variants = self.tried + self.untried
        tried = f"{self.tried} of {variants} variants of minima tried (rule: {TRIED:.0%}), " if variants else ""
        least = f"the least confirmed {many(self.fewest, 'time', 'times')} (rule: {CONFIRMATIONS}), " if merges else ""
        return (
            f"{ended}: {many(merges, 'merge', 'merges')}, {least}{many(self.rare, 'saddle', 'saddles')} seen only once "
            f"(rule: at most {self.most_rare}), {self.lonely} of them below the last merge, "
            f"{many(self.single, 'minimum', 'minima')} reached only once, {tried}"
            f"unchanged for {self.spent - self.last_change:.0f} gradients after a change at {self.last_change:.0f} "
            f"(rule: {self.wanted:g} times as much){loose}"
        )


def _same(before: MergeTree, after: MergeTree) -> bool:
    """Whether two trees have as many minima and the same merges, to a millionth of their range."""
    if len(before.births) != len(after.births) or len(before.height) != len(after.height):
        return False
    span = float(np.ptp(np.concatenate([after.births, after.height])))
    return bool(np.allclose(before.height, after.height, rtol=0, atol=1e-6 * span))
