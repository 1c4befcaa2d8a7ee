"""The public door: proved bounds of the maximum of an energy along a path."""

from __future__ import annotations

import math

import torch
from torch import Tensor

from tda_landscape._errors import InputError, expect, expect_number
from tda_landscape.certificates._bisect import Bisection, Question, decide, excess, level, within
from tda_landscape.certificates._black_box import BlackBoxBounder
from tda_landscape.certificates._certificate import Certificate, Outcome
from tda_landscape.certificates._expansion import PolynomialBounder, expandable
from tda_landscape.certificates._network import NODE_COST, STRETCH_COST, NetworkBounder
from tda_landscape.certificates._node import Bounder
from tda_landscape.certificates._rounding import FLOOR
from tda_landscape.energy import Energy
from tda_landscape.energy._tally import VALUE
from tda_landscape.paths import Path, Stop, verify

EVALUATION = VALUE * (NODE_COST + 2 * STRETCH_COST)
"""Gradient equivalents of one evaluation: a node and the two stretches beside it."""

SHARE = 0.05
"""How well merges are known: to this share of what a path rises above its higher end."""


def certify(
    energy: Energy,
    path: Path | Tensor,
    *,
    rtol: float | None = None,
    atol: float | None = None,
    level: float | None = None,
    lipschitz: float | None = None,
    curvature: float | None = None,
    budget: float | None = None,
) -> Certificate:
    r"""Prove how high an energy is along a path.

    Parameters
    ----------
    energy : Energy
        Of a network whose layers have rules, with a loss that is convex in the outputs; or any energy, with
        `lipschitz` or `curvature`.
    path : Path or Tensor (m, d)
        A polyline; one point is a path that stays where it is.
    rtol, atol, level : float, optional
        What to decide, at most one of them: bounds with ``upper - lower <= rtol * abs(upper)`` (the default, with
        0.01), bounds with ``upper - lower <= atol``, or only whether the maximum is at most `level`. Relative
        tolerances start at 1e-8: below, the bounds of rounding are in sight.
    lipschitz : float, optional
        You know that :math:`|E(x) - E(y)| \le` lipschitz :math:`|x - y|` on the path.
    curvature : float, optional
        You know that no second derivative along the path, by arc length, is below -curvature.
    budget : float, optional
        Gradient equivalents; an evaluation with its bounds counts as two of them.

    Returns
    -------
    Certificate
        With status `certified`: bounds that are proved. Without a network that can be read, and without bounds of
        yours, status `refined`: the maximum as measured by adaptive bisection, with ``upper = inf``.

    Raises
    ------
    InputError
        A layer, an operation or a loss without a rule, named in the sentence; a path that does not fit; more than
        one question.

    Notes
    -----
    Along a segment every unit is a function of one variable s. It is enclosed by chord + 4s(1-s) c + [-r, r], layer
    by layer, for every row of the data; a loss that is convex in the outputs is then bounded by a few numbers a
    row, and their means bound the mean. The segment with the highest bound is halved until the question is
    decided. Where a network is a polynomial in s and the loss a squared error, Bernstein coefficients bound it.

    What is proved, is proved of the function that the module is in exact arithmetic, with its float parameters,
    buffers and data, on the polyline through the given vertices. Assumed are IEEE 754 float64 on the cpu, matrix
    products and convolutions by direct summation in any order, exp, tanh, erfc and log1p within 4 units in the
    last place; and for an energy that is not read but called, that it is computed to a relative 2^-40.

    Examples
    --------
    >>> import torch, tda_landscape as tl
    >>> X, y = tl.zoo.datasets.load("iris")
    >>> energy = tl.Energy.from_model(tl.zoo.networks.mlp([4, 8, 3]), torch.nn.functional.cross_entropy, (X, y))
    >>> certificate = tl.certify(energy, energy.start(2, 0), rtol=0.01)
    >>> certificate.status, certificate.upper - certificate.lower <= 0.01 * certificate.upper
    ('certified', True)
    >>> tl.certify(energy, energy.start(2, 0), level=100.0).reason.value
    'the path is proved to stay at or below the level'
    """
    expect(Energy, energy=energy)
    expect_number("[0, inf) or None", lipschitz=lipschitz, curvature=curvature)
    expect_number("[0, inf] or None", budget=budget)
    question = _question(rtol, atol, level)
    points = _polyline(energy, path)
    bounder: Bounder
    if lipschitz is not None or curvature is not None:
        unknown = math.inf
        bounder = BlackBoxBounder(
            energy,
            points,
            unknown if lipschitz is None else lipschitz,
            unknown if curvature is None else curvature,
        )
        return _decided(bounder, points, question, _affordable(budget, VALUE))
    if energy.network is None:
        return _measured(energy, points)
    return _decided(_network_bounder(energy, points), points, question, _affordable(budget, EVALUATION))


