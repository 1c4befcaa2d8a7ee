"""The intrinsic dimension of a hidden layer on its data: how many different features it can have."""

from __future__ import annotations

from dataclasses import dataclass
from math import comb
from typing import Any

import torch
from torch import Tensor, nn

from tda_landscape._errors import InputError
from tda_landscape.energy._network import read_network
from tda_landscape.energy._random import Seed, as_generator
from tda_landscape.theory._activation import is_relu, polynomial_of
from tda_landscape.theory._chain import Chain, read_chain

MARGIN, ROUNDING = 100.0, 1e-12
"""A singular value below 100 times the tolerance, and above rounding, leaves the rank undecided."""

SIZES = (0.5, 1.0, 2.0, 4.0, 8.0, 16.0)
"""Sizes of the pre-activations that the sampled weights give; the large ones tell apart what is smooth."""

WHITEN = 1e-3
"""Singular values of the data above this share of the largest are evened out before weights are drawn."""


@dataclass(frozen=True, slots=True)
class IntrinsicDimension:
    """The number q of linearly independent features of a hidden layer, as a numerical rank.

    Attributes
    ----------
    value : int
        Singular values above `tolerance` times the largest.
    lower, upper : int
        The same count at 100 times the tolerance, and at 1e-12, where rounding begins; `upper` is also at most the
        closed form of a polynomial, and equal to that of ReLU. Different numbers mean "not decided".
    tolerance : float
    gap : float
        The singular value of number `value` over the next one; inf where there is no next one, or it is 0.
    closed_form : int or None
        What q is by a formula: of a polynomial, on generic data and never exceeded; of ReLU, on these data. None
        for other activations.
    """

    value: int
    lower: int
    upper: int
    tolerance: float
    gap: float
    closed_form: int | None

    @property
    def decided(self) -> bool:
        """Whether no singular value is small without being zero."""
        return self.lower == self.upper


def intrinsic_dimension(
    model: nn.Module, data: tuple[Any, Any], *, tolerance: float = 1e-8, seed: Seed = 0
) -> IntrinsicDimension:
    r"""Return the dimension of the span of all features that a hidden unit can have on the data.

    .. math:: q = \dim \operatorname{span}\{(\rho(\langle w, x_1\rangle), \dots, \rho(\langle w, x_L\rangle)) : w\}

    The networks U rho(W x) with p hidden units have no spurious valley for p >= q, and N_u = 1 for p >= q + 1.

    Parameters
    ----------
    model : torch.nn.Module
        With one hidden layer. Biases of that layer count as one more input, which is 1.
    data : (inputs, targets)
        L rows; the targets play no part.
    tolerance : float
        Of the rank, relative to the largest singular value.
    seed : int or torch.Generator
        Of the weights w that are tried: L + 200 of them.

    Returns
    -------
    IntrinsicDimension

    Raises
    ------
    InputError
        A network with more or fewer hidden layers than one, or that is no chain of linear layers.

    Notes
    -----
    Venturi, Bandeira and Bruna, "Spurious valleys in two-layer neural network optimization landscapes" (2018). Of
    a polynomial a_0 + ... + a_d z^d it is, on generic data, the sum of binom(n + i - 1, i) over all i <= d with
    a_i != 0, which for a_0 != 0 adds 1. Of ReLU it is the number of different lines through 0 on which data lie,
    plus the rank of those with data on both sides of 0 (derived here: a sum of ReLUs has a kink on each line but
    where both sides cancel, which leaves a linear function). For an analytic activation random weights span
    everything with probability one; for any other one, a rank below L rests on those that were drawn.

    Examples
    --------
    >>> import torch, tda_landscape as tl
    >>> x = torch.randn(30, 4, generator=torch.Generator().manual_seed(0))
    >>> model = tl.zoo.networks.mlp([4, 6, 1], activation="identity", bias=False)
    >>> q = tl.theory.intrinsic_dimension(model, (x, x[:, :1]))
    >>> q.value, q.decided, q.closed_form
    (4, True, 4)
    """
    network = read_network(model, lambda outputs, _: outputs.square().sum(), data, 0.0, None, torch.float64)
    if not ROUNDING <= tolerance < 1 / MARGIN:
        raise InputError(
            f"tolerance must be at least {ROUNDING}, where rounding begins, and below 0.01; got {tolerance}"
        )
    return dimension_of(read_chain(network), tolerance, seed)


