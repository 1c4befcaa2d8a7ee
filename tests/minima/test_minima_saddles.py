"""Saddles: climbs and their Hessian updates, and verdicts that take nothing else for a saddle of index 1."""

import pytest
import torch

import tda_landscape as tl
from tda_landscape.energy.symmetry import Atoms
from tda_landscape.minima import _saddle
from tda_landscape.minima._atlas import Atlas
from tda_landscape.minima._climb import _bofill, _look_again, climb
from tda_landscape.minima._hessian import lowest_eigenvalues, lowest_modes
from tda_landscape.minima._settle import settle
from tda_landscape.minima._spectrum import spectra

MINIMA = {
    -146.699517209954: (-0.558223635, 1.441725842),
    -108.16672411685235: (0.623499405, 0.028037759),
    -80.76781812965903: (-0.050010823, 0.466694105),
}
SADDLES = [-72.24894011232522, -40.6648435086574]


def points(*rows):
    return torch.tensor(rows, dtype=torch.float64)


def noise(*shape, seed=0):
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


def symmetric(k, d, seed=0):
    matrix = noise(k, d, d, seed=seed)
    return matrix + matrix.mT


def close(a, b, atol=1e-10):
    return torch.allclose(a, b, rtol=0, atol=atol)


def critical_points(energy, grid):
    """All stationary points of an energy on the unit torus, by Newton steps from a grid, and their indices."""
    axes = torch.meshgrid(*[torch.arange(grid, dtype=torch.float64) / grid] * energy.dim, indexing="ij")
    x = torch.stack([axis.flatten() for axis in axes], dim=1)
    for _ in range(12):
        _, g = energy.value_and_grad(x)
        step = torch.linalg.solve(energy.hessian(x), g[:, :, None])[:, :, 0]
        x = energy.wrap(x - step * (0.5 / grid / step.norm(dim=1, keepdim=True)).clamp(max=1))
    x = x[energy.value_and_grad(x)[1].norm(dim=1) < 1e-9]
    kept = []
    for i in range(len(x)):
        if all(float(energy.displacement(x[i, None], x[j, None]).norm()) > 1e-6 for j in kept):
            kept.append(i)
    x = x[kept]
    return x, (torch.linalg.eigvalsh(energy.hessian(x)) < 0).sum(1)


# Hessian updates


def test_a_second_look_makes_the_softest_modes_right_and_changes_nothing_else():
    truth, guess = symmetric(1, 8)[0], symmetric(3, 8, seed=1)
    energy = tl.Energy.from_function(lambda x: ((x @ truth) * x).sum(1) / 2, 8)
    x = noise(3, 8, seed=2)
    spectrum = spectra(guess, x, None)
    _, gradients = energy.value_and_grad(x)
    updated = _look_again(energy, x, gradients, guess, spectrum)
    soft, rest = spectrum.vectors[:, :, :5], spectrum.vectors[:, :, 5:]
    assert not close(guess @ soft, truth @ soft, 0.1)
    assert close(updated @ soft, truth @ soft, 1e-7), "block secant equation"
    assert close(updated, updated.mT, 1e-7)
    assert close(rest.mT @ updated @ rest, rest.mT @ guess @ rest)


def test_a_second_look_costs_one_gradient_a_mode():
    energy, cost = tl.tally(tl.zoo.double_well(8))
    x = noise(2, 8)
    _look_again(energy, x, torch.zeros_like(x), symmetric(2, 8), spectra(symmetric(2, 8), x, None))
    assert cost.gradient_equivalents == 2 * 5


def test_bofill_keeps_symmetry_and_fulfils_the_secant_equation():
    guess, steps, changes = symmetric(5, 6), noise(5, 6, seed=1), noise(5, 6, seed=2)
    updated = _bofill(guess, steps, changes)
    assert close((updated @ steps[:, :, None])[:, :, 0], changes)
    assert not close((guess @ steps[:, :, None])[:, :, 0], changes, 0.1)
    assert close(updated, updated.mT)


def test_bofill_leaves_a_right_hessian_alone_and_learns_a_quadratic():
    truth, guess, steps = symmetric(1, 6), symmetric(1, 6, seed=1), noise(40, 1, 6, seed=2)
    step = steps[0]
    assert close(_bofill(truth, step, (truth @ step[:, :, None])[:, :, 0]), truth)
    before = float((guess - truth).norm())
    for step in steps:
        guess = _bofill(guess, step, (truth @ step[:, :, None])[:, :, 0])
    assert float((guess - truth).norm()) < 1e-2 * before


