"""Two linear layers with weight decay, wider than input or output: any two points are joined below their maximum.

Freeman and Bruna, Topology and geometry of half-rectified network optimization, ICLR 2017, Proposition 2.2, part 2, for
any loss that is convex in the outputs; the path is derived here. Let the weights be A and B, their product P = AB.
At either end |A|^2 + |B|^2 is brought down to twice the nuclear norm of P without a change of P; that norm is convex,
so that between these balanced factors P can move on a straight line.

On the way down, A A^T moves on a straight line N(t) to (P P^T)^(1/2), with A = N^(1/2), B = N^(-1/2) P up to a rotation
of the hidden units: tr N + tr(P^T N^-1 P) is convex in N, and is least at the end. Neither power is formed. With
X = [(1-t)^(1/2) A_0, t^(1/2) A_1] = U S V^T and Z = [(1-t)^(1/2) B_0; t^(1/2) B_1] we have N = X X^T and P = X Z, so
that the factors are U S U^T and U V^T Z.
"""

from __future__ import annotations

import math
from collections.abc import Callable

import torch
from torch import Tensor

from tda_landscape.energy._network import Network
from tda_landscape.theory._chain import Chain
from tda_landscape.theory._construction import Construction, not_convex, not_linear
from tda_landscape.theory._curve import Curve, Piece
from tda_landscape.theory._frames import turns
from tda_landscape.theory._loosen import NEGLIGIBLE

Write = Callable[[Tensor, Tensor], Tensor]
"""Left (..., m, n) and right factor (..., n, c) -> parameter vectors (..., d); the last bias stays."""


def refuses(chain: Chain, network: Network) -> str | None:
    """Name the hypothesis that does not hold."""
    if not chain.linear or len(chain.widths) != 3:
        return not_linear(chain) or f"there are {len(chain.widths) - 1} layers, not 2"
    if not network.weight_decay > 0:
        return f"weight_decay = {network.weight_decay:g} is not positive"
    inputs, hidden, outputs = chain.widths
    least, extra = min(inputs + chain.biased[0], outputs), " + 1" if chain.biased[0] else ""
    narrow = f"n_1 = {hidden} is not above min(n_0{extra}, n_2) = {least}" if hidden <= least else None
    return narrow or not_convex(network)


def connect(chain: Chain, a: Tensor, b: Tensor, generator: torch.Generator) -> Curve:
    """Join two points: both to balanced factors in symmetric form, then on a straight line of products."""
    (left_a, right_a, bias_a), (left_b, right_b, bias_b) = _factors(chain, a), _factors(chain, b)
    down = _balance(left_a, right_a, _writer(chain, bias_a))
    up = _balance(left_b, right_b, _writer(chain, bias_b))
    start, end = left_a @ right_a, left_b @ right_b
    hidden = left_a.shape[1]

    def across(t: Tensor) -> Tensor:
        left, right = _halves(start + t[:, None, None] * (end - start))
        bias = None if bias_a is None or bias_b is None else torch.lerp(bias_a, bias_b, t[:, None])
        return _writer(chain, bias)(*_padded(left, right, hidden))

    return down + Curve((across,)) + up.reversed()


RIDGE = Construction("two linear layers with weight decay", refuses, connect)


def _upright(chain: Chain) -> bool:
    """Whether the output is no wider than the input with its bias."""
    return chain.widths[2] <= chain.widths[0] + chain.biased[0]


def _factors(chain: Chain, point: Tensor) -> tuple[Tensor, Tensor, Tensor | None]:
    """Left factor (m, n) with n > m, right factor (n, c), and the last bias; transposed where the input is narrower."""
    (first, bias), (second, last) = chain.layers(point)
    right = first if bias is None else torch.cat([first, bias[:, None]], 1)
    return (second, right, last) if _upright(chain) else (right.T, second.T, last)


def _writer(chain: Chain, last: Tensor | None) -> Write:
    """How factors become parameters."""

    def write(left: Tensor, right: Tensor) -> Tensor:
        second, first = (left, right) if _upright(chain) else (right.mT, left.mT)
        bias = first[..., -1] if chain.biased[0] else None
        return chain.vector([(first[..., : chain.widths[0]], bias), (second, last)])

    return write


def _balance(left: Tensor, right: Tensor, write: Write) -> Curve:
    """Bring |left|^2 + |right|^2 down to its least value without a change of the product, then to symmetric form."""
    m, n = left.shape
    u, strengths, vh = torch.linalg.svd(left, full_matrices=True)
    frame = vh[:m].T
    kept = strengths > NEGLIGIBLE * strengths.max().clamp(min=1e-300)
    written = kept[:, None] * (vh[:m] @ right)
    read = u * (kept * strengths)
    straight = [write(left, right), write(left, frame @ written), write(read @ frame.T, frame @ written)]
    target = torch.cat([u, u.new_zeros(n - m, m)])

    def turned(piece: Callable[[Tensor], Tensor]) -> Piece:
        return lambda t: write(read @ piece(t).mT, piece(t) @ written)

    bent: list[Piece] = [turned(step.at) for step in turns(frame, target)]
    inside, goal = u[:, kept], _halves(left @ right)

    def level(t: Tensor) -> Tensor:
        # sin^2 in place of t: the root of the energy's straight line is then smooth at both ends
        out, into = (t * math.pi / 2).cos()[:, None, None], (t * math.pi / 2).sin()[:, None, None]
        x = torch.cat([out * torch.diag(strengths[kept]), into * (inside.T @ goal[0])], 2)
        z = torch.cat([out * written[kept], into * goal[1]], 1)
        p, s, qh = torch.linalg.svd(x, full_matrices=False)
        root, other = (p * s[:, None]) @ p.mT, p @ qh @ z
        return write(*_padded(inside @ root @ inside.T, inside @ other, n))

    return Curve((*Curve.through(straight).pieces, *bent, level))


def _halves(products: Tensor) -> tuple[Tensor, Tensor]:
    """U S^(1/2) U^T and U S^(1/2) V^T of P = U S V^T (..., m, c): continuous in P, unlike U and V."""
    u, s, vh = torch.linalg.svd(products, full_matrices=False)
    root = u * s.sqrt()[..., None, :]
    return root @ u.mT, root @ vh


def _padded(left: Tensor, right: Tensor, hidden: int) -> tuple[Tensor, Tensor]:
    """Factors through m units as factors through more, the others unused."""
    more = hidden - left.shape[-1]
    pad = torch.nn.functional.pad
    return pad(left, (0, more)), pad(right, (0, 0, 0, more))
