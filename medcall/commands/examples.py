"""`medcall examples`: dialogues whose tool calls the tools have executed."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

from data.examples import ExamplesConfig
from medcall.console import add_json_flag, progress, show
from medcall.flags import add_flags, as_dict, from_flags
from medcall.manifest import Work, new_folder

EXAMPLE = "medcall examples -o dialogues/ --n-train 8000"


def add(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "-o", "--output", type=Path, required=True, help="folder for one JSONL file a split, and a dataset"
    )
    add_flags(parser, ExamplesConfig)
    add_json_flag(parser)


def run(args: argparse.Namespace) -> None:
    show(examples(args.output, from_flags(ExamplesConfig, args)), args.json)


def examples(out: Path, config: ExamplesConfig) -> dict[str, Any]:
    """Write the folder of dialogues `out`, and return how many each split holds."""
    from data.examples import build

    work = Work("examples", {}, as_dict(config))
    if (made := work.reuse(out)) is not None:
        return made
    with new_folder(out, work) as folder, progress("examples") as advance:
        made = build(config, folder, lambda done, total: advance(done, total, "dialogues"))
        work.summary = {name: split["dialogues"] for name, split in made["splits"].items()}
    return work.summary
