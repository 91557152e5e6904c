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

from .disjoint import all_disjoint, disjoint
from .evaluated import MAX_CASES, cases
from .layout import has_one_spelling
from .schema_node import (
    REFERENCES,
    TYPES,
    UNEVALUATED,
    Nodes,
    SchemaNode,
    dependent_schemas,
    is_annotation,
    old_items,
    presence,
    type_names,
)
from .strings import CONTAINS_FROM, NOT_ENUM, NOT_FORMAT, NOT_PATTERN, SOME_KEY

NOT_MULTIPLE = "\0not multipleOf"

Alternative = tuple[SchemaNode, ...]
Alternatives = tuple[Alternative, ...]

COMBINING = frozenset(
    {
        *REFERENCES,
        *UNEVALUATED,
        "allOf",
        "anyOf",
        "oneOf",
        "not",
        "if",
        "then",
        "else",
        "dependentSchemas",
        "dependencies",
    }
)


def split(nodes: Nodes, node: SchemaNode) -> SchemaNode:
    """Fills `atomic`, `requires` and `any_of` of a node, once; returns the node."""
    if node.is_split:
        return node
    schema = node.mapping
    if nodes.ref_hides_siblings and "$ref" in schema:
        schema = {"$ref": schema["$ref"]}
    if not COMBINING & schema.keys():
        node.atomic = node
    elif any(keyword in schema for keyword in UNEVALUATED):
        node.any_of = (tuple(case.holds for case in cases(nodes, node)),)
    else:
        atomic = {
            k: v for k, v in schema.items() if k not in COMBINING and not (is_annotation(k) and not k.startswith("x-"))
        }
        if "dependencies" in schema:
            needs: dict[str, list[str]] = {}
            for name, needed in _dependent_required(schema):
                needs.setdefault(name, []).extend(needed)
            atomic["dependentRequired"] = needs
        node.atomic = nodes.derive(node, "atomic", atomic) if atomic else None
        node.requires = tuple(_requires(nodes, node, schema))
        node.any_of = tuple(_any_of(nodes, node, schema))
    node.is_split = True
    return node


def _requires(nodes: Nodes, node: SchemaNode, schema: Mapping[str, Any]) -> Iterator[SchemaNode]:
    yield from nodes.targets(node)
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
    for keyword, name in dependent_schemas(schema):
        absent_node, present_node = presence(nodes, node, name)
        yield ((absent_node,), (present_node, nodes.child(node, keyword, name)))


def _dependent_required(schema: Mapping[str, Any]) -> Iterator[tuple[str, list[str]]]:
    yield from schema.get("dependentRequired", {}).items()
    for name, value in schema.get("dependencies", {}).items():
        if isinstance(value, (list, str)):
            yield name, [value] if isinstance(value, str) else value


def _conditional(nodes: Nodes, node: SchemaNode, schema: Mapping[str, Any]) -> Iterator[Alternative]:
    condition = nodes.child(node, "if")
    yield (condition, nodes.child(node, "then")) if "then" in schema else (condition,)
    for alternative in negate(nodes, condition):
        yield (*alternative, nodes.child(node, "else")) if "else" in schema else alternative


def _exactly_one(nodes: Nodes, branches: list[SchemaNode]) -> Alternatives:
    """One branch holds and the others do not; branches that exclude each other by themselves need no complement."""
    if all_disjoint(nodes, branches):
        return tuple((branch,) for branch in branches)
    result: list[Alternative] = []
    for i, branch in enumerate(branches):
        others = [b for j, b in enumerate(branches) if j != i and not disjoint(nodes, branch, b)]
        result.append((branch, *(outside(nodes, other) for other in others)))
    return tuple(result)


# ---- complements


def outside(nodes: Nodes, node: SchemaNode) -> SchemaNode:
    """The complement as a schema, taken apart when it is looked at."""
    return nodes.derive(node, "complement", {"not": node})


