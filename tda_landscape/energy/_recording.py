"""Values and gradients recorded once for a shape, as the plain torch operations they are made of.

A recording is checked against autograd before it is used, and where it cannot be made autograd is used.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import torch
from torch import Tensor

Both = tuple[Tensor, Tensor]
Function = Callable[[Tensor], Tensor]

aten = torch.ops.aten
RESHAPING = {aten.expand.default, aten.view.default, aten._unsafe_view.default, aten.detach.default}
DIRECT: dict[Any, Any] = {
    aten._unsafe_view.default: torch.Tensor.view,
    aten.add.Tensor: torch.add,
    aten.addmm.default: torch.addmm,
    aten.amax.default: torch.amax,
    aten.bmm.default: torch.bmm,
    aten.cat.default: torch.cat,
    aten.convolution.default: torch.convolution,
    aten.div.Scalar: torch.div,
    aten.div.Tensor: torch.div,
    aten.exp.default: torch.exp,
    aten.expand.default: torch.Tensor.expand,
    aten.gather.default: torch.gather,
    aten.log.default: torch.log,
    aten.mean.dim: torch.mean,
    aten.mm.default: torch.mm,
    aten.mul.Scalar: torch.mul,
    aten.mul.Tensor: torch.mul,
    aten.neg.default: torch.neg,
    aten.relu.default: torch.relu,
    aten.scatter_add.default: torch.scatter_add,
    aten.split_with_sizes.default: torch.split_with_sizes,
    aten.sub.Tensor: torch.sub,
    aten.sum.dim_IntList: torch.sum,
    aten.t.default: torch.t,
    aten.tanh.default: torch.tanh,
    aten.transpose.int: torch.transpose,
    aten.unsqueeze.default: torch.unsqueeze,
    aten.view.default: torch.Tensor.view,
}
"""The same operations by a shorter way: half the overhead of each."""


@dataclass(frozen=True, slots=True, eq=False)
class Recorded:
    """Energies and gradients of a batched function at points (k, d)."""

    function: Function
    recordings: dict[int, Callable[[Tensor], Both]] = field(default_factory=dict)

    def value_and_grad(self, points: Tensor) -> Both:
        """Return energies (k,) and gradients (k, d)."""
        if len(points) not in self.recordings:
            self.recordings[len(points)] = self._record(points)
        with torch.no_grad():
            return self.recordings[len(points)](points)

    def plain(self, points: Tensor) -> Both:
        """By autograd: one forward over all points, one backward of the sum."""
        with torch.enable_grad():
            x = points.detach().requires_grad_()
            energies = self.function(x)
            (gradients,) = torch.autograd.grad(energies.sum(), x)
        return energies.detach(), gradients

    def _record(self, points: Tensor) -> Callable[[Tensor], Both]:
        """The recording where it agrees with autograd, at the points themselves and away from them."""
        probe = points.detach().nan_to_num(0.0, 0.0, 0.0)  # a chain that has diverged proves nothing
        try:
            recording: Callable[[Tensor], Both] = recorded(lambda x: self.plain(x), probe)  # of x alone, without self
            same = all(agree(recording(x), self.plain(x)) for x in (probe, 0.5 - 1.5 * probe))
        except (RuntimeError, TypeError, NotImplementedError):  # what cannot be recorded can still be evaluated
            return self.plain
        return recording if same else self.plain


def recorded(both: Callable[..., Both], *examples: Tensor) -> Callable[..., Both]:
    """Record a function of tensors of these shapes; the recording checks nothing and branches nowhere."""
    from torch.fx.experimental.proxy_tensor import make_fx

    with torch.no_grad():
        graph = make_fx(both)(*examples)
    if any(_shape_depends_on_values(node) for node in graph.graph.nodes):
        raise RuntimeError("a recording has fixed shapes")
    _drop_idle(graph)
    forward: Callable[..., Both] = graph.forward
    return forward


def agree(fast: Both, slow: Both) -> bool:
    """Whether two answers are the same up to rounding."""
    tolerance = 1e-9 if slow[0].dtype == torch.float64 else 1e-4
    scale = float(slow[1].nan_to_num(0.0, 0.0, 0.0).abs().max())
    energies = torch.allclose(fast[0], slow[0], rtol=tolerance, atol=tolerance, equal_nan=True)
    return energies and torch.allclose(fast[1], slow[1], rtol=tolerance, atol=tolerance * scale, equal_nan=True)


def _shape_depends_on_values(node: torch.fx.Node) -> bool:
    """Whether the size of what an operation returns depends on numbers, as that of x[x > 0] does."""
    if torch.Tag.dynamic_output_shape not in getattr(node.target, "tags", ()):
        return False
    chosen: Any = node.args[1] if node.target is aten.index.Tensor else []
    kinds = [_kind(index) for index in chosen if isinstance(index, torch.fx.Node)]
    return not kinds or any(kind in (torch.bool, torch.uint8) for kind in kinds)


def _kind(node: torch.fx.Node) -> torch.dtype:
    """The kind of numbers that a node gives; a constant of the function is an attribute of the recording."""
    if node.op == "get_attr":
        constant: Tensor = getattr(node.graph.owning_module, str(node.target))
        return constant.dtype
    kind: torch.dtype = node.meta["tensor_meta"].dtype
    return kind


def _drop_idle(graph: torch.fx.GraphModule) -> None:
    """Remove operations that give back what they were given: vmap leaves many of them. Call the rest directly."""
    for node in list(graph.graph.nodes):
        source = node.args[0] if node.op == "call_function" and node.args else None
        if isinstance(source, torch.fx.Node) and _is_idle(node, source):
            node.replace_all_uses_with(source)
            graph.graph.erase_node(node)
        elif node.op == "call_function":
            node.target = DIRECT.get(node.target, node.target)
    graph.graph.eliminate_dead_code()
    graph.recompile()


def _is_idle(node: torch.fx.Node, source: torch.fx.Node) -> bool:
    """Whether a reshaping, or a product with 1, changes nothing."""
    before, after = source.meta.get("tensor_meta"), node.meta.get("tensor_meta")
    if before is None or after is None or before.dtype != after.dtype:
        return False
    idle = node.target in RESHAPING or (node.target is aten.mul.Scalar and node.args[1] == 1)
    return bool(idle) and (before.shape, before.stride) == (after.shape, after.stride)
