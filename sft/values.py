"""JSON values with their types kept apart, and what a schema says about where they come from."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from decimal import Decimal
from typing import Any, NamedTuple

import jsonschema

DEEPEST = 32
"""Arguments nested deeper than this are malformed; no tool's schema comes near."""
_ECHO = frozenset({"as_written", "matched_by", "confidence", "look_alike"})
_NAMED = frozenset({"ingredients", "resolved", "id"})


class Leaf(NamedTuple):
    """One string, number, boolean or null in the arguments of a call, and what its schema says of it."""

    pointer: str
    value: Any
    copied: bool  # marked `x-from: conversation`
    fixed: bool  # a constant, which says no more than the choice of the branch


def is_number(value: Any) -> bool:
    """Whether a value is a JSON number; true and false are none."""
    return isinstance(value, (int, float)) and not isinstance(value, bool)


def same_value(a: Any, b: Any) -> bool:
    """Equality of JSON values with JSON's types kept apart; numbers by value, so that 1 and 1.0 are the same."""
    if isinstance(a, bool) or isinstance(b, bool):
        return a is b
    if is_number(a) and is_number(b):
        return bool(a == b)
    if isinstance(a, Mapping) and isinstance(b, Mapping):
        return a.keys() == b.keys() and all(same_value(a[key], b[key]) for key in a)
    if isinstance(a, (list, tuple)) and isinstance(b, (list, tuple)):
        return len(a) == len(b) and all(map(same_value, a, b))
    return type(a) is type(b) and bool(a == b)


def too_deep(value: Any) -> bool:
    """Whether a value is nested deeper than `DEEPEST`; itself without recursion."""
    level = [value]
    for _ in range(DEEPEST):
        level = [part for v in level for part in (v.values() if isinstance(v, Mapping) else v if _is_list(v) else ())]
        if not level:
            return False
    return True


def _is_list(value: Any) -> bool:
    return isinstance(value, (list, tuple))


def leaves(schema: Any, value: Any, pointer: str = "", root: Any = None) -> Iterator[Leaf]:
    """Every leaf of a value with its JSON pointer. Of `oneOf` and `anyOf`, the branches count whose constants the value
    has, or where there are none, those that it fits."""
    root = schema if root is None else root
    parts = list(_parts(schema, value, root))
    if isinstance(value, Mapping):
        for key, part in value.items():
            yield from leaves(_at_key(parts, key), part, f"{pointer}/{_escaped(key)}", root)
    elif _is_list(value):
        for i, part in enumerate(value):
            yield from leaves(_at_index(parts, i), part, f"{pointer}/{i}", root)
    else:
        copied = any(part.get("x-from") == "conversation" for part in parts)
        yield Leaf(pointer, value, copied, any("const" in part for part in parts))


def _parts(schema: Any, value: Any, root: Any, depth: int = 0) -> Iterator[Mapping[str, Any]]:
    """The subschemas that speak about this very value."""
    if not isinstance(schema, Mapping) or depth > DEEPEST:
        return
    yield schema
    reference = schema.get("$ref")
    if isinstance(reference, str) and reference.startswith("#"):
        yield from _parts(_resolve(root, reference), value, root, depth + 1)
    for part in schema.get("allOf", ()):
        yield from _parts(part, value, root, depth + 1)
    for keyword in ("oneOf", "anyOf"):
        branches = schema.get(keyword, ())
        chosen = [b for b in branches if _has_constants(b, value)]
        for branch in chosen or [b for b in branches if _fits(b, value, root)]:
            yield from _parts(branch, value, root, depth + 1)


def _fits(branch: Any, value: Any, root: Any) -> bool:
    """Whether a branch accepts a value; its references find the definitions of the whole schema."""
    if isinstance(branch, Mapping) and isinstance(root, Mapping) and "$defs" in root and "$defs" not in branch:
        branch = {**branch, "$defs": root["$defs"]}
    return jsonschema.Draft202012Validator(branch).is_valid(value)


def _has_constants(branch: Any, value: Any) -> bool:
    if not isinstance(branch, Mapping) or not isinstance(value, Mapping):
        return False
    constants = {k: v["const"] for k, v in branch.get("properties", {}).items() if isinstance(v, dict) and "const" in v}
    return bool(constants) and all(same_value(value.get(key), constant) for key, constant in constants.items())


def _resolve(root: Any, reference: str) -> Any:
    found = root
    for part in reference[1:].split("/")[1:]:
        part = part.replace("~1", "/").replace("~0", "~")
        found = found.get(part, {}) if isinstance(found, Mapping) else {}
    return found


def _at_key(parts: Sequence[Mapping[str, Any]], key: str) -> Any:
    found = [part["properties"][key] for part in parts if key in part.get("properties", {})]
    return found[0] if len(found) == 1 else {"allOf": found}


def _at_index(parts: Sequence[Mapping[str, Any]], i: int) -> Any:
    found = []
    for part in parts:
        first = part.get("prefixItems", ())
        found.append(first[i] if i < len(first) else part.get("items", {}))
    return found[0] if len(found) == 1 else {"allOf": found}


def _escaped(key: str) -> str:
    return key.replace("~", "~0").replace("/", "~1")


def at(value: Any, pointer: str) -> Any:
    """What stands at a JSON pointer, None where nothing does."""
    for part in pointer.split("/")[1:]:
        part = part.replace("~1", "/").replace("~0", "~")
        if isinstance(value, Mapping):
            value = value.get(part)
        elif _is_list(value) and part.isdigit() and int(part) < len(value):
            value = value[int(part)]
        else:
            return None
    return value


def tenfold(value: Any, wanted: Any) -> bool:
    """Whether a number is a tenth, ten, a hundred … times what was wanted: a slip of the decimal point."""
    if not (is_number(value) and is_number(wanted)) or not value or not wanted or abs(value) > 1e300:
        return False
    ratio = Decimal(str(value)) / Decimal(str(wanted))
    return any(ratio == Decimal(10) ** k for k in (-3, -2, -1, 1, 2, 3))


def result_key(result: Any) -> str:
    """A result as text that is equal for equal results: without the words of the call that it repeats, lists in any
    order. A name that nothing was found for is kept, since nothing else tells it apart."""
    return json.dumps(_canonical(result), sort_keys=True, ensure_ascii=False)


def _canonical(value: Any) -> Any:
    if isinstance(value, Mapping):
        echo = _ECHO if _NAMED & value.keys() else frozenset()
        return {key: _canonical(part) for key, part in value.items() if key not in echo}
    if _is_list(value):
        return sorted((_canonical(part) for part in value), key=lambda v: json.dumps(v, sort_keys=True))
    return value
