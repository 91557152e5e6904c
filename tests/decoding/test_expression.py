"""Expressions and regular expressions, judged by Python's `re` on every short text."""

from __future__ import annotations

import gc
import itertools
import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from decoding import EmptyGrammar, GrammarTooLarge, UnsupportedRegex, compile_regex, liveness
from decoding import expression as ex
from decoding.alphabet import EVERYTHING, JSON_ANY_ESCAPE, JSON_CANONICAL, UTF8, invert, ranges
from decoding.expression import (
    ANYTHING,
    EMPTY,
    NOTHING,
    both,
    choice,
    complement,
    contains,
    edges,
    literal,
    repeat,
    rule,
    seq,
)
from decoding.liveness import nonempty
from decoding.regex import fullmatch, search

TEXTS = ["".join(t) for n in range(5) for t in itertools.product("abc", repeat=n)]

atoms = st.sampled_from(["a", "b", "c", "[ab]", "[^a]", ".", "(?:)", "ab", "b*", "c+"])
patterns = st.recursive(
    atoms,
    lambda inner: st.one_of(
        st.tuples(inner, inner).map(lambda p: p[0] + p[1]),
        st.tuples(inner, inner).map(lambda p: f"(?:{p[0]}|{p[1]})"),
        st.tuples(inner, st.sampled_from(["*", "+", "?", "{2}", "{0,2}", "{1,}", "{1,3}?"])).map(
            lambda p: f"(?:{p[0]}){p[1]}"
        ),
    ),
    max_leaves=6,
)


@given(patterns)
@settings(max_examples=150, deadline=None)
def test_a_pattern_matches_what_pythons_re_matches(pattern: str) -> None:
    whole, anywhere = fullmatch(pattern), search(pattern)
    for text in TEXTS:
        assert contains(whole, text.encode()) == bool(re.fullmatch(pattern, text))
        assert contains(anywhere, text.encode()) == bool(re.search(pattern, text))


@given(patterns, patterns)
@settings(max_examples=100, deadline=None)
def test_intersection_and_complement_are_those_of_sets(first: str, second: str) -> None:
    a, b = fullmatch(first), fullmatch(second)
    met, outside = both(a, b), both(a, complement(b))
    for text in TEXTS:
        in_a, in_b = bool(re.fullmatch(first, text)), bool(re.fullmatch(second, text))
        assert contains(met, text.encode()) == (in_a and in_b)
        assert contains(outside, text.encode()) == (in_a and not in_b)


@given(patterns, patterns)
@settings(max_examples=100, deadline=None)
def test_an_intersection_is_live_exactly_if_some_text_is_in_both(first: str, second: str) -> None:
    outside = both(fullmatch(first), complement(fullmatch(second)))
    if any(re.fullmatch(first, t) and not re.fullmatch(second, t) for t in TEXTS):
        assert nonempty(outside)
    if not nonempty(outside):
        assert all(re.fullmatch(second, t) for t in TEXTS if re.fullmatch(first, t))


ANCHORED = [
    "^a",
    "b$",
    "^$",
    "",
    "^ab?$",
    "^a|b$",
    "(^a|b)c",
    "a(b|$)",
    "^a?b*$|c",
    "a$|^b",
    "(a$|b)",
    "^(a|)$",
    "(?:^|b)a",
    "^^a",
    "a$$",
    "^(?!ab)[abc]+$",
    "^(?=a)[ab]+c$",
    "^(?!.*b)",
    "(?=ab)a",
    "a(?!b)",
    "^(?!a|b)c*$",
    "^(?!a$)",
    "(^|a)(b|$)",
    "x*",
    "^(?:a|^b)c",
]


@pytest.mark.parametrize("pattern", ANCHORED)
def test_anchors_and_lookaheads_match_what_pythons_re_matches(pattern: str) -> None:
    for text in TEXTS:
        assert contains(search(pattern), text.encode()) == bool(re.search(pattern, text)), text


