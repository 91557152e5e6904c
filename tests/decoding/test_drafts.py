"""Drafts 4 to 2020-12: each spelling means what that draft's validator says."""

from __future__ import annotations

import json
from typing import Any

import jsonschema
import pytest
import referencing

from decoding import Layout
from decoding.expression import contains
from decoding.json_schema import schema_expression

FREE = Layout(key_order="free")
VALUES: list[Any] = [
    None, True, 0, 1, 1.5, 2, 3, 5, -1, "", "a", "abc", [], [1], ["a"], [1, "a"], [1, "a", None], ["a", 1], {},
    {"a": 1}, {"a": "x"}, {"b": 1}, {"a": 1, "b": 1}, {"a": 1, "b": "x", "c": None}, {"c": {"c": {}}}, {"c": {"a": 1}},
]  # fmt: skip

DRAFTS: dict[str, tuple[Any, list[Any]]] = {
    "http://json-schema.org/draft-04/schema#": (
        jsonschema.Draft4Validator,
        [
            {"type": "number", "minimum": 1, "exclusiveMinimum": True, "maximum": 3, "exclusiveMaximum": False},
            {"not": {"minimum": 1, "exclusiveMinimum": True}},
            {"type": "integer"},
            {"id": "http://example.com/a/", "definitions": {"i": {"id": "#int", "type": "integer"}}, "$ref": "#int"},
            {
                "id": "http://example.com/b/",
                "properties": {"a": {"$ref": "inner"}},
                "definitions": {"x": {"id": "inner", "type": "string"}},
            },
            {"$ref": "#/definitions/i", "maximum": 0, "definitions": {"i": {"type": "integer"}}},
            {"items": [{"type": "integer"}, {"type": "string"}], "additionalItems": False},
            {"items": [{"type": "integer"}], "additionalItems": {"type": "string"}},
            {"additionalItems": False, "items": {"type": "integer"}},
            {"not": {"items": [{"type": "integer"}], "additionalItems": {"type": "string"}}},
            {"dependencies": {"a": ["b"], "c": {"properties": {"c": {"maxProperties": 1}}}}},
            {"not": {"dependencies": {"a": ["b"]}}},
            {"oneOf": [{"dependencies": {"b": {"required": ["a"]}}, "type": "object"}, {"type": ["object", "null"]}]},
        ],
    ),
    "http://json-schema.org/draft-06/schema#": (
        jsonschema.Draft6Validator,
        [
            {"exclusiveMinimum": 1, "exclusiveMaximum": 3},
            {"type": "integer"},
            {"contains": {"type": "integer"}},
            {"const": {"a": 1}},
            {"propertyNames": {"maxLength": 1}, "type": ["object", "null"]},
            {"$id": "http://x.org/c/", "definitions": {"s": {"$id": "#s", "const": "a"}}, "items": {"$ref": "#s"}},
        ],
    ),
    "http://json-schema.org/draft-07/schema#": (
        jsonschema.Draft7Validator,
        [
            {"if": {"type": "integer"}, "then": {"minimum": 2}, "else": {"type": "object"}},
            {"$ref": "#/definitions/i", "minimum": 100, "definitions": {"i": {"type": "integer"}}},
            {"properties": {"c": {"$ref": "#"}}, "additionalProperties": False},
            {"items": [True, False]},
        ],
    ),
    "https://json-schema.org/draft/2019-09/schema": (
        jsonschema.Draft201909Validator,
        [
            {"$recursiveAnchor": True, "properties": {"c": {"$recursiveRef": "#"}}, "additionalProperties": False},
            {"$ref": "#/$defs/i", "minimum": 2, "$defs": {"i": {"type": "integer"}}},
            {"$ref": "#here", "$defs": {"i": {"$anchor": "here", "type": "string"}}},
            {"items": [{"type": "integer"}], "unevaluatedItems": False},
            {"items": [True], "additionalItems": {"type": "string"}, "unevaluatedItems": False},
            {"dependentRequired": {"a": ["b"]}, "dependentSchemas": {"c": {"required": ["b"]}}},
            {"properties": {"a": True}, "unevaluatedProperties": {"type": "string"}},
            {"contains": {"type": "integer"}, "minContains": 2},
        ],
    ),
    "https://json-schema.org/draft/2020-12/schema": (
        jsonschema.Draft202012Validator,
        [
            {"prefixItems": [{"type": "integer"}], "items": {"type": "string"}},
            {"contains": {"type": "string"}, "unevaluatedItems": {"type": "integer"}},
            {"contains": {"type": "integer"}, "maxContains": 1},
        ],
    ),
}  # fmt: skip
CASES = [(dialect, validator, schema) for dialect, (validator, schemas) in DRAFTS.items() for schema in schemas]


@pytest.mark.parametrize(("dialect", "validator", "schema"), CASES, ids=lambda x: str(x)[:70])
def test_a_draft_means_what_its_validator_says(dialect: str, validator: Any, schema: Any) -> None:
    judge, expression = validator(schema), schema_expression({"$schema": dialect, **schema}, FREE)
    verdicts = set()
    for value in VALUES:
        verdict = judge.is_valid(value)
        verdicts.add(verdict)
        assert contains(expression, json.dumps(value).encode()) == verdict, value
    assert verdicts == {True, False}


def test_to_draft_4_an_integer_has_no_point() -> None:
    draft_4 = {"$schema": "http://json-schema.org/draft-04/schema#"}
    for schema in ({"type": "integer"}, {"type": "integer", "maximum": 3}, {"type": "integer", "enum": [2, "x"]}):
        assert not contains(schema_expression({**draft_4, **schema}), b"2.0")
        assert contains(schema_expression(schema), b"2.0")
        assert contains(schema_expression({**draft_4, **schema}), b"2")
    assert contains(schema_expression({**draft_4, "type": "number", "multipleOf": 2}), b"2.0")


def test_contains_evaluates_items_from_2020_12_on() -> None:
    schema = {"contains": {"type": "string"}, "unevaluatedItems": {"type": "integer"}}
    assert contains(schema_expression(schema), b'["a", 1]')
    older = {"$schema": "https://json-schema.org/draft/2019-09/schema", **schema}  # its section 9.3.1.3
    assert not contains(schema_expression(older), b'["a", 1]')


def test_a_document_of_another_draft_is_found_in_the_registry() -> None:
    other = {"$schema": "http://json-schema.org/draft-07/schema#", "definitions": {"n": {"type": "integer"}}}
    registry: referencing.Registry[Any] = referencing.Registry().with_contents([("http://example.com/old", other)])
    expression = schema_expression(
        {"items": {"$ref": "http://example.com/old#/definitions/n"}}, FREE, registry=registry
    )
    assert contains(expression, b"[1, 2]")
    assert not contains(expression, b'["x"]')
