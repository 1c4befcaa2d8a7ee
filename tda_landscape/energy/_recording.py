"""Functions of a batch recorded once, as the plain torch operations they are made of, for any number of rows.

`vmap` and autograd pay for their bookkeeping in every call, which is most of the time of a small network. What they
do is recorded on 3 rows and on 5; the two recordings may differ in sizes alone, and these, affine in the number of
rows, are written as such. A recording runs the same operations in the same order.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import torch
from torch import Tensor
from torch.utils._pytree import tree_unflatten

from tda_landscape.energy._tape import Function, Slot, Step, Tape, Unrecordable

SIZES = 3, 5
"""Numbers of rows that are recorded: a batch of one may take a way of its own."""

aten = torch.ops.aten
SAME = {aten.detach.default, aten.alias.default, aten.lift_fresh.default}
RESHAPING = {aten.expand.default, aten.view.default, aten._unsafe_view.default}
DIRECT: dict[Any, Any] = {
    aten._unsafe_view.default: torch.Tensor.view,
    aten.add.Tensor: torch.add,
    aten.addmm.default: torch.addmm,
    aten.amax.default: torch.amax,
    aten.bmm.default: torch.bmm,
    aten.cat.default: torch.cat,
    aten.clone.default: torch.clone,
    aten.convolution.default: torch.convolution,
    aten.div.Scalar: torch.div,
    aten.div.Tensor: torch.div,
    aten.exp.default: torch.exp,
    aten.expand.default: torch.Tensor.expand,
    aten.gather.default: torch.gather,
    aten.log.default: torch.log,
    aten.mean.dim: torch.mean,
    aten.mm.default: torch.mm,
    aten.mul.Scalar: torch.mul,
    aten.mul.Tensor: torch.mul,
    aten.neg.default: torch.neg,
    aten.relu.default: torch.relu,
    aten.scatter_add.default: torch.scatter_add,
    aten.split_with_sizes.default: torch.split_with_sizes,
    aten.sub.Tensor: torch.sub,
    aten.sum.dim_IntList: torch.sum,
    aten.t.default: torch.t,
    aten.tanh.default: torch.tanh,
    aten.transpose.int: torch.transpose,
    aten.unsqueeze.default: torch.unsqueeze,
    aten.view.default: torch.Tensor.view,
}
"""The same operations by a shorter way: half the overhead of each."""


class Rows(NamedTuple):
    """A size that is `slope` times the number of rows, plus `offset`."""

    slope: int
    offset: int


def recorded(function: Function, examples: Callable[[int], Sequence[Tensor]], *, alone: bool = False) -> Function:
    """Record a function of batches for any number of rows, or for one row alone.

    ``examples(rows)`` gives inputs of so many rows. The recording checks nothing and branches nowhere.

    Raises
    ------
    Unrecordable
        What is done depends on values, or otherwise than in sizes on the number of rows.
    """
    tapes = [Tape(function, examples(rows)) for rows in ((1,) if alone else SIZES)]
    inputs, results = len(examples(1)), tapes[0].results
    recording = _written(_needed(_joined(tapes, shorter=True), results), results, inputs)
    if all(_repeats(recording, tape, inputs) for tape in tapes):
        return recording
    return _written(_needed(_joined(tapes, shorter=False), results), results, inputs)


def same_bits(a: Sequence[Tensor], b: Sequence[Tensor]) -> bool:
    """Whether two answers are the same numbers, NaN where the other is."""
    return all(
        torch.equal(x.isnan(), y.isnan()) and torch.equal(x.nan_to_num(), y.nan_to_num())
        for x, y in zip(a, b, strict=True)
    )


def same_numbers(a: Sequence[Tensor], b: Sequence[Tensor]) -> bool:
    """Whether two answers differ by rounding at most, relative to the largest number."""
    for x, y in zip(a, b, strict=True):
        loose = 1e-9 if x.dtype == torch.float64 else 1e-4
        scale = float(y[y.isfinite()].abs().max()) if bool(y.isfinite().any()) else 0.0
        if not torch.allclose(x, y, rtol=loose, atol=loose * scale, equal_nan=True):
            return False
    return True


def _repeats(recording: Function, tape: Tape, inputs: int) -> bool:
    """Whether a recording gives what was computed when it was made."""
    try:
        with torch.no_grad():
            answer = recording(*tape.tensors[:inputs])
    except RuntimeError:  # a view of a tensor whose strides are others than they were
        return False
    return same_bits(answer, [tape.tensors[slot] for slot in tape.results])


def _joined(tapes: list[Tape], *, shorter: bool) -> list[Step]:
    """One list of steps for all numbers of rows, without those that change nothing.

    A shorter one also leaves out what makes constants of constants, and what changes strides alone.
    """
    first, last = tapes[0], tapes[-1]
    if len(first.steps) != len(last.steps) or first.results != last.results:
        raise Unrecordable("what is done depends on the number of rows")
    shorter = shorter and not any(step.operation._schema.is_mutable for step in first.steps)
    stands_for: dict[Any, Any] = {}  # slots for which another one, or a constant, is as good
    steps = []
    for a, b in zip(first.steps, last.steps, strict=True):
        if a._replace(leaves=[]) != b._replace(leaves=[]) or len(a.leaves) != len(b.leaves):
            raise Unrecordable("what is done depends on the number of rows")
        leaves = [_leaf(x, y) for x, y in zip(a.leaves, b.leaves, strict=True)]
        leaves = [stands_for.get(x.number, x) if isinstance(x, Slot) else x for x in leaves]
        slot = a.results[0] if a.single and a.results[0] not in first.results else None
        if slot is not None and all(_idle(step, tape, shorter) for step, tape in ((a, first), (b, last))):
            stands_for[slot] = leaves[0]
        elif slot is not None and shorter and not any(isinstance(x, (Slot, Rows)) for x in leaves):
            stands_for[slot] = _leaf(first.tensors[slot], last.tensors[slot])
        else:
            steps.append(a._replace(leaves=leaves))
    return steps


def _leaf(x: Any, y: Any) -> Any:
    """An input of a step for any number of rows, from what it is for two of them."""
    if isinstance(x, Tensor):
        if x is y or (isinstance(y, Tensor) and x.dtype == y.dtype and torch.equal(x, y)):
            return x
    elif type(x) is type(y) and x == y:
        return x
    elif type(x) is int and type(y) is int:
        slope, rest = divmod(y - x, SIZES[1] - SIZES[0])
        if rest == 0:
            return Rows(slope, x - slope * SIZES[0])
    raise Unrecordable("a number depends on the number of rows")


def _idle(step: Step, tape: Tape, shorter: bool) -> bool:
    """Whether a step gives back what it was given: vmap leaves many of them."""
    if not step.leaves or not isinstance(step.leaves[0], Slot) or step.results[:1] == [None] or not step.single:
        return False
    if step.operation in SAME:
        return True
    x, y = tape.tensors[step.leaves[0].number], tape.tensors[step.results[0] or 0]
    if (x.shape, x.dtype) != (y.shape, y.dtype):
        return False
    factor = step.leaves[1] if len(step.leaves) == 2 else None
    times_one = step.operation in (aten.mul.Scalar, aten.mul.Tensor) and type(factor) in (int, float) and factor == 1
    if x.stride() == y.stride():
        return times_one or step.operation in RESHAPING
    return shorter and times_one and _any_strides(x, step.results[0], tape)


def _any_strides(x: Tensor, slot: int | None, tape: Tape) -> bool:
    """Whether a tensor is as good with other strides: what takes it goes number by number, or is a view it has."""
    for step in tape.steps:
        if Slot(slot or 0) in [leaf for leaf in step.leaves if isinstance(leaf, Slot)]:
            if step.operation in RESHAPING and step.results[0] is not None:
                try:
                    view = x.view(tape.tensors[step.results[0]].shape)
                except RuntimeError:
                    return False
                if not _any_strides(view, step.results[0], tape):
                    return False
            elif torch.Tag.pointwise not in step.operation.tags:
                return False
    return True


def _needed(steps: list[Step], results: list[int]) -> list[Step]:
    """Only the steps that the results need; what changes a tensor in place is kept."""
    needed, kept = set(results), []
    for step in reversed(steps):
        if step.operation._schema.is_mutable or needed.intersection(step.results):
            kept.append(step)
            needed |= {x.number for x in step.leaves if isinstance(x, Slot)}
    return kept[::-1]


def _written(steps: list[Step], results: list[int], inputs: int) -> Function:
    """The steps as one Python function; a tensor is let go after its last use, so that its memory is used again."""
    names: dict[str, Any] = {}
    last = {x.number: i for i, step in enumerate(steps) for x in step.leaves if isinstance(x, Slot)}
    lines = [f"def recording({', '.join(f't{i}' for i in range(inputs))}):", "    k = t0.shape[0]"]
    for i, step in enumerate(steps):
        names[f"f{i}"] = DIRECT.get(step.operation, step.operation)
        args, kwargs = tree_unflatten([_text(x, f"c{i}_{j}", names) for j, x in enumerate(step.leaves)], step.form)
        given = [_nested(x) for x in args] + [f"{name}={_nested(x)}" for name, x in kwargs.items()]
        to = ", ".join("_" if slot is None else f"t{slot}" for slot in step.results)
        lines.append(f"    {to}{'' if step.single else ','} = f{i}({', '.join(given)})")
        over = {x.number for x in step.leaves if isinstance(x, Slot) and last[x.number] == i}
        over |= {slot for slot in step.results if slot is not None and last.get(slot, -1) < i}
        if over := over.difference(results):
            lines.append("    del " + ", ".join(f"t{slot}" for slot in sorted(over)))
    lines.append("    return " + "".join(f"t{slot}, " for slot in results))
    exec(compile("\n".join(lines), "<recording>", "exec"), names)
    recording: Function = names["recording"]
    return recording


def _text(leaf: Any, name: str, names: dict[str, Any]) -> str:
    """A leaf as Python text; what has no text becomes a constant of the function."""
    if isinstance(leaf, Slot):
        return f"t{leaf.number}"
    if isinstance(leaf, Rows):
        return f"{leaf.slope} * k + {leaf.offset}"
    if leaf is None or type(leaf) in (int, bool):
        return repr(leaf)
    names[name] = leaf
    return name


def _nested(tree: Any) -> str:
    """A list or tuple of texts as one text."""
    return "[" + ", ".join(_nested(x) for x in tree) + "]" if isinstance(tree, (list, tuple)) else str(tree)
