"""String bodies: states `character{low,high} tail`, whose masks are read off one walk of the vocabulary.

Inside a string almost every token is legal, and they are the same in every string of every grammar: those that are
whole characters and perhaps the beginning of one more. So the vocabulary is read as characters once. What is left
for a body is how much room it has, and the few tokens that leave it and go on in its tail (of GPT-2's tokens 78
hold a closing quote and something before it).
"""

from __future__ import annotations

from bisect import bisect_left
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from .alphabet import JSON_ANY_ESCAPE, JSON_CANONICAL, UTF8
from .expression import EMPTY, Expression, Repeat, Seq, edges, repeat, seq
from .numbers import DIGIT
from .states import State, States
from .words import Ints, Words, pack, pack_ids

if TYPE_CHECKING:
    from .vocabulary import Vocabulary

_CHARACTERS = frozenset({JSON_CANONICAL.character, JSON_ANY_ESCAPE.character, UTF8.character, DIGIT})
_SPARE = 400  # tokens that are cleared one by one from the mask of unlimited room


@dataclass(frozen=True)
class Body:
    """A state read as `character{low,high} tail`."""

    split: BodySplit
    low: int
    high: int | None
    tail: State | None  # None: the text may end here and nothing follows


@dataclass(frozen=True)
class Crossing:
    """The tokens that leave a body after at least one character and go on in one tail."""

    tokens: tuple[tuple[int, int], ...]  # (characters before the tail, token)
    words: Words
    most: int  # characters before the tail


class BodySplit:
    """Every token read as characters of one alphabet.

    A token is *inside* if it is whole characters and perhaps the beginning of one more. It *exits* if, after
    whole characters, comes a byte that begins no character, such as the closing quote; what follows from
    there is its suffix.
    """

    def __init__(self, character: Expression, vocabulary: Vocabulary) -> None:
        self.first_bytes = 0
        for bytes_, _ in edges(character):
            self.first_bytes |= bytes_
        v = vocabulary
        at, begun, exits = self._read(character, v)
        self.aligned: list[int] = np.where(at == 1, begun, -1).tolist()  # (N,) whole characters, or -1
        is_token = v.token >= 0
        position = np.full(v.size, -1, np.int64)
        position[v.order] = np.arange(len(v.order))
        need = np.full(len(v.order), -1, np.int64)
        inside = is_token & (at > 0)
        need[position[v.token[inside]]] = begun[inside]
        self.need = need  # (U,) characters a token needs room for, -1 if not inside
        self.need_list: list[int] = need.tolist()
        whole = np.full(v.size, -1, np.int32)
        complete = is_token & (at == 1)
        whole[v.token[complete]] = begun[complete]
        self.whole: list[int] = whole.tolist()  # (V,) characters of a token that is whole characters, else -1
        self.most = int(need.max(initial=0))
        flags = np.zeros(v.size, np.bool_)
        flags[v.order[need >= 0]] = True
        self.anywhere = pack(flags)  # the tokens inside a body with room for all of them
        by_need = np.argsort(-need, kind="stable")
        self._longest = v.order[by_need[: _SPARE + 1]].tolist()  # tokens by falling need
        self._longest_need = need[by_need[: _SPARE + 1]].tolist()
        self._by_room: dict[int, Words] = {self.most: self.anywhere}
        self.kids: list[dict[int, int]] = [{}]  # trie of suffixes
        self.ends: list[list[tuple[int, int]]] = [[]]  # per node: (characters before the exit, token)
        self.exits: list[tuple[int, int, bytes, int]] = []  # (sorted position, characters before, suffix, token)
        for node in np.flatnonzero(exits & (begun > 1)).tolist():  # tokens that leave at once are walked from the tail
            before, depth = int(begun[node]) - 1, int(v.depth[node]) - 1
            for u in range(int(v.low[node]), int(v.high[node])):
                token = int(v.order[u])
                suffix = v.token_bytes[token][depth:]
                self.exits.append((u, before, suffix, token))
                self._add_suffix(suffix, before, token)
        self.exits.sort()

    def _read(self, character: Expression, v: Vocabulary) -> tuple[Ints, Ints, np.ndarray]:
        """Per trie node (N,): its state as text of characters (0 dead, 1 whole characters), characters begun on the
        way, and whether it is the first byte outside."""
        states = States()
        start = states.of(repeat(character))
        number = {start: 1}
        rows = [np.zeros(256, np.int64)]
        todo = [start]
        for state in todo:
            classes, targets = states.classes(state)
            for target in targets:
                if target not in number:
                    number[target] = len(number) + 1
                    todo.append(target)
            rows.append(np.array([0, *(number[t] for t in targets)])[classes])
        table = np.stack(rows)
        at = np.zeros(len(v.byte), np.int64)
        begun = np.zeros(len(v.byte), np.int64)
        exits = np.zeros(len(v.byte), np.bool_)
        at[0] = 1
        for a, b in v.levels[1:]:
            above = v.parent[a:b]
            at[a:b] = table[at[above], v.byte[a:b]]
            begun[a:b] = begun[above] + (at[above] == 1)
            exits[a:b] = (at[above] == 1) & (at[a:b] == 0)
        return at, begun, exits

    def _add_suffix(self, suffix: bytes, before: int, token: int) -> None:
        leaf = 0
        for byte in suffix:
            if byte not in self.kids[leaf]:
                self.kids[leaf][byte] = len(self.kids)
                self.kids.append({})
                self.ends.append([])
            leaf = self.kids[leaf][byte]
        self.ends[leaf].append((before, token))

    def inside(self, room: int | None, vocabulary: Vocabulary) -> Words:
        """The tokens that stay inside a body with room for so many characters."""
        if room is None or room >= self.most:
            return self.anywhere
        found = self._by_room.get(room)
        if found is None:
            if self._longest_need[-1] <= room:  # all that is too long is among the longest
                packed = bytearray(self.anywhere.tobytes())
                for token, need in zip(self._longest, self._longest_need, strict=True):
                    if need <= room:
                        break
                    packed[token >> 3] &= ~(1 << (token & 7))
                found = np.frombuffer(packed, np.int32)
                found.flags.writeable = False
            else:
                flags = np.zeros(vocabulary.size, np.bool_)
                flags[vocabulary.order[(self.need >= 0) & (self.need <= room)]] = True
                found = pack(flags)
            self._by_room[room] = found
        return found

    def crossing(self, tail: State, vocabulary: Vocabulary) -> Crossing:
        """The tokens that leave a body and go on in its tail, remembered on the tail."""
        known = tail.crossing
        if isinstance(known, tuple) and known[0] is self:
            found: Crossing = known[1]
            return found
        tokens: list[tuple[int, int]] = []
        stack = [(0, tail)]
        states, kids = vocabulary.states, self.kids
        while stack:
            node, state = stack.pop()
            for byte, child in kids[node].items():
                target = states.following(state, byte)
                if target is not None:
                    tokens += self.ends[child]
                    if kids[child]:
                        stack.append((child, target))
        found = Crossing(
            tuple(tokens),
            pack_ids((token for _, token in tokens), vocabulary.n_words),
            max((before for before, _ in tokens), default=0),
        )
        tail.crossing = (self, found)
        return found

    def leaving(self, first: int, last: int) -> list[tuple[int, int, bytes, int]]:
        """The exits among the sorted tokens first..last - 1."""
        return self.exits[bisect_left(self.exits, (first,)) : bisect_left(self.exits, (last,))]


