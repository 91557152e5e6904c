"""How well does extraction read a PDF whose source is known? `python -m data.extract.measure`.

The PDF is the built-in handbook: two justified, hyphenated columns with tables, lists and references. Its
Markdown source says what a reader should find, in which order. Everything from the first chapter's page on is compared;
cover and contents have no counterpart in the source.
"""

import argparse
import sys
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from data.blocks import Block
from data.extract.clean import clean_text, table_rows
from data.extract.config import ExtractConfig
from data.extract.pipeline import extract
from data.handbook import HANDBOOK_PDF
from data.handbook.source import Handbook, load_handbook, plain


@dataclass(frozen=True)
class Score:
    """Shares between 0 and 1.

    `recall` of the source's words found, `precision` of the words found that are in the source, both as multisets;
    `order` is the length of the longest common subsequence of words over the source's length; `whole` is the share of
    paragraphs and list items that came out as exactly one block; `headings` the share of headings found as headings.
    """

    recall: float
    precision: float
    order: float
    whole: float
    headings: float
    table_rows: float
    words: int


def source_blocks(handbook: Handbook) -> Iterator[tuple[str, str]]:
    """What a reader of the PDF should find, as (kind, text) in order."""
    for number, chapter in enumerate(handbook.chapters, start=1):
        yield "heading", plain(chapter.title)
        tables = 0
        for element in chapter.elements:
            if element.kind == "table":
                tables += 1
                yield "caption", f"Table {number}.{tables}. {plain(element.text)}"
                for row in table_rows([[plain(cell) for cell in cells] for cells in element.rows]):
                    yield "table_row", row
            elif element.kind in ("heading2", "heading3"):
                yield "heading", plain(element.text)
            elif element.kind == "number":
                yield "list_item", f"{element.number}. {plain(element.text)}"
            else:
                yield ("list_item" if element.kind == "bullet" else "paragraph"), plain(element.text)
    yield "heading", "References"
    for number, reference in enumerate(handbook.references, start=1):
        yield "list_item", f"{number}. {plain(reference)}"


def score(expected: Sequence[tuple[str, str]], found: Sequence[Block]) -> Score:
    """Compare the source with the blocks; quotes, spaces and dashes are made alike on both sides."""
    source = [(kind, normalised(text)) for kind, text in expected]
    blocks = [(block.kind, normalised(block.text)) for block in found]
    wanted = [word for _, text in source for word in text.split()]
    got = [word for _, text in blocks for word in text.split()]
    shared = (Counter(wanted) & Counter(got)).total()
    return Score(
        recall=shared / len(wanted),
        precision=shared / max(len(got), 1),
        order=common_subsequence(wanted, got) / len(wanted),
        whole=_share(source, blocks, ("paragraph", "list_item"), any_kind=True),
        headings=_share(source, blocks, ("heading",)),
        table_rows=_share(source, blocks, ("table_row",)),
        words=len(wanted),
    )


def normalised(text: str) -> str:
    """docling's parser writes dashes and the minus sign as a hyphen, so a comparison must not tell them apart."""
    return clean_text(text).translate(str.maketrans("–—−", "---"))


def common_subsequence(first: Sequence[str], second: Sequence[str]) -> int:
    """Length of the longest common subsequence, by Hyyrö's bit-vector method (AWOCA 2004): one big integer a row."""
    places: dict[str, int] = {}
    for index, word in enumerate(first):
        places[word] = places.get(word, 0) | 1 << index
    full = (1 << len(first)) - 1
    row = full
    for word in second:
        matches = row & places.get(word, 0)
        row = (row + matches | row - matches) & full
    return len(first) - row.bit_count()


def _share(
    source: Sequence[tuple[str, str]],
    blocks: Sequence[tuple[str, str]],
    kinds: tuple[str, ...],
    *,
    any_kind: bool = False,
) -> float:
    wanted = Counter(text for kind, text in source if kind in kinds)
    got = Counter(text for kind, text in blocks if any_kind or kind in kinds)
    return (wanted & got).total() / max(wanted.total(), 1)


def from_first_chapter(blocks: Sequence[Block], title: str) -> list[Block]:
    """The blocks from the page that opens with the first chapter's title as a heading."""
    for index, block in enumerate(blocks):
        if block.kind == "heading" and block.text == clean_text(title):
            return list(blocks[index:])
    raise ValueError(f"no heading reads {title!r}, so the first chapter cannot be found")


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(
        prog="python -m data.extract.measure", description="Score extraction on the handbook."
    )
    parser.add_argument(
        "pdf", nargs="?", type=Path, default=HANDBOOK_PDF, help="a PDF typeset from the handbook's source"
    )
    parser.add_argument("--misses", type=int, default=0, help="show this many source texts that did not come out whole")
    options = parser.parse_args(arguments)
    handbook = load_handbook()
    expected = list(source_blocks(handbook))
    started = time.monotonic()
    blocks = list(extract(options.pdf, ExtractConfig(drop_duplicates=False)))
    seconds = time.monotonic() - started
    found = from_first_chapter(blocks, plain(handbook.chapters[0].title))
    result = score(expected, found)
    print(f"{options.pdf}: {result.words} words of source, {len(found)} blocks, extracted in {seconds:.1f} s")
    for name in ("recall", "precision", "order", "whole", "headings", "table_rows"):
        print(f"  {name:<11}{getattr(result, name):.4f}")
    texts = {normalised(block.text) for block in found}
    missed = [(kind, text) for kind, text in expected if normalised(text) not in texts]
    for kind, text in missed[: options.misses]:
        print(f"  missed {kind}: {text}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
