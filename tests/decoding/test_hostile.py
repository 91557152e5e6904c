"""Schemas that make compilers explode: handled or refused by name, within bounds of time and memory."""

from __future__ import annotations

import json
import random
import time
import tracemalloc
from collections.abc import Callable
from typing import Any

import jsonschema
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from decoding import (
    Constraint,
    EmptyGrammar,
    GrammarError,
    GrammarTooLarge,
    Layout,
    UnsupportedSchema,
    Vocabulary,
    compile_json_schema,
)
from decoding.expression import contains
from decoding.json_schema import schema_expression

SECONDS = 10.0  # for one schema on one core that others use too; alone it is a third of that
MEGABYTES = 200
TEXT = {"type": "string"}
TREE = {
    "$ref": "#/$defs/t",
    "$defs": {
        "t": {
            "type": "object",
            "properties": {"v": {"type": "integer"}, "kids": {"type": "array", "items": {"$ref": "#/$defs/t"}}},
            "required": ["v"],
            "additionalProperties": False,
        }
    },
}


def tool(i: int) -> dict[str, Any]:
    arguments = {"type": "object", "properties": {"x": TEXT, "y": {"type": "integer"}}, "required": ["x"]}
    return {
        "type": "object",
        "properties": {"name": {"const": f"tool{i}"}, "arguments": arguments},
        "required": ["name", "arguments"],
        "additionalProperties": False,
    }


def when(i: int) -> dict[str, Any]:
    return {"if": {"properties": {"k": {"const": i}}, "required": ["k"]}, "then": {"required": [f"r{i}"]}}


OPTIONAL = {f"p{i}": {"type": "integer"} for i in range(48)}
HARD: dict[str, Any] = {
    "a bounded string": {"type": "string", "minLength": 3, "maxLength": 64},
    "a recursive tree": TREE,
    "48 optional keys": {"type": "object", "properties": OPTIONAL, "additionalProperties": False},
    "24 of 48 keys": {"type": "object", "properties": OPTIONAL, "additionalProperties": False, "minProperties": 24},
    "an enum of 2,000": {"enum": [f"value-{i}" for i in range(2000)]},
    "maxLength 100,000": {"type": "string", "maxLength": 100_000},
    "maxItems 1,000": {"type": "array", "items": {"type": "object", "properties": {"a": TEXT}}, "maxItems": 1000},
    "pattern {1,500}": {"type": "string", "pattern": "^[a-z]{1,500}$"},
    "30 tools": {"anyOf": [tool(i) for i in range(30)]},
    "30 tools, one of": {"oneOf": [tool(i) for i in range(30)]},
    "maximum 33.721": {"type": "number", "maximum": 33.721},
    "multipleOf 0.05": {"type": "number", "multipleOf": 0.05, "minimum": 0, "maximum": 1},
    "14 conditions": {"properties": {"k": {"enum": list(range(14))}}, "allOf": [when(i) for i in range(14)]},
    "20 dependencies": {"type": "object", "dependentRequired": {f"a{i}": [f"b{i}"] for i in range(20)}},
    "12 overlapping branches": {"oneOf": [{"minLength": i, "maxLength": i + 20} for i in range(12)]},
    "40 closed branches": {
        "oneOf": [
            {"properties": {f"a{i}": TEXT}, "required": [f"a{i}"], "additionalProperties": False, "type": "object"}
            for i in range(40)
        ]
    },
    "2^60 references": {
        "$ref": "#/$defs/d0",
        "$defs": {f"d{i}": {"allOf": [{"$ref": f"#/$defs/d{i + 1}"}] * 2} for i in range(60)} | {"d60": TEXT},
    },
    "minItems 10^9": {"type": "array", "items": TEXT, "minItems": 10**9},
    "nested counts": {"type": "string", "pattern": "^(((a{1,100}){1,100}){1,100})b$"},
    "nested stars": {"type": "string", "pattern": "^((a*)*|(a|aa)+)*b$"},
    "a distant letter": {"type": "string", "pattern": "^.*a.{30}b$"},
    "10^-9": {"type": "number", "multipleOf": 1e-9, "minimum": 0.123, "maximum": 0.124},
    "minimum 1e300": {"type": "number", "minimum": 1e300},
    "mutual recursion": {
        "$ref": "#/$defs/a",
        "$defs": {
            "a": {
                "type": "object",
                "properties": {"x": {"allOf": [{"$ref": "#/$defs/b"}, {"$ref": "#/$defs/a"}]}},
                "required": ["y"],
            },
            "b": {"type": "object", "properties": {"x": {"$ref": "#/$defs/a"}, "y": {"$ref": "#/$defs/c"}}},
            "c": {"type": ["object", "null"], "properties": {"x": {"$ref": "#/$defs/b"}}},
        },
    },
}  # fmt: skip


