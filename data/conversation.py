"""Conversations as values: messages, calls, and the examples made of them.

The JSON form is OpenAI's chat format. A call there carries its arguments as a string of JSON and an id that
the tool's answer repeats; here a call is a name and arguments, and the n-th tool message after an assistant
turn answers its n-th call.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any, Literal, get_args

from data.errors import ConversationError

Function = Mapping[str, Any]
"""A tool offered in a prompt, as OpenAI describes it: `{"type": "function", "function": {"name", "description",
"parameters"}}`."""
Role = Literal["system", "user", "assistant", "tool"]
ROLES: tuple[str, ...] = get_args(Role)


@dataclass(frozen=True, kw_only=True)
class Call:
    """A tool's name and its arguments, in the order in which they are written."""

    name: str
    arguments: Mapping[str, Any]

    def __post_init__(self) -> None:
        if not isinstance(self.name, str) or not self.name:
            raise ConversationError(f"a call needs a name, found {self.name!r}")
        if not isinstance(self.arguments, Mapping):
            raise ConversationError(f"arguments of {self.name!r} are {self.arguments!r}, expected an object")
        try:
            dump_json(self.arguments)
        except (TypeError, ValueError, RecursionError) as error:
            raise ConversationError(f"arguments of {self.name!r} are not JSON: {error}") from error

    def to_json(self) -> dict[str, Any]:
        """`{"name": …, "arguments": {…}}`, the form that tools run and the model writes."""
        return {"name": self.name, "arguments": dict(self.arguments)}

    @classmethod
    def from_json(cls, value: object) -> "Call":
        """A call from `{"name", "arguments"}`; arguments may be an object or, as OpenAI sends them, its JSON
        text.
        """
        if not isinstance(value, Mapping) or set(value) != {"name", "arguments"}:
            raise ConversationError(f"a call is {_short(value)}, expected an object with just name and arguments")
        arguments = value["arguments"]
        if isinstance(arguments, str):
            arguments = load_json(arguments)
        return cls(name=value["name"], arguments=arguments)


@dataclass(frozen=True, kw_only=True)
class Message:
    """One turn. Only an assistant has calls, and then it has no text beside them."""

    role: Role
    content: str = ""
    calls: tuple[Call, ...] = ()

    def __post_init__(self) -> None:
        if self.role not in ROLES:
            raise ConversationError(f"role is {self.role!r}, expected one of {', '.join(ROLES)}")
        if not isinstance(self.content, str):
            raise ConversationError(f"content of a {self.role} message is {_short(self.content)}, expected text")
        if self.calls and self.role != "assistant":
            raise ConversationError(
                f"a {self.role} message holds {len(self.calls)} calls; only an assistant calls tools"
            )
        if self.calls and self.content:
            raise ConversationError(
                f"an assistant message holds both text ({_short(self.content)}) and calls; expected one"
            )
        if self.role == "assistant" and not self.calls and not self.content:
            raise ConversationError("an assistant message holds neither text nor calls")


