"""What each operation of a network does to the labels of its units: one rule a kind, one line an operation."""

from __future__ import annotations

import math
import operator
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from tda_landscape.energy.symmetry._labels import FIXED, Labels, Signal, with_power
from tda_landscape.energy.symmetry._units import Fold


@dataclass(frozen=True, slots=True)
class Call:
    """One operation of the traced network: its inputs with their labels, its options, its shapes.

    `parameters` maps weight and bias to their names in the whole network; `module` is None for a function.
    """

    signals: list[Signal]
    parameters: dict[str, str]
    module: nn.Module | None
    args: tuple[Any, ...]
    kwargs: dict[str, Any]
    shapes: list[tuple[int, ...]]
    shape: tuple[int, ...]

    def option(self, name: str, position: int, default: Any = None) -> Any:
        """An option of the module or of the function."""
        if self.module is not None:
            return getattr(self.module, name, default)
        return self.args[position] if len(self.args) > position else self.kwargs.get(name, default)


class NotUnderstoodError(Exception):
    """An operation whose effect on units is not known; the text says why."""


Rule = Callable[[Labels, Call], Signal]


def unitwise(labels: Labels, call: Call, parity: str = "none", homogeneous: bool = False) -> Signal:
    """A function f of each unit: f(-x) = -f(x) or f(x) where odd or even, f(c x) = c f(x) for c > 0 if homogeneous."""
    x = call.signals[0]
    _need(labels.is_fixed(x) or call.shape[x.axis] == call.shapes[0][x.axis], "it mixes the units")
    if parity == "none":
        labels.freeze(x.sign)
    if not homogeneous:
        labels.freeze(x.scale)
    x = x if parity == "odd" and homogeneous else _framed(labels, x)  # an odd homogeneous function is linear
    return replace(x, sign=x.sign if parity == "odd" else FIXED, scale=x.scale if homogeneous else FIXED)


def power(labels: Labels, call: Call, exponent: int | None = None) -> Signal:
    """Powers x ** n: odd or even where n is whole, and (c x) ** n = c ** n x ** n."""
    n = exponent or call.option("exponent", 1)
    _need(isinstance(n, (int, float)) and n > 0, "its exponent is no positive number")
    x = with_power(_framed(labels, call.signals[0]), n)
    if n % 1:
        labels.freeze(x.sign)
    return x if n % 2 == 1 else replace(x, sign=FIXED)


def prelu(labels: Labels, call: Call) -> Signal:
    """ReLU with one slope, or one for each unit."""
    x = unitwise(labels, call, homogeneous=True)
    assert isinstance(call.module, nn.PReLU)
    if call.module.num_parameters > 1:
        _need(x.block == 1 and x.axis == 1, "its slopes do not go with the units")
        labels.attach(call.parameters["weight"], 0, replace(x, scale=FIXED), incoming=True)
    return x


def linear(labels: Labels, call: Call) -> Signal:
    """Linear layers act on the last axis."""
    x, last = call.signals[0], len(call.shape) - 1
    _need(labels.is_fixed(x) or x.axis == last, "it acts along another axis than that of the units")
    return _layer(labels, call, x, last, reads=1, makes=0)


def convolution(labels: Labels, call: Call, transposed: bool = False) -> Signal:
    """Convolutions, plain or depthwise; the channels are axis 1."""
    x, groups = call.signals[0], call.option("groups", 7 if transposed else 6, 1)
    _need(labels.is_fixed(x) or (x.axis == 1 and x.block == 1), "it acts along another axis than that of the units")
    if groups == 1:
        return _layer(labels, call, x, 1, reads=0 if transposed else 1, makes=1 if transposed else 0)
    _need(groups == call.shapes[0][1] == call.shape[1], f"its {groups} groups are not one for each channel")
    return _diagonal(labels, call, x)


def batch_norm(labels: Labels, call: Call) -> Signal:
    """Batch norm: with fixed statistics an affine map of each channel, else a normalisation of each."""
    x, norm = call.signals[0], call.module
    assert isinstance(norm, nn.modules.batchnorm._NormBase)
    _need(labels.is_fixed(x) or (x.axis == 1 and x.block == 1), "it acts along another axis than that of the units")
    if isinstance(norm.running_var, Tensor) and isinstance(norm.running_mean, Tensor):
        if "weight" not in call.parameters:
            return unitwise(labels, call)
        fold = Fold(0, 0, norm.running_mean, (norm.running_var + norm.eps).sqrt())
        labels.norms[call.parameters["weight"], call.parameters["bias"]] = fold
    else:
        labels.freeze(x.scale)
    if "weight" not in call.parameters:
        return replace(_framed(labels, x), scale=FIXED)
    return _diagonal(labels, call, x)


