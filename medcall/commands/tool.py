"""`medcall tool`: a tool without a model."""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path

import tools
from medcall.errors import BAD_INPUT, UsageError

EXAMPLE = """medcall tool check_drug_interactions '{"drugs": ["Zocor", "clarithromycin"]}'"""


def add(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("name", nargs="?", help="the tool; left out: list the tools")
    parser.add_argument(
        "arguments",
        nargs="?",
        help="its arguments as a JSON object, - for stdin; left out: show their schema",
    )
    add_tools_flags(parser)
    parser.add_argument("--summary", action="store_true", help="print a sentence or two instead of the result's JSON")


def add_tools_flags(parser: argparse.ArgumentParser) -> None:
    """Flags that say over which records the tools work, for whom, and which other tools there are."""
    parser.add_argument(
        "--records",
        metavar="FOLDER|URL",
        help="FHIR R4 bundles, or a FHIR server's base URL (default: the synthetic patients that ship)",
    )
    parser.add_argument(
        "--patients",
        type=lambda ids: [identity.strip() for identity in ids.split(",")],
        action="extend",
        metavar="ID[,ID]",
        help="the only patients whose record may be read (default: all)",
    )
    parser.add_argument("--index", type=Path, metavar="FILE", help="keep the index of a large folder here between runs")
    parser.add_argument(
        "--tools-file",
        type=Path,
        action="append",
        default=[],
        metavar="FILE",
        help="tools of your own (.py, or .json with a callable); may be given again",
    )


def open_tools(args: argparse.Namespace) -> tools.Tools:
    """The tools that the flags ask for."""
    return tools.registry(records=args.records, patients=args.patients, files=args.tools_file, index=args.index)


def run(args: argparse.Namespace) -> int:
    registry = open_tools(args)
    if args.name is None:
        for tool in registry.values():
            print(f"{tool.name}\n    {tool.description}")
        return 0
    if args.name not in registry:
        raise UsageError(f"no tool named {args.name!r}; the tools are {', '.join(registry)}")
    if args.arguments is None:
        print(json.dumps(registry[args.name].arguments_schema, indent=2, ensure_ascii=False))
        return 0
    result = tools.run([{"name": args.name, "arguments": _parse(args.arguments)}], registry)[0]
    print(tools.summarise(args.name, result) if args.summary else json.dumps(result, indent=2, ensure_ascii=False))
    return BAD_INPUT if result.get("status") == "refused" else 0


def _parse(text: str) -> object:
    if text == "-":
        text = sys.stdin.read()
    try:
        return json.loads(text)
    except json.JSONDecodeError as error:
        raise UsageError(
            f"the arguments are not JSON: {error.msg} at character {error.pos} of {text!r};"
            f""" write an object in single quotes, like '{{"drugs": ["warfarin"]}}'"""
        ) from None
