"""A wrong symmetry is refused, and what a penalty breaks is dropped, no more and no less."""

from dataclasses import dataclass, replace

import pytest
import torch
from symmetry_networks import NETWORKS, energy_of, noisy, normalised

import tda_landscape as tl
from tda_landscape.energy.symmetry import NetworkSymmetry, Symmetry, find_symmetry, verify
from tda_landscape.energy.symmetry._read import read_structure


@dataclass(frozen=True)
class Flips:
    """Signs of all coordinates of x; a declared symmetry of a user."""

    dim: int = 2
    slope: bool = False

    @property
    def order(self) -> int:
        return 2**self.dim

    @property
    def degree(self) -> int:
        return 2 * self.dim

    def describe(self):
        return f"signs of {self.dim} coordinates"

    def scramble(self, points, generator):
        flips = 2 * torch.randint(0, 2, points.shape, generator=generator) - 1
        return points * flips, self.sheets(flips)

    def sheets(self, flips):
        n = torch.arange(self.dim)
        return torch.cat([torch.where(flips < 0, n + self.dim, n), torch.where(flips < 0, n, n + self.dim)], 1)

    def invariants(self, points):
        return points.abs()

    def align(self, points, references):
        flips = torch.where(points * references < 0, -1, 1)
        return points * flips, self.sheets(flips)

    def zero_modes(self, points):
        z = int(self.slope)
        return torch.eye(self.dim, dtype=points.dtype)[:z].expand(len(points), z, self.dim)


class NoPermutation(Flips):
    def sheets(self, flips):
        return torch.zeros(len(flips), self.degree, dtype=torch.int64)


class MovingInvariants(Flips):
    def invariants(self, points):
        return points


class WrongAlign(Flips):
    def align(self, points, references):
        return references.clone() + 0.1, super().align(points, references)[1]


def well(function=lambda x: (x**2 - 1).square().sum(1), symmetry=None):
    return tl.Energy.from_function(function, 2, bounds=(-2, 2), symmetry=symmetry)


def test_a_declared_symmetry_is_used_after_it_is_verified():
    own: Symmetry = Flips()
    assert find_symmetry(well(symmetry=own)) is own
    assert find_symmetry(well(), own) is own
    assert find_symmetry(well(symmetry=own), None) is None
    assert find_symmetry(well()) is None  # nothing declared: the group is not known


@pytest.mark.parametrize("tilt", [0.1, 1e-9])
def test_a_declared_symmetry_that_is_none_is_refused(tilt):
    tilted = well(lambda x: (x**2 - 1).square().sum(1) + tilt * x[:, 0])
    with pytest.raises(tl.InputError, match=r"not invariant.*random element.*symmetry=None"):
        find_symmetry(tilted, Flips())
    with pytest.raises(tl.InputError, match="not invariant"):
        find_symmetry(replace(tilted, symmetry=Flips()))


@pytest.mark.parametrize(
    ("own", "said"),
    [
        (NoPermutation(), "permutations of its degree"),
        (MovingInvariants(), "invariants differ"),
        (WrongAlign(), "aligned to another point"),
        (Flips(slope=True), "along a zero mode"),
        ("signs", '"auto", None or a Symmetry'),
        (3, "3 is no Symmetry"),
    ],
)
def test_every_promise_of_a_symmetry_is_checked(own, said):
    with pytest.raises(tl.InputError, match=said):
        find_symmetry(well(), own)


def test_a_zero_mode_that_is_one_passes():
    trough = well(lambda x: (x[:, 1] ** 2 - 1).square())
    assert find_symmetry(trough, Flips(slope=True)).slope


@pytest.mark.parametrize("other", ["relu", "sigmoid", "gelu"])
def test_signs_of_a_tanh_network_are_refused_elsewhere(other):
    odd = energy_of(tl.zoo.networks.mlp([3, 4, 2]), weight_decay=1e-3)
    energy = energy_of(tl.zoo.networks.mlp([3, 4, 2], activation=other), weight_decay=1e-3)
    structure = read_structure(odd.network)
    verify(odd, NetworkSymmetry(structure, odd.network))
    wrong = NetworkSymmetry(structure, energy.network)
    with pytest.raises(tl.InputError, match="not invariant"):
        verify(energy, wrong)
    assert find_symmetry(energy).describe() == "permutations of 4 units of layer '0'"


