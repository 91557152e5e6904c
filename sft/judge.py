"""The verdict on one answer: strict, typed, and never kind to garbage.

- An answer has one of three outcomes: calls, text, malformed. Only text that ends by itself counts as
  abstaining; a broken call is wrong wherever it appears.
- What is judged is the last assistant turn that follows a user's words; everything before it is the prompt.
- Arguments are compared as typed values: 2.5 and "2.5" differ, 1 and true differ, 2 and 2.0 are the same
  number.
- Parallel calls match in any order; each wanted call is matched once.
- A value that had to come from the conversation and is not in it is *invented*, right tool or not."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from typing import Any, Literal

import jsonschema

import tools
from data.conversation import Call, Conversation, Example
from data.wire import Reply
from sft.errors import NothingToScore
from sft.trace import Trace

MISSING = "missing"
"""How the kind of an example begins whose request lacks something required, so that the right answer asks for it."""
_NUMBER = re.compile(r"\d+(?:\.\d+)?")


@dataclass(frozen=True, kw_only=True)
class Verdict:
    """What one answer got right. None means that the question does not arise for this example or answer."""

    outcome: Literal["calls", "text", "malformed"]
    schema_valid: bool | None  # of an answer that tried to call
    right_tool: bool | None  # where calls were wanted
    exact: bool | None
    same_result: bool | None
    abstained: bool | None  # where none was
    asked: bool | None  # where something required was missing
    invented: tuple[str, ...]  # JSON pointers into the calls
    tenfold: tuple[str, ...]


class Judge:
    """Judges answers against examples, with the schemas and the functions of one set of tools."""

    def __init__(self, registry: Mapping[str, tools.Tool] | None = None) -> None:
        self.registry = registry or tools.registry()
        self._validators = {
            name: jsonschema.Draft202012Validator(tool.arguments_schema) for name, tool in self.registry.items()
        }

    def __call__(self, example: Example, trace: Trace) -> Verdict:
        prompt, wanted = question(example)
        reply = trace.reply
        text = reply.outcome == "text" and reply.stopped
        valid = reply.outcome == "calls" and all(self.is_valid(call) for call in reply.calls)
        exact = valid and same_calls(reply.calls, wanted)
        named = sorted(call.name for call in reply.calls) == sorted(call.name for call in wanted)
        return Verdict(
            outcome=reply.outcome,
            schema_valid=valid if tried_to_call(reply) else None,
            right_tool=named if wanted else None,
            exact=exact if wanted else None,
            same_result=(exact or (valid and named and self.same_results(reply.calls, wanted))) if wanted else None,
            abstained=None if wanted else text,
            asked=text and "?" in reply.text if example.kind.startswith(MISSING) else None,
            invented=tuple(self.invented(reply.calls, prompt)),
            tenfold=tuple(tenfold_errors(reply.calls, wanted)),
        )

    def is_valid(self, call: Call) -> bool:
        """Whether the tool exists and takes these arguments."""
        return call.name in self._validators and self._validators[call.name].is_valid(dict(call.arguments))

    def same_results(self, calls: Sequence[Call], wanted: Sequence[Call]) -> bool:
        """Whether running both gives equal results, in any order; refusals never count as equal."""
        ours, theirs = self.run(calls), self.run(wanted)
        return all(r.get("status") == "ok" for r in ours + theirs) and _match(ours, theirs)

    def run(self, calls: Sequence[Call]) -> list[dict[str, Any]]:
        """The tools' answers to these calls, in order."""
        return tools.run([call.to_json() for call in calls], self.registry)

    def invented(self, calls: Sequence[Call], prompt: Conversation) -> Iterator[str]:
        """Pointers of the values that had to come from the conversation and do not occur in it."""
        said = "\n".join(message.content for message in prompt.messages)
        numbers = {Decimal(n) for n in _NUMBER.findall(said)}
        for i, call in enumerate(calls):
            if call.name not in self.registry:
                continue
            schema = self.registry[call.name].arguments_schema
            for pointer, value in sourced_values(schema, call.arguments, f"/{i}"):
                if not _occurs(value, said, numbers):
                    yield pointer


