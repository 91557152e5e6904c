"""Dialogues in the formats of others, out and in.

    openai   {"messages": […], "tools": […]}, calls with ids and their arguments as a string of JSON, as OpenAI's
             chat completions and fine-tuning take them
    hf       the same with arguments as objects, tool messages that bear the tool's name, and no ids, as chat
             templates of transformers and trl's trainers take them

Both hold a conversation and its tools without loss, and nothing else: what is known about a dialogue besides (split,
kind, sources, results) is in our own files.
"""

import json
import uuid
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any, Literal

import tools
from data.conversation import Call, Conversation, Example, Span, dump_json
from data.errors import ConversationError, ExamplesError

Format = Literal["openai", "hf"]


def to_openai(example: Example) -> dict[str, Any]:
    """One line of an OpenAI fine-tuning file."""
    offered = list(example.conversation.tools) or tools.openai_tools()
    return {"messages": example.conversation.to_json(), "tools": offered}


def to_hf(example: Example) -> dict[str, Any]:
    """One line of a Hugging Face conversational data set."""
    line = to_openai(example)
    names: Iterator[str] = iter(())
    messages: list[dict[str, Any]] = []
    for message in line["messages"]:
        if message["role"] == "tool":
            messages.append({"role": "tool", "name": next(names), "content": message["content"]})
        elif "tool_calls" in message:
            calls = [call["function"] for call in message["tool_calls"]]
            names = iter([call["name"] for call in calls])
            spoken = [
                {"type": "function", "function": {**call, "arguments": json.loads(call["arguments"])}} for call in calls
            ]
            messages.append({"role": "assistant", "tool_calls": spoken})
        else:
            messages.append(message)
    return line | {"messages": messages}


def export(path: Path, examples: Iterable[Example], form: Format) -> None:
    """A file with one dialogue a line; it appears complete or not at all."""
    written = to_openai if form == "openai" else to_hf
    partial = path.with_name(f".{path.name}.{uuid.uuid4().hex[:8]}.partial")
    try:
        with partial.open("w", encoding="utf-8") as lines:
            lines.writelines(dump_json(written(example)) + "\n" for example in examples)
        partial.replace(path)
    finally:
        partial.unlink(missing_ok=True)


def from_line(value: object, name: str, split: str = "train") -> Example:
    """An example from a line of either format. Raises `ConversationError`.

    Tools are kept only where they are not the built-in ones. Sources are looked for: the last place, before the
    call, where the value was said. What the tools said is in the tool messages only.
    """
    conversation = Conversation.from_json(value)
    if all(tool["function"]["name"] in tools.argument_schemas() for tool in conversation.tools):
        conversation = Conversation(messages=conversation.messages)
    return Example(
        id=name,
        split=split,
        kind="imported.calls" if any(message.calls for message in conversation.messages) else "imported.words",
        conversation=conversation,
        spans=tuple(sources(conversation)),
    )


def read_dialogues(path: Path) -> Iterator[Example]:
    """The dialogues of a JSONL file in either format. Raises `ExamplesError` naming file and line."""
    try:
        with path.open(encoding="utf-8") as lines:
            for number, line in enumerate(lines, 1):
                if not line.strip():
                    continue
                try:
                    yield from_line(json.loads(line), f"{path.stem}-{number:06d}")
                except (ConversationError, ValueError, TypeError) as error:
                    raise ExamplesError(
                        f"{path}:{number}: {error}; expected a line of JSON with 'messages' and perhaps 'tools', "
                        "as OpenAI and Hugging Face write them"
                    ) from error
    except OSError as error:
        raise ExamplesError(f"{path}: {error.strerror}") from error


def sources(conversation: Conversation) -> Iterator[Span]:
    """Where each string and number of the calls was last said before the call; nothing for one that was not."""
    number = 0
    for turn, message in enumerate(conversation.messages):
        for call in message.calls:
            for pointer, value in _leaves(call):
                span = _source(conversation, turn, number, pointer, value)
                if span is not None:
                    yield span
            number += 1


def _source(conversation: Conversation, turn: int, call: int, pointer: str, value: Any) -> Span | None:
    spelled = value if isinstance(value, str) else json.dumps(value)
    for index in range(turn - 1, -1, -1):
        message = conversation.messages[index]
        start = message.content.rfind(spelled) if message.role in ("user", "tool") else -1
        if start >= 0:
            return Span(call=call, pointer=pointer, start=start, end=start + len(spelled), message=index)
    return None


def _leaves(call: Call) -> Iterator[tuple[str, Any]]:
    """Strings and numbers among the arguments, and in lists of them, with their JSON pointers."""
    for key, value in call.arguments.items():
        items = enumerate(value) if isinstance(value, list) else [("", value)]
        for index, item in items:
            if isinstance(item, str | int | float) and not isinstance(item, bool):
                yield (f"/{key}/{index}" if isinstance(value, list) else f"/{key}"), item