def layer_norm(labels: Labels, call: Call) -> Signal:
    """Layer norm over the units: they may be exchanged."""
    x = unitwise(labels, call)
    _need(isinstance(call.module, nn.LayerNorm) and len(call.module.normalized_shape) == 1, "it spans several axes")
    _need(labels.is_fixed(x) or (x.axis == len(call.shape) - 1 and x.block == 1), "it does not span the units")
    if "weight" not in call.parameters:
        return x
    return _diagonal(labels, call, x)


def embedding(labels: Labels, call: Call) -> Signal:
    """A table with one row a token."""
    out = labels.fresh(len(call.shape) - 1)
    labels.attach(call.parameters["weight"], 1, out, incoming=True)
    return out


def add(labels: Labels, call: Call) -> Signal:
    """Residual connections: what is added moves as one; a number that is added fixes sign and scale."""
    if len(call.signals) == 1:
        return unitwise(labels, call)
    return _together(labels, call)


def multiply(labels: Labels, call: Call) -> Signal:
    """Gates and squares; a number as factor changes nothing."""
    if len(call.signals) == 1:
        return call.signals[0]
    a, b = (_framed(labels, x) for x in call.signals)
    if a == b:
        return power(labels, call, 2)
    sign, scale = _other(labels, a.sign, b.sign), _other(labels, a.scale, b.scale)
    bare = replace(call, signals=[replace(x, sign=FIXED, scale=FIXED) for x in (a, b)])
    n = a.power if labels.find(a.scale) == labels.find(scale) else b.power
    return replace(_together(labels, bare), sign=sign, scale=scale, power=n)


def divide(labels: Labels, call: Call) -> Signal:
    """By a number."""
    _need(len(call.signals) == 1 and isinstance(call.args[1], (int, float)), "only division by a number is known")
    return call.signals[0]


def average(labels: Labels, call: Call) -> Signal:
    """Mean over other axes than that of the units."""
    x, rank = call.signals[0], len(call.shapes[0])
    dims = call.option("dim", 1)
    _need(dims is not None, "it mixes the units")
    gone = {d % rank for d in ([dims] if isinstance(dims, int) else dims)}
    _need(x.axis not in gone, "it mixes the units")
    kept = len(call.shape) == rank
    return x if kept else replace(x, axis=x.axis - sum(d < x.axis for d in gone))


def reshape(labels: Labels, call: Call) -> Signal:
    """Flatten all axes but the first into one, or add and drop axes of length 1."""
    x, old, new = call.signals[0], call.shapes[0], call.shape
    if old == new:
        return x
    if old[x.axis] == 1:
        return labels.freeze_all(x)
    if x.axis == 1 and new == (old[0], math.prod(old[1:])):
        return replace(x, block=x.block * math.prod(old[2:]))
    places = [axis for axis in range(len(new)) if math.prod(new[:axis]) == math.prod(old[: x.axis])]
    places = [axis for axis in places if new[axis] == old[x.axis]]
    _need(len(places) == 1 and tuple(n for n in old if n > 1) == tuple(n for n in new if n > 1), "it mixes the units")
    return replace(x, axis=places[0])


def _other(labels: Labels, a: int, b: int) -> int:
    """The label of a product where one factor is fixed; with two free factors both get fixed."""
    if FIXED in (labels.find(a), labels.find(b)):
        return max(labels.find(a), labels.find(b))
    labels.freeze(a, b)
    return FIXED


def _together(labels: Labels, call: Call) -> Signal:
    """Two tensors, unit by unit; with a broadcast nothing moves."""
    a, b = call.signals
    if call.shapes[0] == call.shapes[1]:
        return labels.merge(a, b)
    labels.freeze_all(a)
    return labels.freeze_all(b)


def _layer(labels: Labels, call: Call, x: Signal, axis: int, *, reads: int, makes: int) -> Signal:
    """A weight that reads one tensor and makes units of its own."""
    out = labels.fresh(axis)
    labels.attach(call.parameters["weight"], makes, out, incoming=True)
    if "bias" in call.parameters:
        labels.attach(call.parameters["bias"], 0, out, incoming=True)
    labels.attach(call.parameters["weight"], reads, x, incoming=False)
    return out


