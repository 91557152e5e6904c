"""The text the model sees: conversations as ids, and ids or text back as what the assistant meant.

A turn is its role's token, its body, and `<|end|>`:

    <|user|>text<|end|>
    <|assistant|><tool_call>{"name": …, "arguments": {…}}</tool_call><|end|>   parallel calls in a row
    <|tool|><tool_response>JSON</tool_response><|end|>
    <|assistant|>text<|end|>

Markers are single ids that no text encodes to, so a `</tool_call>` inside a JSON string is a few ordinary
tokens and ends nothing.
"""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal

from data.batches import IGNORE
from data.conversation import Call, Conversation, Message, dump_json, refuse_constant, unique_keys
from data.errors import ConversationError, WireError
from data.tokenizer import CONTROL, END_OF_TEXT, N_BPE, Tokenizer

ASSISTANT = CONTROL["<|assistant|>"]
END = CONTROL["<|end|>"]
OPEN = CONTROL["<tool_call>"]
CLOSE = CONTROL["</tool_call>"]
OPEN_RESPONSE = CONTROL["<tool_response>"]
CLOSE_RESPONSE = CONTROL["</tool_response>"]
PAD = CONTROL["<|pad|>"]

STOP_IDS: tuple[int, ...] = (END, END_OF_TEXT)


@dataclass(frozen=True, kw_only=True)
class Encoded:
    """A conversation as T ids and T flags; `loss[t]` is true where id t is the assistant's own and is to be
    learned.
    """

    ids: list[int]
    loss: list[bool]

    def inputs_and_targets(self) -> tuple[list[int], list[int]]:
        """T-1 inputs and the T-1 ids that follow them, `IGNORE` where nothing is to be learned."""
        targets = [i if scored else IGNORE for i, scored in zip(self.ids[1:], self.loss[1:], strict=True)]
        return self.ids[:-1], targets


@dataclass(frozen=True, kw_only=True)
class Reply:
    """What an assistant turn says.

    outcome: "calls" (one or more well-formed calls and nothing else), "text" (an answer in words), or
    "malformed" (an attempted or broken call, stray markers, or nothing at all), with the reason. Whether a
    well-formed call fits its tool's schema is judged elsewhere. stopped: whether the turn was ended by
    `<|end|>` rather than cut off.
    """

    outcome: Literal["calls", "text", "malformed"]
    calls: tuple[Call, ...] = ()
    text: str = ""
    reason: str = ""
    stopped: bool = False


def call_json(call: Call) -> str:
    """The JSON between `<tool_call>` and `</tool_call>`."""
    return dump_json(call.to_json())


def render(conversation: Conversation) -> str:
    """The conversation as readable text, markers by name.

    For eyes only: a user's text may spell a marker too.
    """
    return "".join(
        "".join(part if isinstance(part, str) else part[0] for part, _ in _parts(m)) for m in conversation.messages
    )


def encode(conversation: Conversation, tokenizer: Tokenizer) -> Encoded:
    """Ids and loss flags of a whole conversation.

    Learned are the assistant's calls with their tags, its text, and `<|end|>`; never a role marker, a user's
    word or a tool's result. Raises `WireError` if nothing is learned because no assistant speaks.
    """
    ids: list[int] = []
    loss: list[bool] = []
    for message in conversation.messages:
        for part, scored in _parts(message):
            piece = tokenizer.encode(part) if isinstance(part, str) else [CONTROL[part[0]]]
            ids += piece
            loss += [scored] * len(piece)
    if not any(loss):
        raise WireError(
            "no assistant message in the conversation, so there is nothing to learn; use prompt_ids to ask for one"
        )
    return Encoded(ids=ids, loss=loss)


def prompt_ids(conversation: Conversation, tokenizer: Tokenizer) -> list[int]:
    """Ids of the conversation so far and `<|assistant|>`: what generation continues."""
    if conversation.messages[-1].role == "assistant":
        raise WireError("the last message is already the assistant's; expected a user's, a tool's or a system message")
    ids: list[int] = []
    for message in conversation.messages:
        for part, _ in _parts(message):
            ids += tokenizer.encode(part) if isinstance(part, str) else [CONTROL[part[0]]]
    return [*ids, ASSISTANT]


def parse_ids(ids: Sequence[int], tokenizer: Tokenizer) -> Reply:
    """What generated ids say, from after `<|assistant|>` to the first `<|end|>` or `<|endoftext|>`."""
    ids = list(ids)
    stop = next((t for t, token_id in enumerate(ids) if token_id in STOP_IDS), None)
    stopped = stop is not None and ids[stop] == END
    body = ids[:stop]
    if OPEN not in body:
        return _parse_words(body, tokenizer, stopped)
    calls: list[Call] = []
    at = 0
    while at < len(body):
        if body[at] != OPEN:
            return _malformed(
                f"{tokenizer.decode(body[at : at + 1])!r} where <tool_call> was expected",
                body,
                tokenizer,
                stopped,
            )
        close = next((t for t in range(at + 1, len(body)) if body[t] >= N_BPE), None)
        if close is None or body[close] != CLOSE:
            found = "the end" if close is None else repr(tokenizer.decode(body[close : close + 1]))
            return _malformed(f"{found} where </tool_call> was expected", body, tokenizer, stopped)
        try:
            calls.append(_call_from_text(tokenizer.decode(body[at + 1 : close])))
        except ConversationError as error:
            return _malformed(str(error), body, tokenizer, stopped)
        at = close + 1
    return Reply(outcome="calls", calls=tuple(calls), text=tokenizer.decode(body), stopped=stopped)


