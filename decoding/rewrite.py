"""Keywords that combine schemas, rewritten until only "all of these" and "any of these" are left.

`split(node)` takes a schema apart into what looks at the value itself (`atomic`), other schemas that must
hold too (`requires`) and alternatives of which one must hold (`any_of`). `negate(node)` is the complement of
a schema as alternatives, each an ordinary schema: *not minimum 3* is *a number with exclusiveMaximum 3*, *not
properties a: S* is *an object with a key a that is not S*.

An alternative is a tuple of nodes that must hold together; no alternatives at all is the schema `false`.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from itertools import combinations
from typing import Any

from .layout import freeze
from .schema_node import TYPES, Nodes, SchemaNode, type_names
from .strings import NOT_ENUM, NOT_FORMAT, NOT_PATTERN

NOT_MULTIPLE = "\0not multipleOf"

Alternative = tuple[SchemaNode, ...]
Alternatives = tuple[Alternative, ...]

COMBINING = frozenset(
    {
        "$ref",
        "allOf",
        "anyOf",
        "oneOf",
        "not",
        "if",
        "then",
        "else",
        "dependentRequired",
        "dependentSchemas",
        "dependencies",
    }
)
ANNOTATIONS = frozenset(
    {
        "$anchor",
        "$comment",
        "$defs",
        "$id",
        "$schema",
        "$vocabulary",
        "contentEncoding",
        "contentMediaType",
        "contentSchema",
        "default",
        "definitions",
        "deprecated",
        "description",
        "example",
        "examples",
        "id",
        "readOnly",
        "title",
        "writeOnly",
    }
)


def is_annotation(keyword: str) -> bool:
    """Whether a keyword never decides about a value."""
    return keyword in ANNOTATIONS or keyword.startswith("x-")


def split(nodes: Nodes, node: SchemaNode) -> SchemaNode:
    """Fills `atomic`, `requires` and `any_of` of a node, once; returns the node."""
    if node.is_split:
        return node
    schema = node.mapping
    if nodes.ref_hides_siblings and "$ref" in schema:
        schema = {"$ref": schema["$ref"]}
    if not COMBINING & schema.keys():
        node.atomic = node
    else:
        atomic = {
            k: v for k, v in schema.items() if k not in COMBINING and not (is_annotation(k) and not k.startswith("x-"))
        }
        node.atomic = nodes.derive(node, "atomic", atomic) if atomic else None
        node.requires = tuple(_requires(nodes, node, schema))
        node.any_of = tuple(_any_of(nodes, node, schema))
    node.is_split = True
    return node


def _requires(nodes: Nodes, node: SchemaNode, schema: Mapping[str, Any]) -> Iterator[SchemaNode]:
    if "$ref" in schema:
        yield nodes.resolve(node, schema["$ref"])
    for i in range(len(schema.get("allOf", ()))):
        yield nodes.child(node, "allOf", i)


def _any_of(nodes: Nodes, node: SchemaNode, schema: Mapping[str, Any]) -> Iterator[Alternatives]:
    if "anyOf" in schema:
        yield tuple((nodes.child(node, "anyOf", i),) for i in range(len(schema["anyOf"])))
    if "oneOf" in schema:
        yield _exactly_one(nodes, [nodes.child(node, "oneOf", i) for i in range(len(schema["oneOf"]))])
    if "not" in schema:
        yield negate(nodes, nodes.child(node, "not"))
    if "if" in schema and ("then" in schema or "else" in schema):
        yield from (tuple(_conditional(nodes, node, schema)),)
    for name, needed in _dependent_required(schema):
        absent = {"properties": {name: False}}
        yield (
            (nodes.derive(node, ("absent", name), absent),),
            (nodes.derive(node, ("present", name), {"required": [name, *needed]}),),
        )
    for keyword, name in _dependent_schemas(schema):
        present = {"type": "object", "required": [name]}
        yield (
            (nodes.derive(node, ("absent", name), {"properties": {name: False}}),),
            (nodes.derive(node, ("an object with", name), present), nodes.child(node, keyword, name)),
        )


def _dependent_required(schema: Mapping[str, Any]) -> Iterator[tuple[str, list[str]]]:
    yield from schema.get("dependentRequired", {}).items()
    for name, value in schema.get("dependencies", {}).items():
        if isinstance(value, (list, str)):
            yield name, [value] if isinstance(value, str) else value


def _dependent_schemas(schema: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    for name in schema.get("dependentSchemas", {}):
        yield "dependentSchemas", name
    for name, value in schema.get("dependencies", {}).items():
        if isinstance(value, (bool, Mapping)):
            yield "dependencies", name


def _conditional(nodes: Nodes, node: SchemaNode, schema: Mapping[str, Any]) -> Iterator[Alternative]:
    condition = nodes.child(node, "if")
    yield (condition, nodes.child(node, "then")) if "then" in schema else (condition,)
    for alternative in negate(nodes, condition):
        yield (*alternative, nodes.child(node, "else")) if "else" in schema else alternative


def _exactly_one(nodes: Nodes, branches: list[SchemaNode]) -> Alternatives:
    """One branch holds and the others do not; branches that exclude each other by themselves need no complement."""
    result: list[Alternative] = []
    for i, branch in enumerate(branches):
        partial: list[Alternative] = [(branch,)]
        for j, other in enumerate(branches):
            if i != j and not disjoint(nodes, branch, other):
                partial = [(*done, *more) for done in partial for more in negate(nodes, other)]
        result.extend(partial)
    return tuple(result)


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
    required = set(x.get("required", ())) & set(y.get("required", ()))
    shared = [p for p in x.get("properties", {}) if p in required and p in y.get("properties", {})]
    return any(
        disjoint(nodes, nodes.child(a, "properties", p), nodes.child(b, "properties", p), depth + 1) for p in shared
    )


def _follow(nodes: Nodes, node: SchemaNode) -> SchemaNode:
    for _ in range(16):
        if set(node.mapping) - ANNOTATIONS != {"$ref"}:
            break
        node = nodes.resolve(node, node.mapping["$ref"])
    return node


def _constants(schema: Mapping[str, Any]) -> frozenset[Any] | None:
    if "const" in schema:
        return frozenset({freeze(schema["const"])})
    if "enum" in schema:
        return frozenset(freeze(v) for v in schema["enum"])
    return None


# ---- complements


def negate(nodes: Nodes, node: SchemaNode) -> Alternatives:
    """The values that do not satisfy the schema. Raises UnsupportedSchema where the complement is not held."""
    if isinstance(node.schema, bool):
        return () if node.schema else ((),)
    result: list[Alternative] = []
    schema = node.mapping
    if nodes.ref_hides_siblings and "$ref" in schema:
        schema = {"$ref": schema["$ref"]}
    for keyword, value in schema.items():
        if not is_annotation(keyword):
            result.extend(_negate_keyword(nodes, node, keyword, value))
    return tuple(result)


def _negate_keyword(nodes: Nodes, node: SchemaNode, keyword: str, value: Any) -> Iterator[Alternative]:
    def made(key: object, schema: dict[str, Any]) -> Alternative:
        return (nodes.derive(node, ("negated", keyword, key), schema),)

    if keyword in _SIMPLE:
        schema = _SIMPLE[keyword](value, node.mapping)
        if schema is not None:
            yield made("", schema)
    elif keyword in _COMBINED:
        yield from _COMBINED[keyword](nodes, node, value)
    elif keyword in ("then", "else", "minContains", "maxContains", "additionalItems"):
        return  # looked at together with `if`, `contains`, `items`
    elif keyword == "required":
        for name in value:
            yield made(name, {"type": "object", "properties": {name: False}})
    elif keyword == "properties":
        for name, schema in value.items():
            yield made(name, {"type": "object", "required": [name], "properties": {name: {"not": schema}}})
    elif keyword == "prefixItems":
        for i, schema in enumerate(value):
            prefix: list[Any] = [True] * i + [{"not": schema}]
            yield made(i, {"type": "array", "minItems": i + 1, "prefixItems": prefix})
    elif keyword == "contains":
        low, high = node.mapping.get("minContains", 1), node.mapping.get("maxContains")
        if low > 0:
            few = {"contains": value, "minContains": 0, "maxContains": low - 1}
            yield made("few", {"type": "array", **(few if low > 1 else {"items": {"not": value}})})
        if high is not None:
            yield made("many", {"type": "array", "contains": value, "minContains": high + 1})
    elif keyword == "dependentRequired":
        for name, needed in value.items():
            for other in needed:
                yield made((name, other), {"type": "object", "required": [name], "properties": {other: False}})
    elif keyword == "items" and isinstance(value, (bool, Mapping)) and "prefixItems" not in node.mapping:
        yield made("", {"type": "array", "contains": {"not": value}})
    else:
        raise node.refuse(keyword, "its complement (under not, oneOf or if) cannot be held exactly")


def _bounds_open(keyword: str, value: Any, schema: Mapping[str, Any]) -> dict[str, Any] | None:
    """Complements of the four bounds, the boolean `exclusive...` of draft 4 included."""
    if isinstance(value, bool):
        return None
    opposite = {
        "minimum": "exclusiveMaximum",
        "maximum": "exclusiveMinimum",
        "exclusiveMinimum": "maximum",
        "exclusiveMaximum": "minimum",
    }[keyword]
    if schema.get("exclusive" + keyword.capitalize()) is True:
        opposite = opposite.removeprefix("exclusive").lower()
    return {"type": "number", opposite: value}


def _under(kind: str, keyword: str, value: int) -> dict[str, Any] | None:
    return {"type": kind, keyword: int(value) - 1} if value > 0 else None


_SIMPLE: dict[str, Any] = {
    "type": lambda v, s: {"type": sorted(TYPES - type_names(v))},
    "const": lambda v, s: {NOT_ENUM: [v]},
    "enum": lambda v, s: {NOT_ENUM: list(v)},
    "minimum": lambda v, s: _bounds_open("minimum", v, s),
    "maximum": lambda v, s: _bounds_open("maximum", v, s),
    "exclusiveMinimum": lambda v, s: _bounds_open("exclusiveMinimum", v, s),
    "exclusiveMaximum": lambda v, s: _bounds_open("exclusiveMaximum", v, s),
    "multipleOf": lambda v, s: {"type": "number", NOT_MULTIPLE: v},
    "minLength": lambda v, s: _under("string", "maxLength", v),
    "maxLength": lambda v, s: {"type": "string", "minLength": int(v) + 1},
    "pattern": lambda v, s: {"type": "string", NOT_PATTERN: v},
    "format": lambda v, s: {"type": "string", NOT_FORMAT: v},
    "minItems": lambda v, s: _under("array", "maxItems", v),
    "maxItems": lambda v, s: {"type": "array", "minItems": int(v) + 1},
    "minProperties": lambda v, s: _under("object", "maxProperties", v),
    "maxProperties": lambda v, s: {"type": "object", "minProperties": int(v) + 1},
    NOT_ENUM: lambda v, s: {"enum": v},
    NOT_PATTERN: lambda v, s: {"type": "string", "pattern": v},
    NOT_FORMAT: lambda v, s: {"type": "string", "format": v},
    NOT_MULTIPLE: lambda v, s: {"type": "number", "multipleOf": v},
}


def _not_ref(nodes: Nodes, node: SchemaNode, value: str) -> Alternatives:
    target = nodes.resolve(node, value)
    return ((nodes.derive(target, "complement", {"not": target.schema}),),)


def _not_all(nodes: Nodes, node: SchemaNode, value: list[Any]) -> Alternatives:
    return tuple(a for i in range(len(value)) for a in negate(nodes, nodes.child(node, "allOf", i)))


def _none_of(nodes: Nodes, node: SchemaNode, keyword: str, count: int) -> Alternatives:
    result: list[Alternative] = [()]
    for i in range(count):
        result = [(*done, *more) for done in result for more in negate(nodes, nodes.child(node, keyword, i))]
    return tuple(result)


def _not_any(nodes: Nodes, node: SchemaNode, value: list[Any]) -> Alternatives:
    return _none_of(nodes, node, "anyOf", len(value))


def _not_one(nodes: Nodes, node: SchemaNode, value: list[Any]) -> Alternatives:
    branches = [nodes.child(node, "oneOf", i) for i in range(len(value))]
    two = tuple((a, b) for a, b in combinations(branches, 2) if not disjoint(nodes, a, b))
    return (*_none_of(nodes, node, "oneOf", len(value)), *two)


def _not_not(nodes: Nodes, node: SchemaNode, value: Any) -> Alternatives:
    return ((nodes.child(node, "not"),),)


def _not_if(nodes: Nodes, node: SchemaNode, value: Any) -> Alternatives:
    condition, result = nodes.child(node, "if"), list[Alternative]()
    if "then" in node.mapping:
        result.extend((condition, *more) for more in negate(nodes, nodes.child(node, "then")))
    if "else" in node.mapping:
        outcome = negate(nodes, nodes.child(node, "else"))
        result.extend((*a, *b) for a in negate(nodes, condition) for b in outcome)
    return tuple(result)


def _not_dependent_schemas(nodes: Nodes, node: SchemaNode, value: Mapping[str, Any]) -> Alternatives:
    result: list[Alternative] = []
    for name in value:
        present = nodes.derive(node, ("an object with", name), {"type": "object", "required": [name]})
        result.extend((present, *more) for more in negate(nodes, nodes.child(node, "dependentSchemas", name)))
    return tuple(result)


_COMBINED: dict[str, Any] = {
    "$ref": _not_ref,
    "allOf": _not_all,
    "anyOf": _not_any,
    "oneOf": _not_one,
    "not": _not_not,
    "if": _not_if,
    "dependentSchemas": _not_dependent_schemas,
}
