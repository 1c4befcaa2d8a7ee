"""Many copies of a network at once: value and gradient at each point, recorded once as plain torch operations.

`vmap(grad)` pays for its dispatch in every call, which is most of the time of a small network. Recording it once and
running what was recorded pays for the arithmetic alone. A recording is for one shape; it is checked against the
network itself before it is used, and where it cannot be made the points are evaluated one by one.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import torch
from torch import Tensor
from torch.func import grad_and_value
from torch.nn import functional as F

from tda_landscape._errors import InputError
from tda_landscape.energy._network import Network
from tda_landscape.energy._recording import Both, Function, Recorded, agree, recorded

Recording = Callable[[Tensor, Tensor, Tensor], Both]


@dataclass(frozen=True, slots=True, eq=False)
class Replicas:
    """Energies and gradients of a network at points (k, d), on shared data or on the own rows (k, b) of each."""

    network: Network
    recordings: dict[Any, Recording] = field(default_factory=dict)

    def value_and_grad(self, points: Tensor, rows: Tensor | None = None) -> Both:
        """Return energies (k,) and gradients (k, d)."""
        inputs, targets = self.network.inputs, self.network.targets
        if rows is not None:
            inputs, targets = _take(inputs, rows), _take(targets, rows)
        key = (len(points), None if rows is None else rows.shape[1])
        if key not in self.recordings:
            self.recordings[key] = self._record(points, inputs, targets, own=rows is not None)
        with torch.no_grad():
            return self.recordings[key](points, inputs, targets)

    def _record(self, points: Tensor, inputs: Tensor, targets: Tensor, own: bool) -> Recording:
        """The fast way where it agrees with the plain one, else the plain one."""

        def plain(points: Tensor, inputs: Tensor, targets: Tensor) -> Both:
            many = (inputs, targets) if own else (inputs.expand(1, *inputs.shape), targets.expand(1, *targets.shape))
            data = [part if own else part.expand(len(points), *part.shape[1:]) for part in many]
            pairs = [_one_by_autograd(self.network, *row) for row in zip(points, *data, strict=True)]
            return torch.stack([value for value, _ in pairs]), torch.stack([gradient for _, gradient in pairs])

        if not self.network.vmap or len(points) == 0:
            return plain
        probe = points.detach().nan_to_num(0.0, 0.0, 0.0)  # a chain that has diverged proves nothing
        try:
            recording = _recorded(self.network, probe, inputs, targets, own)
            fast, slow = recording(probe, inputs, targets), plain(probe, inputs, targets)
        except (RuntimeError, TypeError, NotImplementedError):  # what cannot be recorded can still be evaluated
            return plain
        return recording if agree(fast, slow) else plain


def fast_gradients(
    network: Network | None, function: Function, gradient: Function | None
) -> Replicas | Recorded | None:
    """The quickest way to values and gradients of an energy; None where its gradient is the user's own."""
    if network is not None:
        return Replicas(network)
    return Recorded(function) if gradient is None else None


@dataclass(frozen=True, slots=True, eq=False)
class Minibatches:
    """The energy of so many points, each on its own rows (k, b) of the data."""

    replicas: Replicas
    rows: Tensor
    chunk_size: int

    def values(self, points: Tensor) -> Tensor:
        """Energies (k,), differentiable."""
        network = self.replicas.network
        parts = self._parts(points)
        return torch.cat([network.values_on(x, network.inputs[rows], network.targets[rows]) for x, rows in parts])

    def value_and_grad(self, points: Tensor) -> Both:
        """Energies (k,) and gradients (k, d)."""
        answers = [self.replicas.value_and_grad(x, rows) for x, rows in self._parts(points)]
        if len(answers) == 1:
            return answers[0]
        return torch.cat([e for e, _ in answers]), torch.cat([g for _, g in answers])

    def _parts(self, points: Tensor) -> list[tuple[Tensor, Tensor]]:
        if len(points) != len(self.rows):
            raise InputError(f"minibatches were drawn for {len(self.rows)} chains, got {len(points)} points")
        return list(zip(points.split(self.chunk_size), self.rows.split(self.chunk_size), strict=True))


