"""Each rule against the worst members of its inputs; and each rule weakened, which its own check must catch."""

from __future__ import annotations

import importlib
import inspect
import math
import sys
from collections.abc import Callable
from dataclasses import dataclass
from types import ModuleType

import directed
import pytest
import torch
from torch import Tensor, nn

ROOM = "tda_landscape.certificates."


def module(name: str) -> ModuleType:
    return importlib.import_module(ROOM + name)


def affine(many: int = 0, inputs: int = 5) -> float:
    rules, segments, products = module("rules.affine"), module("_segments"), module("rules._products")
    weight, bias = segments.Span(0, (4, inputs)), segments.Span(4 * inputs, (4,))
    rule = rules.Affine(products.Dense(), weight, bias)
    return max(
        directed.worst(rule, (directed.enclosure(inputs, seed=i, many=many, wide=w),), directed.path(4 * inputs + 4, i))
        for i, w in enumerate((0.0, 0.4, 2.0))
    )


def convolution() -> float:
    rules, segments, products = module("rules.affine"), module("_segments"), module("rules._products")
    product = products.Convolution((1, 1), (1, 1, 1, 1), "constant", (1, 1), 1, (3, 3))
    rule = rules.Affine(product, segments.Span(0, (3, 2, 3, 3)), segments.Span(54, (3,)))
    return directed.worst(rule, (directed.enclosure(2, 4, 4, many=2),), directed.path(57))


def relu(many: int = 0) -> float:
    rule, none = module("rules.relu").Relu(), directed.path(1)
    wides = (0.0, 0.1, 1.0, 5.0)
    return max(
        directed.worst(rule, (directed.enclosure(6, seed=i, many=many, wide=w, bend=b),), none)
        for i, w in enumerate(wides)
        for b in (0.0, 0.5)
    )


def leaky() -> float:
    rule = module("rules.relu").LeakyRelu(0.3)
    return directed.worst(rule, (directed.enclosure(6, many=2),), directed.path(1))


def smooth(name: str) -> float:
    functions = module("rules._functions")
    function = {
        "softplus": lambda: functions.softplus(1.0),
        "rsqrt": lambda: functions.inverse_root(1e-2),
    }.get(name, lambda: getattr(functions, name.upper()))()
    rule = module("rules.smooth").Smooth(function)
    shift = 4.0 if name == "rsqrt" else 0.0
    excess = -math.inf
    for seed, (wide, spread) in enumerate(((0.0, 1.0), (1.0, 1.0), (0.3, 3.0), (0.05, 0.1))):
        v = directed.enclosure(6, seed=seed, many=2, wide=wide, shift=shift, bend=0.3 * min(1.0, spread))
        if name == "rsqrt":  # what is enclosed is at least the floor, as a variance plus eps is
            v = directed.enclosure(6, seed=seed, wide=0.2, shift=4.0, bend=0.1, rows=400)
            v = type(v)(v.start.clamp(min=1e-2), v.end.clamp(min=1e-2), v.bend, v.radius)
            excess = max(
                excess, directed.worst(rule, (v,), directed.path(1), lambda m, t: m[0].clamp(min=1e-2).rsqrt())
            )
            continue
        v = type(v)(spread * v.start, spread * v.end, v.bend, v.radius, v.generators, v.symbols)
        excess = max(excess, directed.worst(rule, (v,), directed.path(1)))
    return excess


def multiply(many: int = 0) -> float:
    rule = module("rules.arithmetic").Multiply()
    cases = [(0.0, 3.0), (0.4, 0.5), (2.0, 0.5)]
    return max(
        directed.worst(
            rule,
            tuple(directed.enclosure(3, seed=2 * i + j, wide=w, bend=b, many=many) for j in (0, 1)),
            directed.path(1),
        )
        for i, (w, b) in enumerate(cases)
    )


def sums(same: bool) -> float:
    """The sum of two branches with the same generators, or with generators of their own."""
    v, w = (directed.enclosure(4, seed=i, many=3) for i in (0, 1))
    w = w if same else type(w)(w.start, w.end, w.bend, w.radius, w.generators, (2,))
    return directed.worst(module("rules.arithmetic").Add(), (v, w), directed.path(1))


def scale() -> float:
    return directed.worst(
        module("rules.arithmetic").Scale(-2.5, 0.3), (directed.enclosure(4, many=2),), directed.path(1)
    )


def average() -> float:
    rule = module("rules.reshaping").Average(lambda x: x.mean(-1, keepdim=True))
    return directed.worst(rule, (directed.enclosure(3, 5, many=2),), directed.path(1))


