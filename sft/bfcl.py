"""The Berkeley Function Calling Leaderboard's rules for a call's syntax tree, as a secondary score.

Written from the rules of its Python categories (`bfcl_eval/eval_checker/ast_eval/ast_checker.py`, release v4), which
are laxer than the judge's own:

- A *possible answer* lists, for every parameter, the values that count; "" among them makes the parameter optional.
- There are as many calls as possible answers. With several, each possible answer takes the first call left that
  fits it, in any order.
- The function's name is compared as written. Every required parameter is there; none is outside the function's
  properties or the possible answer; one that is left out has "" among its values.
- A value has the parameter's type exactly (true is no integer), but an integer passes for a float. A value of the
  type of the first possible value passes too and is then compared as it is: a variable's name for a number.
- Strings are compared in lower case, without blanks and `, . / - _ * ^`, single quotes as double ones. So are the
  strings of a list and the strings that are values in a dict. Lists keep their order; a dict is compared key by key.
- Nothing else of the schema counts: enums, bounds, formats.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any, Final

from data.conversation import Call
from sft.errors import UnreadableItem
from tools import Tool

TYPES: Final[Mapping[str, type]] = {
    "string": str,
    "integer": int,
    "float": float,
    "boolean": bool,
    "array": list,
    "tuple": list,
    "dict": dict,
    "any": str,
}
SAME: Final[Mapping[str, str]] = {"number": "float", "object": "dict"}
"""JSON Schema's names for two of the types; some published items use them."""
OPTIONAL: Final = ""

Possible = Mapping[str, Mapping[str, Sequence[Any]]]
"""One possible answer: {function: {parameter: values that count}}."""


def check_calls(functions: Sequence[Mapping[str, Any]], calls: Sequence[Call], truth: Sequence[Possible]) -> str:
    """What the rules have against these calls, "" if nothing. `functions` are the leaderboard's descriptions.

    Raises UnreadableItem for a parameter of a type that its Python categories do not have.
    """
    if len(calls) != len(truth):
        return f"{len(calls)} calls where {len(truth)} are wanted"
    left = list(calls)
    for possible in truth:
        (name,) = possible
        function = next((f for f in functions if f["name"] == name), None)
        if function is None:
            raise UnreadableItem(f"the possible answer calls {name!r}, which is not among the item's functions")
        reasons = [check_call(function, call, possible[name]) for call in left]
        if "" not in reasons:
            return "; ".join(dict.fromkeys(reasons))
        del left[reasons.index("")]
    return ""


def check_call(function: Mapping[str, Any], call: Call, possible: Mapping[str, Sequence[Any]]) -> str:
    """What the rules have against one call as the answer that `possible` describes."""
    if call.name != function["name"]:
        return f"{call.name!r} where {function['name']!r} is wanted"
    parameters = function["parameters"]
    for name in parameters.get("required", ()):
        if name not in call.arguments:
            return f"required parameter {name!r} is missing"
    for name, value in call.arguments.items():
        if name not in parameters["properties"] or name not in possible:
            return f"parameter {name!r} is not expected"
        why = _check_value(parameters["properties"][name], value, possible[name])
        if why:
            return f"parameter {name!r}: {why}"
    for name, values in possible.items():
        if name not in call.arguments and OPTIONAL not in values:
            return f"parameter {name!r} is left out"
    return ""


def type_of(schema: Mapping[str, Any]) -> str:
    """The leaderboard's name of a parameter's type. Raises UnreadableItem for one it does not have in Python."""
    name = schema.get("type")
    name = SAME.get(name, name) if isinstance(name, str) else name
    if not isinstance(name, str) or name not in TYPES:
        raise UnreadableItem(
            f"a parameter has the type {name!r}, expected one of {', '.join([*TYPES, *SAME])}; the types of Java and"
            " JavaScript are not supported"
        )
    return name


