"""The kernel lift: with p >= q + 1 hidden units any two points are joined below their maximum; with p >= q, descent."""

from dataclasses import dataclass, replace
from functools import partial

import pytest
import torch
from torch import nn
from torch.nn.functional import binary_cross_entropy_with_logits, cross_entropy, huber_loss, l1_loss, mse_loss, softplus

import tda_landscape as tl
from tda_landscape.theory import lift
from tda_landscape.theory._chain import read_chain
from tda_landscape.theory._curve import excess, joints, rise
from tda_landscape.theory._kernel_lift import lift_of

EXACT, JOINT = 1e-12, 1e-10
ACTIVATIONS = (
    torch.relu,
    torch.tanh,
    softplus,
    torch.sigmoid,
    torch.sin,
    torch.square,
    lambda z: z,
    lambda z: z + z**3,
)
CERTIFIED = (torch.relu, torch.tanh, torch.square)
SMOOTH = (mse_loss, huber_loss, cross_entropy, binary_cross_entropy_with_logits)
LOSSES = (*SMOOTH, l1_loss)


class Net(nn.Module):
    def __init__(self, sizes, rho, biased):
        super().__init__()
        self.one, self.two = nn.Linear(*sizes[:2], bias=biased[0]), nn.Linear(*sizes[1:], bias=biased[1])
        self.rho = rho

    def forward(self, x):
        return self.two(self.rho(self.one(x)))


@dataclass
class Case:
    energy: tl.Energy
    chain: object
    ends: torch.Tensor
    q: tl.theory.IntrinsicDimension
    generator: torch.Generator


def draw(seed, units, losses=LOSSES, rhos=ACTIVATIONS):
    """A random architecture with p = units(q, extra) units, random data and loss, and two ends, some degenerate."""
    g = torch.Generator().manual_seed(seed)

    def pick(options):
        return options[int(torch.randint(len(options), (1,), generator=g))]

    def normal(*shape):
        return torch.randn(*shape, generator=g, dtype=torch.float64)

    n, m, rows, rho, loss = pick((1, 2, 3, 4)), pick((1, 2, 3)), pick(range(2, 10)), pick(rhos), pick(losses)
    biased, kind = (pick((False, True)), pick((False, True))), pick(("generic", "repeated", "flat"))
    x = normal(rows, n)
    if kind == "repeated":
        x = torch.cat([x, x[:1], -x[:1]])
    if kind == "flat":
        x = x[:, :1] @ normal(1, n)
    y = normal(len(x), m)
    if loss is binary_cross_entropy_with_logits:
        y = (y > 0).double()
    if loss is cross_entropy:
        y = torch.randint(m, (len(x),), generator=g)
    q = tl.theory.intrinsic_dimension(Net((n, 1, m), rho, biased), (x, y))
    p = max(1, units(q, pick((0, 0, 0, 1, 2, q.value, 2 * q.value))))
    energy = tl.Energy.from_model(Net((n, p, m), rho, biased), loss, (x, y))
    chain = read_chain(energy.network)
    ends = torch.stack([degenerate(chain, normal(energy.dim), pick(DEGENERATE)) for _ in range(2)])
    return Case(energy, chain, ends, q, g)


DEGENERATE = ("generic", "generic", "generic", "zero", "same unit", "one direction", "no output", "small", "large")


def degenerate(chain, point, kind):
    (w, b), (u, c) = chain.layers(point.clone())
    if kind == "zero":
        return 0 * point
    if kind == "same unit":
        w[:] = w[:1].clone()
    if kind == "one direction":
        w[:] = torch.outer(w[:, 0], w[0])
    if kind == "no output":
        u[:] = 0
    if b is not None and kind in ("same unit", "one direction"):
        b[:] = 0
    return chain.vector([(w, b), (u, c)]) * {"small": 1e-3, "large": 30.0}.get(kind, 1.0)


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
        low = lift.descend(case.chain, case.energy.network, case.ends[0], case.generator).pieces[-1].end
        (w, b), (u, c) = case.chain.layers(low)
        copy = case.chain.vector([(w.flip(0), None if b is None else b.flip(0)), (u.flip(1), c)])
        line = tl.find_path(case.energy, low, copy, search=tl.paths.Straight())
        high += bool(line.height > line.energies[[0, -1]].max() + 1e-3)
        check_connect(replace(case, ends=torch.stack([low, copy])))
    assert high >= 6


def test_theorem_5_descent_never_rises_and_ends_at_the_global_minimum():
    for seed in range(8):
        case = draw(seed, lambda q, extra: q.upper + extra, SMOOTH)
        assert lift.refuses_descent(case.chain, case.energy.network) is None
        check_descent(case)


def check_descent(case):
    curve = lift.descend(case.chain, case.energy.network, case.ends[0], case.generator)
    assert rise(case.energy, curve, 17) <= EXACT
    assert joints(curve, case.ends[0], curve.pieces[-1].end) <= JOINT
    return float(case.energy(curve.pieces[-1].end[None]))


def test_the_end_of_a_squared_descent_is_least_squares():
    for seed in range(10):
        case = draw(seed, lambda q, extra: q.upper + extra, (mse_loss,))
        kernel, y = lift_of(case.chain).kernel.T, case.energy.network.targets
        if case.chain.biased[1]:
            kernel = torch.cat([kernel, torch.ones(len(kernel), 1)], 1)
        least = (y - kernel @ torch.linalg.lstsq(kernel, y, driver="gelsd").solution).square().mean()
        assert check_descent(case) == pytest.approx(float(least), abs=1e-12)


def test_the_end_of_a_descent_is_below_what_any_optimizer_reaches():
    for seed in range(1, 2):
        case = draw(seed, lambda q, extra: q.upper + extra, SMOOTH)
        trained = tl.minimize(case.energy, case.energy.start(6, seed), max_steps=300)
        assert check_descent(case) <= float(case.energy(trained).min()) + 1e-9


def test_descent_refuses_a_loss_without_second_derivatives():
    case = draw(4, lambda q, extra: q.upper + 1 + extra, (l1_loss,))
    with pytest.raises(tl.InputError, match="two derivatives"):
        lift.descend(case.chain, case.energy.network, case.ends[0], case.generator)


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
