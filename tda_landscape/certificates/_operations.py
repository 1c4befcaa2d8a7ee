"""Which rule each function, operator and tensor method in a forward has."""

from __future__ import annotations

import operator
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import torch
from torch.nn import functional

from tda_landscape._errors import InputError
from tda_landscape.certificates._layers import average_pool, flatten, gelu, leaky, max_pool, require, soft_plus
from tda_landscape.certificates.rules import Rule
from tda_landscape.certificates.rules._functions import SIGMOID, SILU, TANH
from tda_landscape.certificates.rules.arithmetic import Add, Multiply, Scale
from tda_landscape.certificates.rules.relu import Relu
from tda_landscape.certificates.rules.reshaping import Average, Rearrange
from tda_landscape.certificates.rules.smooth import Smooth


@dataclass(frozen=True, slots=True)
class Rows:
    """The sizes of a tensor, or the first of them."""


@dataclass(frozen=True, slots=True)
class Call:
    """One call in a forward: arguments are numbers of steps where `is_node`, else plain values."""

    name: str
    arguments: list[Any]
    is_node: list[bool]
    options: dict[str, Any]

    def option(self, name: str, place: int, default: Any) -> Any:
        """An argument by name or by place."""
        return self.arguments[place] if len(self.arguments) > place else self.options.get(name, default)


Answer = tuple[Rule, tuple[int, ...]] | Rows
Operation = Callable[[Call], Answer]


def one(rule: Rule) -> Operation:
    """An operation of one tensor without options."""
    return lambda call: (rule, (call.arguments[0],))


def sum_(call: Call) -> Answer:
    """The sum of two tensors, or of a tensor and a number."""
    a, b = call.arguments[:2]
    require(call.options.get("alpha", 1) == 1, call.name, "with alpha")
    if all(call.is_node[:2]):
        return Add(), (a, b)
    return (Scale(1.0, float(b)), (a,)) if call.is_node[0] else (Scale(1.0, float(a)), (b,))


def difference(call: Call) -> Answer:
    """A tensor less a number, or a number less a tensor."""
    a, b = call.arguments[:2]
    require(not all(call.is_node[:2]), call.name, "for two tensors; multiply one by -1 and add")
    return (Scale(1.0, -float(b)), (a,)) if call.is_node[0] else (Scale(-1.0, float(a)), (b,))


def product(call: Call) -> Answer:
    """The product of two tensors, or of a tensor and a number."""
    a, b = call.arguments[:2]
    if all(call.is_node[:2]):
        return Multiply(), (a,) if a == b else (a, b)
    return (Scale(float(b)), (a,)) if call.is_node[0] else (Scale(float(a)), (b,))


def quotient(call: Call) -> Answer:
    """A tensor divided by a number: the rounding of the inverse is covered by that of a scaling."""
    a, b = call.arguments[:2]
    require(call.is_node[0] and not call.is_node[1], call.name, "for two tensors")
    return Scale(1 / float(b)), (a,)


def power(call: Call) -> Answer:
    """A square."""
    require(call.arguments[1] == 2, call.name, "other than the square; multiply instead")
    return Multiply(), (call.arguments[0],)


def reshape(call: Call) -> Answer:
    """x.view(len(x), ...): rows stay rows."""
    shape = call.arguments[1:]
    shape = list(shape[0]) if len(shape) == 1 and isinstance(shape[0], (tuple, list)) else shape
    kept = bool(shape) and isinstance(shape[0], Rows)
    rest = shape[1:]
    if not kept or not all(isinstance(side, int) for side in rest):
        raise InputError(f"operation {call.name} has no certified rule for this shape; write flatten(1)")
    return Rearrange(lambda x: x.reshape(*x.shape[:2], *rest)), (call.arguments[0],)


def flattened(call: Call) -> Answer:
    """torch.flatten."""
    first, last = call.option("start_dim", 1, 0), call.option("end_dim", 2, -1)
    return flatten(first, last, call.name), (call.arguments[0],)


def mean(call: Call) -> Answer:
    """Mean over some axes, not over rows."""
    dims, keep = call.option("dim", 1, None), call.option("keepdim", 2, False)
    axes = (dims,) if isinstance(dims, int) else tuple(dims or ())
    require(bool(axes) and 0 not in axes, call.name, "over rows; give dim=")
    shifted = tuple(axis if axis < 0 else axis + 1 for axis in axes)
    return Average(lambda x: x.mean(shifted, keepdim=keep)), (call.arguments[0],)


def max_pool2d(call: Call) -> Answer:
    """functional.max_pool2d."""
    options = [call.option(n, i, d) for i, (n, d) in enumerate(POOLING, start=1)]
    kernel, stride, padding, dilation, ceil = options
    return max_pool(kernel, stride, padding, dilation, ceil, 2, call.name), (call.arguments[0],)


POOLING = (("kernel_size", None), ("stride", None), ("padding", 0), ("dilation", 1), ("ceil_mode", False))


def avg_pool2d(call: Call) -> Answer:
    """functional.avg_pool2d."""
    kernel, stride = call.option("kernel_size", 1, None), call.option("stride", 2, None)
    padding, ceil = call.option("padding", 3, 0), call.option("ceil_mode", 4, False)
    count = call.option("count_include_pad", 5, True)
    require(call.option("divisor_override", 6, None) is None, call.name, "with divisor_override")
    return average_pool(kernel, stride, padding, ceil, count, 2), (call.arguments[0],)


OPERATIONS: dict[Callable[..., Any] | str, Operation] = {
    **dict.fromkeys((operator.add, operator.iadd, torch.add, "add", "add_"), sum_),
    **dict.fromkeys((operator.sub, torch.sub, "sub"), difference),
    **dict.fromkeys((operator.mul, torch.mul, "mul"), product),
    **dict.fromkeys((operator.truediv, torch.div, "div"), quotient),
    **dict.fromkeys((operator.pow, torch.pow, "pow"), power),
    **dict.fromkeys((torch.square, "square"), lambda call: (Multiply(), (call.arguments[0],))),
    **dict.fromkeys((operator.neg, torch.neg, "neg"), one(Scale(-1.0))),
    **dict.fromkeys((functional.relu, torch.relu, "relu", "relu_"), one(Relu())),
    **dict.fromkeys((torch.tanh, functional.tanh, "tanh"), one(Smooth(TANH))),
    **dict.fromkeys((torch.sigmoid, functional.sigmoid, "sigmoid"), one(Smooth(SIGMOID))),
    functional.silu: one(Smooth(SILU)),
    functional.gelu: lambda call: (gelu(call.options.get("approximate", "none"), call.name), (call.arguments[0],)),
    functional.softplus: lambda call: (
        soft_plus(call.option("beta", 1, 1.0), call.option("threshold", 2, 20.0), call.name),
        (call.arguments[0],),
    ),
    functional.leaky_relu: lambda call: (
        leaky(call.option("negative_slope", 1, 0.01), call.name),
        (call.arguments[0],),
    ),
    **dict.fromkeys((torch.flatten, "flatten"), flattened),
    **dict.fromkeys(("view", "reshape", torch.reshape), reshape),
    **dict.fromkeys((torch.mean, "mean"), mean),
    **dict.fromkeys(("size", getattr, operator.getitem, len), lambda call: Rows()),
    functional.max_pool2d: max_pool2d,
    functional.avg_pool2d: avg_pool2d,
}
"""The rule of each function, operator and method that a forward may use."""
