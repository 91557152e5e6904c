"""An expression as the state of a DFA whose rows are filled when someone first walks through them.

There is one `State` per expression and table. A row only leads to states from which the end can be reached,
so there are no dead ends. The table holds states weakly: the states of a dropped grammar go with it, those
shared with a living one stay.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import lru_cache
from weakref import WeakValueDictionary

import numpy as np
from numpy.typing import NDArray

from .expression import EMPTY, Expression, bytes_of, edges, leading_literal, literal, seq
from .liveness import nonempty
from .words import Words


class State:
    """Immutable to its users, compared by identity. The underscored fields and those below are memories.

    `row`: byte -> next state, live ones only; None until asked for (`States.row`). `mask`, `ids`: mask.py.
    `crossing`: bodies.py. `by_token`, `forced`: constraint.py.
    """

    __slots__ = (
        "__weakref__",
        "_body",
        "_classes",
        "_row",
        "accepting",
        "by_token",
        "crossing",
        "expression",
        "finished",
        "forced",
        "ids",
        "mask",
    )

    def __init__(self, expression: Expression, *, finished: bool = False) -> None:
        self.expression = expression
        self.accepting = expression.nullable
        self.finished = finished  # the end token has been read; nothing is legal any more
        self._row: dict[int, State] | None = {} if finished else None
        self._classes: tuple[NDArray[np.uint8], list[State]] | None = None
        self._body: object = None
        self.crossing: object = None
        self.mask: Words | None = None
        self.ids: NDArray[np.int64] | None = None
        self.by_token: dict[int, State] = {}
        self.forced: tuple[int, ...] | None = None

    def __repr__(self) -> str:
        return f"<State {self.expression.serial}{' accepting' if self.accepting else ''}>"


class States:
    """The table: expression -> state, and the rows between them."""

    def __init__(self) -> None:
        self._states: WeakValueDictionary[Expression, State] = WeakValueDictionary()
        self.finished = State(EMPTY, finished=True)

    def __len__(self) -> int:
        return len(self._states)

    def of(self, expression: Expression) -> State:
        """The state of a live expression."""
        state = self._states.get(expression)
        if state is None:
            state = self._states.setdefault(expression, State(expression))
        return state

    def row(self, state: State) -> dict[int, State]:
        """Byte -> next state, only the bytes from which the end can still be reached. Not to be changed."""
        row = state._row
        if row is None:
            row = {}
            for bytes_, target in self.cells(state):
                row.update(dict.fromkeys(bytes_of(bytes_), target))
            state._row = row
        return row

    def following(self, state: State, byte: int) -> State | None:
        """The state after one byte, None if that cannot be; does not fill a row for it."""
        if state._row is not None:
            return state._row.get(byte)
        for bytes_, target in edges(state.expression):
            if bytes_ >> byte & 1:
                return self.of(target) if target.live or nonempty(target) else None
        return None

    def cells(self, state: State) -> Iterator[tuple[int, State]]:
        """The same row as pairs (byte set, next state)."""
        if state.finished:
            return
        for bytes_, target in edges(state.expression):
            if target.live or nonempty(target):
                yield bytes_, self.of(target)

    def classes(self, state: State) -> tuple[NDArray[np.uint8], list[State]]:
        """The same row for numpy: (256,) numbers k, 0 for illegal, else the next state is `states[k - 1]`."""
        if state._classes is None:
            numbers, targets = np.zeros(256, np.uint8), []
            for bytes_, target in self.cells(state):
                targets.append(target)
                numbers[_index(bytes_)] = len(targets)
            state._classes = numbers, targets
        return state._classes

    def step(self, state: State, text: bytes) -> State | None:
        """The state after `text`, None if that cannot be. Along a literal the states in between are not made."""
        at = 0
        while at < len(text):
            ahead, tail = leading_literal(state.expression) if state._row is None else (b"", EMPTY)
            if ahead:
                n = min(len(ahead), len(text) - at)
                if ahead[:n] != text[at : at + n]:
                    return None
                state = self.of(seq(literal(ahead[n:]), tail))
                at += n
                continue
            following = self.following(state, text[at])
            if following is None:
                return None
            state = following
            at += 1
        return state


@lru_cache(maxsize=1024)
def _index(bytes_: int) -> NDArray[np.int64]:
    return np.array(bytes_of(bytes_), np.int64)