def negate(nodes: Nodes, node: SchemaNode) -> Alternatives:
    """The values that do not satisfy the schema. Raises UnsupportedSchema where the complement is not held."""
    if isinstance(node.schema, bool):
        return () if node.schema else ((),)
    schema = node.mapping
    if nodes.ref_hides_siblings and "$ref" in schema:
        schema = {"$ref": schema["$ref"]}
    if any(keyword in schema for keyword in UNEVALUATED):
        return _none_of_cases(nodes, node)
    result: list[Alternative] = []
    for keyword, value in schema.items():
        if not is_annotation(keyword):
            result.extend(_negate_keyword(nodes, node, keyword, value))
    return tuple(result)


def _none_of_cases(nodes: Nodes, node: SchemaNode) -> Alternatives:
    result: list[Alternative] = [()]
    for case in cases(nodes, node):
        result = [(*done, outside(nodes, held)) for done in result for held in case.holds]
        if len(result) > MAX_CASES:
            raise node.refuse(next(k for k in UNEVALUATED if k in node.mapping), "its complement has too many cases")
    return tuple(result)


def _negate_keyword(nodes: Nodes, node: SchemaNode, keyword: str, value: Any) -> Iterator[Alternative]:
    def made(key: object, schema: dict[str, Any]) -> Alternative:
        return (nodes.derive(node, ("negated", keyword, key), schema),)

    if keyword in ("const", "enum"):
        yield tuple(_none_of_values(nodes, node, [value] if keyword == "const" else value))
    elif keyword in _SIMPLE:
        schema = _SIMPLE[keyword](value, node.mapping)
        if schema is not None:
            yield made("", schema)
    elif keyword in _COMBINED:
        yield from _COMBINED[keyword](nodes, node, value)
    elif keyword in ("then", "else", "minContains", "maxContains", CONTAINS_FROM):
        return  # looked at together with `if` and `contains`
    elif keyword == "required":
        for name in value:
            yield made(name, {"type": "object", "properties": {name: False}})
    elif keyword == "properties":
        for name, schema in value.items():
            yield made(name, {"type": "object", "required": [name], "properties": {name: {"not": schema}}})
    elif keyword == "prefixItems" or (keyword == "items" and isinstance(value, list)):
        for i, schema in enumerate(value):
            prefix: list[Any] = [True] * i + [{"not": schema}]
            yield made(i, {"type": "array", "minItems": i + 1, "prefixItems": prefix})
    elif keyword == "contains":
        low, high = node.mapping.get("minContains", 1), node.mapping.get("maxContains")
        start = node.mapping.get(CONTAINS_FROM, 0)
        if low > 0:
            few = {"contains": value, "minContains": 0, "maxContains": low - 1, CONTAINS_FROM: start}
            none = {"prefixItems": [True] * start, "items": {"not": value}}
            yield made("few", {"type": "array", **(few if low > 1 else none)})
        if high is not None:
            yield made("many", {"type": "array", "contains": value, "minContains": high + 1, CONTAINS_FROM: start})
    elif keyword == "dependentRequired":
        for name, needed in _dependent_required({"dependentRequired": value}):
            for other in needed:
                yield made((name, other), {"type": "object", "required": [name], "properties": {other: False}})
    elif keyword in ("items", "additionalItems"):
        prefix_of = node.mapping["items"] if old_items(node.mapping) else node.mapping.get("prefixItems", ())
        if keyword == "items" or old_items(node.mapping):
            yield made("", {"type": "array", "contains": {"not": value}, CONTAINS_FROM: len(prefix_of)})
    elif keyword == "propertyNames":
        yield made("", {"type": "object", SOME_KEY: {"goal": {"not": value}}})
    elif keyword == "additionalProperties" and _is_trivial(value) is not None:
        if _is_trivial(value) is False:
            known = {name: list(node.mapping.get(k, ())) for name, k in _KEY_KEYWORDS}
            yield made("", {"type": "object", SOME_KEY: known})
    elif keyword == "patternProperties" and all(_is_trivial(v) is not None for v in value.values()):
        for pattern in (p for p, v in value.items() if _is_trivial(v) is False):
            yield made(pattern, {"type": "object", SOME_KEY: {"pattern": pattern}})
    elif keyword == SOME_KEY:
        yield made("", _no_key(value))
    else:
        raise node.refuse(keyword, "its complement (under not, oneOf or if) cannot be held exactly")


