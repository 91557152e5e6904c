"""Tool definitions as they are sent to a chat API, to a turn that may call them.

A definition is an object with a name and a JSON Schema of its arguments: OpenAI's `{"type": "function", "function":
{"name", "parameters"}}` or the inner object alone, `inputSchema` of the Model Context Protocol, or `input_schema`.
How a model writes a call is a `ToolFormat`: the one that its chat template shows it.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from .json_schema import compile_json_schema
from .layout import Layout
from .tool_choice import MODES, Mode, Tag, ToolChoice
from .vocabulary import Vocabulary

SCHEMA_KEYS = ("parameters", "inputSchema", "input_schema")
NO_ARGUMENTS: Mapping[str, Any] = {"type": "object", "properties": {}, "additionalProperties": False}


@dataclass(frozen=True, kw_only=True)
class ToolFormat:
    """How a model writes its calls down; see `ToolChoice` for the tags.

    array: all calls of a turn are the items of one JSON array
    """

    open: str = ""
    close: str = ""
    separator: str = ""
    trigger: str | None = None
    name_key: str = "name"
    arguments_key: str = "arguments"
    array: bool = False

    @classmethod
    def hermes(cls) -> ToolFormat:
        """`<tool_call>\\n{"name": …, "arguments": …}\\n</tool_call>`: Hermes, Qwen 2.5 and 3."""
        return cls(open="<tool_call>\n", close="\n</tool_call>", separator="\n")

    @classmethod
    def llama(cls) -> ToolFormat:
        """`{"name": …, "parameters": …}` and nothing around it: Llama 3.1 and later."""
        return cls(trigger='{"name"', separator="; ", arguments_key="parameters")

    @classmethod
    def mistral(cls) -> ToolFormat:
        """`[TOOL_CALLS] [{"name": …, "arguments": …}, …]`: Mistral's tokenizers before version 11."""
        return cls(open="[TOOL_CALLS] ", array=True)


def compile_tools(
    definitions: Sequence[Mapping[str, Any]],
    vocabulary: Vocabulary,
    tool_choice: str | Mapping[str, Any] = "auto",
    *,
    format: ToolFormat | None = None,
    added_tokens: Mapping[str, int] | None = None,
    end: int | None = None,
    max_calls: int | None = 1,
    layout: Layout | None = None,
    strict: bool = True,
) -> ToolChoice:
    """The turns in which a model may call these tools.

    tool_choice: "auto", "required", "none", or one tool that must be called, as `{"type": "function", "function":
    {"name": "dose"}}`, `{"type": "tool", "name": "dose"}` or `{"name": "dose"}`
    format: `ToolFormat.hermes()` unless told
    added_tokens: name -> id of the tokenizer's added tokens (`tokenizer.get_added_vocab()`); a tag that holds such a
    name holds that token
    end, max_calls: as for `ToolChoice`   layout, strict: as for `compile_json_schema`

    Raises ValueError for a definition or a choice that is none, UnsupportedSchema for arguments that are not held.
    """
    format = format or ToolFormat.hermes()
    tools = [_definition(definition) for definition in definitions]
    mode, tools = _chosen(tool_choice, tools)
    schema = _calls_schema(tools, format, max_calls)
    constraint = compile_json_schema(schema, vocabulary, layout, strict=strict)

    def tag(text: str) -> Tag:
        return _split_at(text, added_tokens or {})

    return ToolChoice(
        constraint,
        mode,
        open=tag(format.open),
        close=tag(format.close),
        separator=tag(format.separator),
        trigger=format.trigger,
        end=end,
        max_calls=1 if format.array else max_calls,
    )


def call_schema(
    definitions: Sequence[Mapping[str, Any]], *, name_key: str = "name", arguments_key: str = "arguments"
) -> dict[str, Any]:
    """The JSON Schema of a call of one of these tools, an object with a name and arguments.

    `$ref`s of a tool's own schema still mean places in that schema.
    """
    calls = []
    for name, arguments in map(_definition, definitions):
        if "$ref" in str(arguments) and "$id" not in arguments and "id" not in arguments:
            arguments = {"$id": f"urn:tool:{name}", **arguments}
        calls.append(
            {
                "type": "object",
                "properties": {name_key: {"const": name}, arguments_key: arguments},
                "required": [name_key, arguments_key],
                "additionalProperties": False,
            }
        )
    return calls[0] if len(calls) == 1 else {"oneOf": calls}


Named = tuple[str, Mapping[str, Any]]


def _definition(definition: Mapping[str, Any]) -> Named:
    """(name, schema of the arguments) of a tool."""
    inner = definition.get("function", definition)
    if not isinstance(inner, Mapping) or not isinstance(inner.get("name"), str) or not inner["name"]:
        raise ValueError(
            f"a tool is an object with a name and a JSON Schema of its parameters; found {definition!r:.200}"
        )
    arguments = next((inner[key] for key in SCHEMA_KEYS if inner.get(key) is not None), NO_ARGUMENTS)
    if not isinstance(arguments, Mapping):
        raise ValueError(f"tool {inner['name']!r}: its parameters are no JSON Schema object but {arguments!r:.200}")
    return inner["name"], arguments


def _chosen(choice: str | Mapping[str, Any], tools: list[Named]) -> tuple[Mode, list[Named]]:
    names = [name for name, _ in tools]
    if not names:
        raise ValueError("there are no tools; without any, decode without a constraint")
    if len(set(names)) < len(names):
        raise ValueError(f"two tools have one name: {', '.join(sorted(n for n in set(names) if names.count(n) > 1))}")
    for mode in MODES:
        if choice == mode:
            return mode, tools
    if isinstance(choice, Mapping):
        inner = choice.get("function", choice)
        wanted = inner.get("name") if isinstance(inner, Mapping) else None
        if wanted in names:
            return "required", [tools[names.index(wanted)]]
        if wanted is not None:
            raise ValueError(f"tool_choice names {wanted!r}; the tools are {', '.join(map(repr, names))}")
    raise ValueError(f'tool_choice={choice!r} is not "auto", "required", "none" or {{"name": one of the tools}}')


def _calls_schema(tools: list[Named], format: ToolFormat, max_calls: int | None) -> dict[str, Any]:
    plain = [{"name": name, "parameters": arguments} for name, arguments in tools]
    call = call_schema(plain, name_key=format.name_key, arguments_key=format.arguments_key)
    if not format.array:
        return call
    most = {} if max_calls is None else {"maxItems": max_calls}
    return {"type": "array", "items": call, "minItems": 1, **most}


def _split_at(text: str, added: Mapping[str, int]) -> tuple[str | int, ...]:
    """A tag with the names of added tokens as their ids, longest names first, as tokenizers do."""
    if not added:
        return (text,)
    names = sorted(added, key=len, reverse=True)
    parts = re.split(f"({'|'.join(map(re.escape, names))})", text)
    return tuple(added.get(part, part) for part in parts if part)
