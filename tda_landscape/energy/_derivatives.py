"""Gradients and Hessian-vector products of a batched function."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor

Function = Callable[[Tensor], Tensor]


def value_and_grad(function: Function, gradient: Function | None, x: Tensor) -> tuple[Tensor, Tensor]:
    """Energies (k,) and gradients (k, d): one forward over all points, one backward of the sum."""
    if gradient is not None:
        return function(x), gradient(x)
    with torch.enable_grad():
        energies = function(x.requires_grad_())
        (gradients,) = torch.autograd.grad(energies.sum(), x)
    return energies.detach().contiguous(), gradients.contiguous()  # what is the same at all points is not one number


def hessian_products(function: Function, gradient: Function | None, x: Tensor, v: Tensor) -> Tensor:
    """The Hessian at each point times the vector of the same row, (k, d)."""
    if gradient is not None:  # a black-box gradient: central difference, error O(step^2)
        step: Tensor = 1e-5 * (1 + x.norm(dim=1, keepdim=True)) / v.norm(dim=1, keepdim=True).clamp(min=1e-300)
        return (gradient(x + step * v) - gradient(x - step * v)) / (2 * step)
    with torch.enable_grad():
        x = x.detach().requires_grad_()
        (first,) = torch.autograd.grad(function(x).sum(), x, create_graph=True)
        if not first.requires_grad:  # an energy that is linear in its parameters
            return torch.zeros_like(v)
        second: Tensor = torch.autograd.grad((first * v).sum(), x)[0]
    return second
