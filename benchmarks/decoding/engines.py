"""Adapters: every engine behind one small interface, GPT-2's vocabulary, one thread, spaced JSON.

An engine is imported when it is measured. `pip install llguidance xgrammar outlines-core` brings the peers.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from importlib.metadata import version
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from data.tokenizer import encoding_from_files, ranks_from_distribution
from medcall.tokenizer_files import byte_alphabet

Words = NDArray[np.int32]

ENCODING = encoding_from_files(*ranks_from_distribution())
EOS = ENCODING.eot_token
SPELLED = [ENCODING.decode_single_token_bytes(i) for i in range(EOS)]
N_WORDS = (ENCODING.n_vocab + 31) // 32


class Matcher(Protocol):
    """One generation under one grammar."""

    def mask(self) -> Words:
        """The legal tokens as packed words, valid until the next call."""

    def advance(self, token: int) -> None: ...

    def accepting(self) -> bool: ...

    def forced(self) -> list[int]: ...


class Engine(Protocol):
    """`compile` gives a function that starts a generation."""

    version: str

    def compile(self, schema: dict[str, Any] | bool) -> Callable[[], Matcher]: ...


class Medcall:
    """This decoder."""

    def __init__(self) -> None:
        import medcall
        from decoding import Vocabulary

        self.version = medcall.__version__
        self.vocabulary = Vocabulary.from_tiktoken(ENCODING)

    def compile(self, schema: dict[str, Any] | bool) -> Callable[[], Matcher]:
        from decoding import compile_json_schema

        constraint = compile_json_schema(schema, self.vocabulary)
        return lambda: _MedcallMatcher(constraint)


class _MedcallMatcher:
    def __init__(self, constraint: Any) -> None:
        self.constraint, self.state = constraint, constraint.start()

    def mask(self) -> Words:
        words: Words = self.constraint.mask(self.state)
        return words

    def advance(self, token: int) -> None:
        self.state = self.constraint.advance(self.state, token)

    def accepting(self) -> bool:
        return bool(self.constraint.accepting(self.state))

    def forced(self) -> list[int]:
        return list(self.constraint.forced(self.state))


class LLGuidance:
    """llguidance (Rust), JSON with any white space, as it comes."""

    def __init__(self) -> None:
        import llguidance
        from llguidance.tiktoken import lltokenizer_from_encoding

        self.version = version("llguidance")
        self.package = llguidance
        self.tokenizer = lltokenizer_from_encoding(ENCODING, eos_token=EOS)

    def compile(self, schema: dict[str, Any] | bool) -> Callable[[], Matcher]:
        grammar = self.package.LLMatcher.grammar_from_json_schema(json.dumps(schema))
        first = self.package.LLMatcher(self.tokenizer, grammar, log_level=0)
        if first.is_error():
            raise ValueError(first.get_error().splitlines()[0])
        return lambda: _LLGuidanceMatcher(first.deep_copy())


class _LLGuidanceMatcher:
    def __init__(self, matcher: Any) -> None:
        self.matcher, self.words = matcher, np.zeros(N_WORDS, np.int32)

    def mask(self) -> Words:
        self.matcher.unsafe_compute_mask_ptr(self.words.ctypes.data, self.words.nbytes)
        if self.matcher.is_error():
            raise ValueError(self.matcher.get_error().splitlines()[0])
        return self.words

    def advance(self, token: int) -> None:
        self.matcher.consume_token(token)

    def accepting(self) -> bool:
        return bool(self.matcher.is_accepting())

    def forced(self) -> list[int]:
        return list(self.matcher.compute_ff_tokens())


class XGrammar:
    """xgrammar (C++), any white space, unnamed keys as the schema says; compiled grammars are not cached."""

    def __init__(self) -> None:
        import xgrammar

        self.version = version("xgrammar")
        self.package = xgrammar
        names = byte_alphabet()
        printable = ["".join(names[byte] for byte in text) for text in SPELLED] + ["<|endoftext|>"]
        info = xgrammar.TokenizerInfo(
            printable, xgrammar.VocabType.BYTE_LEVEL, vocab_size=ENCODING.n_vocab, stop_token_ids=[EOS]
        )
        self.compiler = xgrammar.GrammarCompiler(info, max_threads=1, cache_enabled=False)

    def compile(self, schema: dict[str, Any] | bool) -> Callable[[], Matcher]:
        grammar = self.compiler.compile_json_schema(json.dumps(schema), strict_mode=False, any_whitespace=True)
        return lambda: _XGrammarMatcher(self, grammar)


class _XGrammarMatcher:
    def __init__(self, engine: XGrammar, grammar: Any) -> None:
        self.matcher = engine.package.GrammarMatcher(grammar)
        self.bitmask = engine.package.allocate_token_bitmask(1, ENCODING.n_vocab)
        self.words: Words = self.bitmask.numpy()[0]

    def mask(self) -> Words:
        self.matcher.fill_next_token_bitmask(self.bitmask)
        return self.words

    def advance(self, token: int) -> None:
        self.matcher.accept_token(token)

    def accepting(self) -> bool:
        words = self.mask()
        return bool(int(words[EOS >> 5]) >> (EOS & 31) & 1)

    def forced(self) -> list[int]:
        return ENCODING.encode_ordinary(self.matcher.find_jump_forward_string())


class Outlines:
    """outlines-core (Rust): the schema as one regular expression, indexed over the vocabulary."""

    def __init__(self) -> None:
        import outlines_core
        from outlines_core.json_schema import build_regex_from_schema

        self.version = version("outlines-core")
        self.package, self.regex = outlines_core, build_regex_from_schema
        by_bytes: dict[bytes, list[int]] = {}
        for i, text in enumerate(SPELLED):
            by_bytes.setdefault(text, []).append(i)
        self.vocabulary = outlines_core.Vocabulary(EOS, by_bytes)

    def compile(self, schema: dict[str, Any] | bool) -> Callable[[], Matcher]:
        index = self.package.Index(self.regex(json.dumps(schema)), self.vocabulary)
        return lambda: _OutlinesMatcher(self.package.Guide(index))


class _OutlinesMatcher:
    def __init__(self, guide: Any) -> None:
        self.guide, self.words = guide, np.zeros(N_WORDS, np.int32)

    def mask(self) -> Words:
        self.guide.write_mask_into(self.words.ctypes.data, self.words.size, self.words.itemsize)
        return self.words

    def advance(self, token: int) -> None:
        self.guide.advance(token, return_tokens=False)

    def accepting(self) -> bool:
        return bool(self.guide.is_finished())

    def forced(self) -> list[int]:
        return []


ENGINES: dict[str, Callable[[], Engine]] = {
    "medcall": Medcall,
    "llguidance": LLGuidance,
    "xgrammar": XGrammar,
    "outlines-core": Outlines,
}