@pytest.mark.parametrize(
    "pattern", [r"\d", r"\D", r"\w", r"\W", r"[\w-]", r"[^\d\s]", r"[a-f0-9]", r"\x41", r"\u00e9", r"[\]\\]", "é"]
)
def test_classes_match_what_pythons_re_matches_on_ascii(pattern: str) -> None:
    language = fullmatch(pattern)
    for point in [*range(0x20, 0x7F), 0xE9, 0x20AC]:
        if point < 0x80 or pattern in ("é", r"\u00e9"):
            assert contains(language, chr(point).encode()) == bool(re.fullmatch(pattern, chr(point), re.ASCII))


@pytest.mark.parametrize(
    ("pattern", "yes", "no"),
    [
        (r"\s", "\t\u2003\ufeff", "a_\u200b"),
        (r"\S", "a\u200b", " \u00a0"),
        (r".", "a\u0085😀", "\n\r\u2028"),
        (r"\p{Lu}", "AÉΩ", "aé1"),
        (r"\P{L}", "1 ", "aβ"),
        (r"\p{Letter}", "aβ漢", "1-"),
        (r"\u{1F600}|\ud83d\ude01", "😀😁", "😂"),
    ],
)
def test_classes_follow_ecma_262_beyond_ascii(pattern: str, yes: str, no: str) -> None:
    assert all(contains(fullmatch(pattern), c.encode()) for c in yes)
    assert not any(contains(fullmatch(pattern), c.encode()) for c in no)


@pytest.mark.parametrize(
    "pattern",
    [
        r"(a)\1",
        r"\bword",
        "(?<=a)b",
        "(?<!a)b",
        "(?i)a",
        "a**",
        "*a",
        "(a",
        "a)",
        "[a",
        "[z-a]",
        "a{3,1}",
        r"\p{Greek}",
        r"\ud800",
        r"(?:(?=a)b)+",
        "(?:^a)*",
        "\\",
        r"\p{",
        "a{200000}",
        "(" * 150 + ")" * 150,
    ],
)
def test_what_is_not_exact_is_refused(pattern: str) -> None:
    with pytest.raises(UnsupportedRegex):
        search(pattern)


def test_equal_expressions_are_the_same_object() -> None:
    assert seq(literal(b"a"), choice(literal(b"b"), literal(b"c"))) is seq(
        literal(b"a"), choice(literal(b"c"), literal(b"b"))
    )
    assert choice(literal(b"ab"), literal(b"ab")) is literal(b"ab")
    assert seq(literal(b"a"), NOTHING) is NOTHING
    assert both(ANYTHING, literal(b"a")) is literal(b"a")
    assert choice(ANYTHING, literal(b"a")) is ANYTHING
    assert complement(complement(literal(b"a"))) is literal(b"a")


def test_literals_that_begin_alike_share_their_beginning() -> None:
    words = [literal(word) for word in (b"warfarin", b"warm", b"war")]
    together = choice(*words, literal(b"aspirin"))
    assert together is choice(
        literal(b"aspirin"), seq(literal(b"war"), choice(EMPTY, literal(b"farin"), literal(b"m")))
    )
    assert [contains(together, text) for text in (b"war", b"warm", b"warfarin", b"aspirin", b"warf", b"")] == [
        *[True] * 4,
        *[False] * 2,
    ]


def test_a_counted_repeat_is_one_expression_a_step() -> None:
    e = repeat(literal(b"x"), 0, 100_000)
    before = len(ex._table)
    for _ in range(1000):
        ((_, e),) = edges(e)
    assert e is repeat(literal(b"x"), 0, 99_000)
    assert len(ex._table) - before < 3000


def test_an_unanchored_counted_pattern_stays_small() -> None:
    state = search("[a-c]{1,500}d")
    for byte in b"abc" * 300:
        state = ex.derivative(state, byte)
    assert sum(1 for _ in ex.walk(state)) < 60


