"""Turns whose tags are text, single tokens or both, judged by a parser of their text and by a list of all turns."""

from __future__ import annotations

import functools
import itertools
import json
import random
from typing import Any

import jsonschema
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from decoding import IllegalToken, ToolChoice, TurnState, Vocabulary, compile_json_schema, compile_lark, compile_regex
from decoding.tool_choice import Tag

EOS, OPEN, CLOSE, THINK, END = 256, 257, 258, 259, 260
CONTROL = {OPEN: "<|open|>", CLOSE: "<|close|>", THINK: "<|think|>", END: "<|end|>"}
STRADDLING = [
    b"Hi", b" <", b"x<tool", b"<tool_call>", b"<tool_call>\n", b"l>\n{", b'>\n{"name"', b"tool_call",
    b'_call>\n{"name": "b',
    b'"}\n</', b"</tool_call>", b"</tool_call>\n<tool", b"a<tool_call>\n", b"<<tool_call>\n{",
    b'b<tool_call>\n{"name": "aa',
    b"<tool_call>\n[", b"[TOOL", b"CALLS] [", b"; {", b'ab{"name', b'{"name": "a"}', b"\n\n", b"l>", b"<tool_call>\n",
    b"no <tool_call>\n{ or", b'"}', b'{"', b"<|open|>",
]  # fmt: skip
SCHEMA = {
    "type": "object",
    "properties": {"name": {"enum": ["a", "aa", "b</tool_call>", '{"name"']}},
    "required": ["name"],
    "additionalProperties": False,
}
CALLS = [json.dumps({"name": name}) for name in SCHEMA["properties"]["name"]["enum"]]  # type: ignore[index]
FORMATS: dict[str, dict[str, Tag | str]] = {
    "hermes": {"open": "<tool_call>\n", "close": "\n</tool_call>", "separator": "\n"},
    "hermes, tags are tokens": {"open": (OPEN, "\n"), "close": ("\n", CLOSE), "separator": "\n"},
    "one token each": {"open": OPEN, "close": CLOSE},
    "text, then a token": {"open": "<tool_call>\n", "close": CLOSE, "separator": " "},
    "tokens and text in one tag": {"open": (OPEN, "<", THINK), "close": (CLOSE, ">"), "separator": ", "},
    "only an opening token": {"open": OPEN, "separator": "; "},
    "llama": {"trigger": '{"name"', "separator": "; "},
    "bare": {},
    "a trigger beyond the tag": {"open": "<tool_call>\n", "trigger": '<tool_call>\n{"na', "close": "<"},
    "a tag that repeats itself": {"open": "<<tool_call>\n<<", "close": "<", "separator": "<"},
}


@functools.cache
def odd() -> Vocabulary:
    """All bytes, control tokens, and tokens that straddle the tags in every way."""
    return Vocabulary([*(bytes([b]) for b in range(256)), b"", b"", b"", b"", b"", *STRADDLING], eos=EOS)


def turn(form: str, mode: Any = "auto", max_calls: int | None = 2, **more: Any) -> ToolChoice:
    constraint = compile_json_schema(SCHEMA, odd())
    return ToolChoice(constraint, mode, max_calls=max_calls, end=END, **FORMATS[form], **more)  # type: ignore[arg-type]


Text = tuple[int, ...]
"""What was written, as bytes and the ids of control tokens."""


def written(tokens: list[int]) -> Text:
    spelled = odd().token_bytes
    return tuple(itertools.chain.from_iterable(spelled[t] or (t,) for t in tokens))


def spelled(tag: Tag) -> Text:
    parts = (tag,) if isinstance(tag, (str, int)) else tag
    return tuple(itertools.chain.from_iterable(p.encode() if isinstance(p, str) else (p,) for p in parts))


def all_calls(form: str, limit: int) -> list[Text]:
    """Every sequence of one to `limit` calls, with tags and the end: the oracle, by plain enumeration."""
    tags = {name: spelled(FORMATS[form].get(name, "")) for name in ("open", "close", "separator")}
    one = [(*tags["open"], *call.encode(), *tags["close"]) for call in CALLS]
    found = []
    for n in range(1, limit + 1):
        for some in itertools.product(one, repeat=n):
            found.append((*functools.reduce(lambda a, b: (*a, *tags["separator"], *b), some), END))
    return found


def trigger_of(form: str) -> Text:
    given = FORMATS[form]
    if "trigger" in given:
        return spelled(given["trigger"])
    opening = spelled(given.get("open", ""))
    text = tuple(itertools.takewhile(lambda b: b < 256, opening))
    return text or opening[:1] or tuple(b'{"name": "')