def max_pool() -> float:
    rule = module("rules.max_pooling").MaxPool((2, 2), (2, 2))
    return max(
        directed.worst(rule, (directed.enclosure(2, 4, 4, seed=i, many=m, wide=w, bend=b),), directed.path(1))
        for i, (m, w, b) in enumerate(((0, 0.0, 0.0), (0, 0.2, 0.5), (2, 1.0, 0.5), (0, 4.0, 1.0)))
    )


def batch_norm() -> float:
    rules, span = module("rules.normalization"), module("_segments").Span
    mean, variance = torch.tensor([0.3, -1.0, 2.0]).double(), torch.tensor([0.5, 2.0, 1.0]).double()
    rule = rules.BatchNorm(mean, variance, 1e-5, span(0, (3,)), span(3, (3,)))
    return directed.worst(rule, (directed.enclosure(3, many=2),), directed.path(6))


def layer_norm() -> float:
    rules, span = module("rules.normalization"), module("_segments").Span
    rule = rules.LayerNorm((4,), 1e-5, span(0, (4,)), span(4, (4,)))
    return max(
        directed.worst(rule, (directed.enclosure(4, seed=i, wide=w, bend=b),), directed.path(8, i))
        for i, (w, b) in enumerate(((0.0, 0.1), (0.02, 0.1), (0.1, 0.0)))
    )


def regenerated() -> float:
    """A rule that only rearranges what is radius and what is generator."""

    class Regenerate:
        def value(self, inputs: tuple[Tensor, ...], theta: Tensor) -> Tensor:
            return inputs[0] * 1.0

        def enclose(self, inputs, segments, ends):
            return module("rules.generators").regenerated(inputs[0], 2, (9,))

    return max(directed.worst(Regenerate(), (directed.enclosure(5, many=m),), directed.path(1)) for m in (0, 4))


def loss(name: str) -> float:
    losses = module("losses.separable")
    targets = {"cross-entropy": torch.eye(3), "soft": torch.tensor([[0.2, 0.5, 0.3]])}.get(
        name, torch.tensor([[0.0, 1.0, 0.4]])
    )
    targets = targets.double()
    made = {
        "cross-entropy": lambda: module("losses.cross_entropy").CrossEntropy(1.0, targets),
        "soft": lambda: module("losses.cross_entropy").CrossEntropy(1.0, targets),
        "squared": lambda: losses.squared(targets, 1.0),
        "absolute": lambda: losses.absolute(targets, 1.0),
        "huber": lambda: losses.huber(targets, 1.0, 0.7),
        "logistic": lambda: losses.logistic(targets, 1.0),
    }[name]()
    cases = [(0.0, 0.0, 0), (0.0, 2.0, 0), (0.1, 0.2, 0), (0.05, 0.0, 3), (1.0, 0.5, 2), (4.0, 1.0, 0)]
    return max(
        directed.worst_loss(made, directed.enclosure(3, seed=i, wide=w, bend=b, many=m, rows=256))
        for i, (w, b, m) in enumerate(cases)
    )


def decay() -> float:
    """The penalty alone, at the points of the grid: a network whose loss is zero."""
    import tda_landscape as tl

    zero = torch.zeros(4, 2, dtype=torch.float64)
    energy = tl.Energy.from_model(nn.Linear(2, 2, bias=False), nn.functional.mse_loss, (zero, zero), weight_decay=0.5)
    excess = -math.inf
    for seed in range(20):
        ends = energy.start(2, seed)
        bounder, node = module("_network").NetworkBounder(energy, ends), module("_node")
        grid = bounder._decay(bounder.segments([node.Stretch(0, 0.0, 1.0)]))[0]
        shares = torch.linspace(0, 1, len(grid), dtype=torch.float64)[:, None]
        exact = energy((1 - shares) * ends[0] + shares * ends[1])
        excess = max(excess, float((exact - grid).max()) - bounder.decay_error())
    return excess


def black_box(**bound: float) -> float:
    """A parabola and a tent that are exactly as steep or as bent as is promised."""
    import tda_landscape as tl

    box, node = module("_black_box"), module("_node")
    ends = torch.tensor([[-1.0], [1.0]], dtype=torch.float64)
    shares = torch.linspace(-1, 1, 201, dtype=torch.float64)[:, None]
    excess = -math.inf
    for tilt in (0.0, 0.6, -1.5, 3.0):
        if "lipschitz" in bound:
            energy = tl.Energy.from_function(lambda x, t=tilt: -2 * (x[:, 0] - t / 4).abs(), dim=1)
        else:
            energy = tl.Energy.from_function(lambda x, t=tilt: t * x[:, 0] - x[:, 0] ** 2, dim=1)
        bounder = box.BlackBoxBounder(energy, ends, bound.get("lipschitz", math.inf), bound.get("curvature", math.inf))
        excess = max(excess, float(energy(shares).max()) - bounder.above([node.Stretch(0, 0.0, 1.0)])[0])
    return excess