@pytest.mark.parametrize("change", [torch.nan, torch.inf])
def test_bofill_ignores_what_is_not_finite(change):
    guess, steps = symmetric(2, 4), noise(2, 4)
    changes = noise(2, 4, seed=1)
    changes[0, 2] = change
    updated = _bofill(guess, steps, changes)
    assert torch.equal(updated[0], guess[0])
    assert close((updated[1] @ steps[1]), changes[1])


# Spectra


def pentagon():
    """The lowest cluster of seven atoms."""
    energy = tl.zoo.lennard_jones(7)
    return energy, tl.quench(energy, energy.start(40, 0)).points[:1]


def test_spectra_set_zero_modes_aside_and_nothing_else():
    energy, x = pentagon()
    hessian = energy.hessian(x)
    plain, aside = spectra(hessian, x, None), spectra(hessian, x, Atoms(7))
    assert int((plain.values.abs() < 1e-6).sum()) == 6
    assert aside.values[0, 15:].tolist() == [torch.inf] * 6
    others = plain.values[0][plain.values[0].abs() > 1e-6]
    assert close(aside.values[0, :15], others, 1e-8 * float(others.max()))
    assert close(aside.hessians(), hessian, 1e-8 * float(others.max()))
    vector = noise(1, 21)
    assert close(aside.assemble(aside.coordinates(vector)), vector)
    assert float(aside.scale) == pytest.approx(float(others.max()))


def test_spectra_of_a_line_of_atoms_have_one_zero_mode_less():
    x = points((0, 0, 0, 1.1, 0, 0, 2.2, 0, 0))
    energy = tl.zoo.lennard_jones(3)
    assert int(spectra(energy.hessian(x), x, Atoms(3)).values.isinf().sum()) == 5


# Climbs


def climb_both_ways(energy, starts, first=0.1, ceiling=torch.inf, known=None):
    """Climb from minima along their lowest modes, up and down."""
    spectrum = spectra(energy.hessian(starts), starts, None)
    modes = torch.cat([spectrum.vectors[:, :, 0], -spectrum.vectors[:, :, 0]])
    twice = torch.cat([starts, starts])
    longest = torch.full((len(twice),), first, dtype=torch.float64)
    at = twice + 0.4 * first * modes
    hessians = torch.cat([spectrum.hessians()] * 2)
    return climb(energy, None, at, modes, hessians, longest / 2, longest, ceiling, known or Atlas(energy, None, 1.0))


def test_climbs_end_at_the_exact_saddles_of_mueller_brown():
    energy = tl.zoo.mueller_brown()
    ends = climb_both_ways(energy, points(*MINIMA.values()))
    arrived = ends.points[ends.arrived]
    assert len(arrived) >= 3
    exact = settle(energy, arrived, None, 0.1, 1e-9)
    assert exact.index.tolist() == [1] * len(arrived)
    assert {round(e, 6) for e in exact.energies.tolist()} <= {round(e, 6) for e in SADDLES}
    assert float((exact.points - arrived).norm(dim=1).max()) < 0.05, "a climb ends near its saddle"
    assert bool(ends.turned[ends.arrived].all())


@pytest.mark.parametrize("seed", [0, 3])
def test_climbs_end_at_exact_saddles_of_a_fourier_landscape(seed):
    energy = tl.zoo.fourier(seed, dim=2)
    exact, index = critical_points(energy, 40)
    counts = [int((index == i).sum()) for i in range(3)]
    assert counts[0] - counts[1] + counts[2] == 0, "Euler characteristic of the torus: no critical point is missing"
    ends = climb_both_ways(energy, exact[index == 0], first=0.03)
    settled = settle(energy, ends.points[ends.arrived], None, 0.03, 1e-10)
    saddles = exact[index == 1]
    gaps = torch.stack([energy.displacement(p[None], saddles).norm(dim=1).min() for p in settled.points])
    right = settled.index == 1
    assert int(right.sum()) >= counts[0]
    assert float(gaps[right].max()) < 1e-7
    assert float(gaps[~right].min() if (~right).any() else 1.0) > 1e-3, "what is no saddle is not said to be one"


