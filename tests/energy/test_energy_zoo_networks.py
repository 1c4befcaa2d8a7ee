"""The networks of the zoo against their formulas, and the symmetries that they are known to have."""

import math

import pytest
import torch

import tda_landscape as tl
from tda_landscape.energy import zoo
from tda_landscape.energy.symmetry import find_symmetry


def test_xor_is_its_formula():
    energy = zoo.xor(hidden=3)
    for theta in energy.start(4, 0):
        weight, bias, out, last = theta[:6].view(3, 2), theta[6:9], theta[9:12], float(theta[12])
        total = 1e-3 * float(theta.square().sum())
        for a, b, target in ((0, 0, 0), (0, 1, 1), (1, 0, 1), (1, 1, 0)):
            hidden = [
                math.tanh(float(w[0]) * a + float(w[1]) * b + float(c)) for w, c in zip(weight, bias, strict=True)
            ]
            logit = sum(float(v) * h for v, h in zip(out, hidden, strict=True)) + last
            total += math.log1p(math.exp(-logit if target else logit)) / 4
        assert energy(theta[None]).item() == pytest.approx(total, rel=1e-12)


def test_the_start_law_of_xor_is_wide():
    spread = zoo.xor().start(2000, 0).std(0)
    assert spread.shape == (17,)
    assert bool(((spread - 2).abs() < 0.2).all())


def test_digits_is_its_formula():
    energy = zoo.digits(hidden=3)
    X, y = zoo.datasets.load("digits")
    theta = energy.start(1, 0)[0]
    hidden = torch.tanh(X @ theta[:192].view(3, 64).T + theta[192:195])
    outputs = hidden @ theta[195:225].view(10, 3).T + theta[225:]
    truth = (outputs.logsumexp(1) - outputs.gather(1, y[:, None])[:, 0]).mean() + 1e-3 * theta.square().sum()
    assert energy.dim == 235
    assert energy(theta[None]).item() == pytest.approx(float(truth), rel=1e-12)


@pytest.mark.parametrize(("energy", "hidden"), [(zoo.xor(), 4), (zoo.xor(hidden=2), 2), (zoo.digits(hidden=3), 3)])
def test_permutations_and_signs_are_found(energy, hidden):
    symmetry = find_symmetry(energy)
    assert symmetry.order == math.factorial(hidden) * 2**hidden
    x = energy.start(2, 0)
    images, _ = symmetry.scramble(x, torch.Generator().manual_seed(0))
    assert not torch.allclose(images, x)
    assert torch.allclose(energy(images), energy(x), rtol=1e-12)
    back, _ = symmetry.align(images, x)
    assert torch.allclose(back, x, atol=1e-10)


@pytest.mark.parametrize("make", [zoo.xor, zoo.digits])
@pytest.mark.parametrize("hidden", [0, -1, 2.0, True])
def test_a_layer_without_units_is_refused(make, hidden):
    with pytest.raises(tl.InputError, match="hidden"):
        make(hidden=hidden)


def test_starts_of_xor_have_near_copies_of_units_up_to_sign():
    """Three of four units after the first, never all the same bits; the law of the others is 2 N(0, 1)."""
    energy = tl.zoo.xor()
    starts = energy.start(400, 0)
    units = torch.cat([starts[:, :8].view(-1, 4, 2), starts[:, 8:12, None], starts[:, 12:16, None]], dim=2)
    apart = torch.minimum(torch.cdist(units, units), torch.cdist(units, -units))
    apart = apart.masked_fill(torch.eye(4, dtype=torch.bool), torch.inf)[:, torch.tril(torch.ones(4, 4)).bool()]
    nearest = torch.stack([apart[:, [1]].amin(1), apart[:, [3, 4]].amin(1), apart[:, [6, 7, 8]].amin(1)])
    copied = (nearest < 0.3).double().mean()
    assert 0.7 < float(copied) < 0.85
    assert float(nearest.min()) > 0
    assert float(starts.std()) == pytest.approx(2, rel=0.05)
