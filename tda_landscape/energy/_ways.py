"""Ways to evaluate many points: as a network is called, or by a recording that gives the same bits."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from dataclasses import dataclass, field, replace

import torch
from torch import Tensor
from torch.nn import functional as F

from tda_landscape.energy._account import Account
from tda_landscape.energy._network import Loss, Network
from tda_landscape.energy._recording import recorded, same_bits, same_numbers
from tda_landscape.energy._tape import Function, Unrecordable

Both = tuple[Tensor, Tensor]

FEW, PATIENCE, NEVER = 10, 30, -1
"""Calls that are too few for a recording to repay; after which it is made even if a plain loop was quicker so far; and
no recording at all."""

ONCE, ALONE, AGAIN = 40, 20, 4
"""A recording takes as long as so many points alone at most, or one of a single point; and so many calls again."""

FIRST_CHECK, CHECK = 32, 1024
"""A recording is compared with what it was made from after so many uses, twice as many, ..., every so many."""


@dataclass(slots=True, eq=False)
class Way:
    """A function of a batch, or of one row, that is recorded once that has been paid for by what was saved.

    A recording is used for batches of a size once it gave the same bits there, and compared again now and then. With a
    patience of 0 it is made at the first call.
    """

    plain: Function
    alone: bool = False
    patience: int = PATIENCE
    account: Account | None = None
    weight: float = 1.0  # of one evaluation, in those of a gradient
    recording: Function | None = None
    trusted: dict[int, bool] = field(default_factory=dict)
    calls: int = 0
    uses: int = 0
    check: int = FIRST_CHECK

    def __call__(self, *given: Tensor) -> tuple[Tensor, ...]:
        """Evaluate the batch."""
        if self.recording is None:
            self.calls += 1
            if self.open and self._due(len(given[0])):
                self.prepare(*given)
            if self.recording is None:
                return self.plain(*given)
        size = len(given[0]).bit_length()
        if size not in self.trusted:
            answer = self.plain(*given)
            self.trusted[size] = self._agrees(given, answer)
            return answer
        if not self.trusted[size]:
            return self.plain(*given)
        self.uses += 1
        if self.uses >= self.check:
            return self._checked(given)
        with torch.no_grad():
            return self.recording(*given)

    @property
    def open(self) -> bool:
        """Whether recording has yet to be tried."""
        return self.recording is None and self.patience > NEVER

    def prepare(self, *given: Tensor) -> None:
        """Record, where that has not been tried."""
        if not self.open:
            return
        self.patience = NEVER
        clean = [x.detach().nan_to_num(0.0, 0.0, 0.0) if x.is_floating_point() else x for x in given]
        try:
            self.recording = recorded(
                self.plain, lambda rows: [x[torch.arange(rows) % len(x)] for x in clean], alone=self.alone
            )
        except (Unrecordable, RuntimeError, TypeError, NotImplementedError):  # it can still be evaluated
            self.recording = None

    def _due(self, points: int) -> bool:
        """Whether a recording is paid for, or the only way not to stay behind a plain loop."""
        if self.patience == 0 or self.account is None:
            return self.calls > self.patience
        cost = ((ALONE if self.alone else ONCE) + AGAIN * points) * self.weight * self.account.loop
        return (self.calls > FEW and cost <= self.account.credit) or (
            self.calls > self.patience and self.account.credit < 0
        )

    def _agrees(self, given: tuple[Tensor, ...], answer: tuple[Tensor, ...]) -> bool:
        """Whether the recording gives this answer, and the answer elsewhere: a branch may go another way there."""
        away = (0.5 - 1.5 * given[0], *given[1:])
        with torch.no_grad():
            return self.recording is not None and (
                same_bits(self.recording(*given), answer) and same_bits(self.recording(*away), self.plain(*away))
            )

    def _checked(self, given: tuple[Tensor, ...]) -> tuple[Tensor, ...]:
        """The answer without the recording, which is given up where it says something else."""
        self.check = min(2 * self.uses, self.uses + CHECK)
        answer = self.plain(*given)
        with torch.no_grad():
            fits = self.recording is not None and same_numbers(self.recording(*given), answer)
        if not fits:
            self.recording = None
            warnings.warn(
                "the energy depends on something besides its points, such as a Python number that changes or a branch "
                "that values decide: it is evaluated as it is from now on, but earlier values may be wrong",
                RuntimeWarning,
                stacklevel=2,
            )
        return answer


def energies_of(network: Network) -> Function:
    """Energies of many points on the same data, as one batch."""
    bare = replace(network, weight_decay=0.0)

    def many(points: Tensor) -> tuple[Tensor, ...]:
        energies = torch.vmap(lambda x: bare.value_at(bare.unflatten(x), bare.inputs, bare.targets))(points)
        return (_penalized(energies, points, network.weight_decay),)

    return many


def gradients_of(network: Network) -> Function:
    """Energies and gradients of many points on the same data: one forward and one backward over all of them."""
    energies_alone = energies_of(replace(network, weight_decay=0.0))

    def many(points: Tensor) -> tuple[Tensor, ...]:
        return _with_gradients(lambda x: energies_alone(x)[0], points, network.weight_decay)

    return many


def gradients_on(network: Network) -> Function:
    """Energies and gradients of points, each on inputs and targets of its own."""
    bare = replace(network, weight_decay=0.0)

    def own(points: Tensor, inputs: Tensor, targets: Tensor) -> tuple[Tensor, ...]:
        if len(points) > 1:
            return _with_gradients(lambda x: bare.values_on(x, inputs, targets), points, network.weight_decay)
        return one_alone(replace(network, inputs=inputs[0], targets=targets[0]))(points)

    return own


def one_alone(network: Network) -> Function:
    """Energy and gradient of one point (1, d), as a plain loop would take them."""
    bare = replace(network, weight_decay=0.0)

    def one(points: Tensor) -> tuple[Tensor, ...]:
        energies, gradients = _with_gradients(
            lambda x: bare.value_at(bare.unflatten(x), bare.inputs, bare.targets), points[0], network.weight_decay
        )
        return energies[None], gradients[None]

    return one


def cheaper(network: Network) -> Network:
    """The network with a loss that is quicker for many points: torch's own handles cases that do not occur."""
    targets = network.targets
    numbers = not targets.is_floating_point() and targets.ndim == 1 and bool((targets >= 0).all())
    losses: dict[Loss, tuple[Loss, bool]] = {
        F.cross_entropy: (_cross_entropy, numbers),
        F.binary_cross_entropy_with_logits: (_logistic, targets.is_floating_point()),
    }
    better, fits = losses.get(network.loss, (network.loss, True))
    return replace(network, loss=better) if fits else network


