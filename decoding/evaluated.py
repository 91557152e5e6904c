"""`unevaluatedProperties` and `unevaluatedItems`: what the other keywords looked at, case by case.

Which members count as evaluated depends on which in-place subschemas a value satisfies. `cases` takes a schema
apart into cases: schemas that hold together, and what they then evaluate. In each case `unevaluatedProperties: U`
is an ordinary schema, `{"properties": {evaluated names}, "patternProperties": {evaluated patterns},
"additionalProperties": U}`, and `unevaluatedItems: U` is `{"prefixItems": [evaluated places], "items": U}`.

More members evaluated can only help a value. So for `anyOf` it is enough that for every set of branches there is
a case in which these hold, whatever the others do; no complement is needed.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations
from typing import Any

from .disjoint import disjoint
from .schema_node import (
    REFERENCES,
    UNEVALUATED,
    Nodes,
    SchemaNode,
    dependent_schemas,
    is_annotation,
    old_items,
    presence,
)

MAX_CASES = 1024


@dataclass(frozen=True, kw_only=True)
class Case:
    """Schemas that hold together, and the members that they evaluate."""

    holds: tuple[SchemaNode, ...] = ()
    names: tuple[str, ...] = ()
    patterns: tuple[str, ...] = ()
    every_key: bool = False
    places: int = 0
    matches: tuple[SchemaNode, ...] = ()  # an item that satisfies one of these is evaluated (`contains`)
    every_item: bool = False

    def and_(self, other: Case) -> Case:
        """Both cases together."""
        return Case(
            holds=tuple(dict.fromkeys(self.holds + other.holds)),
            names=tuple(dict.fromkeys(self.names + other.names)),
            patterns=tuple(dict.fromkeys(self.patterns + other.patterns)),
            every_key=self.every_key or other.every_key,
            places=max(self.places, other.places),
            matches=tuple(dict.fromkeys(self.matches + other.matches)),
            every_item=self.every_item or other.every_item,
        )

    def evaluated(self) -> tuple[object, ...]:
        """What it evaluates, to compare."""
        return (
            frozenset(self.names),
            frozenset(self.patterns),
            self.every_key,
            self.places,
            frozenset(self.matches),
            self.every_item,
        )


NOTHING_EVALUATED = Case().evaluated()
Cases = list[Case]


def cases(nodes: Nodes, node: SchemaNode) -> Cases:
    """The cases of a schema, its own `unevaluated...` lowered in each; together they are the schema.

    Raises UnsupportedSchema for more than MAX_CASES of them.
    """
    if isinstance(node.schema, bool):
        return [Case()] if node.schema else []
    schema, rest = node.mapping, dict(node.mapping)
    if nodes.ref_hides_siblings and "$ref" in schema:
        schema = rest = {"$ref": schema["$ref"]}
    found: Cases = [Case()]
    taken: list[str] = []
    for keywords, lower in _IN_PLACE:
        if any(keyword in schema for keyword in keywords):
            more = lower(nodes, node, schema)
            if any(case.evaluated() != NOTHING_EVALUATED for case in more):
                found = _product(node, found, more)
                taken.extend(keywords)
    for keyword in (*taken, *UNEVALUATED):
        rest.pop(keyword, None)
    rest = {k: v for k, v in rest.items() if not is_annotation(k) or k.startswith("x-")}
    own = _own(nodes, node, schema)
    if any(keyword in schema for keyword in UNEVALUATED):
        plain = Case(holds=(nodes.derive(node, "evaluates", rest),)) if rest else Case()
        return [_closed(nodes, node, plain.and_(own).and_(case)) for case in found]
    evaluated = {own.and_(case).evaluated() for case in found}
    if len(evaluated) == 1:  # whatever holds inside it, it evaluates the same: it may stay whole
        return [Case(**{**vars(own.and_(found[0])), "holds": (node,)})]
    plain = Case(holds=(nodes.derive(node, "evaluates", rest),)) if rest else Case()
    return [plain.and_(own).and_(case) for case in found]


def _own(nodes: Nodes, node: SchemaNode, schema: Mapping[str, Any]) -> Case:
    """What the keywords of one schema evaluate that look at members themselves."""
    old = old_items(schema)
    places = len(schema["items"] if old else schema.get("prefixItems", ()))
    matches: tuple[SchemaNode, ...] = ()
    if "contains" in schema and nodes.contains_evaluates:
        matches = (nodes.child(node, "contains"),)
    return Case(
        names=tuple(schema.get("properties", ())),
        patterns=tuple(schema.get("patternProperties", ())),
        every_key="additionalProperties" in schema,
        places=places,
        matches=matches,
        every_item="additionalItems" in schema if old else "items" in schema,
    )


def _closed(nodes: Nodes, node: SchemaNode, case: Case) -> Case:
    """The case with the `unevaluated...` of its own schema lowered."""
    holds, every_key, every_item = case.holds, case.every_key, case.every_item
    if "unevaluatedProperties" in node.mapping:
        if not every_key:
            closing: dict[str, Any] = {
                "properties": dict.fromkeys(case.names, True),
                "patternProperties": dict.fromkeys(case.patterns, True),
                "additionalProperties": nodes.child(node, "unevaluatedProperties"),
            }
            holds += (nodes.derive(node, ("unevaluated keys", case.names, case.patterns), closing),)
        every_key = True
    if "unevaluatedItems" in node.mapping:
        if not every_item:
            others: Any = nodes.child(node, "unevaluatedItems")
            if case.matches and others.schema is not True:
                others = {"anyOf": [*case.matches, others]}
            closing = {"prefixItems": [True] * case.places, "items": others}
            holds += (nodes.derive(node, ("unevaluated items", case.places, case.matches), closing),)
        every_item = True
    return Case(**{**vars(case), "holds": holds, "every_key": every_key, "every_item": every_item})


def _product(node: SchemaNode, first: Sequence[Case], second: Sequence[Case]) -> Cases:
    if len(first) * len(second) > MAX_CASES:
        keyword = next((k for k in UNEVALUATED if k in node.mapping), "anyOf")
        raise node.refuse(keyword, f"what is evaluated depends on more than {MAX_CASES} combinations of subschemas")
    return [a.and_(b) for a in first for b in second]


# ---- in-place keywords. Each gives the cases of its keyword alone.


def _references(nodes: Nodes, node: SchemaNode, schema: Mapping[str, Any]) -> Cases:
    found: Cases = [Case()]
    for target in nodes.targets(node):
        found = _product(node, found, cases(nodes, target))
    return found


def _all_of(nodes: Nodes, node: SchemaNode, schema: Mapping[str, Any]) -> Cases:
    found: Cases = [Case()]
    for i in range(len(schema["allOf"])):
        found = _product(node, found, cases(nodes, nodes.child(node, "allOf", i)))
    return found


def _any_of(nodes: Nodes, node: SchemaNode, schema: Mapping[str, Any]) -> Cases:
    branches = [cases(nodes, nodes.child(node, "anyOf", i)) for i in range(len(schema["anyOf"]))]
    telling = [b for b in branches if any(case.evaluated() != NOTHING_EVALUATED for case in b)]
    if 2 ** len(telling) > MAX_CASES:
        _product(node, [Case()] * MAX_CASES, [Case()] * 2)  # refuses
    found = [Case(holds=(nodes.derive(node, "anyOf alone", {"anyOf": schema["anyOf"]}),))]
    for size in range(1, len(telling) + 1):
        for together in combinations(telling, size):
            some: Cases = [Case()]
            for branch in together:
                some = _product(node, some, branch)
            found.extend(some)
    return found


def _one_of(nodes: Nodes, node: SchemaNode, schema: Mapping[str, Any]) -> Cases:
    branches = [nodes.child(node, "oneOf", i) for i in range(len(schema["oneOf"]))]
    found: Cases = []
    for i, branch in enumerate(branches):
        others = [b for j, b in enumerate(branches) if j != i and not disjoint(nodes, branch, b)]
        outside = tuple(nodes.derive(b, "complement", {"not": b}) for b in others)
        found.extend(_product(node, cases(nodes, branch), [Case(holds=outside)]))
    return found


def _if(nodes: Nodes, node: SchemaNode, schema: Mapping[str, Any]) -> Cases:
    condition = nodes.child(node, "if")
    met, unmet = cases(nodes, condition), [Case(holds=(nodes.derive(condition, "complement", {"not": condition}),))]
    if "then" not in schema and "else" not in schema:
        return [*met, Case()]
    if "then" in schema:
        met = _product(node, met, cases(nodes, nodes.child(node, "then")))
    if "else" in schema:
        unmet = _product(node, unmet, cases(nodes, nodes.child(node, "else")))
    return [*met, *unmet]


def _dependent(nodes: Nodes, node: SchemaNode, schema: Mapping[str, Any]) -> Cases:
    found: Cases = [Case()]
    for keyword, name in dependent_schemas(schema):
        absent, present = presence(nodes, node, name)
        dependent = _product(node, [Case(holds=(present,))], cases(nodes, nodes.child(node, keyword, name)))
        found = _product(node, found, [Case(holds=(absent,)), *dependent])
    needed = schema.get("dependencies", {})
    lists = {k: v for k, v in needed.items() if not isinstance(v, (bool, Mapping))}
    if lists:
        found = _product(node, found, [Case(holds=(nodes.derive(node, "lists of names", {"dependencies": lists}),))])
    return found


Lower = Callable[[Nodes, SchemaNode, Mapping[str, Any]], Cases]
_IN_PLACE: tuple[tuple[tuple[str, ...], Lower], ...] = (
    (tuple(REFERENCES), _references),
    (("allOf",), _all_of),
    (("anyOf",), _any_of),
    (("oneOf",), _one_of),
    (("if", "then", "else"), _if),
    (("dependentSchemas", "dependencies"), _dependent),
)
