"""A model as a responder: prompt ids in, a constrained or free turn out, parsed.

Three modes, which differ only in what may be written: *free* (anything), *constrained* (words, or calls that
are valid under the tools' schemas), *grounded* (the same, and values marked `x-from: conversation` are words
and numbers that were said).
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from typing import Any, Literal

import tools
from data.conversation import Conversation
from data.tokenizer import Tokenizer
from data.wire import CLOSE, END, OPEN, STOP_IDS, parse_ids, prompt_ids
from decoding import Constraint, NothingToGround, ToolChoice, Vocabulary, call_schema, compile_json_schema, ground
from gpt2 import GPT, GenerateConfig, generate
from sft.errors import PromptTooLong
from sft.trace import Token, Trace

Mode = Literal["free", "constrained", "grounded"]
MODES: tuple[Mode, ...] = ("free", "constrained", "grounded")
Choice = Literal["auto", "required", "none"]
"""Whether the turn may be words or calls (auto), must be a call, or must be words; without effect in free mode."""


def said(conversation: Conversation) -> str:
    """What an argument may be taken from: the words of the user and of the tools."""
    return "\n".join(message.content for message in conversation.messages if message.role in ("user", "tool"))


class ModelResponder:
    """Answers with a GPT. One compiled grammar serves every answer; a request adds only its own words."""

    def __init__(
        self,
        model: GPT,
        tokenizer: Tokenizer,
        *,
        mode: Mode = "grounded",
        tool_choice: Choice = "auto",
        schema: Mapping[str, Any] | None = None,
        max_new_tokens: int = 160,
        max_calls: int = 4,
    ) -> None:
        self.model, self.tokenizer, self.mode, self.tool_choice = model, tokenizer, mode, tool_choice
        self.max_new_tokens, self.max_calls = max_new_tokens, max_calls
        vocabulary = Vocabulary(tokenizer.token_bytes(), eos=CLOSE, encode=tokenizer.encode)
        self.calls = compile_json_schema(schema or tools.call_schema(), vocabulary)

    def __call__(self, conversation: Conversation, on_token: Callable[[str], None] | None = None) -> Trace:
        """Write the next assistant turn; `on_token` hears each token's text as it is chosen.

        Raises PromptTooLong when fewer than 16 positions are left for an answer.
        """
        started = time.perf_counter()
        prompt = prompt_ids(conversation, self.tokenizer)
        room = self.model.config.block_size - len(prompt)
        if room < 16:
            raise PromptTooLong(
                f"the conversation takes {len(prompt)} of the model's {self.model.config.block_size} positions;"
                " shorten the request"
            )
        config = GenerateConfig(max_new_tokens=min(self.max_new_tokens, room), stop_ids=STOP_IDS)
        hear = None if on_token is None else lambda token: on_token(self.tokenizer.decode([token.id]))
        made = generate(
            self.model, [prompt], config, constraint=self.constraint(conversation), on_token=hear, record=True
        )[0]
        return Trace(
            reply=parse_ids(made.ids, self.tokenizer),
            tokens=tuple(Token(text=self.tokenizer.decode([t.id]), origin=t.kind, id=t.id) for t in made.tokens),
            forward_passes=made.passes,
            seconds=time.perf_counter() - started,
        )

    def constraint(self, conversation: Conversation) -> ToolChoice | None:
        """What the turn may be: None when anything goes."""
        if self.mode == "free":
            return None
        tags: dict[str, Any] = {"open": OPEN, "close": CLOSE, "end": END}
        calls: Constraint = self.calls
        if conversation.tools:  # the only ones there are; what a foreign schema says beyond the grammar is left out
            calls = compile_json_schema(call_schema(conversation.tools), calls.vocabulary, strict=False)
        if self.mode == "grounded":
            try:
                calls = ground(calls, said(conversation))
            except NothingToGround:  # no call can be made of these words, so the turn is an answer
                if self.tool_choice == "required":
                    raise
                return ToolChoice(calls, mode="none", **tags)
        return ToolChoice(calls, mode=self.tool_choice, max_calls=self.max_calls, **tags)
