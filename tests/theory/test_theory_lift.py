"""The kernel lift: with p >= q + 1 hidden units any two points are joined below their maximum."""

from dataclasses import replace
from functools import partial

import pytest
import torch
from torch.nn.functional import mse_loss

import tda_landscape as tl
from tda_landscape.theory import _kernel_lift, lift, lift_descent
from tda_landscape.theory._chain import read_chain
from tda_landscape.theory._curve import excess, joints
from tests.theory.lift_networks import CERTIFIED, draw
from tests.theory.theory_networks import normal, rng

EXACT, JOINT = 1e-12, 1e-10


def check_connect(case):
    curve = lift.connect(case.chain, *case.ends, case.generator)
    assert excess(case.energy, curve, 17) <= EXACT
    assert joints(curve, *case.ends) <= JOINT
    return curve


def test_theorem_5_with_one_spare_unit_joins_any_two_points():
    for seed in range(25):
        case = draw(seed, lambda q, extra: q.upper + 1 + extra)
        assert lift.refuses(case.chain, case.energy.network) is None
        check_connect(case)


@pytest.mark.slow
def test_500_random_architectures():
    worst, joint, longest = 0.0, 0.0, 0
    for seed in range(1000, 1500):
        case = draw(seed, lambda q, extra: q.upper + 1 + extra)
        assert lift.refuses(case.chain, case.energy.network) is None, seed
        curve = check_connect(case)
        worst = max(worst, excess(case.energy, curve, 41))
        joint, longest = max(joint, joints(curve, *case.ends)), max(longest, len(curve.pieces))
    print(f"500 architectures: relative excess {worst:.1e}, joints {joint:.1e}, at most {longest} pieces")


def test_every_piece_moves_one_layer():
    case = draw(3, lambda q, extra: q.upper + 1)
    for piece in check_connect(case).pieces:
        moved = [
            any(not torch.equal(a, b) for a, b in zip(one, two, strict=True) if a is not None)
            for one, two in zip(case.chain.layers(piece.start), case.chain.layers(piece.end), strict=True)
        ]
        assert moved.count(True) == 1


def test_control_with_p_units_at_most_q_it_refuses():
    for seed in range(20):
        case = draw(seed, lambda q, extra: q.lower - min(extra, 2))
        reason = lift.refuses(case.chain, case.energy.network)
        if case.q.lower:
            assert reason is not None
            assert "fewer than q + 1" in reason


def test_control_the_straight_line_rises():
    """From a global minimum to its copy with the units in reverse."""
    high = 0
    for seed in range(8):
        case = draw(seed, lambda q, extra: q.upper + 1 + extra, (mse_loss,))
        low = lift_descent.descend(case.chain, case.energy.network, case.ends[0], case.generator).pieces[-1].end
        (w, b), (u, c) = case.chain.layers(low)
        copy = case.chain.vector([(w.flip(0), None if b is None else b.flip(0)), (u.flip(1), c)])
        line = tl.find_path(case.energy, low, copy, search=tl.paths.Straight())
        high += bool(line.height > line.energies[[0, -1]].max() + 1e-3)
        check_connect(replace(case, ends=torch.stack([low, copy])))
    assert high >= 6


def test_a_unit_that_sees_nothing_but_rounding_adds_no_feature():
    """On these data the third input is the sum of the first two, but for its rounding."""
    x = normal(rng(0), 6, 2)
    data = torch.cat([x, x.sum(1, keepdim=True)], dim=1), x[:, :1]
    energy = tl.Energy.from_model(tl.zoo.networks.mlp([3, 8, 1], activation="relu", bias=False), mse_loss, data)
    chain = read_chain(energy.network)
    kernel = _kernel_lift.kernel_lift(energy)
    none = torch.tensor([[0.1, 0.1, -0.1], [0.7, 0.7, -0.7], [-3.3, -3.3, 3.3]], dtype=torch.float64)
    some = torch.tensor([[0.1, 0.1, -0.1 + 1e-9], [1e-9, 0.0, 0.0]], dtype=torch.float64)
    assert kernel.features(none).any(1).any()  # control: some of them are not 0
    assert _kernel_lift.independent(kernel, none) == []
    assert sorted(_kernel_lift.independent(kernel, torch.cat([none, some]))) == [3, 4]
    for seed in range(20):  # three units that see the data, five that do not
        incoming = normal(rng(seed), 2, 8, 3)
        incoming[:, 3:] = incoming[:, 3:, :1] * torch.tensor([1.0, 1.0, -1.0])
        ends = [chain.vector([(w, None), (u, None)]) for w, u in zip(incoming, normal(rng(seed), 2, 1, 8), strict=True)]
        assert excess(energy, lift.connect(chain, *ends, rng(seed)), 17) <= EXACT


@pytest.mark.parametrize("seed", range(3))
def test_certificates_prove_the_height(seed):
    cases = (draw(s, lambda q, extra: q.upper + 1, rhos=CERTIFIED) for s in range(100 * seed, 100 * seed + 100))
    case = next(case for case in cases if case.q.value in (2, 3))
    points = torch.cat([torch.stack([p.start, p.end]) for p in check_connect(case).pieces])
    higher = float(case.energy(case.ends).max())
    certificate = tl.certify(case.energy, points, level=higher + 1e-6 * (1 + higher))
    assert certificate.status == "certified"
    assert certificate.upper <= higher + 1e-6 * (1 + higher)


def test_the_public_doors_return_verified_paths():
    case = draw(0, lambda q, extra: q.upper + 1, (mse_loss,), (torch.relu,))
    higher = float(case.energy(case.ends).max())
    path = tl.find_path(case.energy, *case.ends, search=tl.theory.Constructive())
    assert (path.reason, path.height <= higher * (1 + EXACT)) == (tl.paths.Stop.THEOREM, True)
    down = tl.theory.descend(case.energy, case.ends[0])
    assert bool((down.energies.diff() <= EXACT * (1 + down.height)).all())
    minima = tl.quench(case.energy, case.ends, symmetry=None, max_steps=20)
    assert (
        tl.nu_curve(tl.connect(case.energy, minima, search=tl.theory.Constructive()))(minima.energies.max() + 1e-9) == 1
    )


def test_what_the_theorem_does_not_cover_is_refused():
    x = torch.randn(4, 2, generator=torch.Generator().manual_seed(0))
    make = partial(tl.Energy.from_model, loss=mse_loss, data=(x, x[:, :1]))

    def reason(energy):
        return lift.refuses(read_chain(energy.network), energy.network)

    wide, deep = tl.zoo.networks.mlp([2, 9, 1]), tl.zoo.networks.mlp([2, 9, 9, 1])
    assert reason(make(wide)) is None
    assert "2 hidden layers" in reason(make(deep))
    assert "weight_decay" in reason(make(wide, weight_decay=1e-3))
    assert "regularizer" in reason(make(wide, regularizer=lambda p: sum(v.abs().sum() for v in p.values())))
    assert "convex" in reason(make(wide, loss=lambda out, y: (out - y).square().mean().sqrt()))
    close = torch.tensor([[1.0, 0.0], [1.0, 1e-9], [0.0, 1.0]])
    near = tl.zoo.networks.mlp([2, 3, 1], activation="relu", bias=False)
    assert "not decided" in reason(tl.Energy.from_model(near, mse_loss, (close, close[:, :1])))
