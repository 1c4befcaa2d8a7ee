"""One hidden layer of squares with one output, p >= 2N + 1: any two points are joined below their maximum.

The output is x^T S x with S = sum_k u_k w_k w_k^T, where w_k has N entries, its bias among them. The bound 2N + 1 and
the path are derived here; Bruna's lecture has 3 N^2. Without a change of S, each u_k is brought to +1 or -1, and both
groups of units are rotated in themselves, each to the symmetric root of what it adds to S, in N units of its own. What
this leaves at zero changes sides for free. Then S moves on a straight line, and the two roots with it.
"""

from __future__ import annotations

import math
from collections.abc import Callable

import torch
from torch import Tensor

from tda_landscape.energy._network import Network
from tda_landscape.theory._chain import Chain
from tda_landscape.theory._construction import Construction, not_plain
from tda_landscape.theory._curve import Curve, Piece
from tda_landscape.theory._frames import Turn, turns

Put = Callable[[Tensor, Tensor], Tensor]
"""Output weights (..., p) and incoming weights with their biases (..., p, N) -> parameters; the last bias stays."""

PROBE = torch.tensor([1e-6, 1e-3, 0.1, 0.7, 1.0, 3.0, 20.0, 1e3, 1e6], dtype=torch.float64)
SAME = 1e-12  # relative


def refuses(chain: Chain, network: Network) -> str | None:
    """Name the hypothesis that does not hold."""
    if len(chain.activations) != 1:
        return f"there are {len(chain.activations)} hidden layers, not 1"
    if not _squares(chain):
        return f"the activation {chain.names[0]} is not the square"
    if chain.widths[2] != 1:
        return f"there are {chain.widths[2]} outputs, not 1"
    p, n = chain.widths[1], chain.widths[0] + chain.biased[0]
    if p < 2 * n + 1:
        return f"p = {p} hidden units are fewer than 2N + 1 = {2 * n + 1}"
    return not_plain(network)


def connect(chain: Chain, a: Tensor, b: Tensor, generator: torch.Generator) -> Curve:
    """Join two points: both to symmetric roots in fixed places, then on a straight line of quadratic forms."""
    (put_a, last_a), (put_b, last_b) = (_putter(chain, point) for point in (a, b))
    down, start = _ordered(*_read(chain, a), put_a)
    up, end = _ordered(*_read(chain, b), put_b)
    n = start.shape[1]
    places = [slice(0, n), slice(n, 2 * n)]

    def across(t: Tensor) -> Tensor:
        # sin^2 in place of t: the roots are then smooth at both ends
        out, into = (t * math.pi / 2).cos()[:, None, None], (t * math.pi / 2).sin()[:, None, None]
        roots = [_root(torch.cat([out * start[place], into * end[place]], 1)) for place in places]
        rows = torch.cat([*roots, roots[0].new_zeros(len(t), len(start) - 2 * n, n)], 1)
        last = None if last_a is None or last_b is None else torch.lerp(last_a, last_b, into[:, 0] ** 2)
        return _written(chain, _sides(len(start), n).expand(len(t), -1), rows, last)

    return down + Curve((across,)) + up.reversed()


QUADRATIC = Construction("networks with one hidden layer of squares", refuses, connect)


def _squares(chain: Chain) -> bool:
    """Whether the activation is z^2, tried from a millionth to a million."""
    z = torch.stack([PROBE, -PROBE])[:, :, None].expand(-1, -1, chain.widths[1]).flatten(0, 1)
    return bool(((chain.activations[0](z) - z**2).abs() <= SAME * z**2).all())


def _read(chain: Chain, point: Tensor) -> tuple[Tensor, Tensor]:
    """Output weights (p,) and incoming weights with their biases (p, N)."""
    (weight, bias), (out, _) = chain.layers(point)
    return out[0], weight if bias is None else torch.cat([weight, bias[:, None]], 1)


def _written(chain: Chain, u: Tensor, rows: Tensor, last: Tensor | None) -> Tensor:
    """Parameters (..., d)."""
    bias = rows[..., -1] if chain.biased[0] else None
    return chain.vector([(rows[..., : chain.widths[0]], bias), (u[..., None, :], last)])


