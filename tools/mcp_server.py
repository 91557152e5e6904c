"""The tools as a Model Context Protocol server over stdio, with the protocol's official Python SDK.

``inputSchema`` and ``outputSchema`` are the tools' own schemas; a result travels as structured content and, for hosts
that show only text, as the same JSON in a text block. A refused call is such a result with ``isError`` set: the
protocol means it for errors that the model can read and repair. Only a tool that does not exist is an error of the
protocol (-32602). Needs the package ``mcp``.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Mapping
from contextlib import redirect_stdout
from typing import Any

import anyio
import anyio.to_thread
import mcp_types as types
from mcp.server.lowlevel import Server
from mcp.server.stdio import stdio_server
from mcp.shared.exceptions import MCPError

from tools.errors import Refusal
from tools.registry import Tools, argument_schemas, run
from tools.schema_parts import REFUSED
from tools.tool import Tool, rebased

NAME = "medcall"
INSTRUCTIONS = (
    "Deterministic tools over sourced tables and patient records. Copy names, numbers, units and dates from the "
    "conversation as they are written; the tools normalise them and say how. A result with isError says in "
    "error.expected what would have been accepted. Research software, not clinical advice."
)


def server(tools: Tools, version: str = "") -> Server[Any]:
    """A server that lists these tools and calls them, one at a time."""
    listed = [described(tool) for tool in tools.values()]
    one_at_a_time = anyio.CapacityLimiter(1)

    async def list_tools(context: object, params: object) -> types.ListToolsResult:
        return types.ListToolsResult(tools=listed)

    async def call_tool(context: object, params: types.CallToolRequestParams) -> types.CallToolResult:
        if params.name not in tools:
            raise MCPError(types.INVALID_PARAMS, f"no tool named {params.name!r:.80}; have {', '.join(tools)}")
        call = {"name": params.name, "arguments": params.arguments or {}}
        [result] = await anyio.to_thread.run_sync(run, [call], tools, limiter=one_at_a_time)
        return types.CallToolResult(
            content=[types.TextContent(type="text", text=json.dumps(result, ensure_ascii=False))],
            structured_content=result,
            is_error=result.get("status") == "refused",
        )

    return Server(NAME, version=version, instructions=INSTRUCTIONS, on_list_tools=list_tools, on_call_tool=call_tool)


def described(tool: Tool) -> types.Tool:
    """The tool as the protocol lists it."""
    ours = tool.name in argument_schemas()
    reads = types.ToolAnnotations(
        read_only_hint=True, destructive_hint=False, idempotent_hint=True, open_world_hint=False
    )
    return types.Tool(
        name=tool.name,
        description=tool.description,
        input_schema={"type": "object", **tool.arguments_schema},
        output_schema=_output_schema(tool.result_schema),
        annotations=reads if ours else None,
    )


def _output_schema(schema: Mapping[str, Any]) -> dict[str, Any]:
    """The result schema, which must be one of objects and admit a refusal."""
    from jsonschema import Draft202012Validator

    refusal = Refusal("code", "/place", None, "expected", "message").as_result("none")
    if not Draft202012Validator(schema).is_valid(refusal):
        schema = {"anyOf": [rebased(schema, "#/anyOf/0"), REFUSED]}
    return {"type": "object", **schema}


def serve(tools: Tools, version: str = "") -> None:
    """Answer on stdin and stdout until the client closes them."""

    async def main() -> None:
        built = server(tools, version)
        async with stdio_server() as (received, sent):
            with redirect_stdout(sys.stderr):  # the protocol has stdout for itself, whatever a tool prints
                await built.run(received, sent, built.create_initialization_options())

    anyio.run(main)