@dataclass(frozen=True)
class Mutant:
    """One line of one file, weakened, and the check that must catch it."""

    file: str
    line: str
    weaker: str
    check: Callable[[], float]


MUTANTS = {
    "cubic term": Mutant("rules.affine", "math.sqrt(3)) * (1 + 4 * U)", "math.sqrt(3)) * 0.5", affine),
    "cubic term, wide": Mutant(
        "rules.affine", "* (CUBIC * (1 + gamma", "* (0 * CUBIC * (1 + gamma", lambda: wide_line()
    ),
    "product of chords": Mutant("rules.affine", ".sub_(start, alpha=0.5)", ".sub_(start, alpha=0.49)", affine),
    "radius through |Wd|": Mutant(
        "rules.affine", "reach = (middle.abs() + half.abs())", "reach = middle.abs()", affine
    ),
    "generators through |Wd|": Mutant(
        "rules.affine", "radius.add_(product.apply(v.spread, w.half.abs()), alpha=more)", "pass", lambda: affine(3)
    ),
    "patches of a convolution": Mutant(
        "rules._products", "self.kernel) == 1:", "self.kernel) == 1 and False:", lambda: strip()
    ),
    "kink": Mutant("rules._kink", "(q * (1 - beta) + 32 * U)", "(q * (1 - beta) * 0.5)", relu),
    "kink, bend": Mutant("rules._kink", "* crossing * -0.25", "* crossing * -0.2", relu),
    "unstable slope": Mutant("rules.relu", "half = size * (0.5 + U)", "half = size * 0.25", relu),
    "unstable, from above": Mutant("rules.relu", "is_above * (half + low.clamp(max=0))", "is_above * half", relu),
    "unstable, from below": Mutant("rules.relu", "is_below * (half - high.clamp(min=0))", "is_below * half", relu),
    "sure signs": Mutant("_enclosure", "on = end >= reach", "on = end >= 0.5 * reach", relu),
    "hull of the parabola": Mutant(
        "_enclosure", "self.end) * 0.5 + 2 * self.bend", "self.end) * 0.5 + 1 * self.bend", lambda: hull()
    ),
    "generators of a relu": Mutant(
        "rules.relu",
        "generators = v.generators * slopes.unsqueeze(2)",
        "generators = v.generators * 0.5",
        lambda: relu(2),
    ),
    "leaky": Mutant(
        "rules.relu", "radius = (self.slope * v.radius + rest * bent.radius)", "radius = (rest * bent.radius)", leaky
    ),
    "second derivative": Mutant(
        "rules.smooth",
        "cut_error = eighth * (c1 - c0) * 0.5",
        "cut_error = eighth * (c1 - c0) * 0.2",
        lambda: smooth("silu"),
    ),
    "spread of slopes": Mutant(
        "rules.smooth", "slope_spread * straight", "0.5 * slope_spread * straight", lambda: smooth("tanh")
    ),
    "extremes inside": Mutant(
        "rules._functions", "inside = (low <= place", "inside = False & (low <= place", lambda: smooth("sigmoid")
    ),
    "extremes of gelu": Mutant("rules._functions", "(-2.0, 0.0, 2.0)", "()", lambda: smooth("gelu")),
    "softplus of torch": Mutant("rules.smooth", "+ off * (high > place)", "", lambda: smooth("softplus")),
    "floor of a variance": Mutant(
        "rules.smooth", "low = low.clamp(min=f.floor)", "low = low.clamp(min=1.0)", lambda: smooth("rsqrt")
    ),
    "product, cubic": Mutant("rules.arithmetic", "CUBIC * 0.5 * (dv", "CUBIC * 0.1 * (dv", multiply),
    "product, quartic": Mutant("rules.arithmetic", "(1 - QUARTIC) * quad.abs()", "0.0 * quad.abs()", multiply),
    "product, chords": Mutant("rules.arithmetic", "- 0.25 * dv * dw", "+ 0.25 * dv * dw", multiply),
    "product, radii": Mutant("rules.arithmetic", "+ v.radius * w.radius", "", multiply),
    "product, generators": Mutant("rules.arithmetic", "v, w = v.folded(), w.folded()", "pass", lambda: multiply(2)),
    "sum, radii": Mutant(
        "rules.arithmetic", "(v.radius + w.radius) * (1", "torch.maximum(v.radius, w.radius) * (1", lambda: sums(True)
    ),
    "sum, generators": Mutant("rules.arithmetic", "and v.symbols == w.symbols", "", lambda: sums(False)),
    "scale": Mutant("rules.arithmetic", "factor * v.radius", "1.0 * v.radius", scale),
    "average": Mutant("rules.reshaping", "change(v.radius) * (1", "0.8 * change(v.radius) * (1", average),
    "maximum, apart": Mutant("rules.max_pooling", "apart = 0.5 *", "apart = 0.1 *", max_pool),
    "maximum, spread": Mutant(
        "rules.max_pooling",
        "spread = torch.maximum(v.reach, w.reach)",
        "spread = torch.minimum(v.reach, w.reach)",
        max_pool,
    ),
    "maximum, kink": Mutant("rules.max_pooling", "spread + apart + kink", "spread + apart", max_pool),
    "maximum, the other": Mutant("rules.max_pooling", "v.reach + (-low).clamp(min=0)", "v.reach", max_pool),
    "maximum, surely": Mutant("rules.max_pooling", "v_wins, w_wins = low >= 0", "v_wins, w_wins = high >= 0", max_pool),
    "batch norm": Mutant(
        "rules.normalization", "radius = v.radius * scale *", "radius = 0.5 * v.radius * scale *", batch_norm
    ),
    "layer norm": Mutant(
        "rules.normalization", "radius = variance.radius *", "radius = 0.0 * variance.radius *", layer_norm
    ),
    "generators that are dropped": Mutant("rules.generators", "+ folded)", ")", regenerated),
    "cross-entropy, remainder": Mutant("losses.cross_entropy", "* 0.125 *", "* 0.05 *", lambda: loss("cross-entropy")),
    "cross-entropy, box": Mutant(
        "losses.cross_entropy", "sole & (t > 0), y + down, y + up", "t > 0, y + down, y + up", lambda: loss("soft")
    ),
    "squared, remainder": Mutant(
        "losses.separable",
        "lambda y, t, width: width.square(),",
        "lambda y, t, width: 0.2 * width.square(),",
        lambda: box_free("squared"),
    ),
    "logistic, remainder": Mutant("losses.separable", "0.125 * width", "0.02 * width", lambda: box_free("logistic")),
    "absolute, remainder": Mutant(
        "losses.separable", "2 * (width - (y", "0 * (width - (y", lambda: box_free("absolute")
    ),
    "huber, remainder": Mutant(
        "losses.separable", "t, width: 0.5 * width", "t, width: 0.1 * width", lambda: box_free("huber")
    ),
    "separable box": Mutant(
        "losses.separable",
        "torch.maximum(self.one(y + up, t), self.one(y + down, t))",
        "self.one(y + up, t)",
        lambda: loss("squared"),
    ),
    "sag of a cell": Mutant(
        "losses._bound", "sag = y.bend / cells**2", "sag = 0.5 * y.bend / cells**2", lambda: loss("squared")
    ),
    "slope through the radius": Mutant(
        "losses._bound", "through = own + loose", "through = 0.5 * own + loose", lambda: loss("cross-entropy")
    ),
    "generators in the loss": Mutant(
        "losses._bound", ".abs().sum(-1)\n    row", ".abs().sum(-1) * 0.5\n    row", lambda: loss("cross-entropy")
    ),
    "weight decay": Mutant("_network", "grid * (1 - grid) * apart", "4 * grid * (1 - grid) * apart", decay),
    "lipschitz": Mutant(
        "_black_box", "self.lipschitz * length / 2", "self.lipschitz * length / 3", lambda: black_box(lipschitz=2.0)
    ),
    "curvature": Mutant("_black_box", "sag / 8 +", "sag / 10 +", lambda: black_box(curvature=2.0)),
    "curvature, tilted": Mutant("_black_box", "(high - low) ** 2 / (2 * sag)", "0.0", lambda: black_box(curvature=2.0)),
}