@pytest.mark.parametrize("name", HARD)
def test_a_hard_schema_has_its_first_mask_soon_and_only_valid_documents(
    gpt2: Vocabulary, random_text: Callable[..., bytes | None], name: str
) -> None:
    schema = HARD[name]
    began = time.perf_counter()
    constraint = compile_json_schema(schema, gpt2)
    constraint.mask(constraint.start())
    assert time.perf_counter() - began < SECONDS
    validator = jsonschema.Draft202012Validator(schema)
    text = random_text(constraint, random.Random(0), 25)
    if text is not None and "multipleOf" not in schema:  # jsonschema divides floats
        assert validator.is_valid(json.loads(text)), text


def deep(levels: int) -> Any:
    schema: Any = {"type": "integer"}
    for _ in range(levels):
        schema = {"type": "object", "properties": {"a": schema}, "required": ["a"]}
    return schema


def nested(levels: int) -> Any:
    value: Any = 1
    for _ in range(levels):
        value = [value]
    return value


HOSTILE: dict[str, tuple[Any, type[Exception], str]] = {
    "3^12 combinations": (
        {"allOf": [{"anyOf": [{"minLength": i}, {"maxLength": 99 - i}, {"pattern": "a"}]} for i in range(12)]},
        GrammarTooLarge,
        "",
    ),
    "2^40 references": (
        {
            "items": {"$ref": "#/$defs/d0"},
            "$defs": {
                f"d{i}": {"anyOf": [{"$ref": f"#/$defs/d{i + 1}"}, {"$ref": f"#/$defs/d{i + 1}", "minLength": i}]}
                for i in range(40)
            }
            | {"d40": TEXT},
        },
        GrammarTooLarge,
        "/items",
    ),
    "a deep schema": (deep(5000), GrammarTooLarge, "/properties/a"),
    "a deep constant": ({"properties": {"c": {"const": nested(100_000)}}}, UnsupportedSchema, "/properties/c"),
    "a search without end": (
        {"properties": {"s": {"type": "string", "minLength": 10**9, "pattern": "^(ab)*$"}}, "required": ["s"]},
        GrammarTooLarge,
        "/properties/s",
    ),
    "two distant letters": (
        {"allOf": [{"items": {"pattern": "^.*a.{18}$", "not": {"pattern": "^.*b.{17}$"}, "type": "string"}}]},
        GrammarTooLarge,
        "/allOf/0/items",
    ),
    "nested groups": ({"not": {"pattern": "(" * 300 + "a" + ")" * 300}}, UnsupportedSchema, "/not"),
    "many kinds of keys": (
        {"patternProperties": {f"^.*{c}.*$": {"minLength": i} for i, c in enumerate("abcdef")}},
        UnsupportedSchema,
        "",
    ),
    "many cases": (
        {"anyOf": [{"properties": {f"a{i}": TEXT}} for i in range(30)], "unevaluatedProperties": False},
        UnsupportedSchema,
        "",
    ),
    "a cycle of nothing": ({"$ref": "#/$defs/a", "$defs": {"a": {"allOf": [{"$ref": "#"}]}}}, UnsupportedSchema, ""),
    "300 excluded objects": ({"not": {"enum": [{"a": i} for i in range(300)]}}, GrammarTooLarge, ""),
    "no common length": (
        {"type": "string", "maxLength": 29, "allOf": [{"pattern": f"^(a{{{n}}})+$"} for n in (2, 3, 5, 7, 11)]},
        EmptyGrammar,
        "",
    ),
}


@pytest.mark.parametrize("name", HOSTILE)
def test_a_hostile_schema_is_refused_by_name_soon_and_in_little_memory(small: Vocabulary, name: str) -> None:
    schema, error, pointer = HOSTILE[name]
    began = time.perf_counter()
    with pytest.raises(error) as caught:
        compile_json_schema(schema, small)
    assert time.perf_counter() - began < SECONDS
    if not isinstance(caught.value, EmptyGrammar):
        place = caught.value.pointer  # type: ignore[attr-defined]
        assert place.startswith(pointer)
        assert (place or "#") in str(caught.value)


@pytest.mark.slow
@pytest.mark.parametrize("name", HOSTILE)
def test_a_hostile_schema_takes_little_memory(small: Vocabulary, name: str) -> None:
    tracemalloc.start()
    try:
        with pytest.raises(GrammarError):
            compile_json_schema(HOSTILE[name][0], small)
        assert tracemalloc.get_traced_memory()[1] < MEGABYTES << 20
    finally:
        tracemalloc.stop()


# ---- the same, complete: what a hard schema allows, and nothing else

