"""run(): what it keeps, exact resume, warm-up, divergence, plans, the numpy path, refusals."""

import numpy as np
import pytest
import torch
from torch.nn import functional as F

import samplers
from samplers import (
    MALA,
    SGD,
    Galilean,
    GradientDescent,
    HitAndRun,
    Langevin,
    NumpyPotential,
    Rejection,
    ReplicaExchange,
    Underdamped,
    run,
    schedules,
)
from tda_landscape import tally
from tda_landscape.energy import Energy, networks, zoo

WELLS = zoo.double_well(2)
ALL = [
    GradientDescent(0.01),
    SGD(schedules.Power(0.02, 50.0), momentum=0.5),
    Langevin(schedules.Exponential(0.02, 300), 0.3),
    MALA(0.05, 0.3),
    MALA(0.05, 0.3, level=3.0),
    Underdamped(0.1, 0.3),
    Rejection(3.0, 0.3),
    Galilean(3.0, 0.2, refresh=7),
    HitAndRun(3.0, 1.0),
    ReplicaExchange(MALA(0.05, 0.3), (0.3, 0.6, 1.2), every=3),
    ReplicaExchange(Underdamped(0.1, 0.3), (0.3, 0.6)),
]


def inside(chains=6):
    start = WELLS.start(200, 0)
    return start[WELLS(start) <= 3.0][:chains]


def wells_in_numpy():
    def both(x):
        q = x * x - 1
        return (q * q).sum(1), 4 * x * q

    return NumpyPotential(2, lambda x: both(x)[0], lambda x: both(x)[1], both)


def minibatch_energy(dtype=torch.float64):
    generator = torch.Generator().manual_seed(0)
    data = torch.randn(30, 3, generator=generator), torch.arange(30) % 2
    return Energy.from_model(networks.mlp([3, 3, 2], seed=1), F.cross_entropy, data, batch_size=5, dtype=dtype)


@pytest.mark.parametrize("kernel", ALL, ids=lambda kernel: type(kernel).__name__)
@pytest.mark.parametrize("library", ["torch", "numpy"])
def test_500_and_500_are_1000(kernel, library):
    potential = WELLS if library == "torch" else wells_in_numpy()
    start = inside() if library == "torch" else inside().numpy()
    half = 500 if isinstance(kernel, MALA) else 60
    whole = run(potential, kernel, start, draws=2 * half, warmup=30, seed=3, plan=4)
    first = run(potential, kernel, start, draws=half, warmup=30, seed=3, plan=4)
    before = [
        part.copy() if library == "numpy" else part.clone() for part in first.state.state if hasattr(part, "shape")
    ]
    second = run(potential, first.kernel, first.state, draws=half)
    third = run(potential, first.kernel, first.state, draws=half)  # a state can be used twice
    assert torch.equal(torch.cat([first.points, second.points], 1), whole.points)
    assert torch.equal(torch.cat([first.energies, second.energies], 1), whole.energies)
    assert torch.equal(second.points, third.points)
    assert second.state.steps == whole.state.steps == 2 * half + 30
    after = [part for part in first.state.state if hasattr(part, "shape")]
    assert all((a == b).all() for a, b in zip(before, after, strict=True))
    again = run(potential, kernel, start, draws=half, warmup=30, seed=4, plan=4)
    assert isinstance(kernel, (GradientDescent, SGD)) or not torch.equal(again.points, first.points)


@pytest.mark.parametrize("kernel", [SGD(0.3, 0.5), Langevin(0.1, 1e-3), Underdamped(0.1, 1e-3)], ids=str)
def test_minibatches_resume_too_and_energies_are_full_batch(kernel):
    energy = minibatch_energy()
    start = energy.start(5, 0)
    whole = run(energy, kernel, start, draws=20, thin=3, seed=1, plan=2)
    first = run(energy, kernel, start, draws=10, thin=3, seed=1, plan=2)
    second = run(energy, first.kernel, first.state, draws=10, thin=3)
    assert torch.equal(torch.cat([first.points, second.points], 1), whole.points)
    assert torch.allclose(whole.energies.flatten(), energy(whole.points.flatten(0, 1)), rtol=1e-12)
    batch = energy.draw_batch(0)
    assert not torch.allclose(whole.energies.flatten(), batch(whole.points.flatten(0, 1)), rtol=1e-3)  # control


