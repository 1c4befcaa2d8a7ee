"""Moves of two neighboring linear layers, one at a time, that leave their product as it is.

A left factor (m, n) with n > m has a direction to spare, which nothing reads: the right factor may write there, and
then the left one may begin to read there. No rank is asked for, and nothing is divided by a singular value.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

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
    """Move orthonormal columns (n, m), n > m, to others: pairs of a left inverse and a frame, one changed at a time."""
    for step in turns(frame, target):
        left = step.left
        yield left, step.frame
        yield left, step.after
    yield target.T, target


@dataclass(frozen=True, slots=True)
class Turn:
    """One direction of a frame (n, m), given by coefficients (m,), is turned to a unit vector (n,).

    The new direction lies in the plane of the old one and one that the frame does not use; the others stay.
    """

    frame: Tensor
    which: Tensor
    new: Tensor

    @property
    def old(self) -> Tensor:
        """The direction before."""
        return self.frame @ self.which

    @property
    def after(self) -> Tensor:
        """The frame (n, m) after the turn."""
        return self.frame + torch.outer(self.new - self.old, self.which)

    @property
    def left(self) -> Tensor:
        """A left inverse (m, n) of the frame before and of the frame after."""
        both = (self.old + self.new) / (1 + self.old @ self.new)
        return self.frame.T + torch.outer(self.which, both - self.old)

    def at(self, t: Tensor) -> Tensor:
        """Orthonormal frames (k, n, m) on the way, at t (k,) in [0, 1]."""
        cosine = (self.old @ self.new).clamp(-1, 1)
        across = self.new - cosine * self.old
        angle = t * torch.atan2(across.norm(), cosine)
        moved = angle.cos()[:, None] * self.old + angle.sin()[:, None] * across / across.norm().clamp(min=1e-300)
        frames: Tensor = self.frame + (moved - self.old)[:, :, None] * self.which
        return frames


def turns(frame: Tensor, target: Tensor) -> Iterator[Turn]:
    """Turns that lead from orthonormal columns (n, m), n > m, to others, none by more than a right angle.

    Two for each column of the target: what the frame has in its direction is turned out of its way, then the column
    of the frame is turned into it. The direction to spare is what makes room.
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
            step = Turn(frame, inside / cosine, away / away.norm())
            yield step
            frame = step.after
        step = Turn(frame, identity[j], wanted)
        yield step
        frame = step.after


def _spare(frame: Tensor, wanted: Tensor) -> Tensor:
    """The unit vector orthogonal to the frame that is nearest to a wanted one."""
    basis = torch.linalg.svd(frame.T, full_matrices=True).Vh[frame.shape[1] :]
    share = basis @ wanted
    nearest: Tensor = share / share.norm() @ basis if share.norm() > SMALL else basis[0]
    return nearest