@dataclass(frozen=True, kw_only=True)
class Conversation:
    """At least one message; a system message only first; a tool message only as the answer to a call.

    tools: the functions that may be called, where they are not the built-in ones. The model reads them in the
    system message (`data.signatures` writes it); the decoder and the judge need their schemas.
    """

    messages: tuple[Message, ...]
    tools: tuple[Function, ...] = ()

    def __post_init__(self) -> None:
        if not self.messages:
            raise ConversationError("a conversation needs at least one message")
        for tool in self.tools:
            function = tool.get("function") if isinstance(tool, Mapping) else None
            if not isinstance(function, Mapping) or not isinstance(function.get("name"), str):
                raise ConversationError(f"a tool is {_short(tool)}, expected an object with 'function' and its name")
        waiting = 0
        for index, message in enumerate(self.messages):
            if message.role == "system" and index > 0:
                raise ConversationError(f"message {index} is a system message; it may only be the first")
            if message.role == "tool":
                if waiting == 0:
                    raise ConversationError(f"message {index} is a tool's answer, but no call is waiting for one")
                waiting -= 1
            else:
                waiting = len(message.calls)

    @classmethod
    def of_request(cls, text: str) -> "Conversation":
        """A conversation that holds one user message."""
        return cls(messages=(Message(role="user", content=text),))

    def then(self, *messages: Message) -> "Conversation":
        """This conversation with further messages."""
        return Conversation(messages=(*self.messages, *messages), tools=self.tools)

    def upto(self, count: int) -> "Conversation":
        """Its first `count` messages: what was there before message `count`."""
        return Conversation(messages=self.messages[:count], tools=self.tools)

    def to_json(self) -> list[dict[str, Any]]:
        """OpenAI's list of messages; calls are numbered `call_0`, `call_1`, … through the conversation."""
        out: list[dict[str, Any]] = []
        numbered = 0
        waiting: list[str] = []
        for message in self.messages:
            if message.role == "tool":
                out.append({"role": "tool", "tool_call_id": waiting.pop(0), "content": message.content})
            elif message.calls:
                waiting = [f"call_{numbered + i}" for i in range(len(message.calls))]
                numbered += len(message.calls)
                out.append(
                    {
                        "role": "assistant",
                        "content": None,
                        "tool_calls": [
                            {
                                "id": call_id,
                                "type": "function",
                                "function": {"name": call.name, "arguments": dump_json(call.arguments)},
                            }
                            for call_id, call in zip(waiting, message.calls, strict=True)
                        ],
                    }
                )
            else:
                waiting = []
                out.append({"role": message.role, "content": message.content})
        return out

    @classmethod
    def from_json(cls, value: object) -> "Conversation":
        """A conversation from OpenAI's list of messages, or from an object with `messages` and perhaps `tools`.

        Tool answers may come in any order; they are put into the order of their calls. Raises
        `ConversationError`.
        """
        tools: object = ()
        if isinstance(value, Mapping):
            tools, value = value.get("tools") or (), value.get("messages")
        if not isinstance(tools, Sequence) or isinstance(tools, str | bytes):
            raise ConversationError(f"tools are {_short(tools)}, expected a list")
        if not isinstance(value, Sequence) or isinstance(value, str | bytes):
            raise ConversationError(f"messages are {_short(value)}, expected a list")
        messages: list[Message] = []
        call_ids: list[str] = []
        answers: dict[str, Message] = {}

        def put_answers() -> None:
            unknown = [call_id for call_id in answers if call_id not in call_ids]
            if unknown:
                raise ConversationError(f"tool_call_id {unknown[0]!r} answers no call of the turn before it")
            messages.extend(answers[call_id] for call_id in call_ids if call_id in answers)
            answers.clear()

        for index, item in enumerate(value):
            if not isinstance(item, Mapping):
                raise ConversationError(f"message {index} is {_short(item)}, expected an object")
            if item.get("role") == "tool":
                # Formats without ids answer in order.
                call_id = item.get("tool_call_id") or (call_ids[len(answers)] if len(answers) < len(call_ids) else "")
                if call_id in answers:
                    raise ConversationError(f"message {index} answers {call_id!r} a second time")
                answers[call_id] = Message(role="tool", content=item.get("content") or "")
                continue
            put_answers()
            message, call_ids = _message_from_json(item, index)
            messages.append(message)
        put_answers()
        return cls(messages=tuple(messages), tools=tuple(tools))


@dataclass(frozen=True, kw_only=True)
class Span:
    """Where a string or number argument was said.

    call: index of the call, counted through the conversation; pointer: JSON pointer into its arguments;
    start, end: characters of the message `message` (an index), a user's or a tool's that comes before the call.
    """

    call: int
    pointer: str
    start: int
    end: int
    message: int = 0


