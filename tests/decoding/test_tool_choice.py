"""Whole turns: free text, calls between tags, a legal stop."""

from __future__ import annotations

import numpy as np
import pytest

from decoding import IllegalToken, ToolChoice, Vocabulary, compile_json_schema

OPEN, CLOSE, END, PAD = 256, 257, 258, 259
EOS = 260


@pytest.fixture(scope="module")
def vocabulary() -> Vocabulary:
    return Vocabulary([*(bytes([b]) for b in range(256)), b"", b"", b"", b"", b"<eos>"], eos=EOS)


def turn(vocabulary: Vocabulary, mode: str, max_calls: int = 1) -> ToolChoice:
    constraint = compile_json_schema({"enum": ["ab", "ac"]}, vocabulary)
    return ToolChoice(constraint, mode, open=OPEN, close=CLOSE, end=END, max_calls=max_calls)  # type: ignore[arg-type]


def after(choice: ToolChoice, *tokens: int | bytes) -> object:
    state = choice.start()
    for token in tokens:
        for i in token if isinstance(token, bytes) else (token,):
            state = choice.advance(state, i)
    return state


def legal(choice: ToolChoice, *tokens: int | bytes) -> list[int]:
    return np.flatnonzero(choice.allowed(after(choice, *tokens))).tolist()


def test_auto_allows_text_and_the_opening_tag_and_the_end(vocabulary: Vocabulary) -> None:
    choice = turn(vocabulary, "auto")
    everything = [*range(256), OPEN, END]
    assert legal(choice) == everything
    assert legal(choice, b"Hello") == everything
    assert legal(choice, b"Hello", OPEN) == [ord('"')]
    assert legal(choice, END) == []


def test_a_call_ends_with_its_closing_tag_and_the_turn_with_its_own(vocabulary: Vocabulary) -> None:
    choice = turn(vocabulary, "auto")
    assert legal(choice, OPEN, b'"a') == [ord("b"), ord("c")]
    assert legal(choice, OPEN, b'"ab"') == [CLOSE]
    assert legal(choice, OPEN, b'"ab"', CLOSE) == [END]
    assert choice.accepting(after(choice, OPEN, b'"ab"', CLOSE))
    assert not choice.accepting(after(choice, OPEN, b'"ab"'))
    assert choice.accepting(after(choice, OPEN, b'"ab"', CLOSE, END))


def test_parallel_calls_stop_at_the_limit(vocabulary: Vocabulary) -> None:
    choice = turn(vocabulary, "auto", max_calls=2)
    assert legal(choice, OPEN, b'"ab"', CLOSE) == [OPEN, END]
    assert legal(choice, OPEN, b'"ab"', CLOSE, OPEN, b'"ac"', CLOSE) == [END]


def test_required_begins_with_a_call_and_none_has_none(vocabulary: Vocabulary) -> None:
    assert legal(turn(vocabulary, "required")) == [OPEN]
    assert not turn(vocabulary, "required").accepting(turn(vocabulary, "required").start())
    assert legal(turn(vocabulary, "none"), b"hi") == [*range(256), END]


def test_forced_runs_go_through_the_tags(vocabulary: Vocabulary) -> None:
    choice = turn(vocabulary, "required")
    assert choice.forced(choice.start()) == (OPEN, ord('"'), ord("a"))
    assert choice.forced(after(choice, OPEN, b'"ab')) == (ord('"'), CLOSE, END)
    assert turn(vocabulary, "auto").forced(turn(vocabulary, "auto").start()) == ()
    assert turn(vocabulary, "auto", 2).forced(after(turn(vocabulary, "auto", 2), OPEN, b'"ab')) == (ord('"'), CLOSE)


def test_forced_tokens_are_the_only_legal_ones(vocabulary: Vocabulary) -> None:
    choice = turn(vocabulary, "required")
    state = choice.start()
    for token in choice.forced(state):
        assert np.flatnonzero(choice.allowed(state)).tolist() == [token]
        assert choice.allowed_ids(state).tolist() == [token]
        state = choice.advance(state, token)


def test_turn_states_are_values(vocabulary: Vocabulary) -> None:
    choice = turn(vocabulary, "auto")
    assert after(choice, b"a", OPEN, b'"a') == after(choice, b"bc", OPEN, b'"a')
    assert len({after(choice, OPEN, b'"a'), after(choice, OPEN, b'"a'), after(choice, OPEN, b'"')}) == 2


def test_an_illegal_tag_is_an_error(vocabulary: Vocabulary) -> None:
    choice = turn(vocabulary, "none")
    for token in (OPEN, CLOSE, PAD, EOS, 999, -1):
        with pytest.raises(IllegalToken):
            choice.advance(choice.start(), token)


def test_a_wrong_tag_or_mode_is_named(vocabulary: Vocabulary) -> None:
    constraint = compile_json_schema(True, vocabulary)
    with pytest.raises(ValueError, match="open=999"):
        ToolChoice(constraint, open=999, close=CLOSE, end=END)
    with pytest.raises(ValueError, match="mode='maybe'"):
        ToolChoice(constraint, "maybe", open=OPEN, close=CLOSE, end=END)  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="max_calls=0"):
        ToolChoice(constraint, open=OPEN, close=CLOSE, end=END, max_calls=0)