def test_a_known_saddle_ends_climbs_early():
    energy, cost = tl.tally(tl.zoo.mueller_brown())
    low = points(MINIMA[-80.76781812965903])
    known = Atlas(energy, None, 0.5)
    saddle = settle(energy, points((0.2125, 0.2930)), None, 0.1, 1e-9)
    known.add(saddle.points, saddle.energies, saddle.spectrum)
    before = cost.gradient_equivalents
    alone = climb_both_ways(energy, low)
    middle = cost.gradient_equivalents
    ends = climb_both_ways(energy, low, known=known)
    assert cost.gradient_equivalents - middle < middle - before
    assert 0 in ends.known.tolist()
    assert not bool(ends.arrived[ends.known >= 0].any())
    there = settle(energy, alone.points[ends.known >= 0], None, 0.1, 1e-9)
    assert close(there.points, saddle.points.expand_as(there.points), 1e-6), "the same saddle as without"


def test_climbs_above_the_ceiling_are_given_up():
    energy = tl.zoo.mueller_brown()
    low = points(MINIMA[-80.76781812965903])
    free, held = climb_both_ways(energy, low), climb_both_ways(energy, low, ceiling=-76.0)
    assert bool(free.arrived.any())
    assert not bool(held.arrived.any())


# Verdicts


def test_saddles_of_mueller_brown_to_eight_digits_with_both_ways_down():
    energy = tl.zoo.mueller_brown()
    guesses = points((0.2125, 0.2930), (-0.8220, 0.6243)).repeat(10, 1) + 0.04 * noise(20, 2)
    saddles = tl.refine_saddle(energy, guesses)
    assert saddles.status == ("saddle",) * 20
    assert saddles.energies.tolist() == pytest.approx(SADDLES * 10, abs=1e-8)
    assert bool((saddles.eigenvalues[:, 0] < 0).all() and (saddles.eigenvalues[:, 1] > 0).all())
    joined = [sorted([round(float(e), 3) for e in way.energies[[0, -1]]]) for way in saddles.ways]
    low, middle, high = (round(e, 3) for e in MINIMA)
    assert joined == [[middle, high], [low, high]] * 10
    for way, top in zip(saddles.ways, saddles.energies, strict=True):
        assert float(way.energies.max()) == float(top)
        peak = int(way.energies.argmax())
        assert float(way.energies[: peak + 1].diff().min()) > -1e-10, "up to the saddle, apart from rounding"
        assert float(way.energies[peak:].diff().max()) < 1e-10, "and down from it"
        assert close(energy(way.points), way.energies)


def monkey(scale):
    def function(x):
        return scale * (x[:, 0] ** 3 - 3 * x[:, 0] * x[:, 1] ** 2 + x.square().sum(1) ** 2)

    return tl.Energy.from_function(function, 2)


@pytest.mark.parametrize("scale", [1.0, 1e-2, 1e-4])
def test_a_monkey_saddle_is_refused(scale):
    energy = monkey(scale)
    saddles = tl.refine_saddle(energy, 0.3 * noise(30, 2))
    assert set(saddles.status) <= {"flat", "unconverged"}
    assert saddles.ways == (None,) * 30
    near = tl.refine_saddle(energy, points((0.0, 0.0), (1e-5, 2e-5), (1e-6, 0.0)))
    assert near.status == ("flat",) * 3
    assert len(near.accepted) == 0


def test_control_the_small_gradient_near_a_monkey_saddle_looks_like_a_saddle():
    """Gradient and the signs of eigenvalues alone would let it pass: hence the look at how Newton's steps converge."""
    energy, x = monkey(1e-2), points((1e-4, 2e-5))
    _, gradient = energy.value_and_grad(x)
    values, error = lowest_eigenvalues(energy, x)
    assert float(gradient.norm()) < 1e-8
    assert float(values[0, 0]) < -float(error) < float(error) < float(values[0, 1])
    assert tl.refine_saddle(energy, x).status == ("flat",)


def two_down():
    """Maximum in y and z at the origin; index-1 saddles at y = 0 or z = 0, four minima."""

    def function(x):
        return x[:, 0] ** 2 + (x[:, 1] ** 2 - 1) ** 2 + (x[:, 2] ** 2 - 1) ** 2

    return tl.Energy.from_function(function, 3)


def test_a_point_of_index_two_is_refused_with_its_name():
    saddles = tl.refine_saddle(two_down(), points((0, 0, 0), (0, 1, 0)))
    assert saddles.status == ("higher index", "saddle")
    assert saddles.ways[0] is None
    assert close(saddles.points[0], points((0, 0, 0))[0])


def test_near_a_point_of_index_two_the_search_goes_on_to_one_of_index_one():
    saddles = tl.refine_saddle(two_down(), 0.05 * noise(10, 3))
    assert set(saddles.status) == {"saddle"}
    assert saddles.energies.tolist() == pytest.approx([1.0] * 10, abs=1e-12)


