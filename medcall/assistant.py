"""One turn with a user: the model writes a call, the tool runs it, the answer repeats the tool's result and
nothing else.

The answer's sentence is made by the tool from its own result, not by the model: a model of this size must not
phrase medicine.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import tools
from data.conversation import Conversation, Message, dump_json
from sft.trace import Trace

if TYPE_CHECKING:
    from sft.respond import Mode


@dataclass(frozen=True, kw_only=True)
class Turn:
    """What was asked, what the model wrote, what the tools said, and the answer."""

    request: str
    trace: Trace
    results: tuple[dict[str, Any], ...]
    answer: str

    def as_json(self) -> dict[str, Any]:
        reply = self.trace.reply
        return {
            "request": self.request,
            "outcome": reply.outcome,
            "calls": [call.to_json() for call in reply.calls],
            "results": list(self.results),
            "answer": self.answer,
            "tokens": len(self.trace.tokens),
            "forced_tokens": sum(token.origin == "forced" for token in self.trace.tokens),
            "forward_passes": self.trace.forward_passes,
            "seconds": round(self.trace.seconds, 4),
        }


class Assistant:
    """A responder, the tools it may call, and the conversation so far."""

    def __init__(self, respond: Callable[[Conversation], Trace], registry: Mapping[str, tools.Tool]) -> None:
        self.respond, self.registry = respond, registry
        self.history: tuple[Message, ...] = ()

    def ask(self, request: str) -> Turn:
        """Answer one message; a question of the model's is kept, so that the next message can answer it."""
        conversation = Conversation(messages=(*self.history, Message(role="user", content=request)))
        trace = self.respond(conversation)
        reply = trace.reply
        if reply.outcome == "calls":
            results = tuple(tools.run([call.to_json() for call in reply.calls], self.registry))
            pairs = zip(reply.calls, results, strict=True)
            answer = "\n".join(tools.summarise(call.name, result) for call, result in pairs)
            self.history = ()  # each question stands alone once a tool has answered it
        else:
            results = ()
            answer = reply.text.strip() if reply.outcome == "text" else f"(no usable answer: {reply.reason})"
            asked = reply.outcome == "text" and "?" in reply.text
            self.history = (*conversation.messages, Message(role="assistant", content=answer)) if asked else ()
        return Turn(request=request, trace=trace, results=results, answer=answer)


def load(model: Path, mode: Mode = "grounded", registry: Mapping[str, tools.Tool] | None = None) -> Assistant:
    """An assistant from a run folder or a checkpoint, with the three tools unless told which."""
    from data.tokenizer import load_tokenizer
    from gpt2 import load_model
    from sft.respond import ModelResponder

    registry = tools.registry() if registry is None else registry
    responder = ModelResponder(
        load_model(model),
        load_tokenizer(),
        mode=mode,
        schema=tools.call_schema(tools=registry),
    )
    return Assistant(responder, registry)


def spelled(turn: Turn) -> str:
    """A turn for people: the call as written, the result's sentence."""
    calls = [f"  call    {dump_json(call.to_json())}" for call in turn.trace.reply.calls]
    answer = "\n".join(
        f"  answer  {line}" if i == 0 else f"          {line}" for i, line in enumerate(turn.answer.splitlines())
    )
    return "\n".join([f"> {turn.request}", *calls, answer])
