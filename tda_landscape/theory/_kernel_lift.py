"""The kernel lift of a network with one hidden layer: the parameter in which its outputs are linear."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

import torch
from scipy.linalg import qr
from torch import Tensor

from tda_landscape._errors import InputError, expect
from tda_landscape.energy import Energy
from tda_landscape.theory._chain import Chain, read_chain
from tda_landscape.theory._intrinsic import IntrinsicDimension, dimension_of, draw_weights, hidden_inputs, unit

DEPENDENT = 1e-13
"""A unit whose features are this close to those of others, relative to their size, adds no dimension."""


@dataclass(frozen=True, slots=True, eq=False)
class Units:
    """Of a hidden layer: incoming weights (p, n), biases as last column, outgoing (m, p), output bias (m,) or None."""

    incoming: Tensor
    outgoing: Tensor
    bias: Tensor | None


@dataclass(frozen=True, slots=True, eq=False)
class KernelLift:
    r"""The lift :math:`\Phi(X; \theta) = A(\theta) \Psi(X) + c`, of outputs (m, L) on L rows of data.

    A loss that is convex in the outputs is convex in the lifted parameter :math:`A(\theta) = U \psi(W)`, (m, q).

    Attributes
    ----------
    chain : Chain
        The network.
    dimension : IntrinsicDimension
        q, and how well it is known.
    kernel : Tensor (q, L)
        Psi: orthonormal rows that span the features of all possible hidden units; where q is not decided, as many as it
        can be at most.
    reference : Tensor (q, n)
        Incoming weights of q units with independent features, as well conditioned as any found.

    Examples
    --------
    >>> import torch, tda_landscape as tl
    >>> x = torch.randn(30, 2, generator=torch.Generator().manual_seed(0))
    >>> model = torch.nn.Sequential(torch.nn.Linear(2, 5), torch.nn.ReLU(), torch.nn.Linear(5, 1))
    >>> energy = tl.Energy.from_model(model, torch.nn.functional.mse_loss, (x[:4], x[:4, :1]))
    >>> lift = tl.theory.kernel_lift(energy)
    >>> theta = energy.start(1, 0)[0]
    >>> beta, c = lift.lifted(theta)
    >>> beta.shape, bool(torch.allclose(beta @ lift.kernel + c[:, None], lift.chain.outputs(theta).T))
    (torch.Size([1, 4]), True)
    >>> again, _ = lift.lifted(lift.section(beta, c))
    >>> bool(torch.allclose(again, beta))
    True
    """

    chain: Chain
    dimension: IntrinsicDimension
    inputs: Tensor
    kernel: Tensor
    reference: Tensor

    def features(self, incoming: Tensor) -> Tensor:
        """Psi (k, q) of units with incoming weights (k, n): their features on the data are psi @ kernel."""
        psi: Tensor = self.chain.activations[0](incoming @ self.inputs.T) @ self.kernel.T
        return psi

    def lifted(self, point: Tensor) -> tuple[Tensor, Tensor]:
        """A(theta) (m, q) and the output bias c (m,) of a parameter vector (d,)."""
        units = self.read(point)
        beta = self.beta(units)
        return beta, beta.new_zeros(len(beta)) if units.bias is None else units.bias

    def beta(self, units: Units) -> Tensor:
        """A(theta) (m, q) of units."""
        return units.outgoing @ self.features(units.incoming)

    def section(self, beta: Tensor, c: Tensor | None = None) -> Tensor:
        """A parameter vector (d,) whose lift is beta (m, q) and c: the reference units, all others 0; needs p >= q."""
        q, width = len(self.reference), self.chain.widths[1]
        if width < q:
            raise InputError(f"{width} hidden units cannot hold the {q} features of the lift; use at least {q}")
        incoming = torch.cat([self.reference, self.reference.new_zeros(width - q, self.reference.shape[1])])
        bias = None if not self.chain.biased[1] else beta.new_zeros(len(beta)) if c is None else c
        weights = outgoing(beta, self.features(self.reference), list(range(q)), width)
        return self.write(Units(incoming, weights, bias))

    def read(self, point: Tensor) -> Units:
        """Cut a parameter vector (d,) into units."""
        (weight, bias), (outer, c) = self.chain.layers(point)
        return Units(weight if bias is None else torch.cat([weight, bias[:, None]], dim=1), outer, c)

    def write(self, units: Units) -> Tensor:
        """Join units to a parameter vector (d,)."""
        w, bias = (units.incoming[:, :-1], units.incoming[:, -1]) if self.chain.biased[0] else (units.incoming, None)
        return self.chain.vector([(w, bias), (units.outgoing, units.bias)])


def kernel_lift(energy: Energy) -> KernelLift:
    """Return the kernel lift of a network with one hidden layer.

    Parameters
    ----------
    energy : Energy
        Of a model that is a chain of two linear layers with an activation between them.

    Returns
    -------
    KernelLift

    Raises
    ------
    InputError
        An energy without a network, or one that is no such chain.

    Examples
    --------
    >>> import tda_landscape as tl
    >>> tl.theory.kernel_lift(tl.zoo.xor(hidden=2)).dimension.value
    4
    """
    expect(Energy, energy=energy)
    if energy.network is None:
        raise InputError("a kernel lift is that of a network; make the energy with Energy.from_model")
    return lift_of(read_chain(energy.network))


@lru_cache(maxsize=4)
def lift_of(chain: Chain) -> KernelLift:
    """The same, of a network that has been read; kept, since every pair of ends asks for it."""
    return make_lift(chain)


def make_lift(chain: Chain) -> KernelLift:
    """The same, made anew."""
    inputs, dimension = hidden_inputs(chain), dimension_of(chain)
    q = dimension.upper
    weights = draw_weights(inputs, len(inputs) + 200, torch.Generator().manual_seed(1))
    features = unit(chain.activations[0](weights @ inputs.T))
    kernel = torch.linalg.svd(features, full_matrices=False)[2][:q]
    if len(kernel) < q:
        raise InputError(f"of {q} independent features only {len(kernel)} were found among {len(weights)} units")
    return KernelLift(chain, dimension, inputs, kernel, weights[_by_pivots(unit(features @ kernel.T))[1][:q]])


def independent(lift: KernelLift, incoming: Tensor, near: float = DEPENDENT) -> list[int]:
    """Units (k, n) of incoming weights whose features span what those of all span, best conditioned first."""
    features = torch.where(_cancelled(lift, incoming)[:, None], 0.0, lift.features(incoming))
    pivots, order = _by_pivots(unit(features))
    return order[: int((pivots > near * len(features)).sum())]


def _cancelled(lift: KernelLift, incoming: Tensor) -> Tensor:
    """Which units see nothing but the rounding of terms that cancel: at length 1 it looks like a feature."""
    act, seen, rounding = lift.chain.activations[0], incoming @ lift.inputs.T, incoming.abs() @ lift.inputs.abs().T
    doubt = act(seen + DEPENDENT * rounding) - act(seen - DEPENDENT * rounding)
    cancelled: Tensor = act(seen).norm(dim=1) <= doubt.norm(dim=1)
    return cancelled


def completion(features: Tensor, reference: Tensor) -> list[int]:
    """Rows of `reference` (q, q) that complete independent rows of `features` (r, q) to a basis."""
    frame = torch.linalg.qr(features.T)[0]
    units = unit(reference)
    return _by_pivots(units - units @ frame @ frame.T)[1][: len(reference) - len(features)]


def _by_pivots(rows: Tensor) -> tuple[Tensor, list[int]]:
    """Rows (k, q) in the order in which each is the farthest from the span of those before it, and how far."""
    if not rows.numel():
        return rows.new_zeros(0), []
    triangle, order = qr(rows.T.numpy(), mode="r", pivoting=True)
    return torch.from_numpy(abs(triangle.diagonal()).copy()), [int(i) for i in order]


def outgoing(beta: Tensor, features: Tensor, slots: Sequence[int], width: int) -> Tensor:
    """Outgoing weights (m, width) that give beta (m, q) by the units at `slots`, with these features (r, q), alone."""
    weights = beta.new_zeros(len(beta), width)
    if len(slots):
        sizes = features.norm(dim=1)  # units of very different sizes are no reason to leave some out
        weights[:, slots] = torch.linalg.lstsq(unit(features).T, beta.T, driver="gels").solution.T / sizes
    return weights
