"""Command-line flags from the fields of a config dataclass.

`learning_rate: Annotated[float, "peak learning rate"] = 3e-4` becomes `--learning-rate FLOAT` with that help
and that default, so a flag, its help text and its default are written once, where the value is used.
"""

from __future__ import annotations

import argparse
import dataclasses
import types
import typing
from collections.abc import Collection
from pathlib import Path
from typing import Any, TypeVar

Config = TypeVar("Config")


def add_flags(
    parser: argparse.ArgumentParser,
    config: type[Any],
    *,
    skip: Collection[str] = (),
    defaults: dict[str, Any] | None = None,
) -> None:
    """Give the parser one flag for each field; `defaults` replaces the dataclass's own where a command wants others."""
    group = parser.add_argument_group(config.__name__)
    hints = typing.get_type_hints(config, include_extras=True)
    for field in dataclasses.fields(config):
        if field.name in skip:
            continue
        kind, text = _split(hints[field.name])
        default = (defaults or {}).get(field.name, _default(field))
        flag = "--" + field.name.replace("_", "-")
        if kind is bool:
            group.add_argument(flag, action=argparse.BooleanOptionalAction, default=default, help=text)
            continue
        options: dict[str, Any] = {"default": default, "dest": field.name}
        options["help"] = text + ("" if default in (None, "") else f" (default {default})")
        if typing.get_origin(kind) is typing.Literal:
            options["choices"] = typing.get_args(kind)
        elif typing.get_origin(kind) is tuple:
            options |= {"nargs": "*", "type": typing.get_args(kind)[0]}
        else:
            options |= {"type": kind, "metavar": kind.__name__.upper()}
        group.add_argument(flag, **options)


def from_flags(config: type[Config], args: argparse.Namespace, **fixed: Any) -> Config:
    """The config that the parsed flags describe; `fixed` sets fields that have no flag."""
    names = [field.name for field in dataclasses.fields(config)]  # type: ignore[arg-type]
    values = {name: getattr(args, name) for name in names if hasattr(args, name)}
    values = {name: tuple(v) if isinstance(v, list) else v for name, v in values.items()}
    return config(**(values | fixed))


def as_dict(config: Any) -> dict[str, Any]:
    """A config as plain JSON values."""
    return {
        name: str(value) if isinstance(value, Path) else value for name, value in dataclasses.asdict(config).items()
    }


def _split(hint: Any) -> tuple[Any, str]:
    """The plain type and the help text of `Annotated[type, "help"]`; `T | None` counts as T."""
    text = ""
    if typing.get_origin(hint) is typing.Annotated:
        hint, text = typing.get_args(hint)[:2]
    if typing.get_origin(hint) in (typing.Union, types.UnionType):
        hint = next(part for part in typing.get_args(hint) if part is not type(None))
    return hint, text.replace("%", "%%")


def _default(field: dataclasses.Field[Any]) -> Any:
    if field.default is not dataclasses.MISSING:
        return field.default
    if field.default_factory is not dataclasses.MISSING:
        return field.default_factory()
    return None
