"""`medcall extract`: a document becomes corpus.jsonl."""

from __future__ import annotations

import argparse
from dataclasses import asdict
from pathlib import Path
from typing import Any

from data.extract.config import ExtractConfig
from medcall.console import add_json_flag, progress, show
from medcall.flags import add_flags, as_dict, from_flags
from medcall.manifest import Work, new_folder

EXAMPLE = "medcall extract textbook.pdf -o corpus/ --pages 10-40"


def add(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("document", type=Path, help="PDF, Markdown, DOCX, HTML, PPTX or EPUB")
    parser.add_argument("-o", "--output", type=Path, required=True, help="folder for corpus.jsonl and its manifest")
    add_flags(parser, ExtractConfig)
    add_json_flag(parser)


def run(args: argparse.Namespace) -> None:
    config = from_flags(ExtractConfig, args)
    show(extract(args.document, args.output, config), args.json)


def extract(document: Path, out: Path, config: ExtractConfig) -> dict[str, Any]:
    """Write the corpus folder `out`, and return what is in it."""
    from data.extract import extract_file
    from data.extract.formats import identify

    identify(document)  # say what is wrong with the file before anything else happens
    work = Work("extract", {"document": document}, as_dict(config))
    if (made := work.reuse(out)) is not None:
        return made
    with new_folder(out, work) as folder, progress("extract") as advance:
        summary = extract_file(
            document, folder / "corpus.jsonl", config, lambda done, total: advance(done, total, "pages")
        )
        work.summary = asdict(summary)
    return work.summary
