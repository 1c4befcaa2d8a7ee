"""Minibatches: the energy of many points, each on rows of the data of its own."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from tda_landscape._errors import InputError
from tda_landscape.energy._derivatives import hessian_products
from tda_landscape.energy._network import Network
from tda_landscape.energy._ways import Both, Way, cheaper, gradients_on


@dataclass(frozen=True, slots=True, eq=False)
class Minibatches:
    """The energy of so many points, each on its own rows (k, b) of the data; `ways` are kept from draw to draw."""

    network: Network
    rows: Tensor
    most: int
    ways: dict[Any, Way]

    @property
    def plan(self) -> dict[int, int]:
        """None: it is that of the whole energy."""
        return {}

    def with_plan(self, plan: dict[int, int]) -> Minibatches:
        """Itself."""
        return self

    def energies(self, points: Tensor) -> Tensor:
        """Energies (k,), differentiable."""
        parts = self._parts(points)
        return torch.cat([self.network.values_on(x, self._inputs(rows), self._targets(rows)) for x, rows in parts])

    def values(self, points: Tensor, most: int) -> Tensor:
        """Energies (k,)."""
        return self.energies(points)

    def gradients(self, points: Tensor, most: int) -> Both:
        """Energies (k,) and gradients (k, d)."""
        answers = [self._way(x, rows)(x, self._inputs(rows), self._targets(rows)) for x, rows in self._parts(points)]
        return torch.cat([e for e, _ in answers]), torch.cat([g for _, g in answers])

    def products(self, points: Tensor, vectors: Tensor) -> Tensor:
        """Hessian at each point times the vector of the same row (k, d)."""
        return hessian_products(self.energies, None, points, vectors)

    def _way(self, points: Tensor, rows: Tensor) -> Way:
        alone = len(points) == 1 or not self.network.vmap
        key = "minibatch", alone, rows.shape[1]
        if key not in self.ways:
            self.ways[key] = Way(gradients_on(self.network if alone else cheaper(self.network)), alone, patience=0)
        return self.ways[key]

    def _inputs(self, rows: Tensor) -> Tensor:
        return _take(self.network.inputs, rows)

    def _targets(self, rows: Tensor) -> Tensor:
        return _take(self.network.targets, rows)

    def _parts(self, points: Tensor) -> list[tuple[Tensor, Tensor]]:
        if len(points) != len(self.rows):
            raise InputError(f"minibatches were drawn for {len(self.rows)} chains, got {len(points)} points")
        most = self.most if self.network.vmap else 1
        return list(zip(points.split(most), self.rows.split(most), strict=True))


def draw_rows(
    network: Network, ways: dict[Any, Way], size: int, chains: int | None, most: int, generator: torch.Generator
) -> dict[str, Any]:
    """What changes in an energy on a random minibatch: one for all points, or one for each of so many chains."""
    total = len(network.inputs)
    if chains is None:
        part = network.on_rows(torch.randperm(total, generator=generator)[:size])
        return {"function": part.values, "network": part, "evaluator": None}
    own = Minibatches(network, distinct_rows(chains, size, total, generator), most, ways)
    return {"function": own.energies, "network": None, "evaluator": own, "chunk_size": chains}


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


def _take(data: Tensor, rows: Tensor) -> Tensor:
    """Rows (k, b) of the data, as (k, b, ...)."""
    return data.index_select(0, rows.flatten()).view(*rows.shape, *data.shape[1:])
