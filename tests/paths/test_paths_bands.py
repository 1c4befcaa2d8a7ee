"""Strings and elastic bands: tangents by hand, even spacing, and the saddle that a climbing image finds."""

import math

import pytest
import torch

import tda_landscape as tl
from tda_landscape.energy._batching import Meter, drive
from tda_landscape.paths import NudgedElasticBand, Stop, String, verify
from tda_landscape.paths._band import Band, evenly, tangents
from tda_landscape.paths._profile import Outset
from tda_landscape.paths._together import together

CORNER = torch.tensor([[0.0, 0.0], [3.0, 0.0], [3.0, 1.0]], dtype=torch.float64)  # back (3, 0), ahead (0, 1)


@pytest.mark.parametrize(
    ("energies", "tangent"),
    [
        ([0, 1, 2], (0, 1)),  # uphill: the vector ahead
        ([2, 1, 0], (1, 0)),  # downhill: the vector back
        ([0, 3, 1], (3 * 2, 1 * 3)),  # maximum, higher neighbor ahead: it has the larger difference, 3
        ([1, 3, 0], (3 * 3, 1 * 2)),  # maximum, higher neighbor back
        ([3, 0, 2], (3 * 3, 1 * 2)),  # minimum, higher neighbor back
        ([2, 0, 3], (3 * 2, 1 * 3)),  # minimum, higher neighbor ahead
        ([1, 1, 1], (3, 1)),  # flat: both alike
        ([0, math.inf, 0], (3, 1)),  # nothing to weigh with
    ],
)
def test_tangents_by_hand(energies, tangent):
    """Henkelman and Jonsson 2000, eq. 8 to 11; equation 10 weighs vectors of the images, not unit vectors."""
    found = tangents(CORNER, torch.tensor(energies, dtype=torch.float64))
    wanted = torch.tensor([tangent], dtype=torch.float64)
    assert torch.allclose(found, wanted / wanted.norm())


def test_the_swapped_weights_of_autoneb_would_be_seen():
    """Control: with the two weights of an extremum exchanged, as in PyTorch-AutoNEB, the tangent is another one."""
    found = tangents(CORNER, torch.tensor([0.0, 3.0, 1.0], dtype=torch.float64))
    swapped = torch.tensor([[3 * 3.0, 1 * 2.0]], dtype=torch.float64)
    assert not torch.allclose(found, swapped / swapped.norm(), atol=1e-2)


def test_even_spacing_by_hand():
    line = torch.tensor([[0.0, 0.0], [1.0, 0.0], [1.0, 3.0]], dtype=torch.float64)
    assert torch.allclose(evenly(line), torch.tensor([[0.0, 0.0], [1.0, 1.0], [1.0, 3.0]]).double())
    climbing = Band(3, None, True).put_in_order(torch.cat([line, line[-1:] + 2]), 2)
    assert torch.equal(climbing[2], line[2])
    assert torch.allclose(climbing[1], torch.tensor([1.0, 1.0]).double())
    assert not torch.allclose(Band(3, None, True).put_in_order(climbing, None)[2], line[2])


def pull(points, share=0.0, **options):
    """Force on a band in the valley y = 0 of a ridge at x = 0, ends at energy -1."""
    energy = tl.Energy.from_function(lambda x: -(x[:, 0] ** 2) + 5 * x[:, 1] ** 2, 2)
    outset = Outset(energy(points[[0, -1]]), 1.0, 2.0)
    band = Band(len(points) - 2, **{"spring": None, "climbing": False, **options})
    ((force, climber),) = drive(energy, [band.pull(points, outset, share, torch.Generator(), Meter())])
    return force, climber


def test_forces_by_hand():
    points = torch.tensor([[-1.0, 0.0], [-0.5, 0.0], [0.25, 0.0], [1.0, 0.0]], dtype=torch.float64)
    assert torch.allclose(pull(points)[0], torch.zeros(4, 2).double())  # nothing across the path
    # excess 1 - (-1) = 2 over squared length 4, times the spring 3: stiffness 1.5
    springs = pull(points, spring=3.0)[0]
    assert torch.allclose(springs[1], torch.tensor([1.5 * 0.25, 0.0]).double())
    assert torch.allclose(springs[2], torch.zeros(2).double())
    force, climber = pull(points, share=0.5, spring=3.0, climbing=True)
    assert climber == 2
    assert torch.allclose(force[2], torch.tensor([-0.5, 0.0]).double())  # uphill is towards x = 0
    assert pull(points, share=0.4, climbing=True)[1] is None
    lifted = points + torch.tensor([[0.0, 0.0], [0.0, 0.1], [0.0, 0.1], [0.0, 0.0]]).double()
    assert float(pull(lifted)[0][2, 1]) < -0.5


SADDLE = -40.66484351147


@pytest.fixture(scope="module")
def mueller_brown():
    energy = tl.zoo.mueller_brown()
    ends = torch.tensor([[-0.5582236346, 1.4417258418], [0.6234994049, 0.0280377585]], dtype=torch.float64)
    return energy, ends


@pytest.mark.parametrize("search", [String(budget=4000), NudgedElasticBand(budget=4000)], ids=["s", "neb"])
def test_the_climbing_image_finds_the_saddle(search, mueller_brown):
    energy, ends = mueller_brown
    lines = []
    path = tl.find_path(energy, *ends, search=search, watch=lambda line, _: lines.append(line))
    (fine,) = verify(energy, lines[-1:], [Stop.BUDGET], tolerance=1e-10)
    assert SADDLE - 1e-7 <= fine.height <= SADDLE + 1e-3
    assert path.height == pytest.approx(fine.height, abs=2e-4)
    images = energy(lines[-1])
    assert float(images.max()) == pytest.approx(SADDLE, abs=0.01)
    saddle = tl.refine_saddle(energy, lines[-1][images.argmax()][None])
    assert float(saddle.energies[0]) == pytest.approx(SADDLE, abs=1e-6)


def test_without_a_climbing_image_no_image_is_at_the_saddle(mueller_brown):
    energy, ends = mueller_brown
    lines = []
    search = String(budget=4000, climbing=False)
    tl.find_path(energy, *ends, search=search, watch=lambda line, _: lines.append(line))
    assert float(energy(lines[-1]).max()) < SADDLE - 0.5


def test_tasks_together_do_what_they_do_alone():
    def task(start, steps):
        meter, x = Meter(), torch.full((steps, 2), start, dtype=torch.float64)
        for _ in range(steps):
            _, gradients = yield from meter.gradients(x)
            x = x - 0.01 * gradients
            yield from meter.values(x[:1])
        return x

    def both():
        return (yield from together([task(0.3, 3), task(0.7, 5), task(1.0, 0)]))

    energy = tl.zoo.double_well(2)
    (joined,) = drive(energy, [both()])
    alone = drive(energy, [task(0.3, 3), task(0.7, 5), task(1.0, 0)])
    assert all(torch.equal(a, b) for a, b in zip(joined, alone, strict=True))