def test_dropped_expressions_leave_the_table() -> None:
    gc.collect()
    before = len(ex._table)
    e = seq(literal(b"only here"), repeat(literal(b"zq"), 3, 77))
    edges(e)
    assert len(ex._table) > before
    del e
    gc.collect()
    assert len(ex._table) <= before


def test_recursion_without_an_end_is_empty_and_with_one_is_not() -> None:
    forever = rule("forever", lambda: seq(literal(b"("), forever, literal(b")")))
    assert not nonempty(forever)
    nested = rule("nested", lambda: choice(literal(b"x"), seq(literal(b"("), nested, literal(b")"))))
    assert nonempty(nested)
    assert contains(nested, b"(((x)))")
    assert not contains(nested, b"((x)))")


def test_mutual_recursion_is_decided_together() -> None:
    even = rule("even", lambda: choice(seq(literal(b"a"), odd), seq(literal(b"z"), dead)))
    odd = rule("odd", lambda: choice(seq(literal(b"b"), even), literal(b"!")))
    dead = rule("dead", lambda: seq(literal(b"q"), both(dead, even)))
    assert not nonempty(dead)
    assert nonempty(even)
    assert nonempty(odd)


def test_an_endless_search_is_given_up_with_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(liveness, "SEARCH_BUDGET", 200)
    nest = rule("budget nest", lambda: choice(literal(b"x"), seq(literal(b"("), nest, literal(b"]"))))
    nest2 = rule("budget nest 2", lambda: choice(literal(b"y"), seq(literal(b"("), nest2, literal(b"]"))))
    with pytest.raises(GrammarTooLarge):
        nonempty(both(nest, nest2))


@given(st.lists(st.tuples(st.integers(0, 0x10FFFF), st.integers(0, 300)), max_size=4), st.integers(0, 0x10FFFF))
@settings(max_examples=200, deadline=None)
def test_a_set_of_code_points_is_spelled_in_utf8(pairs: list[tuple[int, int]], probe: int) -> None:
    points = ranges((a, min(a + n, 0x10FFFF)) for a, n in pairs)
    probes = {probe, *(p for a, n in pairs for p in (a, a + n, a - 1, a + n + 1))}
    for p in probes:
        if 0 <= p <= 0x10FFFF and not 0xD800 <= p < 0xE000:
            inside = any(a <= p <= b for a, b in points)
            assert contains(UTF8.one_of(points), chr(p).encode()) == inside
            assert contains(UTF8.one_of(invert(points)), chr(p).encode()) != inside


@given(st.text(max_size=6))
@settings(max_examples=200, deadline=None)
def test_a_json_string_has_one_canonical_spelling_and_many_escaped_ones(text: str) -> None:
    import json

    canonical = json.dumps(text, ensure_ascii=False)[1:-1].encode("utf-8", "surrogatepass")
    ascii_only = json.dumps(text)[1:-1].encode()
    assert contains(JSON_CANONICAL.any_text, canonical)
    assert contains(JSON_ANY_ESCAPE.text(text), canonical)
    assert contains(JSON_ANY_ESCAPE.text(text), ascii_only)
    assert contains(JSON_CANONICAL.text(text), ascii_only) == (ascii_only == canonical)


def test_raw_control_characters_and_broken_utf8_are_never_string_text() -> None:
    for alphabet in (JSON_CANONICAL, JSON_ANY_ESCAPE):
        for bad in (
            b"\n",
            b"\x00",
            b"\x1f",
            b'"',
            b"\\",
            b"\\x",
            b"\x80",
            b"\xc0\x80",
            b"\xed\xa0\x80",
            b"\xf5\x80\x80\x80",
            b"\xe9",
        ):
            assert not contains(alphabet.any_text, bad)
    assert contains(JSON_CANONICAL.any_text, b"\x7f")
    assert EVERYTHING[0][0] == 0


def test_a_pattern_that_matches_nothing_is_an_empty_grammar(small: object) -> None:
    with pytest.raises(EmptyGrammar):
        compile_regex("a(?!a)a", small)  # type: ignore[arg-type]
    assert nonempty(choice(EMPTY, NOTHING))