def wide_line() -> float:
    """One row of weights along one input bend: Cauchy-Schwarz is then an equality."""
    rules, segments, products = module("rules.affine"), module("_segments"), module("rules._products")
    n = rules.WIDE
    rule = rules.Affine(products.Dense(), segments.Span(0, (1, n)), None)
    direction = torch.ones(1, n, dtype=torch.float64) / math.sqrt(n)
    line = segments.Segments(-direction, direction, segments.Whole(direction))
    v = directed.Enclosure(*(f * direction.view(1, 1, n) for f in (1.0, 1.0, 1.0)), torch.zeros(1, 1, n).double())
    return directed.worst(rule, (v,), line)


def hull() -> float:
    """Lower and upper bound of parabolas that reach beyond both ends."""
    v = module("_enclosure").Enclosure(*(getattr(directed.enclosure(6, bend=2.0), n) for n in FIELDS))
    low, high = v.hull()
    excess = -math.inf
    for s in torch.linspace(0, 1, 101, dtype=torch.float64).tolist():
        middle = directed.centre(v, s)
        excess = max(excess, float(torch.maximum(middle + v.reach - high, low - middle + v.reach).max()))
    return excess


FIELDS = ("start", "end", "bend", "radius")


def strip() -> float:
    """A convolution along one axis, whose kernel must be that of one axis."""
    rules, segments, products = module("rules.affine"), module("_segments"), module("rules._products")
    product = products.Convolution((2,), (1, 1), "circular", (1,), 1, (3,))
    rule = rules.Affine(product, segments.Span(0, (3, 2, 3)), segments.Span(18, (3,)))
    try:
        return directed.worst(rule, (directed.enclosure(2, 5),), directed.path(21))
    except RuntimeError:  # the two-axis kernel refuses the shape: that is caught as well
        return math.inf