words = st.text(alphabet='ab"\\\n é😀', max_size=12)
trees = st.recursive(
    st.builds(lambda v: {"v": v}, st.integers(-3, 3)),
    lambda kids: st.builds(
        lambda v, k: {"v": v, "kids": k}, st.integers(-(10**19), 10**19), st.lists(kids, max_size=2)
    ),
    max_leaves=5,
)
choices: dict[str, st.SearchStrategy[Any]] = {
    "a bounded string": words,
    "a recursive tree": trees,
    "48 optional keys": st.lists(st.integers(0, 49), unique=True).map(lambda k: {f"p{i}": i for i in sorted(k)}),
    "an enum of 2,000": st.integers(1990, 2010).map(lambda i: f"value-{i}"),
    "pattern {1,500}": st.one_of(st.integers(495, 505).map(lambda n: "q" * n), words),
    "30 tools, one of": st.builds(
        lambda i, a: {"name": f"tool{i}", "arguments": a},
        st.integers(28, 31),
        st.sampled_from([{}, {"x": "é"}, {"x": "", "y": 3}, {"x": "", "y": 3.5}, {"x": 1}]),
    ),
    "maximum 33.721": st.decimals(30, 35, places=4).map(float),
    "14 conditions": st.builds(
        lambda k, r: {"k": k} | {f"r{i}": 0 for i in sorted(r)}, st.integers(0, 15), st.sets(st.integers(0, 14))
    ),
    "20 dependencies": st.lists(st.sampled_from("ab"), max_size=8).map(
        lambda x: {f"{c}{i // 2}": i for i, c in enumerate(x)}
    ),
    "12 overlapping branches": st.integers(0, 40).map(lambda n: "é" * n),
}


@pytest.mark.parametrize("name", choices)
def test_a_hard_schema_allows_exactly_what_jsonschema_accepts(name: str) -> None:
    schema = HARD[name]
    expression = schema_expression(schema, Layout(key_order="free"))
    validator = jsonschema.Draft202012Validator(schema)

    @given(choices[name])
    @settings(max_examples=20, deadline=None)
    def judge(document: Any) -> None:
        text = json.dumps(document, ensure_ascii=False).encode()
        assert contains(expression, text) == validator.is_valid(document)

    judge()


def test_every_split_of_a_document_into_tokens_is_legal(gpt2: Vocabulary) -> None:
    constraint: Constraint = compile_json_schema(HARD["30 tools, one of"], gpt2)
    text = b'{"name": "tool7", "arguments": {"x": "a\\"\xc3\xa9", "y": -12}}'
    ids = {token: i for i, token in enumerate(gpt2.token_bytes) if token}
    for seed in range(20):
        rng, state, at = random.Random(seed), constraint.start(), 0
        while at < len(text):
            token = rng.choice(
                [text[at:end] for end in range(at + 1, min(at + 12, len(text)) + 1) if text[at:end] in ids]
            )
            state = constraint.advance(state, ids[token])
            at += len(token)
        assert constraint.accepting(state)


def test_a_number_comes_to_an_end() -> None:
    expression = schema_expression({"type": "number"})
    assert contains(expression, b"12345678901234567890.12345678901234567890")
    assert not contains(expression, b"1" * 21)
    assert not contains(expression, b"0." + b"3" * 21)
    for schema in ({"type": "number", "minimum": 0}, {"type": "integer"}, {"type": "number", "multipleOf": 0.5}):
        assert contains(schema_expression(schema), b"9" * 19 + b"0")
        assert not contains(schema_expression(schema), b"1" * 21)
        assert contains(schema_expression(schema, Layout(digits=None)), b"1" * 400 + b"0")
    assert not contains(schema_expression({"type": "number", "maximum": 33.721}), b"33.720" + b"9" * 20)
    short = Layout(digits=3)
    assert contains(schema_expression({"type": "number"}, short), b"999.125")
    assert not contains(schema_expression({"type": "number"}, short), b"1000")
    assert contains(schema_expression({"type": "integer", "minimum": 12345}, short), b"12346")
    assert contains(
        schema_expression({"type": "number", "exclusiveMinimum": 1.0001, "maximum": 1.0002}, short), b"1.00015"
    )


@given(st.integers(-(10**20) + 1, 10**20 - 1), st.floats(allow_nan=False, allow_infinity=False, width=64))
@settings(max_examples=80)
def test_the_digits_of_the_default_layout_are_enough_for_64_bits(whole: int, real: float) -> None:
    assert contains(schema_expression({"type": "integer"}), str(whole).encode())
    text = json.dumps(real)
    if "e" not in text:
        assert contains(schema_expression({"type": "number"}), text.encode())
        assert contains(schema_expression({"type": "number", "minimum": -1e300}), text.encode())
