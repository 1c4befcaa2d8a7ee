"""Moves of two neighboring linear layers, one at a time, that leave their product as it is.

A left factor (m, n) with n > m has a direction to spare, which nothing reads: the right factor may write there, and
then the left one may begin to read there. No rank is asked for, and nothing is divided by a singular value.
"""

from __future__ import annotations

from collections.abc import Iterator

import torch
from torch import Tensor

SMALL = 1e-14  # cosine below which two unit vectors are orthogonal


def to_frame(left: Tensor, right: Tensor) -> Iterator[tuple[Tensor, Tensor]]:
    """Move a product left (m, n) times right (n, c) until the rows of the left factor are orthonormal.

    Each singular direction is copied to a spare one: the left factor begins to read there with strength 1, the right
    factor moves over what it writes, times the singular value, and the old direction is the spare one of the next.
    """
    u, strengths, vh = torch.linalg.svd(left, full_matrices=True)
    m = len(left)
    frame, spare, written = vh[:m].T.clone(), vh[m:].T, vh[:m] @ right
    yield left, frame @ written
    for part in torch.arange(m).split(spare.shape[1]):
        old, new = frame[:, part].clone(), spare[:, : len(part)]
        both = (u * strengths) @ frame.T + u[:, part] @ new.T
        yield both, frame @ written
        frame[:, part], written[part] = new, strengths[part, None] * written[part]
        yield both, frame @ written
        strengths[part], spare = 1.0, torch.cat([old, spare[:, len(part) :]], 1)
    yield u @ frame.T, frame @ written


def turn(frame: Tensor, target: Tensor) -> Iterator[tuple[Tensor, Tensor]]:
    """Move orthonormal columns (n, m), n > m, to others: pairs of a left inverse and a frame, one changed at a time.

    Twice for each column of the target: what the frame has in its direction is turned out of its way, then the
    column of the frame is turned into it. The spare direction is what makes room.
    """
    identity = torch.eye(frame.shape[1], dtype=frame.dtype)
    for j, wanted in enumerate(target.T):
        inside = frame.T @ wanted
        if inside[j] > 1 - SMALL:
            continue
        cosine = inside.norm()
        if cosine > SMALL:
            spare = _spare(frame, wanted)
            away = (wanted @ spare) * (frame @ inside / cosine) - cosine * spare
            mid, frame = _step(frame, inside / cosine, away / away.norm())
            yield from mid
        mid, frame = _step(frame, identity[j], wanted)
        yield from mid
    yield target.T, target


def _spare(frame: Tensor, wanted: Tensor) -> Tensor:
    """The unit vector orthogonal to the frame that is nearest to a wanted one."""
    basis = torch.linalg.svd(frame.T, full_matrices=True).Vh[frame.shape[1] :]
    share = basis @ wanted
    nearest: Tensor = share / share.norm() @ basis if share.norm() > SMALL else basis[0]
    return nearest


def _step(frame: Tensor, which: Tensor, new: Tensor) -> tuple[list[tuple[Tensor, Tensor]], Tensor]:
    """Turn one direction of the frame, given by coefficients (m,), to a unit vector of it and spare ones."""
    old = frame @ which
    both = (old + new) / (1 + old @ new)  # inverse to the old direction and to the new one
    left = frame.T + torch.outer(which, both - old)
    after = frame + torch.outer(new - old, which)
    return [(left, frame), (left, after)], after
