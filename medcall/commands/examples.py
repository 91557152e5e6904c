"""`medcall examples`: dialogues whose tool calls the tools have executed, or dialogues of your own."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

from data.examples import ExamplesConfig
from medcall.console import add_json_flag, progress, show
from medcall.flags import add_flags, as_dict, from_flags
from medcall.manifest import Work, new_folder

EXAMPLE = "medcall examples -o dialogues/ --n-train 20000 --processes 2"


def add(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "-o", "--output", type=Path, required=True, help="folder for one JSONL file a split, and a dataset"
    )
    parser.add_argument(
        "--from",
        dest="source",
        type=Path,
        metavar="FILE",
        help="take your own dialogues from a JSONL file in OpenAI's or Hugging Face's format instead of writing any; "
        "one in twenty becomes the iid split",
    )
    parser.add_argument(
        "--processes", type=int, default=1, metavar="N", help="processes to work with; the dialogues stay the same"
    )
    add_flags(parser, ExamplesConfig)
    add_json_flag(parser)


def run(args: argparse.Namespace) -> None:
    config = from_flags(ExamplesConfig, args)
    if args.source is not None:
        show(imported(args.source, args.output, config), args.json)
        return
    show(examples(args.output, config, args.processes), args.json)


def examples(out: Path, config: ExamplesConfig, processes: int = 1) -> dict[str, Any]:
    """Write the folder of dialogues `out`, and return how many each split holds."""
    from data.examples import build

    work = Work("examples", {}, as_dict(config))
    if (made := work.reuse(out)) is not None:
        return made
    with new_folder(out, work) as folder, progress("examples") as advance:
        made = build(config, folder, lambda done, total: advance(done, total, "dialogues"), processes)
        work.summary = {name: split["dialogues"] for name, split in made["splits"].items()}
    return work.summary


def imported(source: Path, out: Path, config: ExamplesConfig) -> dict[str, Any]:
    """Write the folder `out` from a user's own dialogues, and return how many each split holds."""
    from data.examples import build_from

    work = Work("examples", {"dialogues": source}, as_dict(config))
    if (made := work.reuse(out)) is not None:
        return made
    with new_folder(out, work) as folder:
        work.summary = {
            name: split["dialogues"] for name, split in build_from(source, config, folder)["splits"].items()
        }
    return work.summary
