"""Elements that leave a point where it is."""

from __future__ import annotations

import torch
from torch import Tensor

from tda_landscape.energy._random import Seed, as_generator
from tda_landscape.energy.symmetry._symmetry import Symmetry


def isotropy(
    symmetry: Symmetry, points: Tensor, *, tries: int = 16, tolerance: float = 1e-6, seed: Seed = 0
) -> list[Tensor]:
    """Find elements that fix each point, e.g. exchanges of two equal units or signs of a dead one.

    Parameters
    ----------
    symmetry : Symmetry
    points : Tensor (k, d)
    tries : int
        Random images of each point that are aligned back to it; each gives one element, mostly the identity.
    tolerance : float
        Distance, relative to 1 + |x|, within which a point counts as fixed: ten times what is left of its descent,
        or more.
    seed : int or torch.Generator

    Returns
    -------
    list of Tensor of int (m_i, degree)
        Distinct sheets of the elements found for each point, without the identity. They generate a subgroup of
        the stabiliser, very likely all of it: then a minimum has order / |subgroup| copies.

    Examples
    --------
    >>> import torch, tda_landscape as tl
    >>> from tda_landscape.energy.symmetry import find_symmetry, isotropy
    >>> model = tl.zoo.networks.mlp([4, 2, 3])
    >>> energy = tl.Energy.from_model(model, torch.nn.functional.cross_entropy, tl.zoo.datasets.load("iris"))
    >>> symmetry = find_symmetry(energy)
    >>> dead = torch.zeros(1, energy.dim, dtype=torch.float64)  # both units dead: all 2! 2^2 elements fix it
    >>> len(isotropy(symmetry, dead, tries=64)[0]) + 1
    8
    """
    if symmetry.degree == 0 or len(points) == 0:
        return [torch.empty(0, 0, dtype=torch.int64) for _ in points]
    generator = as_generator(seed)
    copies = points.repeat_interleave(tries, 0)
    images, out = symmetry.scramble(copies, generator)
    reach = tolerance * (1 + copies.norm(dim=1, keepdim=True))
    noise = torch.randn(copies.shape, generator=generator, dtype=copies.dtype) / copies.shape[1] ** 0.5
    # Near copies + noise, elements that fix the point up to less than the noise are equally good: chance picks one.
    back, home = symmetry.align(images, copies + reach / 3 * noise)
    fixed = (back - copies).norm(dim=1) <= reach[:, 0]
    moved = home.gather(1, out)
    fixed &= (moved != torch.arange(symmetry.degree)).any(1)
    chunks = zip(moved.unflatten(0, (-1, tries)), fixed.unflatten(0, (-1, tries)), strict=True)
    return [torch.unique(sheets[which], dim=0) for sheets, which in chunks]
