"""The tokens of a model as a trie over their bytes, built once and shared by every grammar.

V tokens   U distinct byte strings, sorted   N trie nodes, numbered breadth first, so the children of a node
are contiguous. The tokens below a node are one range of the sorted byte strings.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import pairwise, takewhile
from typing import TYPE_CHECKING, Any

import numpy as np

from .bodies import BodySplit, prepare
from .states import States
from .words import Ints

if TYPE_CHECKING:
    from .expression import Expression
    from .mask import Head

Encode = Callable[[str], Sequence[int]]


class Vocabulary:
    """`token_bytes[i]` is what token i spells; b"" marks control tokens and padding, which no grammar ever allows.

    `eos` is the token that ends a text; its own bytes are ignored. `encode` is the tokenizer's own split of a
    text (without special tokens); forced runs use it to emit the tokens the tokenizer would, and fall back to
    the longest match without it.
    """

    def __init__(self, token_bytes: Sequence[bytes], eos: int, encode: Encode | None = None) -> None:
        if not 0 <= eos < len(token_bytes):
            raise ValueError(f"eos={eos} is not one of the {len(token_bytes)} tokens")
        self.token_bytes: tuple[bytes, ...] = tuple(token_bytes)
        self.eos = eos
        self.encode = encode
        self.size = len(self.token_bytes)  # V
        self.n_words = (self.size + 31) // 32
        self.states = States()
        self.splits: dict[object, BodySplit] = {}  # bodies.py: string bodies walked once for all grammars
        self.heads: dict[Expression, Head] = {}  # mask.py: first parts of sequences, walked once for all grammars
        self._build()
        prepare(self)

    @classmethod
    def from_tiktoken(cls, encoding: Any, *, size: int | None = None) -> Vocabulary:
        """From a `tiktoken.Encoding`; `size` pads to a model's wider output."""
        special = {encoding.encode_single_token(name) for name in encoding.special_tokens_set}
        tokens = [b""] * max(encoding.n_vocab, size or 0)
        for i in range(encoding.n_vocab):
            if i not in special:
                try:
                    tokens[i] = encoding.decode_single_token_bytes(i)
                except KeyError:  # a hole in the numbering
                    continue
        return cls(tokens, encoding.eot_token, encoding.encode_ordinary)

    @classmethod
    def from_huggingface(cls, tokenizer: Any, *, size: int | None = None) -> Vocabulary:
        """From a `transformers` tokenizer: byte-level BPE (GPT-2, Llama 3, Qwen) or SentencePiece with byte fallback.

        Raises ValueError for a tokenizer without an end token, or whose pieces do not spell the text byte for
        byte.
        """
        if tokenizer.eos_token_id is None:
            raise ValueError("the tokenizer has no eos token; build Vocabulary(token_bytes, eos) yourself")
        pieces = tokenizer.get_vocab()
        special = set(tokenizer.all_special_ids) | set(tokenizer.get_added_vocab().values())
        tokens = [b""] * max(len(tokenizer), 1 + max(pieces.values()), size or 0)
        byte_level = byte_level_table()
        marked = any("▁" in piece for piece in pieces)
        for piece, i in pieces.items():
            if i not in special:
                tokens[i] = _sentencepiece(piece) if marked else _byte_level(piece, byte_level)

        def encode(text: str) -> list[int]:
            ids = tokenizer.encode(text, add_special_tokens=False)  # the name of an added token is read as that token
            return list(takewhile(lambda i: tokens[i], ids))

        for sample in ('{"name": "x", "n": 12}', "é 漢\n"):
            spelled = b"".join(tokens[i] for i in encode(sample)).removeprefix(b" ")
            if spelled != sample.encode():
                raise ValueError(
                    f"the tokenizer spells {sample!r} as {spelled!r}; its pieces are not the bytes of the text. "
                    "Build Vocabulary(token_bytes, eos) yourself"
                )
        return cls(tokens, tokenizer.eos_token_id, None if marked else encode)

    def _build(self) -> None:
        first: dict[bytes, int] = {}
        twins: list[tuple[int, int]] = []
        for i, text in enumerate(self.token_bytes):
            if text and i != self.eos:
                other = first.setdefault(text, i)
                if other != i:
                    twins.append((other, i))
        self.twins = np.array(twins, np.int64).reshape(-1, 2)  # (token, another token of the same bytes)
        texts = sorted(first)
        self.order: Ints = np.array([first[t] for t in texts], np.int64)  # (U,) token ids by byte string
        parent, byte, depth, low, token = [0], [0], [0], [0], [-1]
        path, before = [0], b""
        for u, text in enumerate(texts):
            shared, limit = 0, min(len(before), len(text))
            while shared < limit and before[shared] == text[shared]:
                shared += 1
            del path[shared + 1 :]
            for b in text[shared:]:
                parent.append(path[-1])
                path.append(len(byte))
                byte.append(b)
                depth.append(len(path) - 1)
                low.append(u)
                token.append(-1)
            token[path[-1]] = first[text]
            before = text
        n = len(byte)
        breadth_first = np.lexsort((np.arange(n), np.array(depth)))
        number = np.empty(n, np.int64)
        number[breadth_first] = np.arange(n)
        self.parent: Ints = number[np.array(parent)][breadth_first]  # (N,)
        self.byte: Ints = np.array(byte, np.int64)[breadth_first]  # (N,)
        self.depth: Ints = np.array(depth, np.int64)[breadth_first]  # (N,)
        self.token: Ints = np.array(token, np.int64)[breadth_first]  # (N,) token id or -1
        self.low: Ints = np.array(low, np.int64)[breadth_first]  # (N,) first sorted token below
        self.n_children: Ints = np.bincount(self.parent[1:], minlength=n)  # (N,)
        self.first_child: Ints = 1 + np.cumsum(self.n_children) - self.n_children  # (N,)
        below = (self.token >= 0).astype(np.int64)
        levels = np.searchsorted(self.depth, np.arange(int(self.depth[-1]) + 2))
        self.levels: list[tuple[int, int]] = list(pairwise(levels.tolist()))
        for a, b in reversed(self.levels[1:]):
            np.add.at(below, self.parent[a:b], below[a:b])
        self.high: Ints = self.low + below  # (N,) one past the last sorted token below
        self.below: list[int] = below.tolist()
        self.low_list: list[int] = self.low.tolist()
        self.order_list: list[int] = self.order.tolist()
        self._children: list[dict[int, int] | None] = [None] * n
        self._bytes: list[int] = self.byte.tolist()
        self._first: list[int] = self.first_child.tolist()
        self._count: list[int] = self.n_children.tolist()
        self.token_list: list[int] = self.token.tolist()

    def children(self, node: int) -> dict[int, int]:
        """Byte -> child node."""
        found = self._children[node]
        if found is None:
            first, count = self._first[node], self._count[node]
            found = dict(zip(self._bytes[first : first + count], range(first, first + count), strict=True))
            self._children[node] = found
        return found

    def find(self, text: bytes) -> int | None:
        """The node that spells `text`, None if no token begins so."""
        node: int | None = 0
        for byte in text:
            node = self.children(node).get(byte) if node is not None else None
        return node

    def longest_match(self, text: bytes) -> list[int]:
        """A greedy split into tokens; stops where no token fits."""
        ids: list[int] = []
        at = 0
        while at < len(text):
            node, best, width = 0, -1, 0
            for offset in range(at, len(text)):
                child = self.children(node).get(text[offset])
                if child is None:
                    break
                node = child
                if self.token_list[node] >= 0:
                    best, width = self.token_list[node], offset + 1 - at
            if best < 0:
                break
            ids.append(best)
            at += width
        return ids

    def __repr__(self) -> str:
        return f"Vocabulary({self.size} tokens, eos={self.eos})"


def byte_level_table() -> dict[str, int]:
    """The printable stand-ins of byte-level BPE (Radford et al. 2019): character -> byte."""
    plain = [*range(0x21, 0x7F), *range(0xA1, 0xAD), *range(0xAE, 0x100)]
    others = [b for b in range(256) if b not in set(plain)]
    return {chr(b): b for b in plain} | {chr(256 + k): b for k, b in enumerate(others)}


def _byte_level(piece: str, table: dict[str, int]) -> bytes:
    return bytes(table[c] for c in piece) if all(c in table for c in piece) else b""


def _sentencepiece(piece: str) -> bytes:
    if len(piece) == 6 and piece.startswith("<0x") and piece.endswith(">"):
        return bytes([int(piece[3:5], 16)])
    return piece.replace("▁", " ").encode()
