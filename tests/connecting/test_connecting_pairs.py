"""Plans of pairs are pure functions; the graph keeps everything that was found."""

import networkx as nx
import numpy as np
import pytest
import torch

import tda_landscape as tl
from tda_landscape.connecting.pairs import All, AtLevel, Known, Nearest, SpanningTree

EVERY = (SpanningTree(), Nearest(), All(), AtLevel(3.0))


def known(n, seed, edges=(), heights=()):
    rng = np.random.default_rng(seed)
    births = np.sort(rng.random(n))
    matrices = [rng.random((n, n)) + 2 for _ in range(2)]
    straight, distance = (np.minimum(m, m.T) for m in matrices)
    return Known(tl.LandscapeGraph.from_arrays(births, list(edges), list(heights)), straight[None], distance)


@pytest.mark.parametrize("plan", EVERY, ids=lambda p: type(p).__name__)
@pytest.mark.parametrize("n", [1, 2, 3, 9])
def test_pairs_are_sorted_distinct_and_repeatable(plan, n):
    state = known(n, n)
    pairs = plan.propose(state)
    assert pairs == plan.propose(state)
    assert len(set(pairs)) == len(pairs)
    assert all(0 <= i < j < n for i, j in pairs)


@pytest.mark.parametrize("seed", range(5))
def test_first_round_is_the_minimum_spanning_tree_of_straight_heights(seed):
    state = known(8, seed)
    pairs = SpanningTree().propose(state)
    graph = nx.Graph()
    graph.add_weighted_edges_from((i, j, state.straight[0, i, j]) for i in range(8) for j in range(i))
    truth = {tuple(sorted(edge)) for edge in nx.minimum_spanning_edges(graph, data=False)}
    assert set(pairs) == truth


def test_the_tree_spans_where_lines_are_infinite():
    state = known(6, 0)
    state.straight[:, 2] = state.straight[:, :, 2] = np.inf
    pairs = SpanningTree().propose(state)
    assert nx.is_connected(nx.Graph(pairs))
    assert len(nx.Graph(pairs)) == 6


def test_replacements_cross_the_cut_and_could_lower_it():
    first = SpanningTree().propose(known(7, 3))
    state = known(7, 3, first, [5.0 + k for k in range(len(first))])
    proposed = SpanningTree().propose(state)
    assert proposed
    assert not set(proposed) & set(first), "new pairs come before second attempts"
    for i, j in proposed:
        assert tl.merge_tree(state.graph).cut(4.9)[i] != tl.merge_tree(state.graph).cut(4.9)[j]


def test_no_replacement_where_the_floor_is_too_high():
    graph = tl.LandscapeGraph.from_arrays([0.0, 1.0, 1.0], [(0, 1), (0, 2)], [1.2, 1.2])
    flat = np.full((3, 3), 1.5)
    assert SpanningTree(attempts=1).propose(Known(graph, flat[None], flat)) == []
    assert sorted(SpanningTree(attempts=2).propose(Known(graph, flat[None], flat))) == [(0, 1), (0, 2)]
    low = tl.LandscapeGraph.from_arrays([0.0, 1.0, 1.0], [(0, 1), (0, 2)], [1.01, 2.0])
    assert SpanningTree(attempts=1).propose(Known(low, flat[None], flat)) == [(1, 2)]


def test_all_and_nearest():
    state = known(6, 1)
    assert len(All().propose(state)) == 15
    near = Nearest(1).propose(state)
    assert 3 <= len(near) <= 6
    assert len(Nearest(5).propose(state)) == 15
    tried = known(6, 1, [(0, 1)], [9.0])
    assert (0, 1) not in All().propose(tried)


