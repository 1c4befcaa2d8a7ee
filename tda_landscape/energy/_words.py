"""What `print` says of an energy and of the network behind it."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tda_landscape.energy._energy import Energy
    from tda_landscape.energy._network import Network


def words_of_energy(energy: Energy) -> str:
    """Dimension, what it is an energy of, and what is to be known before it is searched."""
    where = " on a torus" if energy.period is not None else ""
    what = f" of {energy.network}" if energy.network is not None else ""
    batch = f", minibatches of {energy.batch_size} rows" if energy.batch_size is not None else ""
    kinks = f", kinks at {', '.join(energy.kinks)}" if energy.kinks else ""
    precision = str(energy.dtype).removeprefix("torch.")
    return f"energy{what} in {energy.dim} dimensions{where}, {precision}{batch}{kinks}"


def words_of_network(network: Network) -> str:
    """The module, the loss, the data and the penalty."""
    loss = getattr(network.loss, "__name__", type(network.loss).__name__)
    decay = f", weight decay {network.weight_decay:g}" if network.weight_decay else ""
    more = " and a regularizer" if network.regularizer is not None else ""
    return f"{type(network.module).__name__} with {loss} on {len(network.inputs)} rows{decay}{more}"