def _diagonal(labels: Labels, call: Call, x: Signal) -> Signal:
    """A weight and a bias for each unit: the same units, with a sign and a scale of their own."""
    labels.freeze(x.frame)
    units = labels.pinned_units() if labels.find(x.units) == FIXED else x.units
    out = Signal(units, labels.new(), labels.new(), axis=x.axis)
    for name in ("weight", "bias"):
        if name in call.parameters:
            labels.attach(call.parameters[name], 0, out, incoming=True)
    labels.attach(call.parameters["weight"], 0, x, incoming=False)
    return out


def _framed(labels: Labels, x: Signal) -> Signal:
    """A tensor whose units are singled out: no other basis will do."""
    labels.freeze(x.frame)
    return replace(x, frame=FIXED)


def _need(condition: bool, why: str) -> None:
    if not condition:
        raise NotUnderstoodError(why)


transposed = partial(convolution, transposed=True)
plain = unitwise
odd = partial(unitwise, parity="odd")
even = partial(unitwise, parity="even", homogeneous=True)
homogeneous = partial(unitwise, homogeneous=True)
linearly = partial(unitwise, parity="odd", homogeneous=True)
square = partial(power, exponent=2)

WITH_WEIGHT = (linear, convolution)
"""Rules of functions that take a weight and a bias."""

RULES: dict[Any, Rule] = {
    **dict.fromkeys((nn.Linear, F.linear), linear),
    **dict.fromkeys((nn.Conv1d, nn.Conv2d, nn.Conv3d, F.conv1d, F.conv2d, F.conv3d), convolution),
    **dict.fromkeys((nn.ConvTranspose1d, nn.ConvTranspose2d, nn.ConvTranspose3d), transposed),
    **dict.fromkeys((nn.BatchNorm1d, nn.BatchNorm2d, nn.BatchNorm3d), batch_norm),
    nn.LayerNorm: layer_norm,
    nn.Embedding: embedding,
    **dict.fromkeys((nn.Tanh, torch.tanh, F.tanh, "tanh", nn.Softsign, F.softsign, nn.Tanhshrink, torch.erf), odd),
    **dict.fromkeys((nn.ReLU, F.relu, torch.relu, "relu", "relu_", nn.LeakyReLU, F.leaky_relu), homogeneous),
    **dict.fromkeys((nn.MaxPool1d, nn.MaxPool2d, nn.MaxPool3d, F.max_pool1d, F.max_pool2d), homogeneous),
    **dict.fromkeys((nn.AdaptiveMaxPool1d, nn.AdaptiveMaxPool2d, F.adaptive_max_pool2d), homogeneous),
    nn.PReLU: prelu,
    **dict.fromkeys((torch.abs, "abs", operator.abs), even),
    **dict.fromkeys((torch.square, "square"), square),
    **dict.fromkeys((torch.pow, "pow", operator.pow), power),
    **dict.fromkeys((nn.Sigmoid, torch.sigmoid, F.sigmoid, "sigmoid", nn.Hardsigmoid, nn.LogSigmoid), plain),
    **dict.fromkeys((nn.SiLU, F.silu, nn.GELU, F.gelu, nn.Softplus, F.softplus, nn.Mish, F.mish), plain),
    **dict.fromkeys((nn.ELU, F.elu, nn.SELU, F.selu, nn.CELU, nn.ReLU6, F.relu6, nn.Hardswish), plain),
    **dict.fromkeys((nn.Softmax, nn.LogSoftmax, F.softmax, F.log_softmax, "softmax", "log_softmax"), plain),
    **dict.fromkeys((nn.Identity, nn.Dropout, nn.Dropout2d, F.dropout, operator.neg, torch.neg), linearly),
    **dict.fromkeys((nn.AvgPool1d, nn.AvgPool2d, nn.AvgPool3d, F.avg_pool1d, F.avg_pool2d), linearly),
    **dict.fromkeys((nn.AdaptiveAvgPool1d, nn.AdaptiveAvgPool2d, F.adaptive_avg_pool2d, "contiguous"), linearly),
    **dict.fromkeys((operator.add, operator.iadd, torch.add, "add", "add_", operator.sub, torch.sub), add),
    **dict.fromkeys((operator.mul, operator.imul, torch.mul, "mul"), multiply),
    **dict.fromkeys((operator.truediv, torch.div, "div"), divide),
    **dict.fromkeys((torch.mean, "mean"), average),
    **dict.fromkeys((nn.Flatten, torch.flatten, "flatten", "view", "reshape", torch.reshape), reshape),
    **dict.fromkeys(("squeeze", torch.squeeze, "unsqueeze", torch.unsqueeze), reshape),
}
"""Modules by their class, functions by themselves, methods by their name.

Sine, cosine and exponential are missing on purpose: shifts of their biases are symmetries of another kind.
"""