@pytest.mark.parametrize("seed", range(5))
def test_at_a_level_joined_pairs_are_skipped_and_the_rest_is_joined_in_few_rounds(seed):
    """Played against a table of barriers: the count is the exact one, with fewer than n searches that succeed."""
    rng = np.random.default_rng(seed)
    state, n = known(12, seed), 12
    barriers = state.straight[0] - 2 + state.floors  # of each pair
    level = float(np.quantile(barriers[np.triu_indices(n, 1)], 0.2))
    exact = nx.number_connected_components(
        nx.Graph(
            [(i, i) for i in range(n) if state.graph.births[i] <= level]
            + [(i, j) for i in range(n) for j in range(i) if barriers[i, j] <= level]
        )
    )
    graph, searched = state.graph, []
    while pairs := AtLevel(level, attempts=1).propose(Known(graph, state.straight, state.distance)):
        joined = tl.merge_tree(graph).cut(level)
        for i, j in pairs:
            assert joined[i] != joined[j], "a pair that is joined was searched again"
            assert max(graph.births[[i, j]]) <= level
        searched += pairs
        more = [barriers[pair] + rng.random() * (barriers[pair] > level) for pair in pairs]
        graph = graph.with_edges(tl.LandscapeGraph.from_arrays(graph.births, pairs, more))
    assert tl.nu_curve(graph)(level) == exact
    assert len(set(searched)) == len(searched)
    assert sum(barriers[pair] <= level for pair in searched) <= n - 1


def test_at_a_level_searches_stop_there_and_cost_less():
    energy = tl.zoo.mueller_brown()
    minima = tl.quench(energy, tl.sample(energy, chains=50))
    costs = {}
    for name, plan in {"tree": SpanningTree(), "high": AtLevel(-30.0), "low": AtLevel(-60.0)}.items():
        counted, cost = tl.tally(energy)
        curve = tl.nu_curve(tl.connect(counted, minima, pairs=plan))
        assert curve(-30.0) == 1 if name == "high" else curve(-60.0) == 2
        costs[name] = cost.gradient_equivalents
    assert costs["high"] < costs["tree"] / 2


@pytest.mark.parametrize(
    "make", [lambda: Nearest(0), lambda: SpanningTree(attempts=0), lambda: AtLevel(np.inf), lambda: AtLevel(1.0, 0)]
)
def test_senseless_plans_are_refused(make):
    with pytest.raises(tl.InputError):
        make()


def minima_of(energy, chains=60):
    return tl.quench(energy, tl.sample(energy, chains=chains))


def first_attempts(graph):
    found = {}
    for pair, height in zip(map(tuple, graph.edges.tolist()), graph.heights, strict=True):
        found.setdefault(pair, height)
    return found


def test_paths_do_not_depend_on_what_else_is_searched():
    energy = tl.zoo.fourier(1, dim=2)
    minima = minima_of(energy)
    everything = tl.connect(energy, minima, pairs=All(), seed=4)
    tree = tl.connect(energy, minima, pairs=SpanningTree(), seed=4)
    first, all_heights = first_attempts(tree), first_attempts(everything)
    assert len(first) >= len(minima) - 1
    for pair, height in first.items():
        # Another batch rounds differently in the last bit, and a search amplifies that within its tolerance.
        assert height == pytest.approx(all_heights[pair], abs=5e-3)


def test_same_seed_same_bits_other_seed_other_paths():
    energy = tl.zoo.fourier(1, dim=2)
    minima = minima_of(energy)
    one, two, other = (tl.connect(energy, minima, seed=s, budget=1000) for s in (0, 0, 1))
    assert np.array_equal(one.heights, two.heights)
    assert not np.array_equal(one.heights[:3], other.heights[:3])


def test_budget_ends_the_search_and_more_budget_only_lowers():
    energy = tl.zoo.fourier(1, dim=2)
    minima = minima_of(energy)
    little = tl.connect(energy, minima, budget=1, seed=0)
    assert len(little.edges) == len(minima) - 1
    much = tl.connect(energy, minima, seed=0)
    assert len(much.edges) > len(little.edges)
    tallest, lower = tl.merge_tree(little).height, tl.merge_tree(much).height
    assert (lower <= tallest + 1e-12).all()


