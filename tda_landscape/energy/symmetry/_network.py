"""The symmetry of a network: permutations, signs and positive scales of its units, any basis of linear ones."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import ClassVar

import torch
from torch import Tensor

from tda_landscape.energy._network import Network
from tda_landscape.energy.symmetry import _frames as frames
from tda_landscape.energy.symmetry._balance import balance, gauges, orthonormal, rescale, tangents
from tda_landscape.energy.symmetry._canonical import canonical
from tda_landscape.energy.symmetry._fixed import fixed
from tda_landscape.energy.symmetry._match import match, random_element
from tda_landscape.energy.symmetry._units import Element, Structure, act, sheets

PROBES = 16


@dataclass(frozen=True, slots=True, eq=False)
class NetworkSymmetry:
    """Permutations, signs, positive scales and changes of basis of the hidden units of a network; a `Symmetry`.

    Unit i of a layer makes f(w.x + b) and is read by v. Exchanging units with all their weights leaves the
    network's function; so does (w, b, v) -> (-w, -b, -v) where f is odd, and (w, b, v) -> (c w, c b, v / c), c > 0,
    where f is positively homogeneous. Units between two linear layers may take any basis, W_in -> G W_in and
    W_out -> W_out G^-1, with G in GL(n), or in O(n) where a penalty keeps lengths. Channels of convolutions are units,
    units that are added to each other move together, and a batch norm with fixed statistics is folded into weight and
    bias first.

    Made by `find_symmetry`, which verifies it.

    Attributes
    ----------
    structure : Structure
        The layers of units, and what may be done with each.
    network : Network
        For its outputs, which are invariants.
    order : int
        Product of n! over permuted layers, times 2 for each unit with a sign and for each GL(n) or O(n).
    degree : int
        Sheets permute units, or units with a sign: first all with +, then all with -, layer by layer; then two things
        for each GL(n) or O(n), which change places where the determinant is negative.

    Notes
    -----
    What GL(n) takes away is the choice of a basis; what is left are subspaces, points of a Grassmannian (Venturi,
    Bandeira and Bruna 2018 join linear networks there). It is looked for in chains of linear layers that end at
    inputs, outputs or fixed tensors, with at most 1024 numbers in their matrices G; where other units are read or made
    by the same weights, permutations, signs and scales are all that is used. Not looked for: x -> 1 - x of the
    sigmoid; shifts that a batch norm or a softmax takes back; exchanges of some units only, where a penalty forbids
    the others.

    Examples
    --------
    >>> import torch, tda_landscape as tl
    >>> from tda_landscape.energy.symmetry import find_symmetry
    >>> X, y = tl.zoo.datasets.load("iris")
    >>> model = tl.zoo.networks.mlp([4, 3, 3])
    >>> energy = tl.Energy.from_model(model, torch.nn.functional.cross_entropy, (X, y), weight_decay=1e-3)
    >>> symmetry = find_symmetry(energy)
    >>> symmetry.describe(), symmetry.order
    ("permutations and signs of 3 units of layer '0'", 48)
    """

    structure: Structure
    network: Network
    highest_first: ClassVar[bool] = True
    """Of variants those that change the function most lead elsewhere; equal ones are images by symmetries of data."""

    @property
    def order(self) -> int:
        """Number of permutations and signs; positive scales are connected and add nothing, GL(n) and O(n) add two."""
        return math.prod(units.order for units in self.structure.units) << len(self.structure.frames)

    @property
    def degree(self) -> int:
        """Number of things that sheets permute."""
        return sum(units.degree for units in self.structure.units) + 2 * len(self.structure.frames)

    def describe(self) -> str:
        """Say what the group is, layer by layer."""
        layers = []
        for units in self.structure.units:
            kinds = ["permutations"] * units.permuted + ["signs"] * bool(units.signs) + ["scales"] * bool(units.scales)
            several = " and ".join(", ".join(kinds).rsplit(", ", 1))
            layers.append(f"{several} of {units.size} units of layer {units.name!r}")
        for frame in self.structure.frames:
            group = "GL" if frame.general else "O"
            layers.append(f"{group}({frame.size}) on the units of layer {frame.name!r}")
        return "; ".join(layers) or "nothing but the identity"

    def scramble(self, points: Tensor, generator: torch.Generator) -> tuple[Tensor, Tensor]:
        """Apply a random element to each point; return the images (k, d) and the sheets (k, degree).

        Permutations, signs and rotations are uniform, the logarithms of scales standard normal.
        """
        folded = self.structure.fold(points)
        logs = [
            torch.randn(len(points), gauge.places[0].size, generator=generator, dtype=points.dtype)
            for gauge in gauges(self.structure)
        ]
        element = random_element(self.structure, points, generator)
        images = self.structure.unfold(act(self.structure, rescale(self.structure, folded, logs), element))
        matrices = frames.random_matrices(self.structure.frames, points, generator)
        return frames.act(self.structure.frames, images, matrices), self._sheets(element, matrices, points)

    def invariants(self, points: Tensor) -> Tensor:
        """Outputs of the network on up to 16 inputs, then lengths of the units of each layer: sorted, balanced.

        Returns
        -------
        Tensor (k, m)
            Half of the inputs are rows of the data, the others (where inputs are real numbers) are drawn around them.
        """
        folded, _ = balance(self.structure, self.structure.fold(points))
        columns = [self._outputs(points)]
        for units in self.structure.units:
            squares = torch.stack([place.of(folded).square().sum((1, 3)) for place in units.places]).sum(0)
            columns.append(squares.sqrt().sort(1).values)
        columns += [frames.lengths(frame, points) for frame in self.structure.frames if not frame.general]
        return torch.cat(columns, 1)

    def align(self, points: Tensor, references: Tensor) -> tuple[Tensor, Tensor]:
        """Move each point as near as can be found to the reference of the same row.

        Both are balanced, then matched by signed assignments layer by layer (with batch norms folded, so that their
        weights count otherwise); the image gets the scales of its reference; bases of linear
        units come from least squares. Exact up to rounding where the reference
        is an image of the point (with several layers: where the search finds it, see `match`); otherwise an upper
        bound of the distance between the two orbits.

        Returns
        -------
        images : Tensor (k, d)
        sheets : Tensor of int (k, degree)
        """
        matrices: list[Tensor] = []
        for chain in self.structure.chains():
            matrices += frames.align(chain, points, references)
        turned = frames.act(self.structure.frames, points, matrices)
        balanced, _ = balance(self.structure, self.structure.fold(turned))
        targets, logs = balance(self.structure, self.structure.fold(references))
        element = match(self.structure, balanced, targets)
        images = rescale(self.structure, act(self.structure, balanced, element), [-log for log in logs])
        return self.structure.unfold(images), self._sheets(element, matrices, points)

    def zero_modes(self, points: Tensor) -> Tensor:
        """Orthonormal tangents (k, z, d) of rescaling and of changes of basis; z is 0 where there are none."""
        bases = [frames.tangents(frame, points) for frame in self.structure.frames]
        return orthonormal(torch.cat([tangents(self.structure, points), *bases], 1))

    def canonical(self, points: Tensor) -> Tensor:
        """Return one representative (k, d) of the class of each point: balanced, flipped, sorted, dead units last.

        It jumps where two units tie or a sign is undecided, so that near points may get distant representatives:
        compare points by `align`, use this to print and to store.
        """
        for chain in self.structure.chains():
            points = frames.canonical(chain, points)
        return canonical(self.structure, points)

    def variants(self, point: Tensor) -> Tensor:
        """Points (m, d) made from one point (1, d), each of which some element leaves where it is.

        One unit is zero, where it has a sign, or a copy of another one of its layer, in every way. There the gradient
        lies in the subspace of all such points, so that descents never leave it: what is stationary in the subspace
        is stationary (R. S. Palais, The principle of symmetric criticality, Commun. Math. Phys. 69, 19, 1979).
        """
        return self.structure.unfold(fixed(self.structure, self.structure.fold(point)))

    def _sheets(self, element: Element, matrices: list[Tensor], points: Tensor) -> Tensor:
        own = torch.empty(len(points), 0, dtype=torch.int64)
        if self.structure.units:
            own = sheets(self.structure, element)
        return torch.cat([own, own.shape[1] + frames.sheets(matrices, len(points))], 1)

    def _outputs(self, points: Tensor) -> Tensor:
        """Outputs on the probe inputs, one row a point."""
        probes = _probes(self.network.inputs)
        if len(points) == 0:  # vmap needs a point to know the shape
            return self._outputs(torch.zeros(1, points.shape[1], dtype=points.dtype))[:0]

        def outputs(point: Tensor) -> Tensor:
            result = self.network.outputs(self.network.unflatten(point), probes)
            parts = result if isinstance(result, (tuple, list)) else (result,)
            return torch.cat([part.reshape(-1) for part in parts])

        with torch.no_grad():
            if self.network.vmap:
                values: Tensor = torch.vmap(outputs, chunk_size=256)(points)
                return values
            return torch.stack([outputs(point) for point in points])


def _probes(inputs: Tensor) -> Tensor:
    """Rows of the data and, for real inputs, others around them: few data do not tell functions apart."""
    rows = inputs[torch.linspace(0, len(inputs) - 1, min(len(inputs), PROBES // 2)).round().long()]
    if not inputs.is_floating_point():
        return rows
    generator = torch.Generator().manual_seed(0)
    drawn = torch.randn(PROBES - len(rows), *inputs.shape[1:], generator=generator, dtype=inputs.dtype)
    return torch.cat([rows, inputs.mean(0) + drawn * (inputs - inputs.mean(0)).square().mean(0).sqrt()])
