"""Deep linear networks, wider than input or output: any two points are joined below their maximum.

Freeman and Bruna, Topology and geometry of half-rectified network optimization, ICLR 2017, Proposition 2.2, for any
loss that is convex in the outputs; the path is derived here. It is a polyline: every piece but one leaves the outputs
as they are, and along that one they are linear, so that a convex loss is highest at one of its ends.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import torch
from torch import Tensor

from tda_landscape.energy._network import Network
from tda_landscape.theory._chain import Chain, Layer
from tda_landscape.theory._construction import Construction, not_linear, not_plain
from tda_landscape.theory._curve import Curve
from tda_landscape.theory._frames import to_frame, turn

Blocks = list[Tensor]
"""One matrix a layer, first layer first: the weight, and beside it the bias as one more column."""

Writer = Callable[[Blocks], Tensor]


def refuses(chain: Chain, network: Network) -> str | None:
    """Name the hypothesis that does not hold."""
    return not_linear(chain) or not_plain(network) or _too_narrow(chain)


def connect(chain: Chain, a: Tensor, b: Tensor, generator: torch.Generator) -> Curve:
    """Join two points: orthonormal left factors, those of `a` turned into those of `b`, then one convex move."""
    read = _upright if _upright_fits(chain) else _transposed
    (lead_a, blocks_a, write_a), (lead_b, blocks_b, write_b) = read(chain, a), read(chain, b)
    down, frames = _to_frames(blocks_a)
    up, targets = _to_frames(blocks_b)
    down += _turned(down[-1], frames, targets)
    points = lead_a + [write_a(blocks) for blocks in down]
    back = lead_b + [write_b(blocks) for blocks in up]
    return Curve.through(points + back[::-1])


DEEP_LINEAR = Construction("linear networks", refuses, connect)


def fold_biases(layers: Sequence[Layer]) -> tuple[list[Tensor | None], Tensor | None]:
    """Biases of the hidden layers as zeros, and the last bias that has taken up what they did."""
    total: Tensor | None = None  # what the biases so far add to the present layer
    for weight, bias in layers:
        total = bias if total is None else weight @ total + (0 if bias is None else bias)
    return [None if bias is None else torch.zeros_like(bias) for _, bias in layers[:-1]], total


def _upright_fits(chain: Chain) -> bool:
    """Whether all hidden layers are wider than the output."""
    return all(n > chain.widths[-1] for n in chain.widths[1:-1])


def _too_narrow(chain: Chain) -> str | None:
    """The first hidden layer without a direction to spare."""
    hidden, inputs, outputs = chain.widths[1:-1], chain.widths[0], chain.widths[-1]
    least = min(inputs, outputs)
    for k, n in enumerate(hidden, start=1):
        if n <= least:
            return f"n_{k} = {n} is not above min(n_0, n_{len(hidden) + 1}) = {least}"
    if not _upright_fits(chain) and any(chain.biased[:-1]) and not chain.biased[-1]:
        k = next(k for k, n in enumerate(hidden, start=1) if n <= outputs)
        return (
            f"n_{k} = {hidden[k - 1]} is not above n_{len(hidden) + 1} = {outputs}, and without a bias in the last "
            "layer those of the hidden layers are in the way"
        )
    return None


def _upright(chain: Chain, point: Tensor) -> tuple[list[Tensor], Blocks, Writer]:
    """Biases ride along as columns: what is spare to the weights above is spare to them too."""

    def write(blocks: Blocks) -> Tensor:
        parts = [m.split([n, m.shape[1] - n], 1) for m, n in zip(blocks, chain.widths, strict=False)]
        return chain.vector(
            [(w, b[:, 0] if biased else None) for (w, b), biased in zip(parts, chain.biased, strict=True)]
        )

    layers = chain.layers(point)
    return [point], [w if b is None else torch.cat([w, b[:, None]], 1) for w, b in layers], write


def _transposed(chain: Chain, point: Tensor) -> tuple[list[Tensor], Blocks, Writer]:
    """The network read from its outputs, after the last bias has taken up those of the hidden layers."""
    layers = chain.layers(point)
    hidden, total = fold_biases(layers)

    def write(blocks: Blocks) -> Tensor:
        return chain.vector([(m.T, b) for m, b in zip(reversed(blocks), [*hidden, total], strict=True)])

    return [point], [w.T for w, _ in reversed(layers)], write


def _to_frames(blocks: Blocks) -> tuple[list[Blocks], list[Tensor]]:
    """Make the product of all layers above orthonormal at each hidden layer, from the top; return those frames too."""
    nodes: list[Blocks] = [blocks]
    frames: list[Tensor] = []
    above, left = torch.eye(len(blocks[-1]), dtype=blocks[-1].dtype), _weight(blocks, len(blocks) - 1)
    for k in range(len(blocks) - 2, -1, -1):
        for left, right in to_frame(left, blocks[k]):  # noqa: B020
            nodes.append(_replaced(nodes[-1], k, above @ left, right))
        above = left.T
        frames.insert(0, above)
        left = left @ _weight(nodes[-1], k)
    return nodes, frames


def _turned(blocks: Blocks, frames: Sequence[Tensor], targets: Sequence[Tensor]) -> list[Blocks]:
    """Turn the frame of each hidden layer into that of the other point, from the top."""
    nodes = [blocks]
    above = torch.eye(len(blocks[-1]), dtype=blocks[-1].dtype)
    for k in range(len(frames) - 1, -1, -1):
        written = frames[k].T @ nodes[-1][k]
        for left, frame in turn(frames[k], targets[k]):
            nodes.append(_replaced(nodes[-1], k, above @ left, frame @ written))
        above = targets[k]
    return nodes[1:]


def _weight(blocks: Blocks, k: int) -> Tensor:
    """The weight of layer k without its bias."""
    return blocks[k][:, : len(blocks[k - 1])] if k else blocks[k]


def _replaced(blocks: Blocks, k: int, left: Tensor, right: Tensor) -> Blocks:
    """Layers k and k + 1 anew; the bias of the upper one stays."""
    upper = torch.cat([left, blocks[k + 1][:, left.shape[1] :]], 1)
    return [*blocks[:k], right, upper, *blocks[k + 2 :]]
