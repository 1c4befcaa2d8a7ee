"""Every kernel keeps the contract: shapes, purity, seeds, chains that do not see each other."""

import ast
import dataclasses
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import torch

import samplers
import tda_landscape as tl
from samplers import (
    MALA,
    SGD,
    BasinHopping,
    Galilean,
    GradientDescent,
    HitAndRun,
    Langevin,
    Rejection,
    ReplicaExchange,
    Underdamped,
    schedules,
)


def a_little_down(points):
    """Ten steps down the wells below, short enough to leave points where nothing repeats."""
    for _ in range(10):
        points = points - 0.005 * Wells().value_and_grad(points)[1]
    return points


# One line for each kernel; a kernel without one fails `test_every_kernel_is_here`.
EXAMPLES = {
    GradientDescent: GradientDescent(lr=0.02),
    SGD: SGD(lr=0.02, momentum=0.9),
    Langevin: Langevin(step_size=0.02, temperature=0.3),
    MALA: MALA(step_size=0.05, temperature=0.3),
    Underdamped: Underdamped(step_size=0.1, temperature=0.3, friction=1.0),
    Rejection: Rejection(level=60.0, step_size=0.3),
    Galilean: Galilean(level=60.0, step_size=0.3, refresh=4),
    HitAndRun: HitAndRun(level=60.0, width=1.0),
    ReplicaExchange: ReplicaExchange(MALA(0.05, 0.3), temperatures=(0.3, 0.6, 1.2)),
    BasinHopping: BasinHopping(step_size=0.2, temperature=0.3, minimize=a_little_down),
}
NOISELESS = [GradientDescent, SGD]
MORE = [
    MALA(step_size=0.05, temperature=0.3, level=60.0),
    ReplicaExchange(Langevin(0.02, 0.3), temperatures=(0.3, 0.6), every=3),
    ReplicaExchange(Underdamped(0.1, 0.3), temperatures=(0.3, 0.6, 0.9, 1.2)),
    SGD(lr=schedules.Power(0.02, 10.0), momentum=0.5),
    Langevin(step_size=schedules.Cosine(0.02, 50), temperature=schedules.Exponential(0.3, 5)),
]
kernels = pytest.mark.parametrize("kernel", [*EXAMPLES.values(), *MORE], ids=lambda kernel: type(kernel).__name__)


class Wells:
    """A potential of one's own, known to the kernels by its shape only: sum (x^2 - 1)^2 with a tilt."""

    dim = 3

    def __call__(self, points):
        points = points.to(torch.float64)
        return ((points**2 - 1) ** 2 + 0.1 * points).sum(1)

    def value_and_grad(self, points):
        points = points.to(torch.float64)
        return self(points), 4 * points * (points**2 - 1) + 0.1

    def draw_batch(self, rng, chains):
        return self


