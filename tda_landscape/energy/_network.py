"""A torch module with its data, loss and penalty, as a function of one flat vector of parameters."""

from __future__ import annotations

import copy
import warnings
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn
from torch.func import functional_call

from tda_landscape._errors import InputError, described, expect, expect_number, shown
from tda_landscape.energy._plan import widest
from tda_landscape.energy._words import words_of_network

Loss = Callable[[Any, Any], Tensor]
Place = tuple[dict[str, Any], str, str]
"""Where a module keeps a parameter, under which key, and the name that it has among all parameters."""
Regularizer = Callable[[dict[str, Tensor]], Tensor]


@dataclass(frozen=True, slots=True, eq=False)
class Network:
    """Module, data, loss and penalty: E(theta) = loss(module(X), y) + weight_decay |theta|^2 + regularizer.

    The module is a private copy: the user's weights and buffers are never touched.
    """

    module: nn.Module
    loss: Loss
    inputs: Tensor
    targets: Tensor
    weight_decay: float
    regularizer: Regularizer | None
    vmap: bool = True
    places: tuple[Place, ...] = ()
    activations: float = 0.0
    """Numbers of the largest layer, for a row of the data."""

    def __repr__(self) -> str:
        return words_of_network(self)

    def unflatten(self, vector: Tensor) -> dict[str, Tensor]:
        """Cut a vector (d,), or each of many (k, d), into the module's named parameters."""
        own = list(self.module.named_parameters())
        pieces = vector.split([parameter.numel() for _, parameter in own], -1)
        front = vector.shape[:-1]
        return {name: piece.view((*front, *like.shape)) for (name, like), piece in zip(own, pieces, strict=True)}

    def flatten(self, parameters: nn.Module | Mapping[str, Tensor]) -> Tensor:
        """Join named parameters, e.g. a state dict, to a vector (d,); names and shapes must fit."""
        given = dict(parameters.named_parameters()) if isinstance(parameters, nn.Module) else parameters
        pieces = []
        for name, own in self.module.named_parameters():
            if name not in given or given[name].shape != own.shape:
                found = tuple(given[name].shape) if name in given else "nothing"
                raise InputError(f"parameter {name!r} needs shape {tuple(own.shape)}, got {found}")
            pieces.append(given[name].detach().reshape(-1).to(own.dtype))
        return torch.cat(pieces)

    def outputs(self, parameters: dict[str, Tensor], inputs: Tensor) -> Any:
        """What the module gives with other parameters; `functional_call` takes as long as a small module itself."""
        if not self.places:
            return functional_call(self.module, parameters, (inputs,))
        own = [here[key] for here, key, _ in self.places]
        try:
            for here, key, name in self.places:
                here[key] = parameters[name]
            return self.module(inputs)
        finally:
            for (here, key, _), parameter in zip(self.places, own, strict=True):
                here[key] = parameter

    def value(self, vector: Tensor) -> Tensor:
        """Energy of one parameter vector (d,), a scalar."""
        parameters = self.unflatten(vector)
        value = self.loss(self.outputs(parameters, self.inputs), self.targets)
        value = value + self.weight_decay * vector.square().sum()
        return value if self.regularizer is None else value + self.regularizer(parameters)

    def value_at(
        self, parameters: dict[str, Tensor], inputs: Tensor, targets: Tensor, loss: Loss | None = None
    ) -> Tensor:
        """Energy of one set of named parameters on the given data."""
        value = (loss or self.loss)(self.outputs(parameters, inputs), targets)
        if self.weight_decay:
            value = value + self.weight_decay * sum(p.square().sum() for p in parameters.values())
        return value if self.regularizer is None else value + self.regularizer(parameters)

    def values_on(self, points: Tensor, inputs: Tensor, targets: Tensor) -> Tensor:
        """Energies (k,) of points (k, d), each on its own inputs (k, b, ...) and targets, differentiable."""

        def one(vector: Tensor, inputs: Tensor, targets: Tensor) -> Tensor:
            return self.value_at(self.unflatten(vector), inputs, targets)

        if self.vmap:
            energies: Tensor = torch.vmap(one)(points, inputs, targets)
            return energies
        return torch.stack([one(*row) for row in zip(points, inputs, targets, strict=True)])

    def values(self, points: Tensor) -> Tensor:
        """Energies (k,) of points (k, d), differentiable."""
        if len(points) == 0:
            return points.sum(1)
        if self.vmap:
            energies: Tensor = torch.vmap(self.value)(points)
            return energies
        return torch.stack([self.value(point) for point in points])

    def on_rows(self, rows: Tensor) -> Network:
        """The same network on some rows of the data."""
        return replace(self, inputs=self.inputs[rows], targets=self.targets[rows])

    def stochastic_layers(self) -> str:
        """Name the layers that make a module random or moving in train mode, e.g. "1 Dropout"."""
        kinds = Counter(
            type(m).__name__
            for m in self.module.modules()
            if m.training
            and (("Dropout" in type(m).__name__ and getattr(m, "p", 1) > 0) or getattr(m, "track_running_stats", False))
        )
        return " and ".join(f"{n} {kind}" for kind, n in kinds.items())


