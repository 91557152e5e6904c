"""A request before its words are joined, and how the joined words become calls with the sources of their arguments."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from data.conversation import Call, Span
from data.examples.operations import LISTS, Operation
from data.examples.patterns import Pattern
from data.examples.pieces import Argument, Draw, digits_of
from data.examples.slots import fill


@dataclass(frozen=True)
class Segment:
    """A stretch of a request: words of the pattern, or a filled slot with its arguments and the calls (by
    number) they belong to.
    """

    text: str
    arguments: tuple[Argument, ...] = ()
    calls: tuple[int, ...] = ()

    @property
    def plain(self) -> bool:
        """Whether its letters may be changed: nothing is copied from it."""
        return not self.arguments


Segments = list[Segment]
Asked = list[tuple[Operation, Mapping[str, Any]]]
"""The operation of each call, and the arguments that the wording itself fixes."""


@dataclass(kw_only=True)
class Draft:
    """User turns, the calls they ask for, and what is said where the right answer is words.

    lacking: required arguments that the request does not give, so that they are asked back for.
    """

    kind: str
    origin: str
    turns: list[Segments]
    asked: Asked
    reply: str = ""
    lacking: list[str] = field(default_factory=list)
    topic: str = "any"
    draws: list[Draw] = field(default_factory=list)

    @property
    def request(self) -> Segments:
        """The last user turn."""
        return self.turns[-1]


def filled(pattern: Pattern, draws: Sequence[Draw], n_calls: int, leave_out: int | None = None) -> Iterator[Segment]:
    """The segments of one phrasing. A slot of one call only is drawn apart from those of the others.

    draws: the draw of the slots of all calls, then one for each call.
    """
    rng = draws[0].rng
    everyone = tuple(range(n_calls))
    for part in pattern.expand(rng, leave_out):
        if isinstance(part, str):
            yield Segment(part)
        else:
            draw = draws[0] if part.call is None else draws[1 + part.call]
            piece = fill(draw, part)
            yield Segment(piece.text, piece.arguments, everyone if part.call is None else (part.call,))


def words(segments: Sequence[Segment]) -> str:
    """Their text as it stands."""
    return "".join(segment.text for segment in segments)


def join(
    turns: Sequence[Sequence[Segment]], asked: Asked, messages: Sequence[int], first_call: int = 0
) -> tuple[list[str], list[Span], list[Call]]:
    """The text of each turn, and each call with the spans of its copied arguments.

    A string argument becomes what the turn says at its span, so a change of case reaches both. What a later
    turn says of a single argument replaces what an earlier one said. `messages` are the turns' places in the
    conversation.
    """
    texts: list[str] = []
    placed: list[tuple[int, int, Argument]] = []
    for turn, message in zip(turns, messages, strict=True):
        text = ""
        for segment in turn:
            said = segment.text
            if not segment.arguments and (not text or text[-1].isspace()):
                said = said.lstrip(" ")
            for argument in segment.arguments:
                placed += [(call, message, _as_said(argument, said, len(text))) for call in segment.calls]
            text += said
        texts.append(text.rstrip())
    spans: list[Span] = []
    calls: list[Call] = []
    for index, (operation, constants) in enumerate(asked):
        given = [(m, argument) for call, m, argument in placed if call == index and argument.key in operation.keys]
        call = operation.call(operation.arguments([argument for _, argument in given], constants))
        calls.append(call)
        found: dict[str, Span] = {}
        for message, argument in given:
            if argument.start is None or argument.end is None:
                continue
            listed = call.arguments[argument.key] if argument.key in LISTS else None
            pointer = f"/{argument.key}" if listed is None else f"/{argument.key}/{listed.index(argument.value)}"
            if listed is None or pointer not in found:
                found[pointer] = Span(
                    call=first_call + index, pointer=pointer, start=argument.start, end=argument.end, message=message
                )
        spans += found.values()
    return texts, spans, calls


def _as_said(argument: Argument, said: str, offset: int) -> Argument:
    """The argument with its place in the whole turn, a string with the letters it has there."""
    if argument.start is None or argument.end is None:
        return argument
    value = said[argument.start : argument.end] if isinstance(argument.value, str) else argument.value
    return Argument(argument.key, value, argument.start, argument.end).moved(offset)


def spells(value: Any, said: str) -> bool:
    """Whether these characters are the source of this argument: the same text, or the digits of the number."""
    if isinstance(value, str):
        return said == value
    return digits_of(said) == str(value)
