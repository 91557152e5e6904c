"""What a tool is, and how one call of it is made safe.

A tool is a name, a sentence, a JSON Schema for its arguments, one for its results, and a function.
``Tool.call`` validates the arguments, runs the function, turns a :class:`Refusal` into a value, and validates
what comes out.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

from tools.errors import Refusal

if TYPE_CHECKING:
    from jsonschema.protocols import Validator

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
        """Validators by the constant that tells the branches of a top-level ``oneOf`` apart."""
        branches = self.arguments_schema.get("oneOf")
        if branches is None:
            return {None: _validator(self.arguments_schema)}
        key = self._discriminator
        return {branch["properties"][key]["const"]: _validator(branch) for branch in branches}

    @cached_property
    def _discriminator(self) -> str:
        first = self.arguments_schema["oneOf"][0]["properties"]
        return next(str(key) for key, schema in first.items() if "const" in schema)

    def call(self, arguments: object) -> Result:
        """Run the tool. Every outcome is a value; only a programming error inside the tool raises."""
        try:
            self.check_arguments(arguments)
            assert isinstance(arguments, Mapping)
            result = self.function(arguments)
        except Refusal as refusal:
            result = refusal.as_result(self.version())
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

    def _validator_for(self, arguments: Arguments) -> Validator:
        if None in self._branches:
            return self._branches[None]
        key = self._discriminator
        chosen = arguments.get(key)
        if not isinstance(chosen, str) or chosen not in self._branches:
            names = ", ".join(str(name) for name in self._branches)
            raise Refusal(
                "missing_argument" if key not in arguments else "invalid_arguments",
                f"/{key}",
                _plain(chosen),
                f"one of {names}",
                f"{self.name}: '{key}' must say which calculation is wanted: {names}",
            )
        return self._branches[chosen]


def _validator(schema: Mapping[str, Any]) -> Validator:
    from jsonschema import Draft202012Validator

    return Draft202012Validator(schema, format_checker=Draft202012Validator.FORMAT_CHECKER)


def _plain(value: object) -> object:
    """The offending value when JSON can carry it and it is short, else a description of it."""
    if value is None or isinstance(value, bool | int | float):
        return value
    rendered = value if isinstance(value, str) else repr(value)
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
