"""Frames: the units between two linear layers in any basis, GL(n), or under weight decay O(n)."""

from __future__ import annotations

from collections.abc import Iterator

import torch
from torch import Tensor

from tda_landscape.energy.symmetry._units import Frame, Place

MOST = 1024
"""Numbers in the matrices of one linear chain up to which they are looked for all together."""

SWEEPS = 1000
EVEN = 1e-14
"""What makes and what reads the units may differ by so much, relative to the squared length of all weights."""

ROUNDS = 10
"""Of rotations of one frame after the other."""

ZERO = 1e-12
"""Singular values of the equations, relative to the largest, that count as zero: rounding."""


def turn(frame: Frame, points: Tensor, matrices: Tensor) -> Tensor:
    """Points (k, d) in another basis: G (k, n, n) acts on what makes the units, its inverse on what reads them."""
    turned = points.clone()
    inverse = torch.linalg.inv(matrices).mT if frame.general else matrices
    for place in frame.places:
        view = place.of(turned)
        view.copy_(torch.einsum("kij,kbja->kbia", matrices if place.incoming else inverse, view))
    return turned


def act(frames: tuple[Frame, ...], points: Tensor, matrices: list[Tensor]) -> Tensor:
    """All frames one after the other: they act on axes of their own."""
    for frame, own in zip(frames, matrices, strict=True):
        points = turn(frame, points, own)
    return points


def sheets(matrices: list[Tensor], count: int) -> Tensor:
    """Sheets (count, 2 a frame): two things that change places where the determinant is negative."""
    columns = [torch.empty(count, 0, dtype=torch.int64)]
    for number, own in enumerate(matrices):
        flipped = torch.where(torch.linalg.det(own)[:, None] < 0, torch.tensor([1, 0]), torch.tensor([0, 1]))
        columns.append(2 * number + flipped)
    return torch.cat(columns, 1)


def random_matrices(frames: tuple[Frame, ...], points: Tensor, generator: torch.Generator) -> list[Tensor]:
    """Orthogonal matrices, and for general frames Q exp(D) Q' with a standard normal diagonal D."""
    found = []
    for frame in frames:
        draw = torch.randn(2, len(points), frame.size, frame.size, generator=generator, dtype=points.dtype)
        q, r = torch.linalg.qr(draw)
        # Householder's Q always has the same determinant; with positive R it is uniform, reflections included.
        left, right = q * torch.where(r.diagonal(dim1=-2, dim2=-1) < 0, -1.0, 1.0)[..., None, :].to(q.dtype)
        logs = torch.randn(len(points), frame.size, 1, generator=generator, dtype=points.dtype)
        found.append(left @ (logs.exp() * right) if frame.general else left)
    return found


def tangents(frame: Frame, points: Tensor) -> Tensor:
    """Derivatives by each entry of the matrix, or by each rotation in a plane, (k, z, d)."""
    n, rows = frame.size, []
    for i in range(n):
        for j in range(n if frame.general else i):
            row = torch.zeros_like(points)
            for place in frame.places:
                to, of = place.of(row), place.of(points)
                sign = 1.0 if place.incoming else -1.0
                a, b = (i, j) if place.incoming else (j, i)
                to[:, :, a] += sign * of[:, :, b]
                if not frame.general:
                    to[:, :, b] -= sign * of[:, :, a]
            rows.append(row)
    return torch.stack(rows, 1) if rows else points.new_zeros(len(points), 0, points.shape[1])


def align(chain: tuple[Frame, ...], points: Tensor, references: Tensor) -> list[Tensor]:
    """Matrices that bring points (k, d) near their references: exactly, where these are images of them."""
    still = [torch.eye(f.size, dtype=points.dtype).repeat(len(points), 1, 1) for f in chain]
    if len(points) == 0:
        return still
    tries = [_solve(chain, points, references)] if chain[0].general else _rotations(chain, points, references)
    best, least = still, (points - references).norm(dim=1)
    for matrices in tries:
        distance = (act(chain, points, matrices) - references).norm(dim=1)
        better = distance < least  # never where it is NaN
        least = torch.where(better, distance, least)
        best = [torch.where(better[:, None, None], new, old) for new, old in zip(matrices, best, strict=True)]
    return best


def canonical(chain: tuple[Frame, ...], points: Tensor) -> Tensor:
    """Balance, turn to the axes of the units' weights, longest first, and flip by a fixed generic function.

    Balancing is the singular value decomposition of what the units pass on; it drops weights that are read by
    zeros alone, or made by zeros alone, since these can be made as short as one likes.
    """
    points = points.clone()
    if chain[0].general:
        _balance(chain, points)
    return act(chain, points, _axes(chain, points))


def _axes(chain: tuple[Frame, ...], points: Tensor) -> list[Tensor]:
    """Orthogonal matrices to the axes of all weights of the units, and signs by a fixed generic function."""
    found = []
    for frame in chain:  # rotations of the other frames leave these axes as they are
        rows = _rows(frame, points)
        found.append(torch.linalg.eigh(rows @ rows.mT)[1].flip(2).mT)
    turned = act(chain, points, found)
    for number, frame in enumerate(chain):
        open_ = {p.start for later in chain[number + 1 :] for p in later.places}
        settled = [p for p in frame.places if p.start not in open_] or list(frame.places)
        signs = torch.where(_generic(settled, turned) < 0, -1.0, 1.0).to(points.dtype)
        turned = turn(frame, turned, torch.diag_embed(signs))
        found[number] = signs[..., None] * found[number]
    return found


