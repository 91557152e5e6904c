"""`medcall demo`: the whole pipeline, then a few requests answered and the scores."""

from __future__ import annotations

import argparse
import json
from pathlib import Path
from typing import Any

from medcall.cli import NOTICE
from medcall.console import add_json_flag, say

EXAMPLE = "medcall demo -o artifacts/demo"


def add(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("document", type=Path, nargs="?", help="your own textbook (default: the built-in handbook)")
    parser.add_argument("-o", "--output", type=Path, default=Path("artifacts/demo"), help="folder for everything made")
    parser.add_argument("--fast", action="store_true", help="a few steps of training only, to see the parts move")
    add_json_flag(parser)


def run(args: argparse.Namespace) -> None:
    from data.handbook import HANDBOOK_PDF
    from medcall.assistant import load, spelled
    from medcall.demo import FAST, REQUESTS, STANDARD, demo

    say(f"{NOTICE}\n")
    took = demo(args.document or HANDBOOK_PDF, args.output, FAST if args.fast else STANDARD)
    assistant = load(args.output / "sft")
    turns = [assistant.ask(request) for request in REQUESTS]
    report = args.output / "report"
    if args.json:
        result: dict[str, Any] = {
            "seconds": took,
            "turns": [turn.as_json() for turn in turns],
            "scores": json.loads((report / "report.json").read_text("utf-8"))["scores"],
        }
        print(json.dumps(result, ensure_ascii=False, indent=2))
        return
    print("\n\n".join(spelled(turn) for turn in turns))
    print()
    print((report / "report.md").read_text("utf-8"))
    print(f"report       {report / 'report.html'}")
    print(f"checkpoints  {args.output / 'base'}, {args.output / 'sft'}")
    print(f"time         {sum(took.values()):.0f} s: " + ", ".join(f"{name} {s:.0f}" for name, s in took.items()))
    print(f'try          medcall ask "Is it safe to take ibuprofen with lisinopril?" --model {args.output / "sft"}')
