"""`medcall ask`: a question, the model's call, the tool's result."""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path

from medcall.assistant import Assistant, Turn, load, spelled
from medcall.cli import NOTICE
from medcall.commands.tool import add_tools_flags, open_tools
from medcall.console import say, stderr
from medcall.errors import UsageError

EXAMPLE = 'medcall ask "Can I give clarithromycin to someone on simvastatin?" --model artifacts/demo/sft'
DEFAULT_MODEL = Path("artifacts/demo/sft")


def add(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("request", nargs="?", help="what to ask; left out: an interactive prompt")
    parser.add_argument(
        "--model",
        type=Path,
        default=DEFAULT_MODEL,
        help=f"a fine-tuned run or checkpoint (default {DEFAULT_MODEL})",
    )
    parser.add_argument(
        "--mode",
        choices=["free", "constrained", "grounded"],
        default="grounded",
        help="what the decoder allows: anything, valid calls, valid calls whose values were said (default)",
    )
    add_tools_flags(parser)
    parser.add_argument("--json", action="store_true", help="print each turn as one line of JSON")
    parser.add_argument("--trace", action="store_true", help="show how each token came about, on stderr")


def run(args: argparse.Namespace) -> None:
    if not args.model.exists():
        raise UsageError(
            f"no model at {args.model}; run `medcall demo` (or `make demo`) to train one, or name one with --model"
        )
    assistant = load(args.model, args.mode, open_tools(args))
    if args.request is not None:
        show_turn(assistant, args.request, args)
        return
    interactive = sys.stdin.isatty()
    if interactive:
        say(f"{NOTICE}\nAsk about drug interactions, doses or the patients that ship. An empty line or Ctrl-D ends.")
    while True:
        try:
            request = input("> " if interactive else "")
        except EOFError:
            break
        if not request.strip():
            if interactive:
                break
            continue
        show_turn(assistant, request.strip(), args)


def show_turn(assistant: Assistant, request: str, args: argparse.Namespace) -> None:
    """Ask, and print the turn."""
    turn = assistant.ask(request)
    if args.trace:
        show_trace(turn)
    print(json.dumps(turn.as_json(), ensure_ascii=False) if args.json else spelled(turn))


def show_trace(turn: Turn) -> None:
    """The tokens of an answer on stderr: forced green, narrowed blue, free red."""
    styles = {"forced": "black on green", "narrowed": "black on bright_blue", "free": "black on red"}
    for token in turn.trace.tokens:
        stderr.print(token.text, style=styles[token.origin], end="", markup=False, highlight=False)
    cost = turn.as_json()
    say(
        f"\n{cost['tokens']} tokens, {cost['forced_tokens']} of them forced, {cost['forward_passes']} forward"
        f" passes, {1000 * cost['seconds']:.0f} ms  (forced green, narrowed blue, free red)"
    )