def could_be(form: str, text: Text, limit: int = 2) -> bool:
    """Whether a turn in mode auto can begin so."""
    trigger, n = trigger_of(form), len(trigger_of(form))
    at = next((i for i in range(len(text)) if text[i : i + n] == trigger), None)
    if at is None:
        ended = text and text[-1] == END
        return all(b < 256 for b in (text[:-1] if ended else text))
    if any(b >= 256 for b in text[:at]):
        return False
    return any(turn[: len(text) - at] == text[at:] for turn in all_calls(form, limit))


@functools.cache
def beginnings(form: str) -> list[Text]:
    """Places in turns: with the trigger begun, complete, in a call, behind one."""
    rng = random.Random(form)
    turns = [(*b"a <", *rng.choice(all_calls(form, 2))) for _ in range(6)]
    return [turn[: rng.randrange(len(turn))] for turn in turns for _ in range(6)]


def split(text: Text, rng: random.Random) -> list[int]:
    """Tokens of a text, chosen at random among those that fit."""
    tokens, at = [], 0
    while at < len(text):
        if text[at] > 255:
            tokens.append(text[at])
            at += 1
            continue
        fitting = [i for i, b in enumerate(odd().token_bytes) if b and i != EOS and text[at : at + len(b)] == tuple(b)]
        tokens.append(rng.choice(fitting))
        at += len(odd().token_bytes[tokens[-1]])
    return tokens


def follow(choice: ToolChoice, tokens: list[int]) -> TurnState:
    state = choice.start()
    for token in tokens:
        assert choice.allowed(state)[token], (bytes(t for t in written(tokens) if t < 256), token)
        state = choice.advance(state, token)
    return state


@pytest.mark.parametrize("form", FORMATS)
def test_the_mask_is_what_some_turn_goes_on_with(form: str) -> None:
    choice, rng = turn(form), random.Random(1)
    for text in beginnings(form):
        state = follow(choice, split(text, rng))
        wanted = [
            i
            for i, b in enumerate(odd().token_bytes)
            if (b or i > EOS) and i != EOS and could_be(form, (*text, *(b or (i,))))
        ]
        assert np.flatnonzero(choice.allowed(state)).tolist() == wanted, bytes(b for b in text if b < 256)


@pytest.mark.parametrize("form", FORMATS)
@settings(max_examples=40, deadline=None)
@given(
    st.randoms(use_true_random=False),
    st.sampled_from(["", "Hi ", "a<<tool_call", "{", "ab<", "<tool_call> [TOOL", "é"]),
)
def test_a_turn_is_allowed_in_any_tokens(form: str, rng: random.Random, before: str) -> None:
    choice = turn(form)
    text = (*before.encode(), *rng.choice(all_calls(form, 2)))
    if not could_be(form, text):
        return  # the text before the tag makes another one
    state = follow(choice, split(text, rng))
    assert state.phase == "done"
    assert choice.accepting(state)
    assert not choice.allowed(state).any()


def parse(text: str, close: str = "\n</tool_call>") -> list[Any]:
    """A reader of Hermes calls, as an inference server has one."""
    _, found, rest = text.partition("<tool_call>\n")
    calls = []
    while found:
        call, at = json.JSONDecoder().raw_decode(rest)
        calls.append(call)
        assert rest[at:].startswith(close)
        rest = rest[at + len(close) :]
        if rest:
            assert rest.startswith("\n<tool_call>\n")
        found, rest = rest, rest.removeprefix("\n<tool_call>\n")
    return calls


@pytest.mark.parametrize("mode", ["auto", "required", "none"])
@pytest.mark.parametrize("limit", [1, 3, None])
def test_whatever_is_written_can_be_parsed(mode: str, limit: int | None) -> None:
    choice, rng = turn("hermes", mode, limit), random.Random(f"{mode} {limit}")
    counts = set()
    for _ in range(60):
        state, tokens = choice.start(), list[int]()
        while state.phase != "done":
            legal = np.flatnonzero(choice.allowed(state)).tolist()
            assert legal
            likely = [t for t in legal if t > END] if rng.random() < 0.7 else []
            token = rng.choice(likely or legal)
            if END in legal and (rng.random() < 0.3 or len(tokens) > 60):
                token = END
            tokens.append(token)
            state = choice.advance(state, token)
        calls = parse(bytes(b for b in written(tokens) if b < 256).decode("utf-8", "replace"))
        for call in calls:
            jsonschema.validate(call, SCHEMA)
        assert limit is None or len(calls) <= limit
        counts.add(len(calls))
    assert 0 not in counts if mode == "required" else 0 in counts
    assert (max(counts) == 0) == (mode == "none")
    if limit is None and mode != "none":
        assert max(counts) > 3


def test_a_text_that_ends_like_a_tag_begins_is_only_text() -> None:
    choice = turn("hermes")
    state = follow(choice, list(b"a < b <tool_call <tool_call> <tool_call>"))
    assert state.phase == "text"
    assert choice.accepting(state)
    assert choice.allowed(state)[ord("\n")]
    assert follow(choice, list(b"a <tool_call>\n")).phase == "calls"


