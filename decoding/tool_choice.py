"""A whole assistant turn: free text, then tool calls between two control tokens, or only one of both.

- auto: free text until `open_id`, then the constraint until `close_id`, then `end_id` or another `open_id`, up to
  `max_calls` calls;
- required: like auto, without the text;
- none: free text until `end_id`.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Generic, Literal, TypeVar

import numpy as np
from numpy.typing import NDArray

from .constraint import TokenConstraint, illegal
from .mask import FEW
from .words import Ints, Words, count, has, ids_in, pack, unpack

S = TypeVar("S")
Mode = Literal["auto", "required", "none"]
Phase = Literal["text", "call", "between", "done"]


@dataclass(eq=False, slots=True)
class _Memory:
    mask: Words | None = None
    ids: Ints | None = None
    few: bool = True


@dataclass(frozen=True, slots=True)
class TurnState(Generic[S]):
    """A place in a turn. `inner` is the constraint's own state during a call; `calls` counts the calls begun."""

    phase: Phase
    inner: S | None = None
    calls: int = 0
    memory: _Memory = field(default_factory=_Memory, compare=False, repr=False)


class ToolChoice(Generic[S]):
    """The same protocol as a constraint, over a whole turn. Where the inner text may end, `close_id` is legal."""

    def __init__(
        self,
        constraint: TokenConstraint[S],
        mode: Mode = "auto",
        *,
        open_id: int,
        close_id: int,
        end_id: int,
        max_calls: int = 1,
    ) -> None:
        self.vocabulary = constraint.vocabulary
        for name, i in (("open_id", open_id), ("close_id", close_id), ("end_id", end_id)):
            if not 0 <= i < self.vocabulary.size:
                raise ValueError(f"{name}={i} is not one of the {self.vocabulary.size} tokens")
        if mode not in ("auto", "required", "none"):
            raise ValueError(f"mode={mode!r} is not one of 'auto', 'required', 'none'")
        if max_calls < 1:
            raise ValueError(f"max_calls={max_calls} must be at least 1")
        self.constraint, self.mode, self.max_calls = constraint, mode, max_calls
        self.open_id, self.close_id, self.end_id = open_id, close_id, end_id
        control = (open_id, close_id, end_id, self.vocabulary.eos)
        plain = np.array([bool(text) for text in self.vocabulary.token_bytes])
        plain[list(control)] = False
        self._text = plain

    def start(self) -> TurnState[S]:
        """Before the first token of the turn."""
        return TurnState("between" if self.mode == "required" else "text")

    def mask(self, state: TurnState[S]) -> Words:
        """The legal tokens, packed as in `Constraint.mask`."""
        if state.memory.mask is None:
            state.memory.mask = self._mask(state)
        return state.memory.mask

    def _mask(self, state: TurnState[S]) -> Words:
        if state.phase == "call":
            assert state.inner is not None
            inner = self.constraint.mask(state.inner)
            if not has(inner, self.vocabulary.eos):
                return inner
            words = inner.copy()
            _flip(words, self.vocabulary.eos)
            if not has(words, self.close_id):
                _flip(words, self.close_id)
            words.flags.writeable = False
            return words
        flags = self._text.copy() if state.phase == "text" else np.zeros(self.vocabulary.size, np.bool_)
        flags[self.end_id] = self._may_end(state)
        flags[self.open_id] = self._may_open(state)
        return pack(flags)

    def _may_open(self, state: TurnState[S]) -> bool:
        return state.phase in ("text", "between") and self.mode != "none" and state.calls < self.max_calls

    def _may_end(self, state: TurnState[S]) -> bool:
        return state.phase == "text" or (state.phase == "between" and state.calls > 0)

    def allowed(self, state: TurnState[S]) -> NDArray[np.bool_]:
        """The legal tokens as (V,) booleans, read-only."""
        return unpack(self.mask(state), self.vocabulary.size)

    def allowed_ids(self, state: TurnState[S]) -> Ints | None:
        """The legal tokens as ascending ids when they are at most 512, else None."""
        memory = state.memory
        if memory.ids is None and memory.few:
            mask = self.mask(state)
            memory.few = count(mask) <= FEW
            if memory.few:
                memory.ids = ids_in(mask, self.vocabulary.size)
                memory.ids.flags.writeable = False
        return memory.ids

    def advance(self, state: TurnState[S], token: int) -> TurnState[S]:
        """The state after one more token. Raises IllegalToken for a token that the mask forbids."""
        if not 0 <= token < self.vocabulary.size or not has(self.mask(state), token):
            raise illegal(token, self.mask(state), self.vocabulary)
        if state.phase == "call":
            assert state.inner is not None
            if token == self.close_id:
                return TurnState("between", None, state.calls)
            return TurnState("call", self.constraint.advance(state.inner, token), state.calls)
        if token == self.end_id:
            return TurnState("done", None, state.calls)
        if token == self.open_id:
            return TurnState("call", self.constraint.start(), state.calls + 1)
        return state

    def forced(self, state: TurnState[S]) -> tuple[int, ...]:
        """The tokens that must come next, tags included."""
        run: list[int] = []
        while len(run) < 4096:
            if state.phase == "call":
                assert state.inner is not None
                some = self.constraint.forced(state.inner)
                if some and some[-1] == self.vocabulary.eos:
                    some = (*some[:-1], self.close_id)
            elif state.phase == "between" and self._may_open(state) != self._may_end(state):
                some = (self.open_id if self._may_open(state) else self.end_id,)
            else:
                break
            if not some:
                break
            for token in some:
                run.append(token)
                state = self.advance(state, token)
        return tuple(run)

    def accepting(self, state: TurnState[S]) -> bool:
        """Whether the turn may end here (by `end_id`) or has ended."""
        return state.phase == "done" or self._may_end(state)


def _flip(words: Words, token: int) -> None:
    words.view(np.uint32)[token >> 5] ^= np.uint32(1 << (token & 31))
