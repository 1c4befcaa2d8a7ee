"""Quotient and raw counts of real minima: classes times copies are all the minima that there are."""

import numpy as np
import pytest
import torch

import tda_landscape as tl
from tda_landscape.energy.symmetry import find_symmetry, isotropy
from tda_landscape.topology import LandscapeGraph, group_order, nu_curve, raw_bounds

CASES = {(0.003, 0): [8, 8, 8], (0.02, 0): [8, 8], (0.04, 2): [4], (0.08, 9): [1]}
"""Weight decay and seed of the targets; copies of each class: a dead unit halves them, two dead units leave one."""


def landscape(decay, seed):
    """A 1-2-1 tanh network with all its minima, each copy by itself."""
    generator = torch.Generator().manual_seed(seed)
    inputs = torch.linspace(-2, 2, 7, dtype=torch.float64)[:, None]
    targets = torch.randn(7, 1, generator=generator, dtype=torch.float64)
    model = tl.zoo.networks.mlp([1, 2, 1])
    energy = tl.Energy.from_model(model, torch.nn.functional.mse_loss, (inputs, targets), weight_decay=decay)
    starts = 3 * torch.randn(300, energy.dim, generator=generator, dtype=torch.float64)
    minima = tl.quench(energy, starts, symmetry=None)
    found = np.array([status == "minimum" for status in minima.status])
    return energy, torch.as_tensor(minima.points)[found], torch.as_tensor(minima.energies)[found]


def classes(symmetry, points):
    """First member of the class of each point."""
    labels = []
    for i, point in enumerate(points):
        firsts = sorted(set(labels))
        images, _ = symmetry.align(point.expand(len(firsts), -1), points[firsts])
        near = (images - points[firsts]).norm(dim=1) < 1e-3 * (1 + point.norm())
        labels.append(firsts[int(near.nonzero()[0])] if near.any() else i)
    return labels


@pytest.mark.parametrize("case", CASES, ids=str)
def test_classes_times_copies_are_all_minima(case):
    energy, points, energies = landscape(*case)
    symmetry = find_symmetry(energy)
    labels = classes(symmetry, points)
    firsts = sorted(set(labels))
    stabilisers = isotropy(symmetry, points[firsts], tolerance=1e-4)
    copies = [symmetry.order // group_order(sheets.tolist()) for sheets in stabilisers]
    assert [labels.count(first) for first in firsts] == copies == CASES[case]
    loops = [(i, g) for i, sheets in enumerate(stabilisers) for g in sheets.numpy()]
    births = energies[firsts].numpy()
    graph = LandscapeGraph.from_arrays(
        births,
        [(i, i) for i, _ in loops],
        births[[i for i, _ in loops]] if loops else [],
        transform=[g for _, g in loops],
        order=symmetry.order,
    )
    lower, upper = nu_curve(graph).raw
    assert (lower[-1], upper[-1]) == (len(firsts), len(points))


def test_a_path_to_an_image_of_itself_is_a_loop():
    """A straight line from the lowest minimum to each copy: the raw count of the level set falls with the loops."""
    energy, points, _ = landscape(0.02, 0)
    symmetry = find_symmetry(energy)
    lowest = points[:1]
    images, sheets = symmetry.scramble(lowest.expand(60, -1), torch.Generator().manual_seed(0))
    t = torch.linspace(0, 1, 101, dtype=torch.float64)[:, None, None]
    heights = energy((lowest + t * (images - lowest)).flatten(0, 1)).view(101, 60).amax(0)
    birth = float(energy(lowest)[0])
    graph = LandscapeGraph.from_arrays(
        [birth],
        np.zeros((60, 2), dtype=int),
        heights.clamp(min=birth).numpy(),
        transform=list(sheets.numpy()),
        order=symmetry.order,
    )
    bounds = raw_bounds(graph)
    assert bounds.lower.tolist() == [1] * len(bounds.levels)
    assert bounds.upper[0] == 8
    assert bounds.upper[-1] == 1
    assert (np.diff(bounds.upper.astype(int)) < 0).all()
