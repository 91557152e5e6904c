"""`unevaluated...` and dynamic references: what depends on the way to a schema, judged by `jsonschema`."""

from __future__ import annotations

import json
from typing import Any

import jsonschema
import pytest
import referencing
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from decoding import EmptyGrammar, GrammarTooLarge, Layout, UnsupportedSchema, compile_json_schema
from decoding.expression import contains
from decoding.json_schema import schema_expression
from decoding.liveness import nonempty

FREE = Layout(key_order="free")
QUIET = [HealthCheck.filter_too_much, HealthCheck.too_slow]

keys = st.sampled_from(["a", "b", "c"])
values = st.sampled_from([1, 2, "x", None])
objects = st.dictionaries(keys, values, max_size=3)
arrays = st.lists(values, max_size=4)
small = st.sampled_from([True, False, {"type": "integer"}, {"const": "x"}, {"minimum": 2}])


def in_place(inner: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    some = st.lists(inner, min_size=1, max_size=3)
    return st.one_of(
        st.builds(lambda s: {"anyOf": s}, some),
        st.builds(lambda s: {"allOf": s}, some),
        st.builds(lambda s: {"oneOf": s}, some),
        st.builds(lambda s: {"not": s}, inner),
        st.builds(lambda i, t, e: {"if": i, "then": t, "else": e}, inner, inner, inner),
        st.builds(lambda i, t: {"if": i, "then": t}, inner, inner),
        st.builds(lambda i: {"if": i}, inner),
        st.builds(lambda k, s: {"dependentSchemas": {k: s}}, keys, inner),
        st.builds(lambda s, u: {"allOf": [s], "unevaluatedProperties": u}, inner, small),
        st.builds(lambda s, u: {"anyOf": [s], "unevaluatedItems": u}, inner, small),
    )


leaves = st.one_of(
    st.booleans(),
    st.builds(lambda k, s: {"properties": {k: s}}, keys, small),
    st.builds(lambda k, s: {"properties": {k: s}, "required": [k]}, keys, small),
    st.builds(lambda s: {"patternProperties": {"^[ab]": s}}, small),
    st.builds(lambda s: {"additionalProperties": s}, small),
    st.builds(lambda p: {"prefixItems": p}, st.lists(small, min_size=1, max_size=2)),
    st.builds(lambda s: {"items": s}, small),
    st.builds(lambda s, n: {"contains": s, "minContains": n}, small, st.integers(0, 1)),
)
in_places = st.recursive(leaves, in_place, max_leaves=4)


def allowed(schema: Any, document: Any) -> bool:
    return contains(schema_expression(schema, FREE), json.dumps(document).encode())


def judge(schema: Any, candidates: list[Any]) -> None:
    try:
        expression = schema_expression(schema, FREE)
    except (UnsupportedSchema, GrammarTooLarge):
        assume(False)
    validator = jsonschema.Draft202012Validator(schema)
    for document in candidates:
        assert contains(expression, json.dumps(document).encode()) == validator.is_valid(document), document
    if any(map(validator.is_valid, candidates)):
        assert nonempty(expression)


@given(in_places, in_places, small, st.lists(objects, min_size=3, max_size=8))
@settings(max_examples=120, deadline=None, suppress_health_check=QUIET)
def test_unevaluated_properties_are_those_that_jsonschema_finds(
    first: Any, second: Any, last: Any, candidates: list[Any]
) -> None:
    judge({"anyOf": [first, second], "unevaluatedProperties": last}, candidates)
    judge({"type": "object", "allOf": [first, second], "unevaluatedProperties": last}, candidates)


@given(in_places, in_places, small, st.lists(arrays, min_size=3, max_size=8))
@settings(max_examples=90, deadline=None, suppress_health_check=QUIET)
def test_unevaluated_items_are_those_that_jsonschema_finds(
    first: Any, second: Any, last: Any, candidates: list[Any]
) -> None:
    judge({"anyOf": [first, second], "unevaluatedItems": last}, candidates)
    judge({"type": "array", "allOf": [first, second], "unevaluatedItems": last}, candidates)


@given(in_places, st.lists(st.one_of(objects, arrays, values), min_size=3, max_size=8))
@settings(max_examples=90, deadline=None, suppress_health_check=QUIET)
def test_a_complement_is_what_is_left(schema: Any, candidates: list[Any]) -> None:
    judge({"not": schema}, candidates)
    judge({"oneOf": [schema, {"type": "object"}]}, candidates)


def test_a_base_schema_is_extended_and_closed() -> None:
    schema = {
        "$ref": "#/$defs/base",
        "properties": {"dose": {"type": "number"}},
        "unevaluatedProperties": False,
        "$defs": {"base": {"properties": {"drug": {"type": "string"}}, "required": ["drug"]}},
    }
    assert allowed(schema, {"drug": "x", "dose": 1.5})
    assert not allowed(schema, {"drug": "x", "route": "iv"})
    assert not allowed(schema, {"dose": 1})


def test_too_many_cases_are_refused_by_name() -> None:
    branches = [{"properties": {f"p{i}": True}} for i in range(14)]
    with pytest.raises(UnsupportedSchema) as caught:
        schema_expression({"anyOf": branches, "unevaluatedProperties": False})
    assert caught.value.keyword == "unevaluatedProperties"


# ---- dynamic references

TREE = {
    "$id": "https://example.com/tree",
    "$dynamicAnchor": "node",
    "type": "object",
    "properties": {"data": True, "children": {"type": "array", "items": {"$dynamicRef": "#node"}}},
}
STRICT_TREE = {
    "$schema": "https://json-schema.org/draft/2020-12/schema",
    "$id": "https://example.com/strict-tree",
    "$dynamicAnchor": "node",
    "$ref": "tree",
    "unevaluatedProperties": False,
}


def test_a_dynamic_reference_goes_to_the_outermost_anchor_of_its_name() -> None:
    tree = referencing.Resource.from_contents(TREE, referencing.jsonschema.DRAFT202012)
    registry: referencing.Registry[Any] = referencing.Registry().with_resource(TREE["$id"], tree)
    document = {"children": [{"daat": 1}]}
    loose = schema_expression(TREE, FREE)
    strict = schema_expression(STRICT_TREE, FREE, registry=registry)
    assert contains(loose, json.dumps(document).encode())
    assert not contains(strict, json.dumps(document).encode())
    assert contains(strict, b'{"children": [{"data": 1, "children": []}]}')


def test_one_schema_reached_on_two_ways_means_two_things() -> None:
    schema = {
        "$id": "https://example.com/main",
        "oneOf": [
            {"properties": {"kind": {"const": "texts"}, "list": {"$ref": "texts"}}, "required": ["kind", "list"]},
            {"properties": {"kind": {"const": "numbers"}, "list": {"$ref": "numbers"}}, "required": ["kind", "list"]},
        ],
        "$defs": {
            "list": {
                "$id": "list",
                "type": "array",
                "items": {"$dynamicRef": "#item"},
                "$defs": {"any": {"$dynamicAnchor": "item"}},
            },
            "texts": {"$id": "texts", "$ref": "list", "$defs": {"i": {"$dynamicAnchor": "item", "type": "string"}}},
            "numbers": {"$id": "numbers", "$ref": "list", "$defs": {"i": {"$dynamicAnchor": "item", "type": "number"}}},
        },
    }
    assert allowed(schema, {"kind": "texts", "list": ["x"]})
    assert not allowed(schema, {"kind": "texts", "list": [1]})
    assert allowed(schema, {"kind": "numbers", "list": [1]})
    assert not allowed(schema, {"kind": "numbers", "list": ["x"]})


def test_without_an_anchor_of_its_name_a_dynamic_reference_is_an_ordinary_one() -> None:
    schema = {"$dynamicRef": "#/$defs/n", "$defs": {"n": {"type": "integer"}}}
    assert allowed(schema, 1)
    assert not allowed(schema, "x")


def test_a_recursive_reference_follows_its_anchor() -> None:
    dialect = "https://json-schema.org/draft/2019-09/schema"
    inner = {
        "$schema": dialect,
        "$id": "https://example.com/inner",
        "$recursiveAnchor": True,
        "properties": {"next": {"$recursiveRef": "#"}},
    }
    outer = {
        "$schema": dialect,
        "$id": "https://example.com/outer",
        "$recursiveAnchor": True,
        "allOf": [{"$ref": "inner"}],
        "required": ["v"],
    }
    registry: referencing.Registry[Any] = referencing.Registry().with_contents([(inner["$id"], inner)])
    expression = schema_expression(outer, FREE, registry=registry)
    assert contains(expression, b'{"v": 1, "next": {"v": 2}}')
    assert not contains(expression, b'{"v": 1, "next": {}}')
    assert contains(schema_expression(inner, FREE), b'{"next": {"next": {}}}')


def test_the_metaschemas_are_at_hand(small: Any) -> None:
    meta = {"$ref": "https://json-schema.org/draft/2020-12/meta/core"}
    expression = schema_expression(meta, FREE)
    assert contains(expression, b'{"$defs": {"a": {"$anchor": "x"}}}')
    assert not contains(expression, b'{"$defs": {"a": {"$anchor": 3}}}')
    with pytest.raises((UnsupportedSchema, EmptyGrammar)):
        compile_json_schema({"$ref": "https://json-schema.org/draft/2099/schema"}, small)
