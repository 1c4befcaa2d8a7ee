"""Writing down the torch operations that a function of tensors is made of."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import torch
from torch import Tensor
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_flatten

Function = Callable[..., tuple[Tensor, ...]]

REFUSED = {torch.Tag.nondeterministic_seeded, torch.Tag.data_dependent_output}


class Unrecordable(Exception):
    """What a function does depends on the values it is given, or cannot be seen."""


class Slot(NamedTuple):
    """The number of a tensor that is an input or was computed."""

    number: int


class Step(NamedTuple):
    """One operation: its inputs as the leaves of a tree, and the slots of its results (None: not a tensor)."""

    operation: Any
    leaves: list[Any]
    form: Any
    results: list[int | None]
    single: bool


class Tape(TorchDispatchMode):
    """Every operation on tensors, in order.

    Attributes
    ----------
    steps : list of Step
    tensors : list of Tensor
        The one in each slot: first the inputs, then what was computed.
    results : list of int
        Slots of what the function returned.
    """

    def __init__(self, function: Function, inputs: Sequence[Tensor]) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self.steps: list[Step] = []
        self.tensors: list[Tensor] = list(inputs)  # kept: an id belongs to one tensor as long as that lives
        self._slots = {id(x): i for i, x in enumerate(inputs)}
        self._inputs = len(inputs)
        with torch.no_grad(), self:
            results = function(*inputs)
        self.results = [self._slots.get(id(x), -1) for x in results]
        own = {x.untyped_storage().data_ptr() for x in inputs}
        if min(self.results) < 0 or any(x.untyped_storage().data_ptr() in own for x in results):
            raise Unrecordable("a result was not computed from the inputs")

    @classmethod
    def _should_skip_dynamo(cls) -> bool:
        """No: it would import torch's compiler, for a second, to switch it off."""
        return False

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        """Note one operation and run it."""
        kwargs = kwargs or {}
        _check(func, args)
        leaves, form = tree_flatten((args, kwargs))
        before = [Slot(self._slots[id(x)]) if id(x) in self._slots else x for x in leaves]
        results = func(*args, **kwargs)
        written = [x for x, argument in zip(args, func._schema.arguments, strict=False) if argument.is_write]
        if any(self._slots.get(id(x), -1) < self._inputs for x in written):
            raise Unrecordable("a constant or an input is changed in place")
        single = not isinstance(results, (tuple, list))
        slots = [self._slot(x) for x in ([results] if single else results)]
        self.steps.append(Step(func, before, form, slots, single))
        return results

    def _slot(self, tensor: Any) -> int | None:
        """The slot of a result: a new one, unless it is a tensor that was changed in place."""
        if not isinstance(tensor, Tensor):
            return None
        if id(tensor) not in self._slots:
            self._slots[id(tensor)] = len(self.tensors)
            self.tensors.append(tensor)
        return self._slots[id(tensor)]


def _check(operation: Any, args: Any) -> None:
    """Refuse what is random, and what depends on values: numbers read from tensors, the size of x[x > 0]."""
    if REFUSED & set(operation.tags):
        raise Unrecordable(f"{operation} depends on values or on chance")
    if torch.Tag.dynamic_output_shape in operation.tags:
        index = operation is torch.ops.aten.index.Tensor
        chosen = [x for x in args[1] if x is not None] if index else []
        if not chosen or any(x.dtype in (torch.bool, torch.uint8) for x in chosen):
            raise Unrecordable(f"the shape that {operation} gives depends on values")
