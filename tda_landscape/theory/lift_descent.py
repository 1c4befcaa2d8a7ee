r"""One hidden layer with p >= q units: from every point a path leads down to a global minimum, and never up.

Venturi, Bandeira and Bruna (2018), Theorem 5. Units that depend on others give up what they carry and take features
that are missing, until q independent units stand by; then one move of the output layer, on which the loss is convex.
"""

from __future__ import annotations

from dataclasses import replace

import torch
from torch import Tensor
from torch.func import grad

from tda_landscape._errors import InputError
from tda_landscape.energy._network import Network
from tda_landscape.theory._chain import Chain
from tda_landscape.theory._curve import Curve
from tda_landscape.theory._intrinsic import unit
from tda_landscape.theory._kernel_lift import KernelLift, Units, independent, lift_of
from tda_landscape.theory._least import OutputLoss, least, least_by
from tda_landscape.theory.lift import carried, completed, missing_units

NEARLY = (1e-4, 1e-7, 1e-10)
"""Distances from the span of others, relative to its size, at which a unit is tried as one that depends on them."""

PENALTY = 1e-3
"""On outgoing weights while dependent units are unloaded, so that they stay small."""

ROUNDING = 1e-9
"""Largest share of rounding in the energy at the end, relative to 1 + its size."""


def refuses(chain: Chain, network: Network) -> str | None:
    """Name the hypothesis that does not hold."""
    return missing_units(chain, network, spare=0)


def descend(chain: Chain, network: Network, point: Tensor, generator: torch.Generator) -> Curve:
    """Lead a point to the global minimum.

    Where the infimum lies at infinity, as that of the logistic loss on separable data, the curve ends where the
    gradient in the lifted parameter is below 1e-11 of what it was.
    """
    lift, loss = lift_of(chain), OutputLoss.of(network)
    units = lift.read(point)
    shed, basis = _shed(lift, loss, units)
    nodes, basis = completed(lift, shed, basis)
    rows, start = _rows(lift.kernel, units), _coefficients(lift.beta(nodes[-1]), nodes[-1])
    lowest = least_by(loss, rows, _own(lift, nodes[-1], basis), start)
    end = _with_coefficients(lift, nodes[-1], lowest, basis)
    found, promised = float(network.value(lift.write(end))), float(loss(lowest @ rows))
    if not abs(found - promised) <= ROUNDING * (1 + abs(promised)):
        raise InputError(
            f"the features of the hidden units nearly depend on each other, and at the global minimum {promised:.6g} "
            f"weights cancel so much that rounding makes it {found:.6g}; use more units than q, or data that tell "
            "units apart better"
        )
    return Curve.through([point, *map(lift.write, [*nodes, end])])


def _shed(lift: KernelLift, loss: OutputLoss, units: Units) -> tuple[Units, list[int]]:
    """Let well independent units carry the outputs, and as near as can be without a rise; which these are.

    Where others are exact combinations of them, the outputs stay. Where they only nearly are, the outputs move half
    of the way to the best that the independent units can do, which has to make up for what is lost.
    """
    beta, rows = _coefficients(lift.beta(units), units), _rows(lift.kernel, units)
    exact = independent(lift, units.incoming)
    for near in NEARLY:
        basis = independent(lift, units.incoming, near)
        if len(basis) == len(exact):
            break
        own = _own(lift, units, basis)
        back = torch.linalg.pinv(own)
        best = least(loss, own @ rows, beta @ back, PENALTY) @ own
        half = (beta @ back @ own + best) / 2
        if float((grad(lambda c: loss(c @ rows))(half) * (half - beta)).sum()) <= 0:
            return _with_coefficients(lift, units, half, basis), basis
    return carried(lift, units, lift.beta(units), exact), exact


def _rows(kernel: Tensor, units: Units) -> Tensor:
    """What the coefficients multiply: the features, and ones where the output layer has a bias."""
    return kernel if units.bias is None else torch.cat([kernel, kernel.new_ones(1, kernel.shape[1])])


def _own(lift: KernelLift, units: Units, slots: list[int]) -> Tensor:
    """The features of the units at `slots`, each of length 1, and the output bias in the lifted coordinates."""
    ones = [] if units.bias is None else [units.bias.new_ones(1, 1)]
    own: Tensor = torch.block_diag(unit(lift.features(units.incoming[slots])), *ones)
    return own


def _coefficients(beta: Tensor, units: Units) -> Tensor:
    """The lifted parameter and the output bias side by side."""
    return beta if units.bias is None else torch.cat([beta, units.bias[:, None]], dim=1)


def _with_coefficients(lift: KernelLift, units: Units, coefficients: Tensor, slots: list[int]) -> Units:
    """The units at `slots` alone carry them."""
    q = len(lift.kernel)
    own = None if units.bias is None else coefficients[:, q]
    return carried(lift, replace(units, bias=own), coefficients[:, :q], slots)
