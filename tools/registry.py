"""The tools by name, and the schemas that describe calls to them.

Adding a tool is one file that builds a :class:`Tool` and one line in :func:`registry` (or in a caller's own
mapping).
"""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping, Sequence
from functools import lru_cache
from pathlib import Path
from types import MappingProxyType
from typing import Any, TypeVar

from tools.errors import Refusal, UnknownTool
from tools.load import merged
from tools.tool import Result, Tool, rebased, shown

Tools = Mapping[str, Tool]
_T = TypeVar("_T")


def registry(
    records: str | Path | None = None,
    patients: Collection[str] | None = None,
    files: Sequence[str | Path] = (),
    index: str | Path | None = None,
) -> Tools:
    """The three tools over the shipped tables, and those of ``files``.

    ``records`` is a folder of FHIR R4 bundles or the base URL of a FHIR server (default: the synthetic patients
    that ship); ``patients`` limits the record reader to those patient ids (default: everyone there). ``files`` are
    tools of your own (see :mod:`tools.load`). ``index`` names a file that keeps the index of a large folder between
    runs (default: in memory).
    """
    scope = None if patients is None else frozenset(patients)
    where = records if records is None or _is_url(records) else Path(records).resolve()
    built_in = _registry(where, scope, None if index is None else Path(index).resolve())
    return MappingProxyType(merged(tuple(built_in.values()), files)) if files else built_in


def _is_url(records: str | Path) -> bool:
    return isinstance(records, str) and records.lower().startswith(("http://", "https://"))


@lru_cache(maxsize=16)
def _registry(records: Path | str | None, patients: frozenset[str] | None, index: Path | None) -> Tools:
    from tools import chart, dosing, interactions

    tools = (interactions.tool(), dosing.tool(), chart.tool(records, patients, index))
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
                "properties": {
                    "name": {"const": name},
                    "arguments": rebased(schema, f"#/oneOf/{number}/properties/arguments"),
                },
                "required": ["name", "arguments"],
                "additionalProperties": False,
            }
            for number, (name, schema) in enumerate(schemas.items())
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
        found = shown(name if isinstance(name, str) else repr(name))
        refusal = Refusal("unknown_tool", "/name", found, f"one of {names}", f"no tool named {found!r}; have {names}")
        return refusal.as_result("none")
    tool = tools[name]
    try:
        result = tool.call(call.get("arguments"))
        json.dumps(result, allow_nan=False)
        return result
    except (Exception, SystemExit) as error:  # the seam that isolates one call from the next
        return Refusal(
            "internal_error",
            "",
            None,
            "a result",
            f"{name} failed inside with {type(error).__name__}; the call was not answered",
        ).as_result(_version(tool))


def _version(tool: Tool) -> str:
    try:
        return tool.version()
    except Exception:
        return "none"


def _known(mapping: Mapping[str, _T], name: str) -> _T:
    if name not in mapping:
        raise UnknownTool(f"no tool named {name!r}; have {', '.join(mapping)}")
    return mapping[name]