def test_a_minimum_is_no_saddle():
    """A bowl has none at all; from a minimum of Mueller-Brown the search climbs away or ends without one."""
    bowl = tl.Energy.from_function(lambda x: x.square().sum(1), 3)
    ends = tl.refine_saddle(bowl, torch.cat([torch.zeros(1, 3).double(), noise(5, 3)]))
    assert set(ends.status) <= {"minimum", "unconverged"}
    assert ends.ways == (None,) * 6
    ends = tl.refine_saddle(tl.zoo.mueller_brown(), points(*MINIMA.values()))
    for status, energy in zip(ends.status, ends.energies.tolist(), strict=True):
        assert status != "saddle" or min(abs(energy - e) for e in SADDLES) < 1e-8
        assert status != "minimum" or min(abs(energy - e) for e in MINIMA) < 1e-8


def test_a_valley_floor_is_flat():
    energy = tl.Energy.from_function(lambda x: -(x[:, 0] ** 2) + x[:, 0] ** 4 + 0 * x[:, 1], 2)
    assert tl.refine_saddle(energy, points((0.0, 0.4), (0.05, 0.1))).status == ("flat", "flat")


def test_saddles_of_atoms_leave_zero_modes_aside():
    energy = tl.zoo.lennard_jones(7)
    graph = tl.explore(energy, seed=1, budget=1000)
    tops = torch.stack([path.points[path.energies.argmax()] for path in graph.paths if path is not None])
    heights = [h for h, path in zip(graph.heights.tolist(), graph.paths, strict=True) if path is not None]
    moved, _ = Atoms(7).scramble(tops + 1e-3 * noise(*tops.shape), torch.Generator().manual_seed(0))
    saddles = tl.refine_saddle(energy, moved)
    assert saddles.status == ("saddle",) * len(tops)
    assert saddles.energies.tolist() == pytest.approx(heights, abs=1e-7)
    bare = tl.refine_saddle(energy, moved, symmetry=None)
    assert "saddle" not in bare.status, "control: with six zero eigenvalues none is of index 1"


def test_kinks_are_refused():
    energy = tl.Energy.from_function(lambda x: x.abs().sum(1), 2)
    with pytest.raises(tl.InputError, match="needs Hessians"):
        tl.refine_saddle(energy, points((0.1, 0.2)))


def test_nonfinite_points_and_no_points_are_told():
    energy = tl.Energy.from_function(lambda x: torch.where(x[:, 0] > 3, torch.nan, x[:, 0] ** 2 - x[:, 1] ** 2), 2)
    assert tl.refine_saddle(energy, points((4.0, 0.0), (0.1, 0.1))).status == ("nonfinite", "saddle")
    assert len(tl.refine_saddle(energy, torch.empty(0, 2))) == 0


def test_accepted_keeps_the_saddles_alone():
    saddles = tl.refine_saddle(two_down(), points((0, 0, 0), (0, 1, 0), (0, 0, -1)))
    assert len(saddles.accepted) == 2
    assert torch.equal(saddles.accepted.points, saddles.points[1:])
    assert saddles.accepted.ways == saddles.ways[1:]
    assert str(saddles) == "3 searches for saddles: 1 higher index, 2 saddle"


@pytest.mark.parametrize("make", [tl.zoo.double_well, tl.zoo.tilted_wells])
def test_products_with_vectors_alone_lead_to_the_same_saddles(monkeypatch, make):
    def make_six():
        return make(6)

    guesses = points((0.1, 1, 1, -1, 1, 1), (1, 1, -1, 1, -0.1, 1)) + 0.05 * noise(2, 6)
    dense = tl.refine_saddle(make_six(), guesses)
    assert dense.status == ("saddle",) * 2
    monkeypatch.setattr(_saddle, "DENSE_DIM", 0)
    energy, cost = tl.tally(make_six())
    sparse = tl.refine_saddle(energy, guesses)
    assert cost.hvps > 0
    assert sparse.status == dense.status
    assert close(sparse.points, dense.points, 1e-7)
    assert close(sparse.eigenvalues, dense.eigenvalues, 1e-4)


