"""Code of the user, named as "pkg:function" in a configuration."""

from __future__ import annotations

import importlib
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

from tda_landscape._errors import InputError, described, shown
from tda_landscape.cli._errors import ConfigError, first_line


def find(reference: object, where: str, folder: Path) -> Callable[..., Any]:
    """Import the function that "pkg:function" names, also from the current folder or the configuration's."""
    module, name = parts_of(reference, where)
    sys.stderr.write(f"note: {where} runs code from {module}\n")
    for place in (str(Path.cwd()), str(folder.resolve())):
        if place not in sys.path:
            sys.path.append(place)
    try:
        found: Any = importlib.import_module(module)
        for part in name.split("."):
            found = getattr(found, part)
    except AttributeError:
        raise ConfigError(f"{where}: {module} has no {shown(name)}") from None
    except (Exception, SystemExit) as error:
        raise ConfigError(f"{where}: {module} cannot be imported: {first_line(error)}") from error
    if not callable(found):
        raise ConfigError(f"{where}: {reference} is {described(found)}, not a function")
    result: Callable[..., Any] = found
    return result


def parts_of(reference: object, where: str) -> tuple[str, str]:
    """Module and name of "pkg:function"; imports nothing, so that a slip is told before torch is loaded."""
    module, _, name = reference.partition(":") if isinstance(reference, str) else ("", "", "")
    if not (name and all(part.isidentifier() for part in module.split("."))):
        raise ConfigError(f'{where} must read "pkg:function", got {shown(reference)}')
    if module.endswith(".py"):
        right = shown(f"{module.removesuffix('.py')}:{name}")
        raise ConfigError(f"{where} names a module, not a file: write {right}, got {shown(reference)}")
    return module, name


def call(function: Callable[..., Any], arguments: dict[str, Any], where: str, *, foreign: bool) -> Any:
    """Call a function with the keys of its section; whatever goes wrong in a foreign one is its author's."""
    try:
        return function(**arguments)
    except InputError as error:
        raise ConfigError(f"{where}: {error}") from error
    except (Exception, SystemExit) as error:
        if not foreign or isinstance(error, MemoryError):
            raise
        raise ConfigError(f"{where} failed: {first_line(error)}") from error
