"""The tools by name, and the schemas that describe calls to them.

Adding a tool is one file that builds a :class:`Tool` and one line in :func:`registry` (or in a caller's own
mapping).
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from functools import lru_cache
from pathlib import Path
from types import MappingProxyType
from typing import Any, TypeVar

from tools.errors import Refusal, UnknownTool
from tools.tool import Result, Tool

Tools = Mapping[str, Tool]
_T = TypeVar("_T")


def registry(records: str | Path | None = None, patients: Collection[str] | None = None) -> Tools:
    """The three tools over the shipped tables.

    ``records`` is a folder of FHIR R4 bundles (default: the synthetic patients that ship); ``patients``
    limits the record reader to those patient ids (default: everyone in the folder).
    """
    scope = None if patients is None else frozenset(patients)
    return _registry(None if records is None else Path(records).resolve(), scope)


@lru_cache(maxsize=16)
def _registry(records: Path | None, patients: frozenset[str] | None) -> Tools:
    from tools import chart, dosing, interactions

    tools = (interactions.tool(), dosing.tool(), chart.tool(records, patients))
    return MappingProxyType({tool.name: tool for tool in tools})


def argument_schemas(names: Sequence[str] | None = None) -> dict[str, Mapping[str, Any]]:
    """Argument schemas by tool name, without opening any data."""
    from tools.chart import schema as chart
    from tools.dosing import schema as dosing
    from tools.interactions import schema as interactions

    schemas: dict[str, Mapping[str, Any]] = {
        "check_drug_interactions": interactions.ARGUMENTS,
        "calculate_dose": dosing.ARGUMENTS,
        "read_patient_record": chart.ARGUMENTS,
    }
    return {name: _known(schemas, name) for name in (schemas if names is None else names)}


def call_schema(names: Sequence[str] | None = None, tools: Tools | None = None) -> dict[str, Any]:
    """One JSON Schema for a call of any of the named tools: ``{"name": ..., "arguments": {...}}``."""
    if tools is None:
        schemas: Mapping[str, Mapping[str, Any]] = argument_schemas(names)
    else:
        schemas = {name: _known(tools, name).arguments_schema for name in (tools if names is None else names)}
    return {
        "oneOf": [
            {
                "type": "object",
                "properties": {"name": {"const": name}, "arguments": schema},
                "required": ["name", "arguments"],
                "additionalProperties": False,
            }
            for name, schema in schemas.items()
        ]
    }


def openai_tools(tools: Tools | None = None) -> list[dict[str, Any]]:
    """The tools as OpenAI-style function definitions."""
    chosen = registry() if tools is None else tools
    return [
        {
            "type": "function",
            "function": {
                "name": tool.name,
                "description": tool.description,
                "parameters": {"type": "object", **tool.arguments_schema},
            },
        }
        for tool in chosen.values()
    ]


def run(calls: Sequence[Mapping[str, Any]], tools: Tools | None = None) -> list[Result]:
    """Execute calls in order, one result each; a call that fails never stops the next one."""
    chosen = registry() if tools is None else tools
    return [_run_one(call, chosen) for call in calls]


def _run_one(call: object, tools: Tools) -> Result:
    names = ", ".join(tools)
    name = call.get("name") if isinstance(call, Mapping) else None
    if not isinstance(call, Mapping) or not isinstance(name, str) or name not in tools:
        found = name if isinstance(name, str) else repr(name)[:120]
        refusal = Refusal("unknown_tool", "/name", found, f"one of {names}", f"no tool named {found!r}; have {names}")
        return refusal.as_result("none")
    tool = tools[name]
    try:
        return tool.call(call.get("arguments"))
    except Exception as error:  # the seam that isolates one call from the next
        return Refusal(
            "internal_error",
            "",
            None,
            "a result",
            f"{name} failed inside with {type(error).__name__}; the call was not answered",
        ).as_result(tool.version())


def _known(mapping: Mapping[str, _T], name: str) -> _T:
    if name not in mapping:
        raise UnknownTool(f"no tool named {name!r}; have {', '.join(mapping)}")
    return mapping[name]
