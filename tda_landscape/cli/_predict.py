"""The sheet of `tda-landscape predict`."""

from __future__ import annotations

from pathlib import Path

from tda_landscape._errors import described
from tda_landscape.cli._errors import ConfigError
from tda_landscape.cli._factories import call, find
from tda_landscape.energy import Energy
from tda_landscape.theory import Predictions
from tda_landscape.theory._predictions import predict_network


def sheet(model: str) -> Predictions:
    """What the theorems say of the network behind the energy that a factory returns."""
    energy = call(find(model, "--model", Path.cwd()), {}, "--model", foreign=True)
    if not isinstance(energy, Energy) or energy.network is None:
        given = "the energy of a function" if isinstance(energy, Energy) else described(energy)
        raise ConfigError(f"--model {model} must return the Energy of a network, got {given}; use Energy.from_model")
    return predict_network(energy.network)
