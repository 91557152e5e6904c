"""`medcall grammar`: what a JSON Schema, or a Lark grammar, becomes, and what it accepts."""

from __future__ import annotations

import argparse
import json
from pathlib import Path
from typing import Any

from medcall.console import add_json_flag, show
from medcall.errors import BAD_INPUT, UsageError

EXAMPLE = """medcall grammar --tool calculate_dose --test '{"name": "calculate_dose", "arguments": {"calc'"""


def add(parser: argparse.ArgumentParser) -> None:
    source = parser.add_mutually_exclusive_group(required=True)
    source.add_argument("schema", type=Path, nargs="?", help="a JSON Schema (.json) or a Lark grammar (.lark)")
    source.add_argument("--tool", help="the schema of calls of one built-in tool instead")
    parser.add_argument("--test", metavar="TEXT", help="say how much of TEXT the grammar accepts, and what may follow")
    parser.add_argument("--request", metavar="TEXT", help="ground the schema in this request first")
    parser.add_argument("--compact", action="store_true", help="JSON without spaces after ',' and ':'")
    add_json_flag(parser)


def run(args: argparse.Namespace) -> int:
    from data.tokenizer import load_tokenizer
    from decoding import Layout, Vocabulary, compile_json_schema, compile_lark, describe, ground

    tokenizer = load_tokenizer()
    vocabulary = Vocabulary(tokenizer.token_bytes(), eos=tokenizer.end_of_text, encode=tokenizer.encode)
    if args.schema is not None and args.schema.suffix == ".lark":
        constraint = compile_lark(args.schema.read_text("utf-8"), vocabulary)
    else:
        layout = Layout.compact() if args.compact else Layout.spaced()
        constraint = compile_json_schema(_schema(args), vocabulary, layout)
    if args.request is not None:
        constraint = ground(constraint, args.request)
    if args.test is None:
        text = describe(constraint)
        print(json.dumps({"grammar": text}) if args.json else text)
        return 0
    result = test(constraint, args.test, tokenizer)
    show(result, args.json)
    return 0 if result["accepted_bytes"] == result["bytes"] else BAD_INPUT


def test(constraint: Any, text: str, tokenizer: Any) -> dict[str, Any]:
    """How far the grammar follows a text, and which tokens may come next there."""
    vocabulary = constraint.vocabulary
    state, accepted, data = constraint.start(), 0, text.encode()
    for byte in data:
        following = vocabulary.states.row(state).get(byte)
        if following is None:
            break
        state, accepted = following, accepted + 1
    allowed = constraint.allowed(state).nonzero()[0]
    shown = [tokenizer.decode([int(i)]) for i in allowed[:12]]
    return {
        "bytes": len(data),
        "accepted_bytes": accepted,
        "refused": data[accepted:].decode("utf-8", "replace") or None,
        "complete": constraint.accepting(state),
        "tokens_that_may_follow": len(allowed),
        "such_as": shown,
        "forced": tokenizer.decode(constraint.forced(state)) or None,
    }


def _schema(args: argparse.Namespace) -> Any:
    if args.tool is not None:
        import tools

        return tools.call_schema([args.tool])
    try:
        return json.loads(args.schema.read_text("utf-8"))
    except json.JSONDecodeError as error:
        raise UsageError(f"{args.schema}: not JSON: {error.msg} at line {error.lineno}, column {error.colno}") from None