FastGradients = Replicas | Minibatches | Recorded


def draw_rows(
    network: Network,
    replicas: FastGradients | None,
    size: int,
    chains: int | None,
    chunk_size: int,
    generator: torch.Generator,
) -> dict[str, Any]:
    """What changes in an energy on a random minibatch: one for all points, or one for each of so many chains."""
    total = len(network.inputs)
    if chains is None:
        part = network.on_rows(torch.randperm(total, generator=generator)[:size])
        return {"function": part.values, "network": part, "replicas": None}
    rows = distinct_rows(chains, size, total, generator)
    own = Minibatches(replicas if isinstance(replicas, Replicas) else Replicas(network), rows, chunk_size)
    return {"function": own.values, "network": None, "replicas": own, "chunk_size": chains}


def distinct_rows(chains: int, size: int, total: int, generator: torch.Generator) -> Tensor:
    """Draw a minibatch without replacement for each chain: (chains, size) row numbers below `total`.

    Repeated rows are drawn again until there are none. Nothing in this depends on the names of the rows, so every
    subset is equally likely.
    """
    if 4 * size > total:
        return torch.rand(chains, total, generator=generator).argsort(1)[:, :size]
    rows = torch.randint(total, (chains, size), generator=generator)
    numbers = rows.numpy()  # the same memory: numpy sorts short rows several times faster
    numbers.sort(1)
    while (repeated := numbers[:, 1:] == numbers[:, :-1]).any():
        numbers[:, 1:][repeated] = torch.randint(total, (int(repeated.sum()),), generator=generator).numpy()
        numbers.sort(1)
    return rows


def _recorded(network: Network, points: Tensor, inputs: Tensor, targets: Tensor, own: bool) -> Recording:
    """Record value and gradient for these shapes; the recording checks nothing and branches nowhere."""
    alone = len(points) == 1
    loss = network.loss if alone else _cheaper(network)

    def value(parameters: dict[str, Tensor], inputs: Tensor, targets: Tensor) -> Tensor:
        return network.value_at(parameters, inputs, targets, loss)

    one = grad_and_value(value)
    many = one if alone else torch.vmap(one, in_dims=(0, 0, 0) if own else (0, None, None))

    def both(points: Tensor, inputs: Tensor, targets: Tensor) -> Both:
        if alone and own:
            inputs, targets = inputs[0], targets[0]
        vector = points[0] if alone else points
        gradients, energies = many(network.unflatten(vector), inputs, targets)
        flat = torch.cat([gradients[name].reshape(len(points), -1) for name, _ in network.module.named_parameters()], 1)
        return energies.reshape(len(points)), flat

    return recorded(both, points, inputs, targets)


def _take(data: Tensor, rows: Tensor) -> Tensor:
    """Rows (k, b) of the data, as (k, b, ...)."""
    return data.index_select(0, rows.flatten()).view(*rows.shape, *data.shape[1:])


def _cheaper(network: Network) -> Any:
    """The loss, with torch's cross entropy of class numbers written out: its own handles cases that do not occur."""
    targets = network.targets
    numbers = not targets.is_floating_point() and targets.ndim == 1 and bool((targets >= 0).all())
    return _cross_entropy if network.loss is F.cross_entropy and numbers else network.loss


def _cross_entropy(outputs: Tensor, targets: Tensor) -> Tensor:
    """Mean of log sum exp(outputs) - outputs[target]."""
    if outputs.ndim != 2:
        return F.cross_entropy(outputs, targets)
    shifted = outputs - outputs.detach().amax(1, keepdim=True)
    return (shifted.exp().sum(1).log() - shifted.gather(1, targets[:, None])[:, 0]).mean()


def _one_by_autograd(network: Network, vector: Tensor, inputs: Tensor, targets: Tensor) -> Both:
    """Value and gradient at one point, as a plain loop would take them."""
    with torch.enable_grad():
        vector = vector.detach().requires_grad_()
        value = network.value_at(network.unflatten(vector), inputs, targets)
        (gradient,) = torch.autograd.grad(value, vector)
    return value.detach(), gradient
