"""Small landscapes that show where a theorem on N_u is sharp, each with its exact barcode.

A barcode lists pairs (birth, death): N_u is the number of those with birth <= u < death. All of these energies keep
their value along curves (scalings of one layer against the next), so their minima form valleys, not points.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from math import sqrt

import torch
from torch import Tensor
from torch.nn.functional import mse_loss

from tda_landscape._errors import InputError
from tda_landscape.energy import networks
from tda_landscape.energy._energy import Energy

SUM_OF_SQUARES = partial(mse_loss, reduction="sum")


def relu_two_points(hidden: int = 1) -> Energy:
    r"""Return the ReLU network 1-p-1 on the data (1, 1), (-1, 1/2): one more unit each, and one claim more holds.

    .. math:: E = (\sum_k u_k \rho(w_k) - 1)^2 + (\sum_k u_k \rho(-w_k) - 1/2)^2

    Parameters
    ----------
    hidden : int
        p.

    Returns
    -------
    Energy
        d = 2 p. Barcode, with intrinsic dimension q = 2: p = 1: (1/4, inf), (1, 5/4), a spurious valley; p = 2:
        (0, inf), (0, 1/4), none, but two valleys; p >= 3: (0, inf).

    Notes
    -----
    Freeman and Bruna, ICLR 2017, Proposition 2.3, made explicit; the barcodes are derived here. p >= q excludes
    spurious valleys (Venturi, Bandeira and Bruna 2018, Theorem 5) and p >= q + 1 leaves one component at every level.
    For p = q = 2 the determinant of the features has one sign on each component below 1/4, the least energy of
    features of rank 1, and exchanging the two units turns the sign.

    Examples
    --------
    >>> relu_two_points()([[1.0, 1.0], [-0.5, 1.0], [0.0, 0.0]])
    tensor([0.2500, 1.0000, 1.2500], dtype=torch.float64)
    """
    model = networks.mlp([1, _positive(hidden, "hidden"), 1], activation="relu", bias=False)
    return Energy.from_model(model, SUM_OF_SQUARES, (torch.tensor([[1.0], [-1.0]]), torch.tensor([[1.0], [0.5]])))


def freeman_bruna(hidden: int = 3) -> Energy:
    r"""Return the ReLU network 2-p-2 that is to turn three points at 120 degrees into each other.

    .. math:: E = \frac{1}{3} \sum_i |U \rho(W x_i) - x_{i+1}|^2

    Parameters
    ----------
    hidden : int
        p.

    Returns
    -------
    Energy
        d = 4 p, with U in units of sqrt(2). Barcode for p = 3: (0, inf) and at least one (0, 1/6), where the
        death 1/6 is an infimum that no point has; exactly one by grids. p >= 4: (0, inf).

    Notes
    -----
    Freeman and Bruna, ICLR 2017, Appendix E.1, where the path search fails and a proof is called intractable. It is
    derived here: the intrinsic dimension is 3, so for p = 3 the sign of the determinant of the features is constant
    on each component below the least energy of features of rank 2, and exchanging two units turns it. A unit vector
    orthogonal to features, which are not negative, is not of one strict sign, so that this energy is at least
    1/2 (1 - 2/3) = 1/6.

    Examples
    --------
    >>> round(float(freeman_bruna()([[0.0] * 12])), 6)
    1.0
    """
    model = networks.mlp([2, _positive(hidden, "hidden"), 2], activation="relu", bias=False)
    angles = 2 * torch.pi * torch.arange(3, dtype=torch.float64) / 3
    points = torch.stack([angles.cos(), angles.sin()], dim=1)
    # mse_loss is the mean over all six numbers: half of the mean over points.
    return Energy.from_model(model, mse_loss, (points, sqrt(2) * points.roll(-1, 0)))


def relu_mixture(first: float = 2.0, second: float = 1.0) -> Energy:
    r"""Return one ReLU unit that can fit only one of two sources: its other valley is spurious, as deep as you like.

    The data lie on two axes, with targets a rho(x_1) on one and -b rho(x_2) on the other, a = `first`, b = `second`:

    .. math:: 4 E = (u \rho(w_1) - a)^2 + (u \rho(-w_1))^2 + (u \rho(w_2) + b)^2 + (u \rho(-w_2))^2

    Parameters
    ----------
    first, second : float
        Positive.

    Returns
    -------
    Energy
        d = 3. Barcode: (min(a, b)^2 / 4, inf), (max(a, b)^2 / 4, (a^2 + b^2) / 4).

    Notes
    -----
    The construction of Venturi, Bandeira and Bruna (2018), Theorem 13, for n = 2 and p = 1, on four points instead
    of Gaussian sources. Where u > 0 nothing but a can be fitted, where u < 0 nothing but -b, and u = 0 costs both.

    Examples
    --------
    >>> relu_mixture()([[1.0, 0.0, 2.0], [0.0, 1.0, -1.0], [0.0, 0.0, 0.0]])
    tensor([0.2500, 1.0000, 1.2500], dtype=torch.float64)
    """
    if not (first > 0 and second > 0):
        raise InputError(f"first and second must be positive, got {first} and {second}")
    inputs = torch.tensor([[1.0, 0.0], [-1.0, 0.0], [0.0, 1.0], [0.0, -1.0]])
    targets = torch.tensor([[first], [0.0], [-second], [0.0]], dtype=torch.float64)
    model = networks.mlp([2, 1, 1], activation="relu", bias=False)
    return Energy.from_model(model, mse_loss, (inputs, targets))


def square_linear(singular_values: Sequence[float] = (2.0, 1.0)) -> Energy:
    r"""Return a two-layer linear network without a unit to spare: E = |W_2 W_1 - M|^2 with W_1, W_2, M square.

    Parameters
    ----------
    singular_values : sequence of float
        Of M, which is diagonal; positive.

    Returns
    -------
    Energy
        d = 2 n^2. Barcode: (0, inf), (0, s^2) with the smallest singular value s.

    Notes
    -----
    Freeman and Bruna, ICLR 2017, Proposition 2.2 asks for n_1 > min(n, m); here n_1 = n = m, and N_u = 2 below s^2
    (derived here): det W_1 has a sign wherever W_2 W_1 is closer to M than all singular matrices, the closest of
    which is at distance s (Eckart and Young), and at s^2 a path leads over. There is no spurious valley (Venturi,
    Bandeira and Bruna 2018, Theorem 8), and up to the group GL(n) of the hidden layer there is one component.

    Examples
    --------
    >>> square_linear((3.0, 0.5))([[0.0] * 8])
    tensor([9.2500], dtype=torch.float64)
    """
    if not singular_values or not all(s > 0 for s in singular_values):
        raise InputError(f"singular_values must be positive numbers, got {singular_values}")
    n = len(singular_values)
    model = networks.mlp([n, n, n], activation="identity", bias=False)
    return Energy.from_model(
        model, SUM_OF_SQUARES, (torch.eye(n), torch.diag(torch.tensor(singular_values, dtype=torch.float64)))
    )


def scalar_chain(layers: int = 2) -> Energy:
    r"""Return a deep linear network of width 1: E = (a_1 ... a_K - 1)^2.

    Parameters
    ----------
    layers : int
        K.

    Returns
    -------
    Energy
        d = K. Barcode: (0, inf) and 2^(K-1) - 1 times (0, 1): one component for each choice of signs with product 1.

    Notes
    -----
    All minima are global, so N_u > 1 without a spurious valley: the converse of "N_u = 1 for all u, therefore no strict
    poor local minima" (Freeman and Bruna, ICLR 2017, Proposition 2.1) is false, and in their Proposition 2.2 the
    width has to be strictly above min(n, m).

    Examples
    --------
    >>> scalar_chain(3)([[1.0, -1.0, -1.0], [0.0, 0.0, 0.0]])
    tensor([0., 1.], dtype=torch.float64)
    """
    model = networks.mlp([1] * (_positive(layers, "layers") + 1), activation="identity", bias=False)
    return Energy.from_model(model, SUM_OF_SQUARES, (torch.ones(1, 1), torch.ones(1, 1)))


def quadratic_unit() -> Energy:
    r"""Return one quadratic unit u <w, x>^2 in the plane, which is to be 2 x_1^2 - x_2^2.

    .. math:: E = 2 |S - S^*|^2 + (\mathrm{tr} S - \mathrm{tr} S^*)^2, \quad S = u w w^T, \; S^* = \mathrm{diag}(2, -1)

    Returns
    -------
    Energy
        d = 3: the mean of squares over the three points of radius 8^(1/4) at 0, 60 and 120 degrees. Barcode:
        (8/3, inf), (8/3, 11), and (32/3, 11) twice.

    Notes
    -----
    The intrinsic dimension is 3 and p = 1, so no theorem excludes a spurious valley, and there are two (the lower bound
    of Venturi, Bandeira and Bruna (2018) made explicit; derived here): u > 0 fits the first axis, u < 0 the
    second, each with w and with -w, and all meet at S = 0.

    Examples
    --------
    >>> quadratic_unit()([[1.0, 0.0, 5 / 3], [0.0, 1.0, -1 / 3], [0.0, 0.0, 0.0]]).round(decimals=4)
    tensor([ 2.6667, 10.6667, 11.0000], dtype=torch.float64)
    """
    angles = torch.pi * torch.arange(3, dtype=torch.float64) / 3
    points = 8**0.25 * torch.stack([angles.cos(), angles.sin()], dim=1)
    targets = points.square() @ torch.tensor([[2.0], [-1.0]], dtype=torch.float64)
    return Energy.from_model(networks.mlp([2, 1, 1], activation="square", bias=False), mse_loss, (points, targets))


def permuted_teacher(hidden: int = 2) -> Energy:
    r"""Return a sum of ReLUs with free thresholds, taught by one of its kind, over all x in [-2, 2].

    .. math:: E = \frac{1}{4} \int_{-2}^{2} \left[\sum_k \rho(x - b_k) - \sum_k \rho(x - t_k)\right]^2 dx

    Parameters
    ----------
    hidden : int
        M; the teacher's thresholds t are spread evenly over [-1, 1].

    Returns
    -------
    Energy
        d = M; start law uniform in [-2, 2]^M. Every one of the M! permutations of t is a minimum at 0, and any path
        between two of them crosses some b_i = b_j. Barcode for M = 2: (0, inf), (0, (5 - 8 / sqrt(3)) / 3), which
        is 0.127066.

    Notes
    -----
    Freeman and Bruna, ICLR 2017, Proposition 2.3: teacher and permuted copy. For M = 2 the death is the minimum of
    E(b, b), at b = 1 - 2 / sqrt(3) (derived here). Up to permutations there is one component.

    Examples
    --------
    >>> permuted_teacher()([[-1.0, 1.0], [1.0, -1.0]])
    tensor([0., 0.], dtype=torch.float64)
    """
    teacher = torch.linspace(-1, 1, _positive(hidden, "hidden"), dtype=torch.float64)

    def function(points: Tensor) -> Tensor:
        thresholds = torch.cat([points, teacher.expand(len(points), hidden)], dim=1)
        signs = torch.cat([torch.ones(hidden), -torch.ones(hidden)]).to(points.dtype)
        a, b = thresholds[:, :, None], thresholds[:, None, :]
        return (signs * (_overlap(a, b) * signs).sum(2)).sum(1)

    return Energy.from_function(function, hidden, bounds=(-2.0, 2.0))


def plateau() -> Energy:
    r"""Return E(x) = x^2 for |x| < 1, 1 for 1 <= |x| < 2, (|x| - 1)^2 from there.

    Returns
    -------
    Energy
        d = 1; start law uniform in [-3, 3]. Barcode: (0, inf).

    Notes
    -----
    N_u = 1 for all u, and yet every x with 1 < |x| < 2 is a local minimum with E = 1 > 0. It is not strict: that
    word, in Freeman and Bruna, ICLR 2017, Section 2.1, is needed in "N_u = 1 for all u, therefore no strict poor local
    minima". There is no spurious valley, since the plateau can be left without rising.

    Examples
    --------
    >>> plateau()([[0.5], [1.5], [3.0]])
    tensor([0.2500, 1.0000, 4.0000], dtype=torch.float64)
    """

    def function(points: Tensor) -> Tensor:
        size = points[:, 0].abs()
        return size.clamp(max=1).square() + (size - 1).clamp(min=1).square() - 1

    return Energy.from_function(function, 1, bounds=(-3.0, 3.0))


def _overlap(a: Tensor, b: Tensor) -> Tensor:
    """Mean of rho(x - a) rho(x - b) over x in [-2, 2]: the integral from the last threshold to 2."""
    low = torch.maximum(a, b).clamp(-2, 2)

    def antiderivative(x: Tensor) -> Tensor:
        return x**3 / 3 - (a + b) * x**2 / 2 + a * b * x

    return (antiderivative(torch.full_like(low, 2.0)) - antiderivative(low)) / 4


def _positive(number: int, name: str) -> int:
    """Refuse what is no number of units or layers."""
    if isinstance(number, bool) or not isinstance(number, int) or number < 1:
        raise InputError(f"{name} must be a positive int, got {number!r}")
    return number
