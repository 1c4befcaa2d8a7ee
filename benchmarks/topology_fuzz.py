"""Random graphs that break engines, and independent answers to compare with, all in float64."""

from __future__ import annotations

import numpy as np

from benchmarks.topology_engines import higra_tree
from tda_landscape.topology import _forest, merge_tree


def awkward_graph(seed: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Ties, negatives, disconnected parts, bars of 1e-8 at 2.3, loops, parallel edges and heights of inf."""
    rng = np.random.default_rng([seed, 1])
    n = int(rng.integers(2, 40))
    births = [
        rng.normal(size=n),
        np.round(rng.normal(size=n) * 2),
        2.3 + 1e-8 * rng.integers(0, 5, n),
        -np.abs(np.round(rng.normal(size=n), 1)),
    ][seed % 4]
    edges = rng.integers(0, n, (int(rng.integers(0, 3 * n)), 2))
    rise = rng.choice([0.0, 1e-8, 3e-8, 0.5, 1.0, np.inf], len(edges)) * rng.choice([1.0, rng.random()], len(edges))
    return births, edges, births[edges].max(axis=1, initial=-np.inf) + np.where(np.isnan(rise), np.inf, rise)


def by_gudhi(births: np.ndarray, edges: np.ndarray, heights: np.ndarray) -> np.ndarray:
    """Simplex by simplex, each pair at its lowest height."""
    import gudhi

    tree = gudhi.SimplexTree()
    for v, birth in enumerate(births.tolist()):
        tree.insert([v], birth)
    for e in np.argsort(heights, kind="stable").tolist():
        pair = edges[e].tolist()
        if pair[0] != pair[1] and np.isfinite(heights[e]) and not tree.find(pair):
            tree.insert(pair, heights[e])
    tree.compute_persistence(min_persistence=-1, persistence_dim_max=True)
    return tree.persistence_intervals_in_dimension(0)


def by_brute_force(births: np.ndarray, edges: np.ndarray, heights: np.ndarray) -> np.ndarray:
    """Relabel whole components, edge by edge."""
    part = np.arange(len(births))
    deaths = np.full(len(births), np.inf)
    for e in np.argsort(heights, kind="stable").tolist():
        a, b = part[edges[e]]
        if a != b and np.isfinite(heights[e]):
            oldest = [min(np.flatnonzero(part == p).tolist(), key=lambda v: (births[v], v)) for p in (a, b)]
            deaths[max(oldest, key=lambda v: (births[v], v))] = heights[e]
            part[part == b] = a
    return np.column_stack([births, deaths])


def by_higra(births: np.ndarray, edges: np.ndarray, heights: np.ndarray) -> np.ndarray:
    """Higra wants a connected graph: a star of edges higher than all others, read as inf afterwards."""
    star = np.column_stack([np.zeros(len(births) - 1, dtype=int), np.arange(1, len(births))])
    kept = np.isfinite(heights) & (edges[:, 0] != edges[:, 1])
    joined = np.concatenate([edges[kept], star]), np.concatenate([heights[kept], np.full(len(star), 1e300)])
    bars = higra_tree((births, *joined)).copy()
    bars[bars[:, 1] >= 1e300, 1] = np.inf
    return bars


def ours(births: np.ndarray, edges: np.ndarray, heights: np.ndarray) -> np.ndarray:
    tree = merge_tree((births, edges, heights))
    return np.column_stack([tree.births, tree.deaths])


def bars_of(bars: np.ndarray) -> np.ndarray:
    """Sorted, bars of length zero included."""
    return bars[np.lexsort((bars[:, 1], bars[:, 0]))]


def differences(graphs: int) -> dict[str, int]:
    """On how many graphs each engine differs from ours, with compiled kernels and bands also on small graphs."""
    at_first = _forest.COMPILED_FROM, _forest.BANDED_FROM
    _forest.COMPILED_FROM = _forest.BANDED_FROM = 1
    engines = {"gudhi": by_gudhi, "brute force": by_brute_force}
    try:
        import higra  # noqa: F401

        engines["higra"] = by_higra
    except ModuleNotFoundError:
        pass
    count = dict.fromkeys(engines, 0)
    for seed in range(graphs):
        graph = awkward_graph(seed)
        found = bars_of(ours(*graph))
        for name, engine in engines.items():
            count[name] += not np.array_equal(found, bars_of(engine(*graph)))
    _forest.COMPILED_FROM, _forest.BANDED_FROM = at_first
    return count
