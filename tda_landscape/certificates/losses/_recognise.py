"""From a loss of torch to the rule that bounds it."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional

from tda_landscape._errors import InputError
from tda_landscape.certificates.losses._loss import ConvexLoss
from tda_landscape.certificates.losses.cross_entropy import CrossEntropy
from tda_landscape.certificates.losses.separable import absolute, huber, logistic, squared

NAMES = "cross_entropy, mse_loss, l1_loss, huber_loss, smooth_l1_loss, binary_cross_entropy_with_logits"

MODULES: dict[type[nn.Module], tuple[Callable[..., Any], tuple[str, ...]]] = {
    nn.CrossEntropyLoss: (functional.cross_entropy, ("weight", "ignore_index", "reduction", "label_smoothing")),
    nn.MSELoss: (functional.mse_loss, ("reduction",)),
    nn.L1Loss: (functional.l1_loss, ("reduction",)),
    nn.HuberLoss: (functional.huber_loss, ("reduction", "delta")),
    nn.SmoothL1Loss: (functional.smooth_l1_loss, ("reduction", "beta")),
    nn.BCEWithLogitsLoss: (functional.binary_cross_entropy_with_logits, ("weight", "reduction", "pos_weight")),
}
"""Loss modules: the function that each calls, and which of its attributes are arguments."""


def recognise(loss: Callable[..., Any], targets: Tensor, outputs: torch.Size) -> ConvexLoss:
    """Find the rule of a loss, given as function, `functools.partial` of one, or module; refuse any other."""
    function, options = _taken_apart(loss)
    name = getattr(function, "__name__", type(function).__name__)
    if function not in RULES:
        raise InputError(f"the loss {name} cannot be certified; one of {NAMES} can, also with functools.partial")
    reduction = options.pop("reduction", "mean")
    if reduction not in ("mean", "sum"):
        raise InputError(f"the loss {name} has reduction={reduction!r}; only 'mean' and 'sum' can be certified")
    options = {key: value for key, value in options.items() if value is not None}
    try:
        return RULES[function](targets, outputs, reduction == "mean", **options)
    except TypeError:
        raise InputError(f"the loss {name} with {', '.join(options)} cannot be certified; leave it out") from None


def _taken_apart(loss: Callable[..., Any]) -> tuple[Callable[..., Any], dict[str, Any]]:
    """The function behind a loss, and its keyword arguments."""
    if isinstance(loss, partial) and not loss.args:
        return loss.func, dict(loss.keywords)
    if isinstance(loss, nn.Module) and type(loss) in MODULES:
        function, names = MODULES[type(loss)]
        return function, {name: getattr(loss, name) for name in names}
    return loss, {}


def _cross_entropy(
    targets: Tensor, outputs: torch.Size, mean: bool, ignore_index: int = -100, label_smoothing: float = 0.0
) -> CrossEntropy:
    if len(outputs) != 2:
        raise InputError(f"cross_entropy of outputs {tuple(outputs)} cannot be certified; one row of logits each can")
    if not targets.is_floating_point():
        if ((targets == ignore_index) | (targets < 0)).any():
            raise InputError("cross_entropy with ignored rows cannot be certified; leave those rows out of the data")
        targets = functional.one_hot(targets, outputs[1]).to(torch.float64)
    if (targets < 0).any():
        raise InputError("cross_entropy with negative probabilities is not convex, so it cannot be certified")
    if label_smoothing:
        targets = (1 - label_smoothing) * targets + label_smoothing / outputs[1]
    return CrossEntropy(1 / outputs[0] if mean else 1.0, targets.to(torch.float64))


def _separable(make: Callable[..., ConvexLoss]) -> Callable[..., ConvexLoss]:
    def rule(targets: Tensor, outputs: torch.Size, mean: bool, **options: float) -> ConvexLoss:
        if targets.shape != outputs:
            raise InputError(
                f"outputs {tuple(outputs)} and targets {tuple(targets.shape)} differ in shape; reshape the targets"
            )
        flat = targets.to(torch.float64).reshape(len(targets), -1)
        return make(flat, 1 / flat.numel() if mean else 1.0, **options)

    return rule


def _huber(targets: Tensor, scale: float, delta: float = 1.0) -> ConvexLoss:
    return huber(targets, scale, delta)


def _smooth_l1(targets: Tensor, scale: float, beta: float = 1.0) -> ConvexLoss:
    return huber(targets, scale / beta, beta) if beta > 0 else absolute(targets, scale)


RULES: dict[Callable[..., Any], Callable[..., ConvexLoss]] = {
    functional.cross_entropy: _cross_entropy,
    functional.mse_loss: _separable(squared),
    functional.l1_loss: _separable(absolute),
    functional.huber_loss: _separable(_huber),
    functional.smooth_l1_loss: _separable(_smooth_l1),
    functional.binary_cross_entropy_with_logits: _separable(logistic),
}
"""Every loss that can be certified: a new one is one line."""
