"""A-priori bounds of rounding: what float64 arithmetic can be wrong by, from operation counts alone.

Directed rounding is not reachable from torch, so every rule adds a bound of its own rounding to its radius. With
u = 2^-53, an inner product of n terms, summed in any order, fused or not, is wrong by at most γ_n Σ|a_i b_i|, and
Cauchy-Schwarz bounds that sum without a second product. Higham, Accuracy and Stability of Numerical Algorithms,
chapter 3. Assumed of the machine: IEEE 754 float64, matrix products by direct summation, and exp, tanh, erfc and
log1p within 4 units in the last place, the logistic function within 8 (tests measure all of them).
"""

from __future__ import annotations

import torch

from tda_landscape._errors import InputError

U = 2.0**-53
"""Largest relative error of one float64 operation."""

TINY = 1e-290
"""Absolute allowance of every rule: whatever underflow and flushing to zero can do, many times over."""

MARGIN = 2.0**-40
"""Relative margin of a sign test: far above the rounding of the few operations that it decides on."""

FLOOR = 1e-8
"""Smallest relative tolerance: below it the rounding terms of a network of ten layers are in sight."""


def gamma(n: int) -> float:
    """γ_n = n u / (1 - n u), the relative error bound of n operations in a row."""
    return n * U / (1 - n * U)


def check_arithmetic(*tensors: torch.Tensor) -> None:
    """Refuse tensors that are not computed on by the arithmetic that the bounds are about."""
    for tensor in tensors:
        if tensor.device.type != "cpu":
            raise InputError(f"certificates are computed on the cpu, but a tensor is on {tensor.device}; move it")
    small = torch.tensor(2.0**-1060, dtype=torch.float64)
    if float(small * 1.0) == 0.0:
        raise InputError("torch.set_flush_denormal(True) is on, and certificates need it off; switch it off")
