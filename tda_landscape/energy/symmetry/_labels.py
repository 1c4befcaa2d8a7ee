"""Which units of which tensors are the same: labels that spread along the graph of a network."""

from __future__ import annotations

import math
from dataclasses import dataclass, field, replace

from tda_landscape.energy.symmetry._units import Fold, Frame, Gauge, Place, Units

FIXED = 0
"""The label of what no element may move: inputs, outputs, and what depends on their order or size."""

MOST_SIGNS = 6
"""Sign gauges of one layer of units: aligning tries all their combinations."""


@dataclass(frozen=True, slots=True)
class Signal:
    """Labels of one tensor: its units, their sign, their scale ** power and their frame, along one axis.

    A frame is free where only linear maps of the units follow: any basis will do. Where units are flattened
    together with what follows them, each owns `block` entries of the axis.
    """

    units: int
    sign: int
    scale: int
    power: float = 1
    axis: int = 1
    block: int = 1
    frame: int = FIXED


@dataclass(slots=True)
class Labels:
    """Labels under construction: a union-find, and where in the parameters each label was met."""

    parents: list[int] = field(default_factory=lambda: [FIXED])
    attached: dict[tuple[str, int, bool], Signal] = field(default_factory=dict)
    norms: dict[tuple[str, str], Fold] = field(default_factory=dict)
    pinned: list[int] = field(default_factory=list)

    def new(self) -> int:
        """Make a fresh label."""
        self.parents.append(len(self.parents))
        return len(self.parents) - 1

    def find(self, label: int) -> int:
        """Return the label that stands for all that were joined with this one."""
        while self.parents[label] != label:
            label = self.parents[label]
        return label

    def join(self, a: int, b: int) -> int:
        """Make two labels one; FIXED wins."""
        a, b = sorted((self.find(a), self.find(b)))
        self.parents[b] = a
        return a

    def freeze(self, *labels: int) -> None:
        """Say that no element may move these."""
        for label in labels:
            self.join(FIXED, label)

    def fresh(self, axis: int) -> Signal:
        """Label the output of a layer with units of its own."""
        return Signal(self.new(), self.new(), self.new(), axis=axis, frame=self.new())

    def pinned_units(self) -> int:
        """Label units that may be flipped and rescaled but not exchanged, e.g. scaled features of the data."""
        self.pinned.append(self.new())
        return self.pinned[-1]

    def fixed(self, axis: int = 1) -> Signal:
        """Label a tensor that no element moves."""
        return Signal(FIXED, FIXED, FIXED, axis=axis)

    def is_fixed(self, signal: Signal) -> bool:
        """Whether no element moves this tensor."""
        return all(self.find(label) == FIXED for label in _labels_of(signal))

    def freeze_all(self, signal: Signal) -> Signal:
        """Fix a tensor altogether."""
        self.freeze(*_labels_of(signal))
        return self.fixed(signal.axis)

    def merge(self, a: Signal, b: Signal) -> Signal:
        """Require of two tensors that they move as one, e.g. because they are added."""
        if not self.is_fixed(a) and not self.is_fixed(b) and (a.axis, a.block) != (b.axis, b.block):
            self.freeze_all(a)
            return self.freeze_all(b)
        self.join(a.units, b.units)
        self.join(a.sign, b.sign)
        self.join(a.scale, b.scale)
        self.join(a.frame, b.frame)
        if a.power != b.power:
            self.freeze(a.scale)
        return b if self.is_fixed(a) else a

    def attach(self, parameter: str, axis: int, signal: Signal, *, incoming: bool) -> None:
        """Note that an axis of a parameter makes (incoming) or reads this tensor; a second use joins the labels."""
        key = (parameter, axis, incoming)
        self.attached[key] = self.merge(self.attached[key], signal) if key in self.attached else signal

    def frames(self, offsets: dict[str, tuple[int, tuple[int, ...]]]) -> tuple[Frame, ...]:
        """Collect the units whose basis is free, all those of each linear chain or none of it."""
        places, free = self._places(offsets), dict[int, list[tuple[str, Place]]]()
        for name, root, frame, place in places:
            if root != FIXED and frame != FIXED:
                free.setdefault(frame, []).append((name, place))
        frames = [Frame(found[0][0].rpartition(".")[0], tuple(p for _, p in found)) for found in free.values()]
        frames = [f for f in frames if len({(p.start, p.before) for p in f.places}) == len(f.places)]
        while True:
            held = {place for frame in frames for place in frame.places}
            others = {p.start for _, root, _, p in places if root != FIXED and p not in held}
            kept = [f for f in frames if not others & {p.start for p in f.places}]
            if len(kept) == len(frames):
                return tuple(frames)
            frames = kept

    def _places(self, offsets: dict[str, tuple[int, tuple[int, ...]]]) -> list[tuple[str, int, int, Place]]:
        """Each axis of a parameter that makes or reads units, with the labels of its units and of their frame."""
        found = []
        for (name, axis, incoming), signal in self.attached.items():
            start, shape = offsets[name]
            if not shape[axis] % signal.block:
                size, after = shape[axis] // signal.block, signal.block * math.prod(shape[axis + 1 :])
                place = Place(start, math.prod(shape[:axis]), size, after, incoming)
                found.append((name, self.find(signal.units), self.find(signal.frame), place))
        return found

    def units(self, offsets: dict[str, tuple[int, tuple[int, ...]]]) -> tuple[Units, ...]:
        """Collect the units that may move; `offsets` holds start and shape of each parameter."""
        found: dict[int, _Draft] = {}
        for (name, axis, incoming), signal in self.attached.items():
            root = self.find(signal.units)
            start, shape = offsets[name]
            if root == FIXED or shape[axis] % signal.block:
                continue
            size = shape[axis] // signal.block
            before, after = math.prod(shape[:axis]), signal.block * math.prod(shape[axis + 1 :])
            place = Place(start, before, size, after, incoming)
            draft = found.setdefault(root, _Draft(name.rpartition(".")[0] or name, size))
            place = draft.places.setdefault((start, axis), place)  # one object where a weight makes and reads units
            for gauges, label, power in ((draft.signs, signal.sign, 1), (draft.scales, signal.scale, signal.power)):
                if self.find(label) != FIXED:
                    entry = (place, power if incoming or gauges is draft.signs else -power)
                    gauges.setdefault(self.find(label), []).append(entry)
        pinned = {self.find(label) for label in self.pinned}
        return tuple(draft.done(permuted=root not in pinned) for root, draft in found.items())


@dataclass(slots=True)
class _Draft:
    """Units while their places are collected."""

    name: str
    size: int
    places: dict[tuple[int, int], Place] = field(default_factory=dict)
    signs: dict[int, list[tuple[Place, float]]] = field(default_factory=dict)
    scales: dict[int, list[tuple[Place, float]]] = field(default_factory=dict)

    def done(self, permuted: bool) -> Units:
        signs, scales = (
            tuple(Gauge(tuple(p for p, _ in gauge), tuple(n for _, n in gauge)) for gauge in gauges.values())
            for gauges in (self.signs, self.scales)
        )
        return Units(
            self.name, self.size, tuple(self.places.values()), permuted and self.size > 1, signs[:MOST_SIGNS], scales
        )


def _labels_of(signal: Signal) -> tuple[int, int, int, int]:
    return signal.units, signal.sign, signal.scale, signal.frame


def with_power(signal: Signal, power: float) -> Signal:
    """Label x ** power for a tensor x that may be rescaled."""
    return replace(signal, power=signal.power * power)
