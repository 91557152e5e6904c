"""States, illegal tokens, splits and forced runs."""

from __future__ import annotations

import json
import random
import threading

import numpy as np
import pytest
import tiktoken
from hypothesis import given, settings
from hypothesis import strategies as st

from decoding import EmptyGrammar, IllegalToken, Layout, Vocabulary, compile_json_schema, compile_regex

CALL = {
    "oneOf": [
        {
            "type": "object",
            "properties": {"name": {"const": name}, "arguments": arguments},
            "required": ["name", "arguments"],
            "additionalProperties": False,
        }
        for name, arguments in {
            "check_drug_interactions": {
                "type": "object",
                "properties": {
                    "drugs": {
                        "type": "array",
                        "items": {"type": "string", "minLength": 1, "maxLength": 80},
                        "minItems": 1,
                    },
                    "min_severity": {"enum": ["minor", "moderate", "major", "contraindicated"]},
                    "include_food_herbal": {"type": "boolean"},
                },
                "required": ["drugs"],
                "additionalProperties": False,
            },
            "calculate_dose": {
                "oneOf": [
                    {
                        "type": "object",
                        "properties": {
                            "calculation": {"const": c},
                            "age": {"type": "number", "minimum": 0, "maximum": 130},
                            "sex": {"enum": ["female", "male"]},
                            "creatinine_unit": {"enum": ["mg/dL", "µmol/L"]},
                        },
                        "required": ["calculation", "age", *more],
                        "additionalProperties": False,
                    }
                    for c, more in {"egfr": ["sex"], "creatinine_clearance": ["sex", "creatinine_unit"]}.items()
                ]
            },
        }.items()
    ]
}
DOCUMENTS = [
    {"name": "check_drug_interactions", "arguments": {"drugs": ["warfarin", "St. John's wort (Hypericum)"]}},
    {
        "name": "check_drug_interactions",
        "arguments": {"drugs": ['a "b" \\ é 漢 😀\n'], "min_severity": "major", "include_food_herbal": True},
    },
    {"name": "calculate_dose", "arguments": {"calculation": "egfr", "age": 72.5, "sex": "male"}},
    {
        "name": "calculate_dose",
        "arguments": {"calculation": "creatinine_clearance", "age": 8, "sex": "female", "creatinine_unit": "µmol/L"},
    },
]


def dumps(document: object, layout: Layout | None = None) -> str:
    layout = layout or Layout.spaced()
    return json.dumps(document, ensure_ascii=False, separators=(layout.item_separator, layout.key_separator))


@pytest.mark.parametrize("layout", [Layout.spaced(), Layout.compact()], ids=["spaced", "compact"])
@pytest.mark.parametrize("document", DOCUMENTS, ids=str)
def test_the_tokenizers_own_split_is_always_allowed(
    gpt2: Vocabulary, encoding: tiktoken.Encoding, document: object, layout: Layout
) -> None:
    constraint = compile_json_schema(CALL, gpt2, layout)
    state = constraint.start()
    for token in encoding.encode_ordinary(dumps(document, layout)):
        assert not constraint.accepting(state)
        assert not constraint.allowed(state)[gpt2.eos]
        assert constraint.allowed(state)[token]
        state = constraint.advance(state, token)
    assert constraint.accepting(state)
    assert constraint.allowed(state).nonzero()[0].tolist() == [gpt2.eos]


@given(st.sampled_from(DOCUMENTS), st.randoms(use_true_random=False))
@settings(max_examples=40, deadline=None)
def test_every_split_of_a_valid_document_is_allowed(document: object, rng: random.Random) -> None:
    from_bytes = dumps(document).encode()
    v = _gpt2()
    constraint = compile_json_schema(CALL, v)
    state, at = constraint.start(), 0
    while at < len(from_bytes):
        fits, node = [], 0
        for end in range(at + 1, len(from_bytes) + 1):
            child = v.children(node).get(from_bytes[end - 1])
            if child is None:
                break
            node = child
            if v.token_list[node] >= 0:
                fits.append((v.token_list[node], end))
        token, at = rng.choice(fits)
        assert constraint.allowed(state)[token]
        state = constraint.advance(state, token)
    assert constraint.accepting(state)


def _gpt2() -> Vocabulary:
    import sys

    conftest = next(m for name, m in sys.modules.items() if name.endswith("conftest") and hasattr(m, "gpt2_vocabulary"))
    v: Vocabulary = conftest.gpt2_vocabulary()
    return v


def test_states_are_values_that_fork_and_roll_back(gpt2: Vocabulary, encoding: tiktoken.Encoding) -> None:
    constraint = compile_json_schema(CALL, gpt2)
    ids = encoding.encode_ordinary(dumps(DOCUMENTS[0]))
    states = [constraint.start()]
    for token in ids:
        states.append(constraint.advance(states[-1], token))
    again = constraint.start()
    for token, expected in zip(ids, states[1:], strict=True):
        again = constraint.advance(again, token)
        assert again is expected
        assert hash(again) == hash(expected)
    assert constraint.advance(states[3], ids[3]) is states[4]


