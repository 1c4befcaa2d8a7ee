"""Energy: a differentiable function of a batch of points, with its start law."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import torch
from numpy.typing import ArrayLike
from torch import Tensor, nn

from tda_landscape._errors import InputError, expect, expect_whole
from tda_landscape.energy._evaluator import Evaluator
from tda_landscape.energy._function import as_tensor, kinks_of, read_function
from tda_landscape.energy._minibatches import Minibatches, draw_rows
from tda_landscape.energy._network import Loss, Network, Regularizer, read_network
from tda_landscape.energy._random import Seed, as_generator
from tda_landscape.energy._tally import Tally
from tda_landscape.energy._vectorize import check_mean, initialization_law, rows_in_cache, vectorized
from tda_landscape.energy._words import words_of_energy

if TYPE_CHECKING:
    from tda_landscape.energy.symmetry._symmetry import Symmetry

Function = Callable[[Tensor], Tensor]
StartLaw = Callable[[int, torch.Generator], Tensor]


@dataclass(frozen=True, slots=True, eq=False)
class Energy:
    """An energy E on R^d or on a torus: ``energy(points)`` maps (k, d) to (k,).

    Make one with `Energy.from_model` or `Energy.from_function`.

    Attributes
    ----------
    dim : int
        Number of parameters d.
    dtype : torch.dtype
        float64 unless chosen otherwise.
    period : Tensor (d,) or None
        Side lengths where the energy lives on a torus.
    network : Network or None
        Module, data, loss and penalty behind the energy.
    kinks : tuple of str
        Operations without a second derivative everywhere (ReLU, abs, ...): Hessians are then not used.
    symmetry : Symmetry or None
        As declared; a network's is read from its layers. Verified before use.
    """

    dim: int
    dtype: torch.dtype
    function: Function
    start_law: StartLaw
    gradient: Function | None = None
    period: Tensor | None = None
    kinks: tuple[str, ...] = ()
    network: Network | None = None
    batch_size: int | None = None
    chunk_size: int = 4096
    fraction: float = 1.0
    counters: tuple[Tally, ...] = ()
    symmetry: Symmetry | None = None
    evaluator: Evaluator | Minibatches = None  # type: ignore[assignment]  # made here where it is not given

    def __post_init__(self) -> None:
        if self.evaluator is None:
            object.__setattr__(self, "evaluator", Evaluator(self.dim, self.function, self.gradient, self.network))

    __repr__ = words_of_energy

    @classmethod
    def from_function(
        cls,
        function: Callable[[Any], Any],
        dim: int,
        *,
        bounds: tuple[ArrayLike, ArrayLike] | None = None,
        period: float | ArrayLike | None = None,
        grad: Callable[[Any], Any] | None = None,
        start: StartLaw | None = None,
        symmetry: Symmetry | None = None,
        dtype: torch.dtype = torch.float64,
    ) -> Energy:
        """Wrap a batched function.

        Parameters
        ----------
        function : callable
            Maps a tensor (k, d) to energies (k,), one a row; torch operations unless `grad` is given. It must depend on
            its points alone: once called often, its torch operations are recorded and repeated without it. The two
            are compared now and then, with a RuntimeWarning where they differ.
        dim : int
            Number of coordinates d.
        bounds : (low, high), optional
            Box of the start law; numbers or (d,). Not a wall: searches may leave it.
        period : float or array_like (d,), optional
            The energy lives on the torus with these side lengths.
        grad : callable, optional
            Gradient (k, d) -> (k, d); then both may be numpy functions.
        start : callable, optional
            ``start(k, generator) -> (k, d)``; by default uniform in `bounds` or on the torus, else standard normal.
        symmetry : Symmetry, optional
            Maps that leave the energy as it is; what ``symmetry="auto"`` then stands for.
        dtype : torch.dtype

        Returns
        -------
        Energy

        Raises
        ------
        InputError
            Wrong shapes, rows that depend on each other, values that change between two identical calls, or no
            finite value anywhere.

        Examples
        --------
        >>> import tda_landscape as tl
        >>> well = tl.Energy.from_function(lambda x: (x**2 - 1).square().sum(1), dim=2, bounds=(-2, 2))
        >>> well([[1.0, 0.0]])
        tensor([1.], dtype=torch.float64)
        """
        read = read_function(function, dim, bounds, period, grad, start, dtype)
        return cls(dim, dtype, *read, symmetry=symmetry)

    @classmethod
    def from_model(
        cls,
        model: nn.Module,
        loss: Loss,
        data: tuple[Any, Any],
        *,
        weight_decay: float = 0.0,
        regularizer: Regularizer | None = None,
        batch_size: int | None = None,
        start: StartLaw | None = None,
        dtype: torch.dtype = torch.float64,
    ) -> Energy:
        """Wrap a torch model with its data: E = loss(model(X), y) + weight_decay |theta|^2 + regularizer.

        Parameters
        ----------
        model : torch.nn.Module
            Deterministic (call ``model.eval()`` where it has dropout or batch norm), and recorded as functions are.
            It is copied; your weights and buffers stay as they are.
        loss : callable
            ``loss(outputs, targets)`` -> one number, e.g. `torch.nn.functional.cross_entropy`.
        data : (inputs, targets)
            Tensors or arrays; floats are cast to `dtype`.
        weight_decay : float
            Factor of |theta|^2, without 1/2.
        regularizer : callable, optional
            Named parameters -> one number, added.
        batch_size : int, optional
            Rows of a minibatch for samplers that draw them. Levels and barriers are always full-batch.
        start : callable, optional
            ``start(k, generator) -> (k, d)``; by default each layer's own `reset_parameters`.
        dtype : torch.dtype

        Returns
        -------
        Energy

        Raises
        ------
        InputError
            Data that do not fit, NaN, or a model whose energy or buffers change between two identical calls.

        Examples
        --------
        >>> import torch, tda_landscape as tl
        >>> X, y = tl.zoo.datasets.load("iris")
        >>> model = tl.zoo.networks.mlp([4, 2, 3])
        >>> energy = tl.Energy.from_model(model, torch.nn.functional.cross_entropy, (X, y), weight_decay=1e-3)
        >>> energy.dim, energy(energy.start(5, 0)).shape
        (19, torch.Size([5]))
        """
        expect(Callable | None, start=start)
        network = read_network(model, loss, data, weight_decay, regularizer, dtype)
        rows = len(network.inputs)
        expect_whole(f"[1, {rows}] or None", batch_size=batch_size)  # of the data
        here = network.flatten(network.module)[None]
        network = vectorized(network, here)
        if batch_size is not None:
            check_mean(network, here[0])
        return cls(
            dim=here.shape[1],
            dtype=dtype,
            function=network.values,
            start_law=start or initialization_law(network),
            network=network,
            # Not under vmap, which takes smooth operations apart, some of them into kinked ones.
            kinks=kinks_of(replace(network, vmap=False).values, here),
            batch_size=None if batch_size == rows else batch_size,
            chunk_size=rows_in_cache(network),
        )

    def __call__(self, points: ArrayLike | Tensor) -> Tensor:
        """Return the energies (k,) of points (k, d)."""
        x = self.as_points(points)
        self._count("values", x)
        with torch.no_grad():
            return self.evaluator.values(x, self.chunk_size)

    def value_and_grad(self, points: ArrayLike | Tensor) -> tuple[Tensor, Tensor]:
        """Return energies (k,) and gradients (k, d): one forward over all points, one backward of the sum."""
        x = self.as_points(points)
        self._count("gradients", x)
        return self.evaluator.gradients(x, self.chunk_size)

    def hvp(self, points: ArrayLike | Tensor, vectors: ArrayLike | Tensor) -> Tensor:
        """Return the Hessian at each point times the vector of the same row, (k, d)."""
        x, v = self.as_points(points), self.as_points(vectors)
        if len(x) != len(v):
            raise InputError(f"there are {len(x)} points and {len(v)} vectors; give one vector a point")
        self._count("hvps", x)
        return self._hvp(x, v)

    def hessian(self, points: ArrayLike | Tensor) -> Tensor:
        """Return the full symmetric Hessians (k, d, d)."""
        x = self.as_points(points)
        self._count("hessian_columns", x, times=self.dim)
        axes = torch.eye(self.dim, dtype=self.dtype).repeat(len(x), 1)
        full = self._hvp(x.repeat_interleave(self.dim, 0), axes).view(len(x), self.dim, self.dim)
        return (full + full.mT) / 2

    def draw_batch(self, rng: Seed, chains: int | None = None) -> Energy:
        """Return the energy on a random minibatch of `batch_size` rows, or itself where there is none.

        With `chains`, each of so many points has a minibatch of its own: the result takes points (chains, d) only.
        """
        if self.network is None or self.batch_size is None:
            return self
        ways, generator = self.evaluator.ways, as_generator(rng)
        part = draw_rows(self.network, ways, self.batch_size, chains, self.chunk_size, generator)
        share = self.batch_size / len(self.network.inputs)
        return replace(self, batch_size=None, fraction=self.fraction * share, **part)

    @property
    def plan(self) -> dict[int, int]:
        """Points evaluated at once, by the size of the batch, as far as chosen or given."""
        return dict(self.evaluator.plan)

    def in_chunks(self, plan: int | Mapping[int, int]) -> Energy:
        """Return the same energy with a plan: points evaluated at once, one number or as `energy.plan` has it.

        Sizes that it does not name are planned as usual, at their first call: as many as the cache holds, and from 20
        points on, where evaluating takes long, another number if that is clearly quicker on the points asked for. That
        choice may differ from process to process. Same plan, machine and threads: same bits.
        """
        given = dict(plan) if isinstance(plan, Mapping) else {0: plan}
        for points in given.values():
            expect_whole("[1, inf)", plan=points)
        return replace(self, chunk_size=given.get(0, self.chunk_size), evaluator=self.evaluator.with_plan(given))

    def start(self, k: int, rng: Seed) -> Tensor:
        """Draw k points (k, d) from the start law; `rng` is a torch.Generator or an int seed."""
        expect_whole("[0, inf)", k=k)
        points = self.as_points(self.start_law(k, as_generator(rng)))
        if len(points) != k:
            raise InputError(f"the start law gave {len(points)} points where {k} were asked for; return (k, dim)")
        return points

    def displacement(self, a: Tensor, b: Tensor) -> Tensor:
        """Return b - a; on a torus the shortest such vector."""
        step = b - a
        return step if self.period is None else step - self.period * torch.round(step / self.period)

    def wrap(self, points: Tensor) -> Tensor:
        """Bring points of a torus into [0, period); other points stay as they are."""
        if self.period is None:
            return points
        inside = torch.remainder(points, self.period)
        return torch.where(inside >= self.period, torch.zeros_like(inside), inside)  # -1e-17 rounds to the period

    def as_points(self, points: ArrayLike | Tensor) -> Tensor:
        """Check shape and precision of points (k, d) given by a user."""
        x = as_tensor(points, "points", self.dtype)
        if x.ndim != 2 or x.shape[1] != self.dim:
            raise InputError(f"points must have shape (k, {self.dim}), got {tuple(x.shape)}; one point is x[None]")
        return x

    def _hvp(self, x: Tensor, v: Tensor) -> Tensor:
        return self.evaluator.products(x, v)

    def _count(self, what: str, x: Tensor, times: int = 1) -> None:
        for counter in self.counters:
            setattr(counter, what, getattr(counter, what) + self.fraction * times * len(x))
