"""The public nouns: a `Constraint` is a grammar bound to a vocabulary; a `State` is a place in a text it allows."""

from __future__ import annotations

from typing import Protocol, TypeVar

import numpy as np
from numpy.typing import NDArray

from .bodies import step_inside
from .errors import EmptyGrammar, IllegalToken
from .expression import Expression
from .forced import forced_ids
from .liveness import nonempty
from .mask import FEW, mask_of
from .states import State
from .vocabulary import Vocabulary
from .words import Ints, Words, count, has, ids_in, unpack

S = TypeVar("S")


class TokenConstraint(Protocol[S]):
    """What a generation loop or a hook asks of a constraint, whatever its states are."""

    vocabulary: Vocabulary

    def start(self) -> S: ...
    def mask(self, state: S, /) -> Words: ...
    def allowed(self, state: S, /) -> NDArray[np.bool_]: ...
    def allowed_ids(self, state: S, /) -> Ints | None: ...
    def advance(self, state: S, token: int, /) -> S: ...
    def forced(self, state: S, /) -> tuple[int, ...]: ...
    def accepting(self, state: S, /) -> bool: ...


class Constraint:
    """All texts of one grammar, token by token. Shared freely between generations and threads; states are values.

    `source` is what a compiler wants to remember (the schema's lowering, for `ground`).
    Raises EmptyGrammar when no text satisfies the grammar.
    """

    def __init__(self, expression: Expression, vocabulary: Vocabulary, source: object = None) -> None:
        if not nonempty(expression):
            raise EmptyGrammar(
                "no text satisfies this grammar, so there is nothing to generate; loosen the schema or the pattern"
            )
        self.expression = expression
        self.vocabulary = vocabulary
        self.source = source
        self._start = vocabulary.states.of(expression)

    def start(self) -> State:
        """The state before the first token."""
        return self._start

    def mask(self, state: State) -> Words:
        """The legal tokens, packed: (ceil(V / 32),) int32, bit i & 31 of word i >> 5 for token i; read-only."""
        mask = state.mask
        return mask if mask is not None else mask_of(state, self.vocabulary)

    def allowed(self, state: State) -> NDArray[np.bool_]:
        """The legal tokens as (V,) booleans, read-only; the end token only where the text may end."""
        return unpack(self.mask(state), self.vocabulary.size)

    def allowed_ids(self, state: State) -> Ints | None:
        """The legal tokens as ascending ids when they are at most 512, else None."""
        if state.ids is None:
            mask = self.mask(state)
            few = count(mask) <= FEW
            state.ids = ids_in(mask, self.vocabulary.size) if few else np.full(1, -1)
            state.ids.flags.writeable = False
        return None if len(state.ids) == 1 and state.ids[0] < 0 else state.ids

    def advance(self, state: State, token: int) -> State:
        """The state after one more token. Raises IllegalToken for a token that the mask forbids."""
        following = state.by_token.get(token)
        if following is None:
            following = self._advance(state, token)
            if following is None:
                raise illegal(token, self.mask(state), self.vocabulary)
            state.by_token[token] = following
        return following

    def _advance(self, state: State, token: int) -> State | None:
        v = self.vocabulary
        if token == v.eos:
            return v.states.finished if state.accepting and not state.finished else None
        if not 0 <= token < v.size or not v.token_bytes[token]:
            return None
        return step_inside(state, token, v) or v.states.step(state, v.token_bytes[token])

    def forced(self, state: State) -> tuple[int, ...]:
        """The tokens that must come next whatever the model thinks, spelled as the tokenizer would; possibly none."""
        if state.forced is None:
            state.forced = forced_ids(state, self.vocabulary)
        return state.forced

    def accepting(self, state: State) -> bool:
        """Whether the text may end here (or has ended)."""
        return state.accepting

    def __repr__(self) -> str:
        return f"Constraint({self.expression!r}, {self.vocabulary!r})"


def illegal(token: int, mask: Words, vocabulary: Vocabulary) -> IllegalToken:
    """The error for a token outside `mask`, naming a few of the legal ones."""

    def spelled(i: int) -> str:
        if i == vocabulary.eos:
            return "end of text"
        return repr(vocabulary.token_bytes[i])[1:] if vocabulary.token_bytes[i] else "control token"

    ids = ids_in(mask, vocabulary.size)
    some = ", ".join(f"{i} ({spelled(i)})" for i in ids[:8].tolist()) or "nothing, the text has ended"
    more = f" and {len(ids) - 8} more" if len(ids) > 8 else ""
    name = spelled(token) if 0 <= token < vocabulary.size else "no such token"
    assert not (0 <= token < vocabulary.size and has(mask, token))
    return IllegalToken(token, name, some + more)
