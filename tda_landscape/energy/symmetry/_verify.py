"""A symmetry is used only after it was verified on the data."""

from __future__ import annotations

import torch
from torch import Tensor

from tda_landscape._errors import InputError
from tda_landscape.energy._energy import Energy
from tda_landscape.energy._random import Seed, as_generator
from tda_landscape.energy.symmetry._symmetry import Symmetry

TOLERANCE = 1e-10
SPREADS = ((1.0, 0.0), (3.0, 0.0), (1.0, 0.3))
"""Factor of points from the start law, and relative size of normal noise added: start laws may have zero biases."""


def verify(energy: Energy, symmetry: Symmetry, *, points: int = 4, seed: Seed = 0) -> None:
    """Check on random points and elements that a symmetry leaves an energy as it is.

    Parameters
    ----------
    energy : Energy
        In float64.
    symmetry : Symmetry
    points : int
        Points drawn from the start law; taken as they are, scaled by 3, and with noise, so three times as many. Each
        costs three values, and a gradient for some if there are zero modes.
    seed : int or torch.Generator

    Raises
    ------
    InputError
        |E(g x) - E(x)| > 1e-10 (1 + |E(x)|) for some g x, made by `scramble` or by `align`; an invariant that moves;
        a zero mode along which the energy has a slope; a sheet that is no permutation.

    Examples
    --------
    >>> import torch, tda_landscape as tl
    >>> from tda_landscape.energy.symmetry import find_symmetry, verify
    >>> model, data = tl.zoo.networks.mlp([4, 3, 3]), tl.zoo.datasets.load("iris")
    >>> energy = tl.Energy.from_model(model, torch.nn.functional.cross_entropy, data)
    >>> verify(energy, find_symmetry(energy))
    """
    generator = as_generator(seed)
    x = sample_points(energy, points, generator)
    energies = energy(x)
    images, sheets = symmetry.scramble(x, generator)
    aligned, others = symmetry.align(images, x)
    for moved, how in ((images, "moved by a random element"), (aligned, "aligned to another point")):
        _check_same(energy, energies, moved, how)
    for table in (sheets, others):
        if table.shape != (len(x), symmetry.degree) or not torch.equal(
            table.sort(1).values, torch.arange(symmetry.degree).expand(len(x), -1)
        ):
            raise InputError(
                f"the symmetry's sheets must be permutations of its degree, shape (k, {symmetry.degree}); "
                f"got shape {tuple(table.shape)}"
            )
    here, there = symmetry.invariants(x), symmetry.invariants(images)
    change = float(((here - there).abs() / (1 + here.abs())).max()) if here.numel() else 0.0
    if not change <= 1e-7:
        raise InputError(f"the symmetry's invariants differ by {change:.2g} between equivalent points; correct them")
    for point in x[::points].split(1):  # one by one: the modes of a large network fill the memory
        _check_zero_modes(energy, point, symmetry.zero_modes(point))


def sample_points(energy: Energy, k: int, generator: torch.Generator) -> Tensor:
    """Random points (3 k, d): from the start law, scaled, and with noise."""
    if energy.dtype != torch.float64:
        raise InputError(
            f"a symmetry is verified to {TOLERANCE:.0e}, which needs float64, but the energy has {energy.dtype}; "
            "make it with dtype=torch.float64, or pass symmetry=None"
        )
    starts = energy.start(k, generator)
    size = starts.square().mean().sqrt()
    noise = torch.randn(len(SPREADS), *starts.shape, generator=generator, dtype=starts.dtype)
    return torch.cat([starts * a + b * size * n for (a, b), n in zip(SPREADS, noise, strict=True)])


def excess(before: Tensor, after: Tensor) -> float:
    """Largest |E(g x) - E(x)| / (1 + |E(x)|) of energies (k,); inf where only one of the two is finite."""
    both, one = torch.isfinite(before) & torch.isfinite(after), torch.isfinite(before) ^ torch.isfinite(after)
    relative = (after - before).abs() / (1 + before.abs())
    return float(torch.where(both, relative, torch.where(one, torch.inf, 0.0)).max())


def _check_same(energy: Energy, energies: Tensor, images: Tensor, how: str) -> None:
    """Refuse images with other energies."""
    if images.shape != (len(energies), energy.dim):
        raise InputError(f"the symmetry turned {len(energies)} points into an array of shape {tuple(images.shape)}")
    differ = excess(energies, energy(images))
    if not differ <= TOLERANCE:
        raise InputError(
            f"the energy is not invariant: a point {how} changes it by {differ:.2g} relative to 1 + |E|, "
            f"above {TOLERANCE:.0e}; correct the symmetry, or pass symmetry=None"
        )


def _check_zero_modes(energy: Energy, points: Tensor, modes: Tensor) -> None:
    """Refuse tangents along which the energy changes."""
    if modes.ndim != 3 or modes.shape[0] != len(points) or modes.shape[2] != energy.dim:
        raise InputError(f"zero_modes must have shape (k, z, {energy.dim}), got {tuple(modes.shape)}")
    if modes.shape[1] == 0:
        return
    _, gradients = energy.value_and_grad(points)
    slopes = (modes @ gradients[..., None])[..., 0].abs() / (1 + gradients.norm(dim=1, keepdim=True))
    if not slopes[torch.isfinite(gradients).all(1)].max() <= 1e-8:
        raise InputError(f"the energy has slope {float(slopes.max()):.2g} along a zero mode of the symmetry")