def certify_merge(energy: Energy, path: Path) -> Certificate:
    """Certify a path to 5 % of what it rises above its higher end, or to a millionth of the energy."""
    points = _polyline(energy, path)
    higher_end = float(path.energies[[0, -1]].max())
    return _decided(_network_bounder(energy, points), points, excess(SHARE, higher_end), math.inf)


def check_certifiable(energy: Energy) -> None:
    """Refuse an energy that `certify` could not prove anything of by itself."""
    if energy.network is None:
        raise InputError(
            "certify=True needs an energy made from a model, got one made from a function, which can be certified one "
            "path at a time, by certify(energy, path, lipschitz=...)"
        )
    here = energy.network.flatten(energy.network.module)
    NetworkBounder(energy, torch.stack([here, here]))


def _network_bounder(energy: Energy, points: Tensor) -> Bounder:
    """Polynomial networks are expanded, all others enclosed."""
    network = NetworkBounder(energy, points)
    return PolynomialBounder(network) if expandable(network) else network


def _decided(bounder: Bounder, points: Tensor, question: Question, evaluations: float) -> Certificate:
    """Cut until the question is decided."""
    bisection = Bisection(bounder, len(points) - 1)
    outcome = decide(bisection, question, evaluations)
    lower = bisection.proved_lower() if math.isfinite(bisection.lower) else -math.inf
    status = "refined" if outcome is Outcome.NONFINITE else "certified"
    return Certificate(bisection.upper, lower, bounder.evaluations, status, outcome)


def _measured(energy: Energy, points: Tensor) -> Certificate:
    """Measure a black box."""
    (path,) = verify(energy, [points], [Stop.STRAIGHT])
    return Certificate(math.inf, path.height, len(path.profile), "refined", Outcome.MEASURED)


def _affordable(budget: float | None, price: float) -> float:
    return math.inf if budget is None else budget / price


def _question(rtol: float | None, atol: float | None, u: float | None) -> Question:
    """The one question that was asked."""
    expect_number("[-inf, inf] or None", level=u)
    expect_number("(0, inf] or None", atol=atol)
    given = {name: x for name, x in {"rtol": rtol, "atol": atol, "level": u}.items() if x is not None}
    if len(given) > 1:
        raise InputError(f"give one of rtol, atol and level, got {' and '.join(given)}")
    if u is not None:
        return level(u)
    if atol is not None:
        return within(lambda lower, upper: atol)
    share = 0.01 if rtol is None else rtol
    expect_number(f"[{FLOOR}, inf]", rtol=share)  # the floor of rounding
    return within(lambda lower, upper: share * abs(upper))


def _polyline(energy: Energy, path: Path | Tensor) -> Tensor:
    """The vertices of a path, checked."""
    points = energy.as_points(path.points if isinstance(path, Path) else path)
    if len(points) == 0:
        raise InputError("a path needs at least one point, got none")
    bad = torch.nonzero(~torch.isfinite(points).all(1)).flatten().tolist()
    if bad:
        raise InputError(f"point {bad[0]} of the path is not finite; only finite polylines can be certified")
    return points if len(points) > 1 else points.expand(2, -1)
