"""Grounding: marked strings are spans of the request, marked numbers its numbers."""

from __future__ import annotations

import gc
import json
import random
import re
from collections.abc import Callable
from typing import Any

import jsonschema
import pytest

from decoding import (
    Constraint,
    GrammarError,
    Layout,
    NothingToGround,
    UnsupportedSchema,
    Vocabulary,
    compile_json_schema,
    compile_regex,
    expression,
    ground,
)
from decoding.expression import contains
from decoding.request import Request

SPAN = {"type": "string", "minLength": 1, "maxLength": 80, "x-from": "conversation"}
NUMBER = {"type": "number", "exclusiveMinimum": 0, "maximum": 700, "x-from": "conversation"}
DATE = {"type": "string", "format": "date", "x-from": "conversation"}
DRUGS = {"type": "array", "items": SPAN, "minItems": 1, "maxItems": 4, "x-distinct": True}


def closed(properties: dict[str, Any], optional: tuple[str, ...] = ()) -> dict[str, Any]:
    required = [name for name in properties if name not in optional]
    return {"type": "object", "properties": properties, "required": required, "additionalProperties": False}


CALL = {
    "oneOf": [
        closed(
            {"name": {"const": "interactions"}, "drugs": DRUGS, "severity": {"enum": ["minor", "major"]}}, ("severity",)
        ),
        closed(
            {"name": {"const": "dose"}, "drug": SPAN, "weight": NUMBER, "unit": {"enum": ["kg", "lb"]}, "since": DATE},
            ("since",),
        ),
    ]
}
REQUEST = (
    "My mother (72 years, 64.5 kg) takes warfarin 5 mg and St. John's wort since 2024-01-31 — is Eliquis\nok? "
    'She says "warfarin" twice, weighs 1,200 g more and has +2 oedema, −3 dioptres, B12 0.9%.'
)


def grounded(vocabulary: Vocabulary, schema: Any, request: str = REQUEST) -> Constraint:
    return ground(compile_json_schema(schema, vocabulary), request)


def allows(constraint: Constraint, document: Any) -> bool:
    state = constraint.vocabulary.states.step(constraint.start(), json.dumps(document, ensure_ascii=False).encode())
    return state is not None and state.accepting


@pytest.mark.parametrize(
    "span",
    [
        "warfarin",
        "warfarin 5 mg",
        "St. John's wort",
        "St. John",
        "Eliquis\nok",
        "64.5 kg",
        "72",
        "mother (72 years, 64.5 kg)",
        "2024-01-31",
        "0.9%",
        "B12",
        'says "warfarin',
        "kg) takes",
        "My mother (72 years, 64.5 kg) takes warfarin 5",
    ],
)
def test_a_span_of_words_is_allowed_as_written(small: Vocabulary, span: str) -> None:
    assert span in REQUEST
    assert allows(grounded(small, SPAN), span)


@pytest.mark.parametrize(
    "other",
    [
        "warfari",
        "arfarin",
        "Warfarin",
        "warfarin ",
        " warfarin",
        "aspirin",
        "Joh",
        "64",
        "5 kg",
        "",
        "takes and",
        "Eliquis ok",
        'wort since 2024-01-31 — is Eliquis\nok? She says "warfarin" twice, weighs',
    ],
)
def test_anything_else_is_not(small: Vocabulary, other: str) -> None:
    assert not allows(grounded(small, SPAN), other)


def test_every_span_is_a_run_of_at_most_ten_words(small: Vocabulary) -> None:
    words = re.findall(r"\S+", "one two three four five six seven eight nine ten eleven twelve")
    constraint = grounded(small, SPAN, " ".join(words))
    for i in range(len(words)):
        for j in range(i + 1, len(words) + 1):
            assert allows(constraint, " ".join(words[i:j])) == (j - i <= 10)


def test_string_keywords_still_hold(small: Vocabulary) -> None:
    assert not allows(grounded(small, {**SPAN, "maxLength": 7}), "warfarin")
    assert allows(grounded(small, {**SPAN, "maxLength": 8}), "warfarin")
    assert not allows(grounded(small, {**SPAN, "minLength": 3}), "72")
    dates = grounded(small, DATE)
    assert allows(dates, "2024-01-31")
    assert not allows(dates, "warfarin")
    assert not allows(grounded(small, {**SPAN, "pattern": "^[a-z]+$"}), "64.5 kg")


