"""What is measured once of a network, its loss and its data, for all theorems to look at."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from tda_landscape._errors import InputError
from tda_landscape.certificates.losses import ConvexLoss, recognise
from tda_landscape.energy._network import Network
from tda_landscape.theory._activation import is_relu, polynomial_of
from tda_landscape.theory._chain import Activation, Chain, read_chain
from tda_landscape.theory._intrinsic import MARGIN, IntrinsicDimension, dimension_of

TOLERANCE = 1e-8
"""Of numerical ranks and of gaps between singular values, relative to the largest one."""

POINTS, REACH = 4001, 8.0
"""Points of [-8, 8] at which activations are looked at."""

JUMP = 1e-6
"""Difference, relative to 1 + the largest value, that is left between neighbors at a jump."""


@dataclass(frozen=True, slots=True)
class Rank:
    """A numerical rank: singular values above `TOLERANCE` times the largest, and bounds for what is near to it."""

    value: int
    lower: int
    upper: int

    def __str__(self) -> str:
        """The number, or the numbers between which it is not decided."""
        return str(self.value) if self.lower == self.upper else f"{self.lower} to {self.upper} (near the tolerance)"


@dataclass(frozen=True, slots=True, eq=False)
class Facts:
    """What the theorems ask.

    Attributes
    ----------
    chain : Chain
    outputs : int
        m, the number of outputs.
    loss_name : str
    loss : ConvexLoss or None
        The loss, where it was recognized as convex.
    convex : bool or None
    continuous : bool
        Whether no jump of an activation was seen.
    weight_decay : float
    regularized : bool
    inputs : Rank
        Of what the first layer sees, with ones where it has biases.
    dimension : IntrinsicDimension or None
        Of the hidden layer, where there is just one.
    """

    chain: Chain
    outputs: int
    loss_name: str
    loss: ConvexLoss | None
    convex: bool | None
    continuous: bool
    weight_decay: float
    regularized: bool
    inputs: Rank
    dimension: IntrinsicDimension | None

    @property
    def hidden(self) -> tuple[int, ...]:
        """Widths of the hidden layers."""
        return self.chain.widths[1:-1]

    @property
    def squared(self) -> bool:
        """Whether the loss is squared error."""
        return bool(getattr(self.loss, "quadratic", False))

    @property
    def relu(self) -> bool:
        """Whether every activation is ReLU."""
        return bool(self.hidden) and all(is_relu(a) for a in self.chain.activations)

    @property
    def quadratic(self) -> bool:
        """Whether every activation is a multiple of z^2."""
        found = [polynomial_of(a) for a in self.chain.activations]
        return bool(found) and all(c is not None and len(c) == 3 and c[:2] == (0.0, 0.0) for c in found)


def measure(network: Network) -> Facts:
    """Read the network and measure what the theorems ask; an InputError says why it is no chain of layers."""
    chain = read_chain(network)
    with torch.no_grad():
        outputs = network.module(network.inputs)
    loss = _recognised(network, outputs)
    augmented = torch.cat([chain.features, torch.ones_like(chain.features[:, :1])], dim=1)
    return Facts(
        chain=chain,
        outputs=chain.widths[-1],
        loss_name=getattr(network.loss, "__name__", type(network.loss).__name__),
        loss=loss,
        convex=True if loss is not None else _convex(network, outputs),
        continuous=not any(jumps(a) for a in chain.activations),
        weight_decay=network.weight_decay,
        regularized=network.regularizer is not None,
        inputs=rank_of(augmented if chain.biased[0] else chain.features),
        dimension=dimension_of(chain) if len(chain.widths) == 3 else None,
    )


def rank_of(matrix: Tensor) -> Rank:
    """The numerical rank, with what it is at 100 and at 1/100 of the tolerance."""
    values = torch.linalg.svdvals(matrix)
    counts = [int((values > t * values[0]).sum()) for t in (TOLERANCE, MARGIN * TOLERANCE, TOLERANCE / MARGIN)]
    return Rank(*counts)


def above(difference: float, size: float) -> bool | None:
    """Whether a difference of numbers of this size is positive; None near the tolerance."""
    if difference > MARGIN * TOLERANCE * size:
        return True
    return None if difference > TOLERANCE / MARGIN * size else False


def least_squares(facts: Facts, *, centered: bool) -> tuple[float, float, Tensor]:
    """The scale s of squared error, its minimum over all linear maps, and the singular values of what they fit.

    E = minimum + s |W' - M|^2 with W' the product of the layers in coordinates in which the data are white.
    """
    assert facts.loss is not None
    x, y = facts.chain.features, facts.loss.targets
    if facts.chain.biased[0] and not centered:
        x = torch.cat([x, torch.ones_like(x[:, :1])], dim=1)
    if centered:
        x, y = x - x.mean(0), y - y.mean(0)
    left, values, _ = torch.linalg.svd(x, full_matrices=False)
    fitted = left[:, values > TOLERANCE * values[0]].T @ y
    lowest = float(facts.loss.scale * (y.square().sum() - fitted.square().sum()).clamp(min=0))
    return float(facts.loss.scale), lowest, torch.linalg.svdvals(fitted)


def jumps(activation: Activation) -> bool:
    """Whether bisection of the steepest steps of an activation ends at a jump, or it is not finite somewhere."""
    z = torch.linspace(-REACH, REACH, POINTS, dtype=torch.float64)
    with torch.no_grad():
        f = activation(z[:, None])[:, 0]
        if not torch.isfinite(f).all():
            return True
        steep = f.diff().abs().topk(16).indices
        low, high = z[steep], z[steep + 1]
        for _ in range(30):
            middle = (low + high) / 2
            at_low, at_middle, at_high = activation(torch.stack([low, middle, high])[..., None])[..., 0]
            left = (at_middle - at_low).abs() >= (at_high - at_middle).abs()
            low, high = torch.where(left, low, middle), torch.where(left, middle, high)
        rest = activation(torch.stack([low, high])[..., None])[..., 0].diff(dim=0).abs().max()
    return bool(rest > JUMP * (1 + f.abs().max()))


def _recognised(network: Network, outputs: Tensor) -> ConvexLoss | None:
    """The loss as one of those that are known to be convex."""
    try:
        return recognise(network.loss, network.targets, outputs.shape)
    except InputError:
        return None


def _convex(network: Network, outputs: Tensor) -> bool | None:
    """False where two outputs have a middle above their mean; else None, since nothing shows that there are none."""
    generator = torch.Generator().manual_seed(0)
    for size in (0.1, 1.0, 10.0) * 20:
        noise = torch.randn(2, *outputs.shape, generator=generator, dtype=outputs.dtype)
        a, b = outputs + size * noise
        mean = (network.loss(a, network.targets) + network.loss(b, network.targets)) / 2
        if network.loss((a + b) / 2, network.targets) > mean + 1e-9 * (1 + mean.abs()):
            return False
    return None
