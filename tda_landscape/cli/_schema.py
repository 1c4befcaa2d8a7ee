"""Sections of a configuration, read off the signatures of what they configure: no keyword is listed twice."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Sequence
from functools import partial
from types import NoneType, UnionType
from typing import Annotated, Any, Literal, Union, get_args, get_origin

import torch
from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    ValidationError,
    create_model,
)

from samplers import KERNELS, Kernel
from tda_landscape._errors import shown
from tda_landscape.cli._errors import ConfigError, unknown
from tda_landscape.connecting.pairs import PLANS, Pairs
from tda_landscape.energy._network import Loss
from tda_landscape.paths import SEARCHES, Search

CHOICES: dict[Any, tuple[type, ...]] = {Kernel: KERNELS, Search: SEARCHES, Pairs: PLANS}
"""Arguments that are objects: a table in TOML, with the name of the class and its arguments."""

DTYPES = {"float32": torch.float32, "float64": torch.float64}

PLAIN: dict[Any, Any] = {
    bool: bool,
    float: float,
    str: str,
    int: Annotated[int, Field(ge=-(2**63), lt=2**63)],
    torch.dtype: Annotated[Literal["float32", "float64"], AfterValidator(DTYPES.get)],
    Loss: str,
}
"""The TOML value of an argument of each type."""

STRICT = ConfigDict(extra="forbid", strict=True, allow_inf_nan=False, protected_namespaces=())


def form_of(configured: Callable[..., Any], where: str = "") -> type[BaseModel]:
    """Make the form of a section: each argument that TOML has a value for, with the type of that value."""
    fields: dict[str, Any] = {}
    for name, parameter in inspect.signature(configured, eval_str=True).parameters.items():
        kind = _carried(parameter.annotation, f"{where} {name}")
        if kind is not None:
            fields[name] = (kind, ... if parameter.default is parameter.empty else parameter.default)
    return create_model(configured.__name__, __config__=STRICT, **fields)


def read(configured: Callable[..., Any], given: dict[str, Any], where: str) -> dict[str, Any]:
    """Check a table against the arguments of `configured` and return those that it sets."""
    form = form_of(configured, where)
    try:
        filled = form.model_validate(given)
    except ValidationError as error:
        raise _complaint(form, error, where) from None
    return {name: getattr(filled, name) for name in form.model_fields if name in filled.model_fields_set}


def _carried(annotation: Any, where: str) -> Any:
    """The type of the TOML value for an annotation; None where TOML has no such value."""
    if annotation in CHOICES:
        return Annotated[Any, BeforeValidator(partial(_choose, CHOICES[annotation], where))]
    if annotation in PLAIN:
        return PLAIN[annotation]
    if annotation in (None, NoneType):
        return Annotated[Any, BeforeValidator(partial(_refuse, where))]
    if get_origin(annotation) in (Annotated, Literal):
        return annotation
    if get_origin(annotation) in (Union, UnionType):
        parts = [_carried(part, where) for part in get_args(annotation) if part is not NoneType]
        known = tuple(part for part in parts if part is not None)
        return Union[known] if known else None  # noqa: UP007
    if get_origin(annotation) is Sequence:
        part = _carried(get_args(annotation)[0], where)
        return None if part is None else list[part]  # type: ignore[valid-type]
    return None


def _refuse(where: str, value: object) -> object:
    """An argument whose only value so far is None."""
    raise ConfigError(f"{where} = {shown(value)} is not built yet; remove the key, the rest works")


def _choose(classes: tuple[type, ...], where: str, value: object) -> object:
    """Build one of several classes from its name, or from a table of its name and arguments."""
    given = dict(value) if isinstance(value, dict) else {"name": value}
    name = given.pop("name", None)
    by_name = {choice.__name__: choice for choice in classes}
    if not isinstance(name, str):
        raise ConfigError(
            f"{where} must be a name or a table with a name (one of {', '.join(by_name)}), got {shown(value)}"
        )
    if name not in by_name:
        raise unknown(where, name, by_name)
    arguments = read(by_name[name], given, f"{where} {name}")
    try:
        return by_name[name](**arguments)
    except ValueError as error:
        raise ConfigError(f"{where} {name}: {error}") from None


def _complaint(form: type[BaseModel], error: ValidationError, where: str) -> ConfigError:
    """One sentence on the first thing that is wrong, unknown keys before all others."""
    details = sorted(error.errors(include_url=False), key=lambda d: d["type"] != "extra_forbidden")
    detail = details[0]
    key = ".".join(str(part) for part in detail["loc"])
    if detail["type"] == "extra_forbidden":
        return unknown(f"{where} key", key, form.model_fields)
    if detail["type"] == "missing":
        return ConfigError(f"{where} lacks the key {key!r}")
    wanted = detail["msg"].removeprefix("Input ").removeprefix("should be ")
    return ConfigError(f"{where} {key} must be {wanted}, got {shown(detail['input'])}")