@pytest.mark.parametrize(
    ("text", "numbers"),
    [
        ("72 years, 64.5 kg", ["72", "64.5"]),
        ("1,200 g and 12,34", ["1200", "12", "34"]),
        ("-5 to +3 (-2), 10-20", ["-5", "3", "-2", "10", "20"]),
        ("22kg 5mg/day b12 007 .5 1.70", ["22", "5", "7", "0.5", "1.70"]),
        ("v1.2.3 H2O x2 0", ["0"]),
        ("on 2024-01-31 at −3°", ["-3"]),
        ("no number at all", []),
        ("120/80, 37.5°C; 1.7.", ["120", "80", "37.5", "1.7"]),
        ("F72, m 58kg, 9yoM, pt M40 but not XM7 or B12", ["72", "58", "9", "40"]),
    ],
)
def test_the_numbers_of_a_request(text: str, numbers: list[str]) -> None:
    assert Request(text, Layout()).numbers == numbers


def test_marked_numbers_are_numbers_of_the_request_within_their_bounds(small: Vocabulary) -> None:
    constraint = grounded(small, NUMBER)
    allowed = [n for n in (5, 72, 64.5, 2, 2024, 31, 0.9, 12, 1200, 64, 6, 3, -3, 1) if allows(constraint, n)]
    assert allowed == [5, 72, 64.5, 2, 0.9]
    whole = grounded(small, {"type": "integer", "x-from": "conversation", "minimum": 6})
    assert [n for n in (5, 72, 64.5, 1200) if allows(whole, n)] == [72, 1200]


def test_no_word_is_used_twice_in_a_distinct_array(small: Vocabulary) -> None:
    constraint = grounded(small, DRUGS)
    assert allows(constraint, ["warfarin"])
    assert allows(constraint, ["warfarin", "St. John's wort", "Eliquis"])
    assert allows(constraint, ["Eliquis", "warfarin 5 mg"])
    assert not allows(constraint, ["warfarin", "warfarin"])
    assert not allows(constraint, ["warfarin 5 mg", "5"])
    assert not allows(constraint, ["5", "warfarin 5 mg"])
    assert not allows(constraint, ["warfarin", "warfarin 5 mg"])
    assert not allows(constraint, ["My", "mother", "72", "years", "takes"])
    assert not allows(constraint, [])


def test_a_distinct_array_ends_when_the_words_do(small: Vocabulary) -> None:
    constraint = grounded(small, {**DRUGS, "minItems": 2}, "aspirin ibuprofen")
    assert allows(constraint, ["aspirin", "ibuprofen"])
    assert not allows(constraint, ["aspirin ibuprofen"])
    state = constraint.vocabulary.states.step(constraint.start(), b'["aspirin')
    assert state is not None
    assert set(constraint.vocabulary.states.row(state)) == {
        ord('"')
    }  # taking both words would leave none for the second
    with pytest.raises(NothingToGround):
        grounded(small, {**DRUGS, "minItems": 3}, "aspirin ibuprofen")


def test_what_finds_nothing_disappears_or_is_named(small: Vocabulary) -> None:
    without_numbers = grounded(small, CALL, "warfarin and aspirin?")
    assert allows(without_numbers, {"name": "interactions", "drugs": ["warfarin", "aspirin"]})
    state = small.states.step(without_numbers.start(), b'{"name": "')
    assert state is not None
    assert set(small.states.row(state)) == {ord("i")}
    with pytest.raises(NothingToGround, match="/properties/weight") as caught:
        grounded(small, CALL["oneOf"][1], "warfarin and aspirin?")
    assert caught.value.pointers == ("/properties/weight",)
    optional = grounded(small, closed({"limit": {"type": "integer"}, "since": DATE}, ("since",)), "no date")
    state = small.states.step(optional.start(), b'{"limit": 3')
    assert state is not None
    assert ord(",") not in small.states.row(state)
    with pytest.raises(NothingToGround, match="#"):
        grounded(small, SPAN, " ?! ")


def test_what_is_not_marked_is_as_before(small: Vocabulary) -> None:
    constraint = grounded(small, CALL)
    good = {"name": "dose", "drug": "Eliquis", "weight": 64.5, "unit": "lb", "since": "2024-01-31"}
    assert allows(constraint, good)
    for change in ({"drug": "aspirin"}, {"weight": 65}, {"unit": "g"}, {"since": "2024-01-30"}):
        assert not allows(constraint, good | change)


