"""From a checked configuration to the energies and the steps of the surveys."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

from torch import nn

from tda_landscape._errors import InputError, described
from tda_landscape._survey import explorable
from tda_landscape.cli._config import FROM_MODEL, LOSSES, STEPS, Config, Recipe
from tda_landscape.cli._errors import ConfigError
from tda_landscape.cli._factories import call, find
from tda_landscape.energy import Energy


def build_energies(config: Config) -> dict[str, Energy]:
    """Make the energy of each label; one without models is an energy by itself."""
    folder = config.path.parent
    if config.energy.make is not FROM_MODEL:
        return {config.energy.label: _checked(config.energy, Energy, folder)}
    assert config.data is not None  # _check_parts has seen to it
    data = _checked(config.data, tuple, folder)
    arguments = dict(config.energy.arguments)
    loss = _loss(arguments.pop("loss"), folder)
    energies = {}
    for model in config.models:
        module = _checked(model, nn.Module, folder)
        try:
            energies[model.label] = FROM_MODEL(module, loss, data, **arguments)
        except InputError as error:
            raise ConfigError(f"{model.where}: {error}") from error
    return energies


def build_steps(config: Config, energy: Energy, progress: Callable[[int], None]) -> dict[str, Any]:
    """The steps of a survey that the configuration sets, and `connect` where it is used, since it reports progress."""
    if not config.steps and explorable(energy):
        return {}
    given = {**config.steps, "connect": {**config.steps.get("connect", {}), "progress": progress}}
    return {name: partial(STEPS[name], **arguments) for name, arguments in given.items()}


def _checked(recipe: Recipe, wanted: type, folder: Path) -> Any:
    """Make something and see that it is of the kind that is wanted."""
    if isinstance(recipe.make, str):
        made = call(find(recipe.make, recipe.where, folder), recipe.arguments, recipe.where, foreign=True)
    else:
        made = call(recipe.make, recipe.arguments, recipe.where, foreign=False)
    pair = isinstance(made, (tuple, list)) and len(made) == 2
    if not (pair if wanted is tuple else isinstance(made, wanted)):
        kinds = {tuple: "a pair (inputs, targets)", nn.Module: "a torch.nn.Module", Energy: "an Energy"}
        raise ConfigError(f"{recipe.where} must return {kinds[wanted]}, got {described(made)}")
    return made


def _loss(name: str, folder: Path) -> Callable[..., Any]:
    """A loss of torch, or one of the user's."""
    return LOSSES[name] if name in LOSSES else find(name, "[energy] loss", folder)