def test_an_illegal_token_says_what_was_legal(gpt2: Vocabulary, encoding: tiktoken.Encoding) -> None:
    constraint = compile_regex("(yes|no)", gpt2)
    bad = encoding.encode_ordinary("maybe")[0]
    with pytest.raises(IllegalToken, match=r"maybe.*legal: .*no"):
        constraint.advance(constraint.start(), bad)
    for token in (-1, gpt2.size, gpt2.eos):
        with pytest.raises(IllegalToken):
            constraint.advance(constraint.start(), token)


def test_after_the_end_nothing_is_allowed(gpt2: Vocabulary, encoding: tiktoken.Encoding) -> None:
    constraint = compile_regex("no", gpt2)
    state = constraint.advance(constraint.start(), encoding.encode_ordinary("no")[0])
    finished = constraint.advance(state, gpt2.eos)
    assert constraint.accepting(finished)
    assert not constraint.allowed(finished).any()
    assert constraint.forced(finished) == ()
    with pytest.raises(IllegalToken, match="ended"):
        constraint.advance(finished, gpt2.eos)


def test_a_schema_that_nothing_satisfies_is_an_error(gpt2: Vocabulary) -> None:
    for schema in (
        False,
        {"type": "integer", "minimum": 3, "maximum": 2},
        {"required": ["a"], "type": "object", "properties": {"a": False}},
    ):
        with pytest.raises(EmptyGrammar):
            compile_json_schema(schema, gpt2)


@pytest.mark.parametrize("layout", [Layout.spaced(), Layout.compact()], ids=["spaced", "compact"])
@pytest.mark.parametrize("document", DOCUMENTS, ids=str)
def test_forced_tokens_are_those_of_the_tokenizers_split_of_the_whole_text(
    gpt2: Vocabulary, encoding: tiktoken.Encoding, document: object, layout: Layout
) -> None:
    constraint = compile_json_schema(CALL, gpt2, layout)
    expected = [*encoding.encode_ordinary(dumps(document, layout)), gpt2.eos]
    state, written, forced = constraint.start(), [], 0
    while len(written) < len(expected):
        run = constraint.forced(state)
        forced += len(run)
        for token in run or (expected[len(written)],):
            state = constraint.advance(state, token)
            written.append(token)
    assert written == expected
    assert forced > len(expected) // 3


@pytest.mark.parametrize("seed", range(4))
def test_skipping_forced_tokens_leaves_the_greedy_text_as_it_was(gpt2: Vocabulary, seed: int) -> None:
    schema = json.loads(
        json.dumps(CALL).replace('"maxLength": 80', '"maxLength": 8').replace('"minItems": 1', '"maxItems": 3')
    )
    constraint = compile_json_schema(schema, gpt2)
    score = np.random.default_rng(seed).normal(size=gpt2.size)
    score[gpt2.eos] = 9
    score[[i for i, text in enumerate(gpt2.token_bytes) if b'"' in text or b"]" in text]] += 3  # ends strings soon

    def greedy(skip: bool) -> bytes:
        state, text = constraint.start(), b""
        for _ in range(400):
            run = constraint.forced(state) if skip else ()
            token = int(np.where(constraint.allowed(state), score, -np.inf).argmax())
            for i in run or (token,):
                if i == gpt2.eos:
                    return text
                text += gpt2.token_bytes[i]
                state = constraint.advance(state, i)
        raise AssertionError(f"still going: {text!r}")

    assert greedy(skip=True) == greedy(skip=False)


def test_without_a_tokenizer_the_longest_match_is_forced(small: Vocabulary) -> None:
    constraint = compile_json_schema({"const": {"ab": True}}, small)
    tokens = [small.token_bytes[i] for i in constraint.forced(constraint.start())]
    assert tokens == [b'{"', b"ab", b'": ', b"tru", b"e", b"}", b"<end>"]
    assert constraint.forced(constraint.start())[-1] == small.eos


def test_a_forced_run_never_takes_a_choice_away(gpt2: Vocabulary) -> None:
    constraint = compile_json_schema({"enum": ["oral", "otic", "oto"]}, gpt2)
    quote = constraint.forced(constraint.start())
    assert [gpt2.token_bytes[i] for i in quote] == [b'"']  # the forced `o` is held back: `oral` is a token of its own
    optional_end = compile_regex("ab?", gpt2)
    after_a = gpt2.states.step(optional_end.start(), b"a")
    assert after_a is not None
    assert optional_end.forced(after_a) == ()


def test_one_constraint_serves_many_threads(gpt2: Vocabulary, encoding: tiktoken.Encoding) -> None:
    constraint = compile_json_schema(CALL, gpt2)
    problems: list[Exception] = []

    def follow(document: object) -> None:
        try:
            state = constraint.start()
            for token in encoding.encode_ordinary(dumps(document)):
                assert constraint.allowed(state)[token]
                constraint.forced(state)
                state = constraint.advance(state, token)
            assert constraint.accepting(state)
        except Exception as error:  # reported by the main thread
            problems.append(error)

    threads = [threading.Thread(target=follow, args=(document,)) for document in DOCUMENTS * 3]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert problems == []


def test_states_of_a_dropped_constraint_are_dropped(small: Vocabulary) -> None:
    import gc

    gc.collect()
    before = len(small.states)
    constraint = compile_json_schema({"const": "dropped soon"}, small)
    constraint.mask(constraint.start())
    assert len(small.states) > before
    del constraint
    gc.collect()
    assert len(small.states) <= before
