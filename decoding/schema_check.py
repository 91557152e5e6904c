"""One pass over a schema document before anything is lowered: every value of the right kind, no keyword misspelt.

A keyword that JSON Schema does not know is an annotation, as its specification says; `Nodes.ignored` lists those
found. One that looks like a known keyword is refused.

Says whether the schema is *risky*: whether a keyword is used that lowering may still have to refuse. If not,
lowering can wait until generation gets there.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from decimal import Decimal
from difflib import get_close_matches
from typing import Any

from .disjoint import all_disjoint
from .errors import GrammarTooLarge, UnsupportedRegex, UnsupportedSchema
from .formats import FULL_MATCH
from .layout import decimal
from .numbers import units
from .regex import parse
from .schema_node import REFERENCES, Nodes, SchemaNode, is_annotation

TYPE_NAMES = frozenset({"null", "boolean", "integer", "number", "string", "array", "object"})
RISKY = frozenset(
    {
        "allOf", "contains", "dependencies", "dependentSchemas", "if", "minProperties", "not",
        "patternProperties", "propertyNames", "unevaluatedItems", "unevaluatedProperties",
    }
)  # fmt: skip
DRAFT_3 = frozenset({"extends", "disallow", "divisibleBy"})
_SCHEMA_VALUED = (
    "additionalProperties",
    "additionalItems",
    "contains",
    "else",
    "if",
    "items",
    "not",
    "propertyNames",
    "then",
    "unevaluatedItems",
    "unevaluatedProperties",
)
_BY_NAME = ("properties", "patternProperties", "dependentSchemas", "dependencies")
_HOLDS = dict.fromkeys(_SCHEMA_VALUED, "schema") | dict.fromkeys(
    ("allOf", "anyOf", "oneOf", "prefixItems", *_BY_NAME), "many"
)
IN_PLACE = frozenset({"allOf", "anyOf", "oneOf", "not", "if", "then", "else", "dependentSchemas", "dependencies"})
MAX_DEPTH = 200
LONG_SEARCH = 1000  # a text of so many characters beside a pattern: whether there is one is found out while compiling


def check_schema(nodes: Nodes) -> bool:
    """Whether the document is risky. Raises UnsupportedSchema for what can be refused at a glance."""
    risky, refers = False, False
    found = {nodes.root: 0}
    todo = [nodes.root]
    while todo:
        node = todo.pop()
        if isinstance(node.schema, bool):
            continue
        if found[node] > MAX_DEPTH:
            raise GrammarTooLarge(f"nested more than {MAX_DEPTH} levels deep", node.pointer)
        if not nodes.dynamic and ("$dynamicRef" in node.schema or "$recursiveRef" in node.schema):
            nodes.follow_dynamic()
            return check_schema(nodes)
        risky |= _check_node(nodes, node)
        refers |= not REFERENCES.isdisjoint(node.schema)
        for _, child in applied(nodes, node):
            if child not in found:
                found[child] = found[node] + 1
                todo.append(child)
    if refers:
        _refuse_circles(nodes, list(found))
    return risky


def _refuse_circles(nodes: Nodes, found: list[SchemaNode]) -> None:
    """A schema that applies itself to the same value, as `{"$ref": "#"}` does, has no meaning."""
    done: set[SchemaNode] = set()
    for start in found:
        path: set[SchemaNode] = set()
        stack = [(start, False)]
        while stack:
            node, leaving = stack.pop()
            if leaving:
                path.remove(node)
                done.add(node)
            elif node in path:
                raise node.invalid("$ref", "it refers to itself without reading anything in between")
            elif node not in done:
                path.add(node)
                stack.append((node, True))
                stack.extend((other, False) for _, other in applied(nodes, node, in_place=True))


def applied(
    nodes: Nodes, node: SchemaNode, *, in_place: bool = False, forgiving: bool = False
) -> Iterator[tuple[str, SchemaNode]]:
    """The schemas that a schema applies, references included, with the keyword that applies each.

    `in_place`: only those for the same value. `forgiving` passes over references that resolve to nothing.
    """
    schema = node.mapping
    if not REFERENCES.isdisjoint(schema):
        try:
            yield from [("$ref", target) for target in nodes.targets(node)]
        except UnsupportedSchema:
            if not forgiving:
                raise
        if nodes.ref_hides_siblings:
            return
    for keyword, value in schema.items():
        holds = _HOLDS.get(keyword)
        if holds is None or (in_place and keyword not in IN_PLACE):
            continue
        if isinstance(value, list):
            yield from ((keyword, nodes.child(node, keyword, i)) for i in range(len(value)))
        elif holds == "schema":
            yield keyword, nodes.child(node, keyword)
        else:  # by name; `dependencies` may also hold lists of names
            names = (name for name, schema in value.items() if isinstance(schema, (bool, Mapping)))
            yield from ((keyword, nodes.child(node, keyword, name)) for name in names)


def _check_node(nodes: Nodes, node: SchemaNode) -> bool:
    schema, risky = node.mapping, False
    if nodes.ref_hides_siblings and "$ref" in schema:
        schema = {"$ref": schema["$ref"]}
    for keyword, value in schema.items():
        check = _CHECKS.get(keyword)
        if check is not None:
            problem = check(value)
            if problem:
                raise node.refuse(keyword, problem) if isinstance(problem, _NotHeld) else node.invalid(keyword, problem)
            risky |= keyword in RISKY or (keyword == "pattern" and "(?" in value)
            risky |= keyword == "multipleOf" and units(decimal(value))[0] > 100  # bounds may make it a long search
        elif not is_annotation(keyword):
            meant = get_close_matches(keyword, _CHECKS, 1, 0.84)
            if meant:
                raise node.refuse(keyword, f"unknown keyword, did you mean {meant[0]!r}? (name your own ones x-...)")
            if keyword in DRAFT_3:
                raise node.refuse(keyword, "a keyword of draft 3, which is not held")
            nodes.ignored[node.pointer, keyword] = None
    risky |= "pattern" in schema and schema.get("minLength", 0) > LONG_SEARCH
    if schema.get("x-from") not in (None, "conversation"):
        raise node.invalid("x-from", f"expected 'conversation', found {schema['x-from']!r}")
    if schema.get("x-distinct") and not (
        isinstance(schema.get("items"), Mapping) and {"x-from", "$ref"} & schema["items"].keys()
    ):
        raise node.invalid("x-distinct", 'items must be a string schema marked x-from: "conversation"')
    if len(schema) > 1 and not REFERENCES.isdisjoint(schema):
        risky |= any(not is_annotation(k) and k not in REFERENCES for k in schema)
    if {"anyOf", "oneOf"} & schema.keys() and any(
        not is_annotation(k) for k in schema.keys() - {"anyOf", "oneOf", "type"}
    ):
        risky = True
    if "oneOf" in schema and isinstance(schema["oneOf"], list):
        branches = [nodes.child(node, "oneOf", i) for i in range(len(schema["oneOf"]))]
        risky |= not all_disjoint(nodes, branches)
    if schema.get("uniqueItems") is True:
        items = schema.get("items")
        risky |= not (isinstance(items, Mapping) and isinstance(items.get("enum"), list) and len(items["enum"]) <= 32)
    return risky


Check = Callable[[Any], str | None]


class _NotHeld(str):
    """What is wrong with a value that JSON Schema permits and we do not hold."""


def _is(expected: str, test: Callable[[Any], bool]) -> Check:
    return lambda value: None if test(value) else f"expected {expected}, found {value!r}"


def _is_number(value: Any) -> bool:
    if isinstance(value, bool) or not isinstance(value, (int, float, Decimal)):
        return False
    return value == value and abs(value) != float("inf")


def _is_count(value: Any) -> bool:
    return _is_number(value) and value >= 0 and value == int(value)


def _is_text(value: Any) -> bool:
    return isinstance(value, str) and (value.isascii() or not any(0xD800 <= ord(c) < 0xE000 for c in value))


def _names(value: Any) -> bool:
    return isinstance(value, list) and all(map(_is_text, value))


def _type(value: Any) -> str | None:
    names = [value] if isinstance(value, str) else value
    if not isinstance(names, list) or not all(isinstance(n, str) and n in TYPE_NAMES for n in names):
        return f"expected one or more of {', '.join(sorted(TYPE_NAMES))}, found {value!r}"
    return None


def _json(value: Any) -> str | None:
    """Constants must be JSON that some layout can spell."""
    todo = [(value, 0)]
    while todo:
        v, depth = todo.pop()
        if depth > MAX_DEPTH:
            return _NotHeld(f"a value nested more than {MAX_DEPTH} levels deep")
        if isinstance(v, Mapping):
            todo += [(part, depth + 1) for part in (*v.keys(), *v.values())]
        elif isinstance(v, list):
            todo += [(part, depth + 1) for part in v]
        elif not (v is None or isinstance(v, bool) or _is_number(v) or _is_text(v)):
            return f"{v!r} is not a JSON value that UTF-8 can spell"
    return None


def _pattern(value: Any) -> str | None:
    if not isinstance(value, str):
        return f"expected a regular expression, found {value!r}"
    try:
        parse(value)
    except UnsupportedRegex as error:
        return _NotHeld(error)
    return None


def _pattern_map(value: Any) -> str | None:
    if not isinstance(value, Mapping):
        return f"expected an object, found {value!r}"
    return next((problem for problem in map(_pattern, value) if problem), None)


def _format(value: Any) -> str | None:
    if not isinstance(value, str):
        return f"expected the name of a format, found {value!r}"
    held = ", ".join(sorted(FULL_MATCH))
    return None if value in FULL_MATCH else _NotHeld(f"the format {value!r} is not held exactly; held: {held}")


_count = _is("a whole number from 0", _is_count)
_number = _is("a number", _is_number)
_schema = _is("a schema", lambda v: isinstance(v, (bool, Mapping)))
_flag = _is("true or false", lambda v: isinstance(v, bool))
_schema_list = _is(
    "a list of schemas", lambda v: isinstance(v, list) and all(isinstance(s, (bool, Mapping)) for s in v)
)
_some_schemas = _is("a list of schemas, not empty", lambda v: _schema_list(v) is None and bool(v))


def _is_schema_map(value: Any) -> bool:
    return isinstance(value, Mapping) and all(_is_text(k) and isinstance(v, (bool, Mapping)) for k, v in value.items())


_schema_map = _is("an object of schemas", _is_schema_map)

_CHECKS: dict[str, Check] = {
    **dict.fromkeys(REFERENCES, _is("a reference", lambda v: isinstance(v, str))),
    "type": _type,
    "const": _json,
    "enum": lambda v: _json(v) if isinstance(v, list) else f"expected a list, found {v!r}",
    "minimum": _number,
    "maximum": _number,
    "exclusiveMinimum": _is("a number", lambda v: isinstance(v, bool) or _is_number(v)),
    "exclusiveMaximum": _is("a number", lambda v: isinstance(v, bool) or _is_number(v)),
    "multipleOf": _is("a number above 0", lambda v: _is_number(v) and v > 0),
    "minLength": _count,
    "maxLength": _count,
    "pattern": _pattern,
    "format": _format,
    "items": _is("a schema or a list of schemas", lambda v: isinstance(v, (bool, Mapping)) or _schema_list(v) is None),
    "prefixItems": _schema_list,
    "additionalItems": _schema,
    "minItems": _count,
    "maxItems": _count,
    "uniqueItems": _flag,
    "contains": _schema,
    "minContains": _count,
    "maxContains": _count,
    "properties": _schema_map,
    "patternProperties": lambda v: _pattern_map(v) or _schema_map(v),
    "additionalProperties": _schema,
    "required": _is("a list of names", _names),
    "propertyNames": _schema,
    "minProperties": _count,
    "maxProperties": _count,
    "dependentRequired": _is("lists of names", lambda v: isinstance(v, Mapping) and all(map(_names, v.values()))),
    "dependentSchemas": _schema_map,
    "dependencies": _is("an object", lambda v: isinstance(v, Mapping)),
    "allOf": _some_schemas,
    "anyOf": _some_schemas,
    "oneOf": _some_schemas,
    "not": _schema,
    "if": _schema,
    "then": _schema,
    "else": _schema,
    "unevaluatedItems": _schema,
    "unevaluatedProperties": _schema,
}
