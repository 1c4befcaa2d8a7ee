"""Laws by numbers: replica exchange, underdamped dynamics, volumes, and the claims of examples/lecture."""

import importlib.util
import math
import sys
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest
import torch

from samplers import MALA, Langevin, NumpyPotential, ReplicaExchange, Underdamped, nested_volumes, run
from tda_landscape.energy import Energy, networks

LECTURE = Path(__file__).resolve().parents[2] / "examples" / "lecture"


@pytest.fixture
def script(monkeypatch):
    """Import a script of the lecture as a module."""
    monkeypatch.syspath_prepend(LECTURE)

    def load(name):
        spec = importlib.util.spec_from_file_location(name, LECTURE / f"{name}.py")
        module = importlib.util.module_from_spec(spec)
        monkeypatch.setitem(sys.modules, name, module)
        spec.loader.exec_module(module)
        return module

    return load


# --- the lecture ------------------------------------------------------------------------------------------------------


def test_langevin_settles_in_the_boltzmann_law(script):
    """Total variation to the law: two starts, the noise of the histogram, and the law of a wrong temperature."""
    lecture = script("boltzmann")
    law = lecture.law()
    for start in (1.0, -1.5):
        found = lecture.histogram(start, chains=1500, seed=int(start > 0))
        assert lecture.distance(found, law) < 0.03
        assert abs(found[:20].sum() - law[:20].sum()) < 0.02
    assert lecture.distance(lecture.histogram(1.0, chains=500, warmup=0), law) > 0.2  # control: no time to settle
    other = np.sqrt(law)  # control: the law of twice the temperature
    assert lecture.distance(other / other.sum(), law) > 0.1