class Lowering:
    """A search whose paths each peak a little lower than the one before, over the energy y^2."""

    def __init__(self, factor):
        self.factor, self.peak = factor, 1.0

    def find(self, energy, starts, ends, generators, *, level=None, watch=None):
        lines = []
        for a, b in zip(starts, ends, strict=True):
            self.peak *= self.factor
            lines.append(torch.stack([a, (a + b) / 2 + torch.tensor([0.0, self.peak]), b]))
        return tl.paths.verify(energy, lines, [tl.paths.Stop.BUDGET] * len(lines))


def searches_of(n, factor):
    points = torch.stack([torch.arange(n, dtype=torch.float64), torch.zeros(n, dtype=torch.float64)], 1)
    energy = tl.Energy.from_function(lambda x: x[:, 1] ** 2 + 1e-3 * torch.sin(torch.pi * x[:, 0]) ** 2, 2)
    minima = tl.quench(energy, points)
    return len(tl.connect(energy, minima, search=Lowering(factor)).edges)


def test_connections_grow_as_the_leaves_do_where_every_search_still_lowers_something():
    tiny = [searches_of(n, 1 - 1e-6) for n in (10, 20, 30)]
    assert all(4 * n <= made <= 6 * n for n, made in zip((10, 20, 30), tiny, strict=True)), tiny
    # What counts as lowered pays for more searches: up to all 190 pairs and the second attempts.
    assert searches_of(20, 0.98) > 1.5 * tiny[1]


def test_every_edge_carries_its_path_and_status():
    energy = tl.zoo.fourier(1, dim=2)
    minima = minima_of(energy)
    graph = tl.connect(energy, minima)
    assert set(graph.status.tolist()) == {"refined"}
    for (i, j), height, path in zip(graph.edges, graph.heights, graph.paths, strict=True):
        assert height == pytest.approx(path.height)
        assert torch.equal(path.points[0], minima.points[i])
        assert float(energy.displacement(path.points[-1], minima.points[j]).norm()) < 1e-9
    assert graph.hits.tolist() == minima.hits.tolist()
    assert not graph.proved.any()


def test_one_leaf_is_a_graph_without_edges():
    energy = tl.Energy.from_function(lambda x: x.square().sum(1), 2)
    graph = tl.connect(energy, minima_of(energy, 5))
    assert graph.edges.shape == (0, 2)
    assert tl.nu_curve(graph)([-1.0, 1.0]).tolist() == [0, 1]


def test_an_energy_with_a_wall_leaves_the_pair_unresolved():
    def function(x):
        return torch.where(x[:, 0].abs() < 0.5, torch.inf, (x[:, 0].abs() - 1) ** 2)

    energy = tl.Energy.from_function(function, 1, bounds=(0.6, 2))
    minima = tl.quench(energy, torch.tensor([[-1.2], [1.3]]))
    graph = tl.connect(energy, minima)
    assert np.isinf(graph.heights).all()
    curve = tl.nu_curve(graph)
    assert int(curve(1e9)) == 2
    assert int(curve.n_proved(1e9)) == 0, "a failed search proves nothing"


def test_an_interrupt_keeps_what_was_found():
    energy = tl.zoo.fourier(0, dim=2)
    minima = minima_of(energy)

    def stop(edges):
        if edges > len(minima) - 1:
            raise KeyboardInterrupt

    with pytest.raises(tl.Interrupted) as caught:
        tl.connect(energy, minima, progress=stop)
    assert len(caught.value.partial.edges) >= len(minima) - 1
    assert len(tl.merge_tree(caught.value.partial).roots) == 1


def test_a_black_box_is_not_certified_and_the_error_says_what_works():
    energy = tl.zoo.double_well(1)
    with pytest.raises(tl.InputError, match="lipschitz"):
        tl.connect(energy, minima_of(energy), certify=True)
