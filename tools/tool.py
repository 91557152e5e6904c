"""What a tool is, and how one call of it is made safe.

A tool is a name, a sentence, a JSON Schema for its arguments, one for its results, and a function.
``Tool.call`` validates the arguments, runs the function, turns a :class:`Refusal` into a value, and validates
what comes out.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

from tools.errors import Refusal

if TYPE_CHECKING:
    from jsonschema.protocols import Validator

_HALF = re.compile("[\ud800-\udfff]")

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
            result = self.function(arguments)
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
                _plain(arguments),
                "an object",
                f"{self.name} takes an object of arguments",
            )
        from jsonschema.exceptions import relevance

        errors = sorted(self._validator_for(arguments).iter_errors(arguments), key=relevance)
        if errors:
            raise _refusal(self.name, errors[-1])
        _check_text(self.name, arguments, "")

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
                _plain(chosen),
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


def _check_text(tool: str, value: object, place: str) -> None:
    """Refuse half characters (lone surrogates): JSON can spell them, no database or protocol can carry them."""
    if isinstance(value, str) and not value.isascii() and _HALF.search(value):
        shown = _HALF.sub("\N{REPLACEMENT CHARACTER}", value)
        raise Refusal(
            "invalid_arguments",
            place,
            _plain(shown),
            "whole characters",
            f"{tool}: at {place}: text with half characters",
        )
    parts = value.items() if isinstance(value, Mapping) else enumerate(value) if isinstance(value, list) else ()
    for key, part in parts:
        _check_text(tool, part, f"{place}/{key}")


def _plain(value: object) -> object:
    """The offending value when JSON can carry it and it is short, else a description of it."""
    if value is None or isinstance(value, bool | int | float):
        return value
    rendered = _HALF.sub("\N{REPLACEMENT CHARACTER}", value) if isinstance(value, str) else repr(value)
    return rendered if len(rendered) <= 120 else rendered[:117] + "..."


def _refusal(tool: str, error: Any) -> Refusal:
    place = "".join(f"/{part}" for part in error.absolute_path)
    if error.validator == "required":
        missing = [key for key in error.validator_value if key not in error.instance]
        return Refusal(
            "missing_argument",
            f"{place}/{missing[0]}",
            None,
            f"a value for {', '.join(missing)}",
            f"{tool}: missing {', '.join(missing)}",
        )
    if error.validator == "additionalProperties":
        known = list(error.schema["properties"])
        extra = next(key for key in error.instance if key not in known)
        return Refusal(
            "invalid_arguments",
            f"{place}/{extra}",
            _plain(extra),
            f"only {', '.join(known)}",
            f"{tool}: '{extra}' is not an argument here; expected only {', '.join(known)}",
        )
    expected = f"{error.validator} {error.validator_value}"
    return Refusal(
        "invalid_arguments",
        place,
        _plain(error.instance),
        expected,
        f"{tool}: at {place or '/'}: found {_plain(error.instance)!r}, expected {expected}",
    )
