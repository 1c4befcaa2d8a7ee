"""The three conformance checks; each raises AssertionError with a sentence."""

from __future__ import annotations

from itertools import pairwise

import torch
from torch import Tensor

from samplers import Kernel, run
from tda_landscape._errors import expect
from tda_landscape.energy import Energy, zoo
from tda_landscape.paths import Path, Search, verify


def check_energy(energy: Energy, *, points: int = 4, seed: int = 0, tolerance: float = 1e-5) -> None:
    """Check shapes, determinism, independence of rows, derivatives and, on a torus, periodicity.

    Parameters
    ----------
    energy : Energy
    points : int
        How many start points to check at.
    seed : int
    tolerance : float
        Of derivatives against central differences, relative to their size.

    Raises
    ------
    AssertionError
        With a sentence on what fails.

    Examples
    --------
    >>> import tda_landscape as tl
    >>> tl.testing.check_energy(tl.zoo.fourier(seed=1))
    """
    expect(Energy, energy=energy)
    x = energy.start(points, seed)
    assert x.shape == (points, energy.dim), f"start gives {tuple(x.shape)}, not {(points, energy.dim)}"
    assert torch.equal(x, energy.start(points, seed)), "start differs between two calls with the same seed"
    values, gradients = energy.value_and_grad(x)
    assert values.shape == (points,), f"energies have shape {tuple(values.shape)}, not {(points,)}"
    assert torch.allclose(energy(x), values, rtol=1e-12), "value_and_grad and the call give different energies"
    alone = torch.cat([energy(row[None]) for row in x])
    assert torch.allclose(alone, values, rtol=1e-9), "the energy of a point depends on its batch"
    generator = torch.Generator().manual_seed(seed)
    v = torch.randn(x.shape, generator=generator, dtype=x.dtype)
    v = v / v.norm(dim=1, keepdim=True)
    slopes = _difference(energy, x, v)
    _close((gradients * v).sum(1), slopes, tolerance, "the gradient disagrees with differences of the energy")
    if not energy.kinks:
        step = 1e-5
        bends = (energy.value_and_grad(x + step * v)[1] - energy.value_and_grad(x - step * v)[1]) / (2 * step)
        _close(energy.hvp(x, v), bends, 10 * tolerance, "hvp disagrees with differences of the gradient")
    if energy.period is not None:
        assert torch.allclose(energy(x + energy.period), values, rtol=1e-8, atol=1e-9), "the energy is not periodic"


def check_kernel(kernel: Kernel, *, energy: Energy | None = None, chains: int = 6, seed: int = 0) -> None:
    """Check what `samplers.run` relies on: shapes, purity, seeds, chains of their own, resume, the level.

    Parameters
    ----------
    kernel : Kernel
        With parameters that suit the energy.
    energy : Energy, optional
        `zoo.double_well(2)` by default.
    chains, seed : int

    Raises
    ------
    AssertionError
        With a sentence on what fails.

    Examples
    --------
    >>> import samplers, tda_landscape as tl
    >>> tl.testing.check_kernel(samplers.Langevin(step_size=0.01, temperature=0.1))
    """
    expect(Kernel, kernel=kernel)
    energy = energy or zoo.double_well(2)
    start = _start(kernel, energy, chains, seed)
    before = start.clone()
    first, second = (_run(kernel, energy, start, seed) for _ in range(2))
    assert torch.equal(start, before), "the kernel changes its start points in place"
    assert first.shape == start.shape, f"the points change shape from {tuple(start.shape)} to {tuple(first.shape)}"
    assert torch.isfinite(first).all(), "the chains diverge; give parameters that suit the energy"
    assert torch.equal(first, second), "two runs from the same seed differ"
    assert not torch.equal(first, start), "the kernel does not move"
    lost = start.clone()
    lost[0] = torch.nan
    assert torch.equal(_run(kernel, energy, lost, seed)[1:], first[1:]), "a chain that diverges changes the others"
    whole = run(energy, kernel, start, draws=10, seed=seed, plan=chains)
    half = run(energy, kernel, start, draws=5, seed=seed, plan=chains)
    rest = run(energy, half.kernel, half.state, draws=5)
    assert torch.equal(rest.points, whole.points[:, 5:]), "a run that goes on differs from one that never stopped"
    flat = energy(whole.points.flatten(0, 1)).view(whole.energies.shape)
    assert torch.allclose(whole.energies, flat, rtol=1e-9), "the energies in the state are not those of its points"
    level = getattr(kernel, "level", None)
    assert level is None or (whole.energies <= level).all(), "the kernel leaves its sublevel set"


