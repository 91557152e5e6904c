"""Layouts: white space and key order, as options that lose nothing and never explode."""

from __future__ import annotations

import itertools
import json
import random
import time
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from decoding import Constraint, EmptyGrammar, Layout, State, Vocabulary, compile_json_schema
from decoding.expression import contains
from decoding.json_schema import schema_expression

ORDER = {
    "type": "object",
    "properties": {
        "drugs": {"type": "array", "items": {"type": "string", "maxLength": 9}, "minItems": 1},
        "dose": {"type": "object", "properties": {"value": {"type": "number"}, "unit": {"enum": ["mg", "mL"]}}},
        "note": {"const": {"a": [1, {}], "b": []}},
    },
    "required": ["drugs"],
    "additionalProperties": False,
}
documents = st.builds(
    lambda drugs, dose, note: {"drugs": drugs, "dose": dose} | note,
    st.lists(st.sampled_from(["", "x", "é é"]), min_size=1, max_size=3),
    st.sampled_from([{}, {"value": 1.5}, {"value": 3, "unit": "mL"}]),
    st.sampled_from([{}, {"note": {"a": [1, {}], "b": []}}]),
)


def spread(value: Any, rng: random.Random, most: int) -> str:
    """A document with up to `most` blanks between any two tokens."""

    def space() -> str:
        return "".join(rng.choice(" \n\t\r") for _ in range(rng.randint(0, most)))

    if isinstance(value, dict):
        members = [f"{json.dumps(k)}{space()}:{space()}{spread(v, rng, most)}" for k, v in value.items()]
    elif isinstance(value, list):
        members = [spread(v, rng, most) for v in value]
    else:
        return json.dumps(value, ensure_ascii=False)
    opening, closing = ("{", "}") if isinstance(value, dict) else ("[", "]")
    inside = space().join(x if i == 0 else "," + space() + x for i, x in enumerate(members))
    return opening + space() + inside + (space() if members else "") + closing


@given(documents, st.randoms(use_true_random=False), st.integers(0, 4))
@settings(max_examples=60, deadline=None)
def test_a_flexible_layout_allows_every_document_with_so_much_white_space(
    document: Any, rng: random.Random, most: int
) -> None:
    text = spread(document, rng, most)
    assert json.loads(text) == document
    expression = schema_expression(ORDER, Layout.flexible(most))
    assert contains(expression, text.encode())
    for indent in (None, 1):
        assert contains(
            schema_expression(ORDER, Layout.flexible(8)),
            json.dumps(document, indent=indent, ensure_ascii=False).encode(),
        )


def test_more_white_space_than_the_layout_says_is_illegal() -> None:
    expression = schema_expression(ORDER, Layout.flexible(3))
    assert contains(expression, b'{"drugs":   ["x"]}')
    assert not contains(expression, b'{"drugs":    ["x"]}')
    assert not contains(expression, b'{"drugs": ["x"]    }')
    for text in (
        b' {"drugs": ["x"]}',
        b'{"drugs": ["x"]} ',
        b'{"drugs": ["x\n"]}',
        b'{"drugs": ["x"],\x0b "dose": {}}',
    ):
        assert not contains(expression, text)


def test_no_state_has_white_space_as_its_only_way_on(
    small: Vocabulary, random_text: Callable[..., bytes | None]
) -> None:
    constraint = compile_json_schema(ORDER, small, Layout.flexible(2))
    seen, todo = {constraint.start()}, [constraint.start()]
    for state in todo:
        row = small.states.row(state)
        assert state.accepting or set(row) - set(b" \t\n\r")
        for target in row.values():
            if target not in seen and len(seen) < 3000:
                seen.add(target)
                todo.append(target)
    texts = [random_text(constraint, random.Random(i)) for i in range(20)]
    assert any(texts)
    for text in texts:
        if text is not None:
            assert set(json.loads(text)) <= {"drugs", "dose", "note"}


def test_masks_of_a_flexible_layout_equal_a_brute_force_scan(
    small: Vocabulary, scan: Callable[[Constraint, State], Any]
) -> None:
    constraint = compile_json_schema(ORDER, small, Layout.flexible(2))
    state = constraint.start()
    for byte in b'{ "drugs" :\n["x", "y" ] }':
        assert (constraint.allowed(state) == scan(constraint, state)).all()
        state = constraint.advance(state, byte)
    assert constraint.accepting(state)


def test_separators_that_are_no_json_are_refused() -> None:
    for wrong in ({"item_separator": ";"}, {"key_separator": ":,"}, {"whitespace": -1}, {"key_order": "any"}):
        with pytest.raises(ValueError, match=next(iter(wrong))):
            Layout(**wrong)  # type: ignore[arg-type]


# ---- key order


def test_every_order_of_keys_is_allowed_when_order_is_free() -> None:
    schema = {"type": "object", "properties": {k: {"type": "integer"} for k in "abcd"}, "required": ["a", "d"]}
    free, fixed = schema_expression(schema, Layout(key_order="free")), schema_expression(schema)
    for keys in itertools.permutations("abdx", 4):
        text = json.dumps(dict.fromkeys(keys, 1)).encode()
        assert contains(free, text)
        assert contains(fixed, text) == (keys == ("a", "b", "d", "x"))
    assert not contains(free, b'{"b": 1, "a": 1}')
    assert not contains(free, b'{"a": 1, "d": 1, "a": 1}')


def test_constants_with_many_keys_may_come_in_any_order_too() -> None:
    expression = schema_expression({"enum": [dict.fromkeys("abcdefgh", 1)]}, Layout(key_order="free"))
    for seed in range(20):
        keys = list("abcdefgh")
        random.Random(seed).shuffle(keys)
        assert contains(expression, json.dumps(dict.fromkeys(keys, 1)).encode())
    assert not contains(expression, json.dumps(dict.fromkeys("abcdefg", 1)).encode())


@pytest.mark.parametrize("more", [{}, {"maxProperties": 60}, {"not": {"required": ["p1", "p2", "p3"]}}])
def test_free_order_of_many_keys_does_not_explode(small: Vocabulary, more: Any) -> None:
    properties: dict[str, Any] = {f"p{i}": {"type": "string", "pattern": "^(?!x)y*$"} for i in range(60)}
    schema = {"type": "object", "properties": properties, "required": ["p40", "p50"], **more}
    began = time.perf_counter()
    constraint = compile_json_schema(schema, small, Layout(key_order="free"))
    state = small.states.step(constraint.start(), b'{"p50": "", "p7": "y", ')
    assert state is not None
    constraint.mask(state)
    dead = {**schema, "properties": {**properties, "p50": {"type": "string", "pattern": "^a", "maxLength": 0}}}
    with pytest.raises(EmptyGrammar):
        compile_json_schema(dead, small, Layout(key_order="free"))
    assert time.perf_counter() - began < 5  # it takes a tenth of that