def body_of(state: State, vocabulary: Vocabulary) -> Body | None:
    """The state as a string body; None if it is none, or if its tail could begin like a character."""
    known = state._body
    if known is None:
        known = state._body = _read_body(state, vocabulary) or False
    return known if isinstance(known, Body) else None


def _read_body(state: State, vocabulary: Vocabulary) -> Body | None:
    e = state.expression
    head, tail = (e.head, e.tail) if isinstance(e, Seq) else (e, EMPTY)
    if not isinstance(head, Repeat) or head.body not in _CHARACTERS:
        return None
    split = split_of(head.body, vocabulary)
    if tail is EMPTY:
        return Body(split, head.low, head.high, None)
    if tail.nullable or any(bytes_ & split.first_bytes for bytes_, _ in edges(tail)):
        return None
    return Body(split, head.low, head.high, vocabulary.states.of(tail))


def step_inside(state: State, token: int, vocabulary: Vocabulary) -> State | None:
    """The state after a token of whole characters inside a string body, found without reading its bytes; else None."""
    body = body_of(state, vocabulary)
    if body is None:
        return None
    n = body.split.whole[token]
    if n < 0 or (body.high is not None and n > body.high):
        return None
    e = state.expression
    head, tail = (e.head, e.tail) if isinstance(e, Seq) else (e, EMPTY)
    assert isinstance(head, Repeat)
    rest = repeat(head.body, max(head.low - n, 0), None if head.high is None else head.high - n)
    return vocabulary.states.of(seq(rest, tail))


def prepare(vocabulary: Vocabulary) -> None:
    """Read the vocabulary as the text of JSON strings and as digits, which every grammar will ask for."""
    for character in (JSON_CANONICAL.character, DIGIT):
        split_of(character, vocabulary)


def split_of(character: Expression, vocabulary: Vocabulary) -> BodySplit:
    """The vocabulary read as characters, once."""
    split = vocabulary.splits.get(character)
    if split is None:
        split = vocabulary.splits[character] = BodySplit(character, vocabulary)
    return split