def _check_value(schema: Mapping[str, Any], value: Any, values: Sequence[Any]) -> str:
    kind = type_of(schema)
    inner = TYPES[type_of(schema.get("items", {"type": "string"}))] if kind in ("array", "tuple") else None
    if kind == "float" and type(value) is int:
        value = float(value)
    usual = _first_type(values)
    if type(value) is not TYPES[kind]:
        if usual is None or type(value) is not usual:
            return f"{value!r} is not of type {kind}"
        return "" if value in values else f"{value!r} is none of {list(values)}"
    if isinstance(value, list) and inner is not None and not any(_inner_types_fit(value, v, inner) for v in values):
        return f"{value!r} holds something that is not of type {inner.__name__}"
    if usual is not None and usual is not TYPES[kind]:
        right = value in values
    elif isinstance(value, dict):
        right = any(_dict_fits(value, v) for v in values if v != OPTIONAL)
    elif isinstance(value, list) and inner is dict:
        right = any(_sized(v) and len(value) == len(v) and all(map(_dict_fits, value, v)) for v in values)
    elif isinstance(value, list):
        right = _plain_list(value) in [_plain_list(v) for v in values if _sized(v)]
    elif isinstance(value, str):
        right = standardised(value) in [standardised(v) for v in values if isinstance(v, str)]
    else:
        right = value in values
    return "" if right else f"{value!r} is none of {list(values)}"


def _first_type(values: Sequence[Any]) -> type | None:
    return next((type(value) for value in values if value != OPTIONAL), None)


def _inner_types_fit(value: list[Any], possible: Any, inner: type) -> bool:
    if not isinstance(possible, list):
        return True
    usual = _first_type(possible)
    return all(type(item) is inner or (usual is not None and type(item) is usual) for item in value)


def _dict_fits(value: Any, possible: Any) -> bool:
    if not isinstance(value, dict) or not isinstance(possible, Mapping):
        return False
    if not all(isinstance(values, list) for values in possible.values()):
        return False
    for key, part in value.items():
        if key not in possible or _plain(part) not in [_plain(v) for v in possible[key]]:
            return False
    return all(key in value or OPTIONAL in values for key, values in possible.items())


def _plain(value: Any) -> Any:
    return standardised(value) if isinstance(value, str) else value


def _sized(value: Any) -> bool:
    return isinstance(value, (list, str))  # "" counts as an empty list


def _plain_list(value: list[Any] | str) -> list[Any]:
    return [_plain(part) for part in value]


def standardised(text: str) -> str:
    """A string as the rules compare it."""
    return re.sub(r"[ ,./\-_*^]", "", text).lower().replace("'", '"')


def as_ground_truth(calls: Sequence[Call]) -> list[dict[str, dict[str, list[Any]]]]:
    """Calls as possible answers that allow nothing else."""
    return [{call.name: {key: [_as_possible(value)] for key, value in call.arguments.items()}} for call in calls]


def _as_possible(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {key: [part] for key, part in value.items()}
    if isinstance(value, list):
        return [_as_possible(part) if isinstance(part, Mapping) else part for part in value]
    return value


def function_of(tool: Tool) -> dict[str, Any]:
    """A tool as a function of the leaderboard. Where its arguments are one of several objects, their properties are put
    together and only what all of them require is required."""
    schema = tool.arguments_schema
    branches = [schema] if "properties" in schema else list(schema.get("oneOf", schema.get("anyOf", ())))
    properties: dict[str, Any] = {}
    for branch in branches:
        for name, part in branch.get("properties", {}).items():
            described, known = _described(part), properties.get(name)
            if known is None:
                properties[name] = described
            elif "enum" in known and "enum" in described:
                known["enum"] = list(dict.fromkeys([*known["enum"], *described["enum"]]))
            else:
                known.pop("enum", None)
    required = [set(branch.get("required", ())) for branch in branches]
    return {
        "name": tool.name,
        "description": tool.description,
        "parameters": {
            "type": "dict",
            "properties": properties,
            "required": [name for name in properties if required and all(name in keys for keys in required)],
        },
    }


_NAMES: Final = {"number": "float", "object": "dict"}
_OF: Final = {str: "string", bool: "boolean", int: "integer", float: "float", list: "array", dict: "dict"}


def _described(schema: Mapping[str, Any]) -> dict[str, Any]:
    """A JSON Schema in the leaderboard's words; what it has no word for is left out."""
    values = [schema["const"]] if "const" in schema else list(schema.get("enum", ()))
    kind = schema.get("type") or (_OF.get(type(values[0]), "any") if values else "any")
    kind = next((k for k in kind if k != "null"), "any") if isinstance(kind, list) else kind
    out: dict[str, Any] = {"type": _NAMES.get(kind, kind), "description": schema.get("description", "")}
    if values:
        out["enum"] = values
    if kind == "array":
        out["items"] = _described(schema.get("items") or {"type": "string"})
    if kind == "object" and "properties" in schema:
        out["properties"] = {name: _described(part) for name, part in schema["properties"].items()}
        out["required"] = list(schema.get("required", ()))
    return out
