"""Reading a user's function: torch or numpy, its start law, its kinks, and what it must satisfy."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import numpy as np
import torch
from numpy.typing import ArrayLike
from torch import Tensor

from tda_landscape._errors import InputError, described, expect, expect_whole
from tda_landscape.energy._random import as_generator

KINKED = re.compile(
    r"^(Leaky|P|R)?Relu|^Prelu|^Rrelu|^[CS]?[Ee]lu|^Abs|^Sgn|^(Max|Min)|^[AF](max|min)|^Cum(max|min)|"
    r"MaxPool|^Clamp|^Hard|^Softshrink|^Threshold|[Mm]edian|^Sort|^Topk|^Kthvalue|Huber|SmoothL1|L1Loss|"
    r"Margin|Hinge|^Remainder|^Fmod|^Frac"
)
"""Nodes of the autograd graph without a second derivative everywhere."""


StartLaw = Callable[[int, torch.Generator], Tensor]
Batched = Callable[[Tensor], Tensor]


def read_function(
    function: Callable[[Any], Any],
    dim: int,
    bounds: tuple[ArrayLike, ArrayLike] | None,
    period: float | ArrayLike | None,
    grad: Callable[[Any], Any] | None,
    start: StartLaw | None,
    dtype: torch.dtype,
) -> tuple[Batched, StartLaw, Batched | None, Tensor | None, tuple[str, ...]]:
    """Function, start law, gradient, period and kinks of a user's function; refuse what cannot be an energy."""
    expect(Callable, function=function)
    expect(Callable | None, grad=grad, start=start)
    expect_whole("[1, inf)", dim=dim)
    sides = None if period is None else as_row(period, dim, "period", dtype)
    if sides is not None and not (sides > 0).all():
        raise InputError(f"period must be positive, got {period!r}")
    law = start or start_law(dim, box_of(bounds, dim, dtype), sides, dtype)
    probe = torch.as_tensor(law(3, as_generator(0)), dtype=dtype)
    if probe.shape != (3, dim):
        raise InputError(f"start(3, generator) gave shape {tuple(probe.shape)}; it must give (3, {dim})")
    batched, gradient = adapt(function, probe), grad and adapt(grad, probe)
    check_function(batched, gradient, probe)
    return batched, law, gradient, sides, () if grad else kinks_of(batched, probe)


def adapt(function: Callable[[Any], Any], probe: Tensor) -> Callable[[Tensor], Tensor]:
    """Let a numpy function take and give tensors; a torch function stays as it is."""
    try:
        value = function(probe.detach().requires_grad_())  # numpy refuses a tensor that asks for its gradient
    except (TypeError, AttributeError, RuntimeError) as error:
        if isinstance(error, RuntimeError) and "numpy" not in str(error):
            raise InputError(f"the function fails on points (3, d): {str(error).splitlines()[0]}") from error
        value = None
    if isinstance(value, Tensor):
        return function if value.dtype == probe.dtype else lambda points: function(points).to(points.dtype)

    def through_numpy(points: Tensor) -> Tensor:
        return torch.as_tensor(np.asarray(function(points.detach().numpy())), dtype=points.dtype)

    return through_numpy


def box_of(bounds: Any, dim: int, dtype: torch.dtype) -> tuple[Tensor, ...] | None:
    """The two ends (d,) of a box."""
    if bounds is None:
        return None
    if not isinstance(bounds, (tuple, list)) or len(bounds) != 2:
        raise InputError(f"bounds must be a pair (low, high), got {described(bounds)}")
    return tuple(as_row(bound, dim, "bounds", dtype) for bound in bounds)


def start_law(dim: int, box: tuple[Tensor, ...] | None, period: Tensor | None, dtype: torch.dtype) -> StartLaw:
    """Uniform in the box, uniform on the torus, else standard normal."""
    if box is None and period is None:
        return lambda k, generator: torch.randn(k, dim, generator=generator, dtype=dtype)
    sides = torch.ones(dim, dtype=dtype) if period is None else period
    low, high = (torch.zeros_like(sides), sides) if box is None else box
    if not (low < high).all():
        raise InputError(f"bounds must be (low, high) with low < high, got {box}")
    return lambda k, generator: low + (high - low) * torch.rand(k, dim, generator=generator, dtype=dtype)


def check_function(
    function: Callable[[Tensor], Tensor], gradient: Callable[[Tensor], Tensor] | None, probe: Tensor
) -> None:
    """Refuse wrong shapes, rows that depend on each other, randomness, and energies that are nowhere finite."""
    k, loose = len(probe), 1e-9 if probe.dtype == torch.float64 else 1e-4
    whole, again, alone = function(probe), function(probe), function(probe[1:2])
    if whole.shape != (k,) or alone.shape != (1,):
        raise InputError(
            f"the function returned shape {tuple(whole.shape)} for points of shape {tuple(probe.shape)}; "
            "it must return one energy a row, shape (k,)"
        )
    if not torch.equal(whole.nan_to_num(), again.nan_to_num()):
        row = int((whole.nan_to_num() != again.nan_to_num()).nonzero()[0])
        change = f"{float(whole[row]):.9g}, then {float(again[row]):.9g}"
        raise InputError(f"the energy changes between two identical calls ({change}); make the function deterministic")
    if not torch.allclose(whole[1:2], alone, rtol=loose, atol=loose / 1e3, equal_nan=True):
        change = f"{float(whole[1]):.9g} among {k}, {float(alone[0]):.9g} alone"
        raise InputError(f"the energy of a row depends on the other rows ({change}); sum over the last axis only")
    if not torch.isfinite(whole).any():
        raise InputError(f"the energy is not finite at any of {k} start points; check the function and its bounds")
    if gradient is not None and gradient(probe).shape != probe.shape:
        raise InputError(f"grad returned shape {tuple(gradient(probe).shape)}, it must be that of the points")
    if gradient is None and not function(probe.detach().requires_grad_()).requires_grad:
        raise InputError("the function is not built from torch operations; write it in torch or pass grad=")


def kinks_of(function: Callable[[Tensor], Tensor], probe: Tensor) -> tuple[str, ...]:
    """Names of operations in the autograd graph that have no second derivative everywhere."""
    with torch.enable_grad():
        value = function(probe[:1].detach().requires_grad_()).sum()
    seen, stack, found = set(), [value.grad_fn], set()
    while stack:
        node = stack.pop()
        if node is None or node in seen:
            continue
        seen.add(node)
        name = node.name().removesuffix("0").removesuffix("Backward")
        order = getattr(node, "_saved_p", getattr(node, "_saved_ord", 2.0)) if "Norm" in name else 2.0
        if KINKED.search(name) or order in (1.0, float("inf")):
            found.add(name)
        stack += [upstream for upstream, _ in node.next_functions]
    return tuple(sorted(found))


def as_tensor(values: ArrayLike | Tensor, name: str, dtype: torch.dtype) -> Tensor:
    """An array of numbers as a tensor."""
    try:
        return torch.as_tensor(values, dtype=dtype).detach()
    except (TypeError, ValueError, RuntimeError):
        what = f"got {described(values)}; put tensors together with torch.stack"
        raise InputError(f"{name} must be a tensor or an array of numbers, {what}") from None


def as_row(values: ArrayLike | float, dim: int, name: str, dtype: torch.dtype) -> Tensor:
    """A number or (d,) as a tensor (d,)."""
    row = as_tensor(values, name, dtype)
    if row.ndim > 1 or (row.ndim == 1 and len(row) != dim):
        raise InputError(f"{name} must be a number or have shape ({dim},), got {tuple(row.shape)}")
    return row.expand(dim).clone()