def read_network(
    model: nn.Module,
    loss: Loss,
    data: tuple[Any, Any],
    weight_decay: float,
    regularizer: Regularizer | None,
    dtype: torch.dtype,
) -> Network:
    """Copy a model and its data at one precision, and refuse what cannot be an energy."""
    if not isinstance(model, nn.Module):
        raise InputError(f"model must be a torch.nn.Module, got {described(model)}")
    if not callable(loss) or isinstance(loss, type):
        hint = f"; write {loss.__name__}()" if isinstance(loss, type) else ", such as torch.nn.functional.mse_loss"
        raise InputError(f"loss must be a function of (outputs, targets), got {described(loss)}{hint}")
    if not (isinstance(data, (tuple, list)) and len(data) == 2):
        raise InputError(f"data must be a pair (inputs, targets) of tensors or arrays, got {described(data)}")
    expect(Callable | None, regularizer=regularizer)
    if not isinstance(dtype, torch.dtype) or not dtype.is_floating_point:
        raise InputError(f"dtype must be torch.float64 or torch.float32, got {shown(dtype)}")
    expect_number("[0, inf)", weight_decay=weight_decay)
    inputs, targets = (_as_data(part, name, dtype) for part, name in zip(data, ("inputs", "targets"), strict=True))
    if len(inputs) == 0 or len(inputs) != len(targets):
        raise InputError(
            f"data holds {len(inputs)} inputs and {len(targets)} targets; give as many of both, at least one"
        )
    module = copy.deepcopy(model).to(dtype).requires_grad_(False)
    if next(module.parameters(), None) is None:
        raise InputError("the model has no parameters, so there is no landscape")
    network = Network(module, loss, inputs, targets, float(weight_decay), regularizer, places=_places(module))
    _check_value(network)
    vector = network.flatten(module).requires_grad_()
    return replace(network, activations=widest(lambda: network.value(vector), inputs, targets) / len(inputs))


def _places(module: nn.Module) -> tuple[Place, ...]:
    """Every place that holds a parameter, tied ones too; none where a module keeps its parameters elsewhere as well."""
    if any(isinstance(part, nn.RNNBase) for part in module.modules()):
        return ()
    names = {id(parameter): name for name, parameter in module.named_parameters()}
    kept = [(part._parameters, key, p) for part in module.modules() for key, p in part._parameters.items()]
    return tuple((here, key, names[id(p)]) for here, key, p in kept if p is not None)


def _as_data(part: Any, name: str, dtype: torch.dtype) -> Tensor:
    """A tensor at the energy's precision where it is of floats; NaN refused."""
    try:
        tensor = part if isinstance(part, Tensor) else torch.as_tensor(np.asarray(part))
    except (TypeError, ValueError, RuntimeError):
        raise InputError(f"{name} must be a tensor or an array of numbers, got {described(part)}") from None
    tensor = tensor.detach().clone()  # what the user does to the data later is not this energy
    if tensor.is_floating_point():
        tensor = tensor.to(dtype)
        if not torch.isfinite(tensor).all():
            raise InputError(f"{name} contain NaN or infinite numbers; clean the data first")
    if tensor.ndim == 0:
        raise InputError(f"{name} is a single number; give one row per example")
    return tensor


def _check_value(network: Network) -> None:
    """Evaluate twice: one finite scalar, the same both times, no buffer moved."""
    vector = network.flatten(network.module)
    buffers = [b.clone() for b in network.module.buffers()]
    with torch.no_grad(), torch.random.fork_rng(devices=[]):
        first = _evaluate(network, vector)
        second = _evaluate(network, vector)
    if not torch.isfinite(first):
        raise InputError(f"the loss is {float(first)} at the model's own weights; check the weights and the loss")
    moved = any(not torch.equal(old, new) for old, new in zip(buffers, network.module.buffers(), strict=True))
    layers = network.stochastic_layers()
    if moved or layers or float(first) != float(second):
        differ = f"the energy changes ({first:.6g}, then {second:.6g})"
        what = "the model's buffers move" if moved else differ if first != second else "the energy may change"
        why = f"the model has {layers} in train mode; call model.eval() first" if layers else "make it deterministic"
        raise InputError(f"{what} between two identical calls: {why}")
    with torch.enable_grad():
        output = network.outputs(network.unflatten(vector.requires_grad_()), network.inputs)
        if not network.loss(output, network.targets).requires_grad:
            raise InputError(
                "the loss has no gradient: something in model or loss cuts it (detach, no_grad); remove that"
            )


def _check_rows(loss: Loss, outputs: Any, targets: Tensor) -> None:
    """Refuse targets (n,) beside outputs (n, 1), where the loss compares each output with all targets.

    Then the order of the targets does not matter, though their values do.
    """
    if not isinstance(outputs, Tensor) or outputs.shape == targets.shape or outputs.numel() != targets.numel():
        return
    trial = torch.rand(outputs.shape, generator=torch.Generator().manual_seed(0), dtype=outputs.dtype)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # torch's own losses warn, and go on
        own, turned, level = (
            torch.as_tensor(loss(trial, part)) for part in (targets, targets.roll(1, 0), targets[:1].expand_as(targets))
        )
    if torch.allclose(own, turned) and not torch.allclose(own, level):
        raise InputError(
            f"the loss compares each output with all targets: outputs have shape {tuple(outputs.shape)}, targets "
            f"{tuple(targets.shape)}; reshape the targets, targets.reshape({tuple(outputs.shape)})"
        )


def _evaluate(network: Network, vector: Tensor) -> Tensor:
    """One value, with the user's shape errors in one sentence."""
    try:
        output = network.outputs(network.unflatten(vector), network.inputs)
        _check_rows(network.loss, output, network.targets)
        if not isinstance(network.loss(output, network.targets), Tensor):
            raise InputError("the loss returned no tensor, so it has no gradient; return one torch number")
        value = network.value(vector)
    except InputError:
        raise
    except (RuntimeError, ValueError, TypeError, IndexError) as error:
        shapes = f"inputs {tuple(network.inputs.shape)} and targets {tuple(network.targets.shape)}"
        raise InputError(f"model and loss fail on {shapes}: {str(error).splitlines()[0]}") from error
    if value.ndim != 0:
        raise InputError(f"the loss returned shape {tuple(value.shape)}; it must be one number, e.g. the mean")
    return value