def _putter(chain: Chain, point: Tensor) -> tuple[Put, Tensor | None]:
    """How weights become parameters beside the last bias of a point."""
    last = chain.layers(point)[1][1]
    return lambda u, rows: _written(chain, u, rows, last), last


def _sides(p: int, n: int) -> Tensor:
    """The signs (p,) that units have in the end: N of each, all others positive."""
    signs = torch.ones(p, dtype=torch.float64)
    signs[n : 2 * n] = -1
    return signs


def _root(rows: Tensor) -> Tensor:
    """The symmetric root (..., N, N) of rows^T rows, without forming it."""
    _, s, vh = torch.linalg.svd(rows, full_matrices=False)
    root: Tensor = (vh.mT * s[..., None, :]) @ vh
    return root


def _ordered(u: Tensor, rows: Tensor, put: Put) -> tuple[Curve, Tensor]:
    """Bring the units to their sides, those that are not zero to their roots; return the rows (p, N) in the end."""
    curve, signs, rows = _signed(u, rows, put)
    p, n = rows.shape
    wanted = _sides(p, n)
    while bool((signs != wanted).any()):
        # A group of N + 1 or more units leaves some at zero; among the units on the wrong side, if it can.
        side = next(s for s in (1.0, -1.0) if (signs == s).sum() > n and ((signs == s) & (wanted != s)).any())
        group = torch.nonzero(signs == side).flatten()
        group = torch.cat([group[wanted[group] == side], group[wanted[group] != side]])
        more, rows = _gather(signs, rows, group, put)
        moved = signs.clone()
        moved[group[n:]] = wanted[group[n:]]
        curve, signs = curve + more + Curve.through([put(signs, rows), put(moved, rows)]), moved
    places, spare = torch.arange(2 * n), torch.arange(2 * n, p)
    more, rows = _gather(wanted, rows, torch.cat([places[:n], spare]), put)
    lent = wanted.clone()
    lent[2 * n] = -1  # the rotation of N units alone could have determinant -1
    turned, rows_after = _gather(lent, rows, torch.cat([places[n:], spare[:1]]), put)
    lend = Curve.through([put(wanted, rows), put(lent, rows)])
    give_back = Curve.through([put(lent, rows_after), put(wanted, rows_after)])
    return curve + more + lend + turned + give_back, rows_after


def _signed(u: Tensor, rows: Tensor, put: Put) -> tuple[Curve, Tensor, Tensor]:
    """Bring output weights to +1 or -1; what is not read is put to zero first."""
    dead = u == 0
    cleared, filled = torch.where(dead[:, None], 0.0, rows), torch.where(dead, 1.0, u)
    straight = Curve.through([put(u, rows), put(u, cleared), put(filled, cleared)])
    signs, sizes = filled.sign(), filled.abs()

    def even_out(t: Tensor) -> Tensor:
        return put(signs * sizes ** (1 - t)[:, None], (sizes ** (t / 2)[:, None])[:, :, None] * cleared)

    return straight + Curve((even_out,)), signs, sizes.sqrt()[:, None] * cleared


def _gather(signs: Tensor, rows: Tensor, group: Tensor, put: Put) -> tuple[Curve, Tensor]:
    """Rotate a group of more than N units of one sign so that its first N are a symmetric root, all others zero."""
    n = rows.shape[1]
    u, s, vh = torch.linalg.svd(rows[group], full_matrices=False)
    target = torch.cat([vh.T, vh.new_zeros(len(group) - n, n)])

    def rotated(turn: Turn) -> Piece:
        def piece(t: Tensor) -> Tensor:
            moved = rows.repeat(len(t), 1, 1)
            moved[:, group] = turn.at(t) @ (s[:, None] * vh)
            return put(signs.expand(len(t), -1), moved)

        return piece

    after = rows.clone()
    after[group] = target @ (s[:, None] * vh)
    pieces = tuple(rotated(turn) for turn in turns(u, target))
    return Curve(pieces) if pieces else Curve.through([put(signs, rows), put(signs, after)]), after