@dataclass(frozen=True, kw_only=True)
class Example:
    """A dialogue with what is known about it.

    kind: what it teaches; origin: the pattern it was written from, as file and line; spans: the sources of
    its arguments; results: what the tools said to its calls, one each, in order.
    """

    id: str
    split: str
    kind: str
    conversation: Conversation
    origin: str = ""
    spans: tuple[Span, ...] = ()
    results: tuple[Mapping[str, Any], ...] = ()

    @property
    def request(self) -> str:
        """The last user message."""
        return next(m.content for m in reversed(self.conversation.messages) if m.role == "user")

    @property
    def calls(self) -> tuple[Call, ...]:
        """The calls of the last assistant message that has any; empty where the right answer is text."""
        return next((m.calls for m in reversed(self.conversation.messages) if m.calls), ())

    @property
    def all_calls(self) -> tuple[Call, ...]:
        """Every call of the conversation, in order: what `Span.call` and `results` count by."""
        return tuple(call for message in self.conversation.messages for call in message.calls)

    def to_json(self) -> dict[str, Any]:
        """One line of the JSONL files; `tools` only where the conversation has its own."""
        return {
            "id": self.id,
            "split": self.split,
            "kind": self.kind,
            "origin": self.origin,
            **({"tools": [dict(tool) for tool in self.conversation.tools]} if self.conversation.tools else {}),
            "messages": self.conversation.to_json(),
            "spans": [asdict(span) for span in self.spans],
            "results": [dict(result) for result in self.results],
        }

    @classmethod
    def from_json(cls, value: object) -> "Example":
        """An example from one line of the JSONL files. Raises `ConversationError`."""
        if not isinstance(value, Mapping):
            raise ConversationError(f"an example is {_short(value)}, expected an object")
        missing = [key for key in ("id", "split", "kind", "messages") if key not in value]
        if missing:
            raise ConversationError(
                f"an example lacks {', '.join(missing)}; found {', '.join(map(str, value)) or 'nothing'}"
            )
        try:
            spans = tuple(Span(**span) for span in value.get("spans", ()))
        except TypeError as error:
            raise ConversationError(
                f"example {value['id']!r}: a span is not call, pointer, start, end, message: {error}"
            ) from error
        return cls(
            id=str(value["id"]),
            split=str(value["split"]),
            kind=str(value["kind"]),
            conversation=Conversation.from_json(value),
            origin=str(value.get("origin", "")),
            spans=spans,
            results=tuple(value.get("results", ())),
        )


def dump_json(value: Any) -> str:
    """JSON as the model sees it: `", "` and `": "`, no escapes but JSON's own, no NaN."""
    return json.dumps(dict(value) if isinstance(value, Mapping) else value, ensure_ascii=False, allow_nan=False)


def load_json(text: str) -> Any:
    """Strict JSON: NaN, Infinity and repeated keys are refused with `ConversationError`."""
    try:
        return json.loads(text, object_pairs_hook=unique_keys, parse_constant=refuse_constant)
    except json.JSONDecodeError as error:
        raise ConversationError(f"not JSON at character {error.pos}: {error.msg}: {_short(text)}") from error


def unique_keys(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """An object's pairs as a dict; JSON lets a key repeat, and then readers disagree on what was said."""
    out: dict[str, Any] = {}
    for key, value in pairs:
        if key in out:
            raise ConversationError(f"key {key!r} is given twice")
        out[key] = value
    return out


def refuse_constant(name: str) -> Any:
    """For `json`'s `parse_constant`: NaN and Infinity are not JSON."""
    raise ConversationError(f"{name} is not JSON")


def _message_from_json(item: Mapping[str, Any], index: int) -> tuple[Message, list[str]]:
    """A message that is not a tool's, and the ids of its calls."""
    content = item.get("content")
    if isinstance(content, list):  # OpenAI's parts
        content = "".join(part.get("text", "") for part in content if isinstance(part, Mapping))
    calls: list[Call] = []
    ids: list[str] = []
    for number, entry in enumerate(item.get("tool_calls") or ()):
        if not isinstance(entry, Mapping) or not isinstance(entry.get("function"), Mapping):
            raise ConversationError(
                f"message {index}: tool call {number} is {_short(entry)}, expected an object with 'function'"
            )
        function = entry["function"]
        calls.append(Call.from_json({"name": function.get("name"), "arguments": function.get("arguments")}))
        ids.append(str(entry.get("id") or f"call_{number}"))
    if len(set(ids)) != len(ids):
        raise ConversationError(f"message {index}: two tool calls share an id: {', '.join(ids)}")
    role = item.get("role")
    if role not in ROLES:
        raise ConversationError(f"message {index}: role is {role!r}, expected one of {', '.join(ROLES)}")
    return Message(role=role, content=content or "", calls=tuple(calls)), ids


def _short(value: object, limit: int = 60) -> str:
    text = repr(value)
    return text if len(text) <= limit else text[: limit - 1] + "…"
