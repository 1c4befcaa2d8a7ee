"""One engine on one input in its own process: seconds of CPU, memory above the input, and the bars it found.

    python -m benchmarks.topology_engines merge gudhi 1000000 bars.npy

Called by `benchmarks.topology`. Prints one line of JSON and writes the bars that are longer than nothing.
"""

from __future__ import annotations

import json
import os
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

for variable in ("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS", "NUMBA_NUM_THREADS"):
    os.environ.setdefault(variable, "1")

import numpy as np  # noqa: E402

STREAM_CHUNK, STREAM_VERTICES = 5_000_000, 1_000_000


# Inputs, the same for every engine


def random_graph(m: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """m / 10 vertices with energies, about m different pairs, heights a little above their ends."""
    rng = np.random.default_rng(0)
    n = max(m // 10, 4)
    births = rng.random(n)
    i, j = rng.integers(0, n, m), rng.integers(0, n, m)
    keys = np.unique((np.minimum(i, j) * n + np.maximum(i, j))[i != j])
    edges = np.stack([keys // n, keys % n], axis=1)
    return births, edges, np.maximum(births[edges[:, 0]], births[edges[:, 1]]) + rng.exponential(0.05, len(keys))


def neighbour_graph(m: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """m / 10 vertices, ten neighbours each, names shuffled: ten million edges without a search for copies."""
    rng = np.random.default_rng(0)
    n = m // 10
    births, names = rng.random(n), rng.permutation(n).astype(np.int32)
    steps = np.sort(rng.choice(np.arange(1, n // 2), 10, replace=False))
    i = np.repeat(np.arange(n), 10)
    j = (i + np.tile(steps, n)) % n
    edges = np.stack([names[i], names[j]], axis=1)
    del i, j
    return births, edges, np.maximum(births[edges[:, 0]], births[edges[:, 1]]) + rng.exponential(0.05, m)


def distances(n: int) -> np.ndarray:
    """All distances between n Gaussian points in ten dimensions."""
    from scipy.spatial.distance import pdist, squareform

    return squareform(pdist(np.random.default_rng(0).normal(size=(n, 10))))


def grid(n: int) -> np.ndarray:
    """Four tilted wells on a square, with small ripples where the grid is fine enough to see them."""
    ticks = np.linspace(-1.5, 1.5, n)
    x, y = np.meshgrid(ticks, ticks, indexing="ij")
    wells = (x**2 - 1) ** 2 + (y**2 - 1) ** 2 + 0.21 * x + 0.1 * y
    return wells + (0.05 * np.random.default_rng(0).normal(size=x.shape) if n > 100 else 0.0)


# Engines: input -> bars (n, 2) of H0, or [H0, H1]


def ours(graph: Any) -> np.ndarray:
    from tda_landscape.topology import merge_tree

    tree = merge_tree(graph)
    return np.column_stack([tree.births, tree.deaths])


def ours_without_numba(graph: Any) -> np.ndarray:
    from tda_landscape.topology import _forest

    _forest._compiled = lambda: None
    return ours(graph)


def gudhi_tree(graph: Any) -> np.ndarray:
    import gudhi

    births, edges, heights = graph
    tree = gudhi.SimplexTree()
    tree.insert_batch(np.arange(len(births), dtype=np.int32).reshape(1, -1).copy(), births)
    tree.insert_batch(np.ascontiguousarray(edges.T, dtype=np.int32), heights)
    tree.compute_persistence(homology_coeff_field=2)
    return tree.persistence_intervals_in_dimension(0)


def ripser_sparse(graph: Any) -> np.ndarray:
    from ripser import ripser
    from scipy.sparse import coo_matrix

    births, (i, j), heights = graph[0], graph[1].T, graph[2]
    n, r = len(births), np.arange(len(births))
    rows, columns, values = np.r_[r, i, j], np.r_[r, j, i], np.r_[births, heights, heights]
    return ripser(coo_matrix((values, (rows, columns)), shape=(n, n)).tocsr(), distance_matrix=True, maxdim=0)["dgms"][
        0
    ]


def giotto_sparse(graph: Any) -> np.ndarray:
    from gph import ripser_parallel
    from scipy.sparse import coo_matrix

    births, (i, j), heights = graph[0], np.sort(graph[1], axis=1).T, graph[2]
    n, r = len(births), np.arange(len(births))
    matrix = coo_matrix((np.r_[births, heights], (np.r_[r, i], np.r_[r, j])), shape=(n, n))
    return ripser_parallel(matrix, metric="precomputed", maxdim=0, n_threads=1)["dgms"][0]


def higra_tree(graph: Any) -> np.ndarray:
    """A connected graph: the canonical binary partition tree, then the older child of each merge survives."""
    import higra as hg

    births, (i, j), heights = graph[0], graph[1].T, graph[2]
    partition = hg.UndirectedGraph(len(births))
    partition.add_edges(i.astype(np.int64), j.astype(np.int64))
    tree, altitudes = hg.bpt_canonical(partition, heights)
    lowest = hg.accumulate_sequential(tree, births, hg.Accumulators.min)
    inner = np.arange(tree.num_leaves(), tree.num_vertices())
    younger = hg.accumulate_parallel(tree, lowest, hg.Accumulators.max)[inner]
    return np.concatenate([np.column_stack([younger, altitudes[inner]]), [[births.min(), np.inf]]])


def ours_streamed(m: int) -> np.ndarray:
    from tda_landscape.topology import merge_tree_of_chunks

    births = np.random.default_rng(0).random(STREAM_VERTICES)

    def chunks() -> Any:
        for k in range(m // STREAM_CHUNK):
            rng = np.random.default_rng(k + 1)
            edges = rng.integers(0, STREAM_VERTICES, (STREAM_CHUNK, 2), dtype=np.int32)
            yield edges, np.maximum(births[edges[:, 0]], births[edges[:, 1]]) + rng.exponential(0.05, STREAM_CHUNK)

    return merge_tree_of_chunks(births, chunks()).persistence()[0]


def ours_rips(matrix: np.ndarray) -> list[np.ndarray]:
    from tda_landscape.topology import rips

    return rips(distances=matrix, max_dimension=1)


def ripser_rips(matrix: np.ndarray) -> list[np.ndarray]:
    from ripser import ripser

    return ripser(matrix, distance_matrix=True, maxdim=1)["dgms"]


def ours_grid(values: np.ndarray) -> np.ndarray:
    from tda_landscape.topology import cubical_merge_tree

    return cubical_merge_tree(values).persistence()[0]


def gudhi_grid(values: np.ndarray) -> np.ndarray:
    import gudhi

    complex_ = gudhi.CubicalComplex(vertices=values)
    complex_.compute_persistence(homology_coeff_field=2)
    return complex_.persistence_intervals_in_dimension(0)


Engine = Callable[[Any], Any]
CASES: dict[str, tuple[Callable[[int], Any], int, dict[str, Engine]]] = {
    "merge": (
        random_graph,
        600_000,
        {
            "ours": ours,
            "ours without numba": ours_without_numba,
            "gudhi": gudhi_tree,
            "giotto-ph": giotto_sparse,
            "ripser": ripser_sparse,
            "higra": higra_tree,
        },
    ),
    "large": (
        neighbour_graph,
        500_000,
        {"ours": ours, "ours without numba": ours_without_numba, "giotto-ph": giotto_sparse, "higra": higra_tree},
    ),
    "stream": (int, STREAM_CHUNK, {"ours": ours_streamed}),
    "rips": (distances, 50, {"ours": ours_rips, "ripser": ripser_rips}),
    "grid": (grid, 400, {"ours": ours_grid, "gudhi": gudhi_grid}),
}


def memory(field: str) -> float:
    """MB of this process now (VmRSS) or at its highest (VmHWM)."""
    status = Path("/proc/self/status")
    if not status.exists():  # macOS
        import resource

        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    return float(next(line for line in status.read_text().splitlines() if line.startswith(field)).split()[1]) / 1024


def main(case: str, engine: str, size: int, target: str) -> None:
    make, small, engines = CASES[case]
    run, data = engines[engine], make(size)
    run(make(min(small, size)))  # imports, compiled code and caches are not timed
    clear = Path("/proc/self/clear_refs")
    if clear.exists():
        clear.write_text("5")  # the highest memory so far belongs to the making of the input
    before, seconds = memory("VmRSS"), []
    while len(seconds) < 5 and sum(seconds) < 6:
        start = time.process_time()
        bars = run(data)
        seconds.append(time.process_time() - start)
    peak = memory("VmHWM")
    bars = bars[-1] if isinstance(bars, list) else bars
    bars = np.asarray(bars)
    np.save(target, bars[bars[:, 1] > bars[:, 0]])
    print(json.dumps({"seconds": min(seconds), "above": peak - before, "peak": peak}))


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2], int(sys.argv[3]), sys.argv[4])
