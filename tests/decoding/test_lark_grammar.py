"""Lark grammars, judged by lark's own Earley parser on every short text."""

from __future__ import annotations

import itertools

import pytest
from lark import Lark
from lark.exceptions import LarkError

from decoding import (
    EmptyGrammar,
    UnsupportedGrammar,
    Vocabulary,
    compile_json_schema,
    compile_lark,
    compile_regex,
    describe,
)
from decoding.expression import contains
from decoding.json_schema import schema_expression
from decoding.lark_grammar import lark_expression
from decoding.liveness import nonempty

GRAMMARS = {
    "literals": ('start: "a" | "b" "c" | "abc"', "abc", 4),
    "sum": (
        'start: start "+" product | product\nproduct: product "*" atom | atom\natom: "1" | "(" start ")"',
        "1+*()",
        6,
    ),
    "repeats": ('start: ("a" "b"?)+ "c"~1..2 | "b"*', "abc", 5),
    "mutual left recursion": ('start: x\nx: y "a" | "b"\ny: x "c" | y "a" | "c"', "abc", 5),
    "hidden left recursion": ('start: x\nx: empty x "a" | "b"\nempty: "c"?', "abc", 5),
    "unit circle": ('start: x\nx: y | "a"\ny: x | "b" x | y "c"', "abc", 5),
    "ambiguity": ('start: start start | "a" | "b" "a"', "ab", 6),
    "empty": ('start: x x x\nx: "a" |', "ab", 4),
    "empty and left recursive": ('start: start "a" | start start "b" |', "ab", 5),
    "ignore": ('start: "a" "b" start?\n%ignore " "', "ab ", 6),
    "terminals": ('start: NAME ("=" NAME)*\nNAME: /[ab]+/ | "c" "a"?', "abc=", 5),
    "import": ('%import common.INT\n%import common.WS\nstart: INT ("," INT)*\n%ignore WS', "12, ", 5),
    "templates": ('start: list{"a", "b"}\nlist{item, sep}: item (sep item)*', "abc", 5),
    "case": ('start: "ab"i /c/i', "aAbBcC", 3),
    "priorities": ('start: A | B\nA.2: "a"+\nB.1: /[ab]+/', "abc", 4),
    "aliases and inline rules": ('start: _x -> first\n      | "c"   -> second\n_x: "a" _x? | "b"', "abc", 5),
}


@pytest.mark.parametrize("name", GRAMMARS)
def test_a_grammar_allows_exactly_what_earley_parses(name: str) -> None:
    text, alphabet, longest = GRAMMARS[name]
    oracle = Lark(text, parser="earley", lexer="dynamic_complete")
    expression = lark_expression(text)
    agreed = 0
    for n in range(longest + 1):
        for letters in itertools.product(alphabet, repeat=n):
            candidate = "".join(letters)
            try:
                oracle.parse(candidate)
                parses = True
            except LarkError:
                parses = False
            assert contains(expression, candidate.encode()) == parses, candidate
            agreed += parses
    assert agreed > 0


@pytest.mark.parametrize(
    ("text", "yes", "no"),
    [
        (
            "%import common.ESCAPED_STRING\nstart: ESCAPED_STRING",
            ['""', '"a b"', '"\\""', '"\\\\"'],
            ['"a"b"', '"', '"\\"', "a"],
        ),
        ("%import common.SIGNED_NUMBER\nstart: SIGNED_NUMBER", ["1", "-1.5", "+2e10", ".5"], ["", "1e", "-", "1.2.3"]),
        ("%import common (CNAME, NEWLINE)\nstart: CNAME NEWLINE", ["a_1\n", "b\r\n\n"], ["1a\n", "a"]),
        (r"start: /\d\w\s./", ["1aé"[:2] + " x", "٣é\u00a0é"], ["a1 x", "1a \n"]),
    ],
)
def test_common_terminals_and_python_classes(text: str, yes: list[str], no: list[str]) -> None:
    expression = lark_expression(text)
    assert all(contains(expression, t.encode()) for t in yes)
    assert not any(contains(expression, t.encode()) for t in no)


def test_a_declared_terminal_can_be_a_json_schema(gpt2: Vocabulary) -> None:
    text = 'start: "<call>" JSON "</call>"\n%declare JSON'
    schema = {
        "type": "object",
        "properties": {"mg": {"type": "integer"}},
        "required": ["mg"],
        "additionalProperties": False,
    }
    constraint = compile_lark(text, gpt2, declared={"JSON": schema_expression(schema)})
    assert contains(constraint.expression, b'<call>{"mg": 12}</call>')
    assert not contains(constraint.expression, b'<call>{"mg": "x"}</call>')
    with pytest.raises(UnsupportedGrammar, match="JSON"):
        compile_lark(text, gpt2)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("start: missing", "missing"),
        ("start: A\nA: /a(?<=b)/", "lookbehind"),
        ("start: A\nA: /a/m", "flags"),
        (
            "start: " + " ".join(f"x{i}" for i in range(12)) + "\n" + "\n".join(f'x{i}: "a"?' for i in range(12)),
            "empty",
        ),
    ],
)
def test_what_is_not_exact_is_refused(small: Vocabulary, text: str, words: str) -> None:
    with pytest.raises(UnsupportedGrammar, match=words):
        compile_lark(text, small)


def test_a_grammar_without_an_end_is_empty(small: Vocabulary) -> None:
    with pytest.raises(EmptyGrammar):
        compile_lark('start: "a" start', small)
    assert not nonempty(lark_expression('start: start "a"'))


def test_masks_of_a_lark_grammar_are_those_of_a_scan(gpt2: Vocabulary, scan: object) -> None:
    constraint = compile_lark('start: start "+" n | n\nn: /[0-9]+/ | "(" start ")"\n%ignore " "', gpt2)
    state = gpt2.states.step(constraint.start(), b"(12 + 3")
    assert state is not None
    assert (constraint.allowed(state) == scan(constraint, state)).all()  # type: ignore[operator]


def test_an_expression_prints_as_readable_grammar_text(small: Vocabulary) -> None:
    schema = {
        "type": "object",
        "properties": {"drug": {"enum": ["warfarin", "aspirin"]}, "note": {"type": "string", "maxLength": 9}},
        "required": ["drug"],
        "additionalProperties": False,
    }
    text = describe(compile_json_schema(schema, small))
    assert text.startswith("start: ")
    for piece in (
        """'"drug": '""",
        """'"' ('warfarin"' | 'aspirin"')""",
        "STRING_CHARACTER{0,9}",
        "STRING_CHARACTER: ",
    ):
        assert piece in text, text
    assert describe(compile_regex("a[b-d]{2,}(x|yz)?'", small)) == """start: 'a' [b-d]{2,} ('x' | 'yz')? "'"\n"""
    names = {line.split(":")[0] for line in text.splitlines()}
    assert len(names) == len(text.splitlines())
