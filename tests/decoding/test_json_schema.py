"""JSON Schema, judged by `jsonschema` on generated schemas and documents, by decimals and by walks."""

from __future__ import annotations

import json
import random
from collections.abc import Callable
from decimal import Decimal
from typing import Any

import jsonschema
import pytest
import referencing
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from decoding import EmptyGrammar, GrammarTooLarge, Layout, UnsupportedSchema, Vocabulary, compile_json_schema
from decoding.expression import contains
from decoding.json_schema import schema_expression
from decoding.liveness import nonempty

FREE = Layout(key_order="free")


def accepts(schema: Any, document: Any, layout: Layout = FREE) -> bool:
    text = json.dumps(document, ensure_ascii=False, separators=(layout.item_separator, layout.key_separator))
    return contains(schema_expression(schema, layout), text.encode())


def valid(schema: Any, document: Any) -> bool:
    return jsonschema.Draft202012Validator(schema, format_checker=jsonschema.FormatChecker()).is_valid(document)


# ---- generated schemas and documents

keys = st.sampled_from(["a", "b", "c", "d"])
texts = st.text(alphabet='ab"\\\né😀 ', max_size=4)
numbers = st.one_of(st.integers(-4, 13), st.integers(-16, 50).map(lambda n: n / 4))
scalars = st.one_of(st.none(), st.booleans(), numbers, texts)
documents = st.recursive(
    scalars,
    lambda inner: st.one_of(st.lists(inner, max_size=3), st.dictionaries(keys, inner, max_size=3)),
    max_leaves=6,
)
type_names = st.sampled_from(["null", "boolean", "integer", "number", "string", "array", "object"])
bounds = st.integers(-3, 12)
leaves = st.one_of(
    st.booleans(),
    st.builds(lambda t: {"type": t}, type_names),
    st.builds(lambda t: {"type": t}, st.lists(type_names, min_size=1, max_size=3, unique=True)),
    st.builds(lambda v: {"enum": v}, st.lists(scalars, min_size=1, max_size=3)),
    st.builds(lambda v: {"const": v}, scalars),
    st.builds(lambda a, b: {"minimum": a, "exclusiveMaximum": b}, bounds, numbers),
    st.builds(
        lambda a, m: {"type": "number", "exclusiveMinimum": a, "multipleOf": m},
        bounds,
        st.sampled_from([2, 3, 0.5, 0.25, 2.5]),
    ),
    st.builds(lambda a, b: {"type": "integer", "minimum": a, "maximum": b}, bounds, bounds),
    st.builds(lambda a, b: {"type": "string", "minLength": a, "maxLength": b}, st.integers(0, 2), st.integers(0, 4)),
    st.builds(
        lambda p: {"pattern": p},
        st.sampled_from(["^a", "b$", "a.b", "^[^a]*$", "\\\\", "^(a|b){1,2}$", "\\n", "^\\S+$"]),
    ),
)


