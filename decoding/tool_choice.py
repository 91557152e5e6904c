"""A whole assistant turn: free text, then calls between two tags, or only one of both.

- auto: free text until the opening tag, then a call until the closing tag, then the end of the turn or another call;
- required: calls and no text;
- none: text and no call.

A tag is text, the id of a single added token, or several of these in a row, as a chat template writes them:
`"<tool_call>\\n"`, `151657` or `(151657, "\\n")`. Text tags are found in whatever tokens the model writes them, also
where one token holds the end of the free text and the beginning of the tag, or the end of the tag and more.

Between control tokens a turn is ordinary grammar text. A *way* is such a stretch of text and the control token that may
follow where it may end. Behind a call there can be two: the end of the turn, and another call.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from .constraint import Constraint, illegal
from .errors import IllegalToken
from .expression import EMPTY, Expression, choice, literal, rule, seq
from .forced import MAX_RUN, forced_bytes
from .free_text import FreeText
from .states import State
from .words import Ints, Words, count, ids_in, unpack

Mode = Literal["auto", "required", "none"]
Tag = str | int | Sequence[str | int]
Piece = int | Expression
Pieces = tuple[Piece, ...]
FEW = 512  # legal tokens that `allowed_ids` lists
MODES: tuple[Mode, ...] = ("auto", "required", "none")


@dataclass(frozen=True, slots=True)
class Way:
    """Text from `state` on, then the token `exit`, then the pieces `then`, or nothing (None: the turn is over).

    `calls`: how many calls have begun where the pieces stand.
    """

    state: State
    exit: int
    then: Pieces | None
    calls: int


@dataclass(eq=False, slots=True)
class _Memory:
    mask: Words | None = None
    ids: Ints | None = None
    few: bool = True


@dataclass(frozen=True, slots=True)
class TurnState:
    """A place in a turn: in free text (`place`, see free_text.py), on one or more ways, or, without any, at its end."""

    ways: tuple[Way, ...] = ()
    place: int | None = None
    memory: _Memory = field(default_factory=_Memory, compare=False, repr=False)

    @property
    def phase(self) -> Literal["text", "calls", "done"]:
        """What is being written."""
        if self.place is not None:
            return "text"
        return "calls" if self.ways else "done"


class ToolChoice:
    """The same protocol as a constraint, over a whole turn.

    constraint: what a call is   open, close: the tags around each call   separator: what stands between two calls
    trigger: the text that tells a call from free text, if not the opening tag: what the tag and a call begin with, such
    as `'{"name"'` for models that write bare JSON. With an empty opening tag it is what all calls begin with
    end: the token that ends the turn, the vocabulary's eos unless told
    max_calls: the most calls of a turn, None for any number   also: control tokens that may stand in free text

    In mode "none" the text may not hold a text trigger either.
    """

    def __init__(
        self,
        constraint: Constraint,
        mode: Mode = "auto",
        *,
        open: Tag = "",
        close: Tag = "",
        separator: Tag = "",
        trigger: str | None = None,
        end: int | None = None,
        max_calls: int | None = 1,
        also: Sequence[int] = (),
    ) -> None:
        self.vocabulary = v = constraint.vocabulary
        if mode not in MODES:
            raise ValueError(
                f"mode={mode!r} is not one of {', '.join(map(repr, MODES))}; for one tool pass its own call"
            )
        if max_calls is not None and max_calls < 1:
            raise ValueError(f"max_calls={max_calls} must be at least 1")
        self.constraint, self.mode, self.max_calls = constraint, mode, max_calls
        self.end = v.eos if end is None else end
        self.also = tuple(also)
        self._arguments = (open, close, separator, trigger)
        opening, self._separator = self._pieces("open", open), self._pieces("separator", separator)
        self._call: Pieces = (*opening, constraint.expression, *self._pieces("close", close))
        for name, ids in (("end", [self.end]), ("also", self.also)):
            self._check_ids(name, ids)
        if self.end in self._call or self.end in self._separator:
            raise ValueError(f"end={self.end} is part of a tag too; the turn would end there")
        self._first = opening[0] if opening and isinstance(opening[0], int) else None
        self._text = FreeText(self._find_trigger(opening, trigger), v)
        self._text_masks: dict[int, Words] = {}
        self._opened: tuple[Way, ...] = ()  # behind the trigger
        if mode == "auto" and self._text.trigger:
            self._opened = self._read(self._ways(self._call, 1), self._text.trigger)
            if not self._opened:
                raise ValueError(f"trigger={trigger!r} is not how the opening tag and a call begin")

    def with_constraint(self, constraint: Constraint, mode: Mode | None = None) -> ToolChoice:
        """The same turn with other calls: those of one tool, or grounded in a request."""
        open_, close, separator, trigger = self._arguments
        return ToolChoice(
            constraint,
            mode or self.mode,
            open=open_,
            close=close,
            separator=separator,
            trigger=trigger,
            end=self.end,
            max_calls=self.max_calls,
            also=self.also,
        )

    # ---- tags

    def _pieces(self, name: str, tag: Tag) -> Pieces:
        pieces: list[Piece] = []
        for part in (tag,) if isinstance(tag, (str, int)) else tag:
            if isinstance(part, str):
                pieces.append(literal(part.encode()))
            else:
                self._check_ids(name, [part])
                pieces.append(int(part))
        return tuple(piece for piece in pieces if piece is not EMPTY)

    def _check_ids(self, name: str, ids: Sequence[int]) -> None:
        v = self.vocabulary
        for i in ids:
            if not 0 <= i < v.size:
                raise ValueError(f"{name}={i} is not one of the {v.size} tokens")
            if v.token_bytes[i] and i != v.eos:
                raise ValueError(
                    f"{name}={i} is no control token but spells {v.token_bytes[i]!r}; give the text itself, as a string"
                )

    def _find_trigger(self, opening: Pieces, trigger: str | None) -> bytes:
        if self._first is not None:
            if trigger:
                raise ValueError(f"trigger={trigger!r} beside an opening tag that is a token of its own")
            return b""
        if any(isinstance(piece, int) for piece in opening) and self.mode == "auto":
            raise ValueError("open holds a token behind text; begin it with the token, the text before it is free text")
        if trigger:
            return trigger.encode()
        begun = (
            seq(*(piece for piece in opening if not isinstance(piece, int))) if opening else self.constraint.expression
        )
        text, _ = forced_bytes(self.vocabulary.states.of(begun), self.vocabulary)
        if not text and self.mode != "required":
            raise ValueError("calls need an opening tag or a trigger; their own texts do not all begin alike")
        return text

    # ---- ways

    def _ways(self, pieces: Pieces, calls: int) -> tuple[Way, ...]:
        """Through these pieces, and then to the end of the turn or to another call."""
        text, of = EMPTY, self.vocabulary.states.of
        for n, piece in enumerate(pieces):
            if isinstance(piece, int):
                return (Way(of(text), piece, pieces[n + 1 :], calls),)
            text = seq(text, piece)
        if self.max_calls is None:
            calls = 0  # nobody asks
        elif calls >= self.max_calls:
            return (Way(of(text), self.end, None, 0),)
        again = self._separator + self._call
        if not any(isinstance(piece, int) for piece in again):
            return (Way(of(seq(text, self._more(calls))), self.end, None, 0),)
        further = (
            Way(of(seq(text, way.state.expression)), way.exit, way.then, way.calls)
            for way in self._ways(again, calls + 1)
        )
        return (Way(of(text), self.end, None, 0), *further)

    def _more(self, calls: int) -> Expression:
        """What may follow so many calls where all tags are text."""
        if self.max_calls is not None and calls >= self.max_calls:
            return EMPTY
        again = [piece for piece in self._separator + self._call if not isinstance(piece, int)]
        left = None if self.max_calls is None else self.max_calls - calls
        key = ("more calls", *(piece.serial for piece in again), left)
        return rule(key, lambda: choice(EMPTY, seq(*again, self._more(calls + 1))), nullable=True, live=True)

    def _read(self, ways: Sequence[Way], text: bytes) -> tuple[Way, ...]:
        """The ways on which `text` can be read, behind it."""
        step = self.vocabulary.states.step
        read = [(way, step(way.state, text)) for way in ways]
        return tuple(Way(state, way.exit, way.then, way.calls) for way, state in read if state is not None)

    # ---- the protocol of a constraint

    def start(self) -> TurnState:
        """Before the first token of the turn."""
        if self.mode == "required":
            return TurnState(self._ways(self._call, 1))
        return TurnState(place=0)

    def mask(self, state: TurnState) -> Words:
        """The legal tokens, packed as in `Constraint.mask`."""
        if state.memory.mask is None:
            state.memory.mask = self._text_mask(state.place) if state.place is not None else self._mask(state.ways)
        return state.memory.mask

    def _mask(self, ways: Sequence[Way]) -> Words:
        v, masks = self.vocabulary, list[Words]()
        for way in ways:
            words = self.constraint.mask(way.state)
            if way.state.accepting and way.exit != v.eos:
                words = words.copy()
                _flip(words, v.eos)
                _flip(words, way.exit)
                words.flags.writeable = False
            masks.append(words)
        if len(masks) == 1:
            return masks[0]
        words = np.bitwise_or.reduce(masks) if masks else np.zeros(v.n_words, np.int32)
        words.flags.writeable = False
        return words

    def _text_mask(self, place: int) -> Words:
        found = self._text_masks.get(place)
        if found is None:
            more = [self.end, *self.also]
            if self.mode == "auto" and self._first is not None:
                more.append(self._first)
            found = self._text.mask(place, lambda rest: bool(self._read(self._opened, rest)), more)
            self._text_masks[place] = found
        return found

    def allowed(self, state: TurnState) -> NDArray[np.bool_]:
        """The legal tokens as (V,) booleans, read-only."""
        return unpack(self.mask(state), self.vocabulary.size)

    def allowed_ids(self, state: TurnState) -> Ints | None:
        """The legal tokens as ascending ids when they are at most 512, else None."""
        memory = state.memory
        if memory.ids is None and memory.few:
            mask = self.mask(state)
            memory.few = count(mask) <= FEW
            if memory.few:
                memory.ids = ids_in(mask, self.vocabulary.size)
                memory.ids.flags.writeable = False
        return memory.ids

    def advance(self, state: TurnState, token: int) -> TurnState:
        """The state after one more token. Raises IllegalToken for a token that the mask forbids."""
        following = self._after_text(state.place, token) if state.place is not None else self._after(state.ways, token)
        if following is None:
            raise illegal(token, self.mask(state), self.vocabulary)
        return following

    def _after_text(self, place: int, token: int) -> TurnState | None:
        if token == self.end:
            return TurnState()
        if token in self.also:
            return TurnState(place=0)
        if token == self._first:
            return TurnState(self._ways(self._call[1:], 1)) if self.mode == "auto" else None
        v = self.vocabulary
        if not 0 <= token < v.size or not v.token_bytes[token] or token == v.eos:
            return None
        place, rest = self._text.step(place, v.token_bytes[token])
        if rest is None:
            return TurnState(place=place)
        ways = self._read(self._opened, rest)
        return TurnState(ways) if ways else None

    def _after(self, ways: Sequence[Way], token: int) -> TurnState | None:
        found: list[Way] = []
        for way in ways:
            if token == way.exit:
                if way.state.accepting:
                    if way.then is None:
                        return TurnState()
                    found.extend(self._ways(way.then, way.calls))
            elif token != self.vocabulary.eos:
                try:
                    state = self.constraint.advance(way.state, token)
                except IllegalToken:
                    continue
                found.append(Way(state, way.exit, way.then, way.calls))
        return TurnState(tuple(found)) if found else None

    def forced(self, state: TurnState) -> tuple[int, ...]:
        """The tokens that must come next, tags included."""
        run: list[int] = []
        while len(run) < MAX_RUN and len(state.ways) == 1:
            (way,) = state.ways
            some = self.constraint.forced(way.state)
            if not some:
                break
            for token in some:
                token = way.exit if token == self.vocabulary.eos else token
                run.append(token)
                state = self.advance(state, token)
        return tuple(run)

    def accepting(self, state: TurnState) -> bool:
        """Whether the turn may end here (by `end`) or has ended."""
        if state.place is not None or not state.ways:
            return True
        return any(way.then is None and way.state.accepting for way in state.ways)

    def __repr__(self) -> str:
        return f"ToolChoice({self.constraint!r}, {self.mode!r})"


def _flip(words: Words, token: int) -> None:
    words.view(np.uint32)[token >> 5] ^= np.uint32(1 << (token & 31))