def starts(k=6, seed=0):
    return torch.randn(k, 3, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


def trajectory(kernel, points, steps=20, seed=1):
    """All states and infos of a run."""
    generator = torch.Generator().manual_seed(seed)
    potential = Wells()
    state = kernel.init(potential, points, generator)
    states, infos = [state], []
    for _ in range(steps):
        state, info = kernel.step(potential, state, generator)
        states.append(state)
        infos.append(info)
    return states, infos


def tensors(state):
    parts = {name: getattr(state, name) for name in state._fields}
    inner = tensors(parts["replicas"]) if "replicas" in parts else {}
    return {name: part for name, part in parts.items() if isinstance(part, torch.Tensor)} | inner


def test_every_kernel_is_here():
    assert set(EXAMPLES) == set(samplers.KERNELS)


@kernels
@pytest.mark.parametrize("k", [1, 6])
def test_shapes(kernel, k):
    states, infos = trajectory(kernel, starts(k), 3)
    for state in states:
        assert state.points.shape == (k, 3)
        assert all(len(part) in (k, k * len(getattr(kernel, "temperatures", [1]))) for part in tensors(state).values())
    assert all(info.energies.shape == (k,) for info in infos)
    begin = getattr(kernel, "minimize", lambda points: points)
    assert torch.equal(states[0].points, begin(starts(k)))


@kernels
def test_steps_are_pure(kernel):
    x = starts()
    given = x.clone()
    potential, generator = Wells(), torch.Generator().manual_seed(1)
    state = kernel.init(potential, x, generator)
    before = {name: part.clone() for name, part in tensors(state).items()}
    mark = generator.get_state()
    first, info = kernel.step(potential, state, generator)
    kept = first.points.clone()
    assert all(torch.equal(part, before[name]) for name, part in tensors(state).items())
    assert torch.equal(x, given)
    generator.set_state(mark)
    again, info_again = kernel.step(potential, state, generator)
    assert torch.equal(first.points, again.points)
    assert torch.equal(info.energies, info_again.energies)
    kernel.step(potential, first, generator)
    assert torch.equal(first.points, kept)


@kernels
def test_the_same_seed_gives_the_same_bits_and_the_global_state_is_left_alone(kernel):
    state, numpy_state = torch.get_rng_state(), np.random.get_state()[1].copy()  # noqa: NPY002
    a, b = trajectory(kernel, starts())[0][-1].points, trajectory(kernel, starts())[0][-1].points
    torch.manual_seed(99)
    c = trajectory(kernel, starts())[0][-1].points
    torch.set_rng_state(state)
    trajectory(kernel, starts())
    assert torch.equal(a, b)
    assert torch.equal(a, c)
    assert torch.equal(state, torch.get_rng_state())
    assert np.array_equal(numpy_state, np.random.get_state()[1])  # noqa: NPY002
    if type(kernel) not in NOISELESS:
        assert not torch.equal(a, trajectory(kernel, starts(), seed=2)[0][-1].points)


@kernels
def test_chains_do_not_see_each_other(kernel):
    x = starts()
    other = x.clone()
    other[2] = torch.tensor([1e200, torch.nan, 5.0])
    rest = [0, 1, 3, 4, 5]
    a, b = trajectory(kernel, x)[0][-1], trajectory(kernel, other)[0][-1]
    assert torch.equal(a.points[rest], b.points[rest])
    assert not torch.isfinite(b.points[2]).all()


@pytest.mark.parametrize("kind", NOISELESS)
def test_permuted_chains_give_permuted_results(kind):
    order = torch.tensor([3, 0, 5, 1, 4, 2])
    a, b = trajectory(EXAMPLES[kind], starts())[0][-1], trajectory(EXAMPLES[kind], starts()[order])[0][-1]
    assert torch.equal(a.points[order], b.points)
    alone = trajectory(EXAMPLES[kind], starts()[2:3])[0][-1]
    assert torch.equal(alone.points, a.points[2:3])


def test_the_noise_of_each_chain_and_coordinate_is_its_own():
    together = trajectory(EXAMPLES[Langevin], torch.zeros(5, 3, dtype=torch.float64), 1)[0][-1].points
    assert len(set(together.flatten().tolist())) == 15


@kernels
def test_energies_in_the_state_are_those_of_its_points(kernel):
    states, infos = trajectory(kernel, starts())
    potential = Wells()
    for i, state in enumerate(states):
        parts = tensors(state)
        if "energies" in parts:
            assert torch.allclose(parts["energies"], potential(parts["points"]), rtol=1e-13)
            assert not torch.allclose(
                parts["energies"], potential(tensors(states[i - 1])["points"]), rtol=1e-6
            )  # control
        if "gradients" in parts:
            assert torch.allclose(parts["gradients"], potential.value_and_grad(parts["points"])[1], rtol=1e-13)
    for i, info in enumerate(infos):  # "the energies that the step used": before the step, or after it
        used = (potential(states[i].points), potential(states[i + 1].points))
        assert any(torch.allclose(info.energies, energies, rtol=1e-13) for energies in used)


@kernels
def test_a_single_float32_chain_is_brought_to_the_precision_of_the_potential(kernel):
    states, _ = trajectory(kernel, starts(1).float(), 2)
    assert states[-1].points.dtype == torch.float64


@kernels
def test_the_public_check_accepts_it(kernel):
    tl.testing.check_kernel(kernel)


class Leaky(Rejection):
    """A sublevel kernel that accepts everything."""

    def step(self, potential, state, generator):
        after, info = Langevin(0.02, 5.0).step(
            potential, Langevin(0.02, 5.0).init(potential, state.points, generator), generator
        )
        return state._replace(points=after.points, energies=after.energies), info


class Coupled(Langevin):
    """Chains that see each other."""

    def step(self, potential, state, generator):
        after, info = Langevin(self.step_size, self.temperature).step(potential, state, generator)
        return after._replace(points=after.points - 0.1 * after.points.mean(0)), info


class Stale(MALA):
    """Energies that stay behind their points."""

    def step(self, potential, state, generator):
        after, info = MALA(self.step_size, self.temperature).step(potential, state, generator)
        return after._replace(energies=state.energies), info


@pytest.mark.parametrize(
    ("kernel", "sentence"),
    [
        (Leaky(level=3.0, step_size=0.1), "leaves its sublevel set"),
        (Coupled(0.01, 0.1), "changes the others"),
        (Stale(0.05, 0.3), "not those of its points"),
        (Rejection(level=1e-9, step_size=0.1), "too few points"),
        (Langevin(1e3, 1.0), "diverge"),
    ],
    ids=lambda value: type(value).__name__,
)
def test_the_public_check_refuses(kernel, sentence):
    with pytest.raises(AssertionError, match=sentence):
        tl.testing.check_kernel(kernel)


@kernels
def test_kernels_are_values(kernel):
    twin = type(kernel)(**{field.name: getattr(kernel, field.name) for field in dataclasses.fields(kernel)})
    assert kernel == twin
    assert hash(kernel) == hash(twin)
    with pytest.raises(AttributeError):
        setattr(kernel, dataclasses.fields(kernel)[0].name, 5.0)


@pytest.mark.parametrize(
    ("make", "word"),
    [
        (lambda: GradientDescent(lr=0), "lr"),
        (lambda: GradientDescent(lr=-0.1), "lr"),
        (lambda: GradientDescent(lr=float("nan")), "lr"),
        (lambda: GradientDescent(lr=float("inf")), "lr"),
        (lambda: SGD(lr=-1.0), "lr"),
        (lambda: SGD(lr=float("inf")), "lr"),
        (lambda: SGD(lr=0.1, momentum=1.0), "momentum"),
        (lambda: SGD(lr=0.1, momentum=-0.1), "momentum"),
        (lambda: SGD(lr=0.1, momentum=float("nan")), "momentum"),
        (lambda: MALA(step_size=-1, temperature=1), "step_size"),
        (lambda: MALA(step_size=1, temperature=0), "temperature"),
        (lambda: MALA(1.0, 1.0, level=float("nan")), "level"),
        (lambda: Underdamped(0.1, 1.0, friction=0), "friction"),
        (lambda: Rejection(level=float("inf"), step_size=1.0), "level"),
        (lambda: Rejection(level=1.0, step_size=0.0), "step_size"),
        (lambda: Galilean(level=1.0, step_size=1.0, refresh=0), "refresh"),
        (lambda: HitAndRun(level=1.0, width=0.0), "width"),
        (lambda: HitAndRun(level=1.0, width=1.0, steps_out=-1), "steps_out"),
        (lambda: ReplicaExchange(MALA(0.1, 1.0), temperatures=(1.0,)), "temperatures"),
        (lambda: ReplicaExchange(MALA(0.1, 1.0), temperatures=(2.0, 1.0)), "temperatures"),
        (lambda: ReplicaExchange(MALA(0.1, 1.0), temperatures=(0.0, 1.0)), "temperatures"),
        (lambda: ReplicaExchange(MALA(0.1, 1.0), temperatures=(1.0, 2.0), every=0), "every"),
        (lambda: ReplicaExchange(SGD(0.1), temperatures=(1.0, 2.0)), "temperature"),
        (lambda: Langevin.from_equation(gamma=0.0, gamma_prime=1.0, dt=0.1), "gamma"),
        (lambda: Langevin(step_size=0, temperature=1), "step_size"),
        (lambda: Langevin(step_size=0.1, temperature=0), "temperature"),
        (lambda: Langevin(step_size=0.1, temperature=-1), "temperature"),
        (lambda: Langevin(step_size=0.1, temperature=float("nan")), "temperature"),
        (lambda: Langevin(step_size=0.1, temperature=float("inf")), "temperature"),
    ],
)
def test_settings_that_make_no_sense(make, word):
    with pytest.raises(ValueError, match=word) as caught:
        make()
    assert len(str(caught.value).splitlines()) == 1


def test_a_temperature_is_never_assumed():
    with pytest.raises(TypeError, match="temperature"):
        Langevin(step_size=0.1)


def test_the_package_imports_nothing_of_tda_landscape():
    files = sorted(Path(samplers.__file__).parent.rglob("*.py"))
    assert len(files) >= 4
    for file in files:
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Import):
                assert not any(alias.name.split(".")[0] == "tda_landscape" for alias in node.names), file
            if isinstance(node, ast.ImportFrom):
                assert (node.module or "").split(".")[0] != "tda_landscape", file
    code = "import samplers, sys; print(any(name.split('.')[0] == 'tda_landscape' for name in sys.modules))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=120)
    assert done.stdout.strip() == "False", done.stderr
