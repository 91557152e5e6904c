"""`medcall mcp`: the tools for any program that speaks the Model Context Protocol, over stdin and stdout."""

from __future__ import annotations

import argparse

import medcall
from medcall.commands.tool import add_tools_flags, open_tools
from medcall.errors import UsageError

EXAMPLE = "medcall mcp --records records/ --patients patient-003"


def add(parser: argparse.ArgumentParser) -> None:
    add_tools_flags(parser)


def run(args: argparse.Namespace) -> int:
    try:
        from tools.mcp_server import serve
    except ImportError as error:
        raise UsageError(
            f"medcall mcp needs the protocol's Python SDK, version 2: pip install 'medcall[mcp]' ({error})"
        ) from error
    serve(open_tools(args), medcall.__version__)
    return 0
