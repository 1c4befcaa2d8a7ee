"""Which rule each layer of torch has: a new layer is one function and one line."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional

from tda_landscape._errors import InputError
from tda_landscape.certificates._segments import Span
from tda_landscape.certificates.rules import Rule
from tda_landscape.certificates.rules._functions import GELU, SIGMOID, SILU, TANH, softplus
from tda_landscape.certificates.rules._products import Convolution, Dense
from tda_landscape.certificates.rules.affine import Affine
from tda_landscape.certificates.rules.max_pooling import MaxPool
from tda_landscape.certificates.rules.normalization import BatchNorm, LayerNorm
from tda_landscape.certificates.rules.relu import LeakyRelu, Relu
from tda_landscape.certificates.rules.reshaping import Average, Rearrange
from tda_landscape.certificates.rules.smooth import Smooth


class Spans(dict[Tensor, Span]):
    """Where each parameter of a module stands in the flat vector."""

    def __missing__(self, tensor: Tensor) -> Span:
        """Refuse a weight that is computed from others, as by spectral_norm."""
        raise InputError(
            f"a layer has a weight {tuple(tensor.shape)} that is no parameter of the model, so it has no certified "
            "rule; remove what computes it"
        )

    def of(self, parameter: Tensor | None) -> Span | None:
        """The span of a parameter that a layer may lack."""
        return None if parameter is None else self[parameter]


Reader = Callable[[Any, Spans, str], Rule | None]


def require(holds: bool, name: str, what: str) -> None:
    """Refuse a variant of a layer that its rule is not about."""
    if not holds:
        raise InputError(f"layer {name} has no certified rule {what}")


def pair(value: int | tuple[int, ...], axes: int) -> tuple[int, ...]:
    """One number for all axes, or one each."""
    return (value,) * axes if isinstance(value, int) else tuple(value)


def convolution(layer: nn.Conv1d | nn.Conv2d, spans: Spans, name: str) -> Rule:
    """Convolutions with any stride, padding, dilation and groups."""
    axes = len(layer.kernel_size)
    if isinstance(layer.padding, str):
        total = [
            d * (k - 1) if layer.padding == "same" else 0
            for d, k in zip(layer.dilation, layer.kernel_size, strict=True)
        ]
        sides = [(t // 2, t - t // 2) for t in total]
    else:
        sides = [(p, p) for p in pair(layer.padding, axes)]
    padding = tuple(side for both in reversed(sides) for side in both)
    mode = "constant" if layer.padding_mode == "zeros" else layer.padding_mode
    kernel = tuple(layer.kernel_size)
    product = Convolution(tuple(layer.stride), padding, mode, tuple(layer.dilation), layer.groups, kernel)
    return Affine(product, spans[layer.weight], spans.of(layer.bias))


def max_pool(kernel: Any, stride: Any, padding: Any, dilation: Any, ceil: bool, axes: int, name: str) -> Rule:
    """Maximum over windows that lie inside."""
    require(not any(pair(padding, axes)), name, "with padding; pad with another layer, or not at all")
    require(set(pair(dilation, axes)) == {1} and not ceil, name, "with dilation or ceil_mode")
    size = pair(kernel, axes)
    return MaxPool(size, size if stride is None else pair(stride, axes))


def average_pool(kernel: Any, stride: Any, padding: Any, ceil: bool, count: bool, axes: int) -> Rule:
    """Mean over windows, in which the zeros of the padding count or not."""
    pool: Callable[..., Tensor] = functional.avg_pool1d if axes == 1 else functional.avg_pool2d
    return Average(
        lambda x: pool(x.flatten(0, 1), kernel, stride, padding, ceil, count).unflatten(0, x.shape[:2]),
        math.prod(pair(kernel, axes)),
    )


def average_layer(layer: nn.AvgPool1d | nn.AvgPool2d, axes: int, name: str) -> Rule:
    """Average pooling as a layer."""
    require(getattr(layer, "divisor_override", None) is None, name, "with divisor_override")
    options = (layer.kernel_size, layer.stride, layer.padding, layer.ceil_mode, layer.count_include_pad)
    return average_pool(*options, axes)


def adaptive_average(size: Any, axes: int, name: str) -> Rule:
    """Global average pooling, the only adaptive one whose windows do not depend on the input."""
    require(set(pair(size, axes)) == {1}, name, "for output sizes other than 1; use AvgPool")
    dims = tuple(range(-axes, 0))
    return Average(lambda x: x.mean(dims, keepdim=True))


def flatten(first: int, last: int, name: str) -> Rule:
    """One row stays one row."""
    require(first >= 1, name, "that flattens rows into each other; start at 1")
    return Rearrange(lambda x: x.flatten(first + 1, last if last < 0 else last + 1))


def layer_norm(layer: nn.LayerNorm, spans: Spans, name: str) -> Rule:
    """LayerNorm with or without parameters."""
    return LayerNorm(tuple(layer.normalized_shape), layer.eps, spans.of(layer.weight), spans.of(layer.bias))


def batch_norm(layer: nn.BatchNorm1d | nn.BatchNorm2d, spans: Spans, name: str) -> Rule:
    """BatchNorm in eval mode."""
    mean, variance = layer.running_mean, layer.running_var
    require(not layer.training and mean is not None, name, "in train mode or without stored statistics; call eval()")
    assert mean is not None
    assert variance is not None
    double = torch.float64
    return BatchNorm(mean.to(double), variance.to(double), layer.eps, spans.of(layer.weight), spans.of(layer.bias))


def gelu(approximate: str, name: str) -> Rule:
    """GELU by the error function."""
    require(approximate == "none", name, "with approximate='tanh'; use the exact one")
    return Smooth(GELU)


def soft_plus(beta: float, threshold: float, name: str) -> Rule:
    """Softplus."""
    require(beta == 1 and threshold > 0, name, "with beta other than 1")
    return Smooth(softplus(threshold))


def leaky(slope: float, name: str) -> Rule:
    """LeakyReLU."""
    require(0 <= slope <= 1, name, "with a slope outside [0, 1]")
    return LeakyRelu(slope)


MODULES: dict[type[nn.Module], Reader] = {
    nn.Linear: lambda m, spans, name: Affine(Dense(), spans[m.weight], spans.of(m.bias)),
    nn.Conv1d: convolution,
    nn.Conv2d: convolution,
    nn.BatchNorm1d: batch_norm,
    nn.BatchNorm2d: batch_norm,
    nn.LayerNorm: layer_norm,
    nn.ReLU: lambda m, spans, name: Relu(),
    nn.LeakyReLU: lambda m, spans, name: leaky(m.negative_slope, name),
    nn.Tanh: lambda m, spans, name: Smooth(TANH),
    nn.Sigmoid: lambda m, spans, name: Smooth(SIGMOID),
    nn.SiLU: lambda m, spans, name: Smooth(SILU),
    nn.GELU: lambda m, spans, name: gelu(m.approximate, name),
    nn.Softplus: lambda m, spans, name: soft_plus(m.beta, m.threshold, name),
    nn.MaxPool1d: lambda m, s, name: max_pool(m.kernel_size, m.stride, m.padding, m.dilation, m.ceil_mode, 1, name),
    nn.MaxPool2d: lambda m, s, name: max_pool(m.kernel_size, m.stride, m.padding, m.dilation, m.ceil_mode, 2, name),
    nn.AvgPool1d: lambda m, spans, name: average_layer(m, 1, name),
    nn.AvgPool2d: lambda m, spans, name: average_layer(m, 2, name),
    nn.AdaptiveAvgPool1d: lambda m, spans, name: adaptive_average(m.output_size, 1, name),
    nn.AdaptiveAvgPool2d: lambda m, spans, name: adaptive_average(m.output_size, 2, name),
    nn.Flatten: lambda m, spans, name: flatten(m.start_dim, m.end_dim, name),
    nn.Identity: lambda m, spans, name: None,
    nn.Dropout: lambda m, spans, name: None,
}
"""The rule of each layer; None where a layer changes nothing. (The energy has refused dropout in train mode.)"""
