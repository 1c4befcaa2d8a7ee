"""What the theorems say about a network and its data: a sheet of predictions, with sources."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import torch
from torch import nn

from tda_landscape._errors import InputError
from tda_landscape.energy._network import Loss, Network, Regularizer, read_network
from tda_landscape.theory._facts import TOLERANCE, Facts, measure
from tda_landscape.theory._statement import Statement
from tda_landscape.theory.theorems import THEOREMS

FLAGS = {
    "simple": ("simple",),
    "no_spurious_valley": ("no_spurious_valley", "simple"),
    "n_global_components": ("n_global_components", "simple"),
}
"""What a width makes true, and the conclusions that it follows from."""


@dataclass(frozen=True, slots=True)
class Predictions:
    """A sheet of predictions; None says that no theorem here decides it, never that it is false.

    Attributes
    ----------
    network : str
        What was read.
    simple : bool or None
        N_u = 1 for every u.
    no_spurious_valley : bool or None
        Every component of every sublevel set comes as low as the whole landscape (property P.1).
    n_global_components : int or None
        Components of the set of global minima, or of {E <= u} for u just above the infimum.
    global_components_at_least : int
        A lower bound of that number.
    widths : dict of str to int
        Least width of all hidden layers that is known to make each flag true (the last one equal to 1), other things
        being as they are; a flag is missing where no width does.
    statements : tuple of Statement
        Every theorem about networks of this kind, with its hypotheses and source.
    not_covered : tuple of str
    """

    network: str
    simple: bool | None
    no_spurious_valley: bool | None
    n_global_components: int | None
    global_components_at_least: int
    widths: dict[str, int]
    statements: tuple[Statement, ...]
    not_covered: tuple[str, ...]

    def __str__(self) -> str:
        """The sheet as readable text."""
        words = {True: "yes", False: "no", None: "not decided"}
        count = self.n_global_components or f"not decided, at least {self.global_components_at_least}"
        widths = ", ".join(f"{name} {width}" for name, width in self.widths.items()) or "none known"
        lines = [
            self.network,
            f"simple (N_u is 1 for every u): {words[self.simple]}",
            f"no spurious valley: {words[self.no_spurious_valley]}",
            f"components of the global minima: {count}",
            f"least hidden widths known to suffice: {widths}",
        ]
        for word, applies in (("follows", True), ("not decided", None), ("does not apply", False)):
            chosen = [s for s in self.statements if s.applies is applies]
            lines += (
                ["", f"What {word}:" if chosen and word == "follows" else f"{word.capitalize()}:"] if chosen else []
            )
            lines += [str(statement) for statement in chosen]
        return "\n".join([*lines, "", "Not covered:", *(f"  {sentence}" for sentence in self.not_covered)])


def predict(
    model: nn.Module,
    loss: Loss,
    data: tuple[Any, Any],
    weight_decay: float = 0.0,
    regularizer: Regularizer | None = None,
) -> Predictions:
    """Say what the theorems about N_u say of a network, its loss and its data.

    Parameters
    ----------
    model : torch.nn.Module
    loss : callable
        ``loss(outputs, targets)`` -> one number. Convexity is known for torch's own losses, refuted by trial for
        others, and else not decided.
    data : (inputs, targets)
    weight_decay : float
        Factor of |theta|^2. It voids every theorem but those on two linear layers and on none hidden.
    regularizer : callable, optional
        It voids every theorem.

    Returns
    -------
    Predictions
        ``print`` it to read it.

    Raises
    ------
    InputError
        Model, loss and data that make no energy.

    Notes
    -----
    The weights of the whole space are meant, and empirical data. Ranks are numerical, at 1e-8 of the largest
    singular value: with one between 1e-10 and 1e-6 the answer is "not decided". Sources stand with each statement.

    Examples
    --------
    >>> import torch, tda_landscape as tl
    >>> x = torch.randn(20, 3, generator=torch.Generator().manual_seed(0))
    >>> y = x @ torch.tensor([[1.0, 0.0], [0.0, 1.0], [1.0, 1.0]])
    >>> for width in (1, 2, 3):
    ...     model = tl.zoo.networks.mlp([3, width, 2], activation="identity", bias=False)
    ...     sheet = tl.predict(model, torch.nn.functional.mse_loss, (x, y))
    ...     print(width, sheet.simple, sheet.no_spurious_valley, sheet.n_global_components, sheet.widths["simple"])
    1 False True 2 3
    2 False True 2 3
    3 True True 1 3
    """
    return predict_network(read_network(model, loss, data, weight_decay, regularizer, torch.float64))


def predict_network(network: Network) -> Predictions:
    """The sheet of a network that has been read."""
    try:
        facts = measure(network)
    except InputError as error:
        return Predictions(type(network.module).__name__, None, None, None, 1, {}, (), (str(error),))
    statements = tuple(found for theorem in THEOREMS if (found := theorem(facts)) is not None)
    sure = [statement for statement in statements if statement.applies]
    simple = _agreed(s.simple for s in sure)
    fewest = max((s.at_least for s in sure), default=1)
    return Predictions(
        network=_described(facts),
        simple=simple,
        no_spurious_valley=_agreed(s.no_spurious_valley for s in sure),
        n_global_components=_agreed(s.n_global_components for s in sure),
        global_components_at_least=fewest,
        widths=dict(_widths(statements)),
        statements=statements,
        not_covered=tuple(_not_covered(facts, statements)),
    )


def _agreed(answers: Iterator[Any]) -> Any:
    """The one answer that statements give; two different ones are an error of this program."""
    found = {answer for answer in answers if answer is not None}
    if len(found) > 1:
        raise RuntimeError(f"theorems contradict each other: {found}")
    return found.pop() if found else None


def _widths(statements: tuple[Statement, ...]) -> Iterator[tuple[str, int]]:
    """The least width for each flag."""
    for flag, names in FLAGS.items():
        known = [s.width[1] for s in statements if s.width is not None and s.width[0] in names]
        if known:
            yield flag, min(known)


def _described(facts: Facts) -> str:
    """What was read, in a line."""
    chain = facts.chain
    names = ", ".join(dict.fromkeys(chain.names)) or "no activation"
    biased = ", ".join(str(k + 1) for k, b in enumerate(chain.biased) if b) or "none"
    return (
        f"network {'-'.join(map(str, chain.widths))} ({names}; layers with biases: {biased}), "
        f"{facts.loss_name} on {len(chain.features)} rows, weight decay {facts.weight_decay:g}"
        + (", with a regularizer" if facts.regularized else "")
    )


def _not_covered(facts: Facts, statements: tuple[Statement, ...]) -> Iterator[str]:
    """What nobody here says anything about."""
    if facts.regularized:
        yield "a regularizer voids every theorem here"
    elif facts.weight_decay:
        yield f"weight decay {facts.weight_decay:g} voids every theorem but those on one or two linear layers"
    if facts.convex is None:
        yield f"whether the loss {facts.loss_name} is convex in the outputs is not known"
    if len(facts.hidden) > 1 and not facts.chain.linear and not any(s.applies for s in statements):
        yield "two and more hidden layers of nonlinear units: hardly anything is known"
    if facts.dimension is not None and not facts.chain.linear:
        yield (
            "p < q: some data have spurious valleys, as deep as one likes (Theorem 13 of Venturi, Bandeira and Bruna); "
            "whether these data do is not known"
        )
    yield f"ranks are numerical, at {TOLERANCE:g} of the largest singular value"
    yield "barriers, unless a statement gives levels; the population behind the data; constraints on weights"
