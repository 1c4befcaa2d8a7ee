"""Proved bounds of the energy of a network on a stretch of a polyline."""

from __future__ import annotations

import math
from collections import OrderedDict
from collections.abc import Iterable

import torch
from torch import Tensor

from tda_landscape._errors import InputError
from tda_landscape.certificates._node import Node, Stretch
from tda_landscape.certificates._program import Program, Trace, output_of
from tda_landscape.certificates._reading import read_program
from tda_landscape.certificates._rounding import TINY, U, check_arithmetic, gamma
from tda_landscape.certificates._segments import Segments, Whole
from tda_landscape.certificates.losses import ConvexLoss, loss_above, loss_below, recognise
from tda_landscape.certificates.losses._bound import CELLS
from tda_landscape.energy import Energy

DEEP, GENERATORS = 5, 4
"""From this many hidden layers on, this many generators a row."""

IN_CACHE = 2**20
"""Bytes of one layer that are worked on at once: larger batches leave the cache."""

KEPT = 2**30
"""Bytes of traces that are kept between evaluations."""

NODE_COST, STRETCH_COST = 1.0, 2.5
"""Forward passes of one node and of one stretch, as counted by a tally."""


class NetworkBounder:
    """The energy of a network on a polyline (m, d), by enclosing every unit for every row of the data."""

    def __init__(self, energy: Energy, points: Tensor, *, generators: int | None = None) -> None:
        network = energy.network
        assert network is not None  # the door has seen to it
        if network.regularizer is not None:
            raise InputError("an energy with a regularizer of your own cannot be certified; use weight_decay")
        if not network.inputs.is_floating_point():
            raise InputError(f"inputs of type {network.inputs.dtype} have no certified rule; give floats")
        self.program: Program = read_program(network.module)
        self.data = network.inputs.to(torch.float64)[None]
        self.points = points.to(torch.float64)
        self.weight_decay = network.weight_decay
        self.counters = energy.counters
        check_arithmetic(self.data, self.points)
        _keep_pages()
        first = self.program.trace(self.data[:, :1], self.points[:1])
        outputs = torch.Size([self.data.shape[1], *first[-1].shape[2:]])
        self.loss: ConvexLoss = recognise(network.loss, network.targets, outputs)
        self.keep = (GENERATORS if self.program.depth >= DEEP else 0) if generators is None else generators
        self.widest = max(v[0, 0].numel() for v, const in zip(first, self.program.constant, strict=True) if not const)
        self.evaluations = 0
        self.whole = Whole(self.points.abs().amax(0, keepdim=True))
        self._known: OrderedDict[Node, tuple[Tensor, Trace]] = OrderedDict()
        self._check(energy)

    def values(self, nodes: list[Node]) -> list[float]:
        """The energy at nodes, one forward pass each."""
        self._count(NODE_COST * len(nodes), len(nodes))
        return [self._value(*self._at(node)) for node in nodes]

    def above(self, stretches: list[Stretch]) -> list[float]:
        """Proved upper bounds on stretches, as many at once as stay in the cache."""
        self._count(STRETCH_COST * len(stretches), 0)
        rows = self.data.shape[1]
        at_once = max(1, IN_CACHE // (8 * self.widest * rows))
        groups = [stretches[i : i + at_once] for i in range(0, len(stretches), at_once)]
        return [bound for group in groups for bound in self._above(group)]

    def below(self, node: Node) -> float:
        """A proved lower bound at a node: the enclosure of a stretch of length zero."""
        self._count(STRETCH_COST, 0)
        theta = self._theta(node)
        segments = Segments(theta, theta, self.whole)
        total, size = 0.0, 0.0
        for rows in self.chunks(1):
            ends = [(v, v) for v in self._rows([node], rows)]
            known = self.program.enclose(self.data[:, rows], segments, ends, 0)
            part = float(loss_below(self.loss, output_of(known), self.loss.targets[rows]))
            total, size = total + part, size + abs(part)
        value = self.loss.scale * total + self._penalty(theta)
        slack = self.loss.scale * size * gamma(self.data.shape[1] + 32) + self.decay_error()
        return value - slack - 8 * U * abs(value)

    def _above(self, group: list[Stretch]) -> Iterable[float]:
        segments = self.segments(group)
        begins, stops = ([Node(s.piece, t) for s, t in zip(group, ts, strict=True)] for ts in _shares(group))
        total = torch.zeros(len(group), CELLS + 1, dtype=torch.float64)
        size = torch.zeros_like(total)
        for rows in self.chunks(len(group)):
            ends = list(zip(self._rows(begins, rows), self._rows(stops, rows), strict=True))
            known = self.program.enclose(self.data[:, rows], segments, ends, self.keep)
            part = loss_above(self.loss, output_of(known), self.loss.targets[rows])
            total, size = total + part, size + part.abs()
        bound = self.loss.scale * total + self._decay(segments)
        bound = bound + self.loss.scale * size * gamma(self.data.shape[1] + 32) + self.decay_error()
        bounds: list[float] = (bound + 8 * U * bound.abs() + TINY).amax(1).tolist()
        return bounds

    def _penalty(self, theta: Tensor) -> float:
        """weight_decay |θ|^2."""
        return self.weight_decay * float(theta.square().sum()) if self.weight_decay else 0.0

    def _decay(self, segments: Segments) -> Tensor:
        """weight_decay |θ(s)|^2 at the grid points, (S, J + 1): convex in s, so linear in between it is above."""
        if self.weight_decay == 0:
            return torch.zeros(1, 1, dtype=torch.float64)
        a, b = (part.square().sum(1, keepdim=True) for part in (segments.start, segments.end))
        grid = torch.linspace(0, 1, CELLS + 1, dtype=torch.float64)
        apart = (segments.end - segments.start).square().sum(1, keepdim=True)
        return self.weight_decay * ((1 - grid) * a + grid * b - grid * (1 - grid) * apart)

    def decay_error(self) -> float:
        """Rounding of the penalty, and of nodes off the polyline."""
        largest = self.whole.largest
        if self.weight_decay == 0:
            return 0.0
        return self.weight_decay * gamma(8 * largest.numel() + 64) * float(largest.square().sum())

    def segments(self, group: list[Stretch]) -> Segments:
        """The parameters at both ends of stretches."""
        starts, stops = (
            [self._at(Node(s.piece, t))[0] for s, t in zip(group, ts, strict=True)] for ts in _shares(group)
        )
        return Segments(_joined(starts), _joined(stops), self.whole)

    def _theta(self, node: Node) -> Tensor:
        """The node (1, d) as floats; vertices exactly."""
        if node.t in (0.0, 1.0):
            vertex = node.piece + int(node.t)
            return self.points[vertex : vertex + 1]
        a, b = self.points[node.piece : node.piece + 1], self.points[node.piece + 1]
        return torch.add(a, b - a, alpha=node.t)

    def _at(self, node: Node) -> tuple[Tensor, Trace]:
        """Parameters and trace at a node; kept, while memory allows, since both its neighbours will ask for them."""
        if node.t == 1 and node.piece + 2 < len(self.points):
            node = Node(node.piece + 1, 0.0)
        if node not in self._known:
            theta = self._theta(node)
            trace = self.program.trace(self.data, theta)
            size = sum(v.numel() for v, const in zip(trace, self.program.constant, strict=True) if not const)
            while len(self._known) > max(2, KEPT // (8 * (size + theta.numel()))):
                self._known.popitem(last=False)
            self._known[node] = theta, trace
        self._known.move_to_end(node)
        return self._known[node]

    def _rows(self, nodes: list[Node], rows: slice) -> Trace:
        """Traces of nodes (S, n, ...) on some rows."""
        traces = [self._at(node)[1] for node in nodes]
        return [
            self._cut(parts[0], rows) if constant else _joined([self._cut(v, rows) for v in parts])
            for parts, constant in zip(zip(*traces, strict=True), self.program.constant, strict=True)
        ]

    def _cut(self, value: Tensor, rows: slice) -> Tensor:
        """Some rows; a parameter by itself has one row for all."""
        return value[:, rows] if value.shape[1] == self.data.shape[1] else value

    def chunks(self, segments: int) -> list[slice]:
        """Rows that are worked on at once."""
        rows = self.data.shape[1]
        step = max(16, IN_CACHE // (8 * self.widest * segments))
        return [slice(i, min(i + step, rows)) for i in range(0, rows, step)]

    def _value(self, theta: Tensor, trace: Trace) -> float:
        outputs = trace[-1].reshape(trace[-1].shape[1], -1)
        total = self.loss.value(outputs, self.loss.targets).sum()
        return float(self.loss.scale * total) + self._penalty(theta)

    def _check(self, energy: Energy) -> None:
        """See that the network was read rightly: its energy at the first vertex is that of the model itself."""
        own = self._value(*self._at(Node(0, 0.0)))
        given = float(energy(self.points[:1]))
        loose = 1e-8 if energy.dtype == torch.float64 else 1e-3
        if math.isfinite(given) and not abs(own - given) <= loose * (1 + abs(given)):
            raise InputError(
                f"the network was read as one with energy {own:.9g} where the model has {given:.9g}, so it "
                "cannot be certified; hooks or parametrizations in the model are not seen"
            )

    def _count(self, passes: float, nodes: int) -> None:
        self.evaluations += nodes
        for counter in self.counters:
            counter.values += passes


def _keep_pages() -> None:
    """Free one block of 31 MiB: from then on glibc reuses smaller ones instead of fetching new pages each time.

    Most of what a bound takes is memory traffic of layers of a megabyte, and without this half of it is page faults.
    """
    torch.empty(31 * 2**17, dtype=torch.float64)


def _joined(parts: list[Tensor]) -> Tensor:
    """Tensors (1, ...) as one (S, ...); a single one is not copied."""
    return parts[0] if len(parts) == 1 else torch.cat(parts)


def _shares(group: list[Stretch]) -> tuple[list[float], list[float]]:
    return [s.begin for s in group], [s.end for s in group]
