from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from data.errors import TokenizerError
from data.tokenizer import (
    CONTROL,
    END_OF_TEXT,
    N_BPE,
    N_VOCAB,
    encoding_from_files,
    load_tokenizer,
    ranks_from_distribution,
)

TOKENIZER = load_tokenizer()
TABLE = TOKENIZER.token_bytes()
TEXTS = st.text(st.characters(exclude_categories=["Cs"]), max_size=80)


def test_the_ids_are_those_of_the_released_gpt2() -> None:
    assert TOKENIZER.encode("Hello world") == [15496, 995]
    assert TOKENIZER.encode(" interaction") == [10375]
    assert TOKENIZER.encode("") == []
    assert TOKENIZER.end_of_text == END_OF_TEXT == 50256


def test_the_vocabulary_has_one_entry_of_bytes_for_each_of_its_50304_ids() -> None:
    assert len(TABLE) == TOKENIZER.n_vocab == N_VOCAB == 50304
    assert all(TABLE[:N_BPE]) and not any(TABLE[N_BPE:])
    assert len(set(TABLE[:N_BPE])) == N_BPE
    assert TABLE[10375] == b" interaction"


def test_control_tokens_are_consecutive_ids_above_gpt2() -> None:
    assert list(CONTROL.values()) == list(range(50257, 50267))
    assert TOKENIZER.control["<tool_call>"] == 50262


@given(TEXTS)
def test_any_text_survives_encoding_and_decoding(text: str) -> None:
    assert TOKENIZER.decode(TOKENIZER.encode(text)) == text


@given(st.lists(st.sampled_from([*CONTROL, "<|endoftext|>", "a", " ", "<", "|>"]), max_size=8).map("".join))
def test_no_text_ever_produces_a_control_token(text: str) -> None:
    assert all(token_id < N_BPE for token_id in TOKENIZER.encode(text))


@given(TEXTS)
def test_token_bytes_spell_the_text(text: str) -> None:
    assert b"".join(TABLE[i] for i in TOKENIZER.encode(text)) == text.encode()


def test_control_ids_decode_to_their_names_and_unused_ids_to_nothing() -> None:
    ids = [CONTROL["<|user|>"], *TOKENIZER.encode("hi"), 50300, CONTROL["<|end|>"], END_OF_TEXT]
    assert TOKENIZER.decode(ids) == "<|user|>hi<|end|><|endoftext|>"


@pytest.mark.parametrize("token_id", [-1, N_VOCAB])
def test_an_id_outside_the_vocabulary_is_refused(token_id: int) -> None:
    with pytest.raises(TokenizerError, match=str(token_id)):
        TOKENIZER.decode([token_id])


def test_a_changed_rank_file_is_refused_with_its_hash(tmp_path: Path) -> None:
    vocab, encoder = ranks_from_distribution()
    changed = tmp_path / "vocab.bpe"
    changed.write_bytes(vocab.read_bytes() + b"x y\n")
    with pytest.raises(TokenizerError, match="sha256"):
        encoding_from_files(changed, encoder)


def test_a_missing_distribution_is_named() -> None:
    with pytest.raises(TokenizerError, match="no-such-ranks"):
        ranks_from_distribution("no-such-ranks")
