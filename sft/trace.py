"""What a responder hands back for one conversation: what it said, and what saying it cost."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from typing import Any, Literal

from data.conversation import Call, Conversation
from data.wire import Reply

Origin = Literal["forced", "narrowed", "free"]
"""How a token came about: the only legal one, chosen among some, chosen among all."""


@dataclass(frozen=True, kw_only=True)
class Token:
    """One token of an answer, for reports that show how it came about.

    mass: the model's own probability, before any mask, of all that was legal here; overruled: whether its first
    choice was illegal. Both are None where nobody measured them (see `sft.audit`). id: -1 where there is none.
    """

    text: str
    origin: Origin
    id: int = -1
    mass: float | None = None
    overruled: bool | None = None


@dataclass(frozen=True, kw_only=True)
class Trace:
    """One assistant turn: what it says, the tokens that say it, and their cost."""

    reply: Reply
    tokens: tuple[Token, ...] = ()
    forward_passes: int = 0
    seconds: float = 0.0

    def to_json(self) -> dict[str, Any]:
        """One line of a file of answers."""
        reply = self.reply
        return {
            "outcome": reply.outcome,
            "calls": [call.to_json() for call in reply.calls],
            "text": reply.text,
            "reason": reply.reason,
            "stopped": reply.stopped,
            "tokens": [[*asdict(token).values()] for token in self.tokens],
            "forward_passes": self.forward_passes,
            "seconds": self.seconds,
        }

    @classmethod
    def from_json(cls, value: Mapping[str, Any]) -> Trace:
        """A trace as `to_json` wrote it. Raises KeyError, TypeError or ConversationError for anything else."""
        reply = Reply(
            outcome=value["outcome"],
            calls=tuple(map(Call.from_json, value["calls"])),
            text=value["text"],
            reason=value["reason"],
            stopped=value["stopped"],
        )
        tokens = tuple(
            Token(text=text, origin=origin, id=id, mass=mass, overruled=overruled)
            for text, origin, id, mass, overruled in value["tokens"]
        )
        return cls(reply=reply, tokens=tokens, forward_passes=value["forward_passes"], seconds=float(value["seconds"]))


Responder = Callable[[Conversation], Trace]
"""Anything that can be judged: a model, a baseline, a remote endpoint; given all before the turn to write."""
