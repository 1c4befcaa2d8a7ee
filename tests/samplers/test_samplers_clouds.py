"""sample(): what is kept, of which chain, at which step, with which energy."""

import pytest
import torch
from torch.nn import functional as F

from samplers import MALA, SGD, Galilean, GradientDescent, HitAndRun, Langevin, Rejection
from tda_landscape import InputError, sample
from tda_landscape.energy import Energy, networks, tally, zoo

WELLS = zoo.double_well(2)


def replay(energy, kernel, start, steps, seed=0):
    """Every point of every chain, by hand: (steps + 1, chains, d)."""
    generator = torch.Generator().manual_seed(seed)
    state = kernel.init(energy, start, generator)
    track = [state.points]
    for _ in range(steps):
        state, _ = kernel.step(energy, state, generator)
        track.append(state.points)
    return torch.stack(track)


def tilted():
    """Two wells, one above the level 0.3."""
    return Energy.from_function(lambda x: ((x**2 - 1) ** 2 + 0.5 * x).sum(1) + 0.5, 1, bounds=(-1.5, 1.5))


@pytest.mark.parametrize("kernel", [GradientDescent(0.02), SGD(0.01, 0.9), Langevin(0.01, 0.2)])
def test_a_level_keeps_exactly_the_first_point_below_it(kernel):
    start = WELLS.start(12, 3)
    level, steps = 0.25, 120
    cloud = sample(WELLS, kernel, steps=steps, level=level, start=start, seed=5)
    track = replay(WELLS, kernel, start, steps, seed=5)
    energies = torch.stack([WELLS(points) for points in track])
    below = energies <= level
    assert cloud.reached.tolist() == below.any(0).tolist()
    assert sorted(cloud.chain.tolist()) == torch.nonzero(below.any(0)).flatten().tolist()
    assert (cloud.step > 0).any()
    for chain, step, point, energy in zip(cloud.chain, cloud.step, cloud.points, cloud.energies, strict=True):
        first = int(below[:, chain].to(torch.int8).argmax())
        assert step == first
        assert torch.equal(point, track[first, chain])
        assert energy == energies[first, chain] <= level
        assert (energies[:first, chain] > level).all()
    assert not cloud.diverged.any()


def test_a_start_that_is_below_is_kept_at_step_zero():
    start = torch.tensor([[1.0, 1.0], [0.0, 0.0]], dtype=torch.float64)
    cloud = sample(WELLS, Langevin(0.01, 0.01), steps=300, level=0.5, start=start)
    assert cloud.step[cloud.chain == 0].tolist() == [0]
    assert torch.equal(cloud.points[cloud.chain == 0], start[:1])
    assert (cloud.step[cloud.chain == 1] > 0).all()


def test_a_level_on_the_very_energy_counts():
    start = torch.tensor([[0.5, 0.5]], dtype=torch.float64)
    exact = float(WELLS(start))
    assert sample(WELLS, level=exact, start=start).reached.all()
    with pytest.raises(InputError):
        sample(WELLS, level=exact * (1 - 1e-15), start=start)


def test_chains_that_do_not_come_below_are_marked():
    energy = tilted()
    start = torch.tensor([[-1.2], [1.2], [-0.9], [0.9]], dtype=torch.float64)
    cloud = sample(energy, GradientDescent(0.02), steps=300, level=0.3, start=start)
    assert cloud.reached.tolist() == [True, False, True, False]
    assert cloud.diverged.tolist() == [False] * 4
    assert "1, 3" in str(cloud)
    everyone = sample(energy, GradientDescent(0.02), steps=300, level=2.0, start=start)  # control
    assert everyone.reached.all()


def test_when_no_chain_comes_below_it_is_an_error():
    with pytest.raises(InputError, match="none of 5 chains came below -1") as caught:
        sample(WELLS, GradientDescent(0.02), chains=5, steps=20, level=-1.0)
    assert len(str(caught.value).splitlines()) == 1
    with pytest.raises(InputError):
        sample(WELLS, GradientDescent(0.02), chains=5, steps=20, level=float("nan"))