@pytest.mark.parametrize("kernel", ALL, ids=lambda kernel: type(kernel).__name__)
def test_numpy_and_torch_do_the_same(kernel, monkeypatch):
    """With the same noise every kernel gives the same points in both libraries."""
    noise = np.random.default_rng(0)
    tables = {name: noise.standard_normal((40, 3000)) for name in ("normal", "uniform", "log_uniform")}
    tables["uniform"] = noise.random((40, 3000))
    tables["log_uniform"] = np.log(noise.random((40, 3000)))

    def replay(name):
        calls = iter(range(10_000))

        def draw(like, *rest):
            shape = tuple(rest[0]) if len(rest) == 2 else tuple(like.shape)
            numbers = np.resize(tables[name][next(calls) % 40], shape)
            return numbers if isinstance(like, np.ndarray) else torch.from_numpy(numbers)

        return draw

    found = {}
    for library in ("torch", "numpy"):
        for module in ("langevin", "mala", "underdamped", "rejection", "galilean", "hit_and_run", "replica_exchange"):
            for name in tables:
                full = f"samplers.{module}.{name}"
                monkeypatch.setattr(full, replay(name), raising=False)
        potential = WELLS if library == "torch" else wells_in_numpy()
        start = inside() if library == "torch" else inside().numpy()
        found[library] = run(potential, kernel, start, draws=15, seed=0, plan=6).points
    assert torch.allclose(found["torch"], found["numpy"], rtol=1e-6, atol=1e-9)


def test_thin_warmup_and_progress():
    kernel, told = Langevin(0.02, 0.3), []
    dense = run(WELLS, kernel, WELLS.start(3, 0), draws=40, seed=0, plan=3)
    thin = run(
        WELLS, kernel, WELLS.start(3, 0), draws=6, warmup=10, thin=5, seed=0, plan=3, progress=lambda *t: told.append(t)
    )
    assert torch.equal(thin.points, dense.points[:, 14::5])
    assert torch.equal(thin.energies, dense.energies[:, 14::5])
    assert told == [(5 * i, 30) for i in range(1, 7)]
    assert thin.points.shape == (3, 6, 2)
    assert dense.accept_rate is None


@pytest.mark.parametrize("first", [0.001, 0.1, 3.0])
def test_the_warm_up_finds_the_step_and_freezes_it(first):
    energy = Energy.from_function(lambda x: (x**2).sum(1) / 2, 20)
    chains = run(energy, MALA(first, 1.0), energy.start(20, 0), draws=300, warmup=300, seed=0, plan=20)
    assert abs(float(chains.accept_rate.mean()) - 0.574) < 0.04
    assert chains.kernel.step_size != first
    assert run(energy, chains.kernel, chains.state, draws=5).kernel == chains.kernel
    assert run(energy, MALA(first, 1.0), energy.start(20, 0), draws=5, seed=0).kernel.step_size == first  # control


@pytest.mark.parametrize(
    ("kernel", "target"),
    [(Rejection(3.0, 5.0), 0.3), (Galilean(3.0, 0.01), 0.6), (ReplicaExchange(MALA(0.9, 1.0), (0.3, 0.6)), 0.574)],
    ids=lambda value: type(value).__name__,
)
def test_other_kernels_are_adapted_too(kernel, target):
    chains = run(WELLS, kernel, inside(40), draws=300, warmup=300, seed=0, plan=40)
    assert abs(float(chains.accept_rate.mean()) - target) < 0.06


def test_a_schedule_or_a_kernel_that_refuses_nothing_is_not_adapted():
    kernel = Langevin(0.02, 0.3)
    assert run(WELLS, kernel, inside(), draws=2, warmup=20).kernel == kernel


