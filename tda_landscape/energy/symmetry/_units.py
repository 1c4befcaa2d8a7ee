"""Where the units of a network stand in its flat vector of parameters, and how a group element moves them."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

import torch
from torch import Tensor


@dataclass(frozen=True, slots=True)
class Place:
    """A parameter seen as (before, size, after): unit i of a layer owns ``[:, i, :]``."""

    start: int
    before: int
    size: int
    after: int
    incoming: bool

    def of(self, points: Tensor) -> Tensor:
        """View (k, before, size, after) into points (k, d)."""
        stop = self.start + self.before * self.size * self.after
        return points[:, self.start : stop].view(len(points), self.before, self.size, self.after)

    def rows(self, points: Tensor) -> Tensor:
        """One row a unit, (k, size, before * after)."""
        return self.of(points).transpose(1, 2).flatten(2)


@dataclass(frozen=True, slots=True)
class Gauge:
    """Places where a factor c of each unit enters as c ** power; together they leave the network's function."""

    places: tuple[Place, ...]
    powers: tuple[float, ...]

    def multiply(self, points: Tensor, factors: Tensor) -> None:
        """Multiply in place by factors (k, size)."""
        for place, power in zip(self.places, self.powers, strict=True):
            place.of(points).mul_((factors**power)[:, None, :, None])


@dataclass(frozen=True, slots=True)
class Units:
    """Units that may be exchanged, flipped or rescaled: the hidden units or channels that one layer makes.

    `permuted` says whether they may be exchanged; each gauge in `signs` takes -1, each in `scales` any positive
    factor, for every unit on its own.
    """

    name: str
    size: int
    places: tuple[Place, ...]
    permuted: bool
    signs: tuple[Gauge, ...]
    scales: tuple[Gauge, ...]

    @property
    def order(self) -> int:
        """Number of permutations and signs."""
        return (math.factorial(self.size) if self.permuted else 1) << (self.size * len(self.signs))

    @property
    def degree(self) -> int:
        """Number of things on which permutations and signs act faithfully: each unit, or each with both signs."""
        return 2 * self.size * len(self.signs) if self.signs else self.size * self.permuted


@dataclass(frozen=True, slots=True)
class Frame:
    """Units between linear layers: G in GL(n) acts on what makes them, its inverse on what reads them.

    Without `general` only orthogonal G are meant, those that keep the length of the weights.
    """

    name: str
    places: tuple[Place, ...]
    general: bool = True

    @property
    def size(self) -> int:
        """Number of units n."""
        return self.places[0].size


@dataclass(frozen=True, slots=True, eq=False)
class Fold:
    """A batch norm with fixed statistics: y = w (x - mean) / std + b is y = w' x + b' with w', b' linear in w, b.

    Exchanging its channels exchanges the pairs (w', b'), not (w, b).
    """

    weight: int
    bias: int
    mean: Tensor
    std: Tensor


