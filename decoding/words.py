"""A set of tokens as packed words: bit i & 31 of word i >> 5 is token i, as kernels that mask logits want it."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
from numpy.typing import NDArray

Words = NDArray[np.int32]  # (ceil(V / 32),)
Ints = NDArray[np.int64]


def pack(flags: NDArray[np.bool_]) -> Words:
    """(V,) booleans -> packed words, read-only."""
    padded = np.zeros((len(flags) + 31) // 32 * 32, np.bool_)
    padded[: len(flags)] = flags
    words = np.packbits(padded, bitorder="little").view(np.int32)
    words.flags.writeable = False
    return words


def pack_ids(ids: Iterable[int], n_words: int) -> Words:
    """A few token ids -> packed words, read-only."""
    packed = bytearray(4 * n_words)
    for i in ids:
        packed[i >> 3] |= 1 << (i & 7)
    words = np.frombuffer(packed, np.int32)
    words.flags.writeable = False
    return words


def unpack(words: Words, size: int) -> NDArray[np.bool_]:
    """Packed words -> (V,) booleans, read-only."""
    flags = np.unpackbits(words.view(np.uint8), count=size, bitorder="little").view(np.bool_)
    flags.flags.writeable = False
    return flags


def ids_in(words: Words, size: int) -> Ints:
    """Packed words -> ascending token ids."""
    hit = np.flatnonzero(words)
    if len(hit) > 64:
        return np.flatnonzero(unpack(words, size))
    bits = np.unpackbits(words[hit].view(np.uint8), bitorder="little").reshape(-1, 32)
    word, bit = np.nonzero(bits)
    ids: Ints = hit[word] * 32 + bit
    return ids


def count(words: Words) -> int:
    """How many tokens a packed mask holds."""
    return int(np.bitwise_count(words.view(np.uint32)).sum())  # unsigned: of a negative number it would count |x|


def has(words: Words, token: int) -> bool:
    """Whether a token is in a packed mask."""
    return bool(int(words[token >> 5]) >> (token & 31) & 1)