def lengths(frame: Frame, points: Tensor) -> Tensor:
    """Singular values of all weights of the units, (k, n): invariants of the orthogonal group."""
    rows = _rows(frame, points)
    values: Tensor = torch.linalg.eigvalsh(rows @ rows.mT).clamp(min=0).sqrt()
    return values


def _rows(frame: Frame, points: Tensor, incoming: bool | None = None) -> Tensor:
    """The weights of each unit, (k, n, m): all, or those that make or read it."""
    chosen = [p.rows(points) for p in frame.places if incoming is None or p.incoming == incoming]
    return torch.cat(chosen, 2) if chosen else points.new_zeros(len(points), frame.size, 0)


def _write(frame: Frame, points: Tensor, rows: Tensor, incoming: bool) -> None:
    """Put rows back where `_rows` took them from."""
    places = [p for p in frame.places if p.incoming == incoming]
    for place, part in zip(places, rows.split([p.before * p.after for p in places], 2), strict=True):
        place.of(points).copy_(part.unflatten(2, (place.before, place.after)).transpose(1, 2))


def _balance(chain: tuple[Frame, ...], points: Tensor) -> None:
    """In place: the shortest weights that pass on the same (the closed orbit; Kempf and Ness 1979)."""
    for _ in range(SWEEPS if len(points) else 0):
        uneven = 0.0
        for frame in chain:
            made, read = _rows(frame, points, True), _rows(frame, points, False)
            size = points.square().sum(1).clamp(min=1e-300)
            uneven = max(uneven, float(((made @ made.mT - read @ read.mT).norm(dim=(1, 2)) / size).max()))
            left, values, right = torch.linalg.svd(read.mT @ made, full_matrices=False)
            roots = values[:, : frame.size].sqrt()
            for part, rows, incoming in ((right.mT, made, True), (left, read, False)):
                new = torch.zeros_like(rows)
                new[:, : roots.shape[1]] = (part[:, :, : frame.size] * roots[:, None]).mT
                _write(frame, points, new, incoming)
        if len(chain) == 1 or uneven <= EVEN:
            break


def _solve(chain: tuple[Frame, ...], points: Tensor, references: Tensor) -> list[Tensor]:
    """Least squares of G_f W - W' G_g = 0 over all parameters W of the chain: linear in all matrices together.

    Of many solutions the one nearest to the identity.
    """
    sizes = [f.size**2 for f in chain]
    unit = torch.eye(sum(sizes), dtype=points.dtype)

    def residual(vector: Tensor, point: Tensor, reference: Tensor) -> Tensor:
        parts = vector.split(sizes)
        matrices = [part.view(f.size, f.size) for part, f in zip(parts, chain, strict=True)]
        made, read = point[None], reference[None]
        for frame, own in zip(chain, matrices, strict=True):
            for place in frame.places:
                if place.incoming:
                    made = _multiplied(place, made, own)
                else:
                    read = _multiplied(place, read, own.mT)
        return torch.where(_held(chain, point), made - read, 0.0)[0]

    start = torch.cat([torch.eye(f.size, dtype=points.dtype).flatten() for f in chain])
    zero = torch.zeros_like(start)

    def equations(point: Tensor, reference: Tensor) -> tuple[Tensor, Tensor]:
        constant = residual(zero, point, reference)
        columns = torch.vmap(lambda v: residual(v, point, reference))(unit) - constant
        return columns.mT, constant + columns.mT @ start

    left, right = torch.vmap(equations, chunk_size=16)(points, references)
    change = torch.linalg.lstsq(left, -right[..., None], rcond=ZERO, driver="gelsd").solution[..., 0]
    parts = (start + change).split(sizes, 1)
    return [part.unflatten(1, (f.size, f.size)) for part, f in zip(parts, chain, strict=True)]


def _multiplied(place: Place, points: Tensor, matrix: Tensor) -> Tensor:
    """One place of a point (1, d) multiplied by a matrix, not in place."""
    stop = place.start + place.before * place.size * place.after
    product = torch.einsum("ij,kbja->kbia", matrix, place.of(points)).flatten(1)
    return torch.cat([points[:, : place.start], product, points[:, stop:]], 1)


def _held(chain: tuple[Frame, ...], point: Tensor) -> Tensor:
    """Which coordinates (d,) belong to the chain."""
    held = torch.zeros(point.shape[0], dtype=torch.bool)
    for place in (p for frame in chain for p in frame.places):
        held[place.start : place.start + place.before * place.size * place.after] = True
    return held


def _rotations(chain: tuple[Frame, ...], points: Tensor, references: Tensor) -> Iterator[list[Tensor]]:
    """Orthogonal matrices frame by frame (Procrustes) until little changes, from the axes of both and from the point.

    With one frame the first start is the best of all; with more, each is improved given the others.
    """
    axes = [there.mT @ here for here, there in zip(_axes(chain, points), _axes(chain, references), strict=True)]
    still = [torch.eye(f.size, dtype=points.dtype).repeat(len(points), 1, 1) for f in chain]
    for matrices in (axes, still):
        images = act(chain, points, matrices)
        for _ in range(ROUNDS):
            for index, frame in enumerate(chain):
                table = _rows(frame, references) @ _rows(frame, images).mT
                left, _, right = torch.linalg.svd(table)
                images = turn(frame, images, left @ right)
                matrices[index] = left @ right @ matrices[index]
        yield matrices


def _generic(places: list[Place], points: Tensor) -> Tensor:
    """A fixed generic linear function of each unit's weights, (k, size)."""
    total = points.new_zeros(len(points), places[0].size)
    for place in places:
        rows = place.rows(points)
        generator = torch.Generator().manual_seed(place.start)
        total += rows @ torch.randn(rows.shape[2], generator=generator, dtype=points.dtype)
    return total