@pytest.mark.parametrize("dim", [2, 4, 8, 16, 32])
def test_occupancies_are_boltzmann_s_at_every_dimension(dim, script):
    """A degenerate and a sharp well of equal depth, replica exchange on; and the probability tends to 1."""
    lecture, wells = script("large_volumes"), script("flat_and_sharp")
    chains = lecture.sample(dim, chains=250, draws=150, seed=1)
    found, error = wells.share_flat(chains.points.numpy())
    exact = wells.exact_flat(dim)
    print(f"d={dim}: exact {exact:.5f}, found {found:.5f} +- {error:.5f}; swaps {chains.swap_rate.numpy().round(2)}")
    assert abs(found - exact) <= 3 * error
    assert error < 0.01
    assert exact > wells.exact_flat(dim // 2)  # selection grows with the dimension


@pytest.mark.slow
@pytest.mark.parametrize("dim", [2, 4, 8, 16, 32])
def test_occupancies_with_small_error_bars(dim, script):
    lecture, wells = script("large_volumes"), script("flat_and_sharp")
    scores = []
    for seed in range(10, 18):
        found, error = wells.share_flat(lecture.sample(dim, chains=500, draws=300, seed=seed).points.numpy())
        scores.append((found - wells.exact_flat(dim)) / error)
    print(f"d={dim}: scores {np.round(scores, 2)}")
    assert abs(np.mean(scores)) < 3 / 8**0.5
    assert np.abs(scores).max() < 4


def test_the_exact_probability_is_right(script):
    """The quadrature with Bessel functions against brute force in two dimensions."""
    wells = script("flat_and_sharp")
    x, y = np.meshgrid(np.linspace(-3, 3, 801), np.linspace(-np.pi, np.pi, 400, endpoint=False), indexing="ij")
    weight = np.exp(-wells.both(np.stack([x.ravel(), y.ravel()], 1))[0] / wells.TEMPERATURE)
    share = weight[x.ravel() < 0].sum() / (weight.sum() - weight[x.ravel() == 0].sum())
    assert share == pytest.approx(wells.exact_flat(2), abs=2e-3)
    z = np.random.default_rng(0).standard_normal((5, 4))
    for i in range(4):
        step = np.eye(4)[i] * 1e-6
        slope = (wells.both(z + step)[0] - wells.both(z - step)[0]) / 2e-6
        assert np.allclose(slope, wells.both(z)[1][:, i], atol=1e-7)


def test_short_runs_say_that_the_start_is_not_forgotten(script):
    lecture, wells = script("large_volumes"), script("flat_and_sharp")
    chains = lecture.short_runs(16, chains=200)
    assert abs(wells.share_flat(chains.points.numpy())[0] - wells.exact_flat(16)) > 0.3
    assert any("start is not forgotten" in sentence for sentence in chains.summary().warnings)


def test_sgd_with_additive_noise_resembles_langevin_and_with_vanishing_noise_selects_nothing(script):
    lecture, wells = script("sgd_noise"), script("flat_and_sharp")
    exact = wells.exact_flat(8)
    additive, error = lecture.share(lecture.AdditiveNoise, 8, lr=0.01, chains=300)
    vanishing, spread = lecture.share(lecture.VanishingNoise, 8, lr=0.04, chains=300)
    print(f"Boltzmann {exact:.3f}; additive {additive:.3f} +- {error:.3f}; vanishing {vanishing:.3f} +- {spread:.3f}")
    assert abs(additive - exact) <= 3 * error + 0.02  # 0.02: the bias of the learning rate
    assert additive > 0.8
    assert abs(vanishing - 0.5) < 0.02  # half of the chains began in each well, and there they stay
    coarse, error = lecture.share(lecture.AdditiveNoise, 16, lr=0.04, chains=300)
    assert coarse > wells.exact_flat(16)  # at a large rate signs are not Gaussian enough: SGD overshoots


@pytest.mark.slow
@pytest.mark.parametrize("name", ["boltzmann", "large_volumes", "sgd_noise"])
def test_the_scripts_draw_their_figures(name, script, tmp_path, capsys):
    pytest.importorskip("matplotlib", reason="figures need the extra [plot]")
    script(name).main(str(tmp_path / "figure.png"))
    assert (tmp_path / "figure.png").stat().st_size > 5000
    assert len(capsys.readouterr().out.splitlines()) >= 3


# --- kernels ----------------------------------------------------------------------------------------------------------


def tilted(x):
    return (x**2 - 1) ** 2 + x / 4


def wells_in_numpy():
    def both(x):
        return tilted(x).sum(1), 4 * x * (x**2 - 1) + 0.25

    return NumpyPotential(1, lambda x: both(x)[0], lambda x: both(x)[1], both)


def exact_left(temperature):
    grid = np.linspace(-3, 3, 20_001)
    weight = np.exp(-tilted(grid) / temperature)
    return weight[grid < 0].sum() / weight.sum()


def left(chains):
    shares = (chains.points[:, :, 0] < 0).double().mean(1)
    return float(shares.mean()), float(shares.std() / len(shares) ** 0.5)


@dataclass(frozen=True)
class Backwards(ReplicaExchange):
    """A wrong exchange: the sign of the temperatures' gap is turned."""

    def _exchange(self, energies, parity, generator):
        return super()._exchange(-energies, parity, generator)


def cold_kernel(kind, inner, every=1):
    return kind(inner, (0.12, 0.25, 0.5, 1.0), every)


@pytest.mark.parametrize("inner", [MALA(0.05, 1.0), Langevin(0.02, 1.0), Underdamped(0.1, 1.0)], ids=str)
def test_replica_exchange_crosses_barriers_and_keeps_the_law(inner):
    """At T = 0.12 the barrier is 8 T: alone the chains stay where they began, with exchange they find the law."""
    start = np.ones((300, 1))
    exact = exact_left(0.12)
    with_exchange = run(
        wells_in_numpy(), cold_kernel(ReplicaExchange, inner, 2), start, draws=100, warmup=800, thin=8, seed=0
    )
    found, error = left(with_exchange)
    assert abs(found - exact) <= 3 * error + 0.005
    assert (with_exchange.swap_rate > 0.2).all()


def test_without_exchange_or_with_a_wrong_one_the_law_is_wrong():
    start, exact = np.ones((300, 1)), exact_left(0.12)
    alone = run(wells_in_numpy(), MALA(0.05, 0.12), start, draws=100, warmup=800, thin=8, seed=0)
    assert left(alone)[0] < exact - 0.3
    wrong = cold_kernel(Backwards, MALA(0.05, 1.0), 2)
    energies = run(wells_in_numpy(), wrong, start, draws=100, warmup=800, thin=8, seed=0).energies
    right = run(
        wells_in_numpy(), cold_kernel(ReplicaExchange, MALA(0.05, 1.0), 2), start, draws=100, warmup=800, thin=8
    )
    grid = np.linspace(-3, 3, 20_001)
    weight = np.exp(-tilted(grid) / 0.12)
    mean = (weight * tilted(grid)).sum() / weight.sum()
    by_chain = right.energies.mean(1)
    assert abs(float(by_chain.mean()) - mean) < 3 * float(by_chain.std()) / 300**0.5
    assert float(energies.mean()) > mean + 0.1


@pytest.mark.parametrize("step", [0.3, 1.0])
def test_underdamped_has_the_exact_variance_of_a_harmonic_well(step):
    curvature = np.array([1.0, 2.0])
    bowl = NumpyPotential(2, lambda x: (curvature * x * x).sum(1) / 2, lambda x: curvature * x)
    chains = run(
        bowl, Underdamped(step, 0.7, friction=1.5), np.zeros((20_000, 2)), draws=1, warmup=math.ceil(25 / step)
    )
    x = chains.points[:, 0]
    expected = torch.from_numpy(0.7 / curvature)
    assert ((x.var(0) - expected).abs() < 4 * (2 / 20_000) ** 0.5 * expected).all()
    # control: unadjusted Langevin of a comparable step is off by far more
    ula = run(bowl, Langevin(step**2 / 2, 0.7), np.zeros((20_000, 2)), draws=1, warmup=math.ceil(50 / step**2))
    assert step < 1 or ((ula.points[:, 0].var(0) - expected).abs() > 8 * (2 / 20_000) ** 0.5 * expected).any()


def test_underdamped_on_minibatches_descends_like_momentum():
    """With friction, and hardly any heat, stochastic-gradient HMC trains a network."""
    generator = torch.Generator().manual_seed(0)
    inputs = torch.randn(60, 2, generator=generator)
    data = inputs, (inputs.sum(1) > 0).long()
    energy = Energy.from_model(networks.mlp([2, 4, 2], seed=0), torch.nn.functional.cross_entropy, data, batch_size=10)
    chains = run(energy, Underdamped(0.3, 1e-5, friction=0.5), energy.start(6, 0), draws=1, warmup=300, seed=0, plan=6)
    assert (chains.energies < 0.2).all()


# --- volumes ----------------------------------------------------------------------------------------------------------


def ball(dim):
    return Energy.from_function(lambda x: (x * x).sum(1) / 2, dim, grad=lambda x: x)


def exact_log_volume(dim, level):
    return dim / 2 * math.log(2 * math.pi * level) - math.lgamma(dim / 2 + 1)


@pytest.mark.parametrize(("dim", "level", "live"), [(2, 0.5, 1000), (10, 0.5, 600), (30, 2.0, 300)])
def test_the_volume_of_a_ball(dim, level, live):
    volumes = nested_volumes(ball(dim), (-3, 3), down_to=0.95 * level, live=live, seed=0)
    found, error = volumes(level)
    exact = exact_log_volume(dim, level)
    print(f"d={dim}: log-volume {found:.3f} +- {error:.3f}, exact {exact:.3f}")
    assert abs(found - exact) <= 2 * error
    assert error < 0.6
    assert (np.diff(volumes.levels) <= 0).all()
    assert (np.diff(volumes.log_volumes) <= 0).all()


def test_the_error_bars_of_volumes_are_honest():
    scores = []
    for seed in range(40):
        found, error = nested_volumes(ball(3), (-3, 3), down_to=0.4, live=200, seed=seed)(0.5)
        scores.append((found - exact_log_volume(3, 0.5)) / error)
    assert abs(np.mean(scores)) < 3 / 40**0.5
    assert 0.7 < np.std(scores) < 1.35
    stuck = [  # control: copies that hardly move are alike, and the error bars no longer hold
        nested_volumes(ball(10), (-3, 3), down_to=0.4, live=200, steps=2, seed=seed)(0.5) for seed in range(10)
    ]
    wrong = np.array([(found - exact_log_volume(10, 0.5)) / error for found, error in stuck])
    assert abs(wrong.mean()) > 2 or wrong.std() > 1.6


def test_volumes_of_a_double_well_against_a_grid():
    def value(x):
        return (x[:, 0] ** 2 - 1) ** 2 + x[:, 1] ** 2 / 2

    volumes = nested_volumes(Energy.from_function(value, 2), (-3, 3), down_to=0.02, live=1000, seed=0)
    axis = torch.linspace(-3, 3, 1501, dtype=torch.float64)
    values = value(torch.cartesian_prod(axis, axis))
    for level in (2.0, 1.0, 0.5, 0.1):  # above, at and below the saddle
        found, error = volumes(level)
        assert abs(found - math.log(36 * float((values <= level).double().mean()))) <= 3 * error


@pytest.mark.parametrize(
    ("options", "word"),
    [
        ({"bounds": (3, -3)}, "bounds"),
        ({"live": 5}, "live"),
        ({"down_to": -1.0}, "not reached"),
    ],
    ids=str,
)
def test_volumes_refuse_in_one_sentence(options, word):
    arguments = {"bounds": (-3, 3), "down_to": 0.5, "live": 50, "steps": 5} | options
    with pytest.raises(ValueError, match=word) as caught:
        nested_volumes(ball(2), arguments.pop("bounds"), **arguments)
    assert len(str(caught.value).splitlines()) == 1


def test_volumes_need_exact_energies_of_tensors():
    generator = torch.Generator().manual_seed(0)
    data = torch.randn(20, 2, generator=generator), torch.arange(20) % 2
    random = Energy.from_model(networks.mlp([2, 2]), torch.nn.functional.cross_entropy, data, batch_size=5)
    for wrong in (random, wells_in_numpy()):
        with pytest.raises(ValueError, match="exact energies"):
            nested_volumes(wrong, (-3, 3), down_to=0.5)


def test_noise_of_one_s_own_in_numpy(script):
    """Langevin on a numpy potential that draws minibatches: energies of the draws are those of the mean."""
    lecture, wells = script("sgd_noise"), script("flat_and_sharp")
    plain = wells.landscape(2)

    class Noisy(lecture.AdditiveNoise):
        sigma = 3.0

    noisy = Noisy(2, plain.value, plain.gradient, plain.both)
    chains = run(noisy, Langevin(0.01, 0.1), wells.balanced_start(10, 2), draws=5, seed=0)
    assert torch.allclose(chains.energies[:, 4], torch.from_numpy(plain(chains.points[:, 4].numpy())))
    with pytest.raises(ValueError, match="without them"):
        run(noisy, MALA(0.01, 0.1), wells.balanced_start(10, 2), draws=5)


def test_volumes_outside_their_range_are_refused():
    volumes = nested_volumes(ball(2), (-3, 3), down_to=0.5, live=50, steps=20)
    for level in (0.01, 100.0, float("nan")):
        with pytest.raises(ValueError, match="level"):
            volumes(level)