def containers(inner: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    some = st.lists(inner, min_size=1, max_size=3)
    return st.one_of(
        st.builds(
            lambda p, r, extra: {"type": "object", "properties": p, "required": r, **extra},
            st.dictionaries(keys, inner, max_size=3),
            st.lists(keys, max_size=2, unique=True),
            st.one_of(st.just({}), st.builds(lambda s: {"additionalProperties": s}, inner)),
        ),
        st.builds(lambda p, s: {"patternProperties": {p: s}}, st.sampled_from(["a", "^[ab]$", "^c"]), inner),
        st.builds(lambda s: {"propertyNames": {"pattern": "^[abc]$"}, "additionalProperties": s}, inner),
        st.builds(
            lambda n, m: {"maxProperties": n, "type": m},
            st.integers(0, 2),
            st.sampled_from(["object", ["object", "null"]]),
        ),
        st.builds(
            lambda s, n, m: {"items": s, "minItems": n, "maxItems": m}, inner, st.integers(0, 2), st.integers(0, 3)
        ),
        st.builds(lambda p, s: {"type": "array", "prefixItems": p, "items": s}, some, inner),
        st.builds(
            lambda s, n, m: {"contains": s, "minContains": n, "maxContains": m},
            inner,
            st.integers(0, 2),
            st.integers(0, 2),
        ),
        st.builds(lambda s: {"anyOf": s}, some),
        st.builds(lambda s: {"oneOf": s}, some),
        st.builds(lambda s: {"allOf": s}, some),
        st.builds(lambda s: {"not": s}, inner),
        st.builds(lambda i, t, e: {"if": i, "then": t, "else": e}, inner, inner, inner),
        st.builds(lambda k, n: {"dependentRequired": {k: [n]}}, keys, keys),
        st.builds(lambda k, s: {"dependentSchemas": {k: s}}, keys, inner),
    )


schemas = st.recursive(leaves, containers, max_leaves=5)


@given(schemas, st.lists(documents, min_size=1, max_size=8))
@settings(max_examples=400, deadline=None, suppress_health_check=[HealthCheck.filter_too_much, HealthCheck.too_slow])
def test_a_document_is_allowed_exactly_if_jsonschema_accepts_it(schema: Any, candidates: list[Any]) -> None:
    try:
        expression = schema_expression(schema, FREE)
    except (UnsupportedSchema, GrammarTooLarge):
        assume(False)
    for document in candidates:
        text = json.dumps(document, ensure_ascii=False)
        assert contains(expression, text.encode()) == valid(schema, document), text


@given(schemas, st.randoms(use_true_random=False))
@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.filter_too_much, HealthCheck.too_slow])
def test_any_walk_through_the_masks_ends_in_a_valid_document(schema: Any, rng: random.Random) -> None:
    try:
        constraint = compile_json_schema(schema, _small())
    except (UnsupportedSchema, GrammarTooLarge, EmptyGrammar):
        assume(False)
    text = _walk()(constraint, rng, 120)
    if text is not None:
        assert valid(schema, json.loads(text)), text


def _conftest() -> Any:
    import sys

    return next(m for name, m in sys.modules.items() if name.endswith("conftest") and hasattr(m, "byte_vocabulary"))


def _small() -> Vocabulary:
    v: Vocabulary = _conftest().byte_vocabulary()
    return v


def _walk() -> Callable[..., bytes | None]:
    def walk(constraint: Any, rng: random.Random, limit: int) -> bytes | None:
        state, text = constraint.start(), bytearray()
        for _ in range(limit):
            legal = constraint.allowed(state).nonzero()[0].tolist()
            assert legal, f"dead end after {bytes(text)!r}"
            token = (
                constraint.vocabulary.eos if constraint.accepting(state) and rng.random() < 0.6 else rng.choice(legal)
            )
            if token == constraint.vocabulary.eos:
                return bytes(text)
            text += constraint.vocabulary.token_bytes[token]
            state = constraint.advance(state, token)
        return None

    return walk


@given(schemas)
@settings(max_examples=100, deadline=None, suppress_health_check=[HealthCheck.filter_too_much, HealthCheck.too_slow])
def test_from_every_state_near_the_start_the_end_can_be_reached(schema: Any) -> None:
    v = _small()
    try:
        constraint = compile_json_schema(schema, v)
    except (UnsupportedSchema, GrammarTooLarge, EmptyGrammar):
        assume(False)
    seen, queue = {constraint.start()}, [constraint.start()]
    for state in queue:
        targets = set(v.states.row(state).values())
        assert targets or state.accepting
        for target in targets - seen:
            if len(seen) < 60:
                seen.add(target)
                queue.append(target)
    for state in queue[:20]:
        near, frontier = {state}, [state]
        for other in frontier:
            if other.accepting:
                break
            for target in set(v.states.row(other).values()) - near:
                near.add(target)
                frontier.append(target)
            assert len(near) < 30_000
        else:
            raise AssertionError(f"no end from {state}")


