"""For any architecture of ReLU layers, as far as it is proved, data with N_u > 1: a teacher and its permuted copies."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from itertools import pairwise

import torch
from torch import Tensor
from torch.nn.functional import mse_loss

from tda_landscape._errors import InputError
from tda_landscape.energy import networks
from tda_landscape.energy._energy import Energy

NOISE = 0.05
"""Standard deviation of the start law around the copies."""


def relu_counterexample(widths: Sequence[int]) -> Energy:
    r"""Return a ReLU network on data for which N_u > 1: a teacher of its own kind and its permuted copies.

    E is the sum of squares over data that the teacher fits, so it is 0 at the teacher and at every copy of it.

    Parameters
    ----------
    widths : sequence of int
        n_0, ..., n_K, layers without biases.

    Returns
    -------
    Energy
        The module's own weights, ``energy.network.flatten(energy.network.module)``, are the teacher; the start law is
        0.05 N(0, 1) around it, its last hidden units in random order. Proved:

        One hidden layer, (n, p, m) with n >= 2 and p >= 2: N_u >= p! for 0 <= u < 1/6.

        More hidden layers, with p = n_{K-1} >= 2, m = n_K >= p - 1 and all earlier widths at least 2: N_u >= 2 for
        0 <= u < 1/p.

    Raises
    ------
    InputError
        An architecture for which none of this is proved.

    Notes
    -----
    Freeman and Bruna, ICLR 2017, Proposition 2.3 states that for any architecture there is such a distribution, by
    teacher and permuted copy; the bounds are derived here. For inputs of width 1 and no biases the statement is false:
    there the intrinsic dimension is at most 2, so three hidden units have N_u = 1 on all data.

    *One hidden layer.* The data lie on a line, x = (t, 1, 0, ...), and the target is a sum of p ReLUs in t with kinks
    at 1, ..., p, where the slope changes by 2. A network without a kink in the open interval (i - 1/2, i + 1/2) is
    linear there, and the three data in it have second difference 1, which costs 1/6 at least. Below that each
    interval holds the kink of one unit, on all of a path: which unit is in which interval cannot change.

    *More hidden layers.* The targets of p points are orthonormal rows, orthogonal to (1, ..., 1). Where the features of
    the last hidden layer, a p x p matrix H >= 0, are singular, H n = 0 for a unit vector n, which is not of one strict
    sign unless H = 0; the loss is at least the part of n orthogonal to (1, ..., 1), 1 - (sum n)^2 / p >= 1 / p. Below
    that det H has one sign on all of a path, and exchanging two units turns it.

    Examples
    --------
    >>> energy = relu_counterexample([2, 3, 1])
    >>> teacher = energy.network.flatten(energy.network.module)
    >>> w, u = teacher[:6].view(3, 2), teacher[6:]
    >>> copy = torch.cat([w[[1, 0, 2]].flatten(), u[[1, 0, 2]]])
    >>> energy(torch.stack([teacher, copy, (teacher + copy) / 2])).round(decimals=3)
    tensor([ 0.,  0., 17.], dtype=torch.float64)
    """
    sizes = [int(n) for n in widths]
    _check(sizes)
    inputs, targets, layers = _kinks(*sizes) if len(sizes) == 3 else _simplex(sizes)
    model = networks.mlp(sizes, activation="relu", bias=False).double()
    with torch.no_grad():
        for parameter, weight in zip(model.parameters(), layers, strict=True):
            parameter.copy_(weight)
    loss = partial(mse_loss, reduction="sum")
    return Energy.from_model(model, loss, (inputs, targets), start=partial(_start, layers))


def _check(sizes: list[int]) -> None:
    """Refuse what is not proved."""
    if len(sizes) < 3 or min(sizes) < 1:
        raise InputError(f"widths must hold at least three positive numbers, one hidden layer; got {sizes}")
    p, m = sizes[-2:]
    if p == 1:
        raise InputError("one last hidden unit has no permuted copy; zoo.relu_mixture() is a network of one unit")
    if min(sizes[:-2]) == 1:
        raise InputError(
            f"nothing is proved with a layer of width 1 below the last hidden one, as in {sizes}; use width 2, or "
            "zoo.relu_two_points()"
        )
    if len(sizes) > 3 and m < p - 1:
        raise InputError(
            f"with more than one hidden layer this is proved for outputs of width at least n_(K-1) - 1 = {p - 1} only; "
            f"got {m} in {sizes}"
        )


def _kinks(n: int, p: int, m: int) -> tuple[Tensor, Tensor, list[Tensor]]:
    """Data on a line, p kinks at 1, ..., p in the first output, and the teacher that has them."""
    t = 0.5 + torch.arange(2 * p + 1, dtype=torch.float64) / 2
    inputs = torch.zeros(len(t), n, dtype=torch.float64)
    inputs[:, 0], inputs[:, 1] = t, 1
    incoming, outgoing = (torch.zeros(p, n).double(), torch.zeros(m, p).double())
    incoming[:, 0], incoming[:, 1] = 1, -torch.arange(1.0, p + 1)
    outgoing[0] = 2 * (-1.0) ** torch.arange(p)
    return inputs, (inputs @ incoming.T).relu() @ outgoing.T, [incoming, outgoing]


def _simplex(sizes: list[int]) -> tuple[Tensor, Tensor, list[Tensor]]:
    """Points on a quarter circle, passed on to the last hidden layer, whose unit k sees those from number k on."""
    p, m = sizes[-2:]
    angles = torch.pi / 2 * (torch.arange(2 * p, dtype=torch.float64) + 1) / (2 * p + 1)
    points, between = angles[1::2], angles[::2]
    inputs = torch.zeros(p, sizes[0], dtype=torch.float64)
    inputs[:, 0], inputs[:, 1] = points.cos(), points.sin()
    layers = [torch.eye(b, a, dtype=torch.float64) * (torch.arange(a) < 2) for a, b in pairwise(sizes[:-2])]
    last = torch.zeros(p, sizes[-3], dtype=torch.float64)
    last[:, 0], last[:, 1] = -between.sin(), between.cos()
    features = (points - between[:, None]).sin().relu()
    targets = torch.zeros(m, p, dtype=torch.float64)
    frame = torch.linalg.qr(torch.cat([torch.ones(p, 1), torch.eye(p)[:, : p - 1]], dim=1).double())[0]
    targets[: p - 1] = frame[:, 1:].T
    return inputs, targets.T, [*layers, last, torch.linalg.solve(features.T, targets.T).T]


def _start(layers: list[Tensor], k: int, generator: torch.Generator) -> Tensor:
    """Copies of the teacher with its last hidden units in random order, and noise."""
    orders = torch.rand(k, len(layers[-2]), generator=generator).argsort(1)
    copies = [
        torch.cat([*(w.flatten() for w in layers[:-2]), layers[-2][order].flatten(), layers[-1][:, order].flatten()])
        for order in orders
    ]
    points = torch.stack(copies)
    return points + NOISE * torch.randn(points.shape, generator=generator, dtype=points.dtype)