def test_scales_of_a_relu_network_are_refused_under_weight_decay():
    free, bound = (energy_of(NETWORKS["relu 3-6-7-2"](), weight_decay=decay) for decay in (0.0, 1e-6))
    wrong = find_symmetry(free)
    with pytest.raises(tl.InputError, match="not invariant"):
        verify(bound, wrong)
    assert find_symmetry(bound).zero_modes(noisy(bound, 2)).shape == (2, 0, bound.dim)
    assert find_symmetry(free).zero_modes(noisy(free, 2)).shape == (2, 13, free.dim)


PENALTIES = {
    "one unit": (lambda p: p["0.weight"][0].square().sum(), "signs of 6"),
    "sign of the biases": (lambda p: p["0.bias"].sum(), "permutations of 6"),
    "order of the units": (lambda p: (p["0.bias"] * torch.arange(6)).sum(), None),
    "second layer alone": (lambda p: p["2.bias"].sum(), "permutations and signs of 6"),
    "lengths": (lambda p: p["0.weight"].norm() + p["4.weight"].abs().sum(), "permutations and signs of 6"),
}


@pytest.mark.parametrize("name", PENALTIES)
def test_a_penalty_breaks_what_it_breaks_and_no_more(name):
    penalty, first = PENALTIES[name]
    energy = energy_of(NETWORKS["tanh 3-6-7-2"](), regularizer=penalty)
    whole = "permutations of 7" if name == "second layer alone" else "permutations and signs of 7"
    expected = f"{whole} units of layer '2'"
    if first:
        expected = f"{first} units of layer '0'; {expected}"
    assert find_symmetry(energy).describe() == expected


def test_nothing_left_is_the_trivial_group():
    energy = energy_of(tl.zoo.networks.mlp([3, 4, 2]), regularizer=lambda p: (p["0.bias"] * torch.arange(4)).sum())
    symmetry = find_symmetry(energy)
    assert (symmetry.order, symmetry.degree) == (1, 0)
    assert symmetry.describe() == "nothing but the identity"
    points = noisy(energy, 3)
    images, sheets = symmetry.align(points, points.flip(0))
    assert torch.equal(images, points)
    assert sheets.shape == (3, 0)


def test_batch_norm_under_weight_decay_needs_equal_statistics():
    """The fold changes |theta| unless the channels have seen the same; then they may be exchanged."""
    different, alike = (energy_of(normalised(alike=alike), weight_decay=1e-3) for alike in (False, True))
    assert find_symmetry(different).describe() == "nothing but the identity"
    assert find_symmetry(alike).order == 24 * 120
    fresh = torch.nn.Sequential(torch.nn.Conv2d(1, 4, 3), torch.nn.BatchNorm2d(4), torch.nn.ReLU())
    fresh = torch.nn.Sequential(fresh, torch.nn.Flatten(), torch.nn.Linear(144, 2)).eval()
    assert find_symmetry(energy_of(fresh, weight_decay=1e-3)).order == 24 * 2**4  # mean 0: signs before the norm


def test_the_start_law_alone_would_not_see_it():
    """Zero biases hide a penalty on them: points with noise are tried as well."""
    model = tl.zoo.networks.mlp([3, 4, 2])
    penalty = {"regularizer": lambda p: (p["0.bias"] ** 3).sum()}
    plain = energy_of(model, **penalty)

    def unbiased(k, generator):
        points = plain.start_law(k, generator)
        points[:, 12:16] = 0
        return points

    assert find_symmetry(replace(plain, start_law=unbiased)).describe() == "permutations of 4 units of layer '0'"


def test_float32_is_refused():
    energy = tl.Energy.from_function(lambda x: x.square().sum(1), 2, dtype=torch.float32)
    with pytest.raises(tl.InputError, match="needs float64"):
        find_symmetry(energy, Flips())


def test_the_same_answer_every_time():
    energy = energy_of(NETWORKS["residual relu"]())
    state = torch.random.get_rng_state()
    points = noisy(energy, 5)
    first, second = (find_symmetry(energy).align(points.flip(0), points)[0] for _ in range(2))
    assert torch.equal(first, second)
    assert torch.equal(torch.random.get_rng_state(), state)
