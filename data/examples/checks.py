"""What every example must satisfy: each copied argument has a source that was said before the call."""

import re
from typing import Any, Final

import tools
from data.conversation import Call, Conversation, Example
from data.errors import ExamplesError
from data.examples.drafts import spells

_WORD: Final = re.compile(r"\w+")


def check_spans(example: Example) -> None:
    """Raise `ExamplesError` unless every span spells its argument in an earlier message of a user or a tool, and
    every copied argument has a span.
    """
    messages = example.conversation.messages
    calls = [(index, call) for index, message in enumerate(messages) for call in message.calls]
    covered: set[tuple[int, str]] = set()
    for span in example.spans:
        turn, call = calls[span.call]
        value = at(call.arguments, span.pointer)
        if not 0 <= span.message < turn or messages[span.message].role not in ("user", "tool"):
            raise ExamplesError(f"{example.id}: {span.pointer} of call {span.call} was not said before the call")
        said = messages[span.message].content[span.start : span.end]
        if not spells(value, said):
            raise ExamplesError(
                f"{example.id}: {span.pointer} is {value!r}, but {said!r} stands there: "
                f"{messages[span.message].content!r}"
            )
        covered.add((span.call, span.pointer))
    for index, (_, call) in enumerate(calls):
        for pointer in copied_pointers(call, example.conversation):
            if (index, pointer) not in covered:
                raise ExamplesError(
                    f"{example.id}: {pointer} of call {index} has no source in {example.request!r}: {call.to_json()}"
                )


def at(value: Any, pointer: str) -> Any:
    """What a JSON pointer leads to."""
    for part in pointer.split("/")[1:]:
        value = value[int(part)] if isinstance(value, list) else value[part]
    return value


def copied_pointers(call: Call, conversation: Conversation | None = None) -> list[str]:
    """JSON pointers of the arguments whose schema says that they come from the conversation."""
    own = (
        {tool["function"]["name"]: tool["function"]["parameters"] for tool in conversation.tools}
        if conversation
        else {}
    )
    schema = own[call.name] if own else tools.argument_schemas([call.name])[call.name]
    for branch in schema.get("oneOf", ()):
        if all(call.arguments.get(k) == v["const"] for k, v in branch["properties"].items() if "const" in v):
            schema = branch
    pointers: list[str] = []
    for key, value in call.arguments.items():
        rule = schema["properties"][key]
        if rule.get("x-from") == "conversation":
            pointers.append(f"/{key}")
        elif rule.get("items", {}).get("x-from") == "conversation":
            pointers += [f"/{key}/{index}" for index in range(len(value))]
    return pointers


def nested(call: Call) -> tuple[str, str] | None:
    """Two values of one list, the words of the first inside the second ("calcium", "ionised calcium"), or None.

    The decoder uses no word twice, nor a wording (`x-distinct`), so it could not write both.
    """
    for values in call.arguments.values():
        if isinstance(values, list):
            words = [f" {' '.join(_WORD.findall(str(value).lower()))} " for value in values]
            for i, inner in enumerate(words):
                for j, outer in enumerate(words):
                    if i != j and inner in outer:
                        return str(values[i]), str(values[j])
    return None
