"""Layers made orthonormal, also without a direction to spare, and without a change of their product."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor

from tda_landscape.theory._curve import Curve, Piece
from tda_landscape.theory._frames import to_frame

NEGLIGIBLE = 1e-14
"""Singular values of a factor below this share of its largest one count as zero, like what they are multiplied by."""

Put = Callable[[Tensor, Tensor], Tensor]
"""Left (..., m, n) and right factor (..., n, c) -> parameter vectors (..., d), affine in each of the two."""

Write = Callable[[list[Tensor]], Tensor]
"""Weights (..., out, in), first layer first -> parameter vectors (..., d)."""


def stretch(left: Tensor, right: Tensor, put: Put) -> tuple[tuple[Piece, ...], Tensor, Tensor]:
    """Move left (m, n) times right (n, c) until the singular values of the left factor are 1.

    Each singular value s becomes s^(1-t), and what is multiplied by it s^t times as large: their product stays.
    """
    u, strengths, vh = torch.linalg.svd(left, full_matrices=False)
    kept = strengths > NEGLIGIBLE * strengths.max().clamp(min=1e-300)
    written = kept[:, None] * (vh @ right)
    strengths = torch.where(kept, strengths, 1.0)
    nodes = [put(left, right), put(left, vh.T @ written), put((u * strengths) @ vh, vh.T @ written)]

    def even_out(t: Tensor) -> Tensor:
        read = u * (strengths ** (1 - t)[:, None])[:, None, :]
        return put(read @ vh, vh.T @ ((strengths ** t[:, None])[:, :, None] * written))

    return (*Curve.through(nodes).pieces, even_out), u @ vh, vh.T @ (strengths[:, None] * written)


def loosen(blocks: list[Tensor], write: Write) -> tuple[tuple[Piece, ...], list[Tensor]]:
    """Make the product of all layers but the first (r, n_1) orthonormal, where no layer is narrower than the last.

    Then the first layer alone moves the product of all of them anywhere. Wider layers take straight moves only.
    """
    pieces: tuple[Piece, ...] = ()
    above = torch.eye(len(blocks[-1]) if blocks else 0, dtype=torch.float64)
    for k in range(len(blocks) - 2, -1, -1):
        put, left, right = _putter(blocks, k, above, write), above.T @ blocks[k + 1], blocks[k]
        if left.shape[1] > left.shape[0]:
            moves = list(to_frame(left, right))
            more, (left, right) = Curve.through([put(left, right), *(put(*move) for move in moves)]).pieces, moves[-1]
        else:
            more, left, right = stretch(left, right, put)
        pieces += more
        blocks = _replaced(blocks, k, above @ left, right)
        above = left.T
    return pieces, blocks


def _putter(blocks: list[Tensor], k: int, above: Tensor, write: Write) -> Put:
    """Put factors of layers k and k + 1 into all parameters."""
    return lambda left, right: write(_replaced(blocks, k, above @ left, right))


def _replaced(blocks: list[Tensor], k: int, upper: Tensor, lower: Tensor) -> list[Tensor]:
    return [*blocks[:k], lower, upper, *blocks[k + 2 :]]