@dataclass(frozen=True, slots=True)
class Structure:
    """All units of a network, from input to output, the batch norms that are folded first, and free frames."""

    units: tuple[Units, ...]
    folds: tuple[Fold, ...] = ()
    frames: tuple[Frame, ...] = ()

    def fold(self, points: Tensor) -> Tensor:
        """Copy points (k, d) to the coordinates in which elements permute and multiply."""
        folded = points.clone(memory_format=torch.contiguous_format)
        for f in self.folds:
            weight, bias = _columns(folded, f)
            weight /= f.std
            bias -= weight * f.mean
        return folded

    def unfold(self, folded: Tensor) -> Tensor:
        """Undo `fold`."""
        points = folded.clone()
        for f in self.folds:
            weight, bias = _columns(points, f)
            bias += weight * f.mean
            weight *= f.std
        return points

    def parts(self) -> list[Structure]:
        """The kinds of element one by one: the permutations, each sign, each scale of every layer."""
        parts = []
        for u in self.units:
            bare = replace(u, permuted=False, signs=(), scales=())
            kinds = [replace(bare, permuted=True)] if u.permuted else []
            kinds += [replace(bare, signs=(gauge,)) for gauge in u.signs]
            kinds += [replace(bare, scales=(gauge,)) for gauge in u.scales]
            parts += [replace(self, units=(kind,), frames=()) for kind in kinds]
        return parts

    def keep(self, parts: list[Structure]) -> Structure:
        """Keep only these of the `parts`."""
        kept = [part.units[0] for part in parts]
        units = []
        for u in self.units:
            own = [kind for kind in kept if kind.places == u.places]
            signs = tuple(gauge for kind in own for gauge in kind.signs)
            scales = tuple(gauge for kind in own for gauge in kind.scales)
            units.append(replace(u, permuted=any(kind.permuted for kind in own), signs=signs, scales=scales))
        units = [u for u in units if u.permuted or u.signs or u.scales]
        return Structure(tuple(units), self.folds if units else ())

    def framed(self, frames: tuple[Frame, ...]) -> Structure:
        """Put frames in the place of the permutations, signs and scales of the same units."""
        held = {place for frame in frames for place in frame.places}
        units = tuple(u for u in self.units if not held & set(u.places))
        return Structure(units, self.folds if units else (), frames)

    def chains(self) -> list[tuple[Frame, ...]]:
        """Frames that share parameters, together."""
        chains: list[tuple[Frame, ...]] = []
        for frame in self.frames:
            starts = {place.start for place in frame.places}
            near = [c for c in chains if starts & {place.start for f in c for place in f.places}]
            chains = [c for c in chains if c not in near] + [(*(f for c in near for f in c), frame)]
        return chains


@dataclass(frozen=True, slots=True, eq=False)
class Element:
    """Signed permutations, one a point: unit i of the image is unit ``permutations[:, i]``, times ``signs[..., i]``.

    One entry a layer of units: permutations (k, size) and signs (k, gauges, size).
    """

    permutations: tuple[Tensor, ...]
    signs: tuple[Tensor, ...]


def identity(structure: Structure, points: Tensor) -> Element:
    """The element that moves nothing."""
    k = len(points)
    permutations = tuple(torch.arange(u.size).repeat(k, 1) for u in structure.units)
    return Element(permutations, tuple(points.new_ones(k, len(u.signs), u.size) for u in structure.units))


def move(units: Units, points: Tensor, permutation: Tensor, signs: Tensor) -> None:
    """Move the units of folded points (k, d) in place."""
    if units.permuted:
        for place in units.places:
            view = place.of(points)
            view.copy_(torch.take_along_dim(view.clone(), permutation[:, None, :, None], 2))
    for gauge, flips in zip(units.signs, signs.unbind(1), strict=True):
        gauge.multiply(points, flips)


def act(structure: Structure, points: Tensor, element: Element) -> Tensor:
    """Return the images (k, d) of folded points."""
    images = points.clone()
    for units, permutation, signs in zip(structure.units, element.permutations, element.signs, strict=True):
        move(units, images, permutation, signs)
    return images


def sheets(structure: Structure, element: Element) -> Tensor:
    """Where each thing goes, (k, degree): units, or units with sign + followed by units with sign -."""
    columns, offset = [torch.empty(len(element.permutations[0]) if structure.units else 0, 0, dtype=torch.int64)], 0
    for units, permutation, signs in zip(structure.units, element.permutations, element.signs, strict=True):
        goal = permutation.argsort(1)
        if not units.signs and units.permuted:
            columns.append(offset + goal)
        for g, flips in enumerate(signs.unbind(1)):
            negative = flips.gather(1, goal) < 0
            base = offset + 2 * units.size * g + goal
            columns += [base + units.size * negative, base + units.size * ~negative]
        offset += units.degree
    return torch.cat(columns, 1)


def _columns(points: Tensor, fold: Fold) -> tuple[Tensor, Tensor]:
    """Views of a batch norm's weight and bias, (k, channels) each."""
    n = len(fold.mean)
    return points[:, fold.weight : fold.weight + n], points[:, fold.bias : fold.bias + n]
