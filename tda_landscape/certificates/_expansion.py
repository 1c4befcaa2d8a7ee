"""Networks whose loss is a polynomial along a segment: its Bernstein coefficients bound it."""

from __future__ import annotations

import torch
from torch import Tensor

from tda_landscape.certificates._network import NetworkBounder
from tda_landscape.certificates._node import Node, Stretch
from tda_landscape.certificates._polynomial import Polynomial
from tda_landscape.certificates._rounding import TINY, U, gamma
from tda_landscape.certificates._segments import Segments
from tda_landscape.certificates.losses.separable import Separable

HIGHEST = 64
"""Largest degree of the loss: above it bisection of enclosures is as good and cheaper."""


class PolynomialBounder:
    """The squared error of a polynomial network: expanded once a piece, then cut for nothing.

    A polynomial lies between its smallest and its largest Bernstein coefficient, and those of a part of the
    interval follow by de Casteljau's algorithm. The radius holds all rounding of the expansion.
    """

    def __init__(self, network: NetworkBounder) -> None:
        pieces = range(len(network.points) - 1)
        expanded = [_loss_polynomial(network, piece) for piece in pieces]
        self.coefficients = [centre for centre, _ in expanded]
        self.errors = [error for _, error in expanded]
        self.evaluations = sum(2 * (len(c) - 1) for c in self.coefficients)
        for counter in network.counters:
            counter.values += self.evaluations

    def values(self, nodes: list[Node]) -> list[float]:
        """The polynomial at nodes."""
        return [float(_cut(self.coefficients[node.piece], node.t)[0][-1]) for node in nodes]

    def above(self, stretches: list[Stretch]) -> list[float]:
        """The largest coefficient on each stretch."""
        return [float(self._restricted(s).max()) + self._error(s.piece) for s in stretches]

    def below(self, node: Node) -> float:
        """The value at a node, less its error."""
        return self.values([node])[0] - self._error(node.piece)

    def _restricted(self, stretch: Stretch) -> Tensor:
        left, _ = _cut(self.coefficients[stretch.piece], stretch.end)
        _, right = _cut(left, stretch.begin / stretch.end)
        return right

    def _error(self, piece: int) -> float:
        """Radius, and rounding of two cuts: convex combinations, degree levels each, and a share off by 2u."""
        c = self.coefficients[piece]
        return self.errors[piece] + 16 * (len(c) + 1) * U * float(c.abs().max())


def expandable(network: NetworkBounder) -> bool:
    """Whether the loss is a polynomial of a degree worth expanding."""
    loss = network.loss
    if not (network.program.polynomial and isinstance(loss, Separable) and loss.quadratic):
        return False
    outputs = network.program.expand(network.data[:, :1], _piece(network, 0))
    return 2 * outputs.degree <= HIGHEST


def _loss_polynomial(network: NetworkBounder, piece: int) -> tuple[Tensor, float]:
    """Bernstein coefficients (D + 1,) of the energy on a piece, and a bound of their errors."""
    segments = _piece(network, piece)
    centre, radius = torch.zeros(1, dtype=torch.float64), torch.zeros(1, dtype=torch.float64)
    for rows in network.chunks(HIGHEST):
        outputs = network.program.expand(network.data[:, rows], segments)
        shape = (outputs.degree + 1, *network.loss.targets[rows].shape)
        given = Polynomial.constant(-network.loss.targets[rows][None])
        rest = Polynomial(outputs.centre.reshape(shape), outputs.radius.reshape(shape)) + given
        square = rest * rest
        terms = square.centre[0].numel()
        centre = centre + square.centre.flatten(1).sum(1)
        size = square.centre.abs().flatten(1).sum(1)
        radius = radius + (square.radius.flatten(1).sum(1) + gamma(terms + 8) * size) * (1 + gamma(terms + 16))
    loss = Polynomial(centre, radius * (1 + gamma(len(network.data[0]) + 8)) + 64 * U * centre.abs())
    scale = network.loss.scale
    scaled = Polynomial(scale * loss.centre, scale * loss.radius + 4 * U * scale * loss.centre.abs())
    a, b = segments.start[0], segments.end[0]
    squares = network.weight_decay * torch.stack([a.square().sum(), (a * b).sum(), b.square().sum()])
    decay = Polynomial(squares, torch.full_like(squares, network.decay_error()))
    total = scaled + decay
    return total.centre, float(total.radius.max()) + TINY


def _piece(network: NetworkBounder, piece: int) -> Segments:
    return network.segments([Stretch(piece, 0.0, 1.0)])


def _cut(coefficients: Tensor, t: float) -> tuple[Tensor, Tensor]:
    """Bernstein coefficients on [0, t] and on [t, 1]: de Casteljau's algorithm."""
    row, left, right = coefficients, [coefficients[0]], [coefficients[-1]]
    while len(row) > 1:
        row = (1 - t) * row[:-1] + t * row[1:]
        left.append(row[0])
        right.append(row[-1])
    return torch.stack(left), torch.stack(right[::-1])
