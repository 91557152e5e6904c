"""Which tokens are legal in a state: a walk of the vocabulary's trie, packed into words and remembered on the state.

Three ways, the cheapest that fits:
- a *string body* `c{low,high} tail`, c being one character of an alphabet: the tokens that stay inside the body are
  one mask, walked once per vocabulary and shared by all grammars; only the few tokens that cross into the tail are
  walked (`BodySplit`);
- few legal bytes: a depth-first walk over dicts;
- many: the rest of that walk, breadth first in numpy.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from .alphabet import JSON_ANY_ESCAPE, JSON_CANONICAL, UTF8
from .expression import EMPTY, Expression, Repeat, Seq, edges, leading_literal, repeat, seq
from .numbers import DIGIT
from .states import State, States, Words
from .vocabulary import Ints, Vocabulary

WALK_BUDGET = 1500  # trie edges before the walk goes on in numpy
BULK = 48  # tokens below a node that make a shared slice worth its overhead
FEW = 512  # `allowed_ids` gives up above this


def mask_of(state: State, vocabulary: Vocabulary) -> Words:
    """The legal tokens as packed words, read-only."""
    mask = state.mask
    if mask is None:
        mask = _Fill(vocabulary).fill(state)
        state.mask = mask
    return mask


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
    return int(
        np.bitwise_count(words.view(np.uint32)).sum()
    )  # of a negative int32 numpy would count the absolute value


def has(words: Words, token: int) -> bool:
    """Whether a token is in a packed mask."""
    return bool(int(words[token >> 5]) >> (token & 31) & 1)


def pack(flags: NDArray[np.bool_]) -> Words:
    """(V,) booleans -> packed words, read-only."""
    padded = np.zeros((len(flags) + 31) // 32 * 32, np.bool_)
    padded[: len(flags)] = flags
    words = np.packbits(padded, bitorder="little").view(np.int32)
    words.flags.writeable = False
    return words


@dataclass(frozen=True)
class Body:
    """A state read as `character{low,high} tail`."""

    split: BodySplit
    low: int
    high: int | None
    tail: State | None  # None: the text may end here and nothing follows


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
        states = States()
        start = states.of(repeat(character))
        number = {start: 1}  # 0 is dead
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
        at = np.zeros(len(v.byte), np.int64)  # (N,) DFA state of each node
        begun = np.zeros(len(v.byte), np.int64)  # (N,) characters begun on the way
        exits = np.zeros(len(v.byte), np.bool_)  # (N,) the node is the first byte outside
        at[0] = 1
        for a, b in v.levels[1:]:
            above = v.parent[a:b]
            at[a:b] = table[at[above], v.byte[a:b]]
            begun[a:b] = begun[above] + (at[above] == 1)
            exits[a:b] = (at[above] == 1) & (at[a:b] == 0)
        self.aligned: list[int] = np.where(at == 1, begun, -1).tolist()  # (N,) whole characters, or -1
        is_token = v.token >= 0
        position = np.full(v.size, -1, np.int64)
        position[v.order] = np.arange(len(v.order))
        self.characters = np.full(
            len(v.order), -1, np.int64
        )  # (U,) characters a token needs room for, -1 if not inside
        inside = is_token & (at > 0)
        self.characters[position[v.token[inside]]] = begun[inside]
        whole = is_token & (at == 1)
        self.whole = np.full(v.size, -1, np.int32)  # (V,) characters of a token that is whole characters, else -1
        self.whole[v.token[whole]] = begun[whole]
        self.most = int(self.characters.max(initial=0))
        self.by_room: dict[int, bytes] = {}
        self.kids: list[dict[int, int]] = [{}]  # trie of suffixes
        self.ends: list[list[tuple[int, int]]] = [[]]  # per node: (characters before the exit, token)
        self.exits: list[tuple[int, int, bytes, int]] = []  # (sorted position, characters before, suffix, token)
        for node in np.flatnonzero(exits & (begun > 1)).tolist():  # tokens that leave at once are walked from the tail
            before, depth = int(begun[node]) - 1, int(v.depth[node]) - 1
            for u in range(int(v.low[node]), int(v.high[node])):
                token = int(v.order[u])
                suffix = v.token_bytes[token][depth:]
                self.exits.append((u, before, suffix, token))
                leaf = 0
                for byte in suffix:
                    if byte not in self.kids[leaf]:
                        self.kids[leaf][byte] = len(self.kids)
                        self.kids.append({})
                        self.ends.append([])
                    leaf = self.kids[leaf][byte]
                self.ends[leaf].append((before, token))
        self.exits.sort()

    def inside(self, room: int | None, vocabulary: Vocabulary) -> bytes:
        """Packed mask of the tokens that stay inside a body with room for so many characters."""
        room = self.most if room is None else min(room, self.most)
        found = self.by_room.get(room)
        if found is None:
            flags = np.zeros(vocabulary.size, np.bool_)
            flags[vocabulary.order[(self.characters >= 0) & (self.characters <= room)]] = True
            found = pack(flags).tobytes()
            self.by_room[room] = found
        return found


_CHARACTERS = frozenset({JSON_CANONICAL.character, JSON_ANY_ESCAPE.character, UTF8.character, DIGIT})


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
    n = int(body.split.whole[token])
    if n < 0 or (body.high is not None and n > body.high):
        return None
    e = state.expression
    head, tail = (e.head, e.tail) if isinstance(e, Seq) else (e, EMPTY)
    assert isinstance(head, Repeat)
    rest = repeat(head.body, max(head.low - n, 0), None if head.high is None else head.high - n)
    return vocabulary.states.of(seq(rest, tail))


def split_of(character: Expression, vocabulary: Vocabulary) -> BodySplit:
    """The vocabulary read as characters, once."""
    split = vocabulary.splits.get(character)
    if split is None:
        split = vocabulary.splits[character] = BodySplit(character, vocabulary)
    return split


class _Fill:
    """One mask being filled: single ids, arrays of ids, and a packed base."""

    def __init__(self, vocabulary: Vocabulary) -> None:
        self.v = vocabulary
        self.states = vocabulary.states
        self.ids: list[int] = []
        self.arrays: list[Ints] = []

    def fill(self, state: State) -> Words:
        base: bytes | None = None
        if not state.finished:
            body = body_of(state, self.v)
            if body is not None:
                base = body.split.inside(body.high, self.v)
                self._cross(body)
            else:
                self._walk(state)
            if state.accepting:
                self.ids.append(self.v.eos)
        return self._pack(base)

    def _cross(self, body: Body) -> None:
        """Tokens that leave the body and go on in its tail."""
        if body.tail is None:
            return
        if body.low == 0:
            self._walk(body.tail)
        kids, ends, low, high = body.split.kids, body.split.ends, body.low, body.high
        stack = [(0, body.tail)]
        while stack:
            node, state = stack.pop()
            row, children = self.states.row(state), kids[node]
            for byte in row if len(row) < len(children) else children:
                child, target = children.get(byte), row.get(byte)
                if child is None or target is None:
                    continue
                for before, token in ends[child]:
                    if low <= before and (high is None or before <= high):
                        self.ids.append(token)
                if kids[child]:
                    stack.append((child, target))

    def _walk(self, start: State) -> None:
        v, states = self.v, self.states
        token, ids, budget = v.token_list, self.ids, WALK_BUDGET
        stack = [(0, start)]
        while stack:
            node, state = stack.pop()
            if node and v.below[node] >= BULK and self._bulk(node, state):
                continue
            text, tail = leading_literal(state.expression) if state._row is None else (b"", EMPTY)
            if text:
                for byte in text:
                    following = v.children(node).get(byte)
                    if following is None:
                        break
                    node = following
                    if token[node] >= 0:
                        ids.append(token[node])
                else:
                    if v._count[node]:
                        stack.append((node, states.of(tail)))
                continue
            row, children = states.row(state), v.children(node)
            budget -= min(len(row), len(children))
            if budget < 0:
                stack.append((node, state))
                return self._walk_wide(stack)
            if len(row) < len(children):
                for byte, target in row.items():
                    child = children.get(byte)
                    if child is not None:
                        if token[child] >= 0:
                            ids.append(token[child])
                        if v._count[child]:
                            stack.append((child, target))
            else:
                for byte, child in children.items():
                    if byte in row:
                        if token[child] >= 0:
                            ids.append(token[child])
                        if v._count[child]:
                            stack.append((child, row[byte]))
        return None

    def _bulk(self, node: int, state: State) -> bool:
        """Below a node that ends a character, a string body allows one shared slice and a few crossing tokens."""
        body = body_of(state, self.v)
        if body is None or body.split.aligned[node] < 0:
            return False
        split, v, done = body.split, self.v, body.split.aligned[node]
        a, b = int(v.low[node]), int(v.high[node])
        if v.token_list[node] >= 0:
            a += 1  # the node's own token, already counted
        need = split.characters[a:b]
        self.arrays.append(
            v.order[a:b][(need >= 0) & (need <= done + body.high if body.high is not None else need >= 0)]
        )
        if body.tail is not None:
            for u, before, suffix, token in split.exits:
                read = before - done
                fits = a <= u < b and body.low <= read and (body.high is None or read <= body.high)
                if fits and self.states.step(body.tail, suffix) is not None:
                    self.ids.append(token)
        return True

    def _walk_wide(self, stack: list[tuple[int, State]]) -> None:
        """The rest of a walk, breadth first: for each state the array of nodes it is at."""
        v = self.v
        gathered: dict[State, list[int]] = {}
        for node, state in stack:
            gathered.setdefault(state, []).append(node)
        frontier = {state: np.array(nodes) for state, nodes in gathered.items()}
        while frontier:
            following: dict[State, list[Ints]] = {}
            for state, nodes in frontier.items():
                count = v.n_children[nodes]
                total = int(count.sum())
                if not total:
                    continue
                first = v.first_child[nodes] - (np.cumsum(count) - count)
                children = np.repeat(first, count) + np.arange(total)
                numbers, targets = self.states.classes(state)
                reached = numbers[v.byte[children]]
                for k, target in enumerate(targets, 1):
                    hit = children[reached == k]
                    if len(hit):
                        tokens = v.token[hit]
                        self.arrays.append(tokens[tokens >= 0])
                        following.setdefault(target, []).append(hit)
            frontier = {s: parts[0] if len(parts) == 1 else np.concatenate(parts) for s, parts in following.items()}

    def _pack(self, base: bytes | None) -> Words:
        v = self.v
        if not self.arrays and not len(v.twins):
            packed = bytearray(base) if base is not None else bytearray(4 * v.n_words)
            for i in self.ids:
                packed[i >> 3] |= 1 << (i & 7)
            return np.frombuffer(bytes(packed), np.int32)
        flags = np.zeros(v.size, np.bool_)
        for ids in self.arrays:
            flags[ids] = True
        flags[self.ids] = True
        words = pack(flags)
        if base is not None:
            words = words | np.frombuffer(base, np.int32)
        if len(v.twins):
            flags = unpack(words, v.size).copy()
            flags[v.twins[:, 1]] = flags[v.twins[:, 0]]
            words = pack(flags)
        words.flags.writeable = False
        return words