def test_none_forbids_the_tag_in_the_text() -> None:
    choice = turn("hermes", "none")
    state = follow(choice, list(b"say <tool_call>"))
    assert not choice.allowed(state)[ord("\n")]
    assert choice.allowed(state)[ord(" ")]
    with pytest.raises(IllegalToken):
        choice.advance(state, ord("\n"))
    assert not turn("one token each", "none").allowed(turn("one token each", "none").start())[OPEN]


def test_other_control_tokens_stand_in_free_text_where_named() -> None:
    plain, thinking = turn("hermes"), turn("hermes", also=[THINK])
    assert not plain.allowed(plain.start())[THINK]
    state = follow(thinking, [THINK, *b"<tool_call>", THINK, *b"\n"])
    assert state.phase == "text"  # a token between the halves of a tag makes it none
    assert not thinking.allowed(follow(thinking, list(b"<tool_call>\n")))[THINK]


@pytest.mark.parametrize("form", FORMATS)
def test_forced_tokens_are_the_only_legal_ones(form: str) -> None:
    plain = Vocabulary(odd().token_bytes[:261], eos=EOS)
    choice = ToolChoice(compile_json_schema({"const": {"name": "a"}}, plain), "required", end=END, **FORMATS[form])  # type: ignore[arg-type]
    state, run = choice.start(), choice.forced(choice.start())
    for token in run:
        assert np.flatnonzero(choice.allowed(state)).tolist() == choice.allowed_ids(state).tolist() == [token]
        state = choice.advance(state, token)
    assert run == next(turn for turn in all_calls(form, 1) if bytes(CALLS[0], "ascii") in bytes(b % 256 for b in turn))


def test_forced_tokens_of_text_tags_are_the_tokenizers_own(gpt2: Vocabulary, encoding: Any) -> None:
    schema = {"properties": {"name": {"const": "dose"}, "mg": {"enum": [5, 10]}}, "required": ["name", "mg"]}
    call = compile_json_schema({"type": "object", "additionalProperties": False, **schema}, gpt2)
    choice = ToolChoice(call, open="<tool_call>\n", close="\n</tool_call>")
    text = 'Well, let me see.\n<tool_call>\n{"name": "dose", "mg": 10}\n</tool_call>'
    ids, state, at, forced = encoding.encode(text), choice.start(), 0, 0
    while at < len(ids):
        run = choice.forced(state)
        assert list(run[: len(ids) - at]) == ids[at : at + len(run)]
        forced += len(run)
        for token in run or ids[at : at + 1]:
            state = choice.advance(state, token)
        at += len(run) or 1
    assert forced > 12
    assert choice.accepting(state)


def test_one_state_forks_and_equal_places_are_equal_states() -> None:
    choice = turn("hermes")
    a = follow(choice, list(b'ab<tool_call>\n{"na'))
    b = follow(choice, [*b"x", STRADDLING.index(b"<tool_call>\n") + 261, *b'{"na'])
    assert a == b
    assert hash(a) == hash(b)
    assert len({choice.advance(a, ord("m")), choice.advance(b, ord("m")), a}) == 2


def test_a_call_may_be_any_grammar() -> None:
    call = compile_lark('start: "<function=" /[a-z]+/ ">" "{}"', odd())
    choice = ToolChoice(call, trigger="<function=", close="</function>")
    state = follow(choice, list(b"well <function=f>{}"))
    assert choice.forced(state) == (*b"</function>", EOS)
    unlike = compile_regex("a|b", odd())
    assert ToolChoice(unlike, "required", close=";").accepting(ToolChoice(unlike, "required").start()) is False


def test_other_calls_in_the_same_turn() -> None:
    choice = turn("hermes")
    only = choice.with_constraint(compile_json_schema({"const": {"name": "z"}}, odd()), "required")
    assert bytes(written(list(only.forced(only.start())))).startswith(b'<tool_call>\n{"name": "z')


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"open": ord("a")}, "open=97 is no control token"),
        ({"open": (OPEN, 999)}, "open=999"),
        ({"open": "<", "end": 1000}, "end=1000"),
        ({"open": "<", "close": END, "end": END}, "part of a tag"),
        ({"open": "<", "trigger": ">"}, "not how the opening tag and a call begin"),
        ({"open": OPEN, "trigger": "<"}, "a token of its own"),
        ({"open": ("<", OPEN)}, "begin it with the token"),
        ({"open": "<", "max_calls": 0}, "max_calls=0"),
    ],
)
def test_a_wrong_tag_is_named(arguments: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        ToolChoice(compile_json_schema(SCHEMA, odd()), **arguments)


def test_calls_that_begin_unalike_need_a_tag() -> None:
    with pytest.raises(ValueError, match="opening tag or a trigger"):
        ToolChoice(compile_regex("a|b", odd()))
