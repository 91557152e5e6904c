"""What can be seen at a glance.

Schemas that exclude each other, so that a `oneOf` over them needs no complement, and conjunctions that nothing
satisfies, so that they are not combined further.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

from .layout import freeze
from .numbers import Interval, interval_of
from .schema_node import ANNOTATIONS, REFERENCES, TYPES, Atoms, Nodes, SchemaNode, type_names
from .strings import NOT_ENUM


def all_disjoint(nodes: Nodes, branches: Sequence[SchemaNode]) -> bool:
    """Whether all branches exclude one another; quick where one required key tells them apart, like a tool's name."""
    return _told_apart(nodes, branches) or all(
        disjoint(nodes, a, b) for i, a in enumerate(branches) for b in branches[:i]
    )


def _told_apart(nodes: Nodes, branches: Sequence[SchemaNode]) -> bool:
    followed = [_follow(nodes, branch).mapping for branch in branches]
    if len(followed) < 2 or any(schema.get("type") != "object" for schema in followed):
        return False
    for name in followed[0].get("required", ()):
        seen: set[Any] = set()
        count = 0
        for schema in followed:
            value = schema.get("properties", {}).get(name) if name in schema.get("required", ()) else None
            values = _constants(value) if isinstance(value, Mapping) else None
            if values is None:
                break
            seen |= values
            count += len(values)
        else:
            if len(seen) == count:
                return True
    return False


def disjoint(nodes: Nodes, a: SchemaNode, b: SchemaNode, depth: int = 0) -> bool:
    """Whether plainly no value satisfies both: other types, other constants, a required key that tells them apart."""
    a, b = _follow(nodes, a), _follow(nodes, b)
    if a.schema is False or b.schema is False:
        return True
    x, y = a.mapping, b.mapping
    types_a = type_names(x["type"]) if "type" in x else TYPES
    types_b = type_names(y["type"]) if "type" in y else TYPES
    if not types_a & types_b:
        return True
    values_a, values_b = _constants(x), _constants(y)
    if values_a is not None and values_b is not None:
        return not values_a & values_b
    if not types_a & types_b <= {"object"} or depth > 3:
        return False
    if any(_forbids(y, name) for name in x.get("required", ())) or any(_forbids(x, n) for n in y.get("required", ())):
        return True
    required = set(x.get("required", ())) & set(y.get("required", ()))
    shared = [p for p in x.get("properties", {}) if p in required and p in y.get("properties", {})]
    return any(
        disjoint(nodes, nodes.child(a, "properties", p), nodes.child(b, "properties", p), depth + 1) for p in shared
    )


def _forbids(schema: Mapping[str, Any], name: str) -> bool:
    """Whether an object of this schema plainly has no such key."""
    properties = schema.get("properties", {})
    if name in properties:
        return properties[name] is False
    return schema.get("additionalProperties") is False and not schema.get("patternProperties")


def _follow(nodes: Nodes, node: SchemaNode) -> SchemaNode:
    for _ in range(16):
        alone = nodes.ref_hides_siblings and "$ref" in node.mapping
        if not alone and set(node.mapping) - ANNOTATIONS != {"$ref"}:
            break
        node = next(nodes.targets(node))
    return node


def _constants(schema: Mapping[str, Any]) -> frozenset[Any] | None:
    if "const" in schema:
        return frozenset({freeze(schema["const"])})
    if "enum" in schema:
        return frozenset(freeze(v) for v in schema["enum"])
    return None


# ---- conjunctions


def plainly_empty(atoms: Atoms) -> bool:
    """Whether a conjunction contradicts itself at a glance: types, constants, bounds, what a required key may hold."""
    types = atoms.types()
    if not types or _no_value(types, [node.mapping for node in atoms.nodes]):
        return True
    if types == {"object"}:
        return _no_member(atoms) or _crossed(atoms, "minProperties", "maxProperties")
    if types == {"string"}:
        return _crossed(atoms, "minLength", "maxLength")
    if types == {"array"}:
        return _crossed(atoms, "minItems", "maxItems")
    if types <= {"integer", "fraction"}:
        interval = Interval()
        for node in atoms.nodes:
            interval = interval.meet(interval_of(node.mapping))
        return (interval if "fraction" in types else interval.whole()).empty
    return False


def _crossed(atoms: Atoms, low: str, high: str) -> bool:
    return max(atoms.values(low), default=0) > min(atoms.values(high), default=math.inf)


def _no_member(atoms: Atoms) -> bool:
    """Whether some required key is forbidden, or what several schemas say of it contradicts itself."""
    required = {name for names in atoms.values("required") for name in names}
    if not required:
        return False
    said: dict[str, list[Any]] = {}
    for node in atoms.nodes:
        properties = node.mapping.get("properties", {})
        for name in required & properties.keys() if len(properties) > len(required) else properties:
            said.setdefault(name, []).append(properties[name])
        closed = node.mapping.get("additionalProperties") is False and not node.mapping.get("patternProperties")
        if closed and not required <= properties.keys():
            return True
    for name in required & said.keys():
        schemas = [schema.schema if isinstance(schema, SchemaNode) else schema for schema in said[name]]
        if any(schema is False for schema in schemas):
            return True
        plain = [s for s in schemas if not isinstance(s, bool) and REFERENCES.isdisjoint(s)]
        types = TYPES
        for schema in plain:
            types &= type_names(schema["type"]) if "type" in schema else TYPES
        if not types or _no_value(types, plain):
            return True
    return False


def _no_value(types: frozenset[str], schemas: Sequence[Mapping[str, Any]]) -> bool:
    """Whether constants leave nothing: none in common, or all of them excluded or of another type."""
    allowed: frozenset[Any] | None = None
    excluded: set[Any] = set()
    for schema in schemas:
        constants = _constants(schema)
        if constants is not None:
            allowed = constants if allowed is None else allowed & constants
        excluded.update(freeze(v) for v in schema.get(NOT_ENUM, ()))
        inner = schema.get("not")
        if isinstance(inner, Mapping) and set(inner) - ANNOTATIONS in ({"const"}, {"enum"}):
            excluded |= _constants(inner) or frozenset()
    if allowed is None:
        return False
    return not any(value not in excluded and _may_be(value, types) for value in allowed)


def _may_be(frozen: Any, types: frozenset[str]) -> bool:
    kind = frozen[0]
    return bool(types & {"integer", "fraction"}) if kind == "number" else kind in types