def box_free(name: str) -> float:
    """A loss whose box bound is taken away, so that the tangent bound stands alone."""
    losses = module("losses.separable")
    original = losses.Separable.box
    losses.Separable.box = lambda self, y, t, down, up: None
    try:
        return loss(name)
    finally:
        losses.Separable.box = original


SOUND = {
    "affine": affine,
    "affine, generators": lambda: affine(3),
    "affine, wide": lambda: max(affine(inputs=130), wide_line()),
    "convolution": convolution,
    "convolution, one axis": strip,
    "hull": hull,
    "relu": relu,
    "relu, generators": lambda: relu(2),
    "leaky": leaky,
    **{name: lambda name=name: smooth(name) for name in ("tanh", "sigmoid", "silu", "gelu", "softplus", "rsqrt")},
    "multiply": multiply,
    "multiply, generators": lambda: multiply(2),
    "sum, same generators": lambda: sums(True),
    "sum, own generators": lambda: sums(False),
    "scale": scale,
    "average": average,
    "max pool": max_pool,
    "batch norm": batch_norm,
    "layer norm": layer_norm,
    "regenerated": regenerated,
    **{
        name: lambda name=name: loss(name)
        for name in ("cross-entropy", "soft", "squared", "absolute", "huber", "logistic")
    },
    **{f"{n}, tangent": lambda n=n: box_free(n) for n in ("squared", "absolute", "huber", "logistic")},
    "weight decay": decay,
    "lipschitz": lambda: black_box(lipschitz=2.0),
    "curvature": lambda: black_box(curvature=2.0),
}


@pytest.mark.parametrize("check", SOUND.values(), ids=SOUND)
def test_no_member_leaves_the_enclosure(check):
    assert check() <= directed.SLACK


def weaken(monkeypatch, mutant: Mutant) -> None:
    """Run a file with one line changed, and put what it defines in the place of the original everywhere."""
    original = module(mutant.file)
    source = inspect.getsource(original)
    assert source.count(mutant.line) == 1, f"{mutant.line!r} is to stand once in {mutant.file}"
    weaker = ModuleType(original.__name__)
    weaker.__file__ = original.__file__
    monkeypatch.setitem(sys.modules, original.__name__, weaker)
    exec(compile(source.replace(mutant.line, mutant.weaker), original.__file__, "exec"), weaker.__dict__)
    for name, loaded in list(sys.modules.items()):
        if name.startswith(ROOM) or name in ("directed",):
            for key, value in list(vars(loaded).items()):
                if (
                    getattr(value, "__module__", None) == original.__name__
                    and hasattr(weaker, key)
                    and loaded is not weaker
                ):
                    monkeypatch.setattr(loaded, key, getattr(weaker, key))


@pytest.mark.parametrize("mutant", MUTANTS.values(), ids=MUTANTS)
def test_a_weaker_rule_is_caught(monkeypatch, mutant):
    assert mutant.check() <= directed.SLACK
    weaken(monkeypatch, mutant)
    assert not mutant.check() <= 1e-4
