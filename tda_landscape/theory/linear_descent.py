"""Linear networks of any widths, squared error: from any point a path to a global minimum that never rises.

Venturi, Bandeira and Bruna, Spurious valleys in one-hidden-layer neural network optimization landscapes, JMLR 2019,
Theorem 8; the path is derived here. The network is cut where it is narrowest, W_K ... W_1 = L R. The layers below and
above the cut are made orthonormal without a change of the product, so that R moves with W_1 alone and L with W_K.
With L at its least squares, the error falls by |Y Q|^2, where the columns of Q are an orthonormal basis of the row
space of R X; one after the other is turned to the next largest eigenvector of Y^T Y, and each turn lets it fall.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import torch
from torch import Tensor

from tda_landscape.certificates.losses import ConvexLoss, recognise
from tda_landscape.certificates.losses.separable import Separable
from tda_landscape.energy._network import Network
from tda_landscape.theory._chain import Chain
from tda_landscape.theory._construction import Descent, not_linear, not_plain
from tda_landscape.theory._curve import Curve, Line, Piece
from tda_landscape.theory._frames import Turn
from tda_landscape.theory._loosen import Put, loosen, stretch
from tda_landscape.theory.linear import fold_biases

RANK = 1e-10
"""Singular values of the data below this share of the largest one are zero."""


TINY = 1e-12
"""A direction that is orthogonal to a subspace up to this is taken as orthogonal."""


def refuses(chain: Chain, network: Network) -> str | None:
    """Name the hypothesis that does not hold."""
    reason = not_linear(chain) or not_plain(network)
    if reason is not None:
        return reason
    loss = _loss(network)
    if not (isinstance(loss, Separable) and loss.quadratic):
        return "the loss is not the squared error"
    if any(chain.biased[:-1]) and not chain.biased[-1]:
        return "the last layer has no bias to take up those of the hidden layers"
    return None


def descend(chain: Chain, network: Network, point: Tensor, generator: torch.Generator) -> Curve:
    """Cut at the narrowest layer, make both sides movable, then least squares and turns."""
    layers, cut = chain.layers(point), chain.widths.index(min(chain.widths))
    hidden, last = fold_biases(layers)
    weights = [weight for weight, _ in layers]

    def write(blocks: list[Tensor], last: Tensor | None) -> Tensor:
        return chain.vector(list(zip(blocks, [*hidden, last], strict=True)))

    below, lower = loosen(weights[:cut], lambda blocks: write([*blocks, *weights[cut:]], last))
    above, upper = loosen([w.T for w in reversed(weights[cut:])], lambda blocks: write(_joined(lower, blocks), last))
    data = _read_data(chain, network)
    sides = _Sides(chain, hidden, lower, upper, data)
    loose, start = write(_joined(lower, upper), last), sides.at(sides.left, sides.right)
    return Curve((Line(point, write(weights, last)), *below, *above, Line(loose, start), *_fall(sides, data)))


LINEAR_DESCENT = Descent("linear networks with squared error", refuses, descend)


@dataclass(frozen=True, slots=True, eq=False)
class _Data:
    """Squared error as |L R C - Y|^2 and a constant, with the last bias at its best: means, C (n_0, d), Y (n_K, d)."""

    input_mean: Tensor
    target_mean: Tensor
    basis: Tensor
    inverse: Tensor
    targets: Tensor


def _read_data(chain: Chain, network: Network) -> _Data:
    """Reduce the data to as many columns as their rank; without a last bias nothing is centered."""
    x, y = chain.features.double(), _loss(network).targets.double()
    share = 1.0 if chain.biased[-1] else 0.0
    mean, goal = share * x.mean(0), share * y.mean(0)
    u, s, vh = torch.linalg.svd((x - mean).T, full_matrices=False)
    kept = s > RANK * s.max()
    return _Data(mean, goal, (u * s)[:, kept], (u / s)[:, kept].T, (y - goal).T @ vh[kept].T)


def _loss(network: Network) -> ConvexLoss:
    """The loss as its rule knows it."""
    with torch.no_grad():
        outputs = network.module(network.inputs).shape
    return recognise(network.loss, network.targets, outputs)


@dataclass(frozen=True, slots=True, eq=False)
class _Sides:
    """L = `left` above the cut and R = `right` below it, moved by the last and the first layer alone.

    `lower` are the weights below the cut, `upper` those above it transposed, from the last layer on.
    """

    chain: Chain
    hidden: list[Tensor | None]
    lower: list[Tensor]
    upper: list[Tensor]
    data: _Data

    @property
    def left(self) -> Tensor:
        """L (n_K, r)."""
        return _product(self.upper, self.chain.widths[-1]).T

    @property
    def right(self) -> Tensor:
        """R (r, n_0)."""
        return _product(self.lower, self.chain.widths[0])

    def at(self, left: Tensor, right: Tensor) -> Tensor:
        """Parameters (..., d) with other L (..., n_K, r) and R (..., r, n_0), and with the best last bias for them."""
        blocks = _joined(_moved(self.lower, right - self.right), _moved(self.upper, left.mT - self.left.T))
        last = None
        if self.chain.biased[-1]:
            last = self.data.target_mean - (left @ right @ self.data.input_mean[:, None])[..., 0]
        return self.chain.vector(list(zip(blocks, [*self.hidden, last], strict=True)))


def _fall(sides: _Sides, data: _Data) -> Iterator[Piece]:
    """Pieces to the global minimum from where L and R move freely."""
    left, right, rank = sides.left, sides.right, len(data.inverse)
    if not sides.upper:
        yield Line(sides.at(left, right), sides.at(left, right + (data.targets - right @ data.basis) @ data.inverse))
        return
    if not sides.lower:
        yield Line(sides.at(left, right), sides.at(left + (data.targets - left @ data.basis) @ data.inverse, right))
        return
    seen = right @ data.basis

    def put(rows: Tensor, left: Tensor) -> Tensor:
        return sides.at(left.mT, right + (rows.mT - seen) @ data.inverse)

    pieces, frame, turned = stretch(seen.T, left.T, put)
    yield from pieces
    best = turned.T + (data.targets - turned.T @ frame.T) @ frame
    yield Line(put(frame, turned), put(frame, best.T))
    if len(right) < rank:
        for turn in _climb(frame, torch.linalg.eigh(data.targets.T @ data.targets).eigenvectors.flip(1)):
            yield _along(turn, put, data.targets)


def _along(turn: Turn, put: Put, targets: Tensor) -> Piece:
    """The row space turned, with L at its least squares."""

    def piece(t: Tensor) -> Tensor:
        frames = turn.at(t)
        return put(frames, (targets @ frames).mT)

    return piece


def _climb(frame: Tensor, axes: Tensor) -> Iterator[Turn]:
    """Turn one direction of a frame (d, r) after the other to the first r axes, columns of (d, d)."""
    for i in range(frame.shape[1]):
        inside = frame.T @ axes[:, i]
        if inside.norm() > TINY:
            which = inside / inside.norm()
        else:  # any direction that was not turned yet
            which = torch.linalg.svd((frame.T @ axes[:, :i]).T, full_matrices=True).Vh[i]
        turn = Turn(frame, which, axes[:, i])
        yield turn
        frame = turn.after


def _product(blocks: list[Tensor], width: int) -> Tensor:
    """The product of layers, first layer first."""
    product = torch.eye(width, dtype=torch.float64)
    for block in blocks:
        product = block @ product
    return product


def _moved(blocks: list[Tensor], change: Tensor) -> list[Tensor]:
    """Layers whose product changes by so much (..., r, n), by the first of them alone."""
    if not blocks:
        return []
    return [blocks[0] + _product(blocks[1:], len(blocks[0])).T @ change, *blocks[1:]]


def _joined(lower: list[Tensor], upper: list[Tensor]) -> list[Tensor]:
    """All weights, first layer first."""
    return [*lower, *(block.mT for block in reversed(upper))]
