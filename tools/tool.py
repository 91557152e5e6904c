"""What a tool is, and how one call of it is made safe.

A tool is a name, a sentence, a JSON Schema for its arguments, one for its results, and a function.
``Tool.call`` validates the arguments, runs the function, turns a :class:`Refusal` into a value, and validates
what comes out.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Mapping
from copy import deepcopy
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

from tools.errors import Refusal

if TYPE_CHECKING:
    from jsonschema.protocols import Validator

_HALF = re.compile("[\ud800-\udfff]")
_DEEPEST = 50

Arguments = Mapping[str, Any]
Result = dict[str, Any]


def _unversioned() -> str:
    return "none"


@dataclass(frozen=True)
class Tool:
    """One callable tool.

    ``function`` takes validated arguments and returns an ``ok`` result or raises :class:`Refusal`;
    ``version`` names the data behind it as it is now.
    """

    name: str
    description: str
    arguments_schema: Mapping[str, Any]
    result_schema: Mapping[str, Any]
    function: Callable[[Arguments], Result]
    version: Callable[[], str] = _unversioned

    @cached_property
    def _result_validator(self) -> Validator:
        return _validator(self.result_schema)

    @cached_property
    def _branches(self) -> dict[str | None, Validator]:
        """Validators by the constant that tells the branches of a top-level ``oneOf`` apart, if one does."""
        key = self._discriminator
        if key is None:
            return {None: _validator(self.arguments_schema)}
        return {branch["properties"][key]["const"]: _validator(branch) for branch in self.arguments_schema["oneOf"]}

    @cached_property
    def _discriminator(self) -> str | None:
        """The property that has another constant text in every branch of a schema that is all ``oneOf``."""
        branches = self.arguments_schema.get("oneOf")
        if not branches or self.arguments_schema.keys() - {"oneOf", "type", "title", "description"}:
            return None
        for key in branches[0].get("properties", ()):
            constants = {_constant(branch, key) for branch in branches}
            if None not in constants and len(constants) == len(branches):
                return str(key)
        return None

    def call(self, arguments: object) -> Result:
        """Run the tool. Every outcome is a value; only a programming error inside the tool raises."""
        try:
            self.check_arguments(arguments)
            assert isinstance(arguments, Mapping)
            result = self.function(deepcopy(arguments))  # a tool cannot change what its neighbours are given
        except Refusal as refusal:  # the same for every tool, so that a result schema need not speak of it
            return refusal.as_result(self.version())
        self._result_validator.validate(result)
        return result

    def check_arguments(self, arguments: object) -> None:
        """Raise :class:`Refusal` naming the first place where the arguments leave their schema."""
        if not isinstance(arguments, Mapping):
            raise Refusal(
                "invalid_arguments",
                "",
                shown(arguments),
                "an object",
                f"{self.name} takes an object of arguments"
                + (", found text; read it as JSON first" if isinstance(arguments, str) else ""),
            )
        from jsonschema.exceptions import relevance

        _check_values(self.name, arguments, "")
        errors = sorted(self._validator_for(arguments).iter_errors(arguments), key=relevance)
        if errors:
            raise _refusal(self.name, errors[-1])

    def _validator_for(self, arguments: Arguments) -> Validator:
        key = self._discriminator
        if key is None:
            return self._branches[None]
        chosen = arguments.get(key)
        if not isinstance(chosen, str) or chosen not in self._branches:
            names = ", ".join(str(name) for name in self._branches)
            raise Refusal(
                "missing_argument" if key not in arguments else "invalid_arguments",
                f"/{key}",
                shown(chosen),
                f"one of {names}",
                f"{self.name}: '{key}' must say which is wanted: {names}",
            )
        return self._branches[chosen]


def _constant(branch: Mapping[str, Any], key: str) -> str | None:
    schema = branch.get("properties", {}).get(key)
    value = schema.get("const") if isinstance(schema, Mapping) else None
    return value if isinstance(value, str) and key in branch.get("required", ()) else None


def rebased(schema: Any, root: str) -> Any:
    """The schema with its references to itself (``#/$defs/x``) rewritten for a document that holds it at ``root``."""
    if isinstance(schema, Mapping):
        return {
            key: f"{root}{value[1:]}"
            if key == "$ref" and isinstance(value, str) and (value == "#" or value.startswith("#/"))
            else rebased(value, root)
            for key, value in schema.items()
        }
    return [rebased(part, root) for part in schema] if isinstance(schema, list) else schema


def _validator(schema: Mapping[str, Any]) -> Validator:
    from jsonschema import Draft202012Validator

    return Draft202012Validator(schema, format_checker=Draft202012Validator.FORMAT_CHECKER)


def _check_values(tool: str, value: object, place: str, depth: int = 0) -> None:
    """Refuse what Python reads from JSON text and no database or protocol can carry: half characters (lone
    surrogates), NaN and Infinity, and nesting without end.
    """
    if isinstance(value, str) and not value.isascii() and _HALF.search(value):
        raise _unusable(tool, place, value, "whole characters", "text with half characters")
    if isinstance(value, float) and not math.isfinite(value):
        raise _unusable(tool, place, value, "a finite number", f"{value} is no number")
    if not isinstance(value, Mapping | list):
        return
    if depth == _DEEPEST:
        raise _unusable(tool, place, "...", f"at most {_DEEPEST} levels", "nested too deeply")
    for key, part in value.items() if isinstance(value, Mapping) else enumerate(value):
        _check_values(tool, key, place)
        _check_values(tool, part, f"{place}/{_pointer(key)}", depth + 1)


def _unusable(tool: str, place: str, value: object, expected: str, what: str) -> Refusal:
    return Refusal("invalid_arguments", place, shown(value), expected, f"{tool}: at {place or '/'}: {what}")


def _pointer(key: object) -> str:
    """One step of a JSON pointer (RFC 6901), cut when it is absurdly long."""
    return str(key).replace("~", "~0").replace("/", "~1")[:120]


def shown(value: object) -> object:
    """The offending value when JSON can carry it and it is short, else a description of it."""
    if value is None or isinstance(value, bool | int) or (isinstance(value, float) and math.isfinite(value)):
        return value
    rendered = _HALF.sub("\N{REPLACEMENT CHARACTER}", value) if isinstance(value, str) else repr(value)
    return rendered if len(rendered) <= 120 else rendered[:117] + "..."


_MOST_CHOICES = 20


def _with_choices(schema: Mapping[str, Any], key: str) -> str:
    """An argument's name, with what it may be when that is a short list."""
    schema = schema.get("properties", {}).get(key, {})
    choices = schema.get("enum", ()) if isinstance(schema, Mapping) else ()
    return f"{key} ({', '.join(map(str, choices))})" if 0 < len(choices) <= _MOST_CHOICES else key


def _refusal(tool: str, error: Any) -> Refusal:
    place = "".join(f"/{_pointer(part)}" for part in error.absolute_path)
    if error.validator in ("required", "dependentRequired"):
        needed = error.validator_value
        if error.validator == "dependentRequired":
            needed = dict.fromkeys(key for given, keys in needed.items() if given in error.instance for key in keys)
        missing = [key for key in needed if key not in error.instance]
        wanted = ", ".join(_with_choices(error.schema, key) for key in missing)
        return Refusal(
            "missing_argument",
            f"{place}/{missing[0]}",
            None,
            f"a value for {wanted}",
            f"{tool}: missing {wanted}",
        )
    if error.validator == "additionalProperties":
        known = list(error.schema["properties"])
        extra = next(key for key in error.instance if key not in known)
        return Refusal(
            "invalid_arguments",
            f"{place}/{_pointer(extra)}",
            shown(extra),
            f"only {', '.join(known)}",
            f"{tool}: '{extra}' is not an argument here; expected only {', '.join(known)}",
        )
    expected = f"{error.validator} {error.validator_value}"
    return Refusal(
        "invalid_arguments",
        place,
        shown(error.instance),
        expected,
        f"{tool}: at {place or '/'}: found {shown(error.instance)!r}, expected {expected}",
    )