def test_with_a_level_the_run_ends_when_all_have_arrived():
    counted, cost = tally(WELLS)
    start = torch.tensor([[0.9, 0.9], [1.05, -0.9]], dtype=torch.float64)
    cloud = sample(counted, GradientDescent(0.02), steps=10_000, level=1e-3, start=start)
    assert cloud.reached.all()
    assert cost.gradients == 2 * (int(cloud.step.max()) + 1)


@pytest.mark.parametrize(("every", "steps"), [(1, 4), (3, 9), (4, 10), (20, 7), (None, 6)])
def test_every_says_when_the_chains_are_looked_at(every, steps):
    kernel, start = GradientDescent(0.02), WELLS.start(3, 0)
    cloud = sample(WELLS, kernel, steps=steps, every=every, start=start)
    looks = sorted({*range(every or steps, steps + 1, every or steps), steps})
    assert sorted(set(cloud.step.tolist())) == looks
    track = replay(WELLS, kernel, start, steps)
    assert len(cloud.points) == 3 * len(looks)
    for chain, step, point in zip(cloud.chain, cloud.step, cloud.points, strict=True):
        assert torch.equal(point, track[step, chain])


def test_every_with_a_level_looks_only_then():
    kernel, start = GradientDescent(0.01), WELLS.start(6, 1)
    often = sample(WELLS, kernel, steps=200, level=0.1, start=start)
    seldom = sample(WELLS, kernel, steps=200, level=0.1, every=7, start=start)
    assert (seldom.step % 7 == 0).logical_or(seldom.step == 200).all()
    first = dict(zip(often.chain.tolist(), often.step.tolist(), strict=True))
    assert all(first[c] <= s < first[c] + 7 for c, s in zip(seldom.chain.tolist(), seldom.step.tolist(), strict=True))


def test_a_diverging_chain_is_flagged_and_touches_nobody():
    kernel = GradientDescent(0.05)
    good = torch.tensor([[0.5, -0.5], [1.5, 0.1], [-0.2, 0.7]], dtype=torch.float64)
    mixed = torch.cat([good[:1], torch.tensor([[60.0, 0.0]], dtype=torch.float64), good[1:]])
    alone = sample(WELLS, kernel, steps=40, every=10, start=good)
    beside = sample(WELLS, kernel, steps=40, every=10, start=mixed)
    assert beside.diverged.tolist() == [False, True, False, False]
    assert beside.reached.tolist() == [True, False, True, True]
    assert 1 not in beside.chain.tolist()
    assert torch.equal(beside.points, alone.points)
    assert torch.equal(beside.energies, alone.energies)
    assert torch.isfinite(beside.energies).all()
    assert not alone.diverged.any()


def test_noisy_chains_are_not_touched_either():
    start = WELLS.start(4, 0)
    far = start.clone()
    far[1] = 1e80
    kernel = Langevin(0.02, 0.3)
    a, b = (sample(WELLS, kernel, steps=30, start=x, seed=2) for x in (start, far))
    assert b.diverged.tolist() == [False, True, False, False]
    assert torch.equal(a.points[[0, 2, 3]], b.points)


def test_when_all_chains_diverge_it_is_an_error():
    with pytest.raises(InputError, match="smaller step") as caught:
        sample(WELLS, GradientDescent(1e6), chains=4, steps=20)
    assert len(str(caught.value).splitlines()) == 1


def test_a_point_that_is_not_finite_is_kept_by_no_cloud():
    # where(x > 0, ...) is finite at NaN: a finite energy alone does not make a point.
    half = Energy.from_function(lambda x: torch.where(x > 0, x**2, torch.zeros_like(x)).sum(1), 1)
    start = torch.tensor([[float("nan")], [1.0]], dtype=torch.float64)
    cloud = sample(half, GradientDescent(0.1), start=start, steps=3)
    assert cloud.diverged.tolist() == [True, False]
    assert torch.isfinite(cloud.points).all()
    flat = Energy.from_function(lambda x: torch.tanh(x).sum(1), 1)
    start = torch.tensor([[float("inf")], [1.0]], dtype=torch.float64)
    assert sample(flat, start=start).diverged.tolist() == [True, False]


