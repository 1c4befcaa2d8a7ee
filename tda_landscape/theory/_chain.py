"""A network read as what the theorems speak of: linear layers with one activation between each two of them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import torch
from torch import Tensor, fx, nn

from tda_landscape._errors import InputError
from tda_landscape.energy._network import Network

Activation = Callable[[Tensor], Tensor]
Layer = tuple[Tensor, Tensor | None]
"""Weight (out, in) and bias (out,) of a linear layer."""


@dataclass(frozen=True, slots=True, eq=False)
class Chain:
    """x -> W_K a(... a(W_1 x + b_1) ...) + b_K, with features x of the data.

    Attributes
    ----------
    features : Tensor (n, n_0)
        The inputs as the first linear layer sees them.
    widths : tuple of int
        n_0, ..., n_K.
    activations : tuple of callable
        One after each layer but the last, applied unit by unit.
    names : tuple of str
        Of the activations, as the module has them.
    biased : tuple of bool
        Which layers have a bias.
    """

    features: Tensor
    widths: tuple[int, ...]
    activations: tuple[Activation, ...]
    names: tuple[str, ...]
    biased: tuple[bool, ...]
    starts: tuple[tuple[int, int], ...]

    @property
    def linear(self) -> bool:
        """Whether every activation is the identity."""
        return all(
            torch.equal(a(x), x)
            for a, n in zip(self.activations, self.widths[1:], strict=False)
            for x in (1e-6 * _probe(n), _probe(n), 1e6 * _probe(n))
        )

    def layers(self, point: Tensor) -> list[Layer]:
        """Cut a parameter vector (d,) into weights and biases."""
        found: list[Layer] = []
        for k, (weight, bias) in enumerate(self.starts):
            rows, columns = self.widths[k + 1], self.widths[k]
            matrix = point[weight : weight + rows * columns].view(rows, columns)
            found.append((matrix, point[bias : bias + rows] if self.biased[k] else None))
        return found

    def vector(self, layers: Sequence[Layer]) -> Tensor:
        """Join weights (..., out, in) and biases (..., out) to parameter vectors (..., d)."""
        front = torch.broadcast_shapes(*(weight.shape[:-2] for weight, _ in layers))
        size = sum(w.shape[-2] * w.shape[-1] + (0 if b is None else b.shape[-1]) for w, b in layers)
        point = layers[0][0].new_empty(*front, size)
        for (weight, bias), (w, b) in zip(self.starts, layers, strict=True):
            point[..., weight : weight + w.shape[-2] * w.shape[-1]] = w.flatten(-2)
            if b is not None:
                point[..., bias : bias + b.shape[-1]] = b
        return point

    def outputs(self, point: Tensor) -> Tensor:
        """Outputs (n, n_K) on the data."""
        x = self.features
        for k, (weight, bias) in enumerate(self.layers(point)):
            x = x @ weight.T if bias is None else x @ weight.T + bias
            x = self.activations[k](x) if k < len(self.activations) else x
        return x


def read_chain(network: Network) -> Chain:
    """Read a network as a chain, or say in a sentence why it is none."""
    module = network.module
    try:
        graph = fx.Tracer().trace(nn.Sequential(module) if isinstance(module, nn.Linear) else module)
    except Exception as error:  # whatever the user's forward does with a symbolic input
        raise InputError(
            f"the forward of {type(module).__name__} cannot be read ({str(error).splitlines()[0]}); the theorems speak "
            "of linear layers with an activation between them"
        ) from error
    root = nn.Sequential(module) if isinstance(module, nn.Linear) else module
    nodes = [node for node in graph.nodes if node.op != "output"]
    at = [i for i, node in enumerate(nodes) if _is_linear(node, root)]
    if not at:
        raise InputError(f"{type(module).__name__} has no linear layer; the theorems speak of networks that have some")
    pieces = [_piece(root, nodes[i + 1 : j], nodes[i]) for i, j in zip(at, [*at[1:], len(nodes)], strict=True)]
    front = _piece(root, nodes[1 : at[0]], nodes[0])
    linear: list[nn.Linear] = [root.get_submodule(str(nodes[i].target)) for i in at]  # type: ignore[misc]
    _check_parameters(network, linear)
    names = tuple(_name(root, nodes[i + 1 : j]) for i, j in pairwise(at))
    for piece, name, layer in zip(pieces, names, linear, strict=False):
        _check_unitwise(piece, name, layer.out_features)
    _check_tail(pieces[-1], linear[-1].out_features)
    places = _places(network.module)
    chain = Chain(
        features=front(network.inputs),
        widths=(linear[0].in_features, *(layer.out_features for layer in linear)),
        activations=tuple(pieces[:-1]),
        names=names,
        biased=tuple(layer.bias is not None for layer in linear),
        starts=tuple((places[layer.weight], places.get(layer.bias, -1)) for layer in linear),
    )
    _check_outputs(network, chain)
    return chain


def _is_linear(node: fx.Node, root: nn.Module) -> bool:
    return node.op == "call_module" and isinstance(root.get_submodule(str(node.target)), nn.Linear)


def _piece(root: nn.Module, nodes: list[fx.Node], source: fx.Node) -> Activation:
    """What stands between two linear layers, as a function of its own."""
    graph = fx.Graph()
    known: dict[fx.Node, fx.Node] = {source: graph.placeholder("x")}
    for node in nodes:
        if node.op == "placeholder" or any(used not in known for used in node.all_input_nodes):
            raise InputError(
                f"{node.name} joins more than the layer before it; the theorems speak of chains, without skips"
            )
        known[node] = graph.node_copy(node, lambda n: known[n])
    graph.output(known[nodes[-1]] if nodes else known[source])
    return fx.GraphModule(root, graph)


def _name(root: nn.Module, nodes: list[fx.Node]) -> str:
    """The operations of a piece, in words."""

    def of(node: fx.Node) -> str:
        if node.op == "call_module":
            return type(root.get_submodule(str(node.target))).__name__
        return getattr(node.target, "__name__", str(node.target))

    return " ".join(of(node) for node in nodes) or "identity"


def _probe(width: int) -> Tensor:
    """Numbers (2, width) that activations are tried on."""
    return torch.linspace(-2, 2, 2 * width, dtype=torch.float64).view(2, width)


def _check_unitwise(piece: Activation, name: str, width: int) -> None:
    """Refuse what mixes units or rows, or treats them differently."""
    x = _probe(width)
    with torch.no_grad():
        together, mixed = piece(x), piece(x.flip(0, 1))
    same = together.shape == x.shape and torch.allclose(together.flip(0, 1), mixed, rtol=1e-12, atol=1e-12)
    changed = x.clone()
    changed[0, 0] += 1
    with torch.no_grad():
        if not same or not torch.equal(piece(changed).flatten()[1:], together.flatten()[1:]):
            raise InputError(f"{name} between two linear layers does not act on each unit by itself, in the same way")


def _check_tail(piece: Activation, outputs: int) -> None:
    """Refuse what changes the outputs after the last layer; a change of shape is allowed."""
    x = torch.arange(3.0 * outputs, dtype=torch.float64).view(3, outputs) / outputs - 1
    with torch.no_grad():
        y = piece(x)
    if y.numel() != x.numel() or not torch.equal(y.reshape(x.shape), x):
        raise InputError("the outputs are changed after the last linear layer; put that into the loss")


def _check_parameters(network: Network, linear: list[nn.Linear]) -> None:
    """Every parameter belongs to one linear layer, once."""
    own = [id(p) for layer in linear for p in layer.parameters(recurse=False)]
    if len(set(own)) != len(own):
        raise InputError("a linear layer is used twice; the theorems speak of layers with weights of their own")
    others = [name for name, p in network.module.named_parameters() if id(p) not in set(own)]
    if others:
        raise InputError(f"parameter {others[0]!r} belongs to no linear layer; the theorems do not cover it")
    if network.inputs.ndim < 2 or not network.inputs.is_floating_point():
        given = f"{network.inputs.dtype} of shape {tuple(network.inputs.shape)}"
        raise InputError(f"the inputs must be rows of floats, got {given}")


def _places(module: nn.Module) -> dict[Any, int]:
    """Where each parameter begins in the parameter vector."""
    places, begin = {}, 0
    for parameter in module.parameters():
        places[parameter] = begin
        begin += parameter.numel()
    return places


def _check_outputs(network: Network, chain: Chain) -> None:
    """See that the chain computes what the module computes."""
    point = network.flatten(network.module)
    with torch.no_grad():
        given = network.module(network.inputs).reshape(len(chain.features), -1)
        own = chain.outputs(point)
    if given.shape != own.shape or not torch.allclose(given, own, rtol=1e-9, atol=1e-12):
        raise InputError("the module computes something else than the chain of its layers, so no theorem covers it")
