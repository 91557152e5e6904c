"""The few JSON Schema shapes that every tool's schemas are built from."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any


def closed_object(properties: Mapping[str, Any], required: Sequence[str]) -> dict[str, Any]:
    """An object with exactly these properties, in this order."""
    return {
        "type": "object",
        "properties": dict(properties),
        "required": list(required),
        "additionalProperties": False,
    }


def text() -> dict[str, Any]:
    """A non-empty string."""
    return {"type": "string", "minLength": 1}


def from_conversation(schema: Mapping[str, Any]) -> dict[str, Any]:
    """Mark a value that must be copied from the request, never made up."""
    return {**schema, "x-from": "conversation"}


REFUSED: dict[str, Any] = closed_object(
    {
        "status": {"const": "refused"},
        "error": closed_object(
            {
                "code": text(),
                "place": {"type": "string"},
                "found": {},
                "expected": text(),
                "message": text(),
            },
            required=["code", "place", "found", "expected", "message"],
        ),
        "data_version": text(),
    },
    required=["status", "error", "data_version"],
)
"""The result of a call that was declined; the same for every tool."""