def parse_text(text: str) -> Reply:
    """What a turn written as text says, for models whose markers arrive as text.

    After `<tool_call>` one JSON value is read to its own end, so a `</tool_call>` within one of its strings
    is just a string.
    """
    body, end, _ = text.partition("<|end|>")
    if "<tool_call>" in body:  # a string argument may spell <|end|> too: then the turn ends after the calls
        body = text
    at = _skip_space(body, 0)
    stopped = bool(end)
    if not body.startswith("<tool_call>", at):
        if "<tool_call>" in body or "</tool_call>" in body:
            return Reply(outcome="malformed", text=text, reason="text beside a tool call", stopped=stopped)
        return _judge_words(body, stopped)
    calls: list[Call] = []
    decoder = json.JSONDecoder(object_pairs_hook=unique_keys, parse_constant=refuse_constant)
    stopped = False
    while at < len(body):
        if body.startswith("<|end|>", at):
            stopped = True
            break
        if not body.startswith("<tool_call>", at):
            return Reply(
                outcome="malformed",
                text=text,
                reason=f"{body[at : at + 20]!r} where <tool_call> was expected",
            )
        try:
            value, after = decoder.raw_decode(body, _skip_space(body, at + len("<tool_call>")))
            calls.append(_call_from_value(value))
        except json.JSONDecodeError as error:
            return Reply(outcome="malformed", text=text, reason=f"not JSON at character {error.pos}: {error.msg}")
        except (ConversationError, RecursionError, ValueError) as error:  # ValueError: a number of thousands of digits
            return Reply(outcome="malformed", text=text, reason=str(error))
        after = _skip_space(body, after)
        if not body.startswith("</tool_call>", after):
            return Reply(
                outcome="malformed",
                text=text,
                reason=f"{body[after : after + 20]!r} where </tool_call> was expected",
            )
        at = _skip_space(body, after + len("</tool_call>"))
    return Reply(outcome="calls", calls=tuple(calls), text=body[:at], stopped=stopped)


def _parts(message: Message) -> list[tuple[str | tuple[str], bool]]:
    """A turn as pieces with their loss flag; a piece is text, or a marker's name in a 1-tuple."""
    parts: list[tuple[str | tuple[str], bool]] = [((f"<|{message.role}|>",), False)]
    learned = message.role == "assistant"
    if message.role == "tool":
        parts += [(("<tool_response>",), False), (message.content, False), (("</tool_response>",), False)]
    elif message.calls:
        for call in message.calls:
            parts += [(("<tool_call>",), learned), (call_json(call), learned), (("</tool_call>",), learned)]
    else:
        parts.append((message.content, learned))
    parts.append((("<|end|>",), learned))
    return parts


def _parse_words(body: list[int], tokenizer: Tokenizer, stopped: bool) -> Reply:
    stray = next((token_id for token_id in body if token_id >= N_BPE), None)
    if stray is not None:
        name = tokenizer.decode([stray]) or f"unused id {stray}"
        return _malformed(f"{name} inside an answer", body, tokenizer, stopped)
    return _judge_words(tokenizer.decode(body), stopped)


def _judge_words(text: str, stopped: bool) -> Reply:
    """An answer in words does not try to be a call; anything else must not pass for abstaining."""
    words = text.strip()
    reason = ""
    if not words:
        reason = "nothing was said"
    elif "\N{REPLACEMENT CHARACTER}" in words:
        reason = "bytes that are not UTF-8"
    elif not any(c.isalpha() for c in words):
        reason = "no word in the answer"
    elif words[0] in "{[" or "```" in words or ('"name"' in words and '"arguments"' in words):
        reason = "JSON or code outside <tool_call>"
    elif any(name in words for name in CONTROL):
        reason = "a marker spelled out inside an answer"
    if reason:
        return Reply(outcome="malformed", text=text, reason=reason, stopped=stopped)
    return Reply(outcome="text", text=text, stopped=stopped)


def _malformed(reason: str, body: Sequence[int], tokenizer: Tokenizer, stopped: bool) -> Reply:
    return Reply(outcome="malformed", text=tokenizer.decode(body), reason=reason, stopped=stopped)


def _call_from_text(text: str) -> Call:
    try:
        value = json.loads(text, object_pairs_hook=unique_keys, parse_constant=refuse_constant)
    except json.JSONDecodeError as error:
        raise ConversationError(f"not JSON at character {error.pos}: {error.msg}") from error
    except RecursionError as error:
        raise ConversationError("JSON nested too deep to read") from error
    except ValueError as error:  # a number of thousands of digits
        raise ConversationError(f"not JSON: {error}") from error
    return _call_from_value(value)


def _call_from_value(value: Any) -> Call:
    if isinstance(value, dict) and not isinstance(value.get("arguments"), dict):
        raise ConversationError(f"arguments are {value.get('arguments')!r}, expected an object")
    return Call.from_json(value)


def _skip_space(text: str, at: int) -> int:
    while at < len(text) and text[at].isspace():
        at += 1
    return at