def test_products_with_vectors_set_zero_modes_of_atoms_aside(monkeypatch):
    energy = tl.zoo.lennard_jones(7)
    graph = tl.explore(energy, seed=0, budget=1500, patience=torch.inf)
    tops = torch.stack([path.points[path.energies.argmax()] for path in graph.paths if path is not None])[:2]
    dense = tl.refine_saddle(energy, tops + 1e-2 * noise(*tops.shape))
    monkeypatch.setattr(_saddle, "DENSE_DIM", 0)
    sparse = tl.refine_saddle(energy, tops + 1e-2 * noise(*tops.shape))
    assert sparse.status == dense.status == ("saddle",) * len(tops)
    assert close(sparse.energies, dense.energies, 1e-8)


def test_the_lowest_modes_are_eigenvectors_of_the_lowest_eigenvalues():
    energy, x = tl.zoo.mueller_brown(), points((0.2125, 0.2930))
    values, _, modes = lowest_modes(energy, x)
    assert close(modes @ energy.hessian(x), values[:, :, None] * modes, 1e-8)
    line = tl.Energy.from_function(lambda x: x[:, 0] ** 2, 1)
    assert lowest_modes(line, points((0.3,)))[0].tolist() == [[2.0, torch.inf]]


def wide_monkey(scale, dim=120, last=1.0):
    """A monkey saddle in two coordinates, a bowl in the others, of curvatures 2 to 2 * last."""
    bowl = torch.linspace(1.0, last, dim - 2, dtype=torch.float64)

    def function(x):
        well = x[:, :2].square().sum(1) ** 2 + (bowl * x[:, 2:].square()).sum(1)
        return scale * (x[:, 0] ** 3 - 3 * x[:, 0] * x[:, 1] ** 2) + well

    return tl.Energy.from_function(function, dim)


@pytest.mark.parametrize("scale", [1.0, 1e-2])
def test_products_with_vectors_alone_refuse_a_monkey_saddle(monkeypatch, scale):
    energy = wide_monkey(scale)
    near = 1e-3 * noise(12, 120)
    near[:, :2] = points((1e-4, 2e-5), (1e-5, 1e-6), (0.0, 0.0)).repeat(4, 1)
    saddles = tl.refine_saddle(energy, near)
    assert set(saddles.status) <= {"flat", "unconverged"}
    assert "flat" in saddles.status
    monkeypatch.setattr(_saddle, "SLOW", torch.inf)
    assert "saddle" in tl.refine_saddle(energy, near).status, "control: signs alone would let some of them pass"


def test_products_with_vectors_alone_still_accept_soft_saddles():
    energy = tl.Energy.from_function(
        lambda x: 1e-3 * (x[:, 0] ** 2 - 1) ** 2 + x[:, 1:].square().sum(1) + x[:, 1] * x[:, 0] ** 2 / 50, 120
    )
    near = 0.02 * noise(4, 120)
    assert tl.refine_saddle(energy, near).status == ("saddle",) * 4


@pytest.mark.parametrize(("scale", "last"), [(1.0, 1.0), (1e-2, 1.0), (1e2, 3.0)])
def test_where_no_hessian_is_afforded_a_monkey_saddle_is_refused_and_no_minimum(scale, last):
    """Also the degenerate point itself, whose kernel a Krylov space has to be shown."""
    energy = wide_monkey(scale, 700, last)
    near = 1e-3 * noise(6, 700)
    near[:, :2] = points((1e-4, 2e-5), (1e-5, 1e-6), (0.0, 0.0)).repeat(2, 1)
    near[-1] = 0.0
    saddles = tl.refine_saddle(energy, near)
    assert set(saddles.status) <= {"flat", "unconverged"}
    assert saddles.status[-1] == "flat"
    found = tl.quench(energy, near)
    there = [status for x, status in zip(found.points, found.status, strict=True) if x.norm() < 0.1 * scale]
    assert "flat" in there
    assert "minimum" not in there
    low = [status for x, status in zip(found.points, found.status, strict=True) if x.norm() > 0.1 * scale]
    assert set(low) <= {"minimum"}, "control: the three wells around it are minima"


@pytest.mark.parametrize(("second", "status"), [(1.0, "higher index"), (0.5, "higher index"), (-1.0, "saddle")])
def test_where_no_hessian_is_afforded_a_double_eigenvalue_counts_twice(second, status):
    """The Krylov space of one vector has one direction of each eigenspace only."""

    def function(x):
        return x[:, 2:].square().sum(1) - x[:, 0] ** 2 - second * x[:, 1] ** 2 + x[:, :2].square().sum(1) ** 2

    saddles = tl.refine_saddle(tl.Energy.from_function(function, 700), torch.zeros(1, 700))
    assert saddles.status == (status,)
    assert close(saddles.eigenvalues, points((-2.0, -2 * second)), 1e-8)
