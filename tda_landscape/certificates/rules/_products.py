"""Matrix products and convolutions as one kind of thing: linear in the input and in the weights."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

import torch
from torch import Tensor
from torch.nn import functional


class Product(Protocol):
    """A product of values (S, n, ...) and weights (S, out, ...), by direct summation of `terms` products."""

    def apply(self, values: Tensor, weights: Tensor, bias: Tensor | None = None) -> Tensor:
        """The product plus the bias (S, out)."""

    def norms(self, parts: Sequence[Tensor]) -> Tensor:
        """A bound of the Euclidean norm of Σ|part| over what one output sees, to be broadcast against the output."""

    def spread(self, rows: Tensor, axes: int) -> Tensor:
        """Numbers (S, out), one an output channel, to be broadcast against an output with this many axes."""


@dataclass(frozen=True, slots=True)
class Dense:
    """y = v W^T over the last axis."""

    def apply(self, values: Tensor, weights: Tensor, bias: Tensor | None = None) -> Tensor:
        """Multiply; axes between rows and features are rows too."""
        flat = values.flatten(1, -2)
        if bias is None:
            product = torch.bmm(flat, weights.mT) if len(flat) == len(weights) else flat @ weights.mT
        elif len(flat) == len(weights) == 1:
            product = torch.addmm(bias[0], flat[0], weights[0].T)[None]
        else:
            product = torch.baddbmm(bias[:, None], flat.expand(len(weights), -1, -1), weights.mT)
        shaped: Tensor = product.unflatten(1, values.shape[1:-1])
        return shaped

    def norms(self, parts: Sequence[Tensor]) -> Tensor:
        """Norms over the last axis, added up."""
        total: Tensor = torch.linalg.vector_norm(parts[0], dim=-1, keepdim=True)
        for part in parts[1:]:
            total = total + torch.linalg.vector_norm(part, dim=-1, keepdim=True)
        return total

    def spread(self, rows: Tensor, axes: int) -> Tensor:
        """Channels on the last axis."""
        return rows.view(len(rows), *[1] * (axes - 2), -1)


@dataclass(frozen=True, slots=True)
class Convolution:
    """A convolution of one or two axes.

    On the cpu, and in float64, torch has direct kernels only; Winograd and Fourier transforms, which would break
    the bound of rounding, are for other precisions and devices. A test looks at which kernel runs.
    """

    stride: tuple[int, ...]
    padding: tuple[int, ...]
    mode: str
    dilation: tuple[int, ...]
    groups: int
    kernel: tuple[int, ...]

    def apply(self, values: Tensor, weights: Tensor, bias: Tensor | None = None) -> Tensor:
        """Convolve segment by segment."""
        padded = self._pad(values)
        biases: Sequence[Tensor | None] = [None] * len(weights) if bias is None else list(bias)
        rows = padded.expand(len(weights), *padded.shape[1:])
        outputs = [self._convolve(v, w, b, self.groups) for v, w, b in zip(rows, weights, biases, strict=True)]
        return torch.stack(outputs)

    def norms(self, parts: Sequence[Tensor]) -> Tensor:
        """Norms over all channels of each window; (Σ|part|)^2 is at most the number of parts times Σ part^2."""
        squares = self._pad(parts[0]).square().sum(2, keepdim=True)
        for part in parts[1:]:
            squares = squares + self._pad(part).square().sum(2, keepdim=True)
        ones = squares.new_full((1, 1, *self.kernel), float(len(parts)))
        sums = self._convolve(squares.flatten(0, 1), ones, None, 1)
        norms: Tensor = sums.clamp(min=0).sqrt().unflatten(0, squares.shape[:2])
        return norms

    def spread(self, rows: Tensor, axes: int) -> Tensor:
        """Channels before the spatial axes."""
        return rows.view(len(rows), 1, -1, *[1] * (axes - 3))

    def _pad(self, values: Tensor) -> Tensor:
        if not any(self.padding):
            return values
        flat = values.flatten(0, 1)
        padded: Tensor = functional.pad(flat, self.padding, mode=self.mode).unflatten(0, values.shape[:2])
        return padded

    def _convolve(self, values: Tensor, weights: Tensor, bias: Tensor | None, groups: int) -> Tensor:
        if len(self.kernel) == 1:
            return functional.conv1d(values, weights, bias, self.stride[0], 0, self.dilation[0], groups)
        return functional.conv2d(values, weights, bias, self.stride, 0, self.dilation, groups)
