"""Masks, judged by a scan of every token of GPT-2's vocabulary."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
import tiktoken

from decoding import Constraint, Layout, State, Vocabulary, compile_json_schema, compile_regex
from decoding.alphabet import JSON_CANONICAL
from decoding.bodies import split_of
from decoding.words import has, ids_in, pack, unpack

Scan = Callable[[Constraint, State], np.ndarray]

STRING = {"type": "string"}
OBJECT = {
    "type": "object",
    "properties": {
        "name": STRING,
        "dose": {"type": "number", "minimum": 0, "maximum": 33.721},
        "note": {"type": "string", "maxLength": 9},
    },
    "required": ["name"],
    "additionalProperties": False,
}
PLACES = [
    (OBJECT, b""),
    (OBJECT, b'{"name": "'),
    (OBJECT, b'{"name": "warf'),
    (OBJECT, b'{"name": "war\\'),
    (OBJECT, b'{"name": "war\xc3'),
    (OBJECT, b'{"name": "x", "'),
    (OBJECT, b'{"name": "x", "dose": 3'),
    (OBJECT, b'{"name": "x", "note": "'),
    (OBJECT, b'{"name": "x", "note": "12345678'),
    ({"type": "string", "minLength": 3, "maxLength": 6}, b'"'),
    ({"type": "string", "pattern": "^[A-Z]{2}[0-9]+$"}, b'"AB'),
    ({"type": "string", "pattern": "ab"}, b'"x'),
    ({"type": "object", "properties": {"foo": True}}, b'{"'),
    ({"enum": ["oral", "iv", "im", 3, None]}, b""),
    (True, b""),
    (True, b'{"a": [1, '),
]


@pytest.mark.parametrize(("schema", "prefix"), PLACES, ids=str)
def test_a_mask_is_what_a_scan_of_all_tokens_finds(gpt2: Vocabulary, scan: Scan, schema: object, prefix: bytes) -> None:
    constraint = compile_json_schema(schema, gpt2)  # type: ignore[arg-type]
    state = gpt2.states.step(constraint.start(), prefix)
    assert state is not None
    expected = scan(constraint, state)
    assert (constraint.allowed(state) == expected).all()
    few = constraint.allowed_ids(state)
    assert (few is None) == (expected.sum() > 512)
    if few is not None:
        assert few.tolist() == np.flatnonzero(expected).tolist()


@pytest.mark.parametrize("escapes", ["canonical", "any"])
def test_string_masks_are_right_under_both_escape_rules(gpt2: Vocabulary, scan: Scan, escapes: str) -> None:
    layout = Layout(escapes=escapes)  # type: ignore[arg-type]
    constraint = compile_json_schema({"type": "string", "maxLength": 3}, gpt2, layout)
    for prefix in (b'"', b'"a\\', b'"a\\u'):
        state = gpt2.states.step(constraint.start(), prefix)
        assert state is not None
        assert (constraint.allowed(state) == scan(constraint, state)).all()


@pytest.mark.parametrize("pattern", ["(foo|bar)+[0-9]{2,4}.*", ".*", "[a-z ]{3,}x", "\\s*"])
def test_regex_masks_are_right(gpt2: Vocabulary, scan: Scan, pattern: str) -> None:
    constraint = compile_regex(pattern, gpt2)
    assert (constraint.allowed(constraint.start()) == scan(constraint, constraint.start())).all()


def test_twin_tokens_are_allowed_together_and_control_tokens_never(small: Vocabulary, scan: Scan) -> None:
    constraint = compile_json_schema(STRING, small)
    state = small.states.step(constraint.start(), b'"')
    assert state is not None
    allowed = constraint.allowed(state)
    twins = [i for i, text in enumerate(small.token_bytes) if text == b"b"]
    assert len(twins) == 2
    assert allowed[twins].all()
    assert not allowed[[i for i, text in enumerate(small.token_bytes) if not text]].any()
    assert (allowed == scan(constraint, state)).all()


def test_few_tokens_cross_a_closing_quote_and_the_rest_is_one_shared_mask(gpt2: Vocabulary) -> None:
    split = split_of(JSON_CANONICAL.character, gpt2)
    assert len(split.exits) < 400
    a = compile_json_schema({"type": "string", "maxLength": 100_000}, gpt2)
    b = compile_json_schema(OBJECT, gpt2)
    first = gpt2.states.step(a.start(), b'"')
    second = gpt2.states.step(b.start(), b'{"name": "')
    assert first is not None
    assert second is not None
    inside = unpack(np.frombuffer(split.inside(None, gpt2), np.int32), gpt2.size)
    assert (a.allowed(first) >= inside).all()
    assert (b.allowed(second) >= inside).all()
    assert inside.sum() > 49_000


def test_a_mask_is_remembered_and_read_only(gpt2: Vocabulary) -> None:
    constraint = compile_json_schema(OBJECT, gpt2)
    state = constraint.start()
    assert constraint.mask(state) is constraint.mask(state)
    with pytest.raises(ValueError, match="read-only"):
        constraint.mask(state)[0] = 1
    with pytest.raises(ValueError, match="read-only"):
        constraint.allowed(state)[0] = True


def test_packing_is_its_own_inverse() -> None:
    flags = np.zeros(77, bool)
    flags[[0, 31, 32, 76]] = True
    words = pack(flags)
    assert words.shape == (3,)
    assert (unpack(words, 77) == flags).all()
    assert ids_in(words, 77).tolist() == [0, 31, 32, 76]
    assert [i for i in range(77) if has(words, i)] == [0, 31, 32, 76]


def test_the_trie_holds_every_token_once(gpt2: Vocabulary) -> None:
    for i in range(0, 50256, 97):
        node = gpt2.find(gpt2.token_bytes[i])
        assert node is not None
        assert gpt2.token_list[node] == i
    assert gpt2.below[0] == 50256
    assert gpt2.find(b"<|endoftext|") is None or gpt2.token_bytes[50256] == b""


def test_a_vocabulary_refuses_an_end_token_it_does_not_have() -> None:
    with pytest.raises(ValueError, match="eos=9"):
        Vocabulary([b"a"], eos=9)


def test_longest_match_is_the_split_without_a_tokenizer(small: Vocabulary) -> None:
    ids = small.longest_match(b'{"ab": true')
    assert [small.token_bytes[i] for i in ids] == [b'{"', b"ab", b'": ', b"tru", b"e"]


def test_a_hugging_face_tokenizer_gives_the_same_bytes(encoding: tiktoken.Encoding) -> None:
    tokenizers = pytest.importorskip("tokenizers")
    transformers = pytest.importorskip("transformers")
    from decoding.vocabulary import byte_level_table

    stand_in = {b: c for c, b in byte_level_table().items()}
    pieces = {"".join(stand_in[b] for b in bytes([i])): i for i in range(256)}
    pieces |= {stand_in[ord('"')] + ":": 256, "<|endoftext|>": 257}
    model = tokenizers.models.BPE(vocab=pieces, merges=[('"', ":")])
    raw = tokenizers.Tokenizer(model)
    raw.pre_tokenizer = tokenizers.pre_tokenizers.ByteLevel(add_prefix_space=False)
    raw.decoder = tokenizers.decoders.ByteLevel()
    tokenizer = transformers.PreTrainedTokenizerFast(tokenizer_object=raw, eos_token="<|endoftext|>")
    v = Vocabulary.from_huggingface(tokenizer)
    assert v.eos == 257
    assert v.token_bytes[:256] == tuple(bytes([i]) for i in range(256))
    assert v.token_bytes[256:] == (b'":', b"")
    assert v.encode is not None
    assert list(v.encode('{"a": 1}')) == tokenizer.encode('{"a": 1}')
