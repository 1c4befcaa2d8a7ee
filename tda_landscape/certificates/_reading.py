"""From a torch module to a program: `torch.fx` lists the layers, the tables say which rule each has."""

from __future__ import annotations

import operator
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from torch import fx, nn
from torch.nn import functional

from tda_landscape._errors import InputError
from tda_landscape.certificates._layers import MODULES, Spans
from tda_landscape.certificates._operations import OPERATIONS, Call, Rows
from tda_landscape.certificates._program import Program, Step
from tda_landscape.certificates._segments import Span
from tda_landscape.certificates.rules import Rule
from tda_landscape.certificates.rules._products import Dense
from tda_landscape.certificates.rules.affine import Affine
from tda_landscape.certificates.rules.arithmetic import Parameter

HINT = "pass lipschitz= or curvature= to certify any energy by a bound of your own"


class _Tracer(fx.Tracer):
    """Looks into modules of the user's own; layers of torch stay whole."""

    def is_leaf_module(self, m: nn.Module, module_qualified_name: str) -> bool:
        """Leave the layers of torch alone, but not its containers."""
        return type(m) in MODULES or (
            m.__module__.startswith("torch.nn") and not isinstance(m, (nn.Sequential, nn.ModuleList, nn.ModuleDict))
        )


def read_program(module: nn.Module) -> Program:
    """List the layers of a module as rules; refuse one that has no rule, by its name."""
    root = nn.Sequential(module) if type(module) in MODULES else module
    try:
        graph = _Tracer().trace(root)
    except Exception as error:  # whatever the user's forward does with a symbolic input
        reason = str(error).splitlines()[0] if str(error) else type(error).__name__
        raise InputError(
            f"the forward of {type(module).__name__} cannot be read ({reason}); write it without branches, or {HINT}"
        ) from error
    spans, begin = Spans(), 0
    for parameter in module.parameters():
        spans[parameter] = Span(begin, tuple(parameter.shape))
        begin += parameter.numel()
    reader = _Reader(root, spans, [], [True], {})
    for node in graph.nodes:
        reader.read(node)
    return Program(tuple(reader.steps), tuple(reader.constant))


@dataclass
class _Reader:
    """Goes through the nodes of a graph; `known` maps each to its step, or to a number of rows."""

    module: nn.Module
    spans: Spans
    steps: list[Step]
    constant: list[bool]
    known: dict[fx.Node, int | Rows]

    def read(self, node: fx.Node) -> None:
        """Add what one node stands for."""
        if node.op == "placeholder":
            if self.known and not node.users:  # an option that this forward does not use
                return
            if self.known:
                raise InputError(f"the forward of {type(self.module).__name__} takes more than one input")
            self.known[node] = 0
        elif node.op == "get_attr":
            self.known[node] = self._parameter(node)
        elif node.op == "call_module":
            self.known[node] = self._layer(node)
        elif node.op == "output":
            result = self.known.get(node.args[0]) if isinstance(node.args[0], fx.Node) else None
            if result != len(self.steps) or not self.steps:
                raise InputError(f"the output of {type(self.module).__name__} is not one tensor of its last layer")
        else:
            self.known[node] = self._operation(node)

    def _append(self, name: str, rule: Rule, inputs: tuple[int, ...], *, parameters: bool) -> int:
        """Add a step and return its number."""
        self.steps.append(Step(name, rule, inputs))
        self.constant.append(not parameters and all(self.constant[i] for i in inputs))
        return len(self.steps)

    def _parameter(self, node: fx.Node) -> int:
        """A parameter used by itself."""
        tensor = operator.attrgetter(str(node.target))(self.module)
        if not isinstance(tensor, nn.Parameter):
            raise InputError(f"the tensor {node.target} is no parameter, and has no certified rule; {HINT}")
        return self._append(str(node.target), Parameter(self.spans[tensor]), (), parameters=True)

    def _layer(self, node: fx.Node) -> int:
        """A layer of torch, by its type."""
        layer = self.module.get_submodule(str(node.target))
        name = f"{type(layer).__name__} ({node.target})"
        inputs = tuple(self._step(argument, name) for argument in node.args)
        if type(layer) not in MODULES:
            raise InputError(f"layer {name} has no certified rule; {HINT}")
        rule = MODULES[type(layer)](layer, self.spans, name)
        if rule is None:  # it changes nothing
            return inputs[0]
        return self._append(name, rule, inputs, parameters=any(True for _ in layer.parameters()))

    def _operation(self, node: fx.Node) -> int | Rows:
        """A function of torch, an operator, or a method of a tensor."""
        target: Any = node.target
        key: Callable[..., Any] | str = target
        name = target if isinstance(target, str) else getattr(target, "__name__", str(target))
        if key is functional.linear:
            return self._linear(node)
        if key not in OPERATIONS:
            raise InputError(f"operation {name} in {type(self.module).__name__} has no certified rule; {HINT}")
        arguments = [self.known[a] if isinstance(a, fx.Node) else a for a in node.args]
        nodes = [isinstance(a, fx.Node) for a in node.args]
        call = OPERATIONS[key](Call(name, arguments, nodes, dict(node.kwargs)))
        if isinstance(call, Rows):
            return call
        rule, inputs = call
        return self._append(name, rule, inputs, parameters=False)

    def _linear(self, node: fx.Node) -> int:
        """functional.linear with parameters of the module."""
        given: dict[str, Any] = dict(zip(("input", "weight", "bias"), node.args, strict=False)) | dict(node.kwargs)
        spans = []
        for name in ("weight", "bias"):
            step = self.known.get(given[name]) if isinstance(given.get(name), fx.Node) else None
            rule = self.steps[step - 1].rule if isinstance(step, int) and step > 0 else None
            spans.append(rule.span if isinstance(rule, Parameter) else None)
        if spans[0] is None or (spans[1] is None and given.get("bias") is not None):
            raise InputError(
                f"operation linear in {type(self.module).__name__} has weights that are no parameters; {HINT}"
            )
        rule = Affine(Dense(), spans[0], spans[1])
        return self._append("linear", rule, (self._step(given["input"], "linear"),), parameters=True)

    def _step(self, argument: Any, name: str) -> int:
        """The step that an argument names."""
        found = self.known.get(argument) if isinstance(argument, fx.Node) else None
        if not isinstance(found, int):
            raise InputError(f"layer {name} takes an input that is no tensor of the network; {HINT}")
        return found