# ---- numbers against decimals

decimals = st.builds(lambda n, p: Decimal(n).scaleb(-p), st.integers(-40_000, 40_000), st.integers(0, 3))


@given(decimals, decimals, st.booleans(), st.booleans(), st.lists(decimals, min_size=1, max_size=12), st.data())
@settings(max_examples=200, deadline=None)
def test_bounds_are_decimal(
    low: Decimal, high: Decimal, low_open: bool, high_open: bool, values: list[Decimal], data: st.DataObject
) -> None:
    schema = {
        "type": "number",
        "exclusiveMinimum" if low_open else "minimum": low,
        "exclusiveMaximum" if high_open else "maximum": high,
    }
    expression = schema_expression(schema)
    for value in [*values, low, high, low + Decimal("0.001"), high - Decimal("0.0001")]:
        inside = (value > low if low_open else value >= low) and (value < high if high_open else value <= high)
        assert contains(expression, format(value, "f").encode()) == inside
    if low < high or (low == high and not (low_open or high_open)):
        assert nonempty(expression)


divisors = st.sampled_from(["0.05", "0.1", "3", "7", "2.5", "0.001", "12", "1000", "0.15"])


@given(st.lists(divisors, min_size=1, max_size=2), st.integers(-5000, 5000), st.integers(0, 4))
@settings(max_examples=200, deadline=None)
def test_multiples_are_decimal(chosen: list[str], digits: int, places: int) -> None:
    value = Decimal(digits).scaleb(-places)
    expression = schema_expression({"type": "number", "allOf": [{"multipleOf": Decimal(d)} for d in chosen]})
    assert contains(expression, format(value, "f").encode()) == all(value % Decimal(d) == 0 for d in chosen)


