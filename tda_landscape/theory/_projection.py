"""Variable projection: the output layer minimized out, which leaves N_u as it is at every level."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor
from torch.func import grad, hessian, vmap

from tda_landscape._errors import InputError, expect, expect_number
from tda_landscape.energy import Energy
from tda_landscape.energy._network import Network
from tda_landscape.theory._activation import is_relu
from tda_landscape.theory._chain import Chain, read_chain
from tda_landscape.theory._construction import not_convex
from tda_landscape.theory._convex import minimize_convex, newton_step
from tda_landscape.theory._intrinsic import hidden_inputs

Value = Callable[[Tensor, Tensor], Tensor]
"""Output layer (r,) and hidden weights (h,) -> energy."""


def variable_projection(
    energy: Energy, *, ridge: float = 0.0, angles: bool = False, semicontinuous: bool = False
) -> Energy:
    r"""Return the energy of the hidden layers alone, with the output layer at its best.

    .. math:: g(W) = \min_{U, c} E(W, U, c) + \mathrm{ridge} \, |U|^2

    The loss is convex in the output layer, so the points above each W in a sublevel set form a convex set: g has the
    same components as E at every level, and the same merge tree; only H0 is claimed. A network of a few hidden
    units becomes a grid in two or three dimensions, whose tree is exact.

    Parameters
    ----------
    energy : Energy
        Of a chain of linear layers, with one of the convex losses of torch, and any weight decay.
    ridge : float
        Added to the energy as ridge |U|^2, on the weights of the output layer.
    angles : bool
        One hidden layer of ReLUs in two coordinates (a bias counts as one), without weight decay: each unit
        by its direction (cos phi, sin phi), on a torus of as many angles as there are units. Scaling W against U
        leaves E as it is, so nothing is lost; with a ridge it is the energy of units with |w| = 1.
    semicontinuous : bool
        Say that you know: without ridge and weight decay g is only upper semicontinuous. It jumps up where the rank
        of the features falls, so that values on a grid can miss the low points beside the jump; barriers on grids
        then come out too high, and fall slowly as grids become finer.

    Returns
    -------
    Energy
        Over the hidden weights in the order of the module's parameters, or over the angles in [0, 2 pi). The output
        layer is found by Newton steps; of squared error the first is the closed form.

    Raises
    ------
    InputError
        No ridge, no weight decay, and no word that you know what that means; a loss that is not known to be convex;
        angles where directions are not all there is.

    Notes
    -----
    Derived here: {E < u} -> {g < u} is open and onto, with connected fibres, so it maps components to components
    one to one. Name after Golub and Pereyra, SIAM J. Numer. Anal. 10, 413 (1973).

    Examples
    --------
    The two ReLUs of this network are to be 1 at 1 and 1/2 at -1; each sign of w fits one of the two.

    >>> import torch, tda_landscape as tl
    >>> g = tl.theory.variable_projection(tl.zoo.relu_two_points(1), semicontinuous=True)
    >>> g([[2.0], [-0.3], [0.0]])
    tensor([0.2500, 1.0000, 1.2500], dtype=torch.float64)
    """
    expect(Energy, energy=energy)
    expect_number("[0, inf)", ridge=ridge)
    network = energy.network
    if network is None:
        raise InputError("variable projection is of networks; make the energy with Energy.from_model")
    chain = read_chain(network)
    reason = not_convex(network)
    if reason is not None:
        raise InputError(f"only a convex problem can be projected out, and {reason}")
    if not (ridge or network.weight_decay or semicontinuous):
        raise InputError(
            "without a ridge the projected energy is only upper semicontinuous, and grids miss its low points; give "
            "ridge=, or semicontinuous=True to say that you know"
        )
    if angles:
        _check_directions(chain, network)
    hidden, outer = _split(chain, energy.dim)
    value = _energy_of_parts(network, hidden, outer, ridge, chain.widths[-1] * chain.widths[-2])
    _check_solvable(value, energy.start(3, 0)[:, hidden], len(outer))

    def project(points: Tensor) -> Tensor:
        return _projected(value, _directions(chain, points) if angles else points, len(outer))

    if angles:
        return Energy.from_function(project, chain.widths[1], period=2 * torch.pi)
    return Energy.from_function(project, len(hidden), start=lambda k, rng: energy.start(k, rng)[:, hidden])


def _energy_of_parts(network: Network, hidden: Tensor, outer: Tensor, ridge: float, weights: int) -> Value:
    """The energy as a function of its two parts, with the ridge on the first `weights` of the output layer."""
    places = torch.cat([outer, hidden]).argsort()

    def value(u: Tensor, w: Tensor) -> Tensor:
        return network.value(torch.cat([u, w])[places]) + ridge * u[:weights].square().sum()

    return value


def _projected(value: Value, points: Tensor, size: int) -> Tensor:
    """Energies (k,) of hidden weights (k, h) with the output layer at its best.

    Where derivatives are asked for, one more Newton step is taken whose dependence on the weights they can see: it
    moves the output layer as its minimum moves, which makes first and second derivatives right.
    """
    w = points.detach()
    with torch.no_grad():
        u = minimize_convex(value, w.new_zeros(len(w), size), w).points
    if torch.is_grad_enabled():
        with torch.no_grad():
            curvature = vmap(hessian(value))(u, w)
        u = u + newton_step(curvature, vmap(grad(value))(u, points))
    energies: Tensor = vmap(value)(u, points)
    return energies


def _check_solvable(value: Value, points: Tensor, size: int) -> None:
    """Refuse a loss whose minimum Newton steps do not find, such as one of absolute values."""
    found = minimize_convex(value, points.new_zeros(len(points), size), points)
    if not found.solved.all():
        raise InputError(
            f"the output layer could not be minimized out (gradient {float(found.slopes.max()):.2g} is left); use a "
            "loss whose slope has no jumps, such as huber_loss in place of l1_loss"
        )


def _check_directions(chain: Chain, network: Network) -> None:
    """See that a unit is its direction in the plane."""
    coordinates = hidden_inputs(chain).shape[1]
    if coordinates != 2 or not is_relu(chain.activations[0]):
        raise InputError(
            f"angles are for ReLUs in two coordinates, bias included; these are {chain.names[0]} in {coordinates}"
        )
    if network.weight_decay:
        raise InputError(f"weight_decay = {network.weight_decay:g} is on the size of w too, so directions are not all")


def _directions(chain: Chain, phi: Tensor) -> Tensor:
    """Hidden weights (k, 2 p), in the order of the parameters, of unit directions at angles (k, p)."""
    first, second = phi.cos(), phi.sin()
    return torch.cat([first, second], 1) if chain.biased[0] else torch.stack([first, second], 2).flatten(1)


def _split(chain: Chain, dim: int) -> tuple[Tensor, Tensor]:
    """Which coordinates are those of the hidden layers, and which of the output layer: its weight, then its bias."""
    begin, bias = chain.starts[-1]
    rows, columns = chain.widths[-1], chain.widths[-2]
    outer = torch.arange(begin, begin + rows * columns)
    if chain.biased[-1]:
        outer = torch.cat([outer, torch.arange(bias, bias + rows)])
    hidden = torch.ones(dim, dtype=torch.bool)
    hidden[outer] = False
    return hidden.nonzero().flatten(), outer