def dimension_of(chain: Chain, tolerance: float = 1e-8, seed: Seed = 0) -> IntrinsicDimension:
    """The same, of a network that has been read."""
    inputs = hidden_inputs(chain)
    weights = draw_weights(inputs, len(inputs) + 200, as_generator(seed))
    values = torch.linalg.svdvals(unit(chain.activations[0](weights @ inputs.T)))
    value, lower, upper = (int((values > t * values[0]).sum()) for t in (tolerance, MARGIN * tolerance, ROUNDING))
    relu = is_relu(chain.activations[0])
    closed = _lines(inputs) if relu else _formula(chain, inputs)
    if closed is not None:
        value, upper = min(value, closed), max(lower, closed if relu else min(upper, closed))
    tail = float(values[value]) if value < len(values) else 0.0
    gap = float(values[value - 1]) / tail if tail > 0 and value > 0 else torch.inf
    return IntrinsicDimension(value, lower, upper, tolerance, gap, closed)


def exceeds(chain: Chain, bound: int, tolerance: float = 1e-8, seed: Seed = 0) -> bool:
    """Whether few weights are enough to see that q > bound; False leaves it open."""
    inputs = hidden_inputs(chain)
    if bound >= len(inputs):
        return False
    weights = draw_weights(inputs, 2 * bound + 20, as_generator(seed))
    values = torch.linalg.svdvals(unit(chain.activations[0](weights @ inputs.T)))
    return int((values > MARGIN * tolerance * values[0]).sum()) > bound


def hidden_inputs(chain: Chain) -> Tensor:
    """What the one hidden layer sees (L, n), with a column of ones where it has biases."""
    hidden = len(chain.activations)
    if hidden != 1:
        raise InputError(f"this is about networks with one hidden layer; this one has {hidden}")
    x = chain.features
    return torch.cat([x, torch.ones_like(x[:, :1])], dim=1) if chain.biased[0] else x


def draw_weights(inputs: Tensor, count: int, generator: torch.Generator) -> Tensor:
    """Weights (count, n) whose pre-activations on the data are spread evenly, in several sizes."""
    _, values, axes = torch.linalg.svd(inputs, full_matrices=False)
    spread = values / (values.square() + (WHITEN * values[0]) ** 2).clamp(min=1e-300)
    normal = torch.randn(count, len(values), generator=generator, dtype=inputs.dtype)
    sizes = torch.tensor(SIZES, dtype=inputs.dtype).repeat(-(-count // len(SIZES)))[:count, None]
    weights: Tensor = sizes * (len(inputs) / len(values)) ** 0.5 * (normal * spread) @ axes
    return weights


def unit(rows: Tensor) -> Tensor:
    """Rows of length 1; those of length 0 stay."""
    sizes = rows.norm(dim=1, keepdim=True)
    return rows / torch.where(sizes > 0, sizes, torch.ones_like(sizes))


def _formula(chain: Chain, inputs: Tensor) -> int | None:
    """Formula (11) of polynomials."""
    coefficients = polynomial_of(chain.activations[0])
    if coefficients is None:
        return None
    n = inputs.shape[1]
    degrees = [i for i, a in enumerate(coefficients) if a != 0]
    # With biases one input is 1: forms of degree i are then polynomials of degree i, which hold the lower ones.
    return sum(comb(n + i - 1, i) for i in (degrees[-1:] if chain.biased[0] else degrees))


def _lines(inputs: Tensor) -> int:
    """Lines through 0 that hold data, plus the rank of those that hold some on both sides."""
    sizes = inputs.norm(dim=1)
    units = inputs[sizes > 0] / sizes[sizes > 0, None]
    if len(units) == 0:
        return 0
    cosine = units @ units.T
    same, opposite = (_parallel(units, sign) & (sign * cosine > 0) for sign in (1.0, -1.0))
    first = (same | opposite).int().argmax(1) == torch.arange(len(units))  # the first row of each line
    two_sided = units[first & opposite.any(1)]
    return int(first.sum()) + (int(torch.linalg.matrix_rank(two_sided)) if len(two_sided) else 0)


def _parallel(units: Tensor, sign: float) -> Tensor:
    """Which unit vectors (L, n) are equal up to the sign and rounding: (L, L)."""
    return torch.cdist(units, sign * units, compute_mode="donot_use_mm_for_euclid_dist") <= 1e-13
