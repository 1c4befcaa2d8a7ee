"""Weights from files: no file can run code."""

from __future__ import annotations

from collections.abc import Mapping
from importlib.util import find_spec
from pathlib import Path

import torch
from torch import Tensor

from tda_landscape._errors import described, shown
from tda_landscape.cli._errors import ConfigError, first_line
from tda_landscape.energy._network import Network

NESTED = ("state_dict", "model_state_dict", "model")
"""Where training scripts put the weights in a larger checkpoint."""


def read_weights(path: Path, network: Network) -> Tensor:
    """Read a state dict and return it as a vector (d,) of the network's parameters."""
    weights = _load(path)
    nested = [part for name in NESTED if isinstance(part := weights.get(name), Mapping)]
    weights = nested[0] if nested else weights
    tensors = {name: value for name, value in weights.items() if isinstance(value, Tensor)}
    for name, own in network.module.named_buffers():
        given = tensors.get(name)
        if given is not None and own.is_floating_point() and not torch.equal(given.to(own), own):
            raise ConfigError(
                f"{shown(str(path))}: buffer {name!r} differs from that of the model, and a path moves parameters "
                "only; give both networks the buffers of the model"
            )
    return network.flatten(tensors)


def _load(path: Path) -> Mapping[str, object]:
    """A mapping from names, by safetensors or by torch with `weights_only=True`."""
    try:
        if path.suffix == ".safetensors":
            return _load_safetensors(path)
        loaded = torch.load(path, map_location="cpu", weights_only=True)
    except FileNotFoundError:
        raise ConfigError(f"there is no file {shown(str(path))}") from None
    except ConfigError:
        raise
    except Exception as error:
        raise ConfigError(
            f"{shown(str(path))} holds no plain tensors ({first_line(error)}); save model.state_dict()"
        ) from error
    if not isinstance(loaded, Mapping):
        raise ConfigError(f"{shown(str(path))} holds {described(loaded)}; save model.state_dict()")
    return loaded


def _load_safetensors(path: Path) -> Mapping[str, object]:
    if find_spec("safetensors") is None:
        raise ConfigError("reading .safetensors needs an extra: pip install 'tda-landscape[safetensors]'")
    from safetensors.torch import load_file

    return load_file(path)
