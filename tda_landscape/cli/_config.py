"""Reading a configuration: TOML in, checked arguments of every verb out. Nothing of the user's runs here."""

from __future__ import annotations

import tomllib
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from torch.nn import functional

from tda_landscape._errors import shown
from tda_landscape.cli._errors import ConfigError, first_line, unknown
from tda_landscape.cli._folder import Folder
from tda_landscape.cli._schema import read
from tda_landscape.connecting import connect
from tda_landscape.energy import Energy, datasets, networks, zoo
from tda_landscape.minima import quench, sample

SECTIONS = ("model", "data", "energy", "sample", "quench", "connect", "output")

STEPS: dict[str, Callable[..., Any]] = {"sample": sample, "quench": quench, "connect": connect}

FROM_MODEL = Energy.from_model

NETWORKS: dict[str, Callable[..., Any]] = dict(networks.BUILTIN)

ENERGIES: dict[str, Callable[..., Energy]] = {
    name: getattr(zoo, name) for name in zoo.__all__ if name not in ("datasets", "networks")
}

LOSSES = {
    name: getattr(functional, name)
    for name in (
        "cross_entropy",
        "nll_loss",
        "mse_loss",
        "l1_loss",
        "huber_loss",
        "smooth_l1_loss",
        "binary_cross_entropy_with_logits",
    )
}


@dataclass(frozen=True, slots=True)
class Recipe:
    """Something to be made: by a function that the package knows, or by one of the user's own."""

    where: str
    make: Callable[..., Any] | str
    arguments: dict[str, Any]
    label: str


@dataclass(frozen=True, slots=True)
class Config:
    """A configuration, checked."""

    path: Path
    raw: dict[str, Any]
    models: tuple[Recipe, ...]
    data: Recipe | None
    energy: Recipe
    steps: dict[str, dict[str, Any]]
    folder: Folder


def read_config(path: Path) -> Config:
    """Read and check a configuration file."""
    raw = _parse(path)
    for section in raw:
        if section not in SECTIONS:
            raise unknown("section", section, SECTIONS)
        if not isinstance(raw[section], dict) and section != "model":
            raise ConfigError(f"[{section}] must be one table, got {shown(raw[section])}")
    models = tuple(_model(part, f"[model]{number}") for part, number in _numbered(raw.get("model", [])))
    steps = {name: read(verb, raw[name], f"[{name}]") for name, verb in STEPS.items() if name in raw}
    output = {"folder": f"runs/{path.stem}", **raw.get("output", {})}
    config = Config(
        path=path,
        raw=raw,
        models=models,
        data=_data(raw["data"]) if "data" in raw else None,
        energy=_energy(raw.get("energy", {})),
        steps=steps,
        folder=Folder(**read(Folder, output, "[output]")),
    )
    _check_parts(config)
    return config


def _parse(path: Path) -> dict[str, Any]:
    """The tables of a TOML file."""
    try:
        return tomllib.loads(path.read_bytes().decode("utf-8-sig"))
    except FileNotFoundError:
        raise ConfigError(f"there is no file {shown(str(path))}") from None
    except OSError as error:
        raise ConfigError(f"{shown(str(path))} cannot be read: {error.strerror}") from None
    except UnicodeDecodeError as error:
        raise ConfigError(f"{shown(str(path))} is not UTF-8 text (byte {error.start})") from None
    except (ValueError, RecursionError) as error:
        raise ConfigError(f"{shown(str(path))} is not valid TOML: {_printable(first_line(error))}") from None


def _printable(text: str) -> str:
    """A message of the TOML reader without its type, control characters escaped."""
    text = text.partition(": ")[2] or text
    return text if text.isprintable() else ascii(text)[1:-1]


def _numbered(models: object) -> list[tuple[dict[str, Any], str]]:
    """One or several [model] tables, each with its number where there are several."""
    tables = models if isinstance(models, list) else [models]
    for table in tables:
        if not isinstance(table, dict):
            raise ConfigError(f"[model] must be a table, got {shown(table)}")
    return [(table, f" {i + 1}" if len(tables) > 1 else "") for i, table in enumerate(tables)]


def _model(table: dict[str, Any], where: str) -> Recipe:
    """A built-in network or a factory, with a label."""
    return _recipe(table, NETWORKS, where)


def _data(table: dict[str, Any]) -> Recipe:
    """A built-in data set or a factory."""
    if "factory" in table:
        return _recipe(table, {}, "[data]")
    arguments = read(datasets.load, table, "[data]")
    return Recipe("[data]", datasets.load, arguments, "")


def _energy(table: dict[str, Any]) -> Recipe:
    """The loss of the models, an energy of the zoo, or a factory."""
    if "name" in table or "factory" in table:
        return _recipe(table, ENERGIES, "[energy]")
    if not table:
        return Recipe("[energy]", FROM_MODEL, {}, "")
    arguments = read(FROM_MODEL, table, "[energy]")
    if ":" not in arguments["loss"] and arguments["loss"] not in LOSSES:
        raise unknown('[energy] loss (or "pkg:function")', arguments["loss"], LOSSES)
    return Recipe("[energy]", FROM_MODEL, arguments, "")


def _recipe(table: dict[str, Any], known: dict[str, Callable[..., Any]], where: str) -> Recipe:
    """What a section's `name` or `factory` makes, from its other keys."""
    given = dict(table)
    label = given.pop("label", None)
    if label is not None and (not isinstance(label, str) or not label.strip()):
        raise ConfigError(f"{where} label must be a text that is not empty, got {shown(label)}")
    if ("name" in given) == ("factory" in given):
        names = f"a name ({', '.join(known)}) or " if known else ""
        raise ConfigError(f'{where} needs {names}a factory ("pkg:function"), one of the two')
    if "factory" in given:
        factory = given.pop("factory")
        if not isinstance(factory, str):
            raise ConfigError(f'{where} factory must read "pkg:function", got {shown(factory)}')
        return Recipe(f"{where} factory", factory, given, label or factory.partition(":")[2] or factory)
    name = given.pop("name")
    if not isinstance(name, str) or name not in known:
        raise unknown(f"{where} name", str(name), known)
    arguments = read(known[name], given, f"{where} {name}")
    return Recipe(f"{where} {name}", known[name], arguments, label or _label(name, arguments))


def _label(name: str, arguments: dict[str, Any]) -> str:
    """A readable label, such as "mlp 64-4-10"."""
    words = [
        "-".join(map(str, value)) if isinstance(value, list) else f"{key}={value}" for key, value in arguments.items()
    ]
    return " ".join([name, *words])


def _check_parts(config: Config) -> None:
    """Whether the sections that are there make an energy together, and labels tell them apart."""
    if config.energy.make is not FROM_MODEL:
        if config.models or config.data:
            other = "[model]" if config.models else "[data]"
            raise ConfigError(f"{config.energy.where} is an energy by itself: remove {other}, or give a loss")
        return
    if not config.models:
        raise ConfigError(
            f"nothing to survey: give [model], [data] and [energy] with a loss, or [energy] with a name "
            f"({', '.join(ENERGIES)})"
        )
    if config.data is None:
        raise ConfigError(f"[model] needs data: add [data] with a name ({', '.join(datasets.LOADERS)})")
    if "loss" not in config.energy.arguments:
        raise ConfigError(f"[model] needs a loss: add [energy] with a loss ({', '.join(LOSSES)})")
    labels = [model.label for model in config.models]
    twice = next((label for label in labels if labels.count(label) > 1), None)
    if twice is not None:
        raise ConfigError(f"two models are called {shown(twice)}: give each [[model]] a label of its own")
