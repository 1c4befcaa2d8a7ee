"""BatchNorm in eval mode and LayerNorm, composed of the rules for sums, products and smooth functions."""

from __future__ import annotations

from dataclasses import dataclass, field

import torch
from torch import Tensor

from tda_landscape.certificates._enclosure import Enclosure
from tda_landscape.certificates._rounding import TINY, U
from tda_landscape.certificates._segments import Segments, Span
from tda_landscape.certificates.rules._functions import inverse_root
from tda_landscape.certificates.rules._rule import Known, enclosed
from tda_landscape.certificates.rules.arithmetic import add, line, multiply
from tda_landscape.certificates.rules.reshaping import average
from tda_landscape.certificates.rules.smooth import Smooth


@dataclass(frozen=True, slots=True, eq=False)
class BatchNorm:
    """(v - mean) / sqrt(var + eps) weight + bias, with stored mean and variance, and weight and bias on the path."""

    mean: Tensor
    variance: Tensor
    eps: float
    weight: Span | None
    bias: Span | None

    def value(self, inputs: tuple[Tensor, ...], theta: Tensor) -> Tensor:
        """Normalize (S, n, channels, ...)."""
        (x,) = inputs
        axes = (1,) * (x.ndim - 3)
        y = (x - self.mean.view(-1, *axes)) * self._scale(axes)
        if self.weight is not None:
            y = y * self.weight.of(theta)[:, None].unflatten(-1, (-1, *axes))
        return y if self.bias is None else y + self.bias.of(theta)[:, None].unflatten(-1, (-1, *axes))

    def enclose(self, inputs: tuple[Known, ...], segments: Segments, ends: tuple[Tensor, Tensor]) -> Enclosure:
        """A constant affine map, then a product and a sum; seven roundings a number before the product."""
        v = enclosed(inputs[0]).folded()
        axes = (1,) * (v.start.ndim - 3)
        mean, scale = self.mean.view(-1, *axes), self._scale(axes)
        size = (v.size + mean.abs()) * scale
        radius = v.radius * scale * (1 + 8 * U) + 8 * U * size + TINY
        y = Enclosure((v.start - mean) * scale, (v.end - mean) * scale, v.bend * scale, radius)
        if self.weight is not None:
            y = multiply(y, line(self.weight, segments, axes))
        if self.bias is not None:
            y = add(y, line(self.bias, segments, axes))
        return y.at(ends)

    def _scale(self, axes: tuple[int, ...]) -> Tensor:
        return (1 / (self.variance + self.eps).sqrt()).view(-1, *axes)


@dataclass(frozen=True, slots=True, eq=False)
class LayerNorm:
    """(v - mean) / sqrt(var + eps) weight + bias over the last axes, all of them on the path."""

    shape: tuple[int, ...]
    eps: float
    weight: Span | None
    bias: Span | None
    root: Smooth = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "root", Smooth(inverse_root(self.eps)))

    def value(self, inputs: tuple[Tensor, ...], theta: Tensor) -> Tensor:
        """Normalize (S, n, ..., *shape)."""
        (x,) = inputs
        centred = x - self._mean(x)
        y = centred / (self._mean(centred.square()) + self.eps).sqrt()
        middle = (1,) * (x.ndim - 2 - len(self.shape))
        if self.weight is not None:
            y = y * self.weight.of(theta).view(len(theta), 1, *middle, *self.shape)
        return y if self.bias is None else y + self.bias.of(theta).view(len(theta), 1, *middle, *self.shape)

    def enclose(self, inputs: tuple[Known, ...], segments: Segments, ends: tuple[Tensor, Tensor]) -> Enclosure:
        """Mean, square, mean, inverse root, product: each by its own rule."""
        v = enclosed(inputs[0]).folded()
        terms = self.root_terms
        mean = average(v, self._mean, terms)
        negative = Enclosure(-mean.start, -mean.end, -mean.bend, mean.radius)
        centred = add(v, negative)
        variance = average(multiply(centred, centred), self._mean, terms)
        start, end = variance.start + self.eps, variance.end + self.eps
        radius = variance.radius * (1 + 4 * U) + 4 * U * (start + end)
        inside = Enclosure(start, end, variance.bend, radius)
        roots = self.root.enclose((inside,), segments, (self.root.value((start,), start), self.root.value((end,), end)))
        y = multiply(centred, roots)
        if self.weight is not None:
            y = multiply(y, self._line(self.weight, segments, v.start.ndim))
        if self.bias is not None:
            y = add(y, self._line(self.bias, segments, v.start.ndim))
        return y.at(ends)

    @property
    def root_terms(self) -> int:
        """How many numbers a mean is made of."""
        return int(torch.Size(self.shape).numel())

    def _mean(self, x: Tensor) -> Tensor:
        return x.mean(dim=tuple(range(-len(self.shape), 0)), keepdim=True)

    def _line(self, span: Span, segments: Segments, axes: int) -> Enclosure:
        """The parameter as an enclosure, its axes against the last ones of the input."""
        whole = line(span, segments, ())
        middle = (1,) * (axes - 2 - len(self.shape))
        return whole.reshaped(lambda part: part.view(len(part), 1, *middle, *self.shape))