@given(
    divisors,
    decimals,
    decimals,
    st.booleans(),
    st.booleans(),
    st.integers(-9, 9),
    st.sampled_from(["number", "integer"]),
)
@settings(max_examples=300, deadline=None)
def test_multiples_within_bounds_are_decimal(
    divisor: str, low: Decimal, high: Decimal, low_open: bool, high_open: bool, near: int, kind: str
) -> None:
    step = Decimal(divisor)
    schema = {
        "type": kind,
        "multipleOf": step,
        "exclusiveMinimum" if low_open else "minimum": low,
        "exclusiveMaximum" if high_open else "maximum": high,
    }
    expression = schema_expression(schema)

    def inside(value: Decimal) -> bool:
        over = value > low if low_open else value >= low
        under = value < high if high_open else value <= high
        return over and under and value % step == 0 and (kind == "number" or value == value.to_integral_value())

    for edge in (low, high, Decimal(0)):
        value = (edge // step + near) * step
        for candidate in (value, edge, value + Decimal("0.001")):
            spelled = format(candidate.normalize(), "f")
            assert contains(expression, spelled.encode()) == inside(candidate), candidate
    if kind == "number":
        first = -(-low // step) * step
        first += step if first < low or (low_open and first == low) else 0
        assert nonempty(expression) == inside(first)


@pytest.mark.parametrize(
    "bad", ["01", "1.", "-", "", ".5", "1.e1", "--1", "+1", "1e", "0x1", "Infinity", "NaN", "1 ", "00"]
)
def test_only_json_numbers_are_numbers(bad: str) -> None:
    for schema in (
        {"type": "number"},
        {"type": "number", "minimum": -5},
        {"type": "integer"},
        {"type": "number", "multipleOf": 0.5},
    ):
        assert not contains(schema_expression(schema), bad.encode())


@given(st.floats(allow_nan=False, allow_infinity=False))
@settings(max_examples=300)
def test_every_float_a_serialiser_writes_is_a_number(value: float) -> None:
    text = json.dumps(value)
    scale = abs(Decimal(text).adjusted())
    assert contains(schema_expression({"type": "number"}), text.encode()) == (scale <= 307 or "e" not in text)


def test_an_integer_may_be_spelled_with_a_zero_fraction_and_no_other() -> None:
    expression = schema_expression({"type": "integer", "maximum": 12})
    assert all(contains(expression, t) for t in (b"12", b"12.0", b"-0", b"0", b"-7"))
    assert not any(contains(expression, t) for t in (b"12.5", b"13", b"1e1", b"12.00"))


# ---- the hard cases that engines get wrong

PAIN: list[tuple[Any, list[Any], list[Any]]] = [
    ({"type": "string", "minLength": 2, "maxLength": 3}, ["é😀", '"\\', "abc"], ["é", "abcd", '"']),
    (
        {
            "$ref": "#/$defs/t",
            "$defs": {
                "t": {
                    "type": "object",
                    "properties": {"v": {"type": "integer"}, "kids": {"type": "array", "items": {"$ref": "#/$defs/t"}}},
                    "required": ["v"],
                    "additionalProperties": False,
                }
            },
        },
        [{"v": 1}, {"v": 1, "kids": [{"v": 2, "kids": []}, {"v": 3}]}],
        [{"kids": []}, {"v": 1, "kids": [{"kids": []}]}],
    ),
    (
        {
            "type": "object",
            "properties": {f"p{i}": {"type": "integer"} for i in range(48)},
            "additionalProperties": False,
        },
        [{}, {"p0": 1, "p47": 2}, {f"p{i}": i for i in range(48)}],
        [{"p48": 1}, {"p3": "x"}],
    ),
    ({"enum": [f"value-{i}" for i in range(2000)]}, ["value-0", "value-1999"], ["value-2000", "value-"]),
    ({"type": "string", "maxLength": 100_000}, ["x" * 500], [3]),
    ({"type": "string", "maxLength": 1000}, ["x" * 1000], ["é" * 1001]),
    ({"type": "array", "items": {"type": "boolean"}, "maxItems": 1000}, [[True] * 1000], [[True] * 1001, [1]]),
    ({"type": "string", "pattern": "^[a-z]{1,500}$"}, ["a" * 500], ["a" * 501, "", "A"]),
    ({"type": "string", "pattern": "[ab]{3,400}c"}, ["xxabbacx", "a" * 400 + "c"], ["abc!", "aabb"]),
    ({"type": "number", "maximum": 33.721}, [33.721, 33.7209, -1000, 0], [33.722, 34, 33.7211]),
    ({"type": "number", "multipleOf": 0.05, "minimum": 0, "maximum": 1}, [0.05, 0.15, 1, 0.95], [0.07, 1.05, -0.05]),
    (
        {
            "anyOf": [
                {
                    "type": "object",
                    "properties": {"name": {"const": f"tool{i}"}, "x": {"type": "string"}},
                    "required": ["name"],
                }
                for i in range(30)
            ]
        },
        [{"name": "tool29", "x": "y"}],
        [{"name": "tool30"}],
    ),
    (
        {"allOf": [{"pattern": "^a"}, {"pattern": "b$"}, {"minLength": 4}], "type": "string"},
        ["axxb", "aéb\nb"],
        ["ab", "axxx"],
    ),
    (
        {"type": "array", "items": {"enum": ["a", "b", "c"]}, "uniqueItems": True, "minItems": 2},
        [["a", "c"], ["c", "b", "a"]],
        [["a"], ["a", "a"]],
    ),
    (
        {"type": "object", "additionalProperties": {"type": "integer"}, "properties": {"a": {"type": "string"}}},
        [{"a": "x", "b": 1, "ab": 2}],
        [{"a": 1}, {"b": "x"}],
    ),
    ({"const": {"a": [1, "é", None]}}, [{"a": [1, "é", None]}], [{"a": [1, "é"]}, {"a": [2, "é", None]}]),
    ({"not": {"type": ["string", "object"]}}, [1, None, [1]], ["x", {}]),
    (
        {"type": "string", "format": "date"},
        ["2024-02-29", "1999-12-31", "2000-02-29"],
        ["2023-02-29", "1900-02-29", "2024-13-01", "2024-04-31", "0000-01-01", "2024-1-1"],
    ),
]


@pytest.mark.parametrize(("schema", "good", "bad"), PAIN, ids=[str(i) for i in range(len(PAIN))])
def test_hard_cases_are_exact(schema: Any, good: list[Any], bad: list[Any]) -> None:
    for document in good:
        assert valid(schema, document) or "multipleOf" in str(schema)  # jsonschema divides floats
        assert accepts(schema, document, Layout.spaced())
        assert accepts(schema, document, Layout.compact())
    for document in bad:
        assert not valid(schema, document)
        assert not accepts(schema, document, Layout.spaced())


def test_keys_come_in_schema_order_and_others_after() -> None:
    schema = {"type": "object", "properties": {"b": True, "a": True}, "required": ["c", "a"]}
    assert accepts(schema, {"b": 1, "a": 2, "c": 3, "zz": 4}, Layout.spaced())
    assert not accepts(schema, {"a": 2, "b": 1, "c": 3}, Layout.spaced())
    assert not accepts(schema, {"c": 3, "a": 2}, Layout.spaced())
    assert accepts(schema, {"zz": 0, "c": 3, "a": 2}, FREE)


def test_a_declared_key_never_comes_twice() -> None:
    for layout in (Layout.spaced(), FREE):
        expression = schema_expression({"type": "object", "properties": {"a": {"type": "integer"}}}, layout)
        assert contains(expression, b'{"a": 1, "b": 2}')
        assert not contains(expression, b'{"a": 1, "a": 2}')


def test_white_space_is_the_layouts_and_nothing_else() -> None:
    spaced, compact = schema_expression(True), schema_expression(True, Layout.compact())
    assert contains(spaced, b'{"a": [1, 2]}')
    assert contains(compact, b'{"a":[1,2]}')
    for text in (b'{ "a": 1}', b'{"a" : 1}', b'{"a":  1}', b"[1,  2]", b"[ ]", b"\n1", b"1 "):
        assert not contains(spaced, text)
        assert not contains(compact, text)


def test_raw_control_characters_are_never_allowed_in_a_string() -> None:
    for layout in (Layout.spaced(), Layout(escapes="any")):
        for schema in (
            {"type": "string"},
            {"type": "string", "pattern": "\\n"},
            {"type": "string", "not": {"const": "x"}},
        ):
            assert not contains(schema_expression(schema, layout), b'"a\nb"')
            assert contains(schema_expression(schema, layout), b'"a\\nb"')


def test_with_any_escapes_a_text_has_all_its_spellings() -> None:
    expression = schema_expression({"enum": ["a/é😀"]}, Layout(escapes="any"))
    for text in ('"a/é😀"', '"\\u0061\\/\\u00E9\\ud83d\\uDE00"', '"a\\u002fé😀"'):
        assert contains(expression, text.encode())
    assert not contains(schema_expression({"enum": ["a/é😀"]}), b'"a\\/\xc3\xa9\xf0\x9f\x98\x80"')
    limited = schema_expression({"type": "string", "maxLength": 1}, Layout(escapes="any"))
    assert contains(limited, b'"\\ud83d\\ude00"')
    assert not contains(limited, b'"\\u0061\\u0061"')
    assert not contains(limited, b'"\\ud83d"')


@pytest.mark.parametrize(
    "schema",
    [
        {
            "$ref": "#/$defs/a",
            "$defs": {"a": {"type": "object", "properties": {"next": {"$ref": "#/$defs/a"}}, "required": ["next"]}},
        },
        {"type": "array", "minItems": 1, "items": {"$ref": "#"}},
        {"type": "string", "minLength": 5, "maxLength": 4},
        {"type": "string", "pattern": "^a{3}$", "maxLength": 2},
        {"allOf": [{"type": "string"}, {"type": "integer"}]},
        {"type": "integer", "multipleOf": 7, "minimum": 1, "maximum": 6},
        {"type": "number", "exclusiveMinimum": 0.2, "exclusiveMaximum": 0.3, "multipleOf": 0.1},
        {"type": "array", "items": {"enum": [1, 2]}, "uniqueItems": True, "minItems": 3},
        {"type": "object", "required": ["a"], "propertyNames": {"pattern": "^b"}},
        {"enum": []},
    ],
    ids=str,
)
def test_what_nothing_satisfies_is_found_out_while_compiling(small: Vocabulary, schema: Any) -> None:
    with pytest.raises(EmptyGrammar):
        compile_json_schema(schema, small)


def test_an_optional_key_that_nothing_satisfies_is_pruned(small: Vocabulary) -> None:
    endless = {"type": "object", "properties": {"n": {"$ref": "#/$defs/e"}}, "required": ["n"]}
    schema = {
        "type": "object",
        "properties": {"a": {"$ref": "#/$defs/e"}, "b": {"type": "integer"}},
        "additionalProperties": False,
        "$defs": {"e": endless},
    }
    constraint = compile_json_schema(schema, small)
    after_quote = small.states.step(constraint.start(), b'{"')
    assert after_quote is not None
    assert set(small.states.row(after_quote)) == {ord("b")}


# ---- refusals

REFUSED: list[tuple[Any, str, str]] = [
    ({"type": "array", "uniqueItems": True}, "", "uniqueItems"),
    ({"properties": {"a": {"minLenght": 1}}}, "/properties/a", "minLenght"),
    ({"extends": {"type": "string"}}, "", "extends"),
    ({"properties": {"a/b": {"format": "idn-hostname"}}}, "/properties/a~1b", "format"),
    ({"$dynamicRef": "#x"}, "", "$dynamicRef"),
    ({"items": {"pattern": "(a)\\1"}}, "/items", "pattern"),
    ({"format": "idn-email"}, "", "format"),
    ({"type": "float"}, "", "type"),
    ({"minLength": -1}, "", "minLength"),
    ({"minimum": "3"}, "", "minimum"),
    ({"$ref": "#/$defs/missing"}, "", "$ref"),
    ({"$ref": "https://example.com/other"}, "", "$ref"),
    ({"anyOf": [{"$ref": "#"}, {"type": "string"}]}, "", "$ref"),
    ({"not": {"uniqueItems": True}}, "/not", "uniqueItems"),
    ({"not": {"additionalProperties": {"type": "string"}}}, "/not", "additionalProperties"),
    ({"minProperties": 2}, "", "minProperties"),
    ({"multipleOf": 123456.789, "not": {"const": 0}}, "", "multipleOf"),
    ({"type": "string", "x-from": "thin air"}, "", "x-from"),
    ({"allOf": []}, "", "allOf"),
    ({"enum": ["\ud800"]}, "", "enum"),
]


@pytest.mark.parametrize(("schema", "pointer", "keyword"), REFUSED, ids=[r[2] for r in REFUSED])
def test_what_is_not_exact_is_refused_by_pointer_and_keyword(
    small: Vocabulary, schema: Any, pointer: str, keyword: str
) -> None:
    with pytest.raises(UnsupportedSchema) as caught:
        compile_json_schema(schema, small)
    assert (caught.value.pointer, caught.value.keyword) == (pointer, keyword)
    assert (pointer or "#") in str(caught.value)


def test_annotations_are_ignored_by_rule(small: Vocabulary) -> None:
    plain = {"type": "integer", "maximum": 3}
    noted = {
        **plain,
        "title": "t",
        "description": "d",
        "default": 9,
        "examples": [1],
        "$comment": "c",
        "deprecated": True,
        "x-unit": "mg",
    }
    for text in (b"3", b"4", b"-1", b'"3"'):
        assert contains(schema_expression(plain), text) == contains(schema_expression(noted), text)


@pytest.mark.parametrize(
    ("hostile", "error"),
    [
        (
            {"allOf": [{"anyOf": [{"minLength": i}, {"maxLength": 99 - i}, {"pattern": "a"}]} for i in range(12)]},
            GrammarTooLarge,
        ),
        ({"type": "string", "pattern": "(" * 300 + "a" + ")" * 300}, UnsupportedSchema),
    ],
    ids=["combinations", "nested groups"],
)
def test_a_hostile_schema_is_refused_in_bounded_time(small: Vocabulary, hostile: Any, error: type[Exception]) -> None:
    with pytest.raises(error):
        compile_json_schema(hostile, small)


def test_a_deeply_nested_schema_is_refused_or_compiled_never_a_crash(small: Vocabulary) -> None:
    deep: Any = {"type": "integer"}
    for _ in range(150):
        deep = {"type": "object", "properties": {"a": deep}, "required": ["a"]}
    compile_json_schema(deep, small)
    for _ in range(100):
        deep = {"type": "object", "properties": {"a": deep}, "required": ["a"]}
    with pytest.raises((UnsupportedSchema, GrammarTooLarge)):
        compile_json_schema(deep, small)


# ---- references and drafts


def test_anchors_ids_and_other_documents_resolve() -> None:
    other = referencing.Resource.from_contents(
        {"$id": "https://example.com/drug", "$schema": "https://json-schema.org/draft/2020-12/schema", "enum": ["a"]}
    )
    registry: referencing.Registry[Any] = referencing.Registry().with_resource("https://example.com/drug", other)
    v = _small()
    constraint = compile_json_schema(
        {"items": {"$ref": "https://example.com/drug"}, "type": "array"}, v, registry=registry
    )
    assert contains(constraint.expression, b'["a", "a"]')
    assert not contains(constraint.expression, b'["b"]')
    anchored = {"$ref": "#dose", "$defs": {"d": {"$anchor": "dose", "type": "integer"}}}
    assert accepts(anchored, 3)
    assert not accepts(anchored, "3")
    based = {
        "$id": "https://example.com/root",
        "$defs": {"x": {"$id": "inner", "$defs": {"y": {"const": 1}}, "$ref": "#/$defs/y"}},
        "$ref": "inner",
    }
    assert accepts(based, 1)
    assert not accepts(based, 2)


def test_old_spellings_are_understood() -> None:
    draft4 = {
        "$schema": "http://json-schema.org/draft-04/schema#",
        "type": "number",
        "minimum": 1,
        "exclusiveMinimum": True,
    }
    assert accepts(draft4, 1.5)
    assert not accepts(draft4, 1)
    tuple_items = {"type": "array", "items": [{"type": "integer"}], "additionalItems": False, "definitions": {}}
    assert accepts(tuple_items, [1])
    assert not accepts(tuple_items, [1, 2])
    dependencies = {"dependencies": {"a": ["b"], "c": {"required": ["d"]}}}
    for document in ({}, {"a": 1}, {"a": 1, "b": 1}, {"c": 1}, {"c": 1, "d": 2}, 3):
        assert accepts(dependencies, document) == jsonschema.Draft7Validator(dependencies).is_valid(document)
    draft7 = {
        "$schema": "http://json-schema.org/draft-07/schema#",
        "$ref": "#/definitions/i",
        "maximum": 1,
        "definitions": {"i": {"type": "integer"}},
    }
    assert accepts(draft7, 5)


FORMATS = {
    "date-time": (
        ["2024-01-31T10:00:00Z", "1990-12-31T23:59:60Z", "2024-01-31t10:00:00.123+05:30"],
        ["2024-01-31", "2024-01-31T25:00:00Z", "2024-01-31T10:00:00"],
    ),
    "time": (["10:00:00Z", "23:59:60Z", "08:30:06.28-08:00"], ["10:00", "24:00:00Z", "10:00:60Z", "10:00:00"]),
    "duration": (["P1Y2M3DT4H5M6S", "P4W", "PT36H", "P1D"], ["P", "PT", "P1", "P1D2H", "P2S", "1D"]),
    "uuid": (
        ["2eb8aa08-aa98-11ea-b4aa-73b441d16380"],
        ["2eb8aa08aa9811eab4aa73b441d16380", "2eb8aa08-aa98-11ea-b4aa-73b441d1638"],
    ),
    "email": (
        ["joe.bloggs@example.com", "te~st@example.com", '"joe bloggs"@example.com', "a@[127.0.0.1]"],
        ["2962", ".a@b.c", "a..b@c.d", "a@-b.c", "a@b@c.d"],
    ),
    "hostname": (["example.com", "a-b.c", "1a"], ["-a.com", "a-.com", "a..b", "xn--X", "x" * 64, ""]),
    "ipv4": (["127.0.0.1", "255.255.255.255"], ["256.0.0.1", "127.0.0", "087.10.0.1", "1.2.3.4/8"]),
    "ipv6": (
        ["::1", "::", "fe80::1:2", "1:2:3:4:5:6:7:8", "::ffff:1.2.3.4"],
        ["12345::", "1::2::3", ":1", "1:2:3:4:5:6:7", "::1%eth0"],
    ),
    "uri": (
        ["http://foo.bar/?baz=qux#quux", "urn:isbn:0451450523", "mailto:a@b.c", "http://[::1]:80/"],
        ["//foo.bar", "abc", "http:// x", "http://a/<>", "1http://a"],
    ),
    "uri-reference": (["/abc", "#frag", "", "http://a/b"], ["\\\\WINDOWS\\fileshare", "#frag\\ment", "a b"]),
    "iri": (
        ["http://ƒøø.ßår/?∂éœ=πîx#πîüx", "urn:é", "http://[::1]/é"],
        ["//ƒøø.ßår", "é", "http:// é", "http://\ud7ff<>", "http://[::é]"],
    ),
    "iri-reference": (["é", "", "#ƒräg", "/é/?ü"], ["\\\\WINDOWS\\é", "#ƒräg\\mênt", "a b"]),
    "uri-template": (
        ["http://example.com/dictionary/{term:1}/{term}", "{+x,y*}{#h}", "", "a'b"],
        ["http://example.com/{term:1}/{term", "{}", "{a:0}", "{a:10000}", "{ab-c}", "a b"],
    ),
    "json-pointer": (["", "/foo/0", "/a~1b/m~0n"], ["foo", "/foo/bar~", "/~2"]),
    "relative-json-pointer": (["0", "1/foo", "12#"], ["/foo", "01/a", "-1/a", "1##"]),
}


@pytest.mark.parametrize("name", FORMATS)
def test_formats_are_asserted(name: str) -> None:
    good, bad = FORMATS[name]
    expression = schema_expression({"type": "string", "format": name})
    for text in good:
        assert contains(expression, json.dumps(text, ensure_ascii=False).encode()), text
    for text in bad:
        assert not contains(expression, json.dumps(text, ensure_ascii=False).encode()), text


@given(st.dates(), st.integers(1, 12), st.integers(1, 31))
@settings(max_examples=200, deadline=None)
def test_dates_are_those_of_the_calendar(date: Any, month: int, day: int) -> None:
    import datetime

    expression = schema_expression({"type": "string", "format": "date"})
    assert contains(expression, f'"{date.isoformat()}"'.encode())
    try:
        datetime.date(date.year, month, day)
        real = True
    except ValueError:
        real = False
    assert contains(expression, f'"{date.year:04d}-{month:02d}-{day:02d}"'.encode()) == real