@pytest.mark.parametrize("kernel", [Langevin(0.02, 0.3), MALA(0.02, 0.3), Underdamped(0.05, 0.3), SGD(0.02)], ids=str)
def test_diverged_chains_are_flagged_counted_and_kept_out(kernel):
    good = inside(5)
    mixed = good.clone()
    mixed[2] = torch.tensor([1e120, 0.0])
    a = run(WELLS, kernel, good, draws=20, seed=0, plan=5)
    b = run(WELLS, kernel, mixed, draws=20, seed=0, plan=5)
    rest = [0, 1, 3, 4]
    assert b.diverged.tolist() == [False, False, True, False, False]
    assert b.chain.tolist() == rest
    assert torch.equal(a.points[rest], b.points)
    assert torch.isfinite(b.points).all()
    assert torch.isfinite(b.energies).all()
    assert "1 diverged" in str(b)
    assert any("1 of 5 chains diverged" in sentence for sentence in b.summary().warnings)
    later = run(WELLS, b.kernel, b.state, draws=3)
    assert later.diverged.tolist() == b.diverged.tolist()
    assert not a.diverged.any()


def test_a_chain_that_turns_infinite_in_the_warm_up_does_not_spoil_the_step():
    start = inside(10).clone()
    start[4] = torch.nan
    chains = run(WELLS, MALA(0.5, 0.3), start, draws=100, warmup=300, seed=0, plan=10)
    assert chains.diverged.sum() == 1
    assert 0.4 < float(chains.accept_rate.mean()) < 0.75


def test_when_all_diverge_it_is_one_sentence():
    with pytest.raises(ValueError, match="all 4 chains") as caught:
        run(WELLS, GradientDescent(1e6), WELLS.start(4, 0), draws=20)
    assert len(str(caught.value).splitlines()) == 1


@pytest.mark.parametrize(
    "kernel", [MALA(0.1, 1.0), Rejection(9.0, 0.1), Galilean(9.0, 0.1), HitAndRun(9.0, 1.0)], ids=str
)
def test_kernels_that_compare_energies_refuse_minibatches(kernel):
    energy = minibatch_energy()
    for refused in (kernel, *([ReplicaExchange(kernel, (1.0, 2.0))] if isinstance(kernel, MALA) else [])):
        with pytest.raises(ValueError, match="without them") as caught:
            run(energy, refused, energy.start(3, 0), draws=2)
        assert len(str(caught.value).splitlines()) == 1


@pytest.mark.parametrize(
    "options",
    [
        {"draws": 0},
        {"thin": 0},
        {"warmup": -1},
        {"plan": 0},
        {"seed": -1},
        {"seed": 1.5},
        {"seed": True},
        {"start": torch.zeros(3)},
        {"start": torch.zeros(3, 5)},
        {"start": torch.zeros(0, 2)},
    ],
    ids=str,
)
def test_refused_in_one_sentence(options):
    arguments = {"start": inside(), "draws": 3} | options
    with pytest.raises(ValueError, match=r".") as caught:
        run(WELLS, Langevin(0.1, 1.0), **arguments)
    assert len(str(caught.value).splitlines()) == 1


def test_a_run_goes_on_only_as_it_began():
    chains = run(WELLS, MALA(0.1, 0.3), inside(), draws=5, warmup=20, seed=0, plan=6)
    for wrong in ({"seed": 0}, {"warmup": 5}, {"plan": 3}):
        with pytest.raises(ValueError, match="goes on"):
            run(WELLS, chains.kernel, chains.state, draws=5, **wrong)
    with pytest.raises(ValueError, match="goes on"):
        run(WELLS, MALA(0.1, 0.3), chains.state, draws=5)


def test_a_generator_is_asked_for_a_seed():
    generator = torch.Generator().manual_seed(0)
    a = run(WELLS, Langevin(0.1, 1.0), inside(), draws=5, seed=generator, plan=6)
    b = run(WELLS, Langevin(0.1, 1.0), inside(), draws=5, seed=generator, plan=6)
    c = run(WELLS, Langevin(0.1, 1.0), inside(), draws=5, seed=torch.Generator().manual_seed(0), plan=6)
    assert not torch.equal(a.points, b.points)
    assert torch.equal(a.points, c.points)