def model_energy(batch_size):
    generator = torch.Generator().manual_seed(0)
    data = torch.randn(30, 3, generator=generator), torch.arange(30) % 2
    return Energy.from_model(networks.mlp([3, 3, 2], seed=1), F.cross_entropy, data, batch_size=batch_size)


@pytest.mark.parametrize("kernel", [SGD(0.3, 0.5), Langevin(0.1, 1e-3)])
@pytest.mark.parametrize("level", [None, 0.675])
def test_what_is_stored_is_the_full_batch_energy_at_the_point(kernel, level):
    energy = model_energy(3)
    cloud = sample(energy, kernel, chains=5, steps=60, every=20 if level is None else None, level=level)
    assert torch.allclose(cloud.energies, energy(cloud.points), rtol=1e-12)
    assert torch.allclose(cloud.energies, model_energy(None)(cloud.points), rtol=1e-12)
    assert (level is None) or (energy(cloud.points) <= level * (1 + 1e-12)).all()
    batch = energy.draw_batch(0)
    assert not torch.allclose(cloud.energies, batch(cloud.points), rtol=1e-3)  # control


def test_points_on_a_torus_are_stored_in_the_cell():
    energy = zoo.fourier(seed=0)
    cloud = sample(energy, Langevin(0.01, 5.0), chains=20, steps=50, every=10)
    assert ((cloud.points >= 0) & (cloud.points < 1)).all()
    assert torch.equal(cloud.energies, energy(cloud.points))
    track = replay(energy, Langevin(0.01, 5.0), energy.start(20, 0), 50)
    assert not ((track >= 0) & (track < 1)).all()  # control: the chains do leave the cell


def test_without_a_kernel_the_starts_are_the_cloud():
    cloud = sample(WELLS, chains=7, seed=3)
    assert torch.equal(cloud.points, WELLS.start(7, 3))
    assert torch.equal(cloud.energies, WELLS(cloud.points))
    assert cloud.chain.tolist() == list(range(7))
    assert cloud.step.tolist() == [0] * 7
    assert torch.equal(sample(WELLS, Langevin(0.1, 1.0), chains=7, steps=0, seed=3).points, cloud.points)


def test_seeds_repeat():
    kernel = Langevin(0.01, 0.1)
    a, b = (sample(WELLS, kernel, chains=5, steps=9, seed=4) for _ in range(2))
    c = sample(WELLS, kernel, chains=5, steps=9, seed=torch.Generator().manual_seed(4))
    assert torch.equal(a.points, b.points)
    assert torch.equal(a.points, c.points)
    assert not torch.equal(a.points, sample(WELLS, kernel, chains=5, steps=9, seed=5).points)


def test_below_keeps_what_is_below_and_tells_who_has_no_point_left():
    cloud = sample(WELLS, GradientDescent(0.02), chains=10, steps=10, every=2)
    level = float(cloud.energies.median())
    low = cloud.below(level)
    keep = cloud.energies <= level
    assert torch.equal(low.points, cloud.points[keep])
    assert torch.equal(low.energies, cloud.energies[keep])
    assert torch.equal(low.chain, cloud.chain[keep])
    assert torch.equal(low.step, cloud.step[keep])
    assert 0 < len(low.points) < len(cloud.points)
    assert low.below(level).points.shape == low.points.shape
    for empty in (float(cloud.energies.min()) - 1e-9, float("nan")):
        with pytest.raises(InputError) as caught:
            cloud.below(empty)
        assert len(str(caught.value).splitlines()) == 1


def test_below_says_which_chains_have_a_point_left():
    cloud = sample(WELLS, chains=8)
    low = cloud.below(float(cloud.energies.median()))
    assert torch.nonzero(low.reached).flatten().tolist() == sorted(set(low.chain.tolist()))
    assert "without a point" in str(low)


