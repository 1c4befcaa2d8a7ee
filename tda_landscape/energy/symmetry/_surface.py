"""Clusters with one atom taken from its place to another one on the surface."""

from __future__ import annotations

from itertools import combinations

import torch
from torch import Tensor

BONDED = 1.2
"""Distance of atoms that touch, relative to the usual distance of nearest neighbours."""

FREE = 0.8
"""Distance from all others that a place for an atom has at least."""


def elsewhere(atoms: Tensor) -> Tensor:
    """Clusters (m, n, 3): each atom of one cluster (n, 3) on top of each three others that touch each other."""
    n = len(atoms)
    own = torch.eye(n, dtype=torch.bool)
    apart = torch.cdist(atoms, atoms).masked_fill(own, torch.inf)
    bond = apart.amin(1).median()
    triples = torch.tensor(list(combinations(range(n), 3)), dtype=torch.int64).reshape(-1, 3)
    sides = torch.stack([apart[triples[:, i], triples[:, i - 1]] for i in range(3)])
    triples = triples[sides.amax(0) <= BONDED * bond]
    places = torch.cat([_above(atoms[triples], bond, side) for side in (1.0, -1.0)])
    under = torch.cat([triples, triples])
    room = torch.cdist(atoms, places) >= FREE * bond  # (n, places)
    stays = (under[:, :, None] != torch.arange(n)).all(1).T  # the atom that moves is none of the three
    fits = (room[None] | own[:, :, None]).all(1)  # and may be in its own way, but for where it is
    atom, place = torch.nonzero(fits & stays & room).T
    clusters = atoms.repeat(len(atom), 1, 1)
    clusters[torch.arange(len(atom)), atom] = places[place]
    return clusters


def _above(triples: Tensor, bond: Tensor, sign: float) -> Tensor:
    """Points (t, 3) at the same distance from all three of each triple of points (t, 3, 3), on one side of them."""
    a, b = triples[:, 1] - triples[:, 0], triples[:, 2] - triples[:, 0]
    normal = torch.linalg.cross(a, b)
    square = normal.square().sum(1, keepdim=True).clamp(min=1e-300)
    across = b.square().sum(1, keepdim=True) * a - a.square().sum(1, keepdim=True) * b
    centre = torch.linalg.cross(normal, across) / (2 * square)
    height = (bond**2 - centre.square().sum(1, keepdim=True)).clamp(min=0).sqrt()
    points: Tensor = triples[:, 0] + centre + sign * height * normal / square.sqrt()
    return points