def test_a_grounded_walk_ends_in_a_valid_grounded_document(
    gpt2: Vocabulary, random_text: Callable[..., bytes | None]
) -> None:
    constraint = grounded(gpt2, CALL)
    rng, found = random.Random(5), 0
    for _ in range(25):
        text = random_text(constraint, rng)
        assert text is not None
        document = json.loads(text)
        jsonschema.Draft202012Validator(CALL, format_checker=jsonschema.FormatChecker()).validate(document)
        strings = [document["drug"]] if "drug" in document else document["drugs"]
        assert all(s in REQUEST for s in strings)
        assert len(strings) == len(set(strings))
        found += 1
    assert found == 25


def test_grounded_masks_are_those_of_a_scan(gpt2: Vocabulary, scan: Callable[..., Any]) -> None:
    constraint = grounded(gpt2, CALL)
    for prefix in (
        b'{"name": "',
        b'{"name": "interactions", "drugs": ["',
        b'{"name": "interactions", "drugs": ["warfarin',
    ):
        state = gpt2.states.step(constraint.start(), prefix)
        assert state is not None
        assert (constraint.allowed(state) == scan(constraint, state)).all()


def test_one_constraint_grounds_many_requests(small: Vocabulary) -> None:
    base = compile_json_schema(CALL, small)
    first, second = ground(base, "aspirin 5"), ground(base, "heparin 7")
    assert allows(first, {"name": "interactions", "drugs": ["aspirin"]})
    assert not allows(first, {"name": "interactions", "drugs": ["heparin"]})
    assert allows(second, {"name": "interactions", "drugs": ["heparin"]})
    assert allows(base, {"name": "interactions", "drugs": ["anything"]})


def test_what_follows_the_last_marked_field_is_shared_by_every_request(small: Vocabulary) -> None:
    schema = closed({"drug": SPAN, "unit": {"enum": ["mg", "mcg"]}, "times": {"type": "integer"}}, ("times",))
    constraint = compile_json_schema(schema, small)
    written = b'{"drug": "aspirin"'
    after = small.states.step(constraint.start(), written)
    assert after is not None
    requests = ("aspirin 2 mg", "two of aspirin, please")
    assert {small.states.step(ground(constraint, r).start(), written) for r in requests} == {after}


def test_recursion_and_references_are_grounded_too(small: Vocabulary) -> None:
    tree = {
        "$ref": "#/$defs/t",
        "$defs": {"t": closed({"drug": SPAN, "next": {"$ref": "#/$defs/t"}}, ("next",))},
    }
    constraint = grounded(small, tree, "aspirin heparin")
    assert allows(constraint, {"drug": "aspirin", "next": {"drug": "heparin"}})
    assert not allows(constraint, {"drug": "aspirin", "next": {"drug": "x"}})


def test_a_request_is_ordinary_text_whatever_it_holds(small: Vocabulary) -> None:
    request = 'drug "A\\B" \x07 tab\there 😀 é漢字 \ud800 end'
    constraint = grounded(small, SPAN, request)
    assert allows(constraint, "A\\B")
    assert allows(constraint, "tab\there")
    assert allows(constraint, "é漢字")
    assert contains(constraint.expression, b'"end"')
    any_escape = ground(compile_json_schema(SPAN, small, Layout(escapes="any")), request)
    assert contains(any_escape.expression, b'"tab\\u0009here"')


def test_misuse_is_named(small: Vocabulary) -> None:
    with pytest.raises(GrammarError, match="compile_json_schema"):
        ground(compile_regex("a", small), "a")
    with pytest.raises(UnsupportedSchema, match="x-distinct"):
        grounded(small, {"type": "array", "x-distinct": True, "items": {"type": "integer"}})


def test_a_dropped_grounded_grammar_leaves_nothing_behind(small: Vocabulary) -> None:
    constraint = compile_json_schema({"type": "array", "items": SPAN}, small)
    counts = []
    for number in range(6):
        assert allows(ground(constraint, f"drug{number} and other{number}"), [f"drug{number}", "and", f"other{number}"])
        gc.collect()
        counts.append(len(expression._table))
    assert counts[-1] <= counts[1]