@pytest.mark.parametrize(
    "options",
    [
        {"chains": 0},
        {"steps": -1},
        {"every": 0},
        {"start": torch.zeros(3)},
        {"start": torch.zeros(3, 5)},
        {"start": torch.zeros(0, 2)},
        {"seed": -1},
    ],
    ids=lambda options: next(iter(options)),
)
def test_refused_in_one_sentence(options):
    with pytest.raises(InputError) as caught:
        sample(WELLS, GradientDescent(0.1), **options)
    assert len(str(caught.value).splitlines()) == 1


def test_no_start_points_are_not_called_divergence():
    with pytest.raises(InputError) as caught:
        sample(WELLS, start=torch.zeros(0, 2))
    assert "non-finite" not in str(caught.value)


@pytest.mark.parametrize(
    "inside", [Rejection(0.5, 0.2), Galilean(0.5, 0.1), HitAndRun(0.5, 1.0), MALA(0.02, 0.3, 0.5)], ids=str
)
def test_inside_a_chain_goes_on_from_its_first_point_below(inside):
    down = GradientDescent(0.01)
    hits = sample(WELLS, down, chains=20, steps=300, level=0.5, seed=1)
    cloud = sample(WELLS, down, chains=20, steps=300, level=0.5, inside=inside, inside_steps=40, every=10, seed=1)
    assert (cloud.energies <= 0.5).all()
    assert torch.equal(cloud.energies, WELLS(cloud.points))
    assert len(cloud.points) == 4 * len(hits.points)
    first = dict(zip(hits.chain.tolist(), hits.step.tolist(), strict=True))
    seen = [(chain, step - first[chain]) for chain, step in zip(cloud.chain.tolist(), cloud.step.tolist(), strict=True)]
    assert sorted(seen) == sorted((chain, step) for chain in first for step in (10, 20, 30, 40))
    assert torch.equal(cloud.reached, hits.reached)


def test_inside_the_law_is_uniform_and_the_first_points_are_not():
    """Where descent enters {E <= u} it sits at the boundary; inside= takes it from there to the uniform law."""
    bowl = Energy.from_function(lambda x: (x**2).sum(1) / 2, 2, bounds=(-4, 4))
    options = {"chains": 400, "steps": 400, "level": 1.0, "seed": 0}
    hits = sample(bowl, GradientDescent(0.02), **options)
    assert float(hits.energies.mean()) > 0.85  # control
    cloud = sample(bowl, GradientDescent(0.02), **options, inside=Galilean(1.0, 0.3), inside_steps=200)
    error = float(cloud.energies.std()) / len(cloud.points) ** 0.5
    assert abs(float(cloud.energies.mean()) - 0.5) < 3 * error


@pytest.mark.parametrize(
    "options",
    [
        {"inside": Galilean(0.5, 0.1)},
        {"inside": Galilean(0.6, 0.1), "level": 0.5},
        {"inside": Langevin(0.1, 1.0), "level": 0.5},
        {"inside": Galilean(0.5, 0.1), "level": 0.5, "inside_steps": -1},
    ],
    ids=str,
)
def test_inside_needs_the_same_level(options):
    with pytest.raises(InputError) as caught:
        sample(WELLS, GradientDescent(0.02), chains=4, steps=50, **options)
    assert len(str(caught.value).splitlines()) == 1


def test_a_kernel_that_does_not_fit_is_an_input_error():
    with pytest.raises(InputError, match="above the level"):
        sample(WELLS, Galilean(1e-6, 0.1), chains=4)
    with pytest.raises(InputError, match="without them"):
        sample(model_energy(3), MALA(0.1, 1.0), chains=4)


@pytest.mark.parametrize("plan", [1, 2, 5, 64])
def test_the_plan_changes_no_noise(plan):
    energy = model_energy(3)
    usual = sample(energy, SGD(0.3, 0.5), chains=5, steps=30)
    planned = sample(energy, SGD(0.3, 0.5), chains=5, steps=30, plan=plan)
    assert torch.allclose(usual.points, planned.points, rtol=1e-8, atol=1e-10)
