"""Tools as a model reads them in its prompt: one line each, a few tokens where a JSON Schema takes hundreds.

    Tools:
    send_page(clinician: string, urgency?: "routine" | "urgent") Page a clinician.

The three built-in tools are learned and never spelled out; these lines are for tools the model has not met.
"""

import json
from collections.abc import Mapping, Sequence
from typing import Any

from data.conversation import Function

HEAD = "Tools:\n"


def system_text(tools: Sequence[Function]) -> str:
    """The system message that offers these tools, the only ones there are for the conversation."""
    return HEAD + "\n".join(signature(tool) for tool in tools)


def signature(tool: Function) -> str:
    """One tool in one line: name, typed arguments (`?` for optional ones), and what it does."""
    function = tool["function"]
    parameters: Mapping[str, Any] = function.get("parameters", {})
    required = parameters.get("required", ())
    arguments = ", ".join(
        f"{name}{'' if name in required else '?'}: {_type(schema)}"
        for name, schema in parameters.get("properties", {}).items()
    )
    return f"{function['name']}({arguments}) {function.get('description', '')}".rstrip()


def _type(schema: Mapping[str, Any]) -> str:
    if "enum" in schema:
        return " | ".join(json.dumps(value, ensure_ascii=False) for value in schema["enum"])
    if schema.get("type") == "array":
        return f"{_type(schema.get('items', {}))}[]"
    return str(schema.get("format") or schema.get("type") or "any")