def _with_gradients(energy: Callable[[Tensor], Tensor], points: Tensor, weight_decay: float) -> Both:
    """Energies and gradients by one backward of the sum, the penalty's by hand."""
    with torch.enable_grad():
        x = points.detach().requires_grad_()
        energies = energy(x)
        (gradients,) = torch.autograd.grad(energies, x, torch.ones_like(energies))
    energies = energies.detach()
    if weight_decay:
        gradients = torch.add(gradients, points, alpha=2 * weight_decay)
    return _penalized(energies, points, weight_decay), gradients


def _penalized(energies: Tensor, points: Tensor, weight_decay: float) -> Tensor:
    """Energies with weight_decay |theta|^2 added."""
    return torch.add(energies, points.square().sum(-1), alpha=weight_decay) if weight_decay else energies


def _cross_entropy(outputs: Tensor, targets: Tensor) -> Tensor:
    """Mean of log sum exp(outputs) - outputs[target]."""
    if outputs.ndim != 2:
        return F.cross_entropy(outputs, targets)
    shifted = outputs - outputs.detach().amax(1, keepdim=True)
    return (shifted.exp().sum(1).log() - shifted.gather(1, targets[:, None])[:, 0]).mean()


def _logistic(outputs: Tensor, targets: Tensor) -> Tensor:
    """Mean of (1 - target) output - log sigmoid(output)."""
    if outputs.shape != targets.shape:
        return F.binary_cross_entropy_with_logits(outputs, targets)
    return (outputs * (1 - targets) - F.logsigmoid(outputs)).mean()