def tried_to_call(reply: Reply) -> bool:
    """Whether an answer is a call or the beginning or wreck of one; words without sense are not."""
    return reply.outcome == "calls" or (
        reply.outcome == "malformed" and re.search(r'<tool_call>|"name"', reply.text) is not None
    )


def question(example: Example) -> tuple[Conversation, tuple[Call, ...]]:
    """The prompt of an example, and the calls that a right answer makes (none where it should answer in words)."""
    messages = example.conversation.messages
    for i in range(len(messages) - 1, 0, -1):
        if messages[i].role == "assistant" and messages[i - 1].role == "user":
            return Conversation(messages=messages[:i]), messages[i].calls
    raise NothingToScore(
        f"example {example.id!r} has no assistant turn after a user's words, so there is nothing to judge"
    )


def same_value(a: Any, b: Any) -> bool:
    """Equality of JSON values with JSON's types kept apart; numbers by value."""
    if isinstance(a, bool) or isinstance(b, bool):
        return a is b
    if isinstance(a, (int, float)) and isinstance(b, (int, float)):
        return a == b
    if isinstance(a, Mapping) and isinstance(b, Mapping):
        return a.keys() == b.keys() and all(same_value(a[key], b[key]) for key in a)
    if isinstance(a, (list, tuple)) and isinstance(b, (list, tuple)):
        return len(a) == len(b) and all(map(same_value, a, b))
    return type(a) is type(b) and bool(a == b)


def same_calls(calls: Sequence[Call], wanted: Sequence[Call]) -> bool:
    """Whether these are the wanted calls, each once, in any order."""
    return _match([call.to_json() for call in calls], [call.to_json() for call in wanted])


def _match(values: Sequence[Any], wanted: Sequence[Any]) -> bool:
    left = list(wanted)
    for value in values:
        i = next((i for i, other in enumerate(left) if same_value(value, other)), None)
        if i is None:
            return False
        del left[i]
    return not left


def sourced_values(schema: Mapping[str, Any], value: Any, pointer: str = "") -> Iterator[tuple[str, Any]]:
    """The parts of `value` that the schema marks `x-from: conversation`, with their JSON pointers."""
    if schema.get("x-from") == "conversation":
        yield pointer, value
    for branch in schema.get("oneOf", ()):
        if jsonschema.Draft202012Validator(branch).is_valid(value):
            yield from sourced_values(branch, value, pointer)
    if isinstance(value, Mapping):
        for key, part in schema.get("properties", {}).items():
            if key in value:
                yield from sourced_values(part, value[key], f"{pointer}/{key}")
    if isinstance(value, list) and "items" in schema:
        for i, item in enumerate(value):
            yield from sourced_values(schema["items"], item, f"{pointer}/{i}")


def tenfold_errors(calls: Sequence[Call], wanted: Sequence[Call]) -> Iterator[str]:
    """Pointers of numbers that are ten times, or a tenth of, what was wanted, in calls of the wanted tool."""
    for i, call in enumerate(calls):
        target = next((c for c in wanted if c.name == call.name), None)
        if target is None:
            continue
        for key, value in call.arguments.items():
            other = target.arguments.get(key)
            if _is_number(value) and _is_number(other) and other:
                ratio = Decimal(str(value)) / Decimal(str(other))
                if ratio in (Decimal(10), Decimal("0.1")):
                    yield f"/{i}/{key}"


def _is_number(value: Any) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool)


def _occurs(value: Any, said: str, numbers: set[Decimal]) -> bool:
    if _is_number(value):
        try:
            return Decimal(str(value)) in numbers
        except InvalidOperation:
            return False
    return re.search(rf"(?<!\w){re.escape(str(value))}(?!\w)", said, re.IGNORECASE) is not None