def check_search(search: Search, *, energy: Energy | None = None, seed: int = 0) -> None:
    """Check that a search returns verified paths between the given ends, whatever else is searched with them.

    Its reports must come lower and lower, at ever more cost, and end with the path that it returns.

    Parameters
    ----------
    search : Search
    energy : Energy, optional
        `zoo.double_well(2)` by default.
    seed : int

    Raises
    ------
    AssertionError
        With a sentence on what fails.

    Examples
    --------
    >>> import tda_landscape as tl
    >>> tl.testing.check_search(tl.paths.Straight())
    """
    expect(Search, search=search)
    energy = energy or zoo.double_well(2)
    starts, ends = energy.start(3, seed), energy.start(3, seed + 1)
    reports: list[tuple[int, Tensor, float]] = []
    paths = search.find(energy, starts, ends, _generators(3), watch=lambda *report: reports.append(report))
    again = search.find(energy, starts, ends, _generators(3))
    alone = search.find(energy, starts[1:2], ends[1:2], _generators(3)[1:2])
    assert len(paths) == 3, f"{len(paths)} paths for 3 pairs"
    for path, repeat, a, b in zip(paths, again, starts, ends, strict=True):
        assert torch.equal(path.points, repeat.points), "two searches from the same seeds differ"
        assert torch.equal(path.points[0], a), "a path does not begin at its start"
        assert torch.equal(path.points[-1], b), "a path does not end at its end"
        _check_height(energy, path)
    for pair, path in enumerate(paths):
        _check_reports(energy, [(line, spent) for i, line, spent in reports if i == pair], path)
    assert abs(alone[0].height - paths[1].height) <= 1e-6 * (1 + abs(paths[1].height)), (
        "the path of a pair depends on what is searched with it"
    )


def _check_height(energy: Energy, path: Path) -> None:
    """The verified maximum is that of a dense evaluation."""
    t = torch.linspace(0, 1, 200, dtype=path.points.dtype)[:, None, None]
    dense = float(energy((path.points[:-1] + t * path.points.diff(dim=0)).flatten(0, 1)).max())
    spread = dense - float(path.energies.min())
    assert path.height >= dense - 1e-3 * spread, f"the height {path.height} is below the energy {dense} on the path"
    assert torch.allclose(energy(path.points), path.energies, rtol=1e-9), "energies do not belong to the points"


def _check_reports(energy: Energy, reports: list[tuple[Tensor, float]], path: Path) -> None:
    """A search that reports ends with the path that it returns, and none before is lower."""
    if not reports:
        return
    spent = [cost for _, cost in reports]
    assert all(a <= b for a, b in pairwise(spent)), f"the costs reported do not increase: {spent}"
    heights = [found.height for found in verify(energy, [line for line, _ in reports], [path.reason] * len(reports))]
    spread = heights[0] - float(path.energies.min())
    falling = all(b <= a + 1e-3 * spread for a, b in pairwise(heights))
    assert falling, f"a path is reported that is higher than the one before: {heights}"
    last, found = set(map(tuple, reports[-1][0].tolist())), set(map(tuple, path.points.tolist()))
    same = last <= found and len(found) <= len(last) + 1  # the highest point is a vertex of what is returned
    assert same, "the last path reported is not the one returned"


def _start(kernel: Kernel, energy: Energy, chains: int, seed: int) -> Tensor:
    """Start points, below the kernel's level where it has one."""
    level = getattr(kernel, "level", None)
    if level is None:
        return energy.start(chains, seed)
    many = energy.start(100 * chains, seed)
    inside = many[energy(many) <= level][:chains]
    assert len(inside) == chains, f"the start law gives too few points below the kernel's level {level}; raise it"
    return inside


def _run(kernel: Kernel, energy: Energy, start: Tensor, seed: int) -> Tensor:
    """Ten steps of a kernel."""
    generator = torch.Generator().manual_seed(seed)
    state = kernel.init(energy, start, generator)
    for _ in range(10):
        state, _ = kernel.step(energy, state, generator)
    points: Tensor = state.points
    return points


def _generators(n: int) -> list[torch.Generator]:
    """One fresh generator a pair."""
    return [torch.Generator().manual_seed(i) for i in range(n)]


def _difference(energy: Energy, x: Tensor, v: Tensor) -> Tensor:
    """Central difference of the energy along v."""
    step = 1e-6 * (1 + x.norm(dim=1))
    slopes: Tensor = (energy(x + step[:, None] * v) - energy(x - step[:, None] * v)) / (2 * step)
    return slopes


def _close(given: Tensor, wanted: Tensor, tolerance: float, sentence: str) -> None:
    """Agreement relative to the largest entry."""
    error = float((given - wanted).abs().max() / (1 + wanted.abs().max()))
    assert error <= tolerance, f"{sentence} (relative error {error:.1e})"
