"""What a responder hands back for one conversation: what it said, and what saying it cost."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

from data.conversation import Conversation
from data.wire import Reply

Origin = Literal["forced", "narrowed", "free"]
"""How a token came about: the only legal one, chosen among some, chosen among all."""


@dataclass(frozen=True, kw_only=True)
class Token:
    """One token of an answer, for reports that show how it came about."""

    text: str
    origin: Origin


@dataclass(frozen=True, kw_only=True)
class Trace:
    """One assistant turn: what it says, the tokens that say it, and their cost."""

    reply: Reply
    tokens: tuple[Token, ...] = ()
    forward_passes: int = 0
    seconds: float = 0.0


Responder = Callable[[Conversation], Trace]
"""Anything that can be judged: a model, a baseline, a remote endpoint; given all before the turn to write."""
