"""Forced runs: where only one byte can follow, and again only one, the tokens are known without asking the model.

The tokens are the ones the tokenizer itself would choose. The end of the run is held back as far as it could
still merge with what follows: every token that begins inside the run and goes on past its end is tried with
the tokenizer, and only the tokens that come out the same each time are forced.
"""

from __future__ import annotations

from .expression import leading_literal
from .states import State
from .vocabulary import Vocabulary

MAX_RUN = 4096  # bytes
MAX_TRIALS = 24  # continuations tried with the tokenizer


def forced_ids(state: State, vocabulary: Vocabulary) -> tuple[int, ...]:
    """Token ids of the forced run from here; ends with eos when nothing but the end can follow."""
    text, end = forced_bytes(state, vocabulary)
    finished = end.accepting and not end.finished and not vocabulary.states.row(end)
    if not text:
        return (vocabulary.eos,) if finished else ()
    ids = _split(text, vocabulary)
    if finished:
        whole = b"".join(vocabulary.token_bytes[i] for i in ids) == text
        return (*ids, vocabulary.eos) if whole else tuple(ids)
    return tuple(_stable(text, ids, end, vocabulary))


def forced_bytes(state: State, vocabulary: Vocabulary) -> tuple[bytes, State]:
    """The only possible next bytes, and the state after them."""
    run = bytearray()
    states = vocabulary.states
    while not state.accepting and len(run) < MAX_RUN:
        text, tail = leading_literal(state.expression)
        if text:
            run += text
            state = states.of(tail)
            continue
        row = states.row(state)
        if len(row) != 1:
            break
        ((byte, state),) = row.items()
        run.append(byte)
    return bytes(run), state


def _split(text: bytes, vocabulary: Vocabulary) -> list[int]:
    """The tokenizer's split; the longest match without a tokenizer, and to finish a character begun earlier."""
    if vocabulary.encode is None:
        return vocabulary.longest_match(text)
    begun = 0
    while begun < len(text) and 0x80 <= text[begun] < 0xC0:
        begun += 1
    lead = vocabulary.longest_match(text[:begun])
    if sum(len(vocabulary.token_bytes[i]) for i in lead) < begun:
        return lead
    whole = text[begun:].decode(errors="ignore") if text[begun:] else ""  # an unfinished last character is left out
    return [*lead, *vocabulary.encode(whole)]


def _stable(text: bytes, ids: list[int], end: State, vocabulary: Vocabulary) -> list[int]:
    """The leading tokens that no continuation from `end` changes."""
    spelled = vocabulary.token_bytes
    cut, trials = len(text), 0
    for at in range(max(0, len(text) - int(vocabulary.depth[-1])), len(text)):
        node = vocabulary.find(text[at:])
        if node is None:
            continue
        for extension in _extensions(node, end, vocabulary, MAX_TRIALS - trials):
            cut = min(cut, at)
            if vocabulary.encode is None:
                break
            trials += 1
            other = _split(text + extension, vocabulary)
            same = 0
            while same < min(len(ids), len(other)) and ids[same] == other[same]:
                same += 1
            ids = ids[:same]
    kept, length = [], 0
    for i in ids:
        length += len(spelled[i])
        if length > cut:
            break
        kept.append(i)
    return kept


def _extensions(node: int, end: State, vocabulary: Vocabulary, limit: int) -> list[bytes]:
    """What legal tokens through `node` add after it, shortest first; at least one if there is any."""
    found: list[bytes] = []
    level = [(node, end, b"")]
    while level and len(found) < max(limit, 1):
        following = []
        for at, state, added in level:
            row = vocabulary.states.row(state)
            for byte, child in vocabulary.children(at).items():
                target = row.get(byte)
                if target is not None:
                    if vocabulary.token_list[child] >= 0:
                        found.append(added + bytes([byte]))
                    following.append((child, target, added + bytes([byte])))
        level = following
    return found[: max(limit, 1)]
