"""`strict=False`: nothing valid is lost, what was left out is listed, and what is invalid stays an error."""

from __future__ import annotations

import json
from typing import Any

import jsonschema
import pytest
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from decoding import EmptyGrammar, GrammarTooLarge, Layout, UnsupportedSchema, Vocabulary, compile_json_schema
from decoding.errors import InvalidSchema
from decoding.expression import contains

FREE = Layout(key_order="free")

keys = st.sampled_from(["a", "b", "ab"])
scalars = st.sampled_from([1, 123456.789, "a", "aa", "x", None])
documents = st.recursive(
    scalars,
    lambda inner: st.one_of(st.lists(inner, max_size=3), st.dictionaries(keys, inner, max_size=3)),
    max_leaves=5,
)
held = st.sampled_from([True, {"type": "integer"}, {"maxLength": 1}, {"required": ["a"]}, {"properties": {"a": False}}])
not_held = st.sampled_from(
    [
        {"uniqueItems": True},
        {"minProperties": 2},
        {"pattern": r"(a)\1"},
        {"multipleOf": 123456.789, "not": {"const": 0}},
        {"patternProperties": {r"\bb": {"type": "integer"}}, "additionalProperties": False},
        {"not": {"additionalProperties": {"type": "integer"}}},
        {"patternProperties": {r"(?<=a)b": {"type": "integer"}}},
        {"contains": {"type": "array", "uniqueItems": True}, "maxContains": 1},
    ]
)


def combined(inner: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    some = st.lists(inner, min_size=1, max_size=2)
    return st.one_of(
        st.builds(lambda s: {"anyOf": s}, some),
        st.builds(lambda s: {"oneOf": s}, some),
        st.builds(lambda s: {"allOf": s}, some),
        st.builds(lambda s: {"not": s}, inner),
        st.builds(lambda i, t: {"if": i, "then": t}, inner, inner),
        st.builds(lambda k, s: {"properties": {k: s}}, keys, inner),
        st.builds(lambda s: {"items": s}, inner),
        st.builds(lambda s: {"contains": s}, inner),
        st.builds(lambda s: {"allOf": s, "unevaluatedProperties": False}, some),
        st.builds(lambda s: {"anyOf": s, "unevaluatedItems": {"type": "integer"}}, some),
        st.builds(lambda s: {"$defs": {"d": s}, "$ref": "#/$defs/d"}, inner),
    )


schemas = st.recursive(st.one_of(held, not_held, not_held), combined, max_leaves=4)


@given(schemas, st.lists(documents, min_size=2, max_size=8))
@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.filter_too_much, HealthCheck.too_slow])
def test_leaving_keywords_out_loses_no_valid_document(schema: Any, candidates: list[Any]) -> None:
    validator = jsonschema.Draft202012Validator(schema)
    try:
        constraint = compile_json_schema(schema, _bytes(), FREE, strict=False)
    except (GrammarTooLarge, InvalidSchema):  # a nested $defs may make a circle
        assume(False)
    except EmptyGrammar:
        assert not any(map(validator.is_valid, candidates))
        return
    for document in candidates:
        allowed = contains(constraint.expression, json.dumps(document).encode())
        assert allowed or not validator.is_valid(document), document
        if not constraint.dropped:
            assert allowed == validator.is_valid(document), document


def _bytes() -> Vocabulary:
    return Vocabulary([*(bytes([b]) for b in range(256)), b"<end>"], eos=256)


def test_what_was_left_out_is_listed_with_pointer_and_keyword(small: Vocabulary) -> None:
    schema = {
        "type": "object",
        "properties": {
            "tags": {"type": "array", "items": {"type": "string", "format": "phone"}, "uniqueItems": True},
            "a/b": {"type": "string", "pattern": r"\bx", "minLength": 2},
        },
        "required": ["tags"],
    }
    with pytest.raises(UnsupportedSchema):
        compile_json_schema(schema, small)
    constraint = compile_json_schema(schema, small, strict=False)
    assert {(d.pointer, d.keyword) for d in constraint.dropped} == {
        ("/properties/tags", "uniqueItems"),
        ("/properties/tags/items", "format"),
        ("/properties/a~1b", "pattern"),
    }
    assert all(d.reason and d.pointer in str(d) for d in constraint.dropped)
    assert contains(constraint.expression, b'{"tags": ["x", "x"], "a/b": "yy"}')
    assert not contains(constraint.expression, b'{"tags": ["x"], "a/b": "y"}')
    assert not contains(constraint.expression, b'{"tags": [1]}')


def test_nothing_is_left_out_of_a_schema_that_is_held(small: Vocabulary) -> None:
    schema = {"type": "array", "items": {"enum": ["a", "b"]}, "uniqueItems": True}
    loose, strict = compile_json_schema(schema, small, strict=False), compile_json_schema(schema, small)
    assert loose.dropped == ()
    assert contains(strict.expression, b'["a"]')
    assert not contains(loose.expression, b'["a", "a"]')


def test_below_not_the_whole_not_is_left_out(small: Vocabulary) -> None:
    constraint = compile_json_schema({"type": "array", "not": {"items": {"uniqueItems": True}}}, small, strict=False)
    assert [(d.pointer, d.keyword) for d in constraint.dropped] == [("", "not")]
    assert contains(constraint.expression, b"[[1]]")


def test_one_of_several_overlapping_branches_becomes_any_of_them(small: Vocabulary) -> None:
    schema = {"oneOf": [{"uniqueItems": True, "minItems": 2}, {"maxItems": 3}], "type": "array"}
    constraint = compile_json_schema(schema, small, strict=False)
    assert ("", "oneOf") in {(d.pointer, d.keyword) for d in constraint.dropped}
    assert contains(constraint.expression, b"[1, 2, 3]")
    assert contains(constraint.expression, b"[1, 2, 3, 4]")


def test_a_wrong_schema_stays_an_error(small: Vocabulary) -> None:
    for wrong in ({"minLength": -1}, {"type": "text"}, {"anyOf": [{"$ref": "#"}]}, {"items": 3}):
        with pytest.raises(InvalidSchema):
            compile_json_schema(wrong, small, strict=False)


def test_a_reference_to_nowhere_is_left_out(small: Vocabulary) -> None:
    schema = {"properties": {"a": {"$ref": "https://example.com/a"}, "b": {"$ref": "#/$defs/b"}}}
    constraint = compile_json_schema(schema, small, strict=False)
    assert {d.pointer for d in constraint.dropped} == {"/properties/a", "/properties/b"}


def test_unknown_keywords_are_annotations_and_are_listed(small: Vocabulary) -> None:
    schema = {"type": "string", "markdownDescription": "m", "properties": {"a": {"enumNames": ["x"]}}, "x-own": 1}
    constraint = compile_json_schema(schema, small)
    assert set(constraint.ignored) == {("", "markdownDescription"), ("/properties/a", "enumNames")}
    with pytest.raises(UnsupportedSchema, match="did you mean 'maximum'"):
        compile_json_schema({"maximun": 3}, small)