@pytest.mark.parametrize("kernel", ALL, ids=lambda kernel: type(kernel).__name__)
def test_the_plan_never_changes_the_draws(kernel):
    runs = [run(WELLS, kernel, inside(), draws=30, seed=1, plan=plan) for plan in (1, 2, 4, 6, 99)]
    assert all(torch.equal(runs[0].points, other.points) for other in runs[1:])


def test_the_plan_never_changes_the_minibatches_of_a_network():
    energy = minibatch_energy()
    runs = [run(energy, Langevin(0.1, 1e-3), energy.start(7, 0), draws=30, seed=1, plan=plan) for plan in (1, 3, 7)]
    for other in runs[1:]:
        assert torch.allclose(runs[0].points, other.points, rtol=1e-9, atol=1e-11)
    apart = run(energy, Langevin(0.1, 1e-3), energy.start(7, 0), draws=30, seed=2, plan=7)  # control
    assert not torch.allclose(runs[0].points, apart.points, rtol=1e-2)


def test_the_probe_leaves_the_noise_alone_and_is_kept():
    energy = minibatch_energy()
    probed = run(energy, Langevin(0.1, 1e-3), energy.start(9, 0), draws=10, seed=1)
    assert 1 <= probed.state.plan <= 9
    given = run(energy, Langevin(0.1, 1e-3), energy.start(9, 0), draws=10, seed=1, plan=probed.state.plan)
    assert torch.equal(probed.points, given.points)
    assert run(energy, probed.kernel, probed.state, draws=2).state.plan == probed.state.plan


def test_the_probe_takes_what_is_cheapest():
    """A potential that is quick at 4 points at once and slow at any other number."""
    import time

    from samplers._plan import probe

    class Fussy:
        dim = 2

        def __call__(self, points):
            return (points**2).sum(1)

        def value_and_grad(self, points):
            time.sleep(1e-3 if len(points) == 4 else 2e-3 * len(points))
            return self(points), 2 * points

        def draw_batch(self, rng, chains):
            return self

    assert probe(Fussy(), torch.zeros(16, 2)) == 4
    chains = run(Fussy(), GradientDescent(0.1), torch.ones(6, 2), draws=3, plan=4)
    assert torch.allclose(chains.points[0, :, 0], 0.8 ** torch.arange(1.0, 4.0))


def test_energies_cost_nothing_where_the_kernel_knows_them():
    counted, cost = tally(WELLS)
    run(counted, MALA(0.1, 0.3), inside(), draws=10, thin=2, plan=6)
    assert cost.gradients == 6 * 21
    assert cost.values == 0


def test_float32_networks_are_accepted_in_float64():
    energy = minibatch_energy(torch.float32)
    energy = Energy.from_model(
        energy.network.module, F.cross_entropy, (energy.network.inputs, energy.network.targets), dtype=torch.float32
    )
    chains = run(energy, MALA(0.1, 1e-2), energy.start(4, 0), draws=20, warmup=20, plan=4)
    assert chains.points.dtype == torch.float32
    assert chains.accept_rate.dtype == torch.float64


def test_a_potential_of_one_s_own_in_numpy():
    plain = wells_in_numpy()
    apart = NumpyPotential(2, plain.value, plain.gradient)  # without `both`
    a = run(plain, MALA(0.05, 0.3), inside().numpy(), draws=20, seed=0)
    b = run(apart, MALA(0.05, 0.3), inside().numpy(), draws=20, seed=0)
    assert torch.equal(a.points, b.points)
    assert a.points.dtype == torch.float64


def test_trajectory_and_start_state_are_the_parts_of_a_run():
    generator = torch.Generator().manual_seed(0)
    kernel = Langevin(0.02, 0.3)
    state = samplers.start_state(WELLS, kernel, inside(), generator)
    walk = samplers.trajectory(WELLS, kernel, state, generator)
    points = torch.stack([next(walk)[0].points for _ in range(10)], 1)
    assert torch.equal(points, run(WELLS, kernel, inside(), draws=10, seed=0, plan=6).points)
