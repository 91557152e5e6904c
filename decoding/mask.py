"""Which tokens are legal in a state: a walk of the vocabulary's trie, packed into words and remembered on the state.

The cheapest way that fits:
- a *string body*: what stays inside is one mask for all grammars, what crosses into the tail a second one
  (`bodies.py`);
- a choice with bodies or rules in it: the union of its options' masks, each remembered by itself;
- a pattern with something behind it: the pattern's own mask, remembered for all grammars, and what leaves it;
- few legal bytes: a depth-first walk over dicts, along literals without making the states in between;
- many: the rest of that walk, breadth first in numpy.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from .bodies import Body, body_of
from .expression import Both, Choice, Expression, Literal, Not, Rule, Seq, leading_literal, seq
from .liveness import nonempty
from .states import State
from .vocabulary import Vocabulary
from .words import Ints, Words, pack, pack_ids, unpack

WALK_BUDGET = 1500  # trie edges before the walk goes on in numpy
BULK = 48  # tokens below a node that are better sifted in numpy
FEW_CHILDREN = 8  # below a node: not worth a row of their own
OPTIONS = 8  # a choice of more is walked as a whole
MAX_HEADS = 4096  # heads remembered by a vocabulary, oldest forgotten first
FEW = 512  # `allowed_ids` gives up above this


def mask_of(state: State, vocabulary: Vocabulary) -> Words:
    """The legal tokens as packed words, read-only."""
    mask = state.mask
    if mask is None:
        mask = state.mask = _fill(state, vocabulary)
    return mask


def _fill(state: State, v: Vocabulary) -> Words:
    if state.finished:
        return pack_ids((), v.n_words)
    e, body, parts = state.expression, body_of(state, v), None
    if body is not None:
        words = _body_mask(body, v)
    elif (parts := _parts(e)) is not None:
        masks = [mask_of(v.states.of(part), v) for part in parts if part.live or nonempty(part)]
        words = masks[0] if len(masks) == 1 else np.bitwise_or.reduce(masks)
    elif isinstance(e, Seq) and _is_pattern(e.head):
        words = _head_mask(e.head, e.tail, v)
    else:
        walk = _Walk(v)
        walk.run(state)
        words = walk.words()
    if state.accepting and parts is None:  # the parts have said so themselves
        words = words | pack_ids((v.eos,), v.n_words)
    words.flags.writeable = False
    return words


def _parts(e: Expression) -> list[Expression] | None:
    """Expressions whose masks together are the mask of `e`, where it pays to fill and remember them apart."""
    if isinstance(e, Rule):
        return [e.expand()]
    if isinstance(e, Seq) and isinstance(e.head, Rule):
        return [seq(e.head.expand(), e.tail)]
    if isinstance(e, Choice) and len(e.options) <= OPTIONS and not _spelled(e):
        return list(e.options)
    return None


def _spelled(e: Choice) -> bool:
    """Whether every option begins with a literal: its walk is short and, grounded, of use to one request only."""
    return all(isinstance(option.head if isinstance(option, Seq) else option, Literal) for option in e.options)


def _is_pattern(head: Expression) -> bool:
    return isinstance(head, (Both, Not)) or (isinstance(head, Choice) and not _spelled(head))


def _body_mask(body: Body, v: Vocabulary) -> Words:
    split, low, high = body.split, body.low, body.high
    words = split.inside(high, v)
    if body.tail is not None:
        if low == 0:
            words = words | mask_of(body.tail, v)
        crossing = split.crossing(body.tail, v)
        if low <= 1 and (high is None or crossing.most <= high):
            words = words | crossing.words
        else:
            fitting = [t for before, t in crossing.tokens if low <= before and (high is None or before <= high)]
            words = words | pack_ids(fitting, v.n_words)
    return _with_twins(words, v)


@dataclass(frozen=True)
class Head:
    """What the first part of a sequence allows, whatever comes after it.

    inside: the tokens that stay in it   exits: byte -> the nodes that this byte leads to from where it may end
    """

    inside: Words
    exits: Mapping[int, Sequence[int]]


def _head(e: Expression, v: Vocabulary) -> Head:
    head = v.heads.get(e)
    if head is None:
        walk = _Walk(v, ends=[])
        walk.run(v.states.of(e))
        exits: dict[int, list[int]] = {}
        assert walk.ends is not None
        for node in walk.ends:
            for byte, child in v.children(node).items():
                exits.setdefault(byte, []).append(child)
        head = v.heads[e] = Head(walk.words(), exits)
        if len(v.heads) > MAX_HEADS:
            del v.heads[next(iter(v.heads))]
    return head


def _head_mask(e: Expression, tail: Expression, v: Vocabulary) -> Words:
    """The tokens inside the head, and those that leave it and go on in the tail."""
    head, after, states = _head(e, v), v.states.of(tail), v.states
    walk = _Walk(v)
    for byte, target in states.row(after).items() if head.exits else ():
        for node in head.exits.get(byte, ()):
            if v.token_list[node] >= 0:
                walk.ids.append(v.token_list[node])
            if v._count[node]:
                walk.run(target, node)
    words = head.inside
    if walk.ids or walk.arrays:
        words = words | walk.words()
    if e.nullable:
        words = words | mask_of(after, v)
    return words


def _with_twins(words: Words, v: Vocabulary) -> Words:
    """Other tokens of the same bytes are legal together."""
    if not len(v.twins):
        return words
    flags = unpack(words, v.size).copy()
    flags[v.twins[:, 1]] = flags[v.twins[:, 0]]
    return pack(flags)


class _Walk:
    """The tokens of one walk: single ids and arrays of ids."""

    def __init__(self, vocabulary: Vocabulary, ends: list[int] | None = None) -> None:
        self.v = vocabulary
        self.states = vocabulary.states
        self.ids: list[int] = []
        self.arrays: list[Ints] = []
        self.ends = ends  # if asked for: the nodes, but the root, where the text may end and tokens go on

    def run(self, start: State, root: int = 0) -> None:
        """Depth first below one node of the trie."""
        v, states, ends = self.v, self.states, self.ends
        token, ids, budget = v.token_list, self.ids, WALK_BUDGET
        stack = [(root, start)]
        while stack:
            node, state = stack.pop()
            if ends is not None:
                if node and state.accepting and v._count[node]:
                    ends.append(node)
            elif node and self._body(node, state):
                continue
            if state._row is None and ends is None:
                text, tail = leading_literal(state.expression)
                if text:
                    reached = self._along(node, text)
                    if reached:
                        stack.append((reached, states.of(tail)))
                    continue
            children = v.children(node)
            if state._row is None and len(children) <= FEW_CHILDREN:
                budget -= len(children)
                steps = [(child, states.following(state, byte)) for byte, child in children.items()]
            else:
                row = states.row(state)
                budget -= min(len(row), len(children))
                if budget < 0 and ends is None:
                    stack.append((node, state))
                    return self._wide(stack)
                if len(row) < len(children):
                    steps = [(children[byte], target) for byte, target in row.items() if byte in children]
                else:
                    steps = [(child, row.get(byte)) for byte, child in children.items()]
            for child, target in steps:
                if target is not None:
                    if token[child] >= 0:
                        ids.append(token[child])
                    if v._count[child]:
                        stack.append((child, target))
        return None

    def _along(self, node: int, text: bytes) -> int:
        """Take the tokens that spell a beginning of `text`; the node at its end, 0 if no token goes on there."""
        v, token = self.v, self.v.token_list
        for byte in text:
            child = v.children(node).get(byte)
            if child is None:
                return 0
            node = child
            if token[node] >= 0:
                self.ids.append(token[node])
        return node if v._count[node] else 0

    def _body(self, node: int, state: State) -> bool:
        """Below a node that ends a character, a string body allows one shared slice and a few crossing tokens."""
        body = body_of(state, self.v)
        if body is None or body.split.aligned[node] < 0:
            return False
        split, v, done = body.split, self.v, body.split.aligned[node]
        first, last = v.low_list[node], v.low_list[node] + v.below[node]
        if v.token_list[node] >= 0:
            first += 1  # the node's own token, already counted
        room = split.most if body.high is None else done + body.high
        if last - first < BULK:
            need, order = split.need_list, v.order_list
            self.ids += [order[u] for u in range(first, last) if 0 <= need[u] <= room]
        else:
            needs = split.need[first:last]
            self.arrays.append(v.order[first:last][(needs >= 0) & (needs <= room)])
        if body.tail is not None:
            for _, before, suffix, token in split.leaving(first, last):
                read = before - done
                fits = body.low <= read and (body.high is None or read <= body.high)
                if fits and self.states.step(body.tail, suffix) is not None:
                    self.ids.append(token)
        return True

    def _wide(self, stack: list[tuple[int, State]]) -> None:
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

    def words(self) -> Words:
        """What was found, packed."""
        v = self.v
        if not self.arrays:
            return _with_twins(pack_ids(self.ids, v.n_words), v)
        flags = np.zeros(v.size, np.bool_)
        for ids in self.arrays:
            flags[ids] = True
        flags[self.ids] = True
        return _with_twins(pack(flags), v)
