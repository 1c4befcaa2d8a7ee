"""Read the structure of a torch module from its traced graph."""

from __future__ import annotations

import operator
from dataclasses import replace
from typing import Any

import torch
from torch import Tensor, fx

from tda_landscape._errors import InputError
from tda_landscape.energy._network import Network
from tda_landscape.energy.symmetry._labels import Labels, Signal
from tda_landscape.energy.symmetry._rules import RULES, WITH_WEIGHT, Call, NotUnderstoodError
from tda_landscape.energy.symmetry._units import Structure

WAY_OUT = "pass symmetry=None, or a symmetry of your own"
PLAIN = (int, float, bool, str, torch.Size, torch.dtype, torch.device, type(None))


def read_structure(network: Network) -> Structure:
    """Find the units of a network that may be exchanged, flipped or rescaled without changing its function.

    Parameters
    ----------
    network : Network

    Returns
    -------
    Structure
        What the layers promise; the loss, the penalty and the data have not been asked yet.

    Raises
    ------
    InputError
        The module cannot be traced, or holds an operation without a rule.

    Notes
    -----
    The module is traced symbolically (torch.fx) and its graph is walked from input to output with one label for
    the units, the sign and the scale of each tensor: layers make new labels, activations keep or fix them,
    additions join them.
    """
    graph, shapes = _trace(network)
    labels, signals = Labels(), dict[fx.Node, Signal]()
    offsets, names = _parameters(network)
    for node in graph.nodes:
        if node.op == "placeholder":
            signals[node] = labels.fixed(min(1, len(shapes[node]) - 1))
        elif node.op == "output":
            for result in node.all_input_nodes:
                if result in signals:
                    labels.freeze_all(signals[result])
        elif node in shapes and node.op != "get_attr":
            signals[node] = _label(labels, node, network.module, signals, shapes, names)
    folds = [replace(fold, weight=offsets[w][0], bias=offsets[b][0]) for (w, b), fold in labels.norms.items()]
    return Structure(labels.units(offsets), tuple(folds), labels.frames(offsets))


class _Shapes(fx.Interpreter):
    """Runs the graph once and notes the shape of every tensor."""

    def __init__(self, module: torch.nn.Module, graph: fx.Graph) -> None:
        super().__init__(module, graph=graph)
        self.shapes: dict[fx.Node, tuple[int, ...]] = {}

    def run_node(self, n: fx.Node) -> Any:
        result = super().run_node(n)
        if isinstance(result, Tensor):
            self.shapes[n] = tuple(result.shape)
        elif n.op != "output" and not isinstance(result, PLAIN):
            raise NotUnderstoodError(f"{n.name} gives a {type(result).__name__}, not a tensor")
        return result


def _trace(network: Network) -> tuple[fx.Graph, dict[fx.Node, tuple[int, ...]]]:
    """The graph of the module and the shapes of its tensors on two rows of the data."""
    try:
        graph = fx.Tracer().trace(network.module)
        interpreter = _Shapes(network.module, graph)
        with torch.no_grad():
            interpreter.run(network.inputs[:2])
    except Exception as error:  # user code runs here: whatever it raises, the structure is not known
        reason = str(error).splitlines()[0] if str(error) else type(error).__name__
        name = type(network.module).__name__
        raise InputError(f"the structure of {name} cannot be traced ({reason}); {WAY_OUT}") from error
    return graph, interpreter.shapes


def _parameters(network: Network) -> tuple[dict[str, tuple[int, tuple[int, ...]]], dict[int, str]]:
    """Start and shape of each parameter in the flat vector; the name of each, also where it is shared."""
    offsets, names, start = {}, {}, 0
    for name, parameter in network.module.named_parameters():
        offsets[name] = (start, tuple(parameter.shape))
        names[id(parameter)] = name
        start += parameter.numel()
    return offsets, names


def _label(
    labels: Labels,
    node: fx.Node,
    module: torch.nn.Module,
    signals: dict[fx.Node, Signal],
    shapes: dict[fx.Node, tuple[int, ...]],
    names: dict[int, str],
) -> Signal:
    """Label the output of one operation by its rule."""
    layer = module.get_submodule(str(node.target)) if node.op == "call_module" else None
    what = f"operation {node.name!r}" if layer is None else f"layer {str(node.target)!r} ({type(layer).__name__})"
    inputs = [n for n in (*node.args, *node.kwargs.values()) if isinstance(n, fx.Node) and n in signals]
    known = [signals[n] for n in inputs]
    tensors: dict[str, Tensor] = {} if layer is None else dict(layer.named_parameters(recurse=False))
    loose = [n for n in node.all_input_nodes if n.op == "get_attr"]
    if not tensors and not loose and all(labels.is_fixed(signals[n]) for n in node.all_input_nodes if n in signals):
        return labels.fixed(min(1, len(shapes[node]) - 1))
    rule = RULES.get(node.target if layer is None else type(layer))
    try:
        if rule is None:
            raise NotUnderstoodError("there is no rule for it")
        if loose:
            tensors = _loose_parameters(node, module, with_weight=rule in WITH_WEIGHT)
        parameters = {key: names[id(value)] for key, value in tensors.items()}
        call = Call(known, parameters, layer, node.args, dict(node.kwargs), [shapes[n] for n in inputs], shapes[node])
        return rule(labels, call)
    except NotUnderstoodError as why:
        raise InputError(f"the symmetries of {what} are not known: {why}; {WAY_OUT}") from why


def _loose_parameters(node: fx.Node, module: torch.nn.Module, *, with_weight: bool) -> dict[str, Tensor]:
    """Parameters that a function is given: weight and bias of a layer; else single numbers only."""
    given = dict(zip(("weight", "bias"), node.args[1:3], strict=False)) | node.kwargs
    held = {key: n for key, n in given.items() if isinstance(n, fx.Node) and n.op == "get_attr"}
    tensors = {key: operator.attrgetter(str(n.target))(module) for key, n in held.items()}
    if with_weight and all(isinstance(t, torch.nn.Parameter) for t in tensors.values()) and "weight" in tensors:
        return {key: t for key, t in tensors.items() if key in ("weight", "bias")}
    attributes = [n for n in node.all_input_nodes if n.op == "get_attr"]
    if any(operator.attrgetter(str(n.target))(module).numel() > 1 for n in attributes):
        raise NotUnderstoodError(f"it uses the tensor {str(attributes[0].target)!r}")
    return {}
