"""Networks that somebody else trained become minima, by what they are and not by who says so."""

import copy

import pytest
import torch

import tda_landscape as tl


def trained(energy, k):
    """Modules at the ends of descents."""
    modules = []
    for point in tl.minimize(energy, energy.start(k, 0)):
        module = copy.deepcopy(energy.network.module)
        module.load_state_dict(energy.network.unflatten(point))
        modules.append(module)
    return modules


def test_state_dicts_are_looked_at_as_points_are():
    energy = tl.zoo.xor()
    modules = trained(energy, 5)
    swapped = copy.deepcopy(modules[0])
    with torch.no_grad():  # hidden units in another order: the same function
        swapped[0].weight.copy_(modules[0][0].weight.flip(0))
        swapped[0].bias.copy_(modules[0][0].bias.flip(0))
        swapped[2].weight.copy_(modules[0][2].weight.flip(1))
    moved = copy.deepcopy(modules[0])
    with torch.no_grad():
        moved[0].bias += 0.3
    states = [module.state_dict() for module in (*modules, swapped, moved)]
    minima = tl.Minima.from_state_dicts(energy, states)
    by_hand = tl.Minima.from_points(energy, torch.stack([energy.network.flatten(state) for state in states]))
    assert torch.equal(minima.points, by_hand.points)
    assert minima.status == by_hand.status
    assert minima.status.count("descending") == 1  # the moved one
    assert set(minima.status) == {"minimum", "descending"}
    assert int(minima.hits.sum()) == 0
    without = tl.Minima.from_state_dicts(energy, [modules[0].state_dict(), swapped.state_dict()], symmetry=None)
    assert len(without) == 2
    assert len(tl.Minima.from_state_dicts(energy, [modules[0].state_dict(), swapped.state_dict()])) == 1


def test_float32_weights_and_a_generator_of_them_are_taken():
    energy = tl.zoo.xor()
    modules = trained(energy, 2)
    minima = tl.Minima.from_state_dicts(energy, (m.float().state_dict() for m in modules), tolerance=1e-5)
    assert set(minima.status) == {"minimum"}
    assert minima.points.dtype == torch.float64


@pytest.mark.parametrize(
    ("energy", "states", "word"),
    [
        (tl.zoo.quartic, [{}], "network"),
        (tl.zoo.xor, [], "no state dicts"),
        (tl.zoo.xor, [{}], "parameter '0.weight' needs shape"),
        (tl.zoo.xor, [tl.zoo.networks.mlp([2, 5, 1]).state_dict()], "needs shape"),
    ],
)
def test_what_does_not_fit_is_refused(energy, states, word):
    with pytest.raises(tl.InputError, match=word) as caught:
        tl.Minima.from_state_dicts(energy(), states)
    assert len(str(caught.value).splitlines()) == 1
