"""Uniform in the sublevel set: E <= u is not enough, the law has to be right too."""

import numpy as np
import pytest
import torch

import samplers
from samplers import Galilean, HitAndRun, Rejection
from tda_landscape.energy import Energy

CHAINS = 256


def ellipsoid(dim):
    """E = sum l_i x_i^2 / 2 with l from 1 to 100, and exact uniform points of {E <= 1}; there E^(d/2) is uniform."""
    curvature = torch.logspace(0, 2, dim, dtype=torch.float64)
    energy = Energy.from_function(lambda x: (curvature * x * x).sum(1) / 2, dim, grad=lambda x: curvature * x)
    generator = torch.Generator().manual_seed(0)
    x = torch.randn(CHAINS, dim, generator=generator, dtype=torch.float64)
    radius = torch.rand(CHAINS, 1, generator=generator, dtype=torch.float64) ** (1 / dim)
    return energy, x / x.norm(dim=1, keepdim=True) * radius * 2**0.5 / curvature.sqrt()


def kernels_at(dim):
    return {
        "Rejection": Rejection(level=1.0, step_size=0.2 if dim == 2 else 0.24 / dim),
        "Galilean": Galilean(level=1.0, step_size=0.15 / dim**0.5),
        "HitAndRun": HitAndRun(level=1.0, width=1.0 / dim**0.5),
    }


def score(uniform):
    """Mean and its standard error, from independent chains."""
    means = uniform.mean(1)
    return float(means.mean()), float(means.std() / len(means) ** 0.5)


@pytest.mark.parametrize("name", ["Rejection", "Galilean", "HitAndRun"])
@pytest.mark.parametrize("dim", [2, 32, 512])
def test_the_law_is_uniform(name, dim):
    energy, start = ellipsoid(dim)
    kernel = kernels_at(dim)[name]
    draws = {"HitAndRun": 40}.get(name, 150 if dim < 512 else 100)
    warmup = 100 if hasattr(kernel, "target_acceptance") else 0
    chains = samplers.run(energy, kernel, start, draws=draws, warmup=warmup, seed=1, plan=CHAINS)
    uniform = chains.energies ** (dim / 2)
    mean, error = score(uniform)
    print(
        f"{name} d={dim}: mean of (E/u)^(d/2) {mean:.4f} +- {error:.4f}, largest E {float(chains.energies.max()):.6f}"
    )
    assert (chains.energies <= 1.0).all()
    assert torch.equal(chains.energies, energy(chains.points.flatten(0, 1)).view(CHAINS, draws))
    assert abs(mean - 0.5) <= 3 * error
    assert error < 0.02
    # and the chains move: an exact start alone would pass the above
    moved = np.corrcoef(uniform[:, 0], uniform[:, -1])[0, 1]
    assert abs(moved) < 0.25


@pytest.mark.parametrize("dim", [2, 32, 512])
def test_pulling_back_to_the_boundary_is_inside_and_wrong(dim):
    """The negative control: what a quick implementation does."""
    energy, x = ellipsoid(dim)
    step = 0.2 if dim == 2 else 0.24 / dim
    generator = torch.Generator().manual_seed(1)
    seen = []
    for _ in range(200):
        move = step * torch.randn(x.shape, generator=generator, dtype=torch.float64)
        share = torch.ones(CHAINS, 1, dtype=torch.float64)
        low, high = torch.zeros_like(share), share.clone()
        outside = energy(x + move) > 1
        for _ in range(20):
            middle = (low + high) / 2
            inside = (energy(x + middle * move) <= 1)[:, None]
            low, high = torch.where(inside, middle, low), torch.where(inside, high, middle)
        x = x + torch.where(outside[:, None], low, share) * move
        seen.append(energy(x))
    energies = torch.stack(seen[50:], 1)
    mean, error = score(energies ** (dim / 2))
    print(f"pull-back d={dim}: {mean:.4f} +- {error:.4f}")
    assert (energies <= 1).all()
    assert 0.65 < mean < 0.85
    assert abs(mean - 0.5) > 10 * error


@pytest.mark.parametrize("kernel", [Rejection(1.2, 0.4), Galilean(1.2, 0.3), HitAndRun(1.2, 1.0)], ids=str)
def test_a_start_at_one_point_is_forgotten(kernel):
    """Double well above its saddle: from one point of one well to the uniform law of both (by a fine grid)."""

    def value(x):
        return (x[:, 0] ** 2 - 1) ** 2 + x[:, 1] ** 2 / 2

    energy = Energy.from_function(value, 2)
    grid = torch.linspace(-2.2, 2.2, 1501, dtype=torch.float64)
    values = value(torch.cartesian_prod(grid, grid))
    exact = float(values[values <= 1.2].mean())
    start = torch.tensor([[1.0, 0.0]], dtype=torch.float64).repeat(600, 1)
    thin = 20 if isinstance(kernel, HitAndRun) else 100
    chains = samplers.run(energy, kernel, start, draws=6, warmup=0, thin=thin, seed=0, plan=600)
    late, left = chains.energies[:, 2:], (chains.points[:, 2:, 0] < 0).double()
    for found, wanted in ((late, exact), (left, 0.5)):
        mean, error = score(found)
        assert abs(mean - wanted) <= 3 * error
    assert abs(float(value(start)[0]) - exact) > 0.1


@pytest.mark.parametrize("kernel", [Rejection(1.0, 0.2), Galilean(1.0, 0.1), HitAndRun(1.0, 1.0)], ids=str)
def test_nothing_but_full_batches_from_inside(kernel):
    energy, start = ellipsoid(2)
    outside = start.clone()
    outside[3] *= 100
    with pytest.raises(ValueError, match="1 of 256 starts have an energy above the level 1 ") as caught:
        samplers.run(energy, kernel, outside, draws=2)
    assert len(str(caught.value).splitlines()) == 1
    unknown = start.clone()
    unknown[0] = torch.nan
    with pytest.raises(ValueError, match="above the level"):
        samplers.run(energy, kernel, unknown, draws=2)
