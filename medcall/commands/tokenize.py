"""`medcall tokenize`: corpus.jsonl becomes token streams."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

from data.tokenize_corpus import TokenizeConfig, tokenize_corpus
from medcall.console import add_json_flag, progress, say, show
from medcall.flags import add_flags, as_dict, from_flags
from medcall.manifest import Work, new_folder

EXAMPLE = "medcall tokenize corpus/ -o tokens/"


def add(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("corpus", type=Path, help="the folder that `medcall extract` wrote, or a JSONL file of blocks")
    parser.add_argument(
        "-o", "--output", type=Path, required=True, help="folder for train.bin, heldout.bin and meta.json"
    )
    add_flags(parser, TokenizeConfig)
    add_json_flag(parser)


def run(args: argparse.Namespace) -> None:
    show(tokenize(args.corpus, args.output, from_flags(TokenizeConfig, args)), args.json)


def tokenize(corpus: Path, out: Path, config: TokenizeConfig) -> dict[str, Any]:
    """Write the token folder `out`, and return its counts."""
    work = Work("tokenize", {"corpus": corpus}, as_dict(config))
    if (made := work.reuse(out)) is not None:
        return made
    with new_folder(out, work) as folder, progress("tokenize") as advance:
        meta = tokenize_corpus(corpus, folder, config, progress=lambda done, total: advance(done, total, "chapters"))
        work.summary = {
            "train_tokens": meta["train"]["tokens"],
            "heldout_tokens": meta["heldout"]["tokens"],
            "bytes_per_token": meta["train"]["bytes_per_token"],
            "heldout_chapters": [c["title"] for c in meta["chapters"] if c["split"] == "heldout"],
        }
    for warning in meta["warnings"]:
        say(f"note: {warning}")
    return work.summary