def _none_of_values(nodes: Nodes, node: SchemaNode, values: list[Any]) -> Iterator[SchemaNode]:
    """Schemas that together exclude the values. Those with several spellings are taken apart."""
    plain = [value for value in values if has_one_spelling(value)]
    yield nodes.derive(node, "none of the values", {NOT_ENUM: plain})
    for i, value in enumerate(values):
        if not has_one_spelling(value):
            yield nodes.derive(node, ("not the value", i), {"not": _as_schema(value)})


def _as_schema(value: Any) -> dict[str, Any]:
    """The same as `const`, for an array or an object, in keywords that have a complement."""
    if isinstance(value, Mapping):
        members = {name: {"const": member} for name, member in value.items()}
        return {"type": "object", "properties": members, "required": list(value), "additionalProperties": False}
    items = [{"const": item} for item in value]
    return {"type": "array", "prefixItems": items, "minItems": len(value), "maxItems": len(value)}


_KEY_KEYWORDS = (("names", "properties"), ("patterns", "patternProperties"))


def _is_trivial(schema: Any) -> bool | None:
    """True for a schema that everything satisfies at a glance, False for `false`, None for any other."""
    if isinstance(schema, SchemaNode):
        schema = schema.schema
    if isinstance(schema, bool):
        return schema
    return True if all(map(is_annotation, schema)) else None


def _no_key(value: Mapping[str, Any]) -> dict[str, Any]:
    """No key of the kind that a SOME_KEY asks for."""
    if "goal" in value:
        return {"propertyNames": {"not": value["goal"]}}
    if "pattern" in value:
        return {"patternProperties": {value["pattern"]: False}}
    return {
        "properties": dict.fromkeys(value["names"], True),
        "patternProperties": dict.fromkeys(value["patterns"], True),
        "additionalProperties": False,
    }


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
    return tuple((outside(nodes, target),) for target in nodes.targets(node))


def _not_all(nodes: Nodes, node: SchemaNode, value: list[Any]) -> Alternatives:
    return tuple(a for i in range(len(value)) for a in negate(nodes, nodes.child(node, "allOf", i)))


def _none_of(nodes: Nodes, node: SchemaNode, keyword: str, count: int) -> Alternatives:
    return (tuple(outside(nodes, nodes.child(node, keyword, i)) for i in range(count)),)


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
        result.append((condition, outside(nodes, nodes.child(node, "then"))))
    if "else" in node.mapping:
        result.append((outside(nodes, condition), outside(nodes, nodes.child(node, "else"))))
    return tuple(result)


def _not_dependent_schemas(nodes: Nodes, node: SchemaNode, value: Mapping[str, Any]) -> Alternatives:
    result: list[Alternative] = []
    for keyword, name in dependent_schemas({"dependentSchemas": value}):
        _, present = presence(nodes, node, name)
        result.append((present, outside(nodes, nodes.child(node, keyword, name))))
    return tuple(result)


def _not_dependencies(nodes: Nodes, node: SchemaNode, value: Mapping[str, Any]) -> Alternatives:
    result: list[Alternative] = []
    for name, needed in _dependent_required({"dependencies": value}):
        for other in needed:
            lacking = {"type": "object", "required": [name], "properties": {other: False}}
            result.append((nodes.derive(node, ("lacking", name, other), lacking),))
    for keyword, name in dependent_schemas({"dependencies": value}):
        _, present = presence(nodes, node, name)
        result.append((present, outside(nodes, nodes.child(node, keyword, name))))
    return tuple(result)


_COMBINED: dict[str, Any] = {
    **dict.fromkeys(REFERENCES, _not_ref),
    "allOf": _not_all,
    "anyOf": _not_any,
    "oneOf": _not_one,
    "not": _not_not,
    "if": _not_if,
    "dependentSchemas": _not_dependent_schemas,
    "dependencies": _not_dependencies,
}
