"""A dialogue as the turns that are judged: every assistant turn, each after the dialogue's own words so far.

A turn is answered with the true history before it, so an early mistake does not spoil the turns behind it.
What a right answer is:

    calls    the recorded calls
    ask      a question for what is missing or doubtful
    words    an answer in words, no call: nothing here needs a tool
    answer   a sentence that repeats what the tools have just said
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal, get_args

from data.conversation import Call, Conversation, Example
from sft.errors import NothingToScore
from sft.reading import items_asked

Want = Literal["calls", "ask", "words", "answer"]
WANTS: tuple[Want, ...] = get_args(Want)
ASKING = frozenset({"missing", "continue", "confirm"})
"""First words of the kinds of dialogue whose question is the right answer."""


@dataclass(frozen=True, kw_only=True)
class Turn:
    """One assistant turn of an example: all before it, and what it says there (calls, or text).

    truth, functions: the possible answers and the functions of an item of the Berkeley leaderboard.
    """

    example: Example
    number: int
    prompt: Conversation
    wanted: tuple[Call, ...]
    text: str
    want: Want
    truth: tuple[Mapping[str, Mapping[str, Sequence[Any]]], ...] | None = None
    functions: tuple[Mapping[str, Any], ...] = ()

    @property
    def key(self) -> str:
        """Unique among the turns of a set of dialogues with unique split and id."""
        return f"{self.example.split}/{self.example.id}#{self.number}"

    @property
    def own_arguments(self) -> frozenset[str]:
        """The names of the arguments of the tools that the conversation offers, if it offers its own."""
        schemas = (tool["function"].get("parameters", {}) for tool in self.prompt.tools)
        return frozenset(name for schema in schemas for name in schema.get("properties", ()))

    @property
    def family(self) -> str:
        """The kind of the dialogue without what stands behind its first point."""
        return self.example.kind.split(".")[0]


def turns(example: Example) -> list[Turn]:
    """The turns of an example that follow a user's or a tool's words.

    Raises NothingToScore when there is none.
    """
    messages = example.conversation.messages
    found: list[Turn] = []
    for i in range(1, len(messages)):
        if messages[i].role != "assistant" or messages[i - 1].role not in ("user", "tool"):
            continue
        found.append(
            Turn(
                example=example,
                number=len(found),
                prompt=example.conversation.upto(i),
                wanted=messages[i].calls,
                text=messages[i].content,
                want=_want(example, i),
            )
        )
    if not found:
        raise NothingToScore(
            f"example {example.id!r} has no assistant turn after a user's or a tool's words,"
            " so there is nothing to judge"
        )
    return found


def all_turns(examples: Iterable[Example]) -> list[Turn]:
    """The turns of all examples, in order."""
    return [turn for example in examples for turn in turns(example)]


def _want(example: Example, i: int) -> Want:
    """A question is wanted where the kind says so, or where it asks for an argument of a call that comes later."""
    messages = example.conversation.messages
    if messages[i].calls:
        return "calls"
    text = messages[i].content
    called_later = any(message.calls for message in messages[i + 1 :])
    asks = example.kind.split(".")[0] in ASKING or (called_later and bool(items_asked(text)))
    if asks and "?" in text:
        return "ask"
    return "answer" if messages[i - 1].role == "tool" else "words"
